//! `daybook verify`.

use comfy_table::Cell;
use ledger::VerifyReport;
use serde_json::{Value, json};

use super::{Globals, book};
use crate::outcome::Outcome;
use crate::style::{Style, Tone};
use crate::terminal;

/// Faults listed on a terminal; `--json` has them all.
const FAULTS_SHOWN: usize = 200;

/// Re-hashes every byte and lists every fault.
pub(crate) fn run(globals: Globals<'_>) -> anyhow::Result<Outcome> {
    let bar = terminal::progress(0, globals.quiet || globals.json, "verifying");
    let verified = ledger::verify(globals.ledger, &|done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let report = match verified {
        Ok(report) => report,
        Err(error) => return Err(book::open_error(globals.ledger, error)),
    };
    let outcome = if report.faults.is_empty() {
        Outcome::Done
    } else {
        Outcome::Unverified
    };
    if globals.json {
        terminal::line(&json(&report).to_string())?;
        return Ok(outcome);
    }
    if report.faults.is_empty() {
        terminal::line(&format!(
            "Verified {} events in {} segments ({} bytes), every byte re-hashed. {}\nChain head {}",
            terminal::thousands(report.size),
            report.segments,
            terminal::thousands(report.bytes),
            Style::stdout().paint(Tone::Good, "No fault."),
            ledger::hash::hex(&report.head_chain),
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

fn json(report: &VerifyReport) -> Value {
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
    json!({
        "size": report.size, "segments": report.segments, "bytes": report.bytes,
        "head_chain": ledger::hash::hex(&report.head_chain),
        "verified": report.faults.is_empty(), "faults": faults,
    })
}
