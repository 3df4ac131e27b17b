//! Private parts: opened where their keys are at hand, and told apart by why they cannot be.
//!
//! Whether an unreadable one was erased shows only when every segment is read, since the event
//! that says so comes later: until then it is open. A part without bytes, or whose data key is
//! gone, is in order when a later `ledger.redacted` event names its subject or its actor.

use std::collections::BTreeMap;

use super::fault::{Fault, FaultClass, Faults};
use crate::entry::Entry;
use crate::event::Position;
use crate::hash::Hash;
use crate::payload::SALT_BYTES;
use crate::private::{Bound, Concerned};
use crate::redact::{Redactions, redaction_of};
use crate::vault::Vault;

/// The private parts of a ledger, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PrivateParts {
    /// Stored in clear by an early version, and compared with their commitments.
    pub clear: u64,
    /// Encrypted, opened, and compared with their commitments.
    pub opened: u64,
    /// Encrypted, and not opened, since there are no data keys here.
    pub sealed: u64,
    /// Erased, as a `ledger.redacted` event says.
    pub erased: u64,
    /// Data keys here; `None` when there is no file of them.
    pub data_keys: Option<u64>,
    /// Data keys that an erasure ordered destroyed and that are still here: the next command that
    /// opens the ledger for writing destroys them.
    pub undestroyed: u64,
}

/// Opens private parts.
#[derive(Debug)]
pub(super) struct Opener {
    vault: Option<Vault>,
    /// Whether there must be keys: the folder of keys is there.
    is_expected: bool,
    /// Position from which on events may have come after the keys were read.
    complete_below: Position,
}

/// What was found of one private part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// There are no bytes.
    None,
    /// Bytes in clear, and their commitment.
    Clear(Hash),
    /// Opened, and the commitment of what was in it.
    Opened(Hash),
    /// The key does not open the bytes, or they are too few.
    Refused,
    /// A data key it needs is not here.
    Keyless,
}

impl Found {
    /// Salt and payload that are to be hashed.
    pub(super) fn content<'b>(
        &self,
        stored: &'b [u8],
        opened: &'b [u8],
    ) -> Option<(&'b [u8], &'b [u8])> {
        match self {
            Self::Clear(_) => stored.split_at_checked(SALT_BYTES),
            Self::Opened(_) => opened.split_at_checked(SALT_BYTES),
            Self::None | Self::Refused | Self::Keyless => None,
        }
    }

    pub(super) fn is_hashed(&self) -> bool {
        matches!(self, Self::Clear(_) | Self::Opened(_))
    }

    pub(super) fn set_commit(&mut self, commit: Hash) {
        if let Self::Clear(hash) | Self::Opened(hash) = self {
            *hash = commit;
        }
    }
}

impl Default for Opener {
    fn default() -> Self {
        Self::new(None, false)
    }
}

impl Opener {
    pub(super) fn new(vault: Option<Vault>, is_expected: bool) -> Self {
        Self {
            vault,
            is_expected,
            complete_below: Position::MAX,
        }
    }

    /// The same, read when there were that many events: the keys of later ones may be missing.
    pub(super) fn complete_below(self, size: Position) -> Self {
        Self {
            complete_below: size,
            ..self
        }
    }

    /// Number of data keys ever made, of which there are records.
    pub(super) fn made(&self) -> usize {
        let made = |vault: &Vault| vault.count() + vault.destroyed();
        self.vault.as_ref().map_or(0, made)
    }

    /// Opens the private part of a record, if it has one, into `content`.
    pub(super) fn open(
        &self,
        entry: &Entry,
        public: &[u8],
        stored: &[u8],
        content: &mut Vec<u8>,
    ) -> Found {
        if stored.is_empty() {
            return Found::None;
        }
        if !entry.is_encrypted() {
            return match stored.len() {
                0..SALT_BYTES => Found::Refused,
                _ => Found::Clear([0; 32]),
            };
        }
        if stored.len() < crate::private::STORED_BYTES_MIN {
            return Found::Refused;
        }
        let Some(vault) = &self.vault else {
            return Found::Keyless;
        };
        match vault.get(&Concerned::of(entry, public), entry.position) {
            None => Found::Keyless,
            Some(key) if key.open(&Bound::to(entry), stored, content) => Found::Opened([0; 32]),
            Some(_) => Found::Refused,
        }
    }
}

/// The private parts of a segment.
#[derive(Debug, Default)]
pub(super) struct Privates {
    clear: u64,
    opened: u64,
    /// Parts that cannot be read, by those concerned: positions, and whether there are no bytes.
    unread: BTreeMap<Concerned, Vec<(Position, bool)>>,
    redactions: Vec<(Hash, Position)>,
}

impl Privates {
    /// Checks one private part; nothing is concluded from a damaged record but that it is damaged.
    pub(super) fn check(
        &mut self,
        entry: &Entry,
        public: &[u8],
        found: &Found,
        (intact, faults): (bool, &mut Faults),
    ) {
        let position = entry.position;
        let mut differs = |detail: &str| faults.add(position, FaultClass::Private, detail);
        match found {
            Found::None if !entry.has_private() => {}
            // what a damaged record denies, at which position, nobody knows
            _ if !entry.has_private() && !intact => {}
            _ if !entry.has_private() => {
                differs("there is a private payload the entry denies");
            }
            Found::None | Found::Keyless if !intact => {}
            Found::None | Found::Keyless => {
                let concerned = Concerned::of(entry, public);
                let is_gone = *found == Found::None;
                let unread = self.unread.entry(concerned).or_default();
                unread.push((position, is_gone));
            }
            Found::Refused => {
                differs("the private payload is not the one encrypted for this entry");
            }
            Found::Clear(commit) | Found::Opened(commit) if *commit != entry.private_commit => {
                differs("the private payload is not the one committed to");
            }
            Found::Clear(_) => self.clear += 1,
            Found::Opened(_) => self.opened += 1,
        }
    }

    /// Whether some part could not be opened for want of a key.
    pub(super) fn lack_keys(&self) -> bool {
        let mut unread = self.unread.values().flatten();
        unread.any(|(_, is_gone)| !is_gone)
    }

    /// Takes note of an erasure.
    pub(super) fn redaction(&mut self, position: Position, public: &[u8], faults: &mut Faults) {
        match redaction_of(public) {
            Some(order) if order.through.checked_add(1) == Some(position) => {
                self.redactions.push((order.id.0, position));
            }
            Some(order) => {
                let detail = format!("the erasure says it holds through {}", order.through);
                faults.add(position, FaultClass::Format, detail);
            }
            None => faults.add(position, FaultClass::Format, "the erasure cannot be read"),
        }
    }
}

/// Joins the private parts of all segments: their counts, and the faults among them. `place` adds
/// a fault at a position, in the file it lies in.
pub(super) fn settle(
    segments: &[&Privates],
    opener: &Opener,
    place: &dyn Fn(Position, &str) -> Fault,
) -> (PrivateParts, Vec<Fault>) {
    let mut redactions = Redactions::default();
    for (id, position) in segments.iter().flat_map(|some| &some.redactions) {
        redactions.add(*id, *position);
    }
    let vault = opener.vault.as_ref();
    let mut parts = PrivateParts {
        clear: segments.iter().map(|some| some.clear).sum(),
        opened: segments.iter().map(|some| some.opened).sum(),
        data_keys: vault.map(|vault| u64::try_from(vault.count()).unwrap_or(u64::MAX)),
        undestroyed: vault.map_or(0, |vault| redactions.due(vault)),
        ..PrivateParts::default()
    };
    let mut faults = Vec::new();
    for (concerned, unread) in segments.iter().flat_map(|some| &some.unread) {
        for (position, is_gone) in unread {
            if redactions.cover(concerned, *position) {
                parts.erased += 1;
            } else if *is_gone {
                let detail = "the private payload is gone and no erasure is on record";
                faults.push(place(*position, detail));
            } else if opener.is_expected && *position < opener.complete_below {
                let detail =
                    "the data key of the private payload is gone and no erasure is on record";
                faults.push(place(*position, detail));
            } else {
                parts.sealed += 1;
            }
        }
    }
    (parts, faults)
}
