//! The records of a batch interpreted in order: what they say together, given what is known.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::Event;

use super::parse::{Entry, Parsed};
use crate::audit::{self, AuditRecord, RecordOutcome};
use crate::context::Context;
use crate::known::Known;
use crate::licence::Entitlements;
use crate::outcome::{Outcome, Reason};
use crate::record::RECORD_BYTES_MAX;
use crate::record::excerpt::excerpt_of;
use crate::shape::Shape;
use crate::snapshot;

/// Records of at least this length have the length of their events checked before the append,
/// which would refuse the whole batch for one event that is too long.
const LONG_RECORD_BYTES: usize = 1 << 20;
/// Longest event that is proposed, in bytes of JSON. Less than the longest payload of the ledger.
const EVENT_BYTES_MAX: usize = 12 << 20;
/// Longest name of an activity, in characters.
const ACTIVITY_CHARACTERS_MAX: usize = 120;

/// How one record ends before the ledger has seen its events.
#[derive(Debug)]
pub(super) enum Ending {
    /// It reports these of the batch's events.
    Events(Vec<usize>),
    /// It says nothing new.
    Unchanged,
    /// Name of its activity.
    Skipped(String),
    Rejected(Reason),
}

/// Events of a batch, and how its records end: line, shape, ending, in order.
#[derive(Debug, Default)]
pub(super) struct Proposed {
    pub events: Vec<Event>,
    pub endings: Vec<(u64, Option<Shape>, Ending)>,
}

/// What interpreting needs besides the records.
pub(super) struct Proposer<'a> {
    pub known: &'a mut Known,
    pub entitlements: &'a mut Entitlements,
    pub observed_at: Timestamp,
    pub private_network: bool,
}

impl Proposer<'_> {
    /// Interprets the records of a batch. The records of one logical change are interpreted
    /// together, where its first record is.
    pub(super) fn propose(mut self, entries: Vec<Entry>) -> Proposed {
        let mut groups = Groups::of(&entries);
        let mut proposed = Proposed::default();
        let mut parsed = Vec::with_capacity(entries.len());
        for entry in entries {
            proposed
                .endings
                .push((entry.line, entry.shape, Ending::Unchanged));
            parsed.push((entry.bytes, Some(entry.parsed)));
        }
        for index in 0..parsed.len() {
            let members = groups.members.remove(&index).unwrap_or_default();
            if !members.is_empty() {
                self.group(&members, &mut parsed, &mut proposed);
                continue;
            }
            let Some((bytes, parsed)) = parsed.get_mut(index) else {
                continue;
            };
            let Some(taken) = parsed.take() else { continue };
            let ending = self.one(taken, *bytes, &mut proposed.events);
            proposed.end(index, ending);
        }
        proposed
    }

    /// A record that is interpreted by itself.
    fn one(&mut self, parsed: Parsed, bytes: usize, events: &mut Vec<Event>) -> Ending {
        let found = match parsed {
            Parsed::Event(event) => {
                if !event.body.event_type().is_activity() {
                    self.known.learn(&event);
                }
                vec![*event]
            }
            Parsed::Entitlement(event) => {
                if self.entitlements.says(&event) {
                    return Ending::Unchanged;
                }
                self.entitlements.learn(&event);
                self.known.learn(&event);
                vec![*event]
            }
            Parsed::Snapshot {
                tenant,
                kind,
                value,
                source,
            } => {
                let ctx = self.context(&tenant);
                match snapshot::outcome(&value, &kind, source, &ctx, self.known) {
                    Outcome::Events(events) => events,
                    Outcome::Unchanged => return Ending::Unchanged,
                    Outcome::Skipped(name) => return skipped(&name),
                    Outcome::Rejected(reason) => return Ending::Rejected(reason),
                }
            }
            Parsed::Skipped(name) => return Ending::Skipped(name),
            Parsed::Rejected(reason) => return Ending::Rejected(reason),
            // Audit records are in groups.
            Parsed::Audit { .. } => Vec::new(),
        };
        if found.is_empty() {
            return Ending::Unchanged;
        }
        if let Some(reason) = found.iter().find_map(|event| too_long(event, bytes)) {
            return Ending::Rejected(reason);
        }
        let first = events.len();
        events.extend(found);
        Ending::Events((first..events.len()).collect())
    }

    /// The records of one logical change.
    fn group(
        &mut self,
        members: &[usize],
        parsed: &mut [(usize, Option<Parsed>)],
        proposed: &mut Proposed,
    ) {
        let mut records: Vec<AuditRecord> = Vec::with_capacity(members.len());
        let mut indices = Vec::with_capacity(members.len());
        let mut tenant = String::new();
        let mut longest = 0;
        for &index in members {
            let Some((bytes, slot)) = parsed.get_mut(index) else {
                continue;
            };
            if let Some(Parsed::Audit { tenant: of, record }) = slot.take() {
                tenant = of;
                longest = longest.max(*bytes);
                records.push(*record);
                indices.push(index);
            }
        }
        let ctx = self.context(&tenant);
        let found = audit::interpret(&records, &ctx, self.known);
        // Index of each event among the batch's, or why it is not proposed.
        let mut places: Vec<Result<usize, Reason>> = Vec::with_capacity(found.events.len());
        for event in found.events {
            if let Some(reason) = too_long(&event, longest) {
                places.push(Err(reason));
                continue;
            }
            places.push(Ok(proposed.events.len()));
            proposed.events.push(event);
        }
        for (index, outcome) in indices.into_iter().zip(found.outcomes) {
            let ending = match outcome {
                RecordOutcome::Events(events) => placed(&events, &places),
                RecordOutcome::Skipped(name) => skipped(&name),
                RecordOutcome::Rejected(reason) => Ending::Rejected(reason),
            };
            proposed.end(index, ending);
        }
    }

    fn context<'t>(&self, tenant: &'t str) -> Context<'t> {
        Context {
            tenant,
            observed_at: self.observed_at,
            private_network: self.private_network,
        }
    }
}

impl Proposed {
    fn end(&mut self, index: usize, ending: Ending) {
        if let Some(record) = self.endings.get_mut(index) {
            record.2 = ending;
        }
    }
}

/// Audit records of a batch by the change they report.
struct Groups {
    /// By index of the first record: indices of all.
    members: BTreeMap<usize, Vec<usize>>,
}

impl Groups {
    fn of(entries: &[Entry]) -> Self {
        let mut by_key: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (index, entry) in entries.iter().enumerate() {
            if let Parsed::Audit { record, .. } = &entry.parsed {
                by_key
                    .entry(audit::group_key(record))
                    .or_default()
                    .push(index);
            }
        }
        let members = by_key
            .into_values()
            .filter_map(|members| members.first().copied().map(|first| (first, members)))
            .collect();
        Self { members }
    }
}

/// The name is the file's own word.
fn skipped(name: &str) -> Ending {
    Ending::Skipped(excerpt_of(name.trim(), ACTIVITY_CHARACTERS_MAX))
}

fn placed(events: &[usize], places: &[Result<usize, Reason>]) -> Ending {
    let mut found = Vec::with_capacity(events.len());
    for event in events {
        match places.get(*event) {
            Some(Ok(place)) => found.push(*place),
            Some(Err(reason)) => return Ending::Rejected(reason.clone()),
            None => {}
        }
    }
    Ending::Events(found)
}

/// Why an event cannot be proposed, when its record is so long that this has to be asked.
fn too_long(event: &Event, record_bytes: usize) -> Option<Reason> {
    if record_bytes < LONG_RECORD_BYTES {
        return None;
    }
    let body = event.body.to_json().ok()?.to_string().len();
    let private = event
        .private
        .as_ref()
        .map_or(0, |private| private.to_string().len());
    (body.max(private) > EVENT_BYTES_MAX).then_some(Reason::TooLong {
        bytes: record_bytes,
        limit: RECORD_BYTES_MAX,
    })
}
