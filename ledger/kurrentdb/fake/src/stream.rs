//! A stream: its events by revision, and whether an append to it is refused, known or new.

use std::sync::Arc;

use crate::log::{Expected, Outcome};
use crate::metadata::StreamMetadata;
use crate::recorded::{Proposed, Recorded};

/// How many of the newest events an append to [`Expected::Any`] is looked for among.
const LOOK_BACK: usize = 4_096;

/// A stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) name: Arc<str>,
    /// In order of revision; only tampering leaves gaps.
    pub(crate) events: Vec<Arc<Recorded>>,
    /// Revision of the next event.
    pub(crate) next: u64,
    pub(crate) tombstoned: bool,
    pub(crate) metadata: StreamMetadata,
}

/// What is done about an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tail {
    /// It is written at the end.
    Write,
    /// It is there already.
    Known(Outcome),
    /// Nothing.
    Refused(Outcome),
}

impl Stream {
    pub(crate) fn new(name: Arc<str>) -> Self {
        Self {
            name,
            events: Vec::new(),
            next: 0,
            tombstoned: false,
            metadata: StreamMetadata::default(),
        }
    }

    /// Revision of the newest event ever written.
    pub(crate) fn last(&self) -> Option<u64> {
        self.next.checked_sub(1)
    }

    /// Index of the first event at or behind a revision.
    pub(crate) fn index(&self, revision: u64) -> usize {
        // Without gaps the index is the revision.
        match usize::try_from(revision) {
            Ok(at)
                if self
                    .events
                    .get(at)
                    .is_some_and(|event| event.revision == revision) =>
            {
                at
            }
            _ => self
                .events
                .partition_point(|event| event.revision < revision),
        }
    }

    pub(crate) fn get(&self, revision: u64) -> Option<&Arc<Recorded>> {
        self.events
            .get(self.index(revision))
            .filter(|event| event.revision == revision)
    }

    pub(crate) fn put(&mut self, revision: u64, event: Arc<Recorded>) {
        let at = self.index(revision);
        if let Some(slot) = self.events.get_mut(at) {
            *slot = event;
        }
    }

    pub(crate) fn take(&mut self, revision: u64) -> Option<Arc<Recorded>> {
        self.get(revision)?;
        let at = self.index(revision);
        Some(self.events.remove(at))
    }

    /// Revision of the first event that readers see, should there be one.
    pub(crate) fn first(&self, now: u64) -> u64 {
        let mut first = self.metadata.truncate_before.unwrap_or(0);
        // Of a metadata stream only the newest event counts.
        let most = if self.name.starts_with("$$") {
            Some(1)
        } else {
            self.metadata.max_count
        };
        if let Some(most) = most {
            first = first.max(self.next.saturating_sub(most));
        }
        if let Some(age) = self.metadata.max_age {
            let since = now.saturating_sub(age.saturating_mul(10_000_000));
            let at = self.events.partition_point(|event| event.created < since);
            first = first.max(
                self.events
                    .get(at)
                    .map_or(self.next, |event| event.revision),
            );
        }
        first
    }

    /// Whether an append is new, known, or refused. Only ids are compared, as the server does.
    pub(crate) fn decide(
        &self,
        expected: Expected,
        events: &[Proposed],
        has_metadata: bool,
    ) -> Tail {
        if self.tombstoned {
            return Tail::Refused(Outcome::Deleted);
        }
        let softly_deleted = self.metadata.is_softly_deleted();
        let current = self.last();
        let elsewhere = Tail::Refused(Outcome::Elsewhere { current });
        let begin = match expected {
            Expected::Any => return self.look_back(events),
            Expected::StreamExists => {
                if softly_deleted || (current.is_none() && !has_metadata) {
                    return elsewhere;
                }
                return self.look_back(events);
            }
            Expected::NoStream => 0,
            Expected::Revision(revision) => match revision.checked_add(1) {
                Some(begin) => begin,
                None => return elsewhere,
            },
        };
        if begin == self.next {
            return Tail::Write;
        }
        if begin > self.next {
            return elsewhere;
        }
        let known = (begin..)
            .zip(events)
            .take_while(|(revision, event)| {
                self.get(*revision)
                    .is_some_and(|other| other.id == event.id)
            })
            .count();
        if known == 0 {
            if softly_deleted && expected == Expected::NoStream {
                return Tail::Write;
            }
            return elsewhere;
        }
        if known < events.len() {
            return elsewhere;
        }
        self.known(begin.saturating_add(known as u64).saturating_sub(1))
    }

    /// Best effort, for those who do not say where.
    fn look_back(&self, events: &[Proposed]) -> Tail {
        let recent = self
            .events
            .get(self.events.len().saturating_sub(LOOK_BACK)..)
            .unwrap_or_default();
        let mut last = None;
        for event in events {
            match recent.iter().rev().find(|other| other.id == event.id) {
                Some(other) => last = Some(other.revision),
                None if last.is_none() => return Tail::Write,
                None => {
                    return Tail::Refused(Outcome::Elsewhere {
                        current: self.last(),
                    });
                }
            }
        }
        last.map_or(Tail::Write, |last| self.known(last))
    }

    fn known(&self, last: u64) -> Tail {
        Tail::Known(Outcome::Written {
            revision: Some(last),
            position: self.get(last).map(|event| event.position),
        })
    }
}
