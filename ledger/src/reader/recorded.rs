//! Events made of stored records, their private parts opened where they were asked for.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use serde_json::Value;

use super::{ReadError, Reader};
use crate::entry::Entry;
use crate::event::{Event, Position, PrivateState, Recorded};
use crate::payload::{PublicIn, SALT_BYTES, private_commit};
use crate::private::{Bound, Concerned};
use crate::redact::Redactions;
use crate::store::RecordRef;
use crate::vault::{Vault, VaultError};

/// Opens private parts.
#[derive(Debug)]
pub(super) struct Opener {
    keys: PathBuf,
    known: Mutex<Known>,
}

/// What was read of keys and erasures, and how many events there were then.
#[derive(Debug)]
struct Known {
    size: u64,
    vault: Option<Vault>,
    redactions: Redactions,
}

impl Opener {
    /// Reads the data keys there are and the erasures on record.
    pub(super) fn new(reader: &Reader) -> Result<Self, ReadError> {
        let keys = reader.place.keys().to_owned();
        let mut known = Known {
            size: 0,
            vault: None,
            redactions: Redactions::default(),
        };
        known.catch_up(&keys, reader)?;
        Ok(Self {
            keys,
            known: Mutex::new(known),
        })
    }

    fn open(
        &self,
        reader: &Reader,
        record: RecordRef<'_>,
        entry: &Entry,
    ) -> Result<(PrivateState, Option<Value>), ReadError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let found = known.open(record, entry)?;
        if found.0 == PrivateState::Open || known.size == reader.size() {
            return Ok(found);
        }
        // the reader has moved on, and keys and erasures may have come with the events
        known.catch_up(&self.keys, reader)?;
        known.open(record, entry)
    }
}

impl Known {
    fn catch_up(&mut self, keys: &std::path::Path, reader: &Reader) -> Result<(), ReadError> {
        self.vault = Vault::open(keys, reader.ledger_id())?;
        self.redactions.read(reader, self.size..reader.size())?;
        self.size = reader.size();
        Ok(())
    }

    fn open(
        &self,
        record: RecordRef<'_>,
        entry: &Entry,
    ) -> Result<(PrivateState, Option<Value>), ReadError> {
        let position = entry.position;
        let concerned = Concerned::of(entry, record.public);
        let gone = |otherwise| {
            if self.redactions.cover(&concerned, position) {
                (PrivateState::Erased, None)
            } else {
                (otherwise, None)
            }
        };
        if record.private.is_empty() {
            return Ok(gone(PrivateState::Lost));
        }
        let mut opened = Vec::new();
        let content = if entry.is_encrypted() {
            let Some(vault) = &self.vault else {
                return Ok(gone(PrivateState::Sealed));
            };
            let Some(key) = vault.get(&concerned, position) else {
                return Ok(gone(PrivateState::Lost));
            };
            if !key.open(&Bound::to(entry), record.private, &mut opened) {
                return Err(ReadError::Private { position });
            }
            &opened
        } else {
            record.private
        };
        match content.split_first_chunk::<SALT_BYTES>() {
            Some((salt, json))
                if private_commit(salt, entry.schema, json) == entry.private_commit =>
            {
                let value = serde_json::from_slice(json);
                let value = value.map_err(|source| ReadError::Payload { position, source })?;
                Ok((PrivateState::Open, Some(value)))
            }
            _ => Err(ReadError::Private { position }),
        }
    }
}

impl Reader {
    /// Makes an event of a stored record.
    pub(super) fn recorded(&self, record: RecordRef<'_>) -> Result<Recorded, ReadError> {
        let position = Entry::peek_position(record.entry);
        let entry =
            Entry::decode(record.entry).map_err(|source| ReadError::Entry { position, source })?;
        let payload = |source| ReadError::Payload { position, source };
        let public: PublicIn<'_> = serde_json::from_slice(record.public).map_err(payload)?;
        let body = public.body(entry.event_type).map_err(payload)?;
        let (private_state, private) = match &self.opener {
            _ if !entry.has_private() => (PrivateState::None, None),
            None => (PrivateState::Unread, None),
            Some(opener) => opener.open(self, record, &entry)?,
        };
        Ok(Recorded {
            position,
            recorded_at: instant(position, entry.recorded_at_ms)?,
            stream_no: entry.stream_no,
            revision: entry.revision,
            has_private: entry.has_private(),
            private_state,
            event: Event {
                id: entry.event_id,
                stream: public.subject,
                occurred_at: public.occurred_at,
                precision: public.precision,
                body,
                source: public.source,
                correlation: public.correlation,
                actor: None,
                private,
            },
        })
    }
}

fn instant(position: Position, milliseconds: u64) -> Result<Timestamp, ReadError> {
    i64::try_from(milliseconds)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .ok_or(ReadError::Time {
            position,
            milliseconds,
        })
}

impl From<VaultError> for ReadError {
    fn from(source: VaultError) -> Self {
        Self::Vault {
            source: Box::new(source),
        }
    }
}
