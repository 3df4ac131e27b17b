//! What was said about a ledger and lies in its folder: checkpoints with their cosignatures,
//! timestamps, proofs from a super-log. None of it follows from the records, so where the folder is
//! a replica that may be deleted, it is kept elsewhere as well.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::contents::{NOTE_FOLDERS, Part};
use crate::settings::write_durably;
use crate::vault::make_folder;
use crate::verify::CHECKPOINT_FILE;

/// What happens to a statement that the other folder has in another form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// It stays.
    Stays,
    /// It is replaced, as by a checkpoint that has more signatures now.
    IsReplaced,
}

/// A statement could not be copied.
#[derive(Debug, thiserror::Error)]
#[error("`{path}` could not be copied")]
pub struct StatementError {
    /// The file or folder.
    pub path: PathBuf,
    /// The cause.
    #[source]
    pub source: io::Error,
}

/// Copies statements into another folder, which is made when there are some; says how many.
///
/// # Errors
/// When a file or folder cannot be used.
pub fn copy(from: &Path, to: &Path, known: Known) -> Result<u64, StatementError> {
    let mut copied = 0;
    let mut paths = vec![CHECKPOINT_FILE.to_owned()];
    for folder in NOTE_FOLDERS {
        let Ok(items) = std::fs::read_dir(from.join(folder)) else {
            continue;
        };
        let names = items.flatten().map(|item| item.file_name());
        paths.extend(names.filter_map(|name| Some(format!("{folder}/{}", name.to_str()?))));
    }
    for path in paths {
        let Some(part) = Part::of(&path) else {
            continue;
        };
        let target = to.join(&path);
        if known == Known::Stays && target.exists() {
            continue;
        }
        let Some(bytes) = read(&from.join(&path), part.bytes_max())? else {
            continue;
        };
        if read(&target, part.bytes_max())?.as_ref() == Some(&bytes) {
            continue;
        }
        write(&target, &bytes).map_err(|source| StatementError {
            path: target.clone(),
            source,
        })?;
        copied += 1;
    }
    Ok(copied)
}

/// A file of at most so many bytes; `None` when there is none, or it is larger.
fn read(path: &Path, bytes_max: u64) -> Result<Option<Vec<u8>>, StatementError> {
    let fail = |source| StatementError {
        path: path.to_owned(),
        source,
    };
    let file = match std::fs::File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened.map_err(fail)?,
    };
    let mut bytes = Vec::new();
    let mut within = file.take(bytes_max + 1);
    within.read_to_end(&mut bytes).map_err(fail)?;
    let fits = u64::try_from(bytes.len()).is_ok_and(|length| length <= bytes_max);
    Ok(fits.then_some(bytes))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    make_folder(path.parent().unwrap_or(path))?;
    write_durably(path, bytes, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_copied_and_nothing_else() {
        let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let put = |path: &str, text: &str| {
            let path = from.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("checkpoint", "newest");
        put("checkpoints/00000000000000000300", "older");
        put("timestamps/300.tsr", "stamp");
        put("super/300.tlog-proof", "proof");
        put("blind.key", "secret");
        put("checkpoints/other", "x");
        put("timestamps/large.tsr", &"x".repeat(1 << 20));
        let to = to.path().join("kept");
        assert_eq!(copy(from.path(), &to, Known::IsReplaced).unwrap(), 4);
        assert_eq!(copy(from.path(), &to, Known::IsReplaced).unwrap(), 0);
        assert!(!to.join("blind.key").exists() && !to.join("checkpoints/other").exists());
        put("checkpoint", "newer");
        assert_eq!(copy(from.path(), &to, Known::Stays).unwrap(), 0);
        assert_eq!(copy(from.path(), &to, Known::IsReplaced).unwrap(), 1);
        assert_eq!(std::fs::read(to.join("checkpoint")).unwrap(), b"newer");
    }
}
