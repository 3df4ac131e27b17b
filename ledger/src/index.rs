//! Which event ids are in the book: derived data, rebuilt from entries when a ledger is opened.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::event::{EventId, Position};

/// Position of each event id.
#[derive(Debug, Default)]
pub(crate) struct EventIndex {
    positions: HashMap<EventId, Position, BuildHasherDefault<IdHasher>>,
}

impl EventIndex {
    pub(crate) fn get(&self, id: &EventId) -> Option<Position> {
        self.positions.get(id).copied()
    }

    /// Adds an id, or tells where it is already.
    pub(crate) fn add(&mut self, id: EventId, position: Position) -> Result<(), Position> {
        match self.positions.entry(id) {
            std::collections::hash_map::Entry::Occupied(known) => Err(*known.get()),
            std::collections::hash_map::Entry::Vacant(slot) => {
                slot.insert(position);
                Ok(())
            }
        }
    }

    pub(crate) fn remove(&mut self, id: &EventId) {
        self.positions.remove(id);
    }

    pub(crate) fn reserve(&mut self, more: usize) {
        self.positions.reserve(more);
    }
}

/// Event ids are already hashes: their first eight bytes serve as they are.
#[derive(Debug, Default)]
pub(crate) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk::<8>() {
            self.0 = u64::from_ne_bytes(*first);
        }
    }

    /// The length before the bytes; the same for every id.
    fn write_usize(&mut self, _length: usize) {}
}
