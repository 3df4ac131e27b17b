//! `daybook prove inclusion`, `consistency`, `check`.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use evidence::policy::{Judged, Policy};
use evidence::proof::{GrowthFile, ProofFile};
use evidence::prove::{self, ProveError};
use jiff::Timestamp;
use ledger::hash::hex;
use ledger::note::Note;
use ledger::{Entry, Position, PublicPayload, Reader};
use serde_json::{Value, json};

use super::{Globals, book};
use crate::cli::{AsOf, Check, Consistency, Inclusion};
use crate::outcome::{Hinted, Outcome};
use crate::style::{Style, Tone};
use crate::terminal;

/// Writes proofs that events are in the ledger.
pub(crate) fn inclusion(globals: Globals<'_>, args: &Inclusion) -> anyhow::Result<Outcome> {
    let reader = book::reader(globals.place())?;
    let signed = prove::checkpoint(globals.ledger, None).map_err(prove_error)?;
    let mut written = Vec::new();
    if let Some(identity) = &args.identity {
        let to = args.to.clone().unwrap_or_else(|| PathBuf::from("proofs"));
        std::fs::create_dir_all(&to).with_context(|| format!("creating {}", to.display()))?;
        for position in positions_of(globals, &reader, identity)? {
            if position < signed.1.size {
                let proof = prove::inclusion(&reader, &signed, position, args.private)
                    .map_err(prove_error)?;
                written.push((position, to.join(file_name(position)), proof.to_string()));
            }
        }
    } else {
        let event = args.event.as_deref().unwrap_or_default();
        let position = position_of(&reader, event)?;
        let proof =
            prove::inclusion(&reader, &signed, position, args.private).map_err(prove_error)?;
        let to = args.to.clone();
        let to = to.unwrap_or_else(|| PathBuf::from(file_name(position)));
        written.push((position, to, proof.to_string()));
    }
    for (_, to, text) in &written {
        write(to, text)?;
    }
    if globals.json {
        let proofs: Vec<Value> = written
            .iter()
            .map(|(position, file, _)| json!({"position": position, "file": file}))
            .collect();
        let answer = json!({"size": signed.1.size, "root": hex(&signed.1.root), "proofs": proofs});
        terminal::line(&answer.to_string())?;
        return Ok(Outcome::Done);
    }
    match written.as_slice() {
        [(position, to, _)] => terminal::line(&format!(
            "Proof that #{} is among the {} events signed: {}",
            terminal::thousands(*position),
            terminal::thousands(signed.1.size),
            to.display()
        ))?,
        several => terminal::line(&format!(
            "{} proofs, each of one event among the {} signed",
            terminal::thousands(several.len() as u64),
            terminal::thousands(signed.1.size)
        ))?,
    }
    Ok(Outcome::Done)
}

/// Writes the proof that a checkpoint is the beginning of a later one.
pub(crate) fn consistency(globals: Globals<'_>, args: &Consistency) -> anyhow::Result<Outcome> {
    let reader = book::reader(globals.place())?;
    let signed = prove::checkpoint(globals.ledger, args.new).map_err(prove_error)?;
    let proof = prove::consistency(&reader, &signed, args.old).map_err(prove_error)?;
    let new = signed.1.size;
    let to = args.to.clone();
    let to = to.unwrap_or_else(|| PathBuf::from(format!("{}-{new}.growth", args.old)));
    write(&to, &proof.to_string())?;
    if globals.json {
        terminal::line(&json!({"old": args.old, "new": new, "file": to}).to_string())?;
    } else {
        terminal::line(&format!(
            "Proof that the first {} events are the beginning of the {} signed: {}",
            terminal::thousands(args.old),
            terminal::thousands(new),
            to.display()
        ))?;
    }
    Ok(Outcome::Done)
}

/// Checks a proof with nothing but a policy.
pub(crate) fn check(globals: Globals<'_>, args: &Check) -> anyhow::Result<Outcome> {
    let policy = policy(&args.policy)?;
    let bytes =
        std::fs::read(&args.file).with_context(|| format!("reading {}", args.file.display()))?;
    let checked = if bytes.starts_with(b"old ") {
        check_growth(&bytes, &earlier(args)?, &policy)
    } else {
        check_inclusion(&bytes, &policy)
    };
    match checked {
        Ok((answer, sentence)) => {
            if globals.json {
                terminal::line(&answer.to_string())?;
            } else {
                let proven = Style::stdout().paint(Tone::Good, "Proven.");
                terminal::line(&format!("{proven} {sentence}"))?;
            }
            Ok(Outcome::Done)
        }
        Err(error) if globals.json => {
            let answer = json!({"proven": false, "why": format!("{error:#}")});
            terminal::line(&answer.to_string())?;
            Ok(Outcome::Unverified)
        }
        Err(error) => {
            let not = Style::stdout().paint(Tone::Alarm, "Not proven:");
            terminal::line(&format!("{not} {}", terminal::clean(&format!("{error:#}"))))?;
            Ok(Outcome::Unverified)
        }
    }
}

fn check_inclusion(bytes: &[u8], policy: &Policy) -> anyhow::Result<(Value, String)> {
    let proof = ProofFile::parse(bytes)?;
    let judged = proof.verify(policy)?;
    let event = proof.event.as_ref().context("the proof carries no event")?;
    let entry = Entry::decode(&event.entry)?;
    let payload: PublicPayload =
        serde_json::from_slice(&event.public).context("the public payload is no event")?;
    let recorded = i64::try_from(entry.recorded_at_ms).unwrap_or(i64::MAX);
    let recorded = Timestamp::from_millisecond(recorded).context("the recorded time")?;
    let mut answer = json!({
        "proven": true, "position": proof.index, "type": entry.event_type.to_string(),
        "event_id": entry.event_id, "recorded_at": recorded, "payload": payload,
    });
    add_judged(&mut answer, &judged);
    let sentence = format!(
        "Event #{} of {}, {} on {}, recorded {}, is among the {} events {} signed{}",
        terminal::thousands(proof.index),
        terminal::clean(&judged.checkpoint.origin),
        entry.event_type,
        terminal::clean(payload.subject.as_str()),
        recorded,
        terminal::thousands(judged.checkpoint.size),
        terminal::clean(&judged.log),
        witnesses(&judged),
    );
    Ok((answer, sentence))
}

/// The checkpoint a proof of consistency begins at, which its reader kept.
fn earlier(args: &Check) -> anyhow::Result<Vec<u8>> {
    let Some(path) = &args.earlier else {
        return Err(Hinted::error(
            "a proof of consistency is checked against the checkpoint it begins at",
            "name the one you kept with --earlier FILE",
        ));
    };
    std::fs::read(path).with_context(|| format!("reading {}", path.display()))
}

fn check_growth(bytes: &[u8], earlier: &[u8], policy: &Policy) -> anyhow::Result<(Value, String)> {
    let proof = GrowthFile::parse(bytes)?;
    let judged = proof.verify(&Note::parse(earlier)?, policy)?;
    let mut answer = json!({"proven": true, "old": proof.old});
    add_judged(&mut answer, &judged);
    let sentence = format!(
        "The {} events of the earlier checkpoint are the beginning of the {} that {} signed{}",
        terminal::thousands(proof.old),
        terminal::thousands(judged.checkpoint.size),
        terminal::clean(&judged.log),
        witnesses(&judged),
    );
    Ok((answer, sentence))
}

fn add_judged(answer: &mut Value, judged: &Judged) {
    answer["origin"] = json!(judged.checkpoint.origin);
    answer["size"] = json!(judged.checkpoint.size);
    answer["root"] = json!(hex(&judged.checkpoint.root));
    answer["witnesses"] = judged
        .cosignatures
        .iter()
        .map(|(name, time)| json!({"name": name, "time": time}))
        .collect();
}

/// How many witnesses signed, as the end of a sentence.
pub(crate) fn witnesses(judged: &Judged) -> String {
    match judged.cosignatures.len() {
        0 => ".".to_owned(),
        1 => ", seen by 1 witness.".to_owned(),
        several => format!(", seen by {several} witnesses."),
    }
}

/// Reads a policy.
pub(crate) fn policy(path: &Path) -> anyhow::Result<Policy> {
    let reading = || format!("reading {}", path.display());
    let text = std::fs::read_to_string(path).with_context(reading)?;
    Policy::parse(&text).with_context(reading)
}

/// The position a text names: a number, or an event's id.
fn position_of(reader: &Reader, text: &str) -> anyhow::Result<Position> {
    let plain = text.trim_start_matches('#').replace(',', "");
    if plain.len() < 32
        && let Ok(position) = plain.parse()
    {
        return Ok(position);
    }
    let wanted = plain.to_lowercase();
    let mut found = None;
    reader.scan_stored(0..reader.size(), &mut |record| {
        let is_it = Entry::decode(record.entry)
            .ok()
            .filter(|entry| entry.event_id.to_string() == wanted);
        match is_it {
            Some(entry) => {
                found = Some(entry.position);
                std::ops::ControlFlow::Break(())
            }
            None => std::ops::ControlFlow::Continue(()),
        }
    })?;
    found.ok_or_else(|| {
        Hinted::error(
            format!("no event `{}` in this ledger", terminal::clean(text)),
            "name a position, or the 32 hexadecimal digits of an event's id: `daybook log --json` shows both",
        )
    })
}

/// Positions of every event of an identity.
fn positions_of(
    globals: Globals<'_>,
    reader: &Reader,
    identity: &str,
) -> anyhow::Result<BTreeSet<Position>> {
    let known = book::read(globals, &AsOf { as_of: None })?;
    let wanted = book::identity(&known.state, identity)?.stream_no;
    book::positions(reader, |entry| entry.stream_no == wanted)
}

fn file_name(position: Position) -> String {
    format!("{position}.tlog-proof")
}

fn write(to: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(to, text).with_context(|| format!("writing {}", to.display()))
}

/// What to say when there is no proof.
pub(crate) fn prove_error(error: ProveError) -> anyhow::Error {
    let hint = match &error {
        ProveError::NoCheckpoint { .. } => {
            "sign one with `daybook checkpoint`; `ls LEDGER/checkpoints` shows the sizes there are"
        }
        ProveError::NotCovered { .. } => "sign again with `daybook checkpoint`",
        ProveError::Proof(_) | ProveError::Opened(_) => {
            "run `daybook verify`: it names what was changed"
        }
        _ => return anyhow::Error::new(error),
    };
    Hinted::error(error.to_string(), hint)
}
