//! Many callers of one writer.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use super::book::{SMALL, all, create, edge, folder, options, sign_in};
use jiff::Timestamp;
use ledger::{
    AppendError, Edge, Event, Group, GroupError, Ledger, Position, Reader, Receipt, verify,
};

/// A clock at which the writer waits until it is let through: what is handed over meanwhile is one
/// group.
#[derive(Clone, Default)]
pub(super) struct Gate(Arc<(Mutex<GateState>, Condvar)>);

#[derive(Default)]
struct GateState {
    is_shut: bool,
    is_waited_at: bool,
}

impl Gate {
    pub(super) fn edge(&self) -> Edge {
        let mut edge = edge();
        let gate = self.clone();
        let mut clock = edge.clock;
        edge.clock = Box::new(move || {
            gate.pass();
            clock()
        });
        edge
    }

    fn pass(&self) {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap();
        state.is_waited_at = true;
        changed.notify_all();
        while state.is_shut {
            state = changed.wait(state).unwrap();
        }
        state.is_waited_at = false;
    }

    pub(super) fn shut(&self) {
        self.0.0.lock().unwrap().is_shut = true;
    }

    pub(super) fn until_waited_at(&self) {
        let (state, changed) = &*self.0;
        let mut state = state.lock().unwrap();
        while !state.is_waited_at {
            state = changed.wait(state).unwrap();
        }
    }

    pub(super) fn open(&self) {
        self.0.0.lock().unwrap().is_shut = false;
        self.0.1.notify_all();
    }
}

pub(super) fn position_of(receipt: &Receipt) -> Position {
    match receipt {
        Receipt::Appended(position)
        | Receipt::Duplicate(position)
        | Receipt::Corroborated { position, .. }
        | Receipt::Conflicted { position, .. } => *position,
    }
}

#[test]
fn what_sixteen_callers_repeat_is_in_the_book_once_and_readable_at_once() {
    const CALLERS: u32 = 16;
    const REQUESTS: u32 = 25;
    const DIFFERENT: u32 = 150;
    let dir = folder();
    let group = Group::start(create(dir.path(), SMALL)).unwrap();
    let successes = AtomicU32::new(0);
    std::thread::scope(|threads| {
        for caller in 0..CALLERS {
            let (appender, path, successes) = (group.appender(), dir.path(), &successes);
            threads.spawn(move || {
                for request in 0..REQUESTS {
                    let numbers = (0..5).map(|n| (caller * 7 + request * 13 + n * 31) % DIFFERENT);
                    let events: Vec<Event> = numbers.map(sign_in).collect();
                    let receipts = appender.append(&events).unwrap();
                    let reader = Reader::open(path).unwrap();
                    for (event, receipt) in events.iter().zip(&receipts) {
                        let read = reader.get(position_of(receipt)).unwrap().unwrap();
                        assert_eq!(read.event, *event, "a receipt for another event");
                        if let Receipt::Appended(_) = receipt {
                            successes.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                }
            });
        }
    });
    let ledger = group.close().unwrap();
    let events = all(&ledger);
    let ids: HashSet<_> = events.iter().map(|read| read.event.id).collect();
    assert_eq!(ids.len(), events.len(), "an id is there twice");
    assert_eq!(events.len(), DIFFERENT as usize + 1);
    assert_eq!(
        successes.into_inner(),
        DIFFERENT,
        "not one success for each event"
    );
    assert_eq!(verify(dir.path(), &|_, _| {}).unwrap().faults, vec![]);
}

#[test]
fn requests_that_wait_together_are_written_together_in_their_order() {
    let dir = folder();
    let gate = Gate::default();
    let ledger = Ledger::create(dir.path(), &options(), gate.edge()).unwrap();
    let group = Group::start(ledger).unwrap();
    let appender = group.appender();
    let submit = |events: &[Event]| {
        let prepared = appender.preparer().prepare(events).unwrap();
        appender.submit(prepared).unwrap()
    };
    gate.shut();
    let first = submit(&[sign_in(0)]);
    gate.until_waited_at();
    let others: Vec<_> = (1..9)
        .map(|n| submit(&[sign_in(n), sign_in(n + 100)]))
        .collect();
    // of an event of the same group
    let repeated = submit(&[sign_in(1)]);
    gate.open();
    assert_eq!(first.wait().unwrap(), [Receipt::Appended(1)]);
    for (pending, position) in others.into_iter().zip((2..).step_by(2)) {
        let expected = [Receipt::Appended(position), Receipt::Appended(position + 1)];
        assert_eq!(pending.wait().unwrap(), expected);
    }
    assert_eq!(repeated.wait().unwrap(), [Receipt::Duplicate(2)]);
    let events = all(&group.close().unwrap());
    let times: HashSet<Timestamp> = events[2..].iter().map(|read| read.recorded_at).collect();
    assert_eq!(times.len(), 1, "one write has one time");
    assert_ne!(events[1].recorded_at, events[2].recorded_at);
}

#[test]
fn a_refused_request_takes_no_other_of_its_group_with_it() {
    let (dir, other) = (folder(), folder());
    let foreign = create(other.path(), SMALL).preparer();
    let gate = Gate::default();
    let ledger = Ledger::create(dir.path(), &options(), gate.edge()).unwrap();
    let group = Group::start(ledger).unwrap();
    let appender = group.appender();
    gate.shut();
    let submit = |events: &[Event], preparer: &ledger::Preparer| {
        appender.submit(preparer.prepare(events).unwrap()).unwrap()
    };
    let own = appender.preparer();
    let first = submit(&[sign_in(0)], own);
    gate.until_waited_at();
    let before = submit(&[sign_in(1)], own);
    let refused = submit(&[sign_in(2), sign_in(3)], &foreign);
    let after = submit(&[sign_in(3), sign_in(1)], own);
    gate.open();
    first.wait().unwrap();
    assert_eq!(before.wait().unwrap(), [Receipt::Appended(2)]);
    match refused.wait() {
        Err(GroupError::Refused(error)) => assert!(matches!(*error, AppendError::Foreign)),
        other => panic!("{other:?}"),
    }
    assert_eq!(
        after.wait().unwrap(),
        [Receipt::Appended(3), Receipt::Duplicate(2)]
    );
    assert_eq!(group.close().unwrap().size(), 4);
}

#[test]
fn a_write_that_fails_is_told_to_its_group_and_to_every_later_caller() {
    let dir = folder();
    let gate = Gate::default();
    drop(create(dir.path(), SMALL));
    let ledger = Ledger::open_with(dir.path(), gate.edge(), SMALL).unwrap();
    let group = Group::start(ledger).unwrap();
    let appender = group.appender();
    // the next segment cannot be made where a folder has its name
    for position in 0..3 {
        std::fs::create_dir(dir.path().join(format!("{position:020}.seg.tmp"))).unwrap();
    }
    gate.shut();
    let submit = |events: Vec<Event>| {
        let prepared = appender.preparer().prepare(&events).unwrap();
        appender.submit(prepared).unwrap()
    };
    let first = submit(vec![sign_in(0)]);
    gate.until_waited_at();
    let group_of_three = [
        submit(vec![sign_in(1)]),
        submit((2..20).map(sign_in).collect()),
        submit(vec![sign_in(0)]),
    ];
    gate.open();
    assert_eq!(first.wait().unwrap(), [Receipt::Appended(1)]);
    for pending in group_of_three {
        assert!(matches!(pending.wait(), Err(GroupError::Failed(_))));
    }
    // every later one, even of what is there
    for n in [0, 1, 50] {
        assert!(matches!(
            appender.append(&[sign_in(n)]),
            Err(GroupError::Failed(_))
        ));
    }
    assert!(group.close().unwrap().append(vec![sign_in(60)]).is_err());
    for position in 0..3 {
        std::fs::remove_dir(dir.path().join(format!("{position:020}.seg.tmp"))).unwrap();
    }
    let mut ledger = Ledger::open_with(dir.path(), edge(), SMALL).unwrap();
    assert_eq!(ledger.size(), 2);
    assert_eq!(
        ledger.append(vec![sign_in(0), sign_in(1)]).unwrap(),
        [Receipt::Duplicate(1), Receipt::Appended(2)]
    );
    assert_eq!(verify(dir.path(), &|_, _| {}).unwrap().faults, vec![]);
}

#[test]
fn nobody_is_left_waiting_when_the_writer_thread_panics() {
    let dir = folder();
    let gate = Gate::default();
    let mut edge = gate.edge();
    let mut looks = 0;
    let mut clock = edge.clock;
    edge.clock = Box::new(move || {
        looks += 1;
        assert!(looks < 4, "this clock breaks, for a test");
        clock()
    });
    let ledger = Ledger::create(dir.path(), &options(), edge).unwrap();
    let group = Group::start(ledger).unwrap();
    let appender = group.appender();
    gate.shut();
    let submit = |n: u32| {
        let prepared = appender.preparer().prepare(&[sign_in(n)]).unwrap();
        appender.submit(prepared)
    };
    let first = submit(0).unwrap();
    gate.until_waited_at();
    let waiting: Vec<_> = (1..5).map(submit).collect();
    gate.open();
    first.wait().unwrap();
    for pending in waiting {
        assert!(matches!(pending.unwrap().wait(), Err(GroupError::Lost)));
    }
    assert!(matches!(
        appender.append(&[sign_in(9)]),
        Err(GroupError::Closed | GroupError::Lost)
    ));
    assert!(matches!(group.close(), Err(GroupError::Lost)));
    assert_eq!(
        Ledger::open(dir.path(), super::book::edge())
            .unwrap()
            .size(),
        2
    );
}

#[test]
fn a_closed_group_has_finished_what_it_accepted_and_gives_the_ledger_back() {
    let dir = folder();
    let group = Group::start(create(dir.path(), SMALL)).unwrap();
    let appender = group.appender();
    let accepted: Vec<_> = (0..50)
        .map(|n| {
            let prepared = appender.preparer().prepare(&[sign_in(n)]).unwrap();
            appender.submit(prepared).unwrap()
        })
        .collect();
    let mut ledger = group.close().unwrap();
    assert_eq!(ledger.size(), 51);
    for (pending, position) in accepted.into_iter().zip(1..) {
        assert_eq!(pending.wait().unwrap(), [Receipt::Appended(position)]);
    }
    assert!(matches!(
        appender.append(&[sign_in(99)]),
        Err(GroupError::Closed)
    ));
    assert_eq!(
        ledger.append(vec![sign_in(99)]).unwrap(),
        [Receipt::Appended(51)]
    );
    drop(ledger);
    let group = Group::start(Ledger::open_with(dir.path(), edge(), SMALL).unwrap()).unwrap();
    let pending = {
        let appender = group.appender();
        let prepared = appender.preparer().prepare(&[sign_in(100)]).unwrap();
        appender.submit(prepared).unwrap()
    };
    drop(group);
    assert_eq!(pending.wait().unwrap(), [Receipt::Appended(52)]);
    Ledger::open_with(dir.path(), edge(), SMALL).unwrap();
}
