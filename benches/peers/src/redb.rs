//! redb: a copy-on-write B-tree; each commit with its default, immediate durability.

use std::path::Path;
use std::time::{Duration, Instant};

use ::redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};

use crate::peer::{Peer, all_at_once};
use crate::work::Rows;

const EVENTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("event");
const IDS: TableDefinition<'_, &[u8; 16], u64> = TableDefinition::new("id");

pub(crate) struct Redb;

fn commit(database: &Database, rows: &[([u8; 16], Vec<u8>)]) {
    let transaction = database.begin_write().unwrap();
    {
        let mut ids = transaction.open_table(IDS).unwrap();
        let mut events = transaction.open_table(EVENTS).unwrap();
        let last = events.last().unwrap().map(|(position, _)| position.value());
        let first = last.map_or(0, |last| last + 1);
        for (position, (id, payload)) in (first..).zip(rows) {
            assert!(ids.insert(id, position).unwrap().is_none());
            events.insert(position, payload.as_slice()).unwrap();
        }
    }
    transaction.commit().unwrap();
}

impl Peer for Redb {
    fn name(&self) -> &'static str {
        "redb"
    }

    fn append(&self, folder: &Path, batches: &[Rows]) -> Duration {
        let database = Database::create(folder.join("events.redb")).unwrap();
        let start = Instant::now();
        for batch in batches {
            commit(&database, batch);
        }
        start.elapsed()
    }

    fn together(&self, folder: &Path, callers: &[Rows]) -> Duration {
        let database = Database::create(folder.join("events.redb")).unwrap();
        all_at_once(callers, |rows| {
            for row in rows {
                commit(&database, std::slice::from_ref(row));
            }
        })
    }

    fn scan(&self, folder: &Path) -> Option<(u64, Duration)> {
        let database = Database::open(folder.join("events.redb")).unwrap();
        let start = Instant::now();
        let transaction = database.begin_read().unwrap();
        let (mut count, mut bytes) = (0, 0);
        for row in transaction.open_table(EVENTS).unwrap().iter().unwrap() {
            count += 1;
            bytes += row.unwrap().1.value().len();
        }
        std::hint::black_box(bytes);
        Some((count, start.elapsed()))
    }
}
