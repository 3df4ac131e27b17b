//! The 256-byte entry `LGE1`: header of an event, link of the chain and leaf of the tree.
//!
//! All integers are big-endian. The layout is `docs/format.md`, section "Entry". Deliberately not
//! here: payload bytes, of which an entry holds only hashes, so that entries can be published and
//! kept for ever.

use crate::event::{EventId, EventType, Position};
use crate::hash::Hash;

/// Bytes of an entry: four BLAKE3 blocks.
pub const ENTRY_BYTES: usize = 256;

/// First bytes of an entry.
pub const ENTRY_MAGIC: [u8; 4] = *b"LGE1";

/// Where the chain value of the entry before stands: the last 32 bytes.
pub(crate) const CHAIN_AT: usize = 224;

/// Stored for "no previous event in this stream".
const NO_POSITION: u64 = u64::MAX;

/// An entry, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Type of the event.
    pub event_type: EventType,
    /// [`Entry::PRIVATE`] and its siblings.
    pub flags: u16,
    /// Index in the ledger.
    pub position: Position,
    /// When the ledger recorded it, Unix milliseconds; never decreases.
    pub recorded_at_ms: u64,
    /// Identity of the change.
    pub event_id: EventId,
    /// Id of the ledger, derived from its origin.
    pub ledger_id: [u8; 16],
    /// 0-based index within the stream.
    pub revision: u64,
    /// Position of the stream's previous event.
    pub stream_prev: Option<Position>,
    /// Number of the payload schema.
    pub schema: u32,
    /// Bytes of the public payload.
    pub public_length: u32,
    /// When it happened, Unix milliseconds, rounded toward zero; the payload has full precision.
    pub occurred_at_ms: i64,
    /// Dense number of the stream, 0-based by first appearance.
    pub stream_no: u32,
    /// Blinded name of the stream.
    pub stream_id: Hash,
    /// Blinded name of the actor; zero when none was told.
    pub actor_id: Hash,
    /// Hash of the public payload.
    pub public_hash: Hash,
    /// Salted commitment to the private payload; zero when there is none.
    pub private_commit: Hash,
    /// Chain value of the entry before.
    pub prev_chain: Hash,
}

/// Why 256 bytes are not an entry. Listed in the order they are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// The first four bytes are not `LGE1`.
    #[error("the entry begins with {found:02x?}, not with `LGE1`")]
    Magic {
        /// The bytes found.
        found: [u8; 4],
    },
    /// A flag is set that this version does not know.
    #[error("the entry has unknown flags {flags:#06x}")]
    Flags {
        /// All flags found.
        flags: u16,
    },
    /// Reserved bytes are not zero.
    #[error("the entry's reserved bytes are {found:#010x}, not zero")]
    Reserved {
        /// The bytes found.
        found: u32,
    },
    /// There is a commitment but no private part, by the flags.
    #[error("the entry commits to a private part its flags deny")]
    Commitment,
    /// A private part that is not there cannot be encrypted.
    #[error("the entry says that a private part its flags deny is encrypted")]
    Encrypted,
    /// `ledger.redacted` events carry the redaction flag, and no others do.
    #[error("the entry's redaction flag does not fit its type")]
    Redaction,
}

impl Entry {
    /// The event has a private part (its bytes may have been erased since).
    pub const PRIVATE: u16 = 1;
    /// The private part is encrypted at rest. Clear in entries of the first versions only.
    pub const ENCRYPTED: u16 = 1 << 1;
    /// The event says that private parts were erased: `ledger.redacted`.
    pub const REDACTION: u16 = 1 << 2;
    /// The event is the ledger's own.
    pub const SYSTEM: u16 = 1 << 3;

    const KNOWN_FLAGS: u16 = Self::PRIVATE | Self::ENCRYPTED | Self::REDACTION | Self::SYSTEM;

    /// The 256 bytes.
    pub fn encode(&self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        let mut rest = Room(&mut bytes);
        rest.put(&ENTRY_MAGIC);
        rest.put(&self.event_type.0.to_be_bytes());
        rest.put(&self.flags.to_be_bytes());
        rest.put(&self.position.to_be_bytes());
        rest.put(&self.recorded_at_ms.to_be_bytes());
        rest.put(&self.event_id.0);
        rest.put(&self.ledger_id);
        rest.put(&self.revision.to_be_bytes());
        rest.put(&self.stream_prev.unwrap_or(NO_POSITION).to_be_bytes());
        rest.put(&self.schema.to_be_bytes());
        rest.put(&self.public_length.to_be_bytes());
        rest.put(&self.occurred_at_ms.to_be_bytes());
        rest.put(&self.stream_no.to_be_bytes());
        rest.put(&[0; 4]);
        rest.put(&self.stream_id);
        rest.put(&self.actor_id);
        rest.put(&self.public_hash);
        rest.put(&self.private_commit);
        rest.put(&self.prev_chain);
        bytes
    }

    /// Reads 256 bytes, strictly: [`Entry::encode`] gives the same bytes back.
    ///
    /// # Errors
    /// When the bytes are not an entry of this version.
    pub fn decode(bytes: &[u8; ENTRY_BYTES]) -> Result<Self, EntryError> {
        let mut fields = Fields(bytes);
        let magic = fields.take();
        if magic != ENTRY_MAGIC {
            return Err(EntryError::Magic { found: magic });
        }
        let event_type = EventType(u16::from_be_bytes(fields.take()));
        let flags = u16::from_be_bytes(fields.take());
        if flags & !Self::KNOWN_FLAGS != 0 {
            return Err(EntryError::Flags { flags });
        }
        let position = u64::from_be_bytes(fields.take());
        let recorded_at_ms = u64::from_be_bytes(fields.take());
        let event_id = EventId(fields.take());
        let ledger_id = fields.take();
        let revision = u64::from_be_bytes(fields.take());
        let stream_prev = Some(u64::from_be_bytes(fields.take())).filter(|at| *at != NO_POSITION);
        let schema = u32::from_be_bytes(fields.take());
        let public_length = u32::from_be_bytes(fields.take());
        let occurred_at_ms = i64::from_be_bytes(fields.take());
        let stream_no = u32::from_be_bytes(fields.take());
        let reserved = u32::from_be_bytes(fields.take());
        if reserved != 0 {
            return Err(EntryError::Reserved { found: reserved });
        }
        let entry = Self {
            event_type,
            flags,
            position,
            recorded_at_ms,
            event_id,
            ledger_id,
            revision,
            stream_prev,
            schema,
            public_length,
            occurred_at_ms,
            stream_no,
            stream_id: fields.take(),
            actor_id: fields.take(),
            public_hash: fields.take(),
            private_commit: fields.take(),
            prev_chain: fields.take(),
        };
        if !entry.has_private() && entry.private_commit != [0; 32] {
            return Err(EntryError::Commitment);
        }
        if !entry.has_private() && entry.is_encrypted() {
            return Err(EntryError::Encrypted);
        }
        if entry.is_redaction() != (entry.event_type == EventType::REDACTED) {
            return Err(EntryError::Redaction);
        }
        Ok(entry)
    }

    /// Whether the event has a private part.
    pub fn has_private(&self) -> bool {
        self.flags & Self::PRIVATE != 0
    }

    /// Whether the private part is encrypted at rest.
    pub fn is_encrypted(&self) -> bool {
        self.flags & Self::ENCRYPTED != 0
    }

    /// Whether the event says that private parts were erased.
    pub fn is_redaction(&self) -> bool {
        self.flags & Self::REDACTION != 0
    }

    /// The event type of an encoded entry, without reading the rest.
    pub fn peek_event_type(bytes: &[u8; ENTRY_BYTES]) -> EventType {
        let mut fields = Fields(bytes.split_at(4).1);
        EventType(u16::from_be_bytes(fields.take()))
    }

    /// The flags of an encoded entry, without reading the rest.
    pub fn peek_flags(bytes: &[u8; ENTRY_BYTES]) -> u16 {
        let mut fields = Fields(bytes.split_at(6).1);
        u16::from_be_bytes(fields.take())
    }

    /// The event id of an encoded entry, without reading the rest.
    pub(crate) fn peek_event_id(bytes: &[u8; ENTRY_BYTES]) -> EventId {
        let mut fields = Fields(bytes.split_at(24).1);
        EventId(fields.take())
    }

    /// The length of an encoded entry's public payload, without reading the rest.
    pub fn peek_public_length(bytes: &[u8; ENTRY_BYTES]) -> u32 {
        let mut fields = Fields(bytes.split_at(76).1);
        u32::from_be_bytes(fields.take())
    }

    /// The position of an encoded entry, without reading the rest.
    pub fn peek_position(bytes: &[u8; ENTRY_BYTES]) -> Position {
        let mut fields = Fields(bytes.split_at(8).1);
        u64::from_be_bytes(fields.take())
    }
}

/// What is left to fill of some bytes; fields that do not fit are left out.
pub(crate) struct Room<'a>(pub(crate) &'a mut [u8]);

impl Room<'_> {
    pub(crate) fn put(&mut self, field: &[u8]) {
        if let Some((to, rest)) = std::mem::take(&mut self.0).split_at_mut_checked(field.len()) {
            to.copy_from_slice(field);
            self.0 = rest;
        }
    }
}

/// Takes fields from the front of bytes whose length was checked; past the end it reads zeros.
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl Fields<'_> {
    pub(crate) fn take<const N: usize>(&mut self) -> [u8; N] {
        match self.0.split_first_chunk::<N>() {
            Some((field, rest)) => {
                self.0 = rest;
                *field
            }
            None => [0; N],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    prop_compose! {
        fn entries()(
            numbers in any::<(u16, u64, u64, u64, u64, u32, u32, i64, u32)>(),
            ids in any::<([u8; 16], [u8; 16])>(),
            hashes in any::<([u8; 32], [u8; 32], [u8; 32], [u8; 32], [u8; 32])>(),
            flags in 0_u16..16,
        ) -> Entry {
            let (event_type, position, recorded, revision, prev, schema, length, occurred, no) =
                numbers;
            let event_type = if flags & Entry::REDACTION == 0 { event_type & 0xff } else { 0x0b09 };
            let flags = if flags & Entry::PRIVATE == 0 { flags & !Entry::ENCRYPTED } else { flags };
            Entry {
                event_type: EventType(event_type),
                flags,
                position,
                recorded_at_ms: recorded,
                event_id: EventId(ids.0),
                ledger_id: ids.1,
                revision,
                stream_prev: (prev % 3 != 0 && prev != u64::MAX).then_some(prev),
                schema,
                public_length: length,
                occurred_at_ms: occurred,
                stream_no: no,
                stream_id: hashes.0,
                actor_id: hashes.1,
                public_hash: hashes.2,
                private_commit: if flags & Entry::PRIVATE == 0 { [0; 32] } else { hashes.3 },
                prev_chain: hashes.4,
            }
        }
    }

    proptest! {
        #[test]
        fn an_entry_comes_back_as_it_was(entry in entries()) {
            let bytes = entry.encode();
            prop_assert_eq!(Entry::peek_event_type(&bytes), entry.event_type);
            prop_assert_eq!(Entry::peek_position(&bytes), entry.position);
            prop_assert_eq!(Entry::decode(&bytes).unwrap(), entry);
        }

        #[test]
        fn whatever_decodes_encodes_to_the_same_bytes(entry in entries(), at in 0_usize..256, bit in 0_u8..8) {
            let mut bytes = entry.encode();
            bytes[at] ^= 1 << bit;
            if let Ok(decoded) = Entry::decode(&bytes) {
                prop_assert_eq!(decoded.encode(), bytes);
            }
        }
    }

    #[test]
    fn foreign_bytes_are_refused_with_what_was_found() {
        let good = Entry::decode(&{
            let mut bytes = [0; 256];
            bytes[..4].copy_from_slice(b"LGE1");
            bytes
        })
        .unwrap()
        .encode();
        let with = |at: usize, byte: u8| {
            let mut bytes = good;
            bytes[at] = byte;
            Entry::decode(&bytes).unwrap_err()
        };
        assert_eq!(with(3, b'2'), EntryError::Magic { found: *b"LGE2" });
        assert_eq!(with(6, 1), EntryError::Flags { flags: 0x100 });
        assert_eq!(with(95, 1), EntryError::Reserved { found: 1 });
        assert_eq!(with(192, 1), EntryError::Commitment);
        assert_eq!(with(7, 0b0010), EntryError::Encrypted);
        assert_eq!(with(7, 0b0100), EntryError::Redaction);
    }
}
