//! `daybook checkpoint`.

use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use evidence::act;
use evidence::anchors;
use evidence::keys::KeyFolder;
use evidence::policy::Policy;
use evidence::publish::{PublishError, Published, cosigned, publish, sign};
use evidence::timestamp::{Anchors, Request, Stamped, ask};
use evidence::witness::{Answer, CollectError};
use ledger::hash::hex;
use ledger::note::{Note, SigningKey};
use ledger::{Ledger, ReadError, Reader};
use serde_json::{Value, json};

use super::{Globals, book, keys, witnesses};
use crate::cli::Checkpoint;
use crate::outcome::{Hinted, Outcome};
use crate::{edge, terminal};

/// How long a timestamp authority is given.
const STAMP_TIMEOUT: Duration = Duration::from_secs(15);

/// Folder of timestamps, in the ledger's.
pub(crate) const TIMESTAMPS_FOLDER: &str = "timestamps";

/// What was done.
struct Done {
    published: Published,
    note: Note,
    witnesses: Vec<(String, Result<u64, String>)>,
    anchored: Option<u64>,
    stamped: Option<Stamped>,
}

/// Signs the ledger as it is.
pub(crate) fn run(globals: Globals<'_>, args: &Checkpoint) -> anyhow::Result<Outcome> {
    // the writer's lock: days that are over are sealed, and nobody appends meanwhile
    let mut ledger = book::writer(globals)?;
    let reader = book::reader(globals.ledger)?;
    let folder = globals.key_folder();
    let signing = folder.signing(reader.origin()).map_err(keys::key_error)?;
    let all: Vec<&SigningKey> = signing.iter().collect();
    let mut done = match &args.policy {
        None => {
            let published = publish(globals.ledger, &reader, &folder, &all);
            let published = published.map_err(publish_error)?;
            Done {
                note: published.note.clone(),
                published,
                witnesses: Vec::new(),
                anchored: None,
                stamped: None,
            }
        }
        Some(path) => {
            let policy = super::prove::policy(path)?;
            let published = sign(globals.ledger, &reader, &folder, &all).map_err(publish_error)?;
            witnessed(globals, args, (&reader, &folder, &policy), published)?
        }
    };
    if let Some(to) = &args.anchors {
        let copied = anchors::copy(&reader, to)
            .with_context(|| format!("copying anchors to {}", to.display()))?;
        done.anchored = Some(copied);
    }
    if let (Some(url), Some(trusted)) = (&args.timestamp, &args.tsa_ca) {
        done.stamped = Some(stamp(globals, &mut ledger, (url, trusted), &done)?);
    }
    print(globals, &done)?;
    Ok(Outcome::Done)
}

/// Asks the witnesses of a policy; keeps the checkpoint with what they signed.
fn witnessed(
    globals: Globals<'_>,
    args: &Checkpoint,
    (reader, keys, policy): (&Reader, &KeyFolder, &Policy),
    published: Published,
) -> anyhow::Result<Done> {
    let size = published.checkpoint.size;
    let growth = |old: u64| -> Result<_, ReadError> {
        Ok(reader.tree().consistency(old, size)?.unwrap_or_default())
    };
    let asked = (policy, args.require_quorum);
    let collected = witnesses::ask(keys, asked, &published.note, &growth);
    let collected = match collected {
        Ok(collected) => collected,
        Err(CollectError::Quorum { cause, collected }) => {
            for (witness, outcome) in said(&collected.answers) {
                let said = outcome.err().unwrap_or_else(|| "cosigned".to_owned());
                let line = format!("{}: {}", terminal::clean(&witness), terminal::clean(&said));
                terminal::note(globals.quiet || globals.json, &line);
            }
            return Err(Hinted::error(
                format!("not published: {cause}"),
                "the checkpoint is signed and waits: run the command again when the witnesses answer",
            ));
        }
        Err(error @ CollectError::Judge(_)) => {
            return Err(Hinted::error(
                error.to_string(),
                "the policy must have the ledger's own key: daybook keys show",
            ));
        }
    };
    cosigned(globals.ledger, keys, &published, &collected.note).map_err(publish_error)?;
    Ok(Done {
        witnesses: said(&collected.answers),
        note: collected.note,
        published,
        anchored: None,
        stamped: None,
    })
}

fn said<E: std::error::Error + Send + 'static>(
    answers: &[Answer<E>],
) -> Vec<(String, Result<u64, String>)> {
    answers
        .iter()
        .map(|answer| {
            let outcome = match &answer.outcome {
                Ok(time) => Ok(*time),
                Err(error) => Err(error.to_string()),
            };
            (answer.witness.clone(), outcome)
        })
        .collect()
}

/// Has a timestamp authority stamp the checkpoint, keeps the token and records it.
fn stamp(
    globals: Globals<'_>,
    ledger: &mut Ledger,
    (url, trusted): (&str, &Path),
    done: &Done,
) -> anyhow::Result<Stamped> {
    let anchors = trusted_anchors(trusted)?;
    edge::machine()?;
    let bytes = done.note.to_string().into_bytes();
    let request = Request::new(&bytes, &mut edge::fill);
    let token = ask(url, &request, STAMP_TIMEOUT).context("asking the timestamp authority")?;
    let stamped = token
        .verify(&bytes, Some(request.nonce()), &anchors)
        .context("checking what the timestamp authority answered")?;
    let size = done.published.checkpoint.size;
    let folder = globals.ledger.join(TIMESTAMPS_FOLDER);
    std::fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
    for (ending, content) in [("checkpoint", bytes.as_slice()), ("tsr", token.as_bytes())] {
        let path = folder.join(format!("{size}.{ending}"));
        std::fs::write(&path, content).with_context(|| format!("writing {}", path.display()))?;
    }
    let event = act::anchored(&done.published.checkpoint, &bytes, &token, &stamped);
    ledger
        .append(vec![event])
        .context("recording the timestamp")?;
    Ok(stamped)
}

/// Reads the certificates that are trusted for timestamps.
pub(crate) fn trusted_anchors(path: &Path) -> anyhow::Result<Anchors> {
    let reading = || format!("reading {}", path.display());
    let text = std::fs::read_to_string(path).with_context(reading)?;
    Anchors::from_pem(&text).with_context(reading)
}

fn print(globals: Globals<'_>, done: &Done) -> anyhow::Result<()> {
    let checkpoint = &done.published.checkpoint;
    if globals.json {
        let witnesses: Vec<Value> = done
            .witnesses
            .iter()
            .map(|(name, outcome)| match outcome {
                Ok(time) => json!({"name": name, "cosigned": time}),
                Err(why) => json!({"name": name, "refused": why}),
            })
            .collect();
        let stamped = done.stamped.as_ref();
        let answer = json!({
            "origin": checkpoint.origin, "size": checkpoint.size, "root": hex(&checkpoint.root),
            "before": done.published.before, "new": done.published.is_new,
            "note": done.note.to_string(), "anchored": done.anchored, "witnesses": witnesses,
            "stamped": stamped.map(|it| json!({"time": it.time, "authority": it.authority})),
        });
        terminal::line(&answer.to_string())?;
        return Ok(());
    }
    terminal::line(done.note.to_string().trim_end())?;
    let size = terminal::thousands(checkpoint.size);
    let note = |said: String| terminal::note(globals.quiet, &said);
    match (done.published.is_new, done.published.before) {
        (false, _) => note("Nothing new since: the same checkpoint".to_owned()),
        (true, None) => note(format!("Signed {size} events")),
        (true, Some(before)) => note(format!(
            "Signed {size} events, {} of them since the last checkpoint",
            terminal::thousands(checkpoint.size.saturating_sub(before))
        )),
    }
    for (witness, outcome) in &done.witnesses {
        let said = outcome.as_ref().err().map_or("cosigned", String::as_str);
        note(format!(
            "{}: {}",
            terminal::clean(witness),
            terminal::clean(said)
        ));
    }
    if let Some(entries) = done.anchored {
        note(format!(
            "Anchors reach to {} events",
            terminal::thousands(entries)
        ));
    }
    if let Some(stamped) = &done.stamped {
        note(format!(
            "Stamped {} by {}",
            stamped.time,
            terminal::clean(&stamped.authority)
        ));
    }
    Ok(())
}

/// What to say when nothing was signed.
fn publish_error(error: PublishError) -> anyhow::Error {
    match error {
        PublishError::Head(error) => book::head_error(error),
        PublishError::Link { .. } | PublishError::Tiles => Hinted::error(
            format!("not signed: {error}"),
            "run `daybook verify`: it names what was changed",
        ),
        other => anyhow::Error::new(other),
    }
}
