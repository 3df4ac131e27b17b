//! `daybook backup`.

use std::path::Path;

use jiff::Timestamp;
use ledger::hash::hex;
use ledger::{Backup as Done, BackupError, BackupOptions, Target};
use serde_json::json;

use super::{Globals, book};
use crate::cli::Backup;
use crate::outcome::Outcome;
use crate::style::{Style, Tone};
use crate::terminal;

/// Copies the ledger while it may be written, and says what the copy came to.
pub(crate) fn run(globals: Globals<'_>, args: &Backup) -> anyhow::Result<Outcome> {
    let target = target(&args.to);
    let options = BackupOptions {
        with_blind: !args.without_blind,
    };
    let bytes = ledger::condition(globals.ledger).map_or(0, |seen| seen.bytes);
    let bar = terminal::progress(bytes, globals.quiet || globals.json, "copying");
    let done = ledger::backup(globals.ledger, &target, options, &|copied| {
        bar.set_position(copied);
    });
    bar.finish_and_clear();
    let done = done.map_err(|error| match error {
        BackupError::Open(error) => book::open_error(globals.ledger, error),
        other => other.into(),
    })?;
    if globals.json {
        terminal::line(&object(&args.to, &done).to_string())?;
        return Ok(Outcome::Done);
    }
    show(&args.to, &done)?;
    let keys = globals.key_folder();
    let keys = keys.dir().display();
    terminal::note(
        globals.quiet,
        &format!(
            "The keys are not in it. Back up {keys} apart from it: without the keys private payloads\n\
             cannot be read nor checkpoints signed; whoever has both copies can do both, and copies of\n\
             keys from before an erasure undo it."
        ),
    );
    Ok(Outcome::Done)
}

/// A file by its name, or because there is one.
fn target(to: &Path) -> Target {
    let is_archive = to
        .extension()
        .is_some_and(|ending| ending.eq_ignore_ascii_case("tar"));
    if (is_archive && !to.is_dir()) || to.is_file() {
        Target::Archive(to.to_owned())
    } else {
        Target::Folder(to.to_owned())
    }
}

fn show(to: &Path, done: &Done) -> anyhow::Result<()> {
    let copied = format!(
        "{} files, {} bytes; {} of {} segments were there",
        terminal::thousands(done.files_copied),
        terminal::thousands(done.bytes_copied),
        terminal::thousands(done.segments_kept),
        terminal::thousands(done.segments),
    );
    let blind = if done.with_blind {
        "is in it: the copy can be continued"
    } else {
        "is not in it: the copy can be read and verified only"
    };
    let mut table = terminal::table(&["backup", "what it came to"]);
    for (name, value) in [
        ("place", to.display().to_string()),
        ("ledger", terminal::clean(&done.origin).into_owned()),
        ("events", terminal::thousands(done.size)),
        ("newest", time(done.recorded_at_ms)),
        ("chain head", hex(&done.head_chain)),
    ] {
        table.add_row([name.to_owned(), value]);
    }
    let same = "size and chain head are the ledger's";
    table.add_row(["compared".into(), Style::stdout().cell(Tone::Good, same)]);
    table.add_row(["copied".to_owned(), copied]);
    table.add_row(["blind.key".to_owned(), blind.to_owned()]);
    terminal::keep_whole(&mut table, 0..1);
    terminal::line(&table.to_string())?;
    Ok(())
}

/// A time of Unix milliseconds.
pub(crate) fn time(milliseconds: u64) -> String {
    instant(milliseconds).map_or_else(|| "unknown".to_owned(), |at| at.to_string())
}

pub(crate) fn instant(milliseconds: u64) -> Option<Timestamp> {
    i64::try_from(milliseconds)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
}

fn object(to: &Path, done: &Done) -> serde_json::Value {
    json!({
        "backup": to, "origin": done.origin, "size": done.size, "head_chain": hex(&done.head_chain),
        "recorded_at": instant(done.recorded_at_ms), "blind": done.with_blind,
        "segments": done.segments, "segments_kept": done.segments_kept,
        "files_copied": done.files_copied, "bytes_copied": done.bytes_copied,
    })
}
