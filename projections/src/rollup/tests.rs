use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::sample::{event, sign_in, sp};

type Told = (u8, i64, u8, Option<u8>, Option<u8>);

/// Times within 100 days, so about four months, on quarter hours, so that ties happen.
fn told() -> impl Strategy<Value = Vec<Told>> {
    let one = (
        0..4_u8,
        0..9_600_i64,
        0..3_u8,
        prop::option::of(0..3_u8),
        prop::option::of(0..3_u8),
    );
    prop::collection::vec(one, 0..60)
}

fn events(told: &[Told]) -> Vec<Recorded> {
    told.iter()
        .enumerate()
        .map(|(index, (who, quarter, outcome, credential, resource))| {
            let position = u64::try_from(index).unwrap();
            let at = Timestamp::from_second(1_785_542_400 + quarter * 900).unwrap();
            let body = sign_in(
                position,
                credential.map(|no| format!("key {no}")).as_deref(),
                resource.map(|no| format!("resource {no}")).as_deref(),
            );
            let body = match outcome {
                0 => EventBody::SignedIn(body),
                1 => EventBody::SignInFailed(body),
                _ => EventBody::SignInBlocked(body),
            };
            event(position, &sp(&who.to_string()), at, body)
        })
        .collect()
}

fn rollup(events: &[Recorded]) -> MonthlyActivity {
    let mut rollup = MonthlyActivity::new();
    for event in events {
        rollup.push(event);
    }
    rollup
}

/// What a cell says, in words that do not depend on how texts are numbered.
type Plain = BTreeMap<(u32, String), (u64, u64, u64, BTreeSet<i8>, BTreeSet<String>, Position)>;

fn plain(rollup: &MonthlyActivity) -> Plain {
    rollup
        .cells()
        .into_iter()
        .map(|(stream_no, cell)| {
            let days = (1..=31).filter(|day| cell.active_days & (1 << (day - 1)) != 0);
            let texts = rollup.texts(&cell.credentials);
            let value = (
                cell.ok,
                cell.failed,
                cell.blocked,
                days.collect(),
                texts.into_iter().map(str::to_owned).collect(),
                cell.position_last,
            );
            ((stream_no, cell.period.to_string()), value)
        })
        .collect()
}

/// The same, by a plain loop over the events.
fn oracle(events: &[Recorded]) -> Plain {
    let mut plain = Plain::new();
    for recorded in events {
        let day = recorded.event.occurred_at.to_string();
        let cell = plain
            .entry((recorded.stream_no, day[..7].to_owned()))
            .or_default();
        cell.5 = cell.5.max(recorded.position);
        match &recorded.event.body {
            EventBody::SignedIn(sign_in) => {
                cell.0 += 1;
                cell.3.insert(day[8..10].parse().unwrap());
                cell.4.extend(sign_in.credential_key_id.clone());
            }
            EventBody::SignInFailed(_) => cell.1 += 1,
            _ => cell.2 += 1,
        }
    }
    plain
}

proptest! {
    #[test]
    fn cells_say_what_a_plain_loop_says(told in told()) {
        let events = events(&told);
        prop_assert_eq!(plain(&rollup(&events)), oracle(&events));
    }

    #[test]
    fn parts_merge_to_the_whole_in_any_order(told in told(), cut in 0..60_usize) {
        let events = events(&told);
        let (a, b) = events.split_at(cut.min(events.len()));
        let whole = plain(&rollup(&events));
        for (one, other) in [(a, b), (b, a)] {
            let mut merged = rollup(one);
            merged.merge(&rollup(other));
            prop_assert_eq!(&plain(&merged), &whole);
        }
    }

    #[test]
    fn bytes_give_back_the_cells_and_do_not_depend_on_the_order_of_reading(
        told in told(),
        cut in 0..60_usize,
    ) {
        let events = events(&told);
        let whole = rollup(&events);
        let bytes = whole.encode();
        let read = MonthlyActivity::decode(&bytes).unwrap();
        prop_assert_eq!(plain(&read), plain(&whole));
        prop_assert_eq!(read.encode(), bytes.clone());
        let (a, b) = events.split_at(cut.min(events.len()));
        let mut merged = rollup(b);
        merged.merge(&rollup(a));
        prop_assert_eq!(merged.encode(), bytes);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _cells = MonthlyActivity::decode(&bytes);
    }
}
