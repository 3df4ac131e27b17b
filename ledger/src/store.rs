//! What a store of entries owes the ledger.

use crate::entry::{ENTRY_BYTES, Entry};
use crate::event::Position;
use crate::hash::Hash;
use crate::tiles::TileError;

/// A record as stored: entry and payload bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRecord {
    /// The entry.
    pub entry: [u8; ENTRY_BYTES],
    /// The public payload, exactly as hashed.
    pub public: Vec<u8>,
    /// Salt and private payload; empty when there is none or it was erased.
    pub private: Vec<u8>,
}

/// A record to be stored, borrowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordRef<'a> {
    /// The entry.
    pub entry: &'a [u8; ENTRY_BYTES],
    /// The public payload, exactly as hashed.
    pub public: &'a [u8],
    /// Salt and private payload; empty when there is none.
    pub private: &'a [u8],
}

impl RecordRef<'_> {
    /// Whether its payloads were pruned: only the entry is left.
    pub fn is_pruned(&self) -> bool {
        self.public.is_empty() && Entry::peek_public_length(self.entry) > 0
    }
}

impl StoredRecord {
    /// Borrows the record.
    pub fn as_ref(&self) -> RecordRef<'_> {
        RecordRef {
            entry: &self.entry,
            public: &self.public,
            private: &self.private,
        }
    }
}

/// Keeps records in order.
///
/// Obligations of an implementation:
///
/// - **Durable on return.** When `append` returns `Ok`, the records survive the loss of power.
/// - **Atomic.** Every record of an append is visible to readers, or none.
/// - **Gapless.** Positions are 0, 1, 2, …; what was appended is never changed, moved or dropped.
/// - **Exact.** An append names the position it expects; it is refused when the store is elsewhere.
/// - **Idempotent.** An append whose very records are already stored at the expected position is
///   `Ok` and changes nothing, so that a retry after a lost answer is safe.
/// - **Honest after failure.** After a failed write or sync the store refuses further appends
///   until it is opened again, because what reached the disk is then unknown.
pub trait Store {
    /// Number of records.
    fn size(&self) -> u64;

    /// Chain value of the newest entry, or of the genesis when there is none.
    fn head_chain(&self) -> Hash;

    /// Appends records at the expected position; `head_chain` is the chain value of the last.
    ///
    /// # Errors
    /// When the store is at another position, was poisoned, or cannot write.
    fn append(
        &mut self,
        expected: Position,
        records: &[RecordRef<'_>],
        head_chain: &Hash,
    ) -> Result<(), StoreError>;

    /// Reads one record, `None` past the end.
    ///
    /// # Errors
    /// When the record is damaged or cannot be read.
    fn get(&self, position: Position) -> Result<Option<StoredRecord>, StoreError>;
}

/// Why a store did not do what was asked. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// An earlier write failed; what is on disk is unknown until the store is opened again.
    #[error("an earlier write failed, so the ledger must be opened again before appending")]
    Poisoned,
    /// The store is not where the writer believes.
    #[error("the store holds {actual} records, not {expected}")]
    Expected {
        /// Position the append expected.
        expected: Position,
        /// Position the store is at.
        actual: Position,
    },
    /// A record is longer than a frame can say.
    #[error("the record at position {position} has {bytes} bytes, more than a frame can hold")]
    TooLong {
        /// Position of the record.
        position: Position,
        /// Its length.
        bytes: usize,
    },
    /// Stored bytes are not what was written.
    #[error("`{file}` is damaged at byte {offset}, position {position}")]
    Damaged {
        /// Name of the file.
        file: String,
        /// Offset of the frame in the file.
        offset: u64,
        /// Position of the record, or of the next one.
        position: Position,
    },
    /// The operating system refused.
    #[error("`{file}` could not be used")]
    Io {
        /// Name of the file.
        file: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A record is not the next one of this ledger.
    #[error("the record at position {position} does not continue the ledger: {what}")]
    Misfit {
        /// Position of the record.
        position: Position,
        /// Why not.
        what: &'static str,
    },
    /// The tiles beside the records are not those of its entries.
    #[error(transparent)]
    Tiles(#[from] TileError),
    /// A store on other machines did not do it; the cause says why and what to do.
    #[error("the store did not answer as asked")]
    Remote {
        /// The cause.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
