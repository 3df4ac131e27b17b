use std::path::Path;

use jiff::Timestamp;

use super::*;
use crate::event::activity::SignIn;
use crate::verify::private::Opener;
use crate::verify::segment::check;
use crate::{
    Correlation, CreateOptions, Edge, Event, EventBody, Ledger, NaturalKey, Precision,
    SegmentOptions, Source, StreamName,
};

fn event(n: u32) -> Event {
    Event {
        id: NaturalKey::new("activity").with(&n.to_string()).id(),
        stream: StreamName::service_principal("tenant", &format!("object-{}", n % 3)),
        occurred_at: Timestamp::UNIX_EPOCH,
        precision: Precision::Exact,
        body: EventBody::SignedIn(SignIn {
            sign_in_id: "x".repeat(usize::try_from(n % 7).unwrap() * 40),
            ..SignIn::default()
        }),
        source: Source {
            name: "graph/servicePrincipalSignIn".to_owned(),
            record: None,
            digest: String::new(),
        },
        correlation: Correlation::default(),
        actor: None,
        private: n.is_multiple_of(2).then(|| serde_json::json!({"n": n})),
    }
}

/// A ledger of a few segments, the last one active, and its keys.
fn ledger(dir: &Path) -> Opener {
    let options = CreateOptions {
        origin: "ledger.example/t/test".to_owned(),
        private_network: false,
    };
    let edge = Edge {
        clock: Box::new(|| Timestamp::UNIX_EPOCH),
        entropy: Box::new(|bytes| bytes.fill(7)),
    };
    let segments = SegmentOptions {
        index_events: 4,
        segment_bytes: 6_000,
        extend_bytes: 1_000,
    };
    let mut ledger = Ledger::create_with(dir, &options, edge, segments).unwrap();
    for batch in 0..8 {
        let events = (batch * 3..batch * 3 + 3).map(event).collect();
        ledger.append(events).unwrap();
    }
    let place = crate::Place::from(dir);
    let id = crate::hash::ledger_id(&options.origin);
    let vault = crate::vault::Vault::open(place.keys(), id).unwrap();
    assert!(vault.is_some());
    Opener::new(vault, true)
}

/// What both ways of checking must agree on.
fn told(checked: &Checked) -> impl PartialEq + std::fmt::Debug {
    (
        (checked.first, checked.next, checked.head_chain),
        (
            checked.sealed,
            checked.lost,
            checked.times,
            checked.first_time,
        ),
        (
            checked.first_record.clone(),
            checked.ids.clone(),
            checked.bytes,
        ),
        format!("{:?} {:?}", checked.spans, checked.privates),
    )
}

fn segments(dir: &Path) -> Vec<(Position, bool)> {
    let firsts = crate::segment::file::list(dir).unwrap();
    let last = firsts.last().copied();
    firsts
        .into_iter()
        .map(|first| (first, Some(first) == last))
        .collect()
}

#[test]
fn windows_of_any_size_tell_what_the_whole_tells() {
    let whole = tempfile::tempdir().unwrap();
    let dir = whole.path().join("book");
    let opener = ledger(&dir);
    let segments = segments(&dir);
    let ask = Ask {
        opener,
        ..Ask::default()
    };
    assert!(segments.len() >= 3, "{segments:?}");
    for (first, is_last) in segments {
        let segment = SegmentFile::open(&dir, first).unwrap();
        let bytes = std::fs::read(dir.join(segment.name())).unwrap();
        let whole = check(&bytes, &segment, &ask);
        assert!(whole.faults.is_empty());
        for size in [160, 161, 512, 700, 999, 1_500, 4_096, 100_000] {
            let clean = check_in(size, &segment, is_last, &ask).unwrap();
            let clean = clean.unwrap_or_else(|| panic!("{first} in windows of {size}"));
            assert_eq!(told(&clean), told(&whole), "{first} in windows of {size}");
        }
    }
}

#[test]
fn what_the_whole_finds_at_fault_is_never_clean() {
    let whole = tempfile::tempdir().unwrap();
    let dir = whole.path().join("book");
    let mut ask = Ask {
        opener: ledger(&dir),
        ..Ask::default()
    };
    for (first, is_last) in segments(&dir) {
        let segment = SegmentFile::open(&dir, first).unwrap();
        let path = dir.join(segment.name());
        let bytes = std::fs::read(&path).unwrap();
        ask.ledger_id = Header::decode(&bytes).map(|header| header.ledger_id);
        let clean = |changed: &[u8]| {
            std::fs::write(&path, changed).unwrap();
            let found = check_in(900, &segment, is_last, &ask).unwrap();
            let whole = check(changed, &segment, &ask);
            assert!(
                found.is_none() || whole.faults.is_empty(),
                "{:?}",
                whole.faults
            );
            found.is_some()
        };
        for index in (0..bytes.len()).step_by(5) {
            let mut changed = bytes.clone();
            changed[index] ^= 0x10;
            assert!(!clean(&changed), "byte {index} of {first}");
        }
        for more in 1..14 {
            let longer = [bytes.as_slice(), &vec![1; more]].concat();
            assert!(!clean(&longer), "{more} bytes behind {first}");
        }
        for less in (1..bytes.len()).step_by(7) {
            let kept = clean(&bytes[..bytes.len() - less]);
            // cut among the zeros ahead, or behind a commit, nothing is missing that it can tell
            assert!(is_last || !kept, "{less} bytes cut from {first}");
        }
        std::fs::write(&path, &bytes).unwrap();
    }
}
