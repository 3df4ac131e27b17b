//! Pruning: what an order to delete old payloads would take, and what orders are on record.
//!
//! Sign-ins are almost all of a ledger, and rules of retention end. Their payloads are deleted
//! from whole sealed segments, their entries stay: chain, tree, tiles, streams and event ids are
//! what they were, and every proof holds. A `ledger.pruned` event comes first, so that whoever
//! checks the ledger can tell a pruning from a loss. Deliberately not here: the act itself, which
//! is [`crate::Ledger::prune`].

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use jiff::Timestamp;
use jiff::tz::Offset;

use crate::entry::Entry;
use crate::event::evidence::Pruned;
use crate::event::{EventType, Position};
use crate::ledger::OpenError;
use crate::place::Place;
use crate::reader::{ReadError, Reader};

/// How far a pruning goes. Only whole sealed segments are pruned, so it may end before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Events below this position.
    Position(Position),
    /// Up to the segment with the first event, of those types, that occurred at this time or later.
    Occurred(Timestamp),
}

/// What a pruning would take.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PruneSurvey {
    /// Position that the segments to be pruned end before; 0 when none is.
    pub below: Position,
    /// First positions of the segments that hold payloads to be deleted.
    pub segments: Vec<Position>,
    /// Payloads to be deleted.
    pub events: u64,
    /// Bytes of them, private parts included.
    pub bytes: u64,
    /// How many of them occurred in which month, `YYYY-MM` in UTC.
    pub months: BTreeMap<String, u64>,
    /// Payloads deleted before.
    pub pruned: u64,
    /// Position of an event on record that covers all that is to be deleted: a pruning that was
    /// interrupted.
    pub ordered: Option<Position>,
}

/// What a pruning of events of some types would take. Reads every record; changes nothing.
///
/// # Errors
/// When the ledger cannot be read.
pub fn survey_pruning(
    place: &Place,
    bound: Bound,
    types: &BTreeSet<EventType>,
) -> Result<PruneSurvey, OpenError> {
    let reader = Reader::open(place)?;
    let mut survey = PruneSurvey {
        below: reach(&reader, bound, types)?,
        ..PruneSurvey::default()
    };
    let ranges = reader.segments();
    // The last position of each type that is to be deleted.
    let mut due: BTreeMap<EventType, Position> = BTreeMap::new();
    let mut orders: Vec<(Position, Pruned)> = Vec::new();
    let mut failed = None;
    reader.scan_stored(0..reader.size(), &mut |record| {
        let position = Entry::peek_position(record.entry);
        let entry = match Entry::decode(record.entry) {
            Ok(entry) => entry,
            Err(source) => {
                failed = Some(ReadError::Entry { position, source });
                return ControlFlow::Break(());
            }
        };
        if entry.event_type == EventType::PRUNED {
            orders.extend(pruning_of(record.public).map(|order| (position, order)));
        }
        if record.is_pruned() {
            survey.pruned += 1;
        } else if position < survey.below && types.contains(&entry.event_type) {
            let bytes = record.public.len() + record.private.len();
            survey.events += 1;
            survey.bytes += u64::try_from(bytes).unwrap_or(u64::MAX);
            *survey.months.entry(month_of(&entry)).or_default() += 1;
            due.insert(entry.event_type, position);
            let after = ranges.partition_point(|range| range.start <= position);
            let first = after.checked_sub(1).and_then(|at| ranges.get(at));
            if let Some(first) = first.map(|range| range.start)
                && survey.segments.last() != Some(&first)
            {
                survey.segments.push(first);
            }
        }
        ControlFlow::Continue(())
    })?;
    failed.map_or(Ok(()), Err)?;
    let is_covered = |(by, order): &&(Position, Pruned)| {
        let mut due = due.iter();
        due.all(|(of, last)| last < by && order.covers(*of, *last))
    };
    let covering = orders.iter().rfind(is_covered);
    survey.ordered = covering.filter(|_| survey.events > 0).map(|(by, _)| *by);
    Ok(survey)
}

/// Where the last sealed segment ends that lies before a bound as a whole.
fn reach(
    reader: &Reader,
    bound: Bound,
    types: &BTreeSet<EventType>,
) -> Result<Position, ReadError> {
    let position = match bound {
        Bound::Position(position) => position,
        Bound::Occurred(time) => first_since(reader, time, types)?,
    };
    let mut segments = reader.segments();
    let _active = segments.pop();
    let ends = segments.iter().map(|range| range.end);
    Ok(ends.take_while(|end| *end <= position).last().unwrap_or(0))
}

/// Position of the first event of some types that occurred at a time or later.
fn first_since(
    reader: &Reader,
    time: Timestamp,
    types: &BTreeSet<EventType>,
) -> Result<Position, ReadError> {
    let mut found = reader.size();
    reader.scan_stored(0..reader.size(), &mut |record| {
        let is_since = Entry::decode(record.entry).is_ok_and(|entry| {
            types.contains(&entry.event_type) && entry.occurred_at_ms >= time.as_millisecond()
        });
        if is_since {
            found = Entry::peek_position(record.entry);
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    })?;
    Ok(found)
}

fn month_of(entry: &Entry) -> String {
    Timestamp::from_millisecond(entry.occurred_at_ms)
        .map(|time| Offset::UTC.to_datetime(time))
        .map_or_else(
            |_out_of_range| "unknown".to_owned(),
            |date| format!("{:04}-{:02}", date.year(), date.month()),
        )
}

/// The body of a `ledger.pruned` event from its public payload.
pub(crate) fn pruning_of(public: &[u8]) -> Option<Pruned> {
    #[derive(serde::Deserialize)]
    struct Public {
        body: Pruned,
    }
    let public: Public = serde_json::from_slice(public).ok()?;
    Some(public.body)
}
