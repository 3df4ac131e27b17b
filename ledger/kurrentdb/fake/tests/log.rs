//! The log takes, knows and refuses appends as KurrentDB does, held against a list.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use kurrentdb_fake::{Expected, Log, Outcome, Proposed};
use proptest::prelude::*;

/// An event whose id is a small number, so that ids meet.
fn event(id: u8) -> Proposed {
    Proposed {
        id: [id; 16],
        kind: "event".to_owned(),
        json: false,
        custom: bytes::Bytes::new(),
        data: bytes::Bytes::copy_from_slice(&[id]),
    }
}

/// Where a stream of so many events is expected, for a number around its end.
fn expected(number: i64) -> Expected {
    u64::try_from(number).map_or(Expected::NoStream, Expected::Revision)
}

/// What the rules say: `Some` of the revision at the end when it is there, and whether it is new.
fn rule(list: &[u8], number: i64, ids: &[u8]) -> Option<bool> {
    let head = i64::try_from(list.len()).unwrap() - 1;
    if number > head {
        return None;
    }
    if number == head {
        return Some(true);
    }
    let from = usize::try_from(number + 1).unwrap();
    for (at, id) in ids.iter().enumerate() {
        if list.get(from + at) != Some(id) {
            return None;
        }
    }
    Some(false)
}

proptest! {
    #[test]
    fn appends_are_taken_known_or_refused_by_the_rules(
        tries in proptest::collection::vec((-1_i64..4, proptest::collection::vec(0_u8..6, 1..4)), 1..60),
    ) {
        let log = Log::new();
        let mut list: Vec<u8> = Vec::new();
        for (back, ids) in tries {
            // around the end, and now and then behind it
            let number = i64::try_from(list.len()).unwrap() - 1 - back;
            let number = number.max(-1);
            let outcome = log.append("s", expected(number), ids.iter().map(|id| event(*id)).collect(), 0);
            let end = u64::try_from(number + i64::try_from(ids.len()).unwrap()).unwrap();
            match rule(&list, number, &ids) {
                None => {
                    let current = u64::try_from(list.len()).unwrap().checked_sub(1);
                    prop_assert_eq!(outcome, Outcome::Elsewhere { current });
                }
                Some(is_new) => {
                    if is_new {
                        list.extend(&ids);
                    }
                    let is_there = matches!(outcome, Outcome::Written { revision: Some(revision), .. } if revision == end);
                    prop_assert!(is_there, "{:?}", outcome);
                }
            }
            let there: Vec<u8> = log.stream("s").iter().map(|event| event.id[0]).collect();
            prop_assert_eq!(&there, &list);
        }
    }
}

#[test]
fn a_revision_stays_the_same_whatever_is_cut_off_before_it() {
    let log = Log::new();
    log.append("s", Expected::NoStream, (0..9).map(event).collect(), 0);
    log.truncate_before("s", 4);
    assert!(log.redact("s", 6) && log.drop_event("s", 7));
    let there: Vec<(u64, u8)> = log
        .stream("s")
        .iter()
        .map(|event| (event.revision, event.data[0]))
        .collect();
    let expected = [(4, 4), (5, 5), (6, 0xff), (8, 8)];
    // hidden, as until a scavenge
    assert_eq!(there.len(), 8);
    assert_eq!(
        there
            .iter()
            .filter(|(at, _)| *at >= 4)
            .copied()
            .collect::<Vec<_>>(),
        expected
    );
    assert_eq!(
        log.append("s", Expected::Revision(7), vec![event(9)], 0),
        Outcome::Elsewhere { current: Some(8) }
    );
}
