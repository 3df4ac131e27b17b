//! A ledger's folder written record by record, as another store has them: the copy beside a remote
//! store that every reading command runs on, and the end of a copy from one store to another.
//!
//! Nothing is decided here. A record is taken as it is when it continues the ledger: its place, its
//! ledger, the chain and the hash of its public payload are those of the entry. The tiles and the
//! index are made along the way, so that the folder is a ledger like any other.

use crate::decide::Head;
use crate::entry::Entry;
use crate::event::{EventType, Position, PublicPayload, book};
use crate::hash::{self, Hash};
use crate::history::History;
use crate::ledger::{CreateError, OpenError, make_new, opening, unfilled};
use crate::lock::{WriterLock, lock};
use crate::payload::public_hash;
use crate::place::Place;
use crate::segment::{SegmentOptions, SegmentStore};
use crate::settings::Settings;
use crate::store::{RecordRef, Store, StoreError, StoredRecord};
use crate::streams::StreamHead;
use crate::tiles::TileWriter;
use crate::tree::leaf_hash;

/// A ledger's folder that takes records as they are; holds the writer's lock until dropped.
pub struct Replica {
    head: Head,
    history: History,
    store: SegmentStore,
    tiles: TileWriter,
    settings: Settings,
    /// Tiles or index did not follow the store: the folder must be opened again.
    failed: bool,
    _lock: WriterLock,
}

impl std::fmt::Debug for Replica {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Replica")
            .field("origin", &self.settings.origin)
            .field("size", &self.head.size)
            .finish_non_exhaustive()
    }
}

/// Names of streams and actors are blinded in the records already; no key is needed to keep them.
const NO_BLIND: Hash = [0; 32];

impl Replica {
    /// Makes the folder of the ledger whose first record is given, and takes it.
    ///
    /// # Errors
    /// When the record begins no ledger, the folder holds one or cannot be written.
    pub fn begin(
        place: impl Into<Place>,
        first: &StoredRecord,
        sizes: SegmentOptions,
    ) -> Result<Self, CreateError> {
        let place = place.into();
        let created = created(first).ok_or(CreateError::NotTheFirst)?;
        let settings = Settings::new(&created.origin, created.private_network)?;
        let lock = make_new(&place)?;
        let dir = place.folder();
        let head = Head::new(&settings.origin, NO_BLIND);
        let store = SegmentStore::create(dir, head.ledger_id, head.chain, sizes)?;
        let Ok(tiles) = TileWriter::open(dir, 0, &[]) else {
            // tiles without segments: what is left of another ledger
            return Err(CreateError::AlreadyThere {
                dir: dir.to_owned(),
            });
        };
        let mut replica = Self {
            history: History::empty(dir, head.ledger_id, sizes.index_events),
            head,
            store,
            tiles,
            settings,
            failed: false,
            _lock: lock,
        };
        replica.append(0, &[first.as_ref()], &hash::chain(&first.entry))?;
        // Written last: without this file the folder is no ledger.
        replica.settings.write(dir)?;
        Ok(replica)
    }

    /// Opens a ledger's folder to go on with it.
    ///
    /// # Errors
    /// When the folder holds no ledger, a writer holds it, or anything acknowledged is damaged.
    pub fn open(place: impl Into<Place>, sizes: SegmentOptions) -> Result<Self, OpenError> {
        let place = place.into();
        let dir = place.folder();
        let settings = Settings::read(dir)?.ok_or_else(|| OpenError::NotALedger {
            dir: dir.to_owned(),
        })?;
        let lock = lock(&place)?;
        let mut head = Head::new(&settings.origin, NO_BLIND);
        let (history, store) = opening::open(dir, &mut head, sizes)?;
        let tiles = TileWriter::open(dir, store.size(), &unfilled(&store)?)?;
        Ok(Self {
            head,
            history,
            store,
            tiles,
            settings,
            failed: false,
            _lock: lock,
        })
    }

    /// Origin of the ledger.
    pub fn origin(&self) -> &str {
        &self.settings.origin
    }

    /// The entries of records, when they continue the ledger and lead to that chain value.
    fn entries(
        &self,
        records: &[RecordRef<'_>],
        head_chain: &Hash,
    ) -> Result<Vec<Entry>, StoreError> {
        let mut chain = self.head.chain;
        let mut entries = Vec::with_capacity(records.len());
        for (position, record) in (self.head.size..).zip(records) {
            let misfit = |what| StoreError::Misfit { position, what };
            let entry = Entry::decode(record.entry)
                .map_err(|_unknown| misfit("its entry is not one of this version"))?;
            if record.is_pruned() {
                return Err(misfit("its payload was pruned"));
            }
            let payload = || public_hash(entry.schema, record.public) == entry.public_hash;
            let what = if entry.ledger_id != self.head.ledger_id {
                Some("it belongs to another ledger")
            } else if entry.position != position {
                Some("its entry says another position")
            } else if entry.prev_chain != chain {
                Some("it does not carry the chain value of the one before")
            } else if payload() {
                None
            } else {
                Some("its payload is not the one hashed")
            };
            if let Some(what) = what {
                return Err(misfit(what));
            }
            chain = hash::chain(record.entry);
            entries.push(entry);
        }
        if chain != *head_chain {
            let position = self.head.size;
            let what = "the records do not lead to the chain value that was told";
            return Err(StoreError::Misfit { position, what });
        }
        Ok(entries)
    }

    /// Takes note of entries that are stored.
    fn learn(&mut self, entries: &[Entry]) {
        let Self { head, history, .. } = self;
        for entry in entries {
            let stream = StreamHead {
                no: entry.stream_no,
                revision: entry.revision,
                position: entry.position,
            };
            head.streams.learn(entry.stream_id, stream);
            head.recorded_at_ms = head.recorded_at_ms.max(entry.recorded_at_ms);
            history.learn(entry.event_id, entry.position, entry.flags);
        }
        head.size = self.store.size();
        head.chain = self.store.head_chain();
        if history.is_due() {
            let (extent, indexes) = self.store.edge();
            opening::keep(head, history, extent, indexes);
        }
    }
}

/// The origin and the settings a first record tells.
fn created(first: &StoredRecord) -> Option<book::Created> {
    let entry = Entry::decode(&first.entry).ok()?;
    let payload = serde_json::from_slice::<PublicPayload>(&first.public).ok()?;
    let created: book::Created = serde_json::from_value(payload.body).ok()?;
    let is_first = entry.position == 0
        && entry.event_type == EventType::CREATED
        && entry.ledger_id == hash::ledger_id(&created.origin);
    is_first.then_some(created)
}

impl Store for Replica {
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
        if self.failed {
            return Err(StoreError::Poisoned);
        }
        if expected != self.size() {
            // what is there already, or an error that says where the store is
            return self.store.append(expected, records, head_chain);
        }
        let entries = self.entries(records, head_chain)?;
        self.store.append(expected, records, head_chain)?;
        let leaves: Vec<_> = records.iter().map(|one| leaf_hash(one.entry)).collect();
        self.failed = true;
        self.learn(&entries);
        self.tiles.push(&leaves)?;
        self.failed = false;
        Ok(())
    }

    fn get(&self, position: Position) -> Result<Option<StoredRecord>, StoreError> {
        self.store.get(position)
    }
}
