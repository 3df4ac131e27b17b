//! Whether every stream counts its events without a gap and names its previous event.

use std::collections::HashMap;

use super::fault::{FaultClass, Faults};
use crate::entry::Entry;
use crate::event::Position;
use crate::hash::Hash;

/// The events of one stream within one segment: its ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    no: u32,
    id: Hash,
    first_position: Position,
    first_revision: u64,
    first_prev: Option<Position>,
    last_position: Position,
    last_revision: u64,
}

/// The streams of one segment.
#[derive(Debug, Default)]
pub(super) struct Spans {
    by_no: HashMap<u32, Span>,
}

impl Spans {
    /// Adds the next record. After `lost` records a stream may have missed some of its events.
    pub(super) fn push(
        &mut self,
        position: Position,
        entry: &Entry,
        lost: bool,
        faults: &mut Faults,
    ) {
        let span = self.by_no.entry(entry.stream_no).or_insert(Span {
            no: entry.stream_no,
            id: entry.stream_id,
            first_position: position,
            first_revision: entry.revision,
            first_prev: entry.stream_prev,
            last_position: position,
            last_revision: entry.revision,
        });
        if span.last_position != position {
            let follows = follows(span.last_revision, span.last_position, entry);
            let explained = lost && entry.revision > span.last_revision;
            if span.id != entry.stream_id {
                faults.add(position, FaultClass::Stream, other_name(entry.stream_no));
            } else if !follows && !explained {
                faults.add(position, FaultClass::Stream, broken(entry));
            }
            span.last_position = position;
            span.last_revision = entry.revision;
        }
    }

    /// The spans by first position.
    pub(super) fn into_sorted(self) -> Vec<Span> {
        let mut spans: Vec<Span> = self.by_no.into_values().collect();
        spans.sort_unstable_by_key(|span| span.first_position);
        spans
    }
}

fn follows(revision: u64, position: Position, entry: &Entry) -> bool {
    Some(entry.revision) == revision.checked_add(1) && entry.stream_prev == Some(position)
}

fn broken(entry: &Entry) -> String {
    format!(
        "revision {} of stream {} does not follow the one before",
        entry.revision, entry.stream_no
    )
}

fn other_name(no: u32) -> String {
    format!("stream {no} carries another blinded name than before")
}

/// Streams across segments.
#[derive(Debug, Default)]
pub(super) struct Streams {
    /// Newest event of each stream: name, revision, position.
    heads: HashMap<u32, (Hash, u64, Position)>,
    numbers: HashMap<Hash, u32>,
}

impl Streams {
    /// Joins the spans of the next segment on.
    pub(super) fn join(&mut self, spans: &[Span], lost: bool, faults: &mut Faults) {
        for span in spans {
            let next_no = u32::try_from(self.heads.len()).unwrap_or(u32::MAX);
            let fault = match self.heads.get(&span.no) {
                Some((id, _, _)) if *id != span.id => Some(other_name(span.no)),
                Some((_, revision, position)) => {
                    let follows = Some(span.first_revision) == revision.checked_add(1)
                        && span.first_prev == Some(*position);
                    let explained = lost && span.first_revision > *revision;
                    (!follows && !explained).then(|| {
                        format!(
                            "revision {} of stream {} does not follow revision {revision}",
                            span.first_revision, span.no
                        )
                    })
                }
                None if lost => None,
                None if span.first_revision != 0 || span.first_prev.is_some() => Some(format!(
                    "stream {} begins with revision {}",
                    span.no, span.first_revision
                )),
                None if span.no != next_no => Some(format!(
                    "a new stream has number {} where {next_no} is due",
                    span.no
                )),
                None => None,
            };
            if let Some(detail) = fault {
                faults.add(span.first_position, FaultClass::Stream, detail);
            }
            if *self.numbers.entry(span.id).or_insert(span.no) != span.no {
                faults.add(
                    span.first_position,
                    FaultClass::Stream,
                    format!("the blinded name of stream {} has another number", span.no),
                );
            }
            let head = (span.id, span.last_revision, span.last_position);
            self.heads.insert(span.no, head);
        }
    }
}
