//! `daybook verify`.

use std::collections::BTreeSet;

use anyhow::Context as _;
use comfy_table::Cell;
use evidence::policy::{JudgeError, Policy};
use evidence::seal;
use ledger::event::evidence::EpochSealed;
use ledger::hash::hex;
use ledger::note::VerifierKey;
use ledger::{
    CHECKPOINT_FILE, EventBody, Fault, FaultClass, KeptNote, LADDER_FOLDER, Outside, Reader,
    Settings, Statement, VerifyReport,
};
use serde_json::{Value, json};

use super::{Globals, book, data_keys, keys, prove};
use crate::cli::Verify;
use crate::outcome::{Hinted, Outcome};
use crate::remote::Remote;
use crate::style::{Style, Tone};
use crate::terminal;

/// Faults listed on a terminal; `--json` has them all.
const FAULTS_SHOWN: usize = 200;

/// Re-hashes every byte and lists every fault.
pub(crate) fn run(globals: Globals<'_>, args: &Verify) -> anyhow::Result<Outcome> {
    let policy = args.policy.as_deref().map(prove::policy).transpose()?;
    let behind = catch_up(globals)?;
    let outside = outside(globals, args, policy.as_ref())?;
    let bar = terminal::progress(0, globals.quiet || globals.json, "verifying");
    let verified = ledger::verify_against(globals.place(), &outside, &|done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let mut report = match verified {
        Ok(report) => report,
        Err(error) => return Err(book::open_error(globals.ledger, error)),
    };
    let streamed = match globals.remote {
        Some(remote) => Some(compare(globals, remote, behind, &mut report)?),
        None => None,
    };
    let of_seals = seals(globals, &outside, &report);
    report.faults.extend(of_seals);
    let of_witnesses = policy.map_or_else(Vec::new, |policy| quorums(&report, &policy));
    report.faults.extend(of_witnesses);
    report
        .faults
        .sort_by_key(|fault| (fault.position, fault.class));
    let signatures_checked = !outside.keys.is_empty();
    let outcome = if report.faults.is_empty() {
        Outcome::Done
    } else {
        Outcome::Unverified
    };
    if globals.json {
        let mut object = json(&report, signatures_checked);
        if let (Some(streamed), Some(object)) = (streamed, object.as_object_mut()) {
            object.insert("streamed".to_owned(), json!(streamed));
        }
        terminal::line(&object.to_string())?;
        return Ok(outcome);
    }
    if report.faults.is_empty() {
        terminal::line(&format!(
            "Verified {} events in {} ({} bytes), every byte re-hashed. {}\n{}{}\nChain head {}\nRoot       {}",
            terminal::thousands(report.size),
            counted(report.segments, "segment"),
            terminal::thousands(report.bytes),
            Style::stdout().paint(Tone::Good, "No fault."),
            [
                data_keys::words(&report.private),
                pruned(&report),
                streamed.map_or_else(String::new, |events| streamed_words(globals, events)),
            ]
            .concat(),
            held(&report, signatures_checked),
            hex(&report.head_chain),
            report.root.map_or_else(String::new, |root| hex(&root)),
        ))?;
        return Ok(outcome);
    }
    show_faults(&report)?;
    Ok(outcome)
}

/// Brings the replica of a stream up to date. What keeps it from it is kept when there is a replica
/// at all: it may be a fault of the stream.
fn catch_up(globals: Globals<'_>) -> anyhow::Result<Option<anyhow::Error>> {
    let Some(remote) = globals.remote else {
        return Ok(None);
    };
    match remote.catch_up(globals.quiet || globals.json) {
        Ok(()) => Ok(None),
        Err(error) if Reader::open(remote.place()).is_ok() => Ok(Some(error)),
        Err(error) => Err(error),
    }
}

/// Holds the stream against its replica: how many events are the same. The first that is not is a
/// fault, and so is one behind the replica's end that it could not take.
fn compare(
    globals: Globals<'_>,
    remote: &Remote,
    behind: Option<anyhow::Error>,
    report: &mut VerifyReport,
) -> anyhow::Result<u64> {
    let (same, fault) = remote.compare(globals.quiet || globals.json)?;
    let fault = match (fault, behind) {
        (None, Some(error)) => Some(remote.fault(error)?),
        (fault, _) => fault,
    };
    report.faults.extend(fault);
    Ok(same)
}

fn streamed_words(globals: Globals<'_>, events: u64) -> String {
    format!(
        "{} events read from {}: the same, byte for byte.\n",
        terminal::thousands(events),
        terminal::clean(&globals.shown())
    )
}

/// A line about payloads that were pruned, when any were.
fn pruned(report: &VerifyReport) -> String {
    match report.pruned {
        0 => String::new(),
        1 => "1 payload was pruned, as an event says.\n".to_owned(),
        n => format!(
            "{} payloads were pruned, as an event says.\n",
            terminal::thousands(n)
        ),
    }
}

fn show_faults(report: &VerifyReport) -> anyhow::Result<()> {
    let mut table = terminal::table(&["position", "fault", "file", "what is wrong"]);
    for fault in report.faults.iter().take(FAULTS_SHOWN) {
        table.add_row([
            Cell::new(fault.position.map_or_else(
                || "–".to_owned(),
                |position| format!("#{}", terminal::thousands(position)),
            )),
            Style::stdout().cell(Tone::Bad, fault.class),
            Cell::new(terminal::clean(&fault.file)),
            Cell::new(terminal::clean(&fault.detail)),
        ]);
    }
    terminal::line(&table.to_string())?;
    let left = report.faults.len().saturating_sub(FAULTS_SHOWN);
    if left > 0 {
        terminal::line(&format!(
            "… and {} more; `daybook verify --json` lists them all",
            terminal::thousands(left as u64)
        ))?;
    }
    terminal::line(&format!(
        "{} The ledger does not verify: keep it as it is, restore a copy, and compare.",
        Style::stdout().paint(
            Tone::Alarm,
            format_args!("{}.", counted(report.faults.len() as u64, "fault"))
        )
    ))?;
    Ok(())
}

/// What the ledger is held against: what the flags name, and the keys that are at hand.
fn outside(
    globals: Globals<'_>,
    args: &Verify,
    policy: Option<&Policy>,
) -> anyhow::Result<Outside> {
    let mut outside = Outside {
        anchors: args.anchors.clone(),
        ..Outside::default()
    };
    if let Some(anchors) = args.anchors.as_ref().filter(|anchors| !anchors.is_dir()) {
        return Err(Hinted::error(
            format!("no anchors at {}", anchors.display()),
            "make them with `daybook checkpoint --anchors DIR`",
        ));
    }
    for path in &args.against {
        let name = path.display().to_string();
        let kept = KeptNote::read(path, name.clone()).with_context(|| format!("reading {name}"))?;
        outside.checkpoints.push(kept);
    }
    if let Some(policy) = policy {
        let witnesses = policy.witnesses().iter().map(|witness| witness.key.clone());
        outside.keys = policy.logs().cloned().chain(witnesses).collect();
    } else {
        let keys = globals.key_folder();
        if keys.can_sign()
            && let Ok(Some(settings)) = Settings::read(globals.ledger)
        {
            outside.keys = keys::verifier_keys(&keys, &settings.origin)?;
        }
    }
    Ok(outside)
}

/// Checkpoints that too few of the policy's witnesses signed: asked of the newest, and of those an
/// auditor brings. Older ones may be from before there were witnesses.
fn quorums(report: &VerifyReport, policy: &Policy) -> Vec<Fault> {
    let is_asked = |statement: &Statement| {
        statement.name == CHECKPOINT_FILE || !statement.name.starts_with(LADDER_FOLDER)
    };
    let faults = report.statements.iter().filter(|one| is_asked(one));
    let faults = faults.filter_map(|statement| match policy.judge(&statement.note) {
        Err(error @ JudgeError::Quorum { .. }) => Some(Fault {
            position: None,
            class: FaultClass::Cosig,
            file: statement.name.clone(),
            detail: error.to_string(),
        }),
        _ => None,
    });
    faults.collect()
}

/// What is wrong with the seals, where there are any and the ledger can be read.
fn seals(globals: Globals<'_>, outside: &Outside, report: &VerifyReport) -> Vec<Fault> {
    let events: Vec<(u64, EpochSealed)> = report
        .on_evidence
        .iter()
        .filter_map(|event| match event.body()? {
            EventBody::EpochSealed(sealed) => Some((event.position, sealed)),
            _ => None,
        })
        .collect();
    if events.is_empty() {
        return Vec::new();
    }
    let (Ok(reader), Ok(kept)) = (
        Reader::open(globals.ledger),
        KeptNote::of_ledger(globals.ledger),
    ) else {
        return Vec::new();
    };
    let replaced = report.replaced_keys();
    let known: Vec<VerifierKey> = outside
        .keys
        .iter()
        .chain(replaced.iter().map(|old| &old.key))
        .filter(|key| key.name() == reader.origin())
        .cloned()
        .collect();
    let Ok((_, faults)) = seal::check(&reader, &events, &kept, &known) else {
        return Vec::new();
    };
    faults
        .into_iter()
        .map(|fault| Fault {
            position: Some(fault.position),
            class: FaultClass::Epoch,
            file: "ledger.epoch_sealed".to_owned(),
            detail: fault.detail,
        })
        .collect()
}

/// What the ledger was held against, in a sentence.
fn held(report: &VerifyReport, signatures_checked: bool) -> String {
    // the newest is in the ladder too
    let sizes: BTreeSet<u64> = report.statements.iter().map(|one| one.size).collect();
    let sizes: Vec<u64> = sizes.into_iter().collect();
    let mut said = match sizes.as_slice() {
        [] => "No checkpoint to hold it against: sign one with `daybook checkpoint`.".to_owned(),
        [one] => format!(
            "It leads to the checkpoint of {} events",
            terminal::thousands(*one)
        ),
        [first, .., last] => format!(
            "It leads to each of {} checkpoints, of {} to {} events",
            terminal::thousands(sizes.len() as u64),
            terminal::thousands(*first),
            terminal::thousands(*last)
        ),
    };
    if !report.statements.is_empty() {
        said.push_str(if signatures_checked {
            ", signatures checked."
        } else {
            "; signatures not checked, for want of keys (--policy)."
        });
    }
    if let Some(entries) = report.anchored {
        said = format!(
            "{said} {} events are as anchored.",
            terminal::thousands(entries)
        );
    }
    said
}

fn counted(count: u64, noun: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", terminal::thousands(count))
}

fn json(report: &VerifyReport, signatures_checked: bool) -> Value {
    let faults: Vec<Value> = report
        .faults
        .iter()
        .map(|fault| {
            json!({
                "position": fault.position, "class": fault.class.as_str(),
                "file": fault.file, "detail": fault.detail,
            })
        })
        .collect();
    let checkpoints: Vec<Value> = report
        .statements
        .iter()
        .map(|statement| {
            json!({
                "file": statement.name, "size": statement.size,
                "root": hex(&statement.root), "holds": statement.holds,
                "signed_by": statement.signed_by,
            })
        })
        .collect();
    json!({
        "size": report.size, "segments": report.segments, "bytes": report.bytes,
        "head_chain": hex(&report.head_chain), "root": report.root.map(|root| hex(&root)),
        "checkpoints": checkpoints, "signatures_checked": signatures_checked,
        "anchored": report.anchored,
        "private": data_keys::parts(&report.private), "pruned": report.pruned,
        "verified": report.faults.is_empty(), "faults": faults,
    })
}
