//! The last checkpoint signed, kept with the keys and out of reach of the ledger's folder.
//!
//! A restored old backup, or a second writer's copy, is a ledger that does not contain what was
//! signed: it is refused before anything is appended or signed (tlog.md 4.5, "compare and swap").
//! The record is changed only by who knows what it held, under a lock.

use std::fs::{File, TryLockError};
use std::io;
use std::path::PathBuf;

use ledger::checkpoint::{Checkpoint, CheckpointError};
use ledger::note::{Note, NoteError};
use ledger::{KeptNote, ReadError, Reader};

use crate::durable::{Readers, replace};
use crate::keys::KeyFolder;

/// Name of the file with the last checkpoint signed.
pub const HEAD_FILE: &str = "head";

/// Name of the file that is locked while the head is changed.
const LOCK_FILE: &str = "head.lock";

/// Why a ledger is not the one that was signed, or the record of it cannot be used. Listed in the
/// order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    /// The operating system refused.
    #[error("`{path}` could not be used")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// Another process is signing.
    #[error("another process is signing for this ledger")]
    Busy,
    /// The record is no signed note.
    #[error("the record of the last checkpoint cannot be read")]
    Note(#[from] NoteError),
    /// The record is no checkpoint.
    #[error("the record of the last checkpoint cannot be read")]
    Checkpoint(#[from] CheckpointError),
    /// The keys are another ledger's.
    #[error("the keys have signed for `{signed}`, this ledger is `{origin}`")]
    Origin {
        /// Origin that was signed.
        signed: String,
        /// Origin of the ledger.
        origin: String,
    },
    /// The ledger ends before what was signed.
    #[error(
        "the last checkpoint counts {signed} events, this ledger ends after {size}: it is an older copy"
    )]
    Older {
        /// Events signed.
        signed: u64,
        /// Events there are.
        size: u64,
    },
    /// The ledger's beginning is not what was signed.
    #[error(
        "the first {signed} events are not those that were signed: another writer's copy, or a changed one"
    )]
    Forked {
        /// Events signed.
        signed: u64,
    },
    /// The ledger was signed beyond the record: the keys are the older copy.
    #[error(
        "the ledger has a checkpoint of {signed} events, the record in the keys folder ends at {known}: the keys folder is an older copy"
    )]
    RecordOlder {
        /// Events of the ledger's checkpoint.
        signed: u64,
        /// Events of the record.
        known: u64,
    },
    /// Someone else signed since the record was read.
    #[error("another writer signed a checkpoint meanwhile")]
    Moved,
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// The last checkpoint signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The note itself.
    pub note: Note,
}

impl Head {
    /// The record in a keys folder; `None` when nothing was signed yet.
    ///
    /// # Errors
    /// When the record cannot be read.
    pub fn read(keys: &KeyFolder) -> Result<Option<Self>, HeadError> {
        let path = keys.dir().join(HEAD_FILE);
        let kept = match KeptNote::read(&path, HEAD_FILE.to_owned()) {
            Ok(kept) => kept,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(HeadError::Io { path, source }),
        };
        Self::of(Note::parse(&kept.bytes)?).map(Some)
    }

    fn of(note: Note) -> Result<Self, HeadError> {
        Ok(Self {
            checkpoint: Checkpoint::parse(note.text())?,
            note,
        })
    }

    /// Checks that a ledger contains what was signed: to be called before anything is appended.
    ///
    /// # Errors
    /// [`HeadError::Origin`], [`HeadError::Older`], [`HeadError::Forked`], or when the ledger cannot
    /// be read.
    pub fn check(&self, reader: &Reader) -> Result<(), HeadError> {
        let signed = self.checkpoint.size;
        if self.checkpoint.origin != reader.origin() {
            return Err(HeadError::Origin {
                signed: self.checkpoint.origin.clone(),
                origin: reader.origin().to_owned(),
            });
        }
        if signed > reader.size() {
            return Err(HeadError::Older {
                signed,
                size: reader.size(),
            });
        }
        if reader.tree().root(signed)? != self.checkpoint.root {
            return Err(HeadError::Forked { signed });
        }
        Ok(())
    }
}

/// Replaces the record, if it still is what the caller knows.
///
/// # Errors
/// [`HeadError::Busy`], [`HeadError::Moved`], or when a file cannot be used.
pub(crate) fn swap(keys: &KeyFolder, known: Option<&Head>, next: &Note) -> Result<(), HeadError> {
    let path = keys.dir().join(LOCK_FILE);
    let fail = |source| HeadError::Io {
        path: path.clone(),
        source,
    };
    let lock = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(fail)?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(HeadError::Busy),
        Err(TryLockError::Error(source)) => return Err(fail(source)),
    }
    if Head::read(keys)?.as_ref() != known {
        return Err(HeadError::Moved);
    }
    replace(
        keys.dir(),
        HEAD_FILE,
        next.to_string().as_bytes(),
        Readers::Owner,
    )
    .map_err(|source| HeadError::Io {
        path: keys.dir().join(HEAD_FILE),
        source,
    })
}
