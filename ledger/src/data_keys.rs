//! What data keys there are, and which are missing.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::event::book::Role;
use crate::event::{BlindedId, Position};
use crate::ledger::OpenError;
use crate::place::Place;
use crate::private::Concerned;
use crate::reader::Reader;
use crate::redact::{Redactions, each_entry};
use crate::vault::{DATA_KEYS_FILE, Vault};

/// The data keys of a ledger, held against its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataKeys {
    /// The file.
    pub path: PathBuf,
    /// Whether it is there.
    pub exists: bool,
    /// Keys in it.
    pub keys: u64,
    /// Keys that were in it and were destroyed.
    pub destroyed: u64,
    /// Keys that an erasure ordered destroyed and that are still in it.
    pub undestroyed: u64,
    /// Encrypted private parts.
    pub encrypted: u64,
    /// Those of them that were erased.
    pub erased: u64,
    /// Keys that are not here although no erasure names them, by blinded name.
    pub missing: Vec<MissingKey>,
}

/// A key that is not here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MissingKey {
    /// The blinded name.
    pub id: BlindedId,
    /// Which part it plays.
    pub role: Role,
    /// Private parts that need it.
    pub events: u64,
    /// Position of the first of them.
    pub first: Position,
}

/// Holds the data keys against the events. Reads every entry; opens nothing.
///
/// # Errors
/// When the ledger or its data keys cannot be read.
pub fn data_keys(place: &Place) -> Result<DataKeys, OpenError> {
    let reader = Reader::open(place)?;
    let vault = Vault::open(place.keys(), reader.ledger_id())?;
    let mut redactions = Redactions::default();
    redactions.read(&reader, 0..reader.size())?;
    let mut missing: BTreeMap<BlindedId, MissingKey> = BTreeMap::new();
    let (mut encrypted, mut erased) = (0, 0);
    each_entry(&reader, 0..reader.size(), &mut |entry, public| {
        let is_pruned = public.is_empty() && entry.public_length > 0;
        if !entry.is_encrypted() || is_pruned {
            return;
        }
        encrypted += 1;
        let concerned = Concerned::of(entry, public);
        if redactions.cover(&concerned, entry.position) {
            erased += 1;
            return;
        }
        for (id, role) in concerned.ids().zip([Role::Subject, Role::Actor]) {
            let usable = vault.as_ref().map(|vault| vault.has(id, entry.position));
            if usable != Some(true) {
                let found = missing.entry(BlindedId(*id)).or_insert(MissingKey {
                    id: BlindedId(*id),
                    role,
                    events: 0,
                    first: entry.position,
                });
                found.events += 1;
            }
        }
    })?;
    let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
    Ok(DataKeys {
        path: place.keys().join(DATA_KEYS_FILE),
        exists: vault.is_some(),
        keys: vault.as_ref().map_or(0, |vault| count(vault.count())),
        destroyed: vault.as_ref().map_or(0, |vault| count(vault.destroyed())),
        undestroyed: vault.as_ref().map_or(0, |vault| redactions.due(vault)),
        encrypted,
        erased,
        missing: missing.into_values().collect(),
    })
}
