//! The store in a folder keeps what every store owes the ledger.

#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its helpers too"
)]

#[path = "conformance/mod.rs"]
mod suite;

use ledger::{Replica, SegmentOptions, Store, StoredRecord};
use suite::Kept;

const SMALL: SegmentOptions = SegmentOptions {
    segment_bytes: 65_536,
    extend_bytes: 0,
    index_events: 100,
};

struct Folder(tempfile::TempDir);

impl Kept for Folder {
    fn begin(first: &StoredRecord) -> (Self, Box<dyn Store>) {
        let folder = tempfile::tempdir().unwrap();
        let replica = Replica::begin(&folder.path().join("book"), first, SMALL).unwrap();
        (Self(folder), Box::new(replica))
    }

    fn again(&self) -> Box<dyn Store> {
        Box::new(Replica::open(&self.0.path().join("book"), SMALL).unwrap())
    }
}

#[test]
fn a_folder_keeps_what_a_store_owes() {
    suite::all::<Folder>();
}
