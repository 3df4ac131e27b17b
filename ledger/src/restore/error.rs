//! Why a backup was not restored.

use std::io;
use std::path::{Path, PathBuf};

use crate::ledger::OpenError;
use crate::ustar::ArchiveError;
use crate::verify::Fault;

/// Why a backup was not restored. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The place is taken.
    #[error("`{path}` is there already; name a folder that is not there yet with --ledger")]
    Exists {
        /// The folder.
        path: PathBuf,
    },
    /// A restore was cut short, or is under way.
    #[error("`{path}` is left of a restore that was cut short: remove it, unless one is running")]
    Leftover {
        /// The folder.
        path: PathBuf,
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
    /// The archive is damaged, or no archive that is read.
    #[error("`{path}` cannot be unpacked")]
    Archive {
        /// The archive.
        path: PathBuf,
        /// The cause.
        #[source]
        source: ArchiveError,
    },
    /// The archive ends in the middle.
    #[error("`{path}` is cut short: it has no end")]
    Cut {
        /// The archive.
        path: PathBuf,
    },
    /// The archive holds what no ledger does.
    #[error("`{path}` holds `{name}`, which is no file of a ledger; nothing of it was kept")]
    Unknown {
        /// The archive.
        path: PathBuf,
        /// Path in it.
        name: String,
    },
    /// A file is longer than one of its kind is.
    #[error("`{name}` in `{path}` has {length} bytes, at most {most} are read")]
    TooLong {
        /// The backup.
        path: PathBuf,
        /// Path in it.
        name: String,
        /// Its length.
        length: u64,
        /// Most bytes of its kind.
        most: u64,
    },
    /// A file comes twice.
    #[error("`{path}` holds `{name}` twice")]
    Twice {
        /// The archive.
        path: PathBuf,
        /// Path in it.
        name: String,
    },
    /// What was unpacked is no ledger that can be read.
    #[error("what `{path}` holds cannot be read as a ledger")]
    Open {
        /// The backup.
        path: PathBuf,
        /// The cause.
        #[source]
        source: Box<OpenError>,
    },
    /// What was unpacked does not verify.
    #[error("what `{path}` holds does not verify: {}", told(.faults))]
    Faults {
        /// The backup.
        path: PathBuf,
        /// Every fault, by position.
        faults: Vec<Fault>,
    },
}

/// The first fault and how many more there are.
fn told(faults: &[Fault]) -> String {
    let Some(first) = faults.first() else {
        return "nothing is wrong".to_owned();
    };
    let at = first
        .position
        .map_or_else(String::new, |position| format!(" at position {position}"));
    let more = match faults.len() - 1 {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    format!(
        "{} in `{}`{at}, {}{more}",
        first.class, first.file, first.detail
    )
}

/// An error of the operating system about a path.
pub(super) fn at(path: &Path) -> impl Fn(io::Error) -> RestoreError + use<> {
    let path = path.to_owned();
    move |source| RestoreError::Io {
        path: path.clone(),
        source,
    }
}
