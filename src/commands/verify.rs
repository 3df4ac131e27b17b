//! `daybook verify`.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use anyhow::Context as _;
use comfy_table::Cell;
use evidence::seal;
use ledger::hash::hex;
use ledger::note::VerifierKey;
use ledger::{EventBody, EventType, Fault, FaultClass, KeptNote, Outside, Reader, VerifyReport};
use serde_json::{Value, json};

use super::{Globals, book, data_keys, keys, prove};
use crate::cli::Verify;
use crate::outcome::{Hinted, Outcome};
use crate::style::{Style, Tone};
use crate::terminal;

/// Faults listed on a terminal; `--json` has them all.
const FAULTS_SHOWN: usize = 200;

/// Re-hashes every byte and lists every fault.
pub(crate) fn run(globals: Globals<'_>, args: &Verify) -> anyhow::Result<Outcome> {
    let outside = outside(globals, args)?;
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
    report.faults.extend(seals(globals, &outside));
    let signatures_checked = !outside.keys.is_empty();
    let outcome = if report.faults.is_empty() {
        Outcome::Done
    } else {
        Outcome::Unverified
    };
    if globals.json {
        terminal::line(&json(&report, signatures_checked).to_string())?;
        return Ok(outcome);
    }
    if report.faults.is_empty() {
        terminal::line(&format!(
            "Verified {} events in {} ({} bytes), every byte re-hashed. {}\n{}{}\nChain head {}\nRoot       {}",
            terminal::thousands(report.size),
            counted(report.segments, "segment"),
            terminal::thousands(report.bytes),
            Style::stdout().paint(Tone::Good, "No fault."),
            data_keys::words(&report.private),
            held(&report, signatures_checked),
            hex(&report.head_chain),
            report.root.map_or_else(String::new, |root| hex(&root)),
        ))?;
        return Ok(outcome);
    }
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
            format_args!(
                "{} faults.",
                terminal::thousands(report.faults.len() as u64)
            )
        )
    ))?;
    Ok(outcome)
}

/// What the ledger is held against: what the flags name, and the keys that are at hand.
fn outside(globals: Globals<'_>, args: &Verify) -> anyhow::Result<Outside> {
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
    if let Some(path) = &args.policy {
        let policy = prove::policy(path)?;
        let witnesses = policy.witnesses().iter().map(|witness| witness.key.clone());
        outside.keys = policy.logs().cloned().chain(witnesses).collect();
    } else {
        let keys = globals.key_folder();
        if keys.can_sign()
            && let Ok(reader) = Reader::open(globals.ledger)
        {
            outside.keys = keys::verifier_keys(&keys, reader.origin())?;
        }
    }
    if !outside.keys.is_empty() {
        outside.replaced_keys = replaced(globals);
    }
    Ok(outside)
}

/// Keys the ledger says it had before. What cannot be read is left to the verification.
fn replaced(globals: Globals<'_>) -> Vec<VerifierKey> {
    let mut keys = Vec::new();
    let Ok(reader) = Reader::open(globals.ledger) else {
        return keys;
    };
    let wanted = EventType::from_name("ledger.key_rotated");
    let scanned = reader.scan(
        0..reader.size(),
        &|event_type| Some(event_type) == wanted,
        &mut |recorded| {
            if let EventBody::KeyRotated(rotated) = recorded.event.body {
                keys.extend(rotated.old.parse().ok());
            }
            ControlFlow::Continue(())
        },
    );
    // a scan that ends at damage has found the keys before it
    let _readable = scanned.is_ok();
    keys
}

/// What is wrong with the seals, where the ledger can be read.
fn seals(globals: Globals<'_>, outside: &Outside) -> Vec<Fault> {
    let (Ok(reader), Ok(kept)) = (
        Reader::open(globals.ledger),
        KeptNote::of_ledger(globals.ledger),
    ) else {
        return Vec::new();
    };
    let known: Vec<VerifierKey> = outside
        .keys
        .iter()
        .chain(&outside.replaced_keys)
        .filter(|key| key.name() == reader.origin())
        .cloned()
        .collect();
    let Ok((_, faults)) = seal::check(&reader, &kept, &known) else {
        return Vec::new();
    };
    faults
        .into_iter()
        .map(|fault| Fault {
            position: Some(fault.position),
            class: FaultClass::Epoch,
            file: String::new(),
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
        "private": data_keys::parts(&report.private),
        "verified": report.faults.is_empty(), "faults": faults,
    })
}
