//! SQLite: WAL, synchronous=FULL; with or without a chain of BLAKE3 by a trigger.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rusqlite::{Connection, functions::FunctionFlags};

use crate::peer::{Peer, all_at_once};
use crate::work::Rows;

const TABLE: &str = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
    CREATE TABLE event (position INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, payload BLOB NOT NULL, chain BLOB);";

const CHAIN: &str = "CREATE TABLE head (chain BLOB NOT NULL); INSERT INTO head VALUES (zeroblob(32));
    CREATE TRIGGER chained AFTER INSERT ON event BEGIN
        UPDATE head SET chain = blake3(chain, new.id, new.payload);
        UPDATE event SET chain = (SELECT chain FROM head) WHERE position = new.position;
    END;";

pub(crate) struct Sqlite {
    pub(crate) is_chained: bool,
}

impl Sqlite {
    fn create(&self, folder: &Path) -> Connection {
        let connection = Connection::open(folder.join("events.sqlite")).unwrap();
        connection.execute_batch(TABLE).unwrap();
        if self.is_chained {
            connection
                .create_scalar_function("blake3", 3, FunctionFlags::SQLITE_DETERMINISTIC, |context| {
                    let mut hasher = blake3::Hasher::new();
                    for index in 0..3 {
                        hasher.update(context.get_raw(index).as_blob().unwrap());
                    }
                    Ok(hasher.finalize().as_bytes().to_vec())
                })
                .unwrap();
            connection.execute_batch(CHAIN).unwrap();
        }
        connection
    }
}

fn commit(connection: &mut Connection, rows: &[([u8; 16], Vec<u8>)]) {
    let transaction = connection.transaction().unwrap();
    {
        let mut insert = transaction.prepare_cached("INSERT INTO event (id, payload) VALUES (?1, ?2)").unwrap();
        for row in rows {
            insert.execute((&row.0, &row.1)).unwrap();
        }
    }
    transaction.commit().unwrap();
}

impl Peer for Sqlite {
    fn name(&self) -> &'static str {
        if self.is_chained { "SQLite, chained by trigger" } else { "SQLite" }
    }

    fn append(&self, folder: &Path, batches: &[Rows]) -> Duration {
        let mut connection = self.create(folder);
        let start = Instant::now();
        for batch in batches {
            commit(&mut connection, batch);
        }
        start.elapsed()
    }

    /// One connection for all: several would wait for each other's locks, and longer.
    fn together(&self, folder: &Path, callers: &[Rows]) -> Duration {
        let connection = Mutex::new(self.create(folder));
        all_at_once(callers, |rows| {
            for row in rows {
                commit(&mut connection.lock().unwrap(), std::slice::from_ref(row));
            }
        })
    }

    fn scan(&self, folder: &Path) -> Option<(u64, Duration)> {
        let connection = Connection::open(folder.join("events.sqlite")).unwrap();
        let start = Instant::now();
        let mut query = connection.prepare("SELECT id, payload FROM event ORDER BY position").unwrap();
        let mut rows = query.query(()).unwrap();
        let (mut count, mut bytes) = (0, 0);
        while let Some(row) = rows.next().unwrap() {
            count += 1;
            bytes += row.get_ref(1).unwrap().as_blob().unwrap().len();
        }
        std::hint::black_box(bytes);
        Some((count, start.elapsed()))
    }
}
