//! `daybook bundle invoice`, `report`, `identity`, `period`, `verify`.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context as _;
use comfy_table::Cell;
use evidence::bundle::{
    BundleError, Contents, DOCUMENT_FOLDER, Kind, TIMESTAMP_FOLDER, Verdict, check, cited, stamps,
    write,
};
use evidence::prove;
use jiff::tz::TimeZone;
use ledger::{EventBody, EventType, Reader};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::checkpoint::{TIMESTAMPS_FOLDER, trusted_anchors};
use super::{Globals, bill, book, prove as proofs};
use crate::cli::{
    AsOf, BillRun, BundleTo, BundleVerify, IdentityBundle, InvoiceBundle, Output, PeriodBundle,
    ReportBundle,
};
use crate::outcome::{Hinted, Outcome};
use crate::style::{Style, Tone};
use crate::terminal;

/// Bundles a recorded billing run and every event it cites.
pub(crate) fn invoice(globals: Globals<'_>, args: &InvoiceBundle) -> anyhow::Result<Outcome> {
    let document = match &args.document {
        Some(path) => {
            let mut bytes =
                std::fs::read(path).with_context(|| format!("reading {}", path.display()))?;
            // what is printed or written to a file ends with a newline, the run itself does not
            if bytes.last() == Some(&b'\n') {
                bytes.pop();
            }
            bytes
        }
        None => bill::document(
            globals,
            &BillRun {
                output: Output { json: false },
                period: args.period,
                prices: args.prices.clone(),
                tenant: args.tenant.clone(),
                preview: true,
            },
        )?,
    };
    let reader = book::reader(globals.place())?;
    let Some(contents) = of_run(&reader, document, args.to.private)? else {
        return Err(Hinted::error(
            format!("no run of {} with this result is recorded", args.period),
            "record it with `daybook bill run`; a run that later events changed is bundled from its JSON with --document",
        ));
    };
    make(globals, &reader, &args.to, contents)
}

/// What a bundle of a run holds; `None` when no event commits to this document.
pub(crate) fn of_run(
    reader: &Reader,
    document: Vec<u8>,
    private: bool,
) -> anyhow::Result<Option<Contents>> {
    let digest: [u8; 32] = Sha256::digest(&document).into();
    let digest = ledger::hash::hex(&digest);
    let found = find(reader, "billing.run_recorded", |body| match body {
        EventBody::RunRecorded(run) if run.result_sha256 == digest => {
            Some((run.tenant, run.period))
        }
        _ => None,
    })?;
    let Some((event, (tenant, period))) = found else {
        return Ok(None);
    };
    let name = format!("{DOCUMENT_FOLDER}/run.json");
    let about = Kind::Invoice {
        tenant,
        period,
        event,
        document: name.clone(),
    };
    with_document((about, event), (name, document), private).map(Some)
}

/// Bundles a report that was issued and every event it cites.
pub(crate) fn report(globals: Globals<'_>, args: &ReportBundle) -> anyhow::Result<Outcome> {
    let document = std::fs::read(&args.document)
        .with_context(|| format!("reading {}", args.document.display()))?;
    let digest = ledger::hash::hex(blake3::hash(&document).as_bytes());
    let reader = book::reader(globals.place())?;
    let found = find(&reader, "report.report_issued", |body| match body {
        EventBody::ReportIssued(issued) if issued.digest == digest => Some(issued.report),
        _ => None,
    })?;
    let Some((event, report)) = found else {
        return Err(Hinted::error(
            format!(
                "the ledger does not say that {} was issued",
                args.document.display()
            ),
            "issue it: daybook report health --json FILE --issue",
        ));
    };
    let name = format!("{DOCUMENT_FOLDER}/{report}.json");
    let about = Kind::Report {
        report,
        event,
        document: name.clone(),
    };
    let contents = with_document((about, event), (name, document), args.to.private)?;
    make(globals, &reader, &args.to, contents)
}

/// Bundles everything about one identity.
pub(crate) fn identity(globals: Globals<'_>, args: &IdentityBundle) -> anyhow::Result<Outcome> {
    let known = book::read(globals, &AsOf { as_of: None })?;
    let subject = book::identity(&known.state, &args.identity)?;
    let stream_no = subject.stream_no;
    let about = Kind::Identity {
        stream: subject.stream.as_str().to_owned(),
        stream_no,
    };
    let positions = book::positions(&known.reader, |entry| entry.stream_no == stream_no)?;
    let contents = Contents {
        about,
        positions,
        files: BTreeMap::new(),
        complete: args.complete,
        private: args.to.private,
    };
    make(globals, &known.reader, &args.to, contents)
}

/// Bundles every event that occurred in a month.
pub(crate) fn period(globals: Globals<'_>, args: &PeriodBundle) -> anyhow::Result<Outcome> {
    let reader = book::reader(globals.place())?;
    let (start, end) = args.period.instants(&TimeZone::UTC);
    let within = start.as_millisecond()..end.as_millisecond();
    let positions = book::positions(&reader, |entry| within.contains(&entry.occurred_at_ms))?;
    let contents = Contents {
        about: Kind::Period {
            period: args.period.to_string(),
            start,
            end,
        },
        positions,
        files: BTreeMap::new(),
        complete: true,
        private: args.to.private,
    };
    make(globals, &reader, &args.to, contents)
}

/// A document, the event that commits to it, and every event it cites.
fn with_document(
    (about, event): (Kind, u64),
    (name, document): (String, Vec<u8>),
    private: bool,
) -> anyhow::Result<Contents> {
    let mut positions = cited(&document).context("reading the document")?;
    positions.insert(event);
    Ok(Contents {
        about,
        positions,
        files: [(name, document)].into(),
        complete: false,
        private,
    })
}

/// Writes a bundle under the newest checkpoint, with the timestamps there are of it.
fn make(
    globals: Globals<'_>,
    reader: &Reader,
    to: &BundleTo,
    mut contents: Contents,
) -> anyhow::Result<Outcome> {
    let signed = prove::checkpoint(globals.ledger, None).map_err(proofs::prove_error)?;
    let size = signed.1.size;
    if !matches!(contents.about, Kind::Invoice { .. } | Kind::Report { .. }) {
        // what came after is not under the checkpoint: the bundle says up to where it reaches
        contents.positions.retain(|position| *position < size);
    }
    for ending in ["checkpoint", "tsr"] {
        let path = globals
            .ledger
            .join(TIMESTAMPS_FOLDER)
            .join(format!("{size}.{ending}"));
        if path.exists() {
            let bytes =
                std::fs::read(&path).with_context(|| format!("reading {}", path.display()))?;
            let name = format!("{TIMESTAMP_FOLDER}/{size}.{ending}");
            contents.files.insert(name, bytes);
        }
    }
    let written = write(reader, &signed, &contents, &to.to).map_err(bundle_error)?;
    if globals.json {
        let answer = json!({
            "dir": to.to, "files": written.files, "bytes": written.bytes,
            "events": written.events, "size": size,
        });
        terminal::line(&answer.to_string())?;
        return Ok(Outcome::Done);
    }
    terminal::line(&format!(
        "Bundled {} of the {} events signed: {} files, {} bytes in {}",
        terminal::thousands(written.events),
        terminal::thousands(size),
        terminal::thousands(written.files),
        terminal::thousands(written.bytes),
        to.to.display()
    ))?;
    terminal::note(
        globals.quiet,
        &format!(
            "Whoever has your policy checks it: daybook bundle verify {} --policy FILE",
            to.to.display()
        ),
    );
    Ok(Outcome::Done)
}

fn bundle_error(error: BundleError) -> anyhow::Error {
    let hint = match &error {
        BundleError::NotEmpty { .. } => "name an empty folder with --output",
        BundleError::NotCovered { .. } => "sign again with `daybook checkpoint`",
        BundleError::Opened(_) => "run `daybook verify`: it names what was changed",
        _ => return anyhow::Error::new(error),
    };
    Hinted::error(error.to_string(), hint)
}

/// The newest event of a type that fits, and what fits of it.
fn find<T>(
    reader: &Reader,
    event_type: &str,
    fits: impl Fn(EventBody) -> Option<T>,
) -> anyhow::Result<Option<(u64, T)>> {
    let wanted = EventType::from_name(event_type);
    let mut found = None;
    reader.scan(
        0..reader.size(),
        &|event_type| Some(event_type) == wanted,
        &mut |recorded| {
            if let Some(it) = fits(recorded.event.body) {
                found = Some((recorded.position, it));
            }
            ControlFlow::Continue(())
        },
    )?;
    Ok(found)
}

/// Checks a bundle with nothing but a policy.
pub(crate) fn verify(globals: Globals<'_>, args: &BundleVerify) -> anyhow::Result<Outcome> {
    let policy = proofs::policy(&args.policy)?;
    let mut verdict = check(&args.dir, &policy)
        .with_context(|| format!("reading the bundle {}", args.dir.display()))?;
    let mut stamped = Vec::new();
    if let Some(path) = &args.tsa_ca {
        let anchors = trusted_anchors(path)?;
        let (times, faults) = stamps(&args.dir, &verdict, &policy, &anchors);
        stamped = times;
        verdict.faults.extend(faults);
    }
    let outcome = if verdict.faults.is_empty() {
        Outcome::Done
    } else {
        Outcome::Unverified
    };
    if globals.json {
        terminal::line(&as_json(&verdict, &stamped).to_string())?;
    } else {
        show(&verdict, &stamped, &args.dir)?;
    }
    Ok(outcome)
}

fn show(
    verdict: &Verdict,
    stamped: &[(jiff::Timestamp, String)],
    dir: &Path,
) -> anyhow::Result<()> {
    if !verdict.faults.is_empty() {
        let mut table = terminal::table(&["file", "what is wrong"]);
        for fault in verdict.faults.iter().take(FAULTS_SHOWN) {
            table.add_row([
                Style::stdout().cell(Tone::Bad, terminal::clean(&fault.file)),
                Cell::new(terminal::clean(&fault.detail)),
            ]);
        }
        terminal::line(&table.to_string())?;
        let count = terminal::thousands(verdict.faults.len() as u64);
        let plural = if count == "1" { "" } else { "s" };
        let said = Style::stdout().paint(Tone::Alarm, format_args!("{count} fault{plural}."));
        terminal::line(&format!("{said} The bundle proves nothing as it is."))?;
        return Ok(());
    }
    let (Some(about), Some(judged)) = (&verdict.about, &verdict.judged) else {
        return Ok(());
    };
    let good = Style::stdout().paint(Tone::Good, "Proven.");
    terminal::line(&format!(
        "{good} {}",
        claim(verdict, &about.about, about.complete)
    ))?;
    terminal::line(&format!(
        "Signed by {} over {} events{}; {} entries and {} payloads in {} lead to it, every byte of {} files accounted for.",
        terminal::clean(&judged.log),
        terminal::thousands(about.size),
        proofs::witnesses(judged).trim_end_matches('.'),
        terminal::thousands(verdict.entries),
        terminal::thousands(verdict.events),
        dir.display(),
        terminal::thousands(verdict.files.saturating_add(1)),
    ))?;
    for (time, authority) in stamped {
        let authority = terminal::clean(authority);
        terminal::line(&format!("Stamped not later than {time} by {authority}."))?;
    }
    Ok(())
}

/// Faults listed on a terminal; `--json` has them all.
const FAULTS_SHOWN: usize = 100;

/// What a bundle without a fault proves.
fn claim(verdict: &Verdict, kind: &Kind, complete: bool) -> String {
    match kind {
        Kind::Invoice {
            tenant,
            period,
            event,
            document,
        } => format!(
            "{document} is the billing run of {} for {} that event #{} commits to, and every event it cites is here.",
            terminal::clean(tenant),
            terminal::clean(period),
            terminal::thousands(*event)
        ),
        Kind::Report {
            report,
            event,
            document,
        } => format!(
            "{document} is the {} report that event #{} commits to, and every event it cites is here.",
            terminal::clean(report),
            terminal::thousands(*event)
        ),
        Kind::Identity { stream, .. } => format!(
            "These are the first {} events of {}, none left out{}",
            terminal::thousands(verdict.matched),
            terminal::clean(stream),
            if complete {
                ", and there are no more up to the checkpoint."
            } else {
                "; whether newer ones exist is not told (--complete)."
            }
        ),
        Kind::Period { start, end, .. } => format!(
            "These are all {} events up to the checkpoint that occurred from {start} to {end}.",
            terminal::thousands(verdict.matched)
        ),
    }
}

fn as_json(verdict: &Verdict, stamped: &[(jiff::Timestamp, String)]) -> Value {
    let faults: Vec<Value> = verdict
        .faults
        .iter()
        .map(|fault| json!({"file": fault.file, "detail": fault.detail}))
        .collect();
    let stamped: Vec<Value> = stamped
        .iter()
        .map(|(time, authority)| json!({"time": time, "authority": authority}))
        .collect();
    json!({
        "proven": verdict.faults.is_empty(), "faults": faults, "bundle": verdict.about,
        "signed_by": verdict.judged.as_ref().map(|judged| &judged.log),
        "witnesses": verdict.judged.as_ref().map(|judged| judged.cosignatures.len()),
        "files": verdict.files, "entries": verdict.entries, "events": verdict.events,
        "matched": verdict.matched, "stamped": stamped,
    })
}
