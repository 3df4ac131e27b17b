//! The lock that keeps a second writer out, and who holds it.
//!
//! Only the lock of the operating system counts: it goes with its process, however that ends. The
//! text in the file says who holds it and is believed while the lock is held, never without.

use std::fs::{File, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;

use crate::ledger::OpenError;
use crate::place::Place;

/// Name of the lock file. It stays when the ledger is closed; only the lock on it counts.
pub(crate) const LOCK_FILE: &str = "LOCK";

/// Most bytes of the file that are read.
const TEXT_BYTES_MAX: u64 = 4_096;

/// Longest host or command that is kept, in characters.
const WORD_LETTERS_MAX: usize = 120;

/// Tries before the lock counts as held, and the pause between them: who only looks whether it is
/// held (`held_by`) holds it for a moment.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(2);

/// Who has a ledger open for writing, as far as is known. A program says it of itself, see
/// [`crate::Place::held_by`]; a second writer is told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    /// Process id.
    pub pid: Option<u32>,
    /// Name of the machine.
    pub host: Option<String>,
    /// What runs, such as `daybook import`; no arguments, since they may name what is private.
    pub command: Option<String>,
    /// When it began.
    pub since: Option<Timestamp>,
}

impl Holder {
    /// The text of the lock file: one fact a line.
    fn to_text(&self) -> String {
        let mut text = String::new();
        let mut fact = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                text.push_str(name);
                text.push(' ');
                text.push_str(&value);
                text.push('\n');
            }
        };
        fact("pid", self.pid.map(|pid| pid.to_string()));
        fact("host", self.host.as_deref().map(plain));
        fact("command", self.command.as_deref().map(plain));
        fact("since", self.since.map(|since| since.to_string()));
        text
    }

    /// Reads the text leniently: what is not understood is left out. A line with a number alone is
    /// the process id, as early versions wrote it.
    fn parse(text: &str) -> Self {
        let mut holder = Self::default();
        for line in text.lines() {
            match line.trim().split_once(' ') {
                Some(("pid", value)) => holder.pid = value.trim().parse().ok(),
                Some(("host", value)) => holder.host = Some(plain(value)),
                Some(("command", value)) => holder.command = Some(plain(value)),
                Some(("since", value)) => holder.since = value.trim().parse().ok(),
                Some(_) => {}
                None => holder.pid = line.trim().parse().ok().or(holder.pid),
            }
        }
        holder
    }
}

/// `process 4711 on db1, daybook import, since 2026-11-24T15:48:30Z`.
impl std::fmt::Display for Holder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "process {pid}")?,
            None => f.write_str("a process that did not say its id")?,
        }
        if let Some(host) = &self.host {
            write!(f, " on {host}")?;
        }
        if let Some(command) = &self.command {
            write!(f, ", `{command}`")?;
        }
        if let Some(since) = self.since {
            write!(f, ", since {since}")?;
        }
        Ok(())
    }
}

/// One line without controls, cut to what a line of a message has room for.
fn plain(text: &str) -> String {
    let shown = text.trim().chars().filter(|letter| !letter.is_control());
    shown.take(WORD_LETTERS_MAX).collect()
}

/// Held while a writer is open; released when dropped or when the process ends.
#[derive(Debug)]
pub(crate) struct WriterLock {
    file: File,
}

impl Drop for WriterLock {
    /// Empties the file, so that a closed ledger names no holder. The lock itself goes with the
    /// file; should emptying fail, what is left behind is only a hint.
    fn drop(&mut self) {
        let _emptied = self.file.set_len(0).is_ok();
    }
}

/// The outcome of trying to lock.
pub(crate) enum Attempt {
    /// The lock is ours.
    Locked(WriterLock),
    /// Another writer holds it: who, as far as the file tells.
    Held(Box<Holder>),
    /// The file system gives no locks.
    Unsupported(io::Error),
}

/// Tries to take the writer's lock of a folder; `holder` is written into it.
pub(crate) fn try_lock(dir: &Path, holder: Option<&Holder>) -> io::Result<Attempt> {
    let mut file = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(dir.join(LOCK_FILE))?;
    let mut tries = 0;
    loop {
        tries += 1;
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if tries < TRIES => std::thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Ok(Attempt::Held(Box::new(text_of(&file)))),
            Err(TryLockError::Error(error)) if gives_no_locks(&error) => {
                return Ok(Attempt::Unsupported(error));
            }
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    let own = || Holder {
        pid: Some(std::process::id()),
        ..Holder::default()
    };
    let text = holder.cloned().unwrap_or_else(own).to_text();
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(text.as_bytes())?;
    Ok(Attempt::Locked(WriterLock { file }))
}

/// Takes the writer's lock of a ledger.
///
/// # Errors
/// [`OpenError::Io`], [`OpenError::Locked`] or [`OpenError::NoLocks`].
pub(crate) fn lock(place: &Place) -> Result<WriterLock, OpenError> {
    let dir = place.folder().to_owned();
    match try_lock(&dir, place.holder()) {
        Ok(Attempt::Locked(lock)) => Ok(lock),
        Ok(Attempt::Held(holder)) => Err(OpenError::Locked { dir, holder }),
        Ok(Attempt::Unsupported(source)) => Err(OpenError::NoLocks { dir, source }),
        Err(source) => Err(OpenError::Io {
            path: dir.join(LOCK_FILE),
            source,
        }),
    }
}

/// Who holds the writer's lock of a folder; `None` when nobody does. Nothing is written.
pub(crate) fn held_by(dir: &Path) -> io::Result<Option<Holder>> {
    let file = match File::open(dir.join(LOCK_FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(text_of(&file))),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// What the file says; nothing when it cannot be read, since it is only a hint.
fn text_of(mut file: &File) -> Holder {
    let mut bytes = Vec::new();
    let read = file
        .rewind()
        .and_then(|()| file.take(TEXT_BYTES_MAX).read_to_end(&mut bytes));
    match read {
        Ok(_) => Holder::parse(&String::from_utf8_lossy(&bytes)),
        Err(_unreadable) => Holder::default(),
    }
}

/// Whether the error says that locks are not to be had here, as on some network file systems:
/// `EOPNOTSUPP`, `ENOSYS` (both "unsupported" to the standard library) or `ENOLCK` (Linux 37,
/// BSD and macOS 77; no word of its own).
fn gives_no_locks(error: &io::Error) -> bool {
    const NO_LOCKS: i32 = if cfg!(target_os = "linux") { 37 } else { 77 };
    error.kind() == io::ErrorKind::Unsupported
        || (cfg!(unix) && error.raw_os_error() == Some(NO_LOCKS))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn somebody() -> Holder {
        Holder {
            pid: Some(4711),
            host: Some("db1".to_owned()),
            command: Some("daybook import".to_owned()),
            since: Timestamp::from_second(1_795_000_000).ok(),
        }
    }

    #[test]
    fn a_holder_comes_back_as_it_was_written() {
        assert_eq!(Holder::parse(&somebody().to_text()), somebody());
        assert_eq!(
            somebody().to_string(),
            "process 4711 on db1, `daybook import`, since 2026-11-18T11:06:40Z"
        );
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        assert_eq!(Holder::parse("12\n").pid, Some(12));
        assert_eq!(Holder::parse(""), Holder::default());
        let odd = Holder::parse("pid x\nsince never\nhost \u{1b}[31mred\nnew fact\n\u{0}");
        assert_eq!(odd.host.as_deref(), Some("[31mred"));
        assert_eq!((odd.pid, odd.since), (None, None));
        let long = Holder::parse(&format!("command {}", "x".repeat(9_000)));
        assert_eq!(long.command.map(|text| text.len()), Some(WORD_LETTERS_MAX));
    }

    #[test]
    fn a_text_without_a_lock_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(held_by(dir.path()).unwrap(), None);
        std::fs::write(dir.path().join(LOCK_FILE), somebody().to_text()).unwrap();
        assert_eq!(held_by(dir.path()).unwrap(), None);
        let Attempt::Locked(lock) = try_lock(dir.path(), Some(&somebody())).unwrap() else {
            panic!("what a crash left behind keeps nobody out");
        };
        assert_eq!(held_by(dir.path()).unwrap(), Some(somebody()));
        drop(lock);
        assert_eq!(held_by(dir.path()).unwrap(), None);
        assert_eq!(std::fs::read(dir.path().join(LOCK_FILE)).unwrap(), b"");
    }

    #[test]
    fn a_file_system_without_locks_is_told_from_a_lock_that_is_held() {
        assert!(gives_no_locks(&io::ErrorKind::Unsupported.into()));
        #[cfg(target_os = "linux")]
        assert!(gives_no_locks(&io::Error::from_raw_os_error(37)));
        assert!(!gives_no_locks(&io::ErrorKind::PermissionDenied.into()));
    }
}
