//! Appending to a stream: who may, and what is appended over.

use std::fs::{File, TryLockError};
use std::path::Path;

use anyhow::Context as _;
use ledger::hash::Hash;
use ledger::{
    AppendError, CreateError, CreateOptions, Ledger, OpenError, Position, RecordRef,
    SegmentOptions, Store, StoreError, StoredRecord, settings,
};
use ledger_kurrentdb::{KurrentError, KurrentStore};

use super::{PATIENCE, PAUSE, Remote};
use crate::edge;
use crate::outcome::Hinted;

/// File in the folder of keys that one appending command holds locked.
const LOCK_FILE: &str = "stream.lock";

/// A stream that is appended to, and the lock of the keys. Machines that share a folder of keys
/// have replicas of their own, so the lock of a replica does not guard the data keys.
struct Held {
    store: KurrentStore,
    _keys: File,
}

impl Store for Held {
    fn size(&self) -> u64 {
        self.store.size()
    }

    fn head_chain(&self) -> Hash {
        self.store.head_chain()
    }

    fn append(
        &mut self,
        expected: Position,
        records: &[RecordRef<'_>],
        head_chain: &Hash,
    ) -> Result<(), StoreError> {
        self.store.append(expected, records, head_chain)
    }

    fn get(&self, position: Position) -> Result<Option<StoredRecord>, StoreError> {
        self.store.get(position)
    }
}

impl Remote {
    /// Creates a ledger in the stream, its replica here, and keeps its blinding key with its keys:
    /// the replica may be deleted.
    pub(crate) fn create(&self, options: &CreateOptions) -> anyhow::Result<Ledger> {
        let (keys, _) = lock(self.place.keys())?;
        let store = self.connect()?;
        if store.size() > 0 {
            return Err(self.is_there());
        }
        let created = Ledger::create_over(
            &self.place,
            options,
            edge::machine()?,
            SegmentOptions::default(),
            Box::new(Held { store, _keys: keys }),
        );
        let ledger = created.map_err(|error| match error {
            // somebody else was first: the key made for nothing must not pass for theirs
            CreateError::Append(AppendError::Store(error)) if is_elsewhere(&error) => {
                let _removed = std::fs::remove_file(self.place.folder().join(settings::BLIND_FILE));
                self.is_there()
            }
            CreateError::AlreadyThere { dir } => Hinted::error(
                format!(
                    "the state folder {} holds the replica of a ledger already",
                    dir.display()
                ),
                "name another with --state, or delete it when its stream is gone for good",
            ),
            error => {
                anyhow::Error::new(error).context(format!("creating a ledger at {}", self.shown()))
            }
        })?;
        settings::copy_blind(self.place.folder(), self.place.keys())
            .context("keeping the blinding key")?;
        Ok(ledger)
    }

    /// Opens the ledger for writing: what is appended goes to the stream first.
    pub(crate) fn writer(&self) -> anyhow::Result<Ledger> {
        let (keys, waited) = lock(self.place.keys())?;
        if waited {
            // another machine may have appended meanwhile
            self.catch_up(true)?;
        }
        let ledger = self.open()?;
        let store = self.connect()?;
        let over = ledger.over(Box::new(Held { store, _keys: keys }));
        over.map_err(|error| {
            let moved = matches!(
                error,
                StoreError::Expected { .. } | StoreError::Misfit { .. }
            );
            if moved {
                return Hinted::error(
                    format!("another writer appended to {} meanwhile", self.shown()),
                    "a ledger has one writer at a time; run the command again when the other has ended",
                );
            }
            error.into()
        })
    }

    /// Opens the replica for writing. Waits while another command of this machine has it for a
    /// moment, as a follower that takes over what came.
    fn open(&self) -> anyhow::Result<Ledger> {
        for turn in 0.. {
            match Ledger::open(&self.place, edge::machine()?) {
                Err(OpenError::Locked { .. }) if turn < PATIENCE => std::thread::sleep(PAUSE),
                Err(OpenError::BlindMissing { .. }) => break,
                Err(error) => return Err(self.replica_error(error)),
                Ok(ledger) => return Ok(ledger),
            }
        }
        Err(Hinted::error(
            format!(
                "nothing can be appended without the blinding key, and {} has no `{}`",
                self.place.keys().display(),
                settings::BLIND_FILE
            ),
            "bring it there from the keys of whoever created the ledger (mode 0600), or name their folder with --keys",
        ))
    }

    fn is_there(&self) -> anyhow::Error {
        Hinted::error(
            format!("there is a ledger at {} already", self.shown()),
            "import into it, or name another stream with --ledger",
        )
    }
}

/// Whether somebody else appended first.
fn is_elsewhere(error: &StoreError) -> bool {
    match error {
        StoreError::Expected { .. } => true,
        StoreError::Remote { source } => {
            matches!(source.downcast_ref(), Some(KurrentError::Elsewhere { .. }))
        }
        _ => false,
    }
}

/// Locks the keys for a command that appends. Waits for one that has them for a moment, and says
/// whether it had to.
fn lock(keys: &Path) -> anyhow::Result<(File, bool)> {
    let path = keys.join(LOCK_FILE);
    let opened = ledger::make_keys_folder(keys).and_then(|()| {
        let mut options = File::options();
        options.create(true).truncate(false).write(true).open(&path)
    });
    let file = opened.with_context(|| format!("locking {}", keys.display()))?;
    for turn in 0..PATIENCE {
        match file.try_lock() {
            Ok(()) => return Ok((file, turn > 0)),
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) => {
                return Err(
                    anyhow::Error::new(error).context(format!("locking {}", path.display()))
                );
            }
        }
    }
    Err(Hinted::error(
        format!(
            "another command appends with the keys in {}",
            keys.display()
        ),
        "a ledger has one writer at a time; run the command again when the other has ended",
    ))
}
