//! Why a super-log is not made, opened or written.

use ledger::checkpoint::CheckpointError;
use ledger::note::NoteError;
use ledger::settings::ORIGIN_BYTES_MAX;

use super::folder::FolderError;
use super::pending::LEAVES_MAX;

/// Why a super-log is not made. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// A file could not be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// There is one already.
    #[error("the folder has a super-log already: open it")]
    Exists,
    /// Another writer has it.
    #[error("another program writes to this super-log")]
    Locked,
    /// The key's name, which is the origin, is too long to be cosigned (C2SP tlog-cosignature).
    #[error("the name of the key has {bytes} bytes, more than {ORIGIN_BYTES_MAX}")]
    Origin {
        /// Its length.
        bytes: usize,
    },
    /// The name of the key cannot stand in a note.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// Why a super-log is not opened. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// A file could not be used.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// No super-log, or one of another version.
    #[error("the folder has no super-log of version 1")]
    Absent,
    /// Another writer has it.
    #[error("another program writes to this super-log")]
    Locked,
    /// The key signs under another name than the super-log's.
    #[error("the super-log is `{origin}`, which the key does not sign for")]
    OtherKey {
        /// Origin of the super-log.
        origin: String,
    },
    /// The secret is not the one the origins were blinded with.
    #[error("the blinding secret is not the one of this super-log")]
    OtherBlind,
    /// A file that must be there is not.
    #[error("`{path}` is missing")]
    Missing {
        /// Path in the super-log's folder.
        path: String,
    },
    /// The checkpoint is malformed.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The checkpoint is not signed by the key.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The checkpoint is that of another log.
    #[error("the checkpoint is that of `{origin}`")]
    Origin {
        /// What it says.
        origin: String,
    },
    /// A bundle has not the leaves that the checkpoint asks for.
    #[error("`{path}` is not the bundle of leaves that the checkpoint asks for")]
    Bundle {
        /// Path in the super-log's folder.
        path: String,
    },
    /// A tile has not the hashes of the entries.
    #[error("`{path}` is not the tile that the entries lead to")]
    Tile {
        /// Path in the super-log's folder.
        path: String,
    },
    /// The entries do not lead to the root that was signed.
    #[error("the entries do not lead to the root of the checkpoint")]
    Root,
    /// The leaves of an append under way are not whole, or do not follow.
    #[error(
        "`pending` does not follow the checkpoint of {size} leaves: the files are of two copies"
    )]
    Pending {
        /// Size of the checkpoint.
        size: u64,
    },
    /// There are leaves that the checkpoint does not know of.
    #[error("`{path}` is beyond the checkpoint of {size} leaves: the checkpoint is an older copy")]
    Ahead {
        /// Path in the super-log's folder.
        path: String,
        /// Size of the checkpoint.
        size: u64,
    },
}

/// Why statements were not added. Listed in the order the causes are checked; with any of the
/// first four nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// A write failed before; what is on disk is completed when the super-log is opened again.
    #[error("an earlier write to the super-log failed: open it again")]
    Broken,
    /// More than one append takes.
    #[error("{count} statements are more than the {LEAVES_MAX} of one append")]
    TooMany {
        /// How many there were.
        count: usize,
    },
    /// The tenant's ledger went back.
    #[error("`{origin}` was stated with {last} entries and now has {size}: it is an older copy")]
    Backwards {
        /// Origin of the tenant's ledger.
        origin: String,
        /// Size it was stated with last.
        last: u64,
        /// Size it has now.
        size: u64,
    },
    /// The tenant's ledger has two histories.
    #[error("`{origin}` was stated with another root or chain value at {size} entries")]
    Forked {
        /// Origin of the tenant's ledger.
        origin: String,
        /// The size in question.
        size: u64,
    },
    /// A file could not be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// The checkpoint could not be signed.
    #[error(transparent)]
    Note(#[from] NoteError),
}

/// Why a cosigned checkpoint was not kept. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// Not the newest checkpoint.
    #[error("the note is not the checkpoint of the super-log as it is now")]
    Other,
    /// The super-log's own signature does not hold or is not there.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The file could not be written.
    #[error(transparent)]
    Folder(#[from] FolderError),
}
