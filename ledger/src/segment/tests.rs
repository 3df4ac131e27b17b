//! The store by itself: a retried append, and a writer poisoned by a failed write.

use super::*;

fn store(dir: &Path) -> SegmentStore {
    SegmentStore::create(dir, [1; 16], [2; 32], SegmentOptions::default()).unwrap()
}

fn entry(position: u8) -> [u8; 256] {
    let mut entry = [0; 256];
    entry[15] = position;
    entry
}

fn record(entry: &[u8; 256]) -> RecordRef<'_> {
    RecordRef {
        entry,
        public: b"",
        private: b"private",
    }
}

#[test]
fn a_retried_append_changes_nothing_and_another_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(dir.path());
    let (one, two) = (entry(0), entry(1));
    let batch = [record(&one), record(&two)];
    store.append(0, &batch, &[3; 32]).unwrap();
    store.append(0, &batch, &[3; 32]).unwrap();
    store.append(1, &batch[1..], &[3; 32]).unwrap();
    assert_eq!(store.size(), 2);
    for (expected, batch) in [(0, &batch[1..]), (1, &batch[..]), (5, &batch[..])] {
        assert!(matches!(
            store.append(expected, batch, &[3; 32]),
            Err(StoreError::Expected { actual: 2, .. })
        ));
    }
    assert_eq!(store.get(1).unwrap().unwrap().as_ref(), batch[1]);
    assert_eq!(store.get(2).unwrap(), None);
}

#[test]
fn after_a_failed_write_nothing_is_appended_until_opened_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = store(dir.path());
    let (one, two) = (entry(0), entry(1));
    store.append(0, &[record(&one)], &[3; 32]).unwrap();
    // A handle for reading only: the system refuses every write to it.
    store.active = SegmentFile::open(dir.path(), 0).unwrap();
    let batch = [record(&two)];
    assert!(matches!(
        store.append(1, &batch, &[4; 32]),
        Err(StoreError::Io { .. })
    ));
    store.active = SegmentFile::open_for_writing(dir.path(), 0).unwrap();
    assert!(matches!(
        store.append(1, &batch, &[4; 32]),
        Err(StoreError::Poisoned)
    ));
    let options = SegmentOptions::default();
    let known = Known::default();
    let of = ([1; 16], [2; 32]);
    let mut store = SegmentStore::open(dir.path(), of, options, known, &mut NoOne).unwrap();
    store.append(1, &batch, &[4; 32]).unwrap();
    assert_eq!((store.size(), store.head_chain()), (2, [4; 32]));
}
