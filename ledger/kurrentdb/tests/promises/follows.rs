//! A follower is told every record once and in order, as it comes.

use std::ops::ControlFlow;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use kurrentdb_fake::{Cluster, Fake, Options, ReadFault, When};
use ledger::StoredRecord;
use ledger_kurrentdb::{Followed, KurrentError};

use super::records::{append, connect, records};

const STREAM: &str = "contoso";

/// Longest wait for something that must happen: only what hangs takes as long.
const PATIENCE: Duration = Duration::from_mins(2);

/// Follows on a thread of its own until nobody listens.
fn follow(url: &str, from: u64) -> Receiver<Followed> {
    let store = connect(url);
    let (send, told) = channel();
    std::thread::spawn(move || {
        store.follow(from, &mut |followed| match send.send(followed) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_gone) => ControlFlow::Break(()),
        })
    });
    told
}

/// The next records, and what is between is passed over.
fn next(told: &Receiver<Followed>, count: usize) -> Vec<StoredRecord> {
    let mut all = Vec::new();
    while all.len() < count {
        if let Followed::Record(record) = told.recv_timeout(PATIENCE).unwrap() {
            all.push(record);
        }
    }
    all
}

#[test]
fn what_was_there_comes_first_and_then_what_is_appended() {
    let records = records(700);
    let server = Fake::start(Options::default()).unwrap();
    let mut store = connect(&server.url(STREAM));
    append(&mut store, &records[..300]).unwrap();
    let all = follow(&server.url(STREAM), 0);
    let some = follow(&server.url(STREAM), 250);
    let new = follow(&server.url(STREAM), 300);
    assert_eq!(next(&all, 300), records[..300]);
    assert_eq!(next(&some, 50), records[250..300]);
    while new.recv_timeout(PATIENCE).unwrap() != Followed::CaughtUp {}
    assert_eq!(new.recv_timeout(PATIENCE).unwrap(), Followed::Waiting);
    for batch in records[300..].chunks(40) {
        append(&mut store, batch).unwrap();
        for told in [&all, &some, &new] {
            assert_eq!(next(told, batch.len()), batch);
        }
    }
}

#[test]
fn a_follower_goes_on_where_it_was_whatever_breaks_it_off() {
    let records = records(400);
    for fault in [
        ReadFault::CutAfter(0),
        ReadFault::CutAfter(7),
        ReadFault::EndAfter(7),
        ReadFault::Duplicate(5),
        ReadFault::Unavailable,
    ] {
        let server = Fake::start(Options::default()).unwrap();
        let mut store = connect(&server.url(STREAM));
        append(&mut store, &records[..100]).unwrap();
        let told = follow(&server.url(STREAM), 0);
        server.fail_reads(When::Every(2), fault);
        for batch in records[100..].chunks(50) {
            // appends do not read
            append(&mut store, batch).unwrap();
        }
        assert_eq!(next(&told, 400), records, "{fault:?}");
        server.heal();
    }
}

#[test]
fn a_follower_survives_its_node() {
    let records = records(60);
    let mut cluster = Cluster::two(&Options::default()).unwrap();
    let mut store = connect(&cluster.url(STREAM));
    append(&mut store, &records[..20]).unwrap();
    let told = follow(&cluster.url(STREAM), 0);
    assert_eq!(next(&told, 20), records[..20]);
    cluster.kill_leader();
    append(&mut store, &records[20..40]).unwrap();
    assert_eq!(next(&told, 20), records[20..40]);
    cluster.revive().unwrap();
    cluster.kill_leader();
    append(&mut store, &records[40..]).unwrap();
    assert_eq!(next(&told, 20), records[40..]);
}

#[test]
fn what_is_not_ours_ends_it_by_its_revision() {
    let records = records(20);
    let server = Fake::start(Options::default()).unwrap();
    append(&mut connect(&server.url(STREAM)), &records).unwrap();
    let store = connect(&server.url(STREAM));
    server.log().write_foreign(STREAM, "hello");
    let mut seen = 0;
    let error = store
        .follow(0, &mut |followed| {
            seen += u32::from(matches!(followed, Followed::Record(_)));
            ControlFlow::Continue(())
        })
        .unwrap_err();
    assert_eq!(seen, 20);
    assert!(
        matches!(error, KurrentError::Foreign { revision: 20, .. }),
        "{error}"
    );
}
