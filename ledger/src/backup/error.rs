//! Why a ledger was not backed up.

use std::io;
use std::path::{Path, PathBuf};

use crate::ledger::OpenError;
use crate::lock::Holder;
use crate::reader::ReadError;
use crate::settings::SettingsError;

/// Why a ledger was not backed up. Listed in the order the causes are checked; the backup that was
/// there is as it was, or whole up to a later event.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The backup would lie in the ledger's own folder.
    #[error("`{path}` lies in the ledger's folder; name a place elsewhere")]
    Inside {
        /// Where the backup was to go.
        path: PathBuf,
    },
    /// The ledger cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The blinding key cannot be read.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The newest event cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// A file of that name is there.
    #[error("`{path}` is there already; name another file, it is not overwritten")]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// Somebody else writes to the backup.
    #[error("`{path}` is being written by {holder}")]
    Busy {
        /// The backup.
        path: PathBuf,
        /// Who, as far as it is known.
        holder: Box<Holder>,
    },
    /// The folder holds something else.
    #[error("`{path}` holds `{name}`, so it is no backup; name a new folder")]
    NotABackup {
        /// The folder.
        path: PathBuf,
        /// What is in it.
        name: String,
    },
    /// The folder is a backup of another ledger.
    #[error("`{path}` is a backup of another ledger; name another folder")]
    Foreign {
        /// The folder.
        path: PathBuf,
    },
    /// The backup cannot be read.
    #[error("the backup `{path}` is damaged: verify it, and make a new one in a new folder")]
    Target {
        /// The folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Box<OpenError>,
    },
    /// The backup has more events than the ledger.
    #[error(
        "the backup `{path}` has {backup} events and the ledger {size}: the ledger is an older copy, restore the backup instead"
    )]
    Ahead {
        /// The folder.
        path: PathBuf,
        /// Events in the backup.
        backup: u64,
        /// Events in the ledger.
        size: u64,
    },
    /// The backup and the ledger went different ways.
    #[error(
        "the backup `{path}` and the ledger differ below event {backup}: one of them was continued from an older copy; name a new folder and find out which"
    )]
    Forked {
        /// The folder.
        path: PathBuf,
        /// Events in the backup.
        backup: u64,
    },
    /// The folder has the blinding key, and the copy is to be without.
    #[error("the backup `{path}` holds the blinding key; name a new folder for an auditor's copy")]
    BlindThere {
        /// The folder.
        path: PathBuf,
    },
    /// A file of the ledger is not what its footer, its frames or its links say.
    #[error("`{file}` of the ledger is damaged: see `daybook verify`; restore a backup")]
    Damaged {
        /// Name of the file.
        file: String,
    },
    /// The copy is not what the ledger was when the backup began.
    #[error("the copy came to {size} events instead of {expected}; make a new one in a new folder")]
    Differs {
        /// Events in the copy.
        size: u64,
        /// Events in the ledger.
        expected: u64,
    },
    /// The operating system refused.
    #[error("`{path}` could not be used")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
}

/// An error of the operating system about a path.
pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> BackupError + use<> {
    let path = path.to_owned();
    move |source| BackupError::Io {
        path: path.clone(),
        source,
    }
}
