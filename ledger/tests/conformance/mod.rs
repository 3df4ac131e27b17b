//! What any store of records owes the ledger, for every implementation: the obligations listed at
//! [`Store`], tried against a list. Durability and honesty after a failure need faults that only
//! the implementation knows; they have tests of their own beside it.

use std::ops::ControlFlow;

use jiff::Timestamp;
use ledger::event::activity::SignIn;
use ledger::event::identity::{ObjectKind, Registered};
use ledger::hash::{self, Hash};
use ledger::{
    Correlation, CreateOptions, Edge, Event, EventBody, Ledger, NaturalKey, Precision, Reader,
    RecordRef, SegmentOptions, Source, Store, StoreError, StoredRecord, StreamName,
};

/// A place where a store is kept.
pub(crate) trait Kept {
    /// A store at a new place, with the first record.
    fn begin(first: &StoredRecord) -> (Self, Box<dyn Store>)
    where
        Self: Sized;

    /// Comes back to it: what was acknowledged must be there. The store before was dropped.
    fn again(&self) -> Box<dyn Store>;
}

/// Tries everything; the names tell what failed.
pub(crate) fn all<K: Kept>() {
    let records = records(1_301);
    as_appended::<K>(&records);
    in_batches_of_any_size::<K>(&records);
    exact::<K>(&records);
    idempotent::<K>(&records);
    nothing_of_a_misfit::<K>(&records);
    empty_batches_change_nothing::<K>(&records);
    long_records::<K>();
}

const TENANT: &str = "11111111-2222-3333-4444-555555555555";

/// A clock that moves one millisecond per look, and bytes that never repeat.
fn edge() -> Edge {
    let (mut now, mut seed) = (1_795_000_000_000_i64, 0_u64);
    Edge {
        clock: Box::new(move || {
            now += 1;
            Timestamp::from_millisecond(now).unwrap()
        }),
        entropy: Box::new(move |bytes| {
            seed += 1;
            let mut stream = blake3::Hasher::new()
                .update(&seed.to_le_bytes())
                .finalize_xof();
            stream.fill(bytes);
        }),
    }
}

/// An event: every seventh with a private part, the others without.
fn event(n: u32, text: &str) -> Event {
    let object = format!("object-{n}");
    let (name, body) = if n.is_multiple_of(7) {
        let registered = Registered {
            kind: ObjectKind::ServicePrincipal,
            attributes: [("displayName".to_owned(), serde_json::json!(text))].into(),
        };
        (
            "identity.registered",
            EventBody::IdentityRegistered(registered),
        )
    } else {
        let sign_in = SignIn {
            sign_in_id: object.clone(),
            app_id: text.to_owned(),
            ..SignIn::default()
        };
        ("activity", EventBody::SignedIn(sign_in))
    };
    Event {
        id: NaturalKey::new(name).with(TENANT).with(&object).id(),
        stream: StreamName::service_principal(TENANT, &object),
        occurred_at: Timestamp::from_second(1_790_000_000 + i64::from(n)).unwrap(),
        precision: Precision::Exact,
        body,
        source: Source {
            name: "conformance".to_owned(),
            record: None,
            digest: String::new(),
        },
        correlation: Correlation::default(),
        actor: n.is_multiple_of(7).then(|| "someone".to_owned()),
        private: n
            .is_multiple_of(7)
            .then(|| serde_json::json!({"actor": {"name": "Someone"}})),
    }
}

/// The records of a ledger with these events, as it stores them.
fn stored(events: Vec<Event>) -> Vec<StoredRecord> {
    let folder = tempfile::tempdir().unwrap();
    let book = folder.path().join("book");
    let options = CreateOptions {
        origin: "ledger.example/conformance".to_owned(),
        private_network: false,
    };
    let mut ledger =
        Ledger::create_with(&book, &options, edge(), SegmentOptions::default()).unwrap();
    ledger.append(events).unwrap();
    drop(ledger);
    let reader = Reader::open(&book).unwrap();
    let mut all = Vec::new();
    reader
        .scan_stored(0..reader.size(), &mut |record| {
            all.push(StoredRecord {
                entry: *record.entry,
                public: record.public.to_vec(),
                private: record.private.to_vec(),
            });
            ControlFlow::Continue(())
        })
        .unwrap();
    all
}

/// So many records of one ledger, the first at position 0.
pub(crate) fn records(count: u32) -> Vec<StoredRecord> {
    let records = stored((1..count).map(|n| event(n, "app")).collect());
    let has_private = |record: &StoredRecord| !record.private.is_empty();
    assert!(count < 9 || records.iter().any(has_private));
    records
}

fn chain(records: &[StoredRecord]) -> Hash {
    hash::chain(&records.last().unwrap().entry)
}

fn append(store: &mut dyn Store, at: u64, records: &[StoredRecord]) -> Result<(), StoreError> {
    let refs: Vec<RecordRef<'_>> = records.iter().map(StoredRecord::as_ref).collect();
    store.append(at, &refs, &chain(records))
}

/// The store holds these records and no other.
fn holds(store: &dyn Store, records: &[StoredRecord]) {
    let size = records.len() as u64;
    assert_eq!(store.size(), size);
    assert_eq!(store.head_chain(), chain(records));
    for (at, record) in records.iter().enumerate() {
        // each of the first and last, and some between
        if at < 20 || at + 20 > records.len() || at % 97 == 0 {
            assert_eq!(store.get(at as u64).unwrap().as_ref(), Some(record), "{at}");
        }
    }
    assert_eq!(store.get(size).unwrap(), None);
    assert_eq!(store.get(size + 7).unwrap(), None);
}

fn as_appended<K: Kept>(records: &[StoredRecord]) {
    let (kept, mut store) = K::begin(&records[0]);
    holds(store.as_ref(), &records[..1]);
    append(store.as_mut(), 1, &records[1..40]).unwrap();
    holds(store.as_ref(), &records[..40]);
    drop(store);
    let mut store = kept.again();
    holds(store.as_ref(), &records[..40]);
    append(store.as_mut(), 40, &records[40..]).unwrap();
    holds(store.as_ref(), records);
    drop(store);
    holds(kept.again().as_ref(), records);
}

fn in_batches_of_any_size<K: Kept>(records: &[StoredRecord]) {
    let (_kept, mut store) = K::begin(&records[0]);
    let mut at = 1;
    for count in [1, 2, 3, 7, 64, 255, 256, 257, 499].into_iter().cycle() {
        let until = records.len().min(at + count);
        append(store.as_mut(), at as u64, &records[at..until]).unwrap();
        at = until;
        assert_eq!(store.size(), at as u64);
        if at == records.len() {
            break;
        }
    }
    holds(store.as_ref(), records);
}

/// An append at another position than the end is refused and says where the end is.
fn exact<K: Kept>(records: &[StoredRecord]) {
    let (_kept, mut store) = K::begin(&records[0]);
    append(store.as_mut(), 1, &records[1..10]).unwrap();
    for (at, batch) in [
        (11, &records[11..13]),
        (1_000, &records[1_000..1_001]),
        // other records than those that are there
        (5, &records[20..22]),
        (9, &records[20..22]),
        // what is there, and more
        (8, &records[8..12]),
    ] {
        let refused = append(store.as_mut(), at, batch);
        assert!(
            matches!(
                refused,
                Err(StoreError::Expected { expected, actual: 10 }) if expected == at
            ),
            "{at}: {refused:?}"
        );
        holds(store.as_ref(), &records[..10]);
    }
    append(store.as_mut(), 10, &records[10..20]).unwrap();
    holds(store.as_ref(), &records[..20]);
}

/// What is there already is fine, and changes nothing.
fn idempotent<K: Kept>(records: &[StoredRecord]) {
    let (kept, mut store) = K::begin(&records[0]);
    append(store.as_mut(), 1, &records[1..700]).unwrap();
    for (from, until) in [(1, 700), (0, 1), (3, 9), (699, 700), (0, 700)] {
        append(store.as_mut(), from as u64, &records[from..until]).unwrap();
        holds(store.as_ref(), &records[..700]);
    }
    drop(store);
    let mut store = kept.again();
    append(store.as_mut(), 1, &records[1..700]).unwrap();
    append(store.as_mut(), 700, &records[700..]).unwrap();
    holds(store.as_ref(), records);
}

/// A batch whose records do not follow each other, or do not lead to the chain value told, is
/// refused whole.
fn nothing_of_a_misfit<K: Kept>(records: &[StoredRecord]) {
    let (_kept, mut store) = K::begin(&records[0]);
    append(store.as_mut(), 1, &records[1..10]).unwrap();
    let mut cut = records[10..20].to_vec();
    cut.remove(4);
    let mut link = records[10..20].to_vec();
    *link[5].entry.last_mut().unwrap() ^= 1;
    for batch in [&cut[..], &link, &records[11..12]] {
        let refused = append(store.as_mut(), 10, batch);
        assert!(
            matches!(refused, Err(StoreError::Misfit { .. })),
            "{refused:?}"
        );
        holds(store.as_ref(), &records[..10]);
    }
    let wrong = store.append(10, &[records[10].as_ref()], &[7; 32]);
    assert!(matches!(wrong, Err(StoreError::Misfit { .. })), "{wrong:?}");
    append(store.as_mut(), 10, &records[10..20]).unwrap();
    holds(store.as_ref(), &records[..20]);
}

fn empty_batches_change_nothing<K: Kept>(records: &[StoredRecord]) {
    let (_kept, mut store) = K::begin(&records[0]);
    let head = store.head_chain();
    store.append(1, &[], &head).unwrap();
    holds(store.as_ref(), &records[..1]);
}

/// Records whose payloads have a text of so many bytes; the first has none.
pub(crate) fn sized(count: u32, bytes: usize) -> Vec<StoredRecord> {
    let text = "x".repeat(bytes);
    stored((1..count).map(|n| event(n, &text)).collect())
}

/// Records of about 400 kB, of which a few exceed what a server takes at once.
fn long_records<K: Kept>() {
    let records = sized(10, 400_000);
    let (kept, mut store) = K::begin(&records[0]);
    append(store.as_mut(), 1, &records[1..]).unwrap();
    holds(store.as_ref(), &records);
    drop(store);
    holds(kept.again().as_ref(), &records);
}
