//! Files only their owner may read.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::KeyFileError;
use crate::durable::sync_dir;

/// Makes a folder only its owner may enter.
pub(super) fn make_folder(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(dir)
}

/// Overwrites a small file with zeros and removes it.
pub(super) fn destroy(path: &Path) -> io::Result<()> {
    overwrite(path)?;
    std::fs::remove_file(path)?;
    sync_dir(path.parent().unwrap_or(Path::new(".")))
}

/// Overwrites a small file with zeros, when it is there. Copies that a file system or a backup
/// made are out of reach.
pub(super) fn overwrite(path: &Path) -> io::Result<()> {
    let length = match std::fs::metadata(path) {
        Ok(data) => usize::try_from(data.len()).unwrap_or(0),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    let mut file = OpenOptions::new().write(true).open(path)?;
    file.write_all(&vec![0; length])?;
    file.sync_all()
}

/// Reads a secret, which others must not be able to read.
pub(super) fn read_secret(path: &Path, limit: u64) -> Result<Zeroizing<String>, KeyFileError> {
    let fail = |source: io::Error| {
        if source.kind() == io::ErrorKind::NotFound {
            KeyFileError::Missing {
                path: path.to_owned(),
            }
        } else {
            KeyFileError::Io {
                path: path.to_owned(),
                source,
            }
        }
    };
    let file = File::open(path).map_err(fail)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = file.metadata().map_err(fail)?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Exposed {
                path: path.to_owned(),
            });
        }
    }
    let mut text = Zeroizing::new(String::new());
    file.take(limit).read_to_string(&mut text).map_err(fail)?;
    Ok(text)
}
