//! `daybook restore`.

use evidence::head::{Head, HeadError};
use ledger::hash::hex;
use ledger::{Reader, Restored};
use serde_json::json;

use super::Globals;
use super::backup::{instant, time};
use crate::cli::Restore;
use crate::outcome::Outcome;
use crate::style::{Style, Tone};
use crate::terminal;

/// Makes the ledger's folder from a backup and says whether it can go on.
pub(crate) fn run(globals: Globals<'_>, args: &Restore) -> anyhow::Result<Outcome> {
    let hidden = globals.quiet || globals.json;
    let copying = terminal::progress(0, hidden, "unpacking");
    let checking = terminal::progress(0, hidden, "verifying");
    let restored = ledger::restore(
        &args.from,
        globals.ledger,
        &|unpacked| {
            copying.set_length(unpacked);
            copying.set_position(unpacked);
        },
        &|done, total| {
            checking.set_length(total);
            checking.set_position(done);
        },
    );
    copying.finish_and_clear();
    checking.finish_and_clear();
    let restored = restored?;
    let refused = refused(globals)?;
    let keys = globals.key_folder();
    if globals.json {
        let object = json!({
            "ledger": globals.ledger, "origin": restored.origin, "size": restored.size,
            "head_chain": hex(&restored.head_chain), "root": restored.root.map(|root| hex(&root)),
            "recorded_at": instant(restored.recorded_at_ms), "checkpoint": restored.checkpoint_size,
            "blind": restored.with_blind, "keys": keys.dir(), "keys_exist": keys.dir().is_dir(),
            "refused": refused,
        });
        terminal::line(&object.to_string())?;
        return Ok(Outcome::Done);
    }
    let keys = if keys.dir().is_dir() {
        format!("{}, which is there", keys.dir().display())
    } else {
        format!(
            "{}, which is not there yet: restore its backup",
            keys.dir().display()
        )
    };
    show(globals, &restored, &keys)?;
    if let Some(refused) = refused {
        let head = Style::stdout().paint(Tone::Warning, "Nothing can be appended to it:");
        terminal::line(&format!(
            "{head} {}.\n\
             That is by design: events that were signed and are not here would be signed over, and\n\
             auditors and witnesses would see a fork. Look for a newer backup; docs/operations.md says\n\
             what to do when there is none.",
            terminal::clean(&refused)
        ))?;
    }
    Ok(Outcome::Done)
}

/// Why the record in the keys folder does not let the restored ledger go on.
fn refused(globals: Globals<'_>) -> anyhow::Result<Option<String>> {
    let checked = match Head::read(&globals.key_folder()) {
        Ok(None) => return Ok(None),
        Ok(Some(head)) => head.check(&Reader::open(globals.place())?),
        Err(error) => Err(error),
    };
    Ok(checked.err().map(|error: HeadError| error.to_string()))
}

fn show(globals: Globals<'_>, restored: &Restored, keys: &str) -> anyhow::Result<()> {
    let blind = if restored.with_blind {
        "is there: the ledger can go on"
    } else {
        "is not there: the ledger can be read and verified only"
    };
    let checkpoint = restored.checkpoint_size.map_or_else(
        || "none".to_owned(),
        |size| format!("of {} events", terminal::thousands(size)),
    );
    let verified = format!(
        "every byte of {} re-hashed, no fault",
        terminal::thousands(restored.bytes)
    );
    let mut table = terminal::table(&["restored", "what it came to"]);
    for (name, value) in [
        ("folder", globals.ledger.display().to_string()),
        ("ledger", terminal::clean(&restored.origin).into_owned()),
        ("events", terminal::thousands(restored.size)),
        ("newest", time(restored.recorded_at_ms)),
        ("chain head", hex(&restored.head_chain)),
        ("checkpoint", checkpoint),
    ] {
        table.add_row([name.to_owned(), value]);
    }
    table.add_row([
        "verified".into(),
        Style::stdout().cell(Tone::Good, verified),
    ]);
    table.add_row(["blind.key".to_owned(), blind.to_owned()]);
    table.add_row(["keys".to_owned(), keys.to_owned()]);
    terminal::keep_whole(&mut table, 0..1);
    terminal::line(&table.to_string())?;
    Ok(())
}
