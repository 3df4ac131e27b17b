//! `daybook keys data`, and what `verify` says of private payloads.

use ledger::event::book::Role;
use ledger::{DataKeys, PrivateParts};
use serde_json::{Value, json};

use super::{Globals, book};
use crate::cli::KeysData;
use crate::outcome::{Hinted, Outcome};
use crate::style::{Style, Tone};
use crate::terminal;

/// Missing keys listed on a terminal; `--json` has them all.
const MISSING_SHOWN: usize = 20;

/// Holds the data keys against the events.
pub(crate) fn run(globals: Globals<'_>, args: &KeysData) -> anyhow::Result<Outcome> {
    let place = globals.place();
    if args.replace_lost && !book::writer(globals)?.replace_lost_keys()? {
        return Err(Hinted::error(
            format!("there are data keys in {}", place.keys().display()),
            "they are not lost; `daybook keys data` shows which are missing",
        ));
    }
    let found =
        ledger::data_keys(&place).map_err(|error| book::open_error(globals.ledger, error))?;
    if globals.json {
        terminal::line(&object(&found).to_string())?;
    } else {
        show(&found)?;
    }
    Ok(if found.missing.is_empty() {
        Outcome::Done
    } else {
        Outcome::Unverified
    })
}

fn object(found: &DataKeys) -> Value {
    let missing: Vec<Value> = found
        .missing
        .iter()
        .map(
            |key| json!({"id": key.id, "role": key.role, "events": key.events, "first": key.first}),
        )
        .collect();
    json!({
        "path": found.path, "exists": found.exists, "keys": found.keys,
        "destroyed": found.destroyed, "undestroyed": found.undestroyed,
        "encrypted": found.encrypted, "erased": found.erased, "missing": missing,
    })
}

fn show(found: &DataKeys) -> anyhow::Result<()> {
    let there = if found.exists { "" } else { " (not there)" };
    terminal::line(&format!(
        "{}{there}\n{} keys, {} destroyed\n{} private payloads encrypted, {} of them erased",
        found.path.display(),
        terminal::thousands(found.keys),
        terminal::thousands(found.destroyed),
        terminal::thousands(found.encrypted),
        terminal::thousands(found.erased),
    ))?;
    if found.undestroyed > 0 {
        terminal::line(&format!(
            "{} keys that an erasure ordered destroyed are still here: the next import, bill or redact destroys them.",
            terminal::thousands(found.undestroyed)
        ))?;
    }
    if found.missing.is_empty() {
        return Ok(());
    }
    let mut table = terminal::table(&["missing key of", "as", "events", "first"]);
    for key in found.missing.iter().take(MISSING_SHOWN) {
        table.add_row([
            terminal::short(&key.id.to_string(), 16),
            match key.role {
                Role::Subject => "subject",
                Role::Actor => "actor",
            }
            .to_owned(),
            terminal::thousands(key.events),
            format!("#{}", terminal::thousands(key.first)),
        ]);
    }
    terminal::line(&table.to_string())?;
    terminal::line(&format!(
        "{} Restore the backup of the data keys, or name their folder with --keys.",
        Style::stdout().paint(
            Tone::Alarm,
            format_args!(
                "{} keys are missing.",
                terminal::thousands(found.missing.len() as u64)
            )
        )
    ))?;
    Ok(())
}

/// What could be told of private payloads, a line each; nothing where there are none.
pub(crate) fn words(parts: &PrivateParts) -> String {
    let mut said = Vec::new();
    let mut say = |count: u64, what: &str| {
        if count > 0 {
            said.push(format!("{} {what}", terminal::thousands(count)));
        }
    };
    say(parts.opened, "opened and compared");
    say(parts.clear, "in clear and compared");
    say(parts.erased, "erased, on record");
    say(
        parts.sealed,
        "sealed: not opened, for want of the data keys",
    );
    let counted = match said.as_slice() {
        [] => String::new(),
        said => format!("Private payloads: {}.\n", said.join("; ")),
    };
    if parts.undestroyed == 0 {
        return counted;
    }
    format!(
        "{counted}{} data keys that an erasure ordered destroyed are still here: the next import, bill or redact destroys them.\n",
        terminal::thousands(parts.undestroyed)
    )
}

/// What could be told of private payloads, for programs.
pub(crate) fn parts(parts: &PrivateParts) -> Value {
    json!({
        "clear": parts.clear, "opened": parts.opened, "sealed": parts.sealed,
        "erased": parts.erased, "data_keys": parts.data_keys, "undestroyed": parts.undestroyed,
    })
}
