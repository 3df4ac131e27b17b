//! Durable append and verification against SQLite and PostgreSQL, in the same run, with the same
//! payloads; and proofs of a large ledger.
//!
//! `cargo run --release --manifest-path benches/peers/Cargo.toml [-- EVENTS [DIR]]`
//! `cargo run --release --manifest-path benches/peers/Cargo.toml -- proofs EVENTS [DIR]`
//!
//! Both peers are run a second time with what users build on them to notice tampering: a chain of
//! hashes by a trigger (BLAKE3 in SQLite, `sha256` in PostgreSQL). PostgreSQL is started for the run
//! when its programs are installed.
//!
//! Each round appends EVENTS events in batches of 1,000 to a new Daybook ledger (typed event to
//! JSON, hashes, chain and one sync a batch included) and the stored payloads of the same events to a
//! new SQLite table (WAL, synchronous=FULL, one transaction a batch, no hashing at all), in turn.
//! Medians of five rounds; the ratio is taken round by round.

mod postgresql;
mod proofs;

use std::path::Path;
use std::time::{Duration, Instant};

use ledger::event::activity::SignIn;
use ledger::{
    Correlation, CreateOptions, Edge, Event, EventBody, Ledger, NaturalKey, Precision, Source, StreamName,
};

pub(crate) const BATCH: usize = 1_000;
const ROUNDS: usize = 5;

pub(crate) fn event(number: u64) -> Event {
    let sign_in_id = format!("11111111-0000-4000-8000-{number:012}");
    let identity = format!("5b3c0a70-0000-4000-8000-{:012}", number % 1_000);
    Event {
        id: NaturalKey::new("activity").with("tenant").with(&sign_in_id).id(),
        stream: StreamName::service_principal("tenant", &identity),
        occurred_at: jiff::Timestamp::from_millisecond(1_790_000_000_000 + i64::try_from(number).unwrap()).unwrap(),
        precision: Precision::Exact,
        body: EventBody::SignedIn(SignIn {
            sign_in_id,
            app_id: identity.clone(),
            credential_key_id: Some(identity),
            ip: Some("203.0.113.7".to_owned()),
            ..SignIn::default()
        }),
        source: Source { name: "bench".to_owned(), record: None, digest: String::new() },
        correlation: Correlation::default(),
        actor: None,
        private: None,
    }
}

fn payload(event: &Event) -> Vec<u8> {
    serde_json::to_vec(&serde_json::json!({
        "subject": event.stream, "occurred_at": event.occurred_at,
        "body": event.body.to_json().unwrap(), "source": event.source,
    }))
    .unwrap()
}

fn daybook(dir: &Path, batches: Vec<Vec<Event>>) -> Duration {
    let edge = Edge {
        clock: Box::new(jiff::Timestamp::now),
        entropy: Box::new(|bytes| bytes.fill(7)),
    };
    let options = CreateOptions { origin: "ledger.example/bench".to_owned(), private_network: false };
    let mut ledger = Ledger::create(dir, &options, edge).unwrap();
    let start = Instant::now();
    for batch in batches {
        ledger.append(batch).unwrap();
    }
    start.elapsed()
}

/// Rows of a peer: id and payload.
type Rows = Vec<(Vec<u8>, Vec<u8>)>;

const TABLE: &str = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
    CREATE TABLE event (position INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, payload BLOB NOT NULL, chain BLOB);";

const CHAIN: &str = "CREATE TABLE head (chain BLOB NOT NULL); INSERT INTO head VALUES (zeroblob(32));
    CREATE TRIGGER chained AFTER INSERT ON event BEGIN
        UPDATE head SET chain = blake3(chain, new.id, new.payload);
        UPDATE event SET chain = (SELECT chain FROM head) WHERE position = new.position;
    END;";

fn sqlite(file: &Path, batches: &[Rows], is_chained: bool) -> Duration {
    let mut connection = rusqlite::Connection::open(file).unwrap();
    connection.execute_batch(TABLE).unwrap();
    if is_chained {
        let flags = rusqlite::functions::FunctionFlags::SQLITE_DETERMINISTIC;
        connection
            .create_scalar_function("blake3", 3, flags, |context| {
                let mut hasher = blake3::Hasher::new();
                for index in 0..3 {
                    hasher.update(context.get_raw(index).as_blob().unwrap());
                }
                Ok(hasher.finalize().as_bytes().to_vec())
            })
            .unwrap();
        connection.execute_batch(CHAIN).unwrap();
    }
    let start = Instant::now();
    for batch in batches {
        let transaction = connection.transaction().unwrap();
        {
            let mut insert = transaction.prepare_cached("INSERT INTO event (id, payload) VALUES (?1, ?2)").unwrap();
            for (id, payload) in batch {
                insert.execute((id, payload)).unwrap();
            }
        }
        transaction.commit().unwrap();
    }
    start.elapsed()
}

fn rate(events: u64, took: Duration) -> u64 {
    (u128::from(events) * 1_000_000_000 / took.as_nanos().max(1)).try_into().unwrap()
}

pub(crate) fn median(values: &mut [u64]) -> u64 {
    values.sort_unstable();
    values[values.len() / 2]
}

fn main() {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments.next_if(|word| word == "proofs").is_some() {
        let events = arguments.next().map_or(10_000_000, |text| text.parse().expect("EVENTS is a number"));
        return proofs::measure(events, &arguments.next().map_or_else(std::env::temp_dir, Into::into));
    }
    let events: u64 = arguments.next().map_or(300_000, |text| text.parse().expect("EVENTS is a number"));
    let root = arguments.next().map_or_else(std::env::temp_dir, Into::into);
    let all: Vec<Event> = (0..events).map(event).collect();
    let rows: Vec<Rows> = all
        .chunks(BATCH)
        .map(|chunk| chunk.iter().map(|event| (event.id.0.to_vec(), payload(event))).collect())
        .collect();
    println!("{events} events, payload of {} bytes, batches of {BATCH}, {ROUNDS} rounds", rows[0][0].1.len());
    let server = postgresql::Server::start(&root);
    if server.is_none() {
        println!("initdb and pg_ctl are absent: PostgreSQL is not measured");
    }
    let (mut ours, mut verified) = (vec![], vec![]);
    let mut peers = [("sqlite WAL FULL", vec![], vec![]), ("sqlite, chained", vec![], vec![]), ("postgresql", vec![], vec![]), ("postgresql, chained", vec![], vec![])];
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir_in(&root).unwrap();
        let batches: Vec<Vec<Event>> = all.chunks(BATCH).map(<[Event]>::to_vec).collect();
        let ledger = folder.path().join("ledger");
        let daybook = rate(events, daybook(&ledger, batches));
        ours.push(daybook);
        for (number, (_, rates, ratios)) in peers.iter_mut().enumerate() {
            let is_chained = number % 2 == 1;
            let took = match (number, &server) {
                (0 | 1, _) => sqlite(&folder.path().join(format!("{number}.sqlite")), &rows, is_chained),
                (_, Some(server)) => server.append(&rows, is_chained),
                (_, None) => continue,
            };
            rates.push(rate(events, took));
            ratios.push(daybook * 100 / rate(events, took).max(1));
        }
        let start = Instant::now();
        let report = ledger::verify(&ledger, &|_, _| {}).unwrap();
        verified.push(rate(report.size, start.elapsed()));
        assert!(report.is_clean());
    }
    println!("daybook, chain and tree  {:>10} events/s", median(&mut ours));
    for (name, mut rates, mut ratios) in peers {
        if !rates.is_empty() {
            let ratio = median(&mut ratios);
            println!("{name:<24} {:>10} events/s, ratio {:>3}.{:02}", median(&mut rates), ratio / 100, ratio % 100);
        }
    }
    println!("daybook verify           {:>10} entries/s", median(&mut verified));
}
