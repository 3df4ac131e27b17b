//! `daybook doctor`.

mod look;
mod stream;

use ledger::OpenError;
use ledger::doctor::{Finding, Level, findings};
use serde_json::json;

use super::Globals;
use crate::cli::Doctor;
use crate::outcome::Outcome;
use crate::style::{Style, Tone};
use crate::terminal;

/// Says in plain words how the ledger is and what to do. Changes nothing.
pub(crate) fn run(globals: Globals<'_>, args: &Doctor) -> anyhow::Result<Outcome> {
    let backup = args.backup.as_deref();
    let found = match (globals.remote, ledger::condition(globals.ledger)) {
        (Some(remote), _) => stream::diagnose(globals, remote, backup),
        (None, Ok(condition)) => findings(&look::facts(globals, condition, backup)),
        (None, Err(error)) => vec![no_ledger(globals, &error)],
    };
    let problems = found
        .iter()
        .filter(|finding| finding.level == Level::Problem)
        .count();
    if globals.json {
        let found: Vec<_> = found
            .iter()
            .map(|finding| {
                json!({
                    "subject": finding.subject, "level": finding.level.word(),
                    "what": finding.what, "advice": finding.advice,
                })
            })
            .collect();
        let object = json!({
            "ledger": globals.shown(), "problems": problems, "findings": found,
        });
        terminal::line(&object.to_string())?;
    } else {
        show(&found, globals.quiet)?;
    }
    Ok(if problems > 0 {
        Outcome::Failed
    } else {
        Outcome::Done
    })
}

/// What keeps the folder from being looked at.
fn no_ledger(globals: Globals<'_>, error: &OpenError) -> Finding {
    let mut what = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        what = format!("{what}: {error}");
        cause = error.source();
    }
    let advice = match error {
        OpenError::NotALedger { .. } => format!(
            "create one with `daybook --ledger {} init`, or name another with --ledger",
            globals.ledger.display()
        ),
        OpenError::Io { .. } => "check who owns the folder and run as that user".to_owned(),
        OpenError::Settings(_) => {
            "use the version of daybook that wrote it; if the file was changed, restore it from a backup"
                .to_owned()
        }
        _ => "run daybook verify; daybook restore the newest backup".to_owned(),
    };
    Finding {
        subject: "ledger",
        level: Level::Problem,
        what,
        advice,
    }
}

fn show(found: &[Finding], quiet: bool) -> anyhow::Result<()> {
    let style = Style::stdout();
    let mut table = terminal::table(&["", "subject", "what is, and what to do"]);
    for finding in found {
        if quiet && finding.level == Level::Ok {
            continue;
        }
        let tone = match finding.level {
            Level::Ok => Tone::Good,
            Level::Note => Tone::Warning,
            Level::Problem => Tone::Alarm,
        };
        let mut text = terminal::clean(&finding.what).into_owned();
        if !finding.advice.is_empty() {
            text = format!("{text}\n→ {}", terminal::clean(&finding.advice));
        }
        table.add_row([
            style.cell(tone, finding.level.word()),
            finding.subject.into(),
            text.into(),
        ]);
    }
    terminal::keep_whole(&mut table, 0..2);
    terminal::line(&table.to_string())?;
    Ok(())
}
