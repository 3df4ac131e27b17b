//! The lock that keeps a second writer out.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;

/// Name of the lock file. It stays when the ledger is closed; only the lock on it counts.
pub(crate) const LOCK_FILE: &str = "LOCK";

/// Held while a writer is open; released when dropped or when the process ends.
#[derive(Debug)]
pub(crate) struct WriterLock {
    file: File,
}

impl Drop for WriterLock {
    /// Empties the file, so that a closed ledger names no holder. The lock itself goes with the
    /// file; should emptying fail, the number left behind is only a hint.
    fn drop(&mut self) {
        let _emptied = self.file.set_len(0).is_ok();
    }
}

/// The outcome of trying to lock.
pub(crate) enum Attempt {
    /// The lock is ours.
    Locked(WriterLock),
    /// Another writer holds it: its process id, when the file tells.
    Held(Option<u32>),
}

/// Tries to take the writer's lock of a folder.
pub(crate) fn try_lock(dir: &Path) -> io::Result<Attempt> {
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(dir.join(LOCK_FILE))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            // The number is only a hint; a file that does not tell it is no failure.
            let _bytes = file.read_to_string(&mut text).unwrap_or_default();
            return Ok(Attempt::Held(text.trim().parse().ok()));
        }
        Err(TryLockError::Error(error)) => return Err(error),
    }
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())?;
    Ok(Attempt::Locked(WriterLock { file }))
}
