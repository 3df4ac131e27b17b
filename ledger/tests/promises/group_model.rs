//! Any sequence of groups of requests, refusals, failed writes and reopenings, beside a model.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::book::{SMALL, all, create, folder, registered, sign_in};
use super::group::{Gate, position_of};
use ledger::event::book::{Conflicted, Corroborated};
use ledger::{
    Event, EventBody, EventId, Group, GroupError, Ledger, Position, Preparer, Reader, Receipt,
    verify,
};
use proptest::prelude::*;
use serde_json::json;

/// What is told of an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Told {
    Plain,
    /// As plain, and more.
    More,
    /// Something else.
    Other,
}

#[derive(Debug, Clone)]
struct Request {
    events: Vec<(u32, Told)>,
    /// Prepared for another ledger.
    is_foreign: bool,
}

#[derive(Debug, Clone)]
enum Step {
    /// Requests that are handed over while the writer is busy.
    Group(Vec<Request>),
    /// The same, and the write of it fails.
    Fail(Vec<Request>),
    Reopen,
}

fn event((n, told): (u32, Told)) -> Event {
    let mut event = registered(n, if told == Told::Other { "other" } else { "one" });
    if let (Told::More, EventBody::IdentityRegistered(body)) = (told, &mut event.body) {
        body.attributes.insert("appId".to_owned(), json!("app"));
    }
    event
}

/// The book as it must be.
#[derive(Debug, Clone, Default)]
struct Model {
    size: Position,
    /// First report of each identity.
    first: BTreeMap<u32, (Position, Told)>,
    /// What was made about later reports.
    made: BTreeMap<(u32, Told), Position>,
}

impl Model {
    fn append(&mut self, request: &[(u32, Told)]) -> Vec<Receipt> {
        request
            .iter()
            .map(|event| self.append_one(*event))
            .collect()
    }

    fn append_one(&mut self, (n, told): (u32, Told)) -> Receipt {
        let next = self.size;
        let Some((of, first)) = self.first.get(&n).copied() else {
            self.first.insert(n, (next, told));
            self.size += 1;
            return Receipt::Appended(next);
        };
        let says_nothing_new = first == told || (first, told) == (Told::More, Told::Plain);
        if says_nothing_new {
            return Receipt::Duplicate(of);
        }
        if let Some(known) = self.made.get(&(n, told)) {
            return Receipt::Duplicate(*known);
        }
        self.made.insert((n, told), next);
        self.size += 1;
        if (first, told) == (Told::Plain, Told::More) {
            Receipt::Corroborated { of, position: next }
        } else {
            Receipt::Conflicted { of, position: next }
        }
    }
}

/// A ledger under test, in the hands of its writer thread.
struct Book {
    dir: PathBuf,
    gate: Gate,
    foreign: Preparer,
    group: Option<Group>,
    model: Model,
    /// Number of the next event that only makes the writer busy.
    busy: u32,
}

impl Book {
    fn open(&mut self) {
        let ledger = Ledger::open_with(self.dir.as_path(), self.gate.edge(), SMALL).unwrap();
        assert_eq!(
            ledger.size(),
            self.model.size,
            "what is opened is what was told"
        );
        self.group = Some(Group::start(ledger).unwrap());
    }

    fn close(&mut self) -> Ledger {
        self.group.take().unwrap().close().unwrap()
    }

    /// Hands requests over while the writer is busy with one of its own; what they get.
    fn hand_over(&mut self, requests: &[Request]) -> Vec<Result<Vec<Receipt>, GroupError>> {
        let appender = self.group.as_ref().unwrap().appender();
        let busy = sign_in(1_000 + self.busy);
        self.busy += 1;
        self.gate.shut();
        let prepared = appender.preparer().prepare(&[busy]).unwrap();
        let first = appender.submit(prepared).unwrap();
        self.gate.until_waited_at();
        let pending: Vec<_> = requests
            .iter()
            .map(|request| {
                let events: Vec<Event> = request.events.iter().copied().map(event).collect();
                let own = appender.preparer();
                let by = if request.is_foreign {
                    &self.foreign
                } else {
                    own
                };
                appender.submit(by.prepare(&events).unwrap()).unwrap()
            })
            .collect();
        self.gate.open();
        assert_eq!(first.wait().unwrap(), [Receipt::Appended(self.model.size)]);
        self.model.size += 1;
        pending.into_iter().map(ledger::Pending::wait).collect()
    }

    fn group(&mut self, requests: &[Request]) {
        let answers = self.hand_over(requests);
        for (request, answer) in requests.iter().zip(answers) {
            if request.is_foreign {
                assert!(matches!(answer, Err(GroupError::Refused(_))));
                continue;
            }
            let receipts = answer.unwrap();
            assert_eq!(
                receipts,
                self.model.append(&request.events),
                "invariant: receipts"
            );
            invariant_what_is_acknowledged_is_readable(self, &request.events, &receipts);
        }
    }

    /// A group whose write needs the next segment, which cannot be made.
    fn fail(&mut self, requests: &[Request]) {
        let filler: Vec<(u32, Told)> = (0..8)
            .map(|n| (500_000 + self.busy * 8 + n, Told::Plain))
            .collect();
        let mut requests = requests.to_vec();
        requests.push(Request {
            events: filler,
            is_foreign: false,
        });
        let in_the_way = |size: Position| self.dir.join(format!("{size:020}.seg.tmp"));
        let next = in_the_way(self.model.size + 1);
        std::fs::create_dir(&next).unwrap();
        let answers = self.hand_over(&requests);
        for (request, answer) in requests.iter().zip(answers) {
            let failed = matches!(answer, Err(GroupError::Failed(_)));
            assert!(failed, "{request:?} got {answer:?}");
        }
        let later = self
            .group
            .as_ref()
            .unwrap()
            .appender()
            .append(&[sign_in(1)]);
        assert!(matches!(later, Err(GroupError::Failed(_))));
        drop(self.close());
        std::fs::remove_dir(next).unwrap();
        self.open();
    }
}

fn invariant_what_is_acknowledged_is_readable(
    book: &Book,
    events: &[(u32, Told)],
    receipts: &[Receipt],
) {
    let reader = Reader::open(book.dir.as_path()).unwrap();
    for (told, receipt) in events.iter().zip(receipts) {
        let read = reader.get(position_of(receipt)).unwrap().unwrap();
        let id = event(*told).id;
        let about = match (receipt, &read.event.body) {
            (Receipt::Appended(_), _) => read.event.id,
            (
                _,
                EventBody::Corroborated(Corroborated { event_id, .. })
                | EventBody::Conflicted(Conflicted { event_id, .. }),
            ) => *event_id,
            _ => read.event.id,
        };
        assert_eq!(about, id, "{receipt:?} of another event");
    }
}

fn invariant_positions_are_gapless_and_ids_unique(ledger: &Ledger, model: &Model) {
    let events = all(ledger);
    assert_eq!(events.len() as u64, model.size);
    assert!(
        events
            .iter()
            .zip(0..)
            .all(|(read, position)| read.position == position)
    );
    let ids: BTreeSet<EventId> = events.iter().map(|read| read.event.id).collect();
    assert_eq!(ids.len(), events.len());
}

fn invariant_the_book_verifies_and_has_the_writers_root(
    ledger: &Ledger,
    model: &Model,
    book: &Book,
) {
    let report = verify(book.dir.as_path(), &|_, _| {}).unwrap();
    assert_eq!(report.faults, vec![]);
    assert_eq!(report.size, model.size);
    assert_eq!(report.root, Some(ledger.root()));
    assert_eq!(report.head_chain, ledger.head_chain());
}

fn requests() -> impl Strategy<Value = Vec<Request>> {
    let told = prop_oneof![Just(Told::Plain), Just(Told::More), Just(Told::Other)];
    let events = proptest::collection::vec((0_u32..12, told), 0..5);
    let request = (events, proptest::bool::weighted(0.1));
    let request = request.prop_map(|(events, is_foreign)| Request { events, is_foreign });
    proptest::collection::vec(request, 0..5)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => requests().prop_map(Step::Group),
        1 => requests().prop_map(Step::Fail),
        1 => Just(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..9)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn groups_do_what_the_model_does(steps in steps()) {
        let (dir, other) = (folder(), folder());
        drop(create(dir.path(), SMALL));
        let mut book = Book {
            dir: dir.path().to_owned(),
            gate: Gate::default(),
            foreign: create(other.path(), SMALL).preparer(),
            group: None,
            model: Model { size: 1, ..Model::default() },
            busy: 0,
        };
        book.open();
        for step in &steps {
            match step {
                Step::Group(requests) => book.group(requests),
                Step::Fail(requests) => book.fail(requests),
                Step::Reopen => {
                    drop(book.close());
                    book.open();
                }
            }
        }
        let ledger = book.close();
        invariant_positions_are_gapless_and_ids_unique(&ledger, &book.model);
        invariant_the_book_verifies_and_has_the_writers_root(&ledger, &book.model, &book);
    }
}
