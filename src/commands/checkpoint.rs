//! `daybook checkpoint`.

use anyhow::Context as _;
use evidence::anchors;
use evidence::publish::{PublishError, Published, publish};
use ledger::hash::hex;
use ledger::note::SigningKey;
use serde_json::json;

use super::{Globals, book, keys};
use crate::cli::Checkpoint;
use crate::outcome::Outcome;
use crate::terminal;

/// Signs the ledger as it is.
pub(crate) fn run(globals: Globals<'_>, args: &Checkpoint) -> anyhow::Result<Outcome> {
    // the writer's lock: days that are over are sealed, and nobody appends meanwhile
    let ledger = book::writer(globals)?;
    let reader = book::reader(globals.ledger)?;
    let folder = globals.key_folder();
    let signing = folder.signing(reader.origin()).map_err(keys::key_error)?;
    let all: Vec<&SigningKey> = signing.iter().collect();
    let published = publish(globals.ledger, &reader, &folder, &all).map_err(publish_error)?;
    drop(ledger);
    let anchored = match &args.anchors {
        Some(to) => Some(
            anchors::copy(&reader, to)
                .with_context(|| format!("copying anchors to {}", to.display()))?,
        ),
        None => None,
    };
    print(globals, &published, anchored)?;
    Ok(Outcome::Done)
}

fn print(globals: Globals<'_>, published: &Published, anchored: Option<u64>) -> anyhow::Result<()> {
    let checkpoint = &published.checkpoint;
    if globals.json {
        let answer = json!({
            "origin": checkpoint.origin, "size": checkpoint.size, "root": hex(&checkpoint.root),
            "before": published.before, "new": published.is_new,
            "note": published.note.to_string(), "anchored": anchored,
        });
        terminal::line(&answer.to_string())?;
        return Ok(());
    }
    terminal::line(published.note.to_string().trim_end())?;
    let said = match (published.is_new, published.before) {
        (false, _) => "Nothing new since: the same checkpoint".to_owned(),
        (true, None) => format!("Signed {} events", terminal::thousands(checkpoint.size)),
        (true, Some(before)) => format!(
            "Signed {} events, {} of them since the last checkpoint",
            terminal::thousands(checkpoint.size),
            terminal::thousands(checkpoint.size.saturating_sub(before))
        ),
    };
    terminal::note(globals.quiet, &said);
    if let Some(entries) = anchored {
        let said = format!("Anchors reach to {} events", terminal::thousands(entries));
        terminal::note(globals.quiet, &said);
    }
    Ok(())
}

/// What to say when nothing was signed.
fn publish_error(error: PublishError) -> anyhow::Error {
    match error {
        PublishError::Head(error) => book::head_error(error),
        PublishError::Link { .. } | PublishError::Tiles => crate::outcome::Hinted::error(
            format!("not signed: {error}"),
            "run `daybook verify`: it names what was changed",
        ),
        other => anyhow::Error::new(other),
    }
}
