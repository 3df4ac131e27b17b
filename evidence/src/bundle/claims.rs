//! What a bundle claims beyond its hashes: that nothing of an identity or a month is left out, and
//! that a document is the one an event commits to.

use std::collections::BTreeSet;

use ledger::event::{billing::RunRecorded, report::Issued};
use ledger::hash::hex;
use ledger::{Entry, EventType, PublicPayload};
use serde::de::Error as _;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::ABOUT_FILE;
use super::about::{About, Kind};
use super::check::Faults;

/// Watches the entries go by, in order of position.
#[derive(Debug, Default)]
pub(super) struct Watch {
    /// Position of the identity's newest event so far, and its revision.
    newest: Option<(u64, u64)>,
    /// Events of the identity or the month.
    pub(super) matched: u64,
}

impl Watch {
    /// Takes an entry that the tree binds.
    pub(super) fn entry(&mut self, about: &About, entry: &Entry, faults: &mut Faults) {
        let position = entry.position;
        let matches = match &about.about {
            Kind::Identity { stream_no, .. } => entry.stream_no == *stream_no,
            Kind::Period { start, end, .. } => {
                let at = entry.occurred_at_ms;
                (start.as_millisecond()..end.as_millisecond()).contains(&at)
            }
            Kind::Invoice { .. } | Kind::Report { .. } => false,
        };
        if !matches {
            return;
        }
        self.matched += 1;
        if !about.has(position) {
            faults.add(
                format!("payload/{position}"),
                "this event belongs to what the bundle is about, and its payload is left out",
            );
        }
        if matches!(about.about, Kind::Identity { .. }) {
            let follows = match self.newest {
                None => entry.revision == 0 && entry.stream_prev.is_none(),
                Some((before, revision)) => {
                    entry.stream_prev == Some(before)
                        && revision.checked_add(1) == Some(entry.revision)
                }
            };
            if !follows {
                faults.add(
                    ABOUT_FILE.to_owned(),
                    format!("events of the identity before position {position} are left out"),
                );
            }
            self.newest = Some((position, entry.revision));
        }
    }
}

/// Checks that a document is the one that an event commits to.
pub(super) fn check_document(
    kind: &Kind,
    event_type: EventType,
    payload: &[u8],
    document: &[u8],
) -> Result<(), &'static str> {
    let payload: PublicPayload =
        serde_json::from_slice(payload).or(Err("the event is no JSON of an event"))?;
    match kind {
        Kind::Invoice { tenant, period, .. } => {
            let run: RunRecorded = Some(payload.body)
                .filter(|_| event_type.name() == Some("billing.run_recorded"))
                .and_then(|body| serde_json::from_value(body).ok())
                .ok_or("the event is not `billing.run_recorded`")?;
            if run.tenant != *tenant || run.period != *period {
                return Err("the event is of another tenant or month");
            }
            let digest: [u8; 32] = Sha256::digest(document).into();
            if hex(&digest) != run.result_sha256 {
                return Err("the document is not the run the event commits to");
            }
            Ok(())
        }
        Kind::Report { report, .. } => {
            let issued: Issued = Some(payload.body)
                .filter(|_| event_type.name() == Some("report.report_issued"))
                .and_then(|body| serde_json::from_value(body).ok())
                .ok_or("the event is not `report.report_issued`")?;
            if issued.report != *report {
                return Err("the event is of another report");
            }
            if hex(blake3::hash(document).as_bytes()) != issued.digest {
                return Err("the document is not the report the event commits to");
            }
            Ok(())
        }
        Kind::Identity { .. } | Kind::Period { .. } => Ok(()),
    }
}

/// Positions a document cites: every number under the keys `evidence`, `opened`, `closed` and
/// `position`, at any depth.
///
/// # Errors
/// When the document is no JSON, or cites what is no position.
pub fn cited(document: &[u8]) -> Result<BTreeSet<u64>, serde_json::Error> {
    let document: Value = serde_json::from_slice(document)?;
    let mut found = BTreeSet::new();
    let mut left = vec![(&document, false)];
    while let Some((value, cites)) = left.pop() {
        match value {
            Value::Number(number) if cites => {
                let position = number.as_u64();
                let position = position.ok_or_else(|| {
                    serde_json::Error::custom(format!("it cites {number}, which is no position"))
                })?;
                found.insert(position);
            }
            Value::Array(items) => left.extend(items.iter().map(|item| (item, cites))),
            Value::Object(fields) => left.extend(fields.iter().map(|(name, value)| {
                let cites = ["evidence", "opened", "closed", "position"].contains(&name.as_str());
                (value, cites)
            })),
            _ => {}
        }
    }
    Ok(found)
}
