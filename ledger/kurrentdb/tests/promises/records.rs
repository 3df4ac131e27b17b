//! Records to append, and stores to append them to.

use ledger::hash;
use ledger::{RecordRef, Store as _, StoreError, StoredRecord};
use ledger_kurrentdb::{Address, Jitter, KurrentError, KurrentStore};

use crate::conformance;

/// Randomness of the tests: it never repeats, and is the same each time.
pub(crate) fn jitter() -> Jitter {
    let mut seed = 0_u64;
    Box::new(move |bytes| {
        seed += 1;
        let mut stream = blake3::Hasher::new()
            .update(&seed.to_le_bytes())
            .finalize_xof();
        stream.fill(bytes);
    })
}

pub(crate) fn connect(url: &str) -> KurrentStore {
    try_connect(url).unwrap()
}

pub(crate) fn try_connect(url: &str) -> Result<KurrentStore, KurrentError> {
    KurrentStore::connect(&Address::parse(url).unwrap(), jitter())
}

/// So many records of one ledger, the first at position 0.
pub(crate) fn records(count: u32) -> Vec<StoredRecord> {
    conformance::records(count)
}

/// Appends records at their place.
pub(crate) fn append(store: &mut KurrentStore, records: &[StoredRecord]) -> Result<(), StoreError> {
    let refs: Vec<RecordRef<'_>> = records.iter().map(StoredRecord::as_ref).collect();
    let at = ledger::entry::Entry::peek_position(&records[0].entry);
    store.append(at, &refs, &hash::chain(&records.last().unwrap().entry))
}

/// The cause of a store's error.
pub(crate) fn cause(error: &StoreError) -> &KurrentError {
    let StoreError::Remote { source } = error else {
        panic!("{error}");
    };
    source.downcast_ref().unwrap()
}

/// The server has exactly these records, each once and in order.
pub(crate) fn holds(log: &kurrentdb_fake::Log, stream: &str, records: &[StoredRecord]) {
    let there = log.stream(stream);
    assert_eq!(there.len(), records.len());
    for (event, record) in there.iter().zip(records) {
        let data = [&record.entry[..], &record.public, &record.private].concat();
        assert_eq!(event.data, data, "revision {}", event.revision);
        assert_eq!(&*event.kind, "daybook.entry");
    }
}
