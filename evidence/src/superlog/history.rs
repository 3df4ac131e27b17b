//! What the super-log said of each origin, and what it may say next. Pure.

use std::collections::BTreeMap;

use ledger::hash::Hash;

use super::leaf::Leaf;

/// Where a statement stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Index of its leaf.
    pub index: u64,
    /// Whether this very call added it; else it was there.
    pub is_new: bool,
}

/// Why a leaf may not follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// Below the size that was said last.
    Backwards { last: u64 },
    /// Something else was said at the same size.
    Forked,
}

/// Every leaf, by origin and size.
#[derive(Debug, Default)]
pub(super) struct History {
    leaves: BTreeMap<(Hash, u64), (u64, Leaf)>,
}

impl History {
    /// Remembers a leaf.
    pub(super) fn add(&mut self, index: u64, leaf: Leaf) {
        self.leaves.insert((leaf.origin, leaf.size), (index, leaf));
    }

    /// Where a leaf stands, or `None` when it may follow.
    pub(super) fn place(&self, leaf: &Leaf) -> Result<Option<Placed>, Refused> {
        if let Some((index, known)) = self.leaves.get(&(leaf.origin, leaf.size)) {
            let placed = Placed {
                index: *index,
                is_new: false,
            };
            return (known == leaf)
                .then_some(Some(placed))
                .ok_or(Refused::Forked);
        }
        let of_origin = (leaf.origin, 0)..=(leaf.origin, u64::MAX);
        match self.leaves.range(of_origin).next_back() {
            Some(((_, last), _)) if *last > leaf.size => Err(Refused::Backwards { last: *last }),
            _ => Ok(None),
        }
    }

    /// The newest leaf of an origin, with its index.
    pub(super) fn last(&self, origin: &Hash) -> Option<(u64, Leaf)> {
        let of_origin = (*origin, 0)..=(*origin, u64::MAX);
        self.leaves
            .range(of_origin)
            .next_back()
            .map(|(_, found)| *found)
    }

    /// Takes back what was added from an index on.
    pub(super) fn forget_from(&mut self, index: u64) {
        self.leaves.retain(|_, (at, _)| *at < index);
    }
}
