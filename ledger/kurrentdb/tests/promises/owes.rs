//! It keeps what every store owes the ledger, on servers of several kinds.

use kurrentdb_fake::{AppendFault, Fake, Options, ReadFault, When};
use ledger::{RecordRef, Store, StoredRecord, hash};

use super::records::connect;
use crate::conformance::{self, Kept};

/// Appends the first record.
fn begun(mut store: Box<dyn Store>, first: &StoredRecord) -> Box<dyn Store> {
    let chain = hash::chain(&first.entry);
    let records: [RecordRef<'_>; 1] = [first.as_ref()];
    store.append(0, &records, &chain).unwrap();
    store
}

struct Plain(Fake);

impl Kept for Plain {
    fn begin(first: &StoredRecord) -> (Self, Box<dyn Store>) {
        let server = Fake::start(Options::default()).unwrap();
        let store = Box::new(connect(&server.url("contoso")));
        (Self(server), begun(store, first))
    }

    fn again(&self) -> Box<dyn Store> {
        Box::new(connect(&self.0.url("contoso")))
    }
}

#[test]
fn a_stream_keeps_what_a_store_owes() {
    conformance::all::<Plain>();
}

/// Takes little at once, as a server that was set so.
struct Narrow(Fake);

impl Kept for Narrow {
    fn begin(first: &StoredRecord) -> (Self, Box<dyn Store>) {
        let options = Options {
            // less than a part of the usual size, more than the longest record
            max_append_size: 600_000,
            ..Options::default()
        };
        let server = Fake::start(options).unwrap();
        let store = Box::new(connect(&server.url("contoso")));
        (Self(server), begun(store, first))
    }

    fn again(&self) -> Box<dyn Store> {
        Box::new(connect(&self.0.url("contoso")))
    }
}

#[test]
fn so_does_one_on_a_server_that_takes_little_at_once() {
    conformance::all::<Narrow>();
}

/// Fails now and then.
struct Frail(Fake);

impl Kept for Frail {
    fn begin(first: &StoredRecord) -> (Self, Box<dyn Store>) {
        let (Plain(server), store) = Plain::begin(first);
        server.fail_appends(When::Every(3), AppendFault::DropAfterCommit);
        server.fail_appends(When::Every(5), AppendFault::AbortedBeforeCommit);
        server.fail_appends(When::Every(7), AppendFault::Unavailable);
        server.fail_reads(When::Every(4), ReadFault::CutAfter(3));
        (Self(server), store)
    }

    fn again(&self) -> Box<dyn Store> {
        Box::new(connect(&self.0.url("contoso")))
    }
}

#[test]
fn so_does_one_on_a_server_that_fails_now_and_then() {
    conformance::all::<Frail>();
}
