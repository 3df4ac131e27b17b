//! A record of the ledger as an event of the stream, and back.

use bytes::Bytes;
use ledger::entry::{ENTRY_BYTES, Entry};
use ledger::{RecordRef, StoredRecord};

use crate::wire::append::ProposedMessage;
use crate::wire::read::RecordedEvent;
use crate::wire::{MetadataEntry, Uuid, metadata};

/// Type of every event.
pub(crate) const TYPE: &str = "daybook.entry";

/// Content type of every event.
const CONTENT_TYPE: &str = "application/octet-stream";

/// What an id is made under.
const ID_CONTEXT: &str = "daybook kurrentdb event id v1";

/// Longest type of a foreign event that is shown, in characters.
const TYPE_SHOWN: usize = 64;

/// What the server counts for an event beyond its data: type, content type and id, rounded up.
const AROUND_BYTES: usize = 96;

/// A record that is to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Proposed {
    pub(crate) id: [u8; 16],
    data: Bytes,
}

impl Proposed {
    pub(crate) fn of(record: &RecordRef<'_>) -> Self {
        let length = ENTRY_BYTES + record.public.len() + record.private.len();
        let mut data = Vec::with_capacity(length);
        data.extend_from_slice(record.entry);
        data.extend_from_slice(record.public);
        data.extend_from_slice(record.private);
        Self {
            id: id(&data),
            data: Bytes::from(data),
        }
    }

    /// What it counts for on the server.
    pub(crate) fn size(&self) -> usize {
        self.data.len() + AROUND_BYTES
    }

    pub(crate) fn message(&self) -> ProposedMessage {
        ProposedMessage {
            id: Some(Uuid::structured(self.id)),
            metadata: vec![
                MetadataEntry::new(metadata::TYPE, TYPE),
                MetadataEntry::new(metadata::CONTENT_TYPE, CONTENT_TYPE),
            ],
            custom_metadata: Bytes::new(),
            data: self.data.clone(),
        }
    }
}

/// Id of an event: UUID version 8 (RFC 9562, section 5.8) from a hash of its data, since the
/// server tells events apart by id alone.
fn id(data: &[u8]) -> [u8; 16] {
    let mut hash = blake3::Hasher::new_derive_key(ID_CONTEXT);
    hash.update(data);
    let mut id = [0; 16];
    hash.finalize_xof().fill(&mut id);
    let [.., version, _, variant, _, _, _, _, _, _, _] = &mut id;
    *version = *version & 0x0f | 0x80;
    *variant = *variant & 0x3f | 0x80;
    id
}

/// Why an event is no record of a ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Odd {
    /// Overwritten by redaction.
    Redacted,
    /// Not ours; what it is.
    Foreign(String),
}

/// The record an event holds.
pub(crate) fn record(event: &RecordedEvent) -> Result<StoredRecord, Odd> {
    let data = &event.data;
    if !data.is_empty() && data.iter().all(|byte| *byte == 0xff) {
        return Err(Odd::Redacted);
    }
    let kind = of(event, metadata::TYPE).unwrap_or_default();
    if kind != TYPE {
        let shown: String = kind
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .take(TYPE_SHOWN)
            .collect();
        return Err(Odd::Foreign(format!("an event of type `{shown}`")));
    }
    let foreign = |what: &str| Odd::Foreign(what.to_owned());
    let Some((entry, payloads)) = data.split_first_chunk::<ENTRY_BYTES>() else {
        return Err(foreign("shorter than an entry"));
    };
    if Entry::decode(entry).is_err() {
        return Err(foreign("no entry of a version that is known"));
    }
    let position = Entry::peek_position(entry);
    if position != event.stream_revision {
        return Err(Odd::Foreign(format!("the record of position {position}")));
    }
    let length = usize::try_from(Entry::peek_public_length(entry)).unwrap_or(usize::MAX);
    let Some((public, private)) = payloads.split_at_checked(length) else {
        return Err(foreign("shorter than its entry says"));
    };
    Ok(StoredRecord {
        entry: *entry,
        public: public.to_vec(),
        private: private.to_vec(),
    })
}

/// A value of an event's metadata.
pub(crate) fn of<'a>(event: &'a RecordedEvent, key: &str) -> Option<&'a str> {
    let entry = event.metadata.iter().find(|entry| entry.key == key)?;
    Some(&entry.value)
}

/// Id of the ledger that a record's entry names.
pub(crate) fn ledger_id(record: &StoredRecord) -> Option<[u8; 16]> {
    Entry::decode(&record.entry)
        .ok()
        .map(|entry| entry.ledger_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_uuid_of_version_8_and_follows_from_the_data() {
        let one = id(b"one");
        assert_eq!(one[6] >> 4, 8);
        assert_eq!(one[8] >> 6, 2);
        assert_eq!(one, id(b"one"));
        assert_ne!(one, id(b"two"));
        // written down once: whoever resends after an update must send the same
        let hash = blake3::derive_key(ID_CONTEXT, b"one");
        assert_eq!(one[..6], hash[..6]);
        assert_eq!(one[9..], hash[9..16]);
    }

    #[test]
    fn what_is_no_record_is_named() {
        let event = |kind: &str, data: &[u8]| RecordedEvent {
            metadata: vec![MetadataEntry::new(metadata::TYPE, kind)],
            data: Bytes::copy_from_slice(data),
            ..RecordedEvent::default()
        };
        let odd = |kind: &str, data: &[u8]| record(&event(kind, data)).unwrap_err();
        assert_eq!(odd("x", &[0xff; 300]), Odd::Redacted);
        assert_eq!(odd(TYPE, &[0xff; 300]), Odd::Redacted);
        for (kind, data, what) in [
            ("a\u{1b}b", &[1_u8; 300][..], "an event of type `a b`"),
            (TYPE, &[1; 10], "shorter than an entry"),
            (TYPE, &[], "shorter than an entry"),
            (TYPE, &[1; 300], "no entry of a version that is known"),
        ] {
            assert_eq!(odd(kind, data), Odd::Foreign(what.to_owned()));
        }
    }
}
