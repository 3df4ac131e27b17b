//! The data keys that private parts are encrypted under: one for each subject and each actor.
//!
//! They lie in one file, `data.keys`, outside the ledger's folder, so that a copy of the ledger
//! reads nothing without it and destroying one key erases what it protected in every copy. The
//! layout is `docs/format.md`, "Data keys". The writer's lock of the ledger guards the file: only a
//! [`crate::Ledger`] changes it. Deliberately not here: which keys must go, which is decided by
//! the `ledger.redacted` events.

mod error;
mod file;

use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::event::Position;
use crate::hash::Hash;
use crate::private::{Concerned, PartKey};
pub use file::make_folder;
use file::{Kind, Record};

pub use error::VaultError;

/// Name of the file in the folder of keys.
pub const DATA_KEYS_FILE: &str = "data.keys";

/// Most records of the file: at 128 bytes each, what a machine holds in memory.
const RECORDS_MAX: u64 = 1 << 24;

/// Readings of a file with a damaged record, before it is told.
const READINGS_MAX: usize = 3;

/// The data keys of a ledger. Keys are never printed, and wiped when dropped.
pub(crate) struct Vault {
    path: PathBuf,
    live: HashMap<Hash, DataKey>,
    /// Keys destroyed, and the position of the event that ordered it.
    destroyed: Vec<(Hash, Position)>,
    /// Records made since the last [`Vault::keep`].
    staged: Zeroizing<Vec<u8>>,
    /// Keys that turned out to be needed for earlier positions than their record tells.
    lowered: Vec<Hash>,
    /// Length of the file up to its last whole record, those staged not included.
    length: u64,
}

struct DataKey {
    /// Position of the first event it may encrypt: a key made after an erasure opens nothing
    /// that came before it.
    since: Position,
    /// Where in the file its record begins.
    offset: u64,
    /// In a box, so that a growing table leaves no copy behind.
    key: Box<Zeroizing<Hash>>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault")
            .field("path", &self.path)
            .field("keys", &self.live.len())
            .field("destroyed", &self.destroyed.len())
            .finish_non_exhaustive()
    }
}

impl Vault {
    /// Reads the data keys of a ledger from its folder of keys; `None` when there are none.
    pub(crate) fn open(keys: &Path, ledger_id: [u8; 16]) -> Result<Option<Self>, VaultError> {
        let path = keys.join(DATA_KEYS_FILE);
        let mut read = file::read(&path, ledger_id);
        for _ in 1..READINGS_MAX {
            if !matches!(read, Err(VaultError::Damaged { .. })) {
                break;
            }
            // a writer may have been in the middle of a record
            read = file::read(&path, ledger_id);
        }
        let Some((records, length)) = read? else {
            return Ok(None);
        };
        let mut vault = Self::empty(path, length);
        for (offset, record) in records {
            vault.learn(offset, record)?;
        }
        Ok(Some(vault))
    }

    /// Makes sure that the keys read are durable: a writer that was killed may have left them in
    /// the memory of the machine only.
    pub(crate) fn settle(&self) -> Result<(), VaultError> {
        match self.path.parent() {
            Some(keys) => file::settle(keys, &self.path),
            None => Ok(()),
        }
    }

    /// Makes the file, and the folder if need be, with no key in it.
    pub(crate) fn create(keys: &Path, ledger_id: [u8; 16]) -> Result<Self, VaultError> {
        let path = keys.join(DATA_KEYS_FILE);
        let length = file::create(keys, &path, ledger_id)?;
        Ok(Self::empty(path, length))
    }

    fn empty(path: PathBuf, length: u64) -> Self {
        Self {
            path,
            live: HashMap::new(),
            destroyed: Vec::new(),
            staged: Zeroizing::default(),
            lowered: Vec::new(),
            length,
        }
    }

    fn learn(&mut self, offset: u64, record: Record) -> Result<(), VaultError> {
        match record.kind {
            Kind::Gone { by } => self.destroyed.push((record.id, by)),
            Kind::Live(key) => {
                let made = DataKey {
                    since: record.since,
                    offset,
                    key,
                };
                if self.live.insert(record.id, made).is_some() {
                    return Err(VaultError::Damaged {
                        path: self.path.clone(),
                        offset,
                    });
                }
            }
        }
        Ok(())
    }

    /// Number of keys.
    pub(crate) fn count(&self) -> usize {
        self.live.len()
    }

    /// Number of keys destroyed.
    pub(crate) fn destroyed(&self) -> usize {
        self.destroyed.len()
    }

    /// The key of the private part of an event, making data keys where there are none. A data key
    /// made here is not durable until [`Vault::keep`].
    pub(crate) fn get_or_make(
        &mut self,
        concerned: &Concerned,
        position: Position,
        entropy: &mut dyn FnMut(&mut [u8]),
    ) -> PartKey {
        for id in concerned.ids() {
            match self.live.get_mut(id) {
                None => self.make(*id, position, entropy),
                // The ledger was set back to an earlier copy of itself, its keys were not.
                Some(found) if found.since > position => {
                    found.since = position;
                    self.lowered.push(*id);
                }
                Some(_) => {}
            }
        }
        let keys = concerned.ids().filter_map(|id| self.live.get(id));
        PartKey::derive(keys.map(|found| &**found.key), position)
    }

    fn make(&mut self, id: Hash, since: Position, entropy: &mut dyn FnMut(&mut [u8])) {
        let mut key = Box::new(Zeroizing::new([0; 32]));
        entropy(&mut key[..]);
        let offset = self.length + u64::try_from(self.staged.len()).unwrap_or(u64::MAX);
        let record = Record {
            id,
            since,
            kind: Kind::Live(key),
        };
        let bytes = record.encode();
        self.reserve(bytes.len());
        self.staged.extend_from_slice(&bytes[..]);
        let Kind::Live(key) = record.kind else {
            return;
        };
        self.live.insert(id, DataKey { since, offset, key });
    }

    /// Makes room for staged records without leaving a copy of them behind.
    fn reserve(&mut self, bytes: usize) {
        let needed = self.staged.len() + bytes;
        if needed > self.staged.capacity() {
            let mut larger = Zeroizing::new(Vec::with_capacity(needed.next_power_of_two()));
            larger.extend_from_slice(&self.staged);
            self.staged = larger;
        }
    }

    /// Makes the new keys durable: before any event that uses them is.
    pub(crate) fn keep(&mut self) -> Result<(), VaultError> {
        if !self.staged.is_empty() {
            file::append(&self.path, self.length, &self.staged)?;
            self.length += u64::try_from(self.staged.len()).unwrap_or(u64::MAX);
            self.staged = Zeroizing::default();
        }
        for id in std::mem::take(&mut self.lowered) {
            if let Some(found) = self.live.get(&id) {
                let record = Record {
                    id,
                    since: found.since,
                    kind: Kind::Live(found.key.clone()),
                };
                file::write_at(&self.path, found.offset, &record.encode()[..])?;
            }
        }
        Ok(())
    }

    /// Whether the key of a name may open events of that position.
    pub(crate) fn has(&self, id: &Hash, position: Position) -> bool {
        let found = self.live.get(id);
        found.is_some_and(|found| found.since <= position)
    }

    /// The key of the private part of an event; `None` when a data key it needs is not here.
    pub(crate) fn get(&self, concerned: &Concerned, position: Position) -> Option<PartKey> {
        let usable = |id: &Hash| self.live.get(id).filter(|found| found.since <= position);
        if concerned.ids().any(|id| usable(id).is_none()) {
            return None;
        }
        let keys = concerned.ids().filter_map(usable);
        Some(PartKey::derive(keys.map(|found| &**found.key), position))
    }

    /// Whether there is a key that the erasure at that position ordered destroyed.
    pub(crate) fn is_due(&self, id: &Hash, by: Position) -> bool {
        self.live.get(id).is_some_and(|found| found.since <= by)
    }

    /// Destroys the key that the erasure at that position ordered destroyed, in the file first;
    /// `false` when there is none.
    pub(crate) fn destroy(&mut self, id: &Hash, by: Position) -> Result<bool, VaultError> {
        let Some(found) = self.live.get(id).filter(|found| found.since <= by) else {
            return Ok(false);
        };
        let gone = Record {
            id: *id,
            since: found.since,
            kind: Kind::Gone { by },
        };
        file::write_at(&self.path, found.offset, &gone.encode()[..])?;
        self.live.remove(id);
        self.destroyed.push((*id, by));
        Ok(true)
    }
}

/// Whether there is a file of data keys at all, readable or not.
pub(crate) fn exists(keys: &Path) -> bool {
    File::open(keys.join(DATA_KEYS_FILE)).is_ok()
        || keys.join(DATA_KEYS_FILE).symlink_metadata().is_ok()
}

/// Whether data keys must be there: the folder of keys is, and not for the blinding key alone, as
/// where a copy of a ledger was made and its keys stayed elsewhere. Locks are no keys.
pub(crate) fn are_expected(keys: &Path) -> bool {
    let Ok(items) = std::fs::read_dir(keys) else {
        return keys.is_dir();
    };
    let names: Vec<_> = items.flatten().map(|item| item.file_name()).collect();
    let is_no_key = |name: &std::ffi::OsString| {
        name == crate::settings::BLIND_FILE
            || Path::new(name)
                .extension()
                .is_some_and(|ending| ending == "lock")
    };
    names.is_empty() || !names.iter().all(is_no_key)
}

#[cfg(test)]
mod tests;
