//! A ledger's folder made again from a backup.
//!
//! What a backup holds is checked like anything that comes from outside: an archive is read
//! strictly and gives files of a ledger only, none larger than its kind, none twice, no links. All
//! of it is unpacked beside the place it is for, made durable and verified byte for byte before the
//! folder gets its name; whatever goes wrong before leaves nothing behind.

mod error;
mod unpack;

use std::path::{Path, PathBuf};

use crate::entry::Entry;
use crate::hash::Hash;
use crate::place::Place;
use crate::reader::Reader;
use crate::segment::sync_dir;
use crate::settings::BLIND_FILE;
use crate::tree::TreeHash;
use crate::verify::verify;
use error::at;
use unpack::Unpacked;

pub use error::RestoreError;

/// Appended to the name of a folder while it is not whole.
const UNFINISHED: &str = ".restoring";

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Origin of the ledger.
    pub origin: String,
    /// Number of events.
    pub size: u64,
    /// Chain value of the newest.
    pub head_chain: Hash,
    /// Root of the tree over all of them.
    pub root: Option<TreeHash>,
    /// When the newest was recorded, in Unix milliseconds.
    pub recorded_at_ms: u64,
    /// Events counted by the newest checkpoint in the folder.
    pub checkpoint_size: Option<u64>,
    /// Whether the blinding key is there; without it the ledger cannot be continued.
    pub with_blind: bool,
    /// Bytes of the segments.
    pub bytes: u64,
}

/// Makes the folder `dir` from a backup, which is a folder or an archive, and verifies it.
/// `unpacked` is told how many bytes are there so far, `verified` how many of how many are checked,
/// from any thread.
///
/// # Errors
/// Every [`RestoreError`]; the folder is not there then.
pub fn restore(
    source: &Path,
    dir: &Path,
    unpacked: &dyn Fn(u64),
    verified: &(dyn Fn(u64, u64) + Sync),
) -> Result<Restored, RestoreError> {
    if dir.symlink_metadata().is_ok() {
        return Err(RestoreError::Exists {
            path: dir.to_owned(),
        });
    }
    let is_folder = std::fs::metadata(source).map_err(at(source))?.is_dir();
    let temporary = Temporary::make(dir)?;
    let mut unpack = Unpacked::into(&temporary.path, unpacked);
    if is_folder {
        unpack.folder(source)?;
    } else {
        unpack.archive(source)?;
    }
    unpack.finish()?;
    let restored = check(source, &temporary.path, verified)?;
    temporary.rename(dir)?;
    Ok(restored)
}

/// Verifies what was unpacked, without the folder of keys: what is under them is not a matter of
/// the backup.
fn check(
    source: &Path,
    dir: &Path,
    verified: &(dyn Fn(u64, u64) + Sync),
) -> Result<Restored, RestoreError> {
    let open = |cause| RestoreError::Open {
        path: source.to_owned(),
        source: Box::new(cause),
    };
    let place = Place::new(dir, &dir.join("no keys"));
    let report = verify(&place, verified).map_err(open)?;
    if !report.is_clean() {
        return Err(RestoreError::Faults {
            path: source.to_owned(),
            faults: report.faults,
        });
    }
    let reader = Reader::open(&place).map_err(open)?;
    let newest = match reader.size().checked_sub(1) {
        Some(last) => reader
            .get_stored(last)
            .map_err(|error| open(error.into()))?,
        None => None,
    };
    Ok(Restored {
        origin: reader.origin().to_owned(),
        size: report.size,
        head_chain: report.head_chain,
        root: report.root,
        recorded_at_ms: newest
            .and_then(|stored| Entry::decode(&stored.entry).ok())
            .map_or(0, |entry| entry.recorded_at_ms),
        checkpoint_size: report.statements.iter().map(|one| one.size).max(),
        with_blind: dir.join(BLIND_FILE).exists(),
        bytes: report.bytes,
    })
}

/// The folder under its temporary name; removed when it is dropped without having got its own.
struct Temporary {
    path: PathBuf,
    is_renamed: bool,
}

impl Temporary {
    fn make(dir: &Path) -> Result<Self, RestoreError> {
        let mut name = dir
            .file_name()
            .ok_or_else(|| RestoreError::Exists {
                path: dir.to_owned(),
            })?
            .to_owned();
        name.push(UNFINISHED);
        let path = dir.with_file_name(name);
        match std::fs::create_dir(&path) {
            Ok(()) => Ok(Self {
                path,
                is_renamed: false,
            }),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                Err(RestoreError::Leftover { path })
            }
            Err(source) => Err(at(&path)(source)),
        }
    }

    fn rename(mut self, dir: &Path) -> Result<(), RestoreError> {
        std::fs::rename(&self.path, dir).map_err(at(dir))?;
        self.is_renamed = true;
        let parent = match dir.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        sync_dir(parent).map_err(at(parent))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_renamed {
            let _gone = std::fs::remove_dir_all(&self.path).is_ok();
        }
    }
}
