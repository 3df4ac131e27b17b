//! fjall: a log-structured merge tree; each batch persisted with `SyncAll`.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ::fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};

use crate::peer::{Peer, all_at_once};
use crate::work::Rows;

pub(crate) struct Fjall;

struct Store {
    database: Database,
    events: Keyspace,
    ids: Keyspace,
    next: AtomicU64,
}

impl Store {
    fn open(folder: &Path) -> Self {
        let database = Database::builder(folder.join("fjall")).open().unwrap();
        let keyspace = |name| database.keyspace(name, KeyspaceCreateOptions::default).unwrap();
        Self {
            events: keyspace("event"),
            ids: keyspace("id"),
            next: AtomicU64::new(0),
            database,
        }
    }

    fn commit(&self, rows: &[([u8; 16], Vec<u8>)]) {
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncAll));
        for (id, payload) in rows {
            assert!(!self.ids.contains_key(id).unwrap());
            let position = self.next.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            batch.insert(&self.ids, id, position);
            batch.insert(&self.events, position, payload.as_slice());
        }
        batch.commit().unwrap();
    }
}

impl Peer for Fjall {
    fn name(&self) -> &'static str {
        "fjall"
    }

    fn append(&self, folder: &Path, batches: &[Rows]) -> Duration {
        let store = Store::open(folder);
        let start = Instant::now();
        for batch in batches {
            store.commit(batch);
        }
        start.elapsed()
    }

    fn together(&self, folder: &Path, callers: &[Rows]) -> Duration {
        let store = Store::open(folder);
        all_at_once(callers, |rows| {
            for row in rows {
                store.commit(std::slice::from_ref(row));
            }
        })
    }

    fn scan(&self, folder: &Path) -> Option<(u64, Duration)> {
        let store = Store::open(folder);
        let start = Instant::now();
        let (mut count, mut bytes) = (0, 0);
        for row in store.events.iter() {
            let (_, payload) = row.into_inner().unwrap();
            count += 1;
            bytes += payload.len();
        }
        std::hint::black_box(bytes);
        Some((count, start.elapsed()))
    }
}
