//! The newest event of each stream, as far as the writer has met it.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use crate::event::Position;
use crate::hash::{Hash, HashHasher};

/// Newest events of streams, by blinded name.
pub(crate) type Heads = HashMap<Hash, StreamHead, BuildHasherDefault<HashHasher>>;

/// A stream's newest event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StreamHead {
    pub(crate) no: u32,
    pub(crate) revision: u64,
    pub(crate) position: Position,
}

/// The newest event of each stream that was met, and how many streams there are.
#[derive(Debug, Default)]
pub(crate) struct Streams {
    known: Heads,
    /// Streams in the ledger, known here or not.
    count: u32,
}

impl Streams {
    /// Of a ledger that has so many, none of which is known here yet.
    pub(crate) fn of(count: u32) -> Self {
        Self {
            known: Heads::default(),
            count,
        }
    }

    /// Those that are known here.
    pub(crate) fn known(&self) -> &Heads {
        &self.known
    }

    /// Streams in the ledger.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Takes note of a stream's newest event; `false` when its number follows none.
    pub(crate) fn learn(&mut self, id: Hash, head: StreamHead) -> bool {
        let fits = head.no <= self.count;
        self.count = self.count.max(head.no.saturating_add(1));
        self.known.insert(id, head);
        fits
    }

    /// Makes a stream known before it is pushed: `look_up` finds one that was not met yet.
    pub(crate) fn meet<E>(
        &mut self,
        id: &Hash,
        look_up: impl FnOnce(&Hash) -> Result<Option<StreamHead>, E>,
    ) -> Result<(), E> {
        if !self.known.contains_key(id)
            && let Some(head) = look_up(id)?
        {
            self.known.insert(*id, head);
        }
        Ok(())
    }

    /// Forgets all but the count, once they are kept elsewhere.
    pub(crate) fn forget(&mut self) {
        self.known.clear();
    }

    /// Moves a stream on by an event: its head then, and its position before. A stream that is
    /// not known here is a new one.
    pub(crate) fn push(&mut self, id: Hash, position: Position) -> (StreamHead, Option<Position>) {
        let Self { known, count } = self;
        let mut before = None;
        let head = known
            .entry(id)
            .and_modify(|head| {
                before = Some(head.position);
                head.revision += 1;
                head.position = position;
            })
            .or_insert_with(|| {
                let no = *count;
                *count = count.saturating_add(1);
                StreamHead {
                    no,
                    revision: 0,
                    position,
                }
            });
        (*head, before)
    }
}
