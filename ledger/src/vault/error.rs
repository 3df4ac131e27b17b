//! Why data keys could not be used.

use std::path::PathBuf;

/// Why data keys could not be used. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The operating system refused.
    #[error("the data keys in `{path}` could not be used")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Others than the owner may read the file, or have been able to.
    #[error("`{path}` can be read by others; make it yours alone with `chmod 600`")]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The file does not begin as a file of data keys does.
    #[error(
        "`{path}` is no file of data keys, or its header is damaged; restore it from its backup"
    )]
    Header {
        /// The file.
        path: PathBuf,
    },
    /// A newer version wrote the file.
    #[error("`{path}` has version {found} of data keys; this version reads 1")]
    Version {
        /// The file.
        path: PathBuf,
        /// The version found.
        found: u32,
    },
    /// The file belongs to another ledger.
    #[error("`{path}` holds the data keys of another ledger; name the right folder with --keys")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// There are more keys than can be held.
    #[error("`{path}` holds more keys than this version reads")]
    TooMany {
        /// The file.
        path: PathBuf,
    },
    /// A record is not what was written.
    #[error("`{path}` is damaged at byte {offset}; restore it from its backup")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the record begins.
        offset: u64,
    },
}
