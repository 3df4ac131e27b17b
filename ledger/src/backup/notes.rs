//! The small files beside the segments.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::BackupError;
use super::error::at;
use crate::contents::{NOTE_FOLDERS, Part};
use crate::verify::CHECKPOINT_FILE;

/// The small files that say something of the ledger, by path, the newest checkpoint last. They are
/// read before the ledger is, so that none counts events that are not in the copy.
pub(super) fn notes_of(dir: &Path) -> Result<Vec<(String, Vec<u8>)>, BackupError> {
    let mut paths = Vec::new();
    for folder in NOTE_FOLDERS {
        let items = match std::fs::read_dir(dir.join(folder)) {
            Ok(items) => items,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(at(&dir.join(folder))(error)),
        };
        for item in items {
            let name = item.map_err(at(&dir.join(folder)))?.file_name();
            paths.extend(name.to_str().map(|name| format!("{folder}/{name}")));
        }
    }
    paths.sort();
    if dir.join(CHECKPOINT_FILE).exists() {
        paths.push(CHECKPOINT_FILE.to_owned());
    }
    paths.retain(|path| Part::of(path).is_some());
    paths
        .into_iter()
        .map(|path| read(dir, &path).map(|bytes| (path, bytes)))
        .collect()
}

/// Reads a small file, but not more than it may have.
pub(super) fn read(dir: &Path, path: &str) -> Result<Vec<u8>, BackupError> {
    let fail = at(&dir.join(path));
    let most = Part::of(path).map_or(0, Part::bytes_max);
    let mut bytes = Vec::new();
    let file = File::open(dir.join(path)).map_err(&fail)?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(&fail)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length <= most) {
        Ok(bytes)
    } else {
        Err(BackupError::Damaged {
            file: path.to_owned(),
        })
    }
}
