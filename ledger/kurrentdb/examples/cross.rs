//! Streams shared with other clients, for `.ci/kurrentdb`.
//!
//! ```text
//! cross dump FILE COUNT     writes the events of a small ledger to FILE, one JSON object a line
//! cross write URL FILE      appends them to a stream
//! cross read URL FILE       holds a stream against them
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    dead_code,
    reason = "a tool of the tests: it ends when something is not as it should be, and says so"
)]

#[path = "../../tests/conformance/mod.rs"]
mod conformance;

use std::io::Write as _;
use std::ops::ControlFlow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::entry::{ENTRY_BYTES, Entry};
use ledger::{RecordRef, Store as _, StoredRecord, hash};
use ledger_kurrentdb::{Address, KurrentStore};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["dump", file, count] => dump(file, count.parse().unwrap()),
        ["write", url, file] => write(url, &records(file)),
        ["read", url, file] => read(url, &records(file)),
        _ => panic!("cross dump FILE COUNT | write URL FILE | read URL FILE"),
    }
}

fn dump(file: &str, count: u32) {
    let mut out = std::fs::File::create(file).unwrap();
    for record in conformance::records(count) {
        let data = [&record.entry[..], &record.public, &record.private].concat();
        let line = serde_json::json!({ "data": STANDARD.encode(data) });
        writeln!(out, "{line}").unwrap();
    }
}

fn records(file: &str) -> Vec<StoredRecord> {
    let text = std::fs::read_to_string(file).unwrap();
    let record = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let data = STANDARD.decode(value["data"].as_str().unwrap()).unwrap();
        let (entry, payloads) = data.split_first_chunk::<ENTRY_BYTES>().unwrap();
        let length = usize::try_from(Entry::peek_public_length(entry)).unwrap();
        let (public, private) = payloads.split_at(length);
        StoredRecord {
            entry: *entry,
            public: public.to_vec(),
            private: private.to_vec(),
        }
    };
    text.lines().map(record).collect()
}

fn connect(url: &str) -> KurrentStore {
    let jitter = Box::new(|bytes: &mut [u8]| getrandom::fill(bytes).unwrap());
    KurrentStore::connect(&Address::parse(url).unwrap(), jitter).unwrap()
}

fn write(url: &str, records: &[StoredRecord]) {
    let mut store = connect(url);
    for batch in records.chunks(77) {
        let refs: Vec<RecordRef<'_>> = batch.iter().map(StoredRecord::as_ref).collect();
        let chain = hash::chain(&batch.last().unwrap().entry);
        store.append(store.size(), &refs, &chain).unwrap();
    }
    println!("ok: daybook: wrote {} events", records.len());
}

fn read(url: &str, records: &[StoredRecord]) {
    let mut expected = records.iter();
    connect(url)
        .read(0, &mut |record| {
            assert_eq!(Some(&record), expected.next());
            ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(expected.next(), None);
    println!(
        "ok: daybook: read {} events that another client wrote",
        records.len()
    );
}
