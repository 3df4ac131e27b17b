//! `daybook report health`.

use std::path::Path;

use anyhow::Context as _;
use ledger::event::report::Issued;
use ledger::{Event, EventBody, NaturalKey, StreamName};
use reports::health::{LedgerFacts, Status};
use reports::{HealthReport, Severity};

use super::{Globals, book};
use crate::cli::{FailOn, Health};
use crate::outcome::{Hinted, Outcome};
use crate::style::{Style, Tone};
use crate::terminal;

/// Findings listed on a terminal.
const ACTIONS_SHOWN: usize = 5;

/// Runs the checks and writes the report.
pub(crate) fn health(globals: Globals<'_>, args: &Health) -> anyhow::Result<Outcome> {
    let bar = terminal::progress(0, globals.quiet, "verifying");
    let verified = ledger::verify(globals.place(), &|done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let verified = match verified {
        Ok(report) => report.faults.is_empty(),
        Err(error) => return Err(book::open_error(globals.ledger, error)),
    };
    let book = book::read(globals, &args.as_of)?;
    let report = assess(&book, verified)?;
    if args.issue {
        issue(globals, &report, verified)?;
    }
    let to_stdout = globals.json || matches!(args.json, Some(None));
    write(&report, args, to_stdout)?;
    if !to_stdout {
        show(&report, args, globals.quiet)?;
    }
    Ok(outcome(&report, args, verified))
}

/// The report of a ledger at its moment.
pub(crate) fn assess(book: &book::Book, verified: bool) -> anyhow::Result<HealthReport> {
    let chain = match book.state.size.checked_sub(1) {
        None => String::new(),
        Some(last) => {
            let stored = book.reader.get_stored(last).context("reading the ledger")?;
            let stored = stored.context("the last event cannot be read")?;
            ledger::hash::hex(&ledger::hash::chain(&stored.entry))
        }
    };
    let facts = LedgerFacts {
        origin: book.reader.origin().to_owned(),
        size: book.state.size,
        chain,
        verified,
    };
    Ok(reports::assess(&book.state, book.at, &facts))
}

/// Records that a report was issued: its JSON as it is written to a file.
fn issue(globals: Globals<'_>, report: &HealthReport, verified: bool) -> anyhow::Result<()> {
    if !verified {
        return Err(Hinted::error(
            "a report of a ledger that does not verify is not issued",
            "run `daybook verify`: it names what was changed",
        ));
    }
    let digest = ledger::hash::hex(blake3::hash(pretty(report)?.as_bytes()).as_bytes());
    let body = EventBody::ReportIssued(Issued {
        report: "health".to_owned(),
        cutoff_position: report.ledger.size,
        digest: digest.clone(),
    });
    let key = NaturalKey::new("report").with(&digest);
    let event = Event::own(key, StreamName::ledger(), body, report.as_of);
    book::writer(globals)?
        .append(vec![event])
        .context("recording that the report was issued")?;
    Ok(())
}

/// The report's JSON as it is written to a file.
fn pretty(report: &HealthReport) -> anyhow::Result<String> {
    let mut text = serde_json::to_string_pretty(report)?;
    text.push('\n');
    Ok(text)
}

fn write(report: &HealthReport, args: &Health, to_stdout: bool) -> anyhow::Result<()> {
    if to_stdout {
        terminal::line(&serde_json::to_string(report)?)?;
    }
    if let Some(Some(path)) = &args.json {
        write_json(report, path)?;
    }
    if let Some(path) = &args.html {
        write_html(report, path)?;
    }
    Ok(())
}

/// Writes the JSON the page is made from.
pub(crate) fn write_json(report: &HealthReport, path: &Path) -> anyhow::Result<()> {
    std::fs::write(path, pretty(report)?).with_context(|| format!("writing {}", path.display()))
}

/// Writes the page.
pub(crate) fn write_html(report: &HealthReport, path: &Path) -> anyhow::Result<()> {
    let page = reports::html::render(report).context("rendering the page")?;
    std::fs::write(path, page).with_context(|| format!("writing {}", path.display()))
}

fn outcome(report: &HealthReport, args: &Health, verified: bool) -> Outcome {
    if !verified {
        return Outcome::Unverified;
    }
    let threshold = args.fail_on.map(|least| match least {
        FailOn::Info => Severity::Info,
        FailOn::Low => Severity::Low,
        FailOn::Medium => Severity::Medium,
        FailOn::High => Severity::High,
        FailOn::Critical => Severity::Critical,
    });
    if threshold.is_some_and(|least| {
        report
            .findings
            .iter()
            .any(|finding| finding.severity >= least)
    }) {
        return Outcome::Findings;
    }
    let (assessed, all) = (report.summary.assessed, report.catalogue.checks);
    let below = |gate: u8| u64::from(assessed) * 100 < u64::from(gate) * u64::from(all);
    if args.coverage_min.is_some_and(below) {
        Outcome::Coverage
    } else {
        Outcome::Done
    }
}

fn show(report: &HealthReport, args: &Health, quiet: bool) -> anyhow::Result<()> {
    let style = Style::stdout();
    let count = |severity: Severity| {
        let found = report.summary.by_severity.get(&severity).copied();
        style.severity_count(severity, found.unwrap_or(0))
    };
    terminal::line(&format!(
        "Health check {} as of {}: {}, {}, {}, {} in {} identities",
        report.id,
        terminal::minute(report.as_of),
        count(Severity::Critical),
        count(Severity::High),
        count(Severity::Medium),
        count(Severity::Low),
        terminal::thousands(u64::from(report.summary.identities)),
    ))?;
    terminal::line(&match report.summary.score_tenths {
        Some(tenths) => format!("Health {}.{} of 100", tenths / 10, tenths % 10),
        None => "No health score: it would mislead".to_owned(),
    })?;
    if !report.actions.is_empty() {
        terminal::line(&format!(
            "\n{}",
            style.paint(Tone::Heading, "Do these first")
        ))?;
    }
    for (number, action) in report.actions.iter().take(ACTIONS_SHOWN).enumerate() {
        terminal::line(&format!(
            "  {}. {}  ({}, {}, {})",
            number + 1,
            terminal::short(&action.title, 90),
            action.check,
            style.severity(action.severity),
            terminal::positions(&action.evidence, 3)
        ))?;
    }
    let unassessed = report
        .checks
        .iter()
        .filter(|check| matches!(check.status, Status::NotAssessed { .. }))
        .count();
    terminal::line(&format!(
        "\n{} of {} checks assessed, {unassessed} not",
        report.summary.assessed, report.catalogue.checks
    ))?;
    if args.html.is_none() {
        terminal::note(
            quiet,
            "For the page: daybook report health --html health.html",
        );
    }
    Ok(())
}
