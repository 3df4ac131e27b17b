//! The writer's data keys: made as events need them, destroyed as erasures order.

use std::path::PathBuf;

use super::{AppendError, OpenError};
use crate::entry::Entry;
use crate::history::History;
use crate::payload::SALT_BYTES;
use crate::private::{Bound, Concerned, NONCE_BYTES};
use crate::redact::redaction_of;
use crate::store::Store;
use crate::vault::{DATA_KEYS_FILE, Vault, VaultError};

/// The data keys of a ledger open for writing.
#[derive(Debug)]
pub(crate) struct Keyring {
    keys: PathBuf,
    ledger_id: [u8; 16],
    vault: Option<Vault>,
    /// Whether any event has an encrypted private part: then there must be keys.
    is_needed: bool,
    /// Keys whose destruction an erasure had ordered and a crash had kept from.
    finished: u64,
}

impl Keyring {
    pub(super) fn new(keys: PathBuf, ledger_id: [u8; 16]) -> Self {
        Self {
            keys,
            ledger_id,
            vault: None,
            is_needed: false,
            finished: 0,
        }
    }

    /// Reads the keys, and destroys those that an erasure on record ordered destroyed.
    pub(super) fn load(&mut self, store: &dyn Store, history: &History) -> Result<(), OpenError> {
        self.is_needed = history.has_encrypted();
        self.vault = Vault::open(&self.keys, self.ledger_id)?;
        let Some(vault) = &mut self.vault else {
            return Ok(());
        };
        vault.settle()?;
        for position in history.redactions() {
            let Some(record) = store.get(*position)? else {
                continue;
            };
            let order = redaction_of(&record.public);
            let order = order.ok_or(OpenError::Entry {
                position: *position,
            })?;
            if vault.destroy(&order.id.0, *position)? {
                self.finished += 1;
            }
        }
        Ok(())
    }

    /// Number of keys whose destruction was ordered earlier and done when the ledger was opened.
    pub(super) fn finished(&self) -> u64 {
        self.finished
    }

    /// Makes sure that there is a file of keys to take new ones.
    pub(super) fn ready(&mut self) -> Result<(), AppendError> {
        if self.vault.is_some() {
            return Ok(());
        }
        if self.is_needed {
            return Err(AppendError::KeysMissing {
                path: self.keys.join(DATA_KEYS_FILE),
            });
        }
        self.vault = Some(Vault::create(&self.keys, self.ledger_id)?);
        self.is_needed = true;
        Ok(())
    }

    /// Begins a new file of keys where the old one is lost for good; `false` when there is one.
    pub(super) fn begin_anew(&mut self) -> Result<bool, VaultError> {
        if self.vault.is_some() {
            return Ok(false);
        }
        self.vault = Some(Vault::create(&self.keys, self.ledger_id)?);
        Ok(true)
    }

    /// Encrypts the private part of an event: what is stored of it.
    pub(super) fn seal(
        &mut self,
        entry: &Entry,
        public: &[u8],
        (salt, private): (&[u8; SALT_BYTES], &[u8]),
        entropy: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Vec<u8>, AppendError> {
        let Some(vault) = &mut self.vault else {
            return Err(AppendError::KeysMissing {
                path: self.keys.join(DATA_KEYS_FILE),
            });
        };
        let concerned = Concerned::of(entry, public);
        let key = vault.get_or_make(&concerned, entry.position, entropy);
        let mut nonce = [0; NONCE_BYTES];
        entropy(&mut nonce);
        key.seal(&Bound::to(entry), &nonce, salt, private)
            .ok_or(AppendError::TooLong {
                event: entry.event_id,
                bytes: private.len(),
            })
    }

    /// Makes the new keys durable.
    pub(super) fn keep(&mut self) -> Result<(), VaultError> {
        match &mut self.vault {
            Some(vault) => vault.keep(),
            None => Ok(()),
        }
    }

    /// The keys, when there is a file of them.
    pub(crate) fn vault_mut(&mut self) -> Option<&mut Vault> {
        self.vault.as_mut()
    }
}
