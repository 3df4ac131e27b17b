//! What is read is the ledger's records in order, each once, or an error that names the revision.

use std::ops::ControlFlow;
use std::time::Duration;

use kurrentdb_fake::{Fake, Options, ReadFault, When};
use ledger::{Store as _, StoredRecord};
use ledger_kurrentdb::{KurrentError, KurrentStore};

use super::records::{append, connect, records, try_connect};

const STREAM: &str = "contoso";

fn filled(count: u32) -> (Fake, Vec<StoredRecord>) {
    let server = Fake::start(Options::default()).unwrap();
    let records = records(count);
    append(&mut connect(&server.url(STREAM)), &records).unwrap();
    (server, records)
}

fn read(store: &KurrentStore, from: u64) -> Result<Vec<StoredRecord>, KurrentError> {
    let mut all = Vec::new();
    store.read(from, &mut |record| {
        all.push(record);
        ControlFlow::Continue(())
    })?;
    Ok(all)
}

#[test]
fn a_read_goes_on_where_it_was_whatever_breaks_it_off() {
    let (server, records) = filled(1_000);
    for fault in [
        ReadFault::CutAfter(0),
        ReadFault::CutAfter(1),
        ReadFault::CutAfter(300),
        ReadFault::EndAfter(0),
        ReadFault::EndAfter(1),
        ReadFault::EndAfter(300),
        ReadFault::Duplicate(5),
        ReadFault::Unavailable,
        ReadFault::Delay(Duration::from_millis(5)),
    ] {
        let store = connect(&server.url(STREAM));
        for from in [0, 1, 500, 999, 1_000] {
            server.fail_reads(When::Next(3), fault);
            let expected = &records[usize::try_from(from).unwrap()..];
            assert_eq!(read(&store, from).unwrap(), expected, "{fault:?}, {from}");
            server.heal();
        }
    }
}

#[test]
fn a_slow_reader_holds_the_server_back() {
    let server = Fake::start(Options::default()).unwrap();
    let records = crate::conformance::sized(80, 400_000);
    append(&mut connect(&server.url(STREAM)), &records).unwrap();
    let store = connect(&server.url(STREAM));
    let before = server.traffic().bytes_told();
    let mut seen = 0_usize;
    store
        .read(0, &mut |record| {
            assert_eq!(record, records[seen]);
            seen += 1;
            if seen == 2 {
                // time for the server to send all of the 32 MB, if nothing held it back
                std::thread::sleep(Duration::from_millis(700));
            }
            if seen == 4 {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        })
        .unwrap();
    assert_eq!(seen, 4);
    // no more than was taken and the windows of the connection hold
    let told = server.traffic().bytes_told() - before;
    assert!(told < 8 << 20, "{told}");
}

#[test]
fn what_was_changed_is_named_by_its_revision() {
    type Change = fn(&Fake);
    type Is = fn(&KurrentError) -> bool;
    let changes: [(Change, Is); 5] = [
        (
            |server| assert!(server.log().redact(STREAM, 40)),
            |error| matches!(error, KurrentError::Redacted { revision: 40, .. }),
        ),
        (
            |server| assert!(server.log().replace(STREAM, 40, "other")),
            |error| matches!(error, KurrentError::Foreign { revision: 40, .. }),
        ),
        (
            |server| assert!(server.log().drop_event(STREAM, 40)),
            |error| {
                matches!(
                    error,
                    KurrentError::Gap {
                        expected: 40,
                        found: 41,
                        ..
                    }
                )
            },
        ),
        (
            |server| {
                assert!(server.log().change(STREAM, 40, |event| {
                    let mut data = event.data.to_vec();
                    data[250] ^= 1;
                    event.data = data.into();
                }));
            },
            |error| matches!(error, KurrentError::Broken { revision: 40, .. }),
        ),
        (
            |server| {
                assert!(server.log().change(STREAM, 40, |event| {
                    event.kind = "other".into();
                }));
            },
            |error| matches!(error, KurrentError::Foreign { revision: 40, .. }),
        ),
    ];
    for (at, (change, is)) in changes.into_iter().enumerate() {
        let (server, _) = filled(100);
        let store = connect(&server.url(STREAM));
        change(&server);
        let error = read(&store, 0).unwrap_err();
        assert!(is(&error), "{at}: {error}");
        assert_eq!(error.position(), Some(40), "{error}");
        assert!(!error.hint().is_empty());
        // what is before and behind can still be read
        assert_eq!(
            store.get(39).unwrap().unwrap().entry[8..16],
            39_u64.to_be_bytes()
        );
    }
}

#[test]
fn a_beginning_that_was_cut_off_is_noticed_at_once() {
    let (server, _) = filled(50);
    let store = connect(&server.url(STREAM));
    server.log().truncate_before(STREAM, 10);
    let error = read(&store, 0).unwrap_err();
    assert!(
        matches!(
            error,
            KurrentError::Gap {
                expected: 0,
                found: 10,
                ..
            }
        ),
        "{error}"
    );
    let error = try_connect(&server.url(STREAM)).unwrap_err();
    assert!(
        matches!(error, KurrentError::Gap { found: 10, .. }),
        "{error}"
    );
}

#[test]
fn a_record_of_another_ledger_is_named() {
    let (server, records) = filled(50);
    let mut store = connect(&server.url(STREAM));
    let data = [&records[0].entry[..], &records[0].public].concat();
    let mut entry = data;
    // position 50, and another ledger's id
    entry[8..16].copy_from_slice(&50_u64.to_be_bytes());
    let id = ledger::entry::Entry::decode(&records[0].entry)
        .unwrap()
        .ledger_id;
    let at = entry.windows(16).position(|bytes| bytes == id).unwrap();
    entry[at] ^= 1;
    server.log().write_foreign(STREAM, entry);
    server
        .log()
        .change(STREAM, 50, |event| event.kind = "daybook.entry".into());
    let error = store.refresh().unwrap_err();
    assert!(
        matches!(error, KurrentError::OtherLedger { revision: 50, .. }),
        "{error}"
    );
    assert_eq!(store.size(), 50);
}

#[test]
fn a_stream_that_got_shorter_is_noticed() {
    let (server, _) = filled(50);
    let mut store = connect(&server.url(STREAM));
    assert!(server.log().drop_event(STREAM, 49));
    let error = store.refresh().unwrap_err();
    assert!(
        matches!(
            error,
            KurrentError::Shorter {
                expected: 50,
                found: 49,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_store_is_used_within_a_task_as_well() {
    let (server, records) = filled(5_000);
    let url = server.url(STREAM);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let all = runtime.block_on(async { read(&connect(&url), 0).unwrap() });
    assert_eq!(all, records);
}
