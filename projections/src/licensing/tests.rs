use ledger::event::Recorded;
use proptest::prelude::*;

use super::*;
use crate::billing::{PriceBook, Request, RunKind, bill, inputs_from};
use crate::gathered::Gathered;
use crate::sample::{TENANT, histories};
use crate::usage::usage;

fn licensing(events: &[Recorded]) -> Licensing {
    let mut gathered = Gathered::new();
    for recorded in events {
        gathered.push(recorded);
    }
    let cutoff = gathered.cutoff();
    let (state, activity) = gathered.fold();
    Licensing::of(state, activity, cutoff)
}

fn answers(licensing: &Licensing) -> (Vec<u8>, Vec<crate::usage::UsageRow>) {
    let book = PriceBook::default_book().unwrap();
    let request = Request {
        tenant: TENANT.to_owned(),
        period: "2026-09".parse().unwrap(),
        kind: RunKind::Final,
        cutoff_position: licensing.cutoff,
    };
    let run = bill(inputs_from(licensing, request, &book)).unwrap();
    let rows = usage(licensing, "2026-09".parse().unwrap()).unwrap();
    (run.to_json().unwrap(), rows)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_bill_from_what_was_kept_is_the_bill_from_the_events(events in histories()) {
        let fresh = licensing(&events);
        let bytes = fresh.encode().unwrap().concat();
        let kept = Licensing::decode(&bytes).unwrap();
        prop_assert_eq!(kept.encode().unwrap().concat(), bytes);
        prop_assert_eq!(&kept.state, &fresh.state);
        prop_assert_eq!(&kept.demand, &fresh.demand);
        prop_assert_eq!(answers(&kept), answers(&fresh));
    }

    #[test]
    fn no_bytes_panic(events in histories(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = licensing(&events).encode().unwrap().concat();
        let index = at.index(bytes.len());
        bytes[index] = byte;
        let _read = Licensing::decode(&bytes);
        let _read = Licensing::decode(&bytes[..index]);
    }
}

#[test]
fn what_was_kept_is_used_until_an_event_that_matters_comes() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join(derived::FOLDER);
    let options = ledger::CreateOptions {
        origin: "example.org/daybook".to_owned(),
        private_network: false,
    };
    let edge = ledger::Edge {
        clock: Box::new(|| "2026-11-24T00:00:00Z".parse().unwrap()),
        entropy: Box::new(|bytes| bytes.fill(7)),
    };
    let mut book = ledger::Ledger::create(dir.path(), &options, edge).unwrap();
    let told = |position, name: &str| {
        let at = "2026-09-01T00:00:00Z".parse().unwrap();
        crate::sample::event(
            position,
            &crate::sample::sp(name),
            at,
            crate::sample::own(name),
        )
        .event
    };
    book.append(vec![told(1, "a")]).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    let read = |reader: &Reader| {
        let mut gathered = Gathered::new();
        gathered.advance(reader, reader.size(), &|_| {}).unwrap();
        let cutoff = gathered.cutoff();
        let (state, activity) = gathered.fold();
        Licensing::of(state, activity, cutoff)
    };
    assert!(Licensing::load(&folder, &reader, reader.size()).is_none());
    let first = read(&reader);
    first.save(&folder, &reader).unwrap();

    let book_of_prices = PriceBook::default_book().unwrap();
    let request = Request {
        tenant: TENANT.to_owned(),
        period: "2026-09".parse().unwrap(),
        kind: RunKind::Final,
        cutoff_position: first.cutoff,
    };
    let run = bill(inputs_from(&first, request, &book_of_prices)).unwrap();
    book.append(vec![run.recorded_event().unwrap()]).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    let kept = Licensing::load(&folder, &reader, reader.size()).expect("only a run was recorded");
    let fresh = read(&reader);
    assert_eq!(kept.state, fresh.state);
    assert_eq!(kept.cutoff, fresh.cutoff);
    assert!(matches!(kept.state.runs.as_slice(), [_]));

    book.append(vec![told(2, "b")]).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    assert!(
        Licensing::load(&folder, &reader, reader.size()).is_none(),
        "an identity came"
    );
    assert!(Licensing::load(&folder, &reader, reader.size() - 1).is_some());
}
