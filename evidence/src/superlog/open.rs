//! Making a super-log, and opening one: nothing is believed that does not match its checkpoint.

use std::fs::{File, TryLockError};
use std::path::Path;

use ledger::checkpoint::{Checkpoint, CheckpointError};
use ledger::hash::hex;
use ledger::note::{NOTE_BYTES_MAX, Note, SigningKey};
use ledger::settings::ORIGIN_BYTES_MAX;
use ledger::tree::{Tile, WIDTH, empty_root};

use super::edge::{BUNDLE_BYTES_MAX, Edge, Filled, leaves};
use super::error::{AppendError, CreateError, OpenError};
use super::folder::{Folder, FolderError};
use super::history::History;
use super::leaf::{Blind, Leaf};
use super::pending::{self, PENDING_BYTES_MAX, Pending};
use super::tiles::{TILE_BYTES, TilesError};
use super::{CHECKPOINT_FILE, SuperLog};

/// Name of the file that says what the folder is.
const IDENTITY_FILE: &str = "superlog";

/// First line of it.
const VERSION: &str = "daybook super-log 1";

/// Longest identity, in bytes: version, origin of 255 bytes, check.
const IDENTITY_BYTES_MAX: usize = 512;

/// Name of the file whose lock the writer holds.
const LOCK_FILE: &str = "LOCK";

pub(super) fn create(dir: &Path, key: SigningKey, blind: Blind) -> Result<SuperLog, CreateError> {
    std::fs::create_dir_all(dir).map_err(failed("."))?;
    let folder = Folder::new(dir);
    if folder.holds(IDENTITY_FILE) || folder.holds("tile") {
        return Err(CreateError::Exists);
    }
    let lock = lock(dir)?.ok_or(CreateError::Locked)?;
    let origin = key.verifier().name();
    if origin.len() > ORIGIN_BYTES_MAX {
        let bytes = origin.len();
        return Err(CreateError::Origin { bytes });
    }
    let checkpoint = Checkpoint {
        origin: origin.to_owned(),
        size: 0,
        root: empty_root(),
    };
    let note = checkpoint.sign(&key)?;
    let identity = format!("{VERSION}\n{origin}\n{}\n", hex(&blind.check()));
    let text = note.to_string();
    folder.replace(CHECKPOINT_FILE, text.as_bytes())?;
    // last: a folder without it is made again
    folder.replace(IDENTITY_FILE, identity.as_bytes())?;
    Ok(SuperLog {
        folder,
        key,
        blind,
        edge: Edge::default(),
        history: History::default(),
        note,
        signed: checkpoint,
        is_whole: true,
        _lock: lock,
    })
}

pub(super) fn open(dir: &Path, key: SigningKey, blind: Blind) -> Result<SuperLog, OpenError> {
    let folder = Folder::new(dir);
    let identity = folder.read(IDENTITY_FILE, IDENTITY_BYTES_MAX)?;
    let identity = identity.ok_or(OpenError::Absent)?;
    let lock = lock(dir)?.ok_or(OpenError::Locked)?;
    expect_identity(&identity, &key, &blind)?;
    let (note, signed) = checkpoint(&folder, &key)?;
    let mut log = SuperLog {
        folder,
        key,
        blind,
        edge: Edge::default(),
        history: History::default(),
        note,
        signed,
        is_whole: true,
        _lock: lock,
    };
    log.check()?;
    log.recover()?;
    Ok(log)
}

/// The lock of the writer; `None` when another has it.
fn lock(dir: &Path) -> Result<Option<File>, FolderError> {
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(dir.join(LOCK_FILE))
        .map_err(failed(LOCK_FILE))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(failed(LOCK_FILE)(error)),
    }
}

fn failed(path: &str) -> impl Fn(std::io::Error) -> FolderError {
    move |source| FolderError::Io {
        path: path.to_owned(),
        source,
    }
}

fn expect_identity(identity: &[u8], key: &SigningKey, blind: &Blind) -> Result<(), OpenError> {
    let text = std::str::from_utf8(identity).or(Err(OpenError::Absent))?;
    let lines: Vec<&str> = text.split('\n').collect();
    let [VERSION, origin, check, ""] = lines[..] else {
        return Err(OpenError::Absent);
    };
    if origin != key.verifier().name() {
        let origin = origin.to_owned();
        return Err(OpenError::OtherKey { origin });
    }
    let is_same = check == hex(&blind.check());
    is_same.then_some(()).ok_or(OpenError::OtherBlind)
}

/// The checkpoint there is, which the key must have signed.
fn checkpoint(folder: &Folder, key: &SigningKey) -> Result<(Note, Checkpoint), OpenError> {
    let bytes = folder.read(CHECKPOINT_FILE, NOTE_BYTES_MAX)?;
    let bytes = bytes.ok_or_else(|| OpenError::Missing {
        path: CHECKPOINT_FILE.to_owned(),
    })?;
    let note = Note::parse(&bytes)?;
    let checkpoint = Checkpoint::parse(note.text()).map_err(|error| match error {
        CheckpointError::Note(note) => OpenError::Note(note),
        other => OpenError::Checkpoint(other),
    })?;
    note.verify(std::slice::from_ref(key.verifier()))?;
    if checkpoint.origin != key.verifier().name() {
        let origin = checkpoint.origin;
        return Err(OpenError::Origin { origin });
    }
    Ok((note, checkpoint))
}

impl SuperLog {
    /// Reads every bundle, and holds every tile and the checkpoint against the leaves.
    fn check(&mut self) -> Result<(), OpenError> {
        let mut index = 0;
        while self.edge.size() < self.signed.size {
            let count = (self.signed.size - self.edge.size()).min(WIDTH);
            let leaves = read_bundle(&self.folder, index, count)?;
            for (leaf, at) in leaves.iter().zip(self.edge.size()..) {
                self.history.add(at, *leaf);
            }
            for tile in self.edge.grow(&leaves).tiles {
                self.expect_tile(&tile)?;
            }
            index += 1;
        }
        for tile in self.edge.partials().tiles {
            self.expect_tile(&tile)?;
        }
        let is_signed = self.edge.root() == self.signed.root;
        is_signed.then_some(()).ok_or(OpenError::Root)
    }

    fn expect_tile(&self, tile: &Filled) -> Result<(), OpenError> {
        let path = tile.path.clone();
        match self.folder.read(&path, TILE_BYTES)? {
            None => Err(OpenError::Missing { path }),
            Some(bytes) if bytes == tile.bytes => Ok(()),
            Some(_) => Err(OpenError::Tile { path }),
        }
    }

    /// Completes an append that was interrupted; its leaves were durable before anything else.
    fn recover(&mut self) -> Result<(), OpenError> {
        let size = self.size();
        let Some(bytes) = self.folder.read(pending::FILE, PENDING_BYTES_MAX)? else {
            return self.expect_nothing_beyond();
        };
        let pending = Pending::parse(&bytes).ok_or(OpenError::Pending { size })?;
        let count = u64::try_from(pending.leaves.len()).unwrap_or(u64::MAX);
        if pending.size.checked_add(count) == Some(size) {
            // the checkpoint was written: only this file was left over
            self.folder.remove(pending::FILE)?;
            return self.expect_nothing_beyond();
        }
        if pending.size != size {
            return Err(OpenError::Pending { size });
        }
        for (leaf, at) in pending.leaves.iter().zip(size..) {
            // what follows was decided before it was written
            let is_next = matches!(self.history.place(leaf), Ok(None));
            if !is_next {
                return Err(OpenError::Pending { size });
            }
            self.history.add(at, *leaf);
        }
        self.complete(&pending.leaves)
            .map_err(|error| match error {
                AppendError::Folder(folder) => OpenError::Folder(folder),
                AppendError::Note(note) => OpenError::Note(note),
                _ => OpenError::Pending { size },
            })?;
        self.expect_nothing_beyond()
    }

    /// Leaves that no checkpoint knows of were signed once: an older checkpoint was put back.
    fn expect_nothing_beyond(&self) -> Result<(), OpenError> {
        let size = self.size();
        let full = Tile::full(0, size / WIDTH).entries_path();
        let partial = format!("{full}.p");
        let is_beyond = |name: &String| name.parse().is_ok_and(|width: u64| width > size % WIDTH);
        let names = self.folder.names(&partial)?;
        let path = if self.folder.holds(&full) {
            full
        } else if let Some(name) = names.into_iter().find(is_beyond) {
            format!("{partial}/{name}")
        } else {
            return Ok(());
        };
        Err(OpenError::Ahead { path, size })
    }
}

/// The leaves of a bundle of so many.
fn read_bundle(folder: &Folder, index: u64, count: u64) -> Result<Vec<Leaf>, OpenError> {
    let width = u16::try_from(count).unwrap_or(256);
    let tile = Tile {
        level: 0,
        index,
        width,
    };
    let path = tile.entries_path();
    let Some(bytes) = folder.read(&path, BUNDLE_BYTES_MAX)? else {
        return Err(OpenError::Missing { path });
    };
    leaves(&bytes, count).ok_or(OpenError::Bundle { path })
}

/// One leaf of a log of some size.
pub(super) fn leaf(folder: &Folder, index: u64, size: u64) -> Result<Leaf, TilesError> {
    let bundle = index / WIDTH;
    let count = size.saturating_sub(bundle * WIDTH).min(WIDTH);
    let missing = || TilesError::Missing {
        path: Tile::full(0, bundle).entries_path(),
    };
    let leaves = read_bundle(folder, bundle, count).map_err(|error| match error {
        OpenError::Folder(folder) => TilesError::Folder(folder),
        _ => missing(),
    })?;
    let at = usize::try_from(index % WIDTH).unwrap_or(usize::MAX);
    leaves.get(at).copied().ok_or_else(missing)
}
