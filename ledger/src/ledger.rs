//! The writer: events in, durable entries out.

mod error;
mod plan;

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use rayon::prelude::*;

use crate::decide::{Head, Receipt, StreamHead};
use crate::entry::Entry;
use crate::event::{
    Correlation, Event, EventBody, EventId, NaturalKey, Position, Precision, Source, StreamName,
    book,
};
use crate::hash;
use crate::index::EventIndex;
use crate::lock::{Attempt, LOCK_FILE, WriterLock, try_lock};
use crate::payload::{Encoded, PAYLOAD_BYTES_MAX, Payloads, SALT_BYTES};
use crate::reader::Reader;
use crate::segment::{SegmentOptions, SegmentStore, file};
use crate::settings::{self, Settings};
use crate::store::{RecordRef, Store as _, StoreError};
use crate::tiles::TileWriter;
use crate::tree::{TreeHash, WIDTH, leaf_hash};
use plan::{Batch, Plan, Planned, Planner};

pub use error::{AppendError, CreateError, OpenError};

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
    dir: PathBuf,
    settings: Settings,
    head: Head,
    index: EventIndex,
    store: SegmentStore,
    tiles: TileWriter,
    edge: Edge,
    /// The head moved but the store did not: nothing can be appended any more.
    failed: bool,
    _lock: WriterLock,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger")
            .field("dir", &self.dir)
            .field("size", &self.head.size)
            .finish_non_exhaustive()
    }
}

impl Ledger {
    /// Creates a ledger in a folder, which is made if need be, and appends `ledger.created`.
    ///
    /// # Errors
    /// When the origin breaks a rule, the folder holds a ledger or cannot be written.
    pub fn create(dir: &Path, options: &CreateOptions, edge: Edge) -> Result<Self, CreateError> {
        Self::create_with(dir, options, edge, SegmentOptions::default())
    }

    /// As [`Ledger::create`], with sizes of segments.
    ///
    /// # Errors
    /// As [`Ledger::create`].
    pub fn create_with(
        dir: &Path,
        options: &CreateOptions,
        mut edge: Edge,
        sizes: SegmentOptions,
    ) -> Result<Self, CreateError> {
        let settings = Settings::new(&options.origin, options.private_network)?;
        let io = |source| CreateError::Io {
            path: dir.to_owned(),
            source,
        };
        std::fs::create_dir_all(dir).map_err(io)?;
        let lock = match try_lock(dir).map_err(io)? {
            Attempt::Locked(lock) => lock,
            Attempt::Held(pid) => {
                return Err(CreateError::Locked {
                    dir: dir.to_owned(),
                    pid,
                });
            }
        };
        if Settings::read(dir)?.is_some() || !file::list(dir).map_err(io)?.is_empty() {
            return Err(CreateError::AlreadyThere {
                dir: dir.to_owned(),
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
            dir: dir.to_owned(),
            settings,
            head,
            index: EventIndex::default(),
            store,
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
    /// aside to a `.torn` file.
    ///
    /// # Errors
    /// When the folder holds no ledger, another writer holds it, or anything acknowledged is
    /// damaged.
    pub fn open(dir: &Path, edge: Edge) -> Result<Self, OpenError> {
        Self::open_with(dir, edge, SegmentOptions::default())
    }

    /// As [`Ledger::open`], with sizes of segments.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open_with(dir: &Path, edge: Edge, sizes: SegmentOptions) -> Result<Self, OpenError> {
        let owned = || dir.to_owned();
        let settings =
            Settings::read(dir)?.ok_or_else(|| OpenError::NotALedger { dir: owned() })?;
        let lock = match try_lock(dir) {
            Ok(Attempt::Locked(lock)) => lock,
            Ok(Attempt::Held(pid)) => return Err(OpenError::Locked { dir: owned(), pid }),
            Err(source) => {
                return Err(OpenError::Io {
                    path: dir.join(LOCK_FILE),
                    source,
                });
            }
        };
        let blind =
            settings::read_blind(dir)?.ok_or_else(|| OpenError::BlindMissing { dir: owned() })?;
        let mut head = Head::new(&settings.origin, blind);
        let mut index = EventIndex::default();
        let mut misfit = None;
        let mut first_stream = None;
        let (ledger_id, genesis) = (head.ledger_id, head.chain);
        let mut unfilled: Vec<[u8; 256]> = Vec::new();
        let store = SegmentStore::open(dir, ledger_id, genesis, sizes, &mut |met| {
            if met.position.is_multiple_of(WIDTH) {
                unfilled.clear();
            }
            unfilled.push(*met.entry);
            let learnt = learn(&mut head, &mut index, met.position, met.entry);
            if met.position == 0 {
                first_stream = learnt;
            }
            if learnt.is_none() {
                misfit.get_or_insert(met.position);
            }
        })?;
        if let Some(position) = misfit {
            return Err(OpenError::Entry { position });
        }
        let first_stream = first_stream.ok_or_else(|| OpenError::Empty { dir: owned() })?;
        if first_stream != hash::stream_id(&blind, StreamName::ledger().as_str()) {
            return Err(OpenError::BlindForeign { dir: owned() });
        }
        if store.size().is_multiple_of(WIDTH) {
            unfilled.clear();
        }
        let tiles = TileWriter::open(dir, store.size(), &unfilled)?;
        head.size = store.size();
        head.chain = store.head_chain();
        Ok(Self {
            dir: owned(),
            settings,
            head,
            index,
            store,
            tiles,
            edge,
            failed: false,
            _lock: lock,
        })
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
    pub fn contains(&self, id: &EventId) -> Option<Position> {
        self.index.get(id)
    }

    /// A reader of what is committed now.
    ///
    /// # Errors
    /// When the end of the ledger cannot be read.
    pub fn reader(&self) -> Result<Reader, OpenError> {
        Reader::open(&self.dir)
    }

    /// Appends events in order, all or none, and returns when they are on disk: one receipt per
    /// event. An event whose id is already in the book, or earlier in the batch, is compared with
    /// the first of that id and appends what it adds or claims, or nothing.
    ///
    /// # Errors
    /// When an event cannot be written. After a failed write no append succeeds until the ledger
    /// is opened again.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "what is appended is handed over; a store may keep it"
    )]
    pub fn append(&mut self, events: Vec<Event>) -> Result<Vec<Receipt>, AppendError> {
        if self.failed {
            return Err(StoreError::Poisoned.into());
        }
        let encoded = encode(&events)?;
        let payloads: Vec<Payloads<'_>> = encoded.iter().flat_map(Encoded::iter).collect();
        for (event, payload) in events.iter().zip(&payloads) {
            check_length(event, payload)?;
        }
        let batch = Batch {
            events: &events,
            payloads: &payloads,
        };
        let mut plan = Plan::default();
        match self.prepare(batch, &mut plan) {
            Ok((made, now_ms)) => {
                self.write(batch, &plan, &made, now_ms)?;
                Ok(plan.receipts)
            }
            Err(error) => {
                for item in &plan.planned {
                    if let Some(event) = plan.event(item, &events) {
                        self.index.remove(&event.id);
                    }
                }
                Err(error)
            }
        }
    }

    /// Plans a batch; the payloads of what was made for it, and the time to record.
    fn prepare(
        &mut self,
        batch: Batch<'_>,
        plan: &mut Plan,
    ) -> Result<(Encoded, u64), AppendError> {
        let mut planner = Planner {
            batch,
            size: self.head.size,
            store: &self.store,
            index: &mut self.index,
            plan,
        };
        planner.run()?;
        let made = Encoded::of(plan.made.iter())?;
        for (event, payload) in plan.made.iter().zip(made.iter()) {
            check_length(event, &payload)?;
        }
        Ok((made, self.now_ms()?))
    }

    fn now_ms(&mut self) -> Result<u64, AppendError> {
        let time = (self.edge.clock)();
        u64::try_from(time.as_millisecond()).map_err(|_negative| AppendError::Clock { time })
    }

    /// Makes the entries of a plan and stores them.
    fn write(
        &mut self,
        batch: Batch<'_>,
        plan: &Plan,
        made: &Encoded,
        now_ms: u64,
    ) -> Result<(), AppendError> {
        let Self {
            head,
            edge,
            store,
            tiles,
            ..
        } = self;
        let expected = head.size;
        let mut entries = Vec::with_capacity(plan.planned.len());
        let mut chosen: Vec<(&[u8], Vec<u8>)> = Vec::with_capacity(plan.planned.len());
        for item in &plan.planned {
            let payload = match item {
                Planned::Given(index) => batch.payloads.get(*index).copied(),
                Planned::Made(index) => made.get(*index),
            };
            let event = plan.event(item, batch.events);
            let (Some(event), Some(payload)) = (event, payload) else {
                continue;
            };
            let mut salt = [0; SALT_BYTES];
            let mut private = Vec::new();
            if let Some(bytes) = payload.private {
                (edge.entropy)(&mut salt);
                private.reserve_exact(SALT_BYTES + bytes.len());
                private.extend_from_slice(&salt);
                private.extend_from_slice(bytes);
            }
            entries.push(head.push(event, &payload, &salt, now_ms));
            chosen.push((payload.public, private));
        }
        let records: Vec<RecordRef<'_>> = entries
            .iter()
            .zip(&chosen)
            .map(|(entry, (public, private))| RecordRef {
                entry,
                public,
                private,
            })
            .collect();
        let hash = || entries.iter().map(|entry| leaf_hash(entry)).collect();
        let mut append = || store.append(expected, &records, &head.chain);
        let (stored, leaves): (_, Vec<TreeHash>) = if entries.len() < PARALLEL_MIN {
            (append(), hash())
        } else {
            // while the disk is waited for
            rayon::join(append, hash)
        };
        self.failed = stored.is_err();
        stored?;
        let grown = tiles.push(&leaves);
        self.failed = grown.is_err();
        Ok(grown?)
    }
}

/// Events below this many are not worth handing to other threads.
const PARALLEL_MIN: usize = 256;

/// Writes the payloads of the events, on all cores when there are many.
fn encode(events: &[Event]) -> Result<Vec<Encoded>, serde_json::Error> {
    if events.len() < PARALLEL_MIN {
        return Ok(vec![Encoded::of(events.iter())?]);
    }
    events
        .par_chunks(PARALLEL_MIN / 2)
        .map(|chunk| Encoded::of(chunk.iter()))
        .collect()
}

fn check_length(event: &Event, payload: &Payloads<'_>) -> Result<(), AppendError> {
    let private = payload.private.map_or(0, <[u8]>::len);
    let bytes = payload.public.len().max(private);
    if bytes > PAYLOAD_BYTES_MAX {
        return Err(AppendError::TooLong {
            event: event.id,
            bytes,
        });
    }
    Ok(())
}

/// Takes a stored entry into the index and the stream table; its stream's blinded name, or `None`
/// when it does not fit.
fn learn(
    head: &mut Head,
    index: &mut EventIndex,
    position: Position,
    bytes: &[u8; 256],
) -> Option<hash::Hash> {
    let entry = Entry::decode(bytes).ok()?;
    // A repeated id is a fault that `verify` names; the first one counts.
    let _first_counts = index.add(entry.event_id, position);
    let stream = StreamHead {
        no: entry.stream_no,
        revision: entry.revision,
        position,
    };
    head.streams.insert(entry.stream_id, stream);
    head.recorded_at_ms = head.recorded_at_ms.max(entry.recorded_at_ms);
    let numbers = u32::try_from(head.streams.len()).ok()?;
    (entry.stream_no < numbers && entry.ledger_id == head.ledger_id).then_some(entry.stream_id)
}

/// The first event of every ledger.
fn created(options: &CreateOptions, occurred_at: Timestamp) -> Event {
    Event {
        id: NaturalKey::new("ledger.created").with(&options.origin).id(),
        stream: StreamName::ledger(),
        occurred_at,
        precision: Precision::Exact,
        body: EventBody::LedgerCreated(book::Created {
            origin: options.origin.clone(),
            private_network: options.private_network,
        }),
        source: Source {
            name: "daybook".to_owned(),
            record: None,
            digest: String::new(),
        },
        correlation: Correlation::default(),
        actor: None,
        private: None,
    }
}
