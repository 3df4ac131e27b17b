//! An event in full: entry, public payload and, where it is shown, the private one.

use ledger::payload::{SALT_BYTES, private_commit, public_hash};
use ledger::{Entry, EntryError, hash};

/// First bytes of an event in a proof file.
const MAGIC: &[u8; 4] = b"LGX1";

/// An event as it is handed to an outsider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The entry.
    pub entry: [u8; 256],
    /// The public payload.
    pub public: Vec<u8>,
    /// Salt and private payload, when they are shown.
    pub private: Option<([u8; SALT_BYTES], Vec<u8>)>,
}

/// Why bytes are no event, or not the one the tree holds. Listed in the order the causes are
/// checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenedError {
    /// Not `LGX1`, or lengths that do not fit together.
    #[error("the event in the proof is not in the format `LGX1`")]
    Shape,
    /// The entry is not in the format.
    #[error("the entry in the proof cannot be read")]
    Entry(#[from] EntryError),
    /// The entry says another position.
    #[error("the entry is that of position {found}, not {wanted}")]
    Position {
        /// Position in the entry.
        found: u64,
        /// Position proven.
        wanted: u64,
    },
    /// The entry is another ledger's.
    #[error("the entry belongs to another ledger")]
    Ledger,
    /// The public payload is not the one hashed.
    #[error("the public payload is not the one hashed")]
    Public,
    /// The private payload is not the one committed to.
    #[error("the private payload is not the one committed to")]
    Private,
}

impl Opened {
    /// Reads `LGX1`: u32 256, the entry; u32 length, the public payload; u8 0, or u8 1, the salt,
    /// u32 length and the private payload. Numbers are big-endian.
    ///
    /// # Errors
    /// [`OpenedError::Shape`].
    pub fn parse(bytes: &[u8]) -> Result<Self, OpenedError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(OpenedError::Shape)?;
        let (entry, rest) = counted(rest)?;
        let entry = entry.try_into().or(Err(OpenedError::Shape))?;
        let (public, rest) = counted(rest)?;
        let private = match rest.split_first() {
            Some((0, [])) => None,
            Some((1, rest)) => {
                let (salt, rest) = rest
                    .split_first_chunk::<SALT_BYTES>()
                    .ok_or(OpenedError::Shape)?;
                let (private, rest) = counted(rest)?;
                if !rest.is_empty() {
                    return Err(OpenedError::Shape);
                }
                Some((*salt, private.to_vec()))
            }
            _ => return Err(OpenedError::Shape),
        };
        Ok(Self {
            entry,
            public: public.to_vec(),
            private,
        })
    }

    /// The bytes that [`Opened::parse`] reads.
    pub fn bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        put(&mut bytes, &self.entry);
        put(&mut bytes, &self.public);
        match &self.private {
            None => bytes.push(0),
            Some((salt, private)) => {
                bytes.push(1);
                bytes.extend_from_slice(salt);
                put(&mut bytes, private);
            }
        }
        bytes
    }

    /// Checks that entry and payloads belong together, at a position of a ledger.
    ///
    /// # Errors
    /// All of [`OpenedError`] but the first.
    pub fn check(&self, position: u64, origin: &str) -> Result<Entry, OpenedError> {
        let entry = Entry::decode(&self.entry)?;
        if entry.position != position {
            return Err(OpenedError::Position {
                found: entry.position,
                wanted: position,
            });
        }
        if entry.ledger_id != hash::ledger_id(origin) {
            return Err(OpenedError::Ledger);
        }
        let length = usize::try_from(entry.public_length).unwrap_or(usize::MAX);
        if length != self.public.len()
            || public_hash(entry.schema, &self.public) != entry.public_hash
        {
            return Err(OpenedError::Public);
        }
        if let Some((salt, private)) = &self.private {
            let commit = private_commit(salt, entry.schema, private);
            if !entry.has_private() || commit != entry.private_commit {
                return Err(OpenedError::Private);
            }
        }
        Ok(entry)
    }
}

/// Bytes behind their length as u32, and what follows.
fn counted(bytes: &[u8]) -> Result<(&[u8], &[u8]), OpenedError> {
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or(OpenedError::Shape)?;
    let length = usize::try_from(u32::from_be_bytes(*length)).or(Err(OpenedError::Shape))?;
    rest.split_at_checked(length).ok_or(OpenedError::Shape)
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}
