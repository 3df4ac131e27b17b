//! Events made of stored records, their private parts opened where they were asked for.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

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
    ) -> Result<Content, ReadError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.size != reader.size() {
            // the reader has moved on, and keys and erasures may have come with the events
            known.catch_up(&self.keys, reader)?;
        }
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

    fn open(&self, record: RecordRef<'_>, entry: &Entry) -> Result<Content, ReadError> {
        let position = entry.position;
        let concerned = Concerned::of(entry, record.public);
        if self.redactions.cover(&concerned, position) {
            // even where the order is not carried out yet
            return Ok((PrivateState::Erased, None));
        }
        if record.private.is_empty() {
            return Ok((PrivateState::Lost, None));
        }
        let mut opened = Vec::new();
        let content = if entry.is_encrypted() {
            let Some(vault) = &self.vault else {
                return Ok((PrivateState::Sealed, None));
            };
            let Some(key) = vault.get(&concerned, position) else {
                return Ok((PrivateState::Lost, None));
            };
            if !key.open(&Bound::to(entry), record.private, &mut opened) {
                return Err(ReadError::Private { position });
            }
            opened
        } else {
            record.private.to_vec()
        };
        let is_committed = content
            .split_first_chunk::<SALT_BYTES>()
            .is_some_and(|(salt, json)| {
                private_commit(salt, entry.schema, json) == entry.private_commit
            });
        if is_committed {
            Ok((PrivateState::Open, Some(content)))
        } else {
            Err(ReadError::Private { position })
        }
    }
}

/// What became of a private part; its salt and payload where it was opened.
type Content = (PrivateState, Option<Vec<u8>>);

impl Reader {
    /// Salt and private payload of a stored record, compared with its commitment. `None` when it
    /// has none, or when it was erased.
    ///
    /// # Errors
    /// When its data key is not here although no erasure says why, or it is damaged.
    pub fn private_content(&self, record: RecordRef<'_>) -> Result<Option<Vec<u8>>, ReadError> {
        let position = Entry::peek_position(record.entry);
        let entry =
            Entry::decode(record.entry).map_err(|source| ReadError::Entry { position, source })?;
        if !entry.has_private() {
            return Ok(None);
        }
        match self.opener()?.open(self, record, &entry)? {
            (PrivateState::Sealed | PrivateState::Lost, _) => {
                Err(ReadError::KeyMissing { position })
            }
            (_, content) => Ok(content),
        }
    }

    pub(super) fn opener(&self) -> Result<&Opener, ReadError> {
        if let Some(opener) = self.opener.get() {
            return Ok(opener);
        }
        let made = Opener::new(self)?;
        Ok(self.opener.get_or_init(|| made))
    }

    /// Makes an event of a stored record.
    pub(super) fn recorded(&self, record: RecordRef<'_>) -> Result<Recorded, ReadError> {
        let position = Entry::peek_position(record.entry);
        let entry =
            Entry::decode(record.entry).map_err(|source| ReadError::Entry { position, source })?;
        let payload = |source| ReadError::Payload { position, source };
        let public: PublicIn<'_> = serde_json::from_slice(record.public).map_err(payload)?;
        let body = public.body(entry.event_type).map_err(payload)?;
        let (private_state, content) = match self.with_private {
            _ if !entry.has_private() => (PrivateState::None, None),
            false => (PrivateState::Unread, None),
            true => self.opener()?.open(self, record, &entry)?,
        };
        let json = content.as_ref().and_then(|bytes| bytes.get(SALT_BYTES..));
        let private = json
            .map(serde_json::from_slice)
            .transpose()
            .map_err(payload)?;
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
