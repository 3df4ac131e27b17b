//! Making proofs from a ledger. Every proof is checked before it is handed out.

use std::path::Path;

use ledger::checkpoint::{Checkpoint, CheckpointError};
use ledger::note::{Note, NoteError};
use ledger::payload::SALT_BYTES;
use ledger::tree::{ProofError, leaf_hash, verify_consistency, verify_inclusion};
use ledger::{CHECKPOINT_FILE, Entry, KeptNote, ReadError, Reader, StoredRecord, rung};

use crate::proof::{GrowthFile, Opened, OpenedError, ProofFile};

/// Why there is no proof. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum ProveError {
    /// Nothing was signed, or not that.
    #[error("the ledger has no checkpoint `{name}`")]
    NoCheckpoint {
        /// Its file.
        name: String,
    },
    /// A checkpoint cannot be read.
    #[error("`{name}` could not be read")]
    Io {
        /// Its file.
        name: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// A checkpoint is no signed note.
    #[error("a checkpoint of the ledger cannot be read")]
    Note(#[from] NoteError),
    /// A note is no checkpoint.
    #[error("a checkpoint of the ledger cannot be read")]
    Checkpoint(#[from] CheckpointError),
    /// The event came after the checkpoint.
    #[error("event {position} came after the checkpoint of {size} events")]
    NotCovered {
        /// Position of the event.
        position: u64,
        /// Size of the checkpoint.
        size: u64,
    },
    /// The earlier size lies beyond the later.
    #[error("{old} events are no beginning of {new}")]
    Order {
        /// The earlier size.
        old: u64,
        /// The later one.
        new: u64,
    },
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Entry and payloads do not belong together.
    #[error(transparent)]
    Opened(#[from] OpenedError),
    /// The ledger does not lead to its own checkpoint.
    #[error("the ledger does not lead to its checkpoint: {0}")]
    Proof(#[from] ProofError),
}

/// A checkpoint of the ledger in a folder: the newest, or the one of a size.
///
/// # Errors
/// [`ProveError::NoCheckpoint`], or when it cannot be read.
pub fn checkpoint(dir: &Path, size: Option<u64>) -> Result<(Note, Checkpoint), ProveError> {
    let name = size.map_or_else(|| CHECKPOINT_FILE.to_owned(), rung);
    let kept = match KeptNote::read(&dir.join(&name), name.clone()) {
        Ok(kept) => kept,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(ProveError::NoCheckpoint { name });
        }
        Err(source) => return Err(ProveError::Io { name, source }),
    };
    let note = Note::parse(&kept.bytes)?;
    let checkpoint = Checkpoint::parse(note.text())?;
    Ok((note, checkpoint))
}

/// The event as it is handed out: without its private part unless that is asked for, and was not
/// erased.
///
/// # Errors
/// When the event was pruned, or the private part is asked for but its data key is not at hand.
pub fn opened(
    reader: &Reader,
    stored: StoredRecord,
    with_private: bool,
) -> Result<Opened, ReadError> {
    if stored.as_ref().is_pruned() {
        let position = Entry::peek_position(&stored.entry);
        return Err(ReadError::Pruned { position });
    }
    let content = if with_private {
        reader.private_content(stored.as_ref())?
    } else {
        None
    };
    let private = content
        .as_ref()
        .and_then(|content| content.split_first_chunk::<SALT_BYTES>())
        .map(|(salt, private)| (*salt, private.to_vec()));
    Ok(Opened {
        entry: stored.entry,
        public: stored.public,
        private,
    })
}

/// The proof that the event at a position is under a checkpoint.
///
/// # Errors
/// [`ProveError`].
pub fn inclusion(
    reader: &Reader,
    (note, checkpoint): &(Note, Checkpoint),
    position: u64,
    with_private: bool,
) -> Result<ProofFile, ProveError> {
    let size = checkpoint.size;
    let not_covered = || ProveError::NotCovered { position, size };
    if position >= size {
        return Err(not_covered());
    }
    let stored = reader.get_stored(position)?.ok_or_else(not_covered)?;
    let event = opened(reader, stored, with_private)?;
    event.check(position, &checkpoint.origin)?;
    let hashes = reader
        .tree()
        .inclusion(position, size)?
        .ok_or_else(not_covered)?;
    let leaf = leaf_hash(&event.entry);
    verify_inclusion(position, size, &leaf, &hashes, &checkpoint.root)?;
    Ok(ProofFile {
        event: Some(event),
        index: position,
        hashes,
        checkpoint: note.clone(),
    })
}

/// The proof that the first `old` events are the beginning of a checkpoint.
///
/// # Errors
/// [`ProveError`].
pub fn consistency(
    reader: &Reader,
    (note, checkpoint): &(Note, Checkpoint),
    old: u64,
) -> Result<GrowthFile, ProveError> {
    let new = checkpoint.size;
    let tree = reader.tree();
    let hashes = tree.consistency(old, new)?;
    let hashes = hashes.ok_or(ProveError::Order { old, new })?;
    let old_root = tree.root(old)?;
    verify_consistency(old, new, &old_root, &checkpoint.root, &hashes)?;
    Ok(GrowthFile {
        old,
        hashes,
        checkpoint: note.clone(),
    })
}
