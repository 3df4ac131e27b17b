//! An append is there exactly once, whatever fails on the way.

use std::time::Duration;

use kurrentdb_fake::{AppendFault, Fake, Options, When};
use ledger::{Store as _, StoreError};
use ledger_kurrentdb::{KurrentError, Rival};

use super::records::{append, cause, connect, holds, records};

const STREAM: &str = "contoso";

fn server() -> Fake {
    Fake::start(Options::default()).unwrap()
}

const FAULTS: [AppendFault; 7] = [
    AppendFault::DropBeforeCommit,
    AppendFault::DropAfterCommit,
    AppendFault::AbortedBeforeCommit,
    AppendFault::AbortedAfterCommit,
    AppendFault::AbortedCommitLater(Duration::from_millis(30)),
    AppendFault::Unavailable,
    AppendFault::Delay(Duration::from_millis(5)),
];

#[test]
fn a_fault_at_any_part_leaves_every_record_once() {
    let records = records(2_300);
    for fault in FAULTS {
        for nth in 1..=4 {
            let server = server();
            let mut store = connect(&server.url(STREAM));
            append(&mut store, &records[..1]).unwrap();
            server.fail_appends(When::Nth(nth), fault);
            append(&mut store, &records[1..]).unwrap();
            holds(server.log(), STREAM, &records);
            assert_eq!(store.size(), 2_300, "{fault:?}, {nth}");
        }
    }
}

#[test]
fn faults_all_the_time_leave_every_record_once() {
    let records = records(1_200);
    for fault in FAULTS {
        let server = server();
        let mut store = connect(&server.url(STREAM));
        server.fail_appends(When::Every(2), fault);
        for batch in records.chunks(97) {
            append(&mut store, batch).unwrap();
        }
        server.heal();
        holds(server.log(), STREAM, &records);
    }
}

#[test]
fn a_server_without_batches_takes_appends() {
    let records = records(1_200);
    let server = Fake::start(Options {
        batches: false,
        ..Options::default()
    })
    .unwrap();
    let mut store = connect(&server.url(STREAM));
    append(&mut store, &records[..1]).unwrap();
    server.fail_appends(When::Nth(2), AppendFault::DropAfterCommit);
    append(&mut store, &records[1..]).unwrap();
    holds(server.log(), STREAM, &records);
}

#[test]
fn an_outcome_nobody_knows_poisons_the_store_until_it_has_looked() {
    let records = records(30);
    let server = server();
    // six tries of 100 ms each
    let mut store = connect(&format!("{}&defaultDeadline=100", server.url(STREAM)));
    append(&mut store, &records[..10]).unwrap();
    server.fail_appends(When::Every(1), AppendFault::AbortedAfterCommit);
    let failed = append(&mut store, &records[10..20]).unwrap_err();
    assert!(
        matches!(cause(&failed), KurrentError::Unknown { revision: 10, .. }),
        "{failed}"
    );
    server.heal();
    let poisoned = append(&mut store, &records[10..20]);
    assert!(matches!(poisoned, Err(StoreError::Poisoned)));
    assert_eq!(store.size(), 10);
    store.refresh().unwrap();
    assert_eq!(store.size(), 20);
    // the same again is fine
    append(&mut store, &records[10..20]).unwrap();
    append(&mut store, &records[20..]).unwrap();
    holds(server.log(), STREAM, &records);
}

#[test]
fn a_server_that_is_never_ready_is_given_up() {
    let records = records(3);
    let server = server();
    let mut store = connect(&format!("{}&defaultDeadline=100", server.url(STREAM)));
    append(&mut store, &records[..1]).unwrap();
    server.fail_appends(When::Every(1), AppendFault::Unavailable);
    let failed = append(&mut store, &records[1..]).unwrap_err();
    assert!(
        matches!(cause(&failed), KurrentError::TimedOut { .. }),
        "{failed}: {}",
        cause(&failed)
    );
    server.heal();
    store.refresh().unwrap();
    append(&mut store, &records[1..]).unwrap();
    holds(server.log(), STREAM, &records);
}

#[test]
fn who_wrote_first_is_named_by_revision_and_kind() {
    let records = records(30);
    let server = server();
    let mut ours = connect(&server.url(STREAM));
    append(&mut ours, &records[..10]).unwrap();
    let mut theirs = connect(&server.url(STREAM));
    append(&mut theirs, &records[10..12]).unwrap();
    // the same ledger cannot have another record there, but a longer batch begins differently
    let mut fork = records[10..20].to_vec();
    fork[0].private.push(0);
    let failed = append(&mut ours, &fork).unwrap_err();
    assert!(
        matches!(
            cause(&failed),
            KurrentError::Elsewhere {
                revision: 10,
                rival: Rival::SameLedger,
                ..
            }
        ),
        "{}",
        cause(&failed)
    );
    ours.refresh().unwrap();
    append(&mut ours, &records[12..20]).unwrap();
    server.log().write_foreign(STREAM, "hello");
    let failed = append(&mut ours, &records[20..]).unwrap_err();
    assert!(
        matches!(
            cause(&failed),
            KurrentError::Elsewhere {
                revision: 20,
                rival: Rival::Foreign,
                ..
            }
        ),
        "{}",
        cause(&failed)
    );
    holds_first(&server, 20);
}

fn holds_first(server: &Fake, count: usize) {
    let there = server.log().stream(STREAM);
    let ours = there.iter().filter(|event| &*event.kind == "daybook.entry");
    assert_eq!(ours.count(), count);
}

#[test]
fn a_rival_who_wrote_as_much_as_a_part_is_not_appended_behind() {
    // the revision that our second part expects is there, and is not what it was built on
    let records = records(1_001);
    for batches in [true, false] {
        let server = Fake::start(Options {
            batches,
            ..Options::default()
        })
        .unwrap();
        let mut ours = connect(&server.url(STREAM));
        append(&mut ours, &records[..1]).unwrap();
        let mut theirs = connect(&server.url(STREAM));
        let mut fork = records[1..501].to_vec();
        fork[0].private.push(0);
        append(&mut theirs, &fork).unwrap();
        let failed = append(&mut ours, &records[1..]).unwrap_err();
        assert!(
            matches!(cause(&failed), KurrentError::Elsewhere { revision: 1, .. }),
            "{}",
            cause(&failed)
        );
        assert_eq!(server.log().count(STREAM), 501);
    }
}

#[test]
fn what_another_writer_of_the_same_ledger_appended_already_is_there() {
    // two processes with the same batch, as after a crash between server and replica
    let records = records(700);
    let server = server();
    let mut one = connect(&server.url(STREAM));
    append(&mut one, &records[..10]).unwrap();
    let mut two = connect(&server.url(STREAM));
    append(&mut one, &records[10..]).unwrap();
    append(&mut two, &records[10..]).unwrap();
    holds(server.log(), STREAM, &records);
}

#[test]
fn a_record_the_server_never_takes_is_named() {
    let records = crate::conformance::sized(3, 50_000);
    let server = Fake::start(Options {
        max_append_size: 40_000,
        ..Options::default()
    })
    .unwrap();
    let mut store = connect(&server.url(STREAM));
    let failed = append(&mut store, &records).unwrap_err();
    assert!(
        matches!(
            cause(&failed),
            KurrentError::TooLarge {
                revision: 1,
                limit: Some(40_000),
                ..
            }
        ),
        "{}",
        cause(&failed)
    );
}
