//! The writer: events in, durable entries out.

mod append;
mod error;
mod keyring;
pub(crate) mod opening;
mod plan;
mod prune;
mod redact;

use std::io;
use std::path::Path;

use jiff::Timestamp;

use crate::decide::Head;
use crate::entry::{ENTRY_BYTES, Entry};
use crate::event::{Event, EventBody, EventId, NaturalKey, Position, StreamName, book};
use crate::hash;
use crate::history::History;
use crate::lock::{Attempt, LOCK_FILE, WriterLock, lock, try_lock};
use crate::place::Place;
use crate::reader::Reader;
use crate::segment::file::{self, SegmentFile};
use crate::segment::recover::{Extent, Met, Rest, walk};
use crate::segment::{SegmentOptions, SegmentStore, sync_dir};
use crate::settings::{self, Settings};
use crate::store::{Store, StoreError};
use crate::tiles::TileWriter;
use crate::tree::{TreeHash, WIDTH};
use crate::vault::{self, VaultError};
use crate::verify::CHECKPOINT_FILE;
use keyring::Keyring;

pub use error::{AppendError, CreateError, OpenError};
pub use prune::{PruneDone, PruneError, Pruning};
pub use redact::{APPROVALS_MIN, Erased, Erasure, RedactError};

/// What a ledger takes from outside: libraries read no clock and no randomness themselves.
pub struct Edge {
    /// Tells the time.
    pub clock: Clock,
    /// Fills a buffer with random bytes fit for keys.
    pub entropy: Entropy,
}

/// Tells the time.
pub type Clock = Box<dyn FnMut() -> Timestamp + Send>;

/// Fills a buffer with random bytes fit for keys.
pub type Entropy = Box<dyn FnMut(&mut [u8]) + Send>;

impl std::fmt::Debug for Edge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Edge")
    }
}

/// How to create a ledger.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CreateOptions {
    /// Schema-less URL that names the ledger in checkpoints, such as `ledger.example/t/acme`.
    pub origin: String,
    /// Whether network facts of workloads go to the private part.
    pub private_network: bool,
}

/// A ledger open for writing; holds the writer's lock until dropped.
pub struct Ledger {
    place: Place,
    settings: Settings,
    head: Head,
    history: History,
    store: SegmentStore,
    /// Where records are appended before they are here, when the ledger is kept elsewhere.
    upstream: Option<Box<dyn Store + Send>>,
    tiles: TileWriter,
    keyring: Keyring,
    edge: Edge,
    /// The head moved but the store did not: nothing can be appended any more.
    failed: bool,
    _lock: WriterLock,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger")
            .field("dir", &self.place.folder())
            .field("size", &self.head.size)
            .finish_non_exhaustive()
    }
}

impl Ledger {
    /// Creates a ledger in a folder, which is made if need be, and appends `ledger.created`.
    ///
    /// # Errors
    /// When the origin breaks a rule, the folder holds a ledger or cannot be written.
    pub fn create(
        place: impl Into<Place>,
        options: &CreateOptions,
        edge: Edge,
    ) -> Result<Self, CreateError> {
        Self::create_with(place, options, edge, SegmentOptions::default())
    }

    /// As [`Ledger::create`], with sizes of segments.
    ///
    /// # Errors
    /// As [`Ledger::create`].
    pub fn create_with(
        place: impl Into<Place>,
        options: &CreateOptions,
        edge: Edge,
        sizes: SegmentOptions,
    ) -> Result<Self, CreateError> {
        Self::make(&place.into(), options, edge, sizes, None)
    }

    /// As [`Ledger::create_with`], of a ledger that is kept in another store, which must be empty:
    /// the folder is a replica of it.
    ///
    /// # Errors
    /// As [`Ledger::create`], and when the store did not take the first event.
    pub fn create_over(
        place: impl Into<Place>,
        options: &CreateOptions,
        edge: Edge,
        sizes: SegmentOptions,
        upstream: Box<dyn Store + Send>,
    ) -> Result<Self, CreateError> {
        if upstream.size() > 0 {
            return Err(StoreError::Expected {
                expected: 0,
                actual: upstream.size(),
            }
            .into());
        }
        Self::make(&place.into(), options, edge, sizes, Some(upstream))
    }

    fn make(
        place: &Place,
        options: &CreateOptions,
        mut edge: Edge,
        sizes: SegmentOptions,
        upstream: Option<Box<dyn Store + Send>>,
    ) -> Result<Self, CreateError> {
        let dir = place.folder();
        let settings = Settings::new(&options.origin, options.private_network)?;
        let lock = make_new(place)?;
        if vault::exists(place.keys()) {
            return Err(CreateError::KeysThere {
                path: place.keys().join(vault::DATA_KEYS_FILE),
            });
        }
        let mut blind = [0; 32];
        (edge.entropy)(&mut blind);
        settings::write_blind(dir, &blind)?;
        let head = Head::new(&settings.origin, blind);
        let store = SegmentStore::create(dir, head.ledger_id, head.chain, sizes)?;
        let tiles = match TileWriter::open(dir, 0, &[]) {
            Ok(tiles) => tiles,
            // tiles without segments: what is left of another ledger
            Err(_foreign) => {
                return Err(CreateError::AlreadyThere {
                    dir: dir.to_owned(),
                });
            }
        };
        let occurred_at = (edge.clock)();
        let mut ledger = Self {
            keyring: Keyring::new(place.keys().to_owned(), head.ledger_id),
            place: place.clone(),
            settings,
            history: History::empty(dir, head.ledger_id, sizes.index_events),
            head,
            store,
            upstream,
            tiles,
            edge,
            failed: false,
            _lock: lock,
        };
        ledger.append(vec![created(options, occurred_at)])?;
        // Written last: without this file the folder is no ledger.
        ledger.settings.write(dir)?;
        Ok(ledger)
    }

    /// Opens a ledger for writing. A batch torn by a crash, which was never acknowledged, is moved
    /// aside to a `.torn` file, and keys that an erasure ordered destroyed are destroyed.
    ///
    /// # Errors
    /// When the folder holds no ledger, another writer holds it, or anything acknowledged is
    /// damaged.
    pub fn open(place: impl Into<Place>, edge: Edge) -> Result<Self, OpenError> {
        Self::open_with(place, edge, SegmentOptions::default())
    }

    /// As [`Ledger::open`], with sizes of segments.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open_with(
        place: impl Into<Place>,
        edge: Edge,
        sizes: SegmentOptions,
    ) -> Result<Self, OpenError> {
        let place = place.into();
        let dir = place.folder();
        let owned = || dir.to_owned();
        let settings =
            Settings::read(dir)?.ok_or_else(|| OpenError::NotALedger { dir: owned() })?;
        let lock = lock(&place)?;
        let blind =
            settings::read_blind(dir)?.ok_or_else(|| OpenError::BlindMissing { dir: owned() })?;
        let mut head = Head::new(&settings.origin, blind);
        let (history, store) = opening::open(dir, &mut head, sizes)?;
        let first = store
            .get(0)?
            .ok_or_else(|| OpenError::Empty { dir: owned() })?;
        let first = Entry::decode(&first.entry);
        let first = first.map_err(|_unknown| OpenError::Entry { position: 0 })?;
        if first.stream_id != hash::stream_id(&blind, StreamName::ledger().as_str()) {
            return Err(OpenError::BlindForeign { dir: owned() });
        }
        let tiles = TileWriter::open(dir, store.size(), &unfilled(&store)?)?;
        let mut keyring = Keyring::new(place.keys().to_owned(), head.ledger_id);
        keyring.load(&store, &history)?;
        Ok(Self {
            keyring,
            place: place.clone(),
            settings,
            head,
            history,
            store,
            upstream: None,
            tiles,
            edge,
            failed: false,
            _lock: lock,
        })
    }

    /// The same ledger, kept in another store of which this folder is a replica: from here on what
    /// is appended is there before it is here.
    ///
    /// # Errors
    /// [`StoreError::Expected`] when the store is elsewhere, and [`StoreError::Misfit`] when its
    /// newest record is another.
    pub fn over(mut self, upstream: Box<dyn Store + Send>) -> Result<Self, StoreError> {
        let (expected, actual) = (self.size(), upstream.size());
        if expected != actual {
            return Err(StoreError::Expected { expected, actual });
        }
        if upstream.head_chain() != self.head_chain() {
            return Err(StoreError::Misfit {
                position: actual.saturating_sub(1),
                what: "the store has another than its replica here",
            });
        }
        self.upstream = Some(upstream);
        Ok(self)
    }

    /// Number of events.
    pub fn size(&self) -> u64 {
        self.store.size()
    }

    /// Origin of the ledger.
    pub fn origin(&self) -> &str {
        &self.settings.origin
    }

    /// Whether network facts of workloads go to the private part.
    pub fn private_network(&self) -> bool {
        self.settings.private_network
    }

    /// Chain value of the newest event.
    pub fn head_chain(&self) -> hash::Hash {
        self.store.head_chain()
    }

    /// Root of the tree over all events.
    pub fn root(&self) -> TreeHash {
        self.tiles.root()
    }

    /// Where an event is, by its id.
    ///
    /// # Errors
    /// When the index or a segment cannot be read.
    pub fn find(&self, id: &EventId) -> Result<Option<Position>, AppendError> {
        plan::find(&self.history, &self.store, id)
    }

    /// A reader of what is committed now.
    ///
    /// # Errors
    /// When the end of the ledger cannot be read.
    pub fn reader(&self) -> Result<Reader, OpenError> {
        Reader::open(&self.place)
    }

    /// Begins a new file of data keys where the old one is lost for good: what was encrypted
    /// under it stays unreadable, and `verify` goes on to say so. `false` when there is one.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn replace_lost_keys(&mut self) -> Result<bool, VaultError> {
        self.keyring.begin_anew()
    }

    /// Number of data keys that an earlier erasure ordered destroyed and that were still there
    /// when the ledger was opened; they are gone now.
    pub fn erasures_finished(&self) -> u64 {
        self.keyring.finished()
    }
}

/// Makes the folder of a ledger that is to be, and takes its lock.
pub(crate) fn make_new(place: &Place) -> Result<WriterLock, CreateError> {
    let dir = place.folder();
    let io = |source| CreateError::Io {
        path: dir.to_owned(),
        source,
    };
    make_folder(dir).map_err(io)?;
    let locked = |source| CreateError::Io {
        path: dir.join(LOCK_FILE),
        source,
    };
    let owned = || dir.to_owned();
    let lock = match try_lock(dir, place.holder()).map_err(locked)? {
        Attempt::Locked(lock) => lock,
        Attempt::Held(holder) => {
            return Err(CreateError::Locked {
                dir: owned(),
                holder,
            });
        }
        Attempt::Unsupported(source) => {
            return Err(CreateError::NoLocks {
                dir: owned(),
                source,
            });
        }
    };
    if Settings::read(dir)?.is_some() || !is_free(dir).map_err(io)? {
        return Err(CreateError::AlreadyThere { dir: owned() });
    }
    Ok(lock)
}

/// Entries behind the last full tile.
pub(crate) fn unfilled(store: &SegmentStore) -> Result<Vec<[u8; ENTRY_BYTES]>, StoreError> {
    let size = store.size();
    (size - size % WIDTH..size)
        .filter_map(|position| store.get(position).transpose())
        .map(|record| record.map(|record| record.entry))
        .collect()
}

/// Makes a folder, and its name durable.
fn make_folder(dir: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = dir
        .ancestors()
        .take_while(|above| !above.exists())
        .collect();
    std::fs::create_dir_all(dir)?;
    // one that was there may have been made by a creation that was cut short
    for made in missing.iter().copied().chain([dir]) {
        let above = match made.parent() {
            Some(above) if !above.as_os_str().is_empty() => above,
            _ => Path::new("."),
        };
        match sync_dir(above) {
            // a folder that may be passed through but not read
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            done => done?,
        }
    }
    Ok(())
}

/// Whether a folder without settings has no events, or only the first that a creation cut short
/// left: such a one is begun again.
fn is_free(dir: &Path) -> io::Result<bool> {
    match file::list(dir)?.as_slice() {
        [] => Ok(true),
        [0] if !dir.join(CHECKPOINT_FILE).exists() => {
            let segment = SegmentFile::open(dir, 0)?;
            let Some(header) = segment.header()?.filter(|header| header.first == 0) else {
                return Ok(false);
            };
            let mut extent = Extent::of_header(&header);
            let rest = walk(&segment, &mut extent, &mut |_: &Met<'_>| {})?;
            Ok(rest != Rest::Damaged && extent.seal.is_none() && extent.next <= 1)
        }
        _ => Ok(false),
    }
}

/// The first event of every ledger.
fn created(options: &CreateOptions, occurred_at: Timestamp) -> Event {
    let body = EventBody::LedgerCreated(book::Created {
        origin: options.origin.clone(),
        private_network: options.private_network,
    });
    let key = NaturalKey::new("ledger.created").with(&options.origin);
    Event::own(key, StreamName::ledger(), body, occurred_at)
}
