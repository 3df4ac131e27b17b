//! How fast records go to a server on this machine and come back.
//!
//! ```text
//! cargo run --release -p ledger-kurrentdb --example speed [EVENTS] [URL]
//! ```
//!
//! Without an address it starts a server of its own, the test server, whose time is part of the
//! figure. Events are of about 650 bytes and go in batches of 1,000.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    dead_code,
    reason = "a measurement: it reads the clock, prints, and ends when something fails"
)]

#[path = "../../tests/conformance/mod.rs"]
mod conformance;

use std::ops::ControlFlow;
use std::time::Instant;

use kurrentdb_fake::{Fake, Options};
use ledger::{RecordRef, Store as _, StoredRecord, hash};
use ledger_kurrentdb::{Address, KurrentStore};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let count: u32 = arguments
        .next()
        .map_or(200_000, |text| text.parse().unwrap());
    let server = Fake::start(Options::default()).unwrap();
    let url = arguments.next().unwrap_or_else(|| server.url("speed"));
    let records = conformance::sized(count, 260);
    let bytes: usize = records
        .iter()
        .map(|record| record.entry.len() + record.public.len() + record.private.len())
        .sum();
    println!("{count} events of {} bytes", bytes / records.len());

    let mut store = connect(&url);
    let begun = Instant::now();
    for batch in records.chunks(1_000) {
        let refs: Vec<RecordRef<'_>> = batch.iter().map(StoredRecord::as_ref).collect();
        let chain = hash::chain(&batch.last().unwrap().entry);
        store.append(store.size(), &refs, &chain).unwrap();
    }
    println!(
        "append in batches of 1,000: {} events/s",
        rate(count, begun)
    );

    let store = connect(&url);
    for _ in 0..3 {
        let begun = Instant::now();
        let mut seen = 0_u32;
        store
            .read(0, &mut |_| {
                seen += 1;
                ControlFlow::Continue(())
            })
            .unwrap();
        assert_eq!(seen, count);
        println!("read: {} events/s", rate(count, begun));
    }
}

fn rate(events: u32, begun: Instant) -> u128 {
    u128::from(events) * 1_000_000 / begun.elapsed().as_micros().max(1)
}

fn connect(url: &str) -> KurrentStore {
    let jitter = Box::new(|bytes: &mut [u8]| getrandom::fill(bytes).unwrap());
    KurrentStore::connect(&Address::parse(url).unwrap(), jitter).unwrap()
}
