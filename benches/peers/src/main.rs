//! Durable append and verification against SQLite, in the same run, with the same payloads.
//!
//! `cargo run --release --manifest-path benches/peers/Cargo.toml [-- EVENTS [DIR]]`
//!
//! Each round appends EVENTS events in batches of 1,000 to a new Daybook ledger (typed event to
//! JSON, hashes, chain and one sync a batch included) and the stored payloads of the same events to a
//! new SQLite table (WAL, synchronous=FULL, one transaction a batch, no hashing at all), in turn.
//! Medians of five rounds; the ratio is taken round by round.

use std::path::Path;
use std::time::{Duration, Instant};

use ledger::event::activity::SignIn;
use ledger::{
    Correlation, CreateOptions, Edge, Event, EventBody, Ledger, NaturalKey, Precision, Source, StreamName,
};

const BATCH: usize = 1_000;
const ROUNDS: usize = 5;

fn event(number: u64) -> Event {
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

fn sqlite(file: &Path, batches: &[Vec<(Vec<u8>, Vec<u8>)>]) -> Duration {
    let mut connection = rusqlite::Connection::open(file).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
             CREATE TABLE event (position INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, payload BLOB NOT NULL);",
        )
        .unwrap();
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

fn median(values: &mut [u64]) -> u64 {
    values.sort_unstable();
    values[values.len() / 2]
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let events: u64 = arguments.next().map_or(300_000, |text| text.parse().expect("EVENTS is a number"));
    let root = arguments.next().map_or_else(std::env::temp_dir, Into::into);
    let all: Vec<Event> = (0..events).map(event).collect();
    let rows: Vec<Vec<(Vec<u8>, Vec<u8>)>> = all
        .chunks(BATCH)
        .map(|chunk| chunk.iter().map(|event| (event.id.0.to_vec(), payload(event))).collect())
        .collect();
    println!("{events} events, payload of {} bytes, batches of {BATCH}, {ROUNDS} rounds", rows[0][0].1.len());
    let (mut ours, mut theirs, mut ratios, mut verified) = (vec![], vec![], vec![], vec![]);
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir_in(&root).unwrap();
        let batches: Vec<Vec<Event>> = all.chunks(BATCH).map(<[Event]>::to_vec).collect();
        let ledger = folder.path().join("ledger");
        let a = rate(events, daybook(&ledger, batches));
        let b = rate(events, sqlite(&folder.path().join("peer.sqlite"), &rows));
        let start = Instant::now();
        let report = ledger::verify(&ledger, &|_, _| {}).unwrap();
        verified.push(rate(report.size, start.elapsed()));
        assert!(report.is_clean());
        ratios.push(a * 100 / b);
        ours.push(a);
        theirs.push(b);
    }
    let ratio = median(&mut ratios);
    println!("daybook durable append   {:>10} events/s", median(&mut ours));
    println!("sqlite WAL FULL append   {:>10} events/s", median(&mut theirs));
    println!("ratio                    {:>7}.{:02}", ratio / 100, ratio % 100);
    println!("daybook verify           {:>10} entries/s", median(&mut verified));
}
