//! Appending, and appending again.

use super::book::{SMALL, all, at, blinded, create, edge, folder, options, registered, sign_in};
use ledger::event::book::{Conflicted, Corroborated};
use ledger::{
    AppendError, CreateError, Event, EventBody, EventType, Ledger, OpenError, Precision, Receipt,
    SegmentOptions, StreamName, verify,
};
use proptest::prelude::*;
use serde_json::json;

#[test]
fn a_new_ledger_begins_with_its_own_creation() {
    let dir = folder();
    let ledger = create(dir.path(), SegmentOptions::default());
    let events = all(&ledger);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].event.stream, StreamName::ledger());
    assert!(
        matches!(&events[0].event.body, EventBody::LedgerCreated(body)
        if body.origin == "ledger.example/t/acme" && !body.private_network)
    );
    drop(ledger);
    assert!(matches!(
        Ledger::create(dir.path(), &options(), edge()),
        Err(CreateError::AlreadyThere { .. })
    ));
}

#[test]
fn events_come_back_as_they_were_given() {
    let dir = folder();
    let mut ledger = create(dir.path(), SMALL);
    let mut given: Vec<Event> = (0..20).map(sign_in).collect();
    given.push(registered(7, "seven"));
    let receipts = ledger.append(given.clone()).unwrap();
    assert_eq!(
        receipts,
        (1..=21).map(Receipt::Appended).collect::<Vec<_>>()
    );
    let read = all(&ledger);
    // The actor's name is only in the header, blinded.
    given[20].actor = None;
    for (position, (read, given)) in (1..).zip(read[1..].iter().zip(&given)) {
        assert_eq!(read.position, position);
        assert_eq!(&read.event, given);
        assert_eq!(ledger.find(&given.id).unwrap(), Some(position));
    }
    assert!(read[21].has_private && !read[1].has_private);
    assert_eq!((read[4].stream_no, read[4].revision), (1, 1));
    assert!(read.is_sorted_by_key(|event| event.recorded_at));
}

#[test]
fn the_same_events_again_add_nothing() {
    let dir = folder();
    let mut ledger = create(dir.path(), SMALL);
    let events: Vec<Event> = (0..300).map(sign_in).collect();
    ledger.append(events.clone()).unwrap();
    let duplicates: Vec<Receipt> = (1..=300).map(Receipt::Duplicate).collect();
    assert_eq!(ledger.append(events.clone()).unwrap(), duplicates);
    drop(ledger);
    let mut ledger = Ledger::open_with(dir.path(), edge(), SMALL).unwrap();
    assert_eq!(ledger.append(events).unwrap(), duplicates);
    assert_eq!(ledger.size(), 301);
}

#[test]
fn a_batch_that_repeats_itself_is_told_so() {
    let dir = folder();
    let mut ledger = create(dir.path(), SMALL);
    let more = {
        let mut event = registered(1, "one");
        let EventBody::IdentityRegistered(body) = &mut event.body else {
            panic!("built otherwise");
        };
        body.attributes.insert("appId".to_owned(), json!("app"));
        event
    };
    let batch = vec![
        registered(1, "one"),
        registered(1, "one"),
        more.clone(),
        more,
        registered(1, "other"),
        registered(1, "other"),
    ];
    assert_eq!(
        ledger.append(batch).unwrap(),
        [
            Receipt::Appended(1),
            Receipt::Duplicate(1),
            Receipt::Corroborated { of: 1, position: 2 },
            Receipt::Duplicate(2),
            Receipt::Conflicted { of: 1, position: 3 },
            Receipt::Duplicate(3),
        ]
    );
}

#[test]
fn a_later_report_that_says_more_corroborates_once() {
    let dir = folder();
    let mut ledger = create(dir.path(), SMALL);
    let mut first = registered(1, "one");
    first.precision = Precision::Observed;
    first.occurred_at = at(50);
    ledger.append(vec![first.clone()]).unwrap();
    let later = registered(1, "one");
    assert_eq!(
        ledger.append(vec![later.clone()]).unwrap(),
        [Receipt::Corroborated { of: 1, position: 2 }]
    );
    assert_eq!(
        ledger.append(vec![later.clone(), first]).unwrap(),
        [Receipt::Duplicate(2), Receipt::Duplicate(1)]
    );
    let read = &all(&ledger)[2];
    assert_eq!(
        read.event.body,
        EventBody::Corroborated(Corroborated {
            event_id: later.id,
            position: 1,
            adds: json!({}),
            occurred_at: Some(at(0)),
            subject: Some(blinded(dir.path(), &later.stream)),
        })
    );
    assert_eq!(read.event.private, later.private);
}

#[test]
fn a_contradiction_is_kept_beside_the_first_report() {
    let dir = folder();
    let mut ledger = create(dir.path(), SMALL);
    ledger.append(vec![registered(1, "one")]).unwrap();
    let other = registered(1, "other");
    assert_eq!(
        ledger.append(vec![other.clone()]).unwrap(),
        [Receipt::Conflicted { of: 1, position: 2 }]
    );
    drop(ledger);
    let mut ledger = Ledger::open_with(dir.path(), edge(), SMALL).unwrap();
    assert_eq!(
        ledger.append(vec![other.clone()]).unwrap(),
        [Receipt::Duplicate(2)]
    );
    assert_eq!(
        all(&ledger)[2].event.body,
        EventBody::Conflicted(Conflicted {
            event_id: other.id,
            position: 1,
            claims: other.body.to_json().unwrap(),
            subject: Some(blinded(dir.path(), &other.stream)),
        })
    );
}

#[test]
fn a_second_writer_is_refused_and_told_who_holds_the_ledger() {
    let dir = folder();
    let first = create(dir.path(), SMALL);
    match Ledger::open(dir.path(), edge()) {
        Err(OpenError::Locked { holder, .. }) => {
            assert_eq!(holder.pid, Some(std::process::id()));
        }
        other => panic!("{other:?}"),
    }
    drop(first);
    Ledger::open(dir.path(), edge()).unwrap();
}

#[test]
fn a_folder_without_settings_is_no_ledger() {
    let dir = folder();
    assert!(matches!(
        Ledger::open(dir.path(), edge()),
        Err(OpenError::NotALedger { .. })
    ));
}

#[test]
fn a_ledger_is_not_opened_with_another_blinding_key() {
    let dir = folder();
    drop(create(dir.path(), SMALL));
    std::fs::write(dir.path().join("blind.key"), [9; 32]).unwrap();
    assert!(matches!(
        Ledger::open(dir.path(), edge()),
        Err(OpenError::BlindForeign { .. })
    ));
    std::fs::remove_file(dir.path().join("blind.key")).unwrap();
    assert!(matches!(
        Ledger::open(dir.path(), edge()),
        Err(OpenError::BlindMissing { .. })
    ));
}

#[test]
fn an_append_that_is_refused_leaves_nothing_behind() {
    let dir = folder();
    let mut ledger = create(dir.path(), SMALL);
    let mut long = sign_in(2);
    long.private = Some(json!("x".repeat(17 << 20)));
    assert!(matches!(
        ledger.append(vec![sign_in(1), long]),
        Err(AppendError::TooLong { .. })
    ));
    assert_eq!(ledger.size(), 1);
    assert_eq!(
        ledger.append(vec![sign_in(1)]).unwrap(),
        [Receipt::Appended(1)]
    );
}

#[test]
fn an_event_of_an_unknown_type_is_kept() {
    let dir = folder();
    let mut ledger = create(dir.path(), SMALL);
    let mut event = sign_in(1);
    event.body = EventBody::Unknown(EventType(0x7777), json!({"new": [1, 2]}));
    ledger.append(vec![event.clone()]).unwrap();
    assert_eq!(all(&ledger)[1].event, event);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However events are cut into batches and repeated, each is in the book once, in the order
    /// of its first appearance, and the book verifies.
    #[test]
    fn batches_and_repeats_do_not_matter(
        batches in proptest::collection::vec(proptest::collection::vec(0_u32..40, 0..30), 1..6),
        reopen in any::<bool>(),
    ) {
        let dir = folder();
        let mut ledger = create(dir.path(), SMALL);
        let mut expected: Vec<u32> = Vec::new();
        for batch in &batches {
            let receipts = ledger.append(batch.iter().map(|n| sign_in(*n)).collect()).unwrap();
            for (n, receipt) in batch.iter().zip(receipts) {
                if let Some(at) = expected.iter().position(|known| known == n) {
                    prop_assert_eq!(receipt, Receipt::Duplicate(at as u64 + 1));
                } else {
                    expected.push(*n);
                    prop_assert_eq!(receipt, Receipt::Appended(expected.len() as u64));
                }
            }
            if reopen {
                drop(ledger);
                ledger = Ledger::open_with(dir.path(), edge(), SMALL).unwrap();
            }
        }
        let read: Vec<Event> = all(&ledger).into_iter().skip(1).map(|read| read.event).collect();
        prop_assert_eq!(read, expected.into_iter().map(sign_in).collect::<Vec<_>>());
        let report = verify(dir.path(), &|_, _| {}).unwrap();
        prop_assert_eq!(report.faults, vec![]);
        prop_assert_eq!(report.size, ledger.size());
        prop_assert_eq!(report.head_chain, ledger.head_chain());
    }
}
