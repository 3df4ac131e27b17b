//! Writers one after the other and at once, and a clock that goes back.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use super::book::{SMALL, create, edge, folder, options, sign_in};
use jiff::Timestamp;
use ledger::{Edge, Ledger, OpenError, Reader, verify};

/// Batches each racing writer appends.
const BATCHES: u32 = 12;

/// Names the folder to write to, for a process of the race.
const RACE_DIR: &str = "DAYBOOK_TEST_RACE_DIR";

/// Which process of the race it is.
const RACE_NO: &str = "DAYBOOK_TEST_RACE_NO";

fn racer(dir: &Path, no: u32) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "promises::writers::of_two_processes_one_writes_and_the_other_is_refused",
        ])
        .env(RACE_DIR, dir)
        .env(RACE_NO, no.to_string())
        .spawn()
        .unwrap()
}

/// Opens and appends again and again; every refusal must be the one that names the lock.
fn race(dir: &Path, no: u32) {
    for batch in 0..BATCHES {
        let mut opened = Ledger::open_with(dir, edge(), SMALL);
        while matches!(opened, Err(OpenError::Locked { .. })) {
            std::thread::yield_now();
            opened = Ledger::open_with(dir, edge(), SMALL);
        }
        let mut ledger = opened.unwrap();
        let first = no * 10_000 + batch * 10;
        ledger
            .append((first..first + 3).map(sign_in).collect())
            .unwrap();
    }
}

#[test]
fn of_two_processes_one_writes_and_the_other_is_refused() {
    if let Some(dir) = std::env::var_os(RACE_DIR) {
        let no = std::env::var_os(RACE_NO).unwrap();
        race(&PathBuf::from(dir), no.to_str().unwrap().parse().unwrap());
        return;
    }
    let dir = folder();
    let held = create(dir.path(), SMALL);
    let opened = Ledger::open_with(dir.path(), edge(), SMALL);
    assert!(matches!(opened, Err(OpenError::Locked { .. })));
    drop(held);
    let racers: Vec<Child> = (1..=3).map(|no| racer(dir.path(), no)).collect();
    for mut racer in racers {
        assert!(racer.wait().unwrap().success());
    }
    assert_eq!(verify(dir.path(), &|_, _| {}).unwrap().faults, vec![]);
    let mut ids = Vec::new();
    let mut each = |one: ledger::Recorded| {
        ids.push(one.event.id);
        ControlFlow::Continue(())
    };
    let reader = Reader::open(dir.path()).unwrap();
    reader.scan(1..u64::MAX, &|_| true, &mut each).unwrap();
    assert_eq!(ids.len(), usize::try_from(3 * BATCHES * 3).unwrap());
    // each batch lies together
    let mut starts: Vec<_> = ids.chunks(3).map(<[ledger::EventId]>::to_vec).collect();
    starts.sort_unstable_by_key(|batch| batch[0].0);
    let mut expected: Vec<_> = (1..=3)
        .flat_map(|no| (0..BATCHES).map(move |batch| no * 10_000 + batch * 10))
        .map(|first| {
            (first..first + 3)
                .map(|n| sign_in(n).id)
                .collect::<Vec<_>>()
        })
        .collect();
    expected.sort_unstable_by_key(|batch| batch[0].0);
    assert_eq!(starts, expected);
}

/// A clock that begins at a millisecond and goes back by seven with every look.
fn backwards(from: i64) -> Edge {
    let mut now = 1_795_000_000_000 + from;
    Edge {
        clock: Box::new(move || {
            now -= 7;
            Timestamp::from_millisecond(now).unwrap()
        }),
        ..edge()
    }
}

#[test]
fn a_clock_that_goes_back_never_takes_recorded_time_with_it() {
    let dir = folder();
    let mut ledger = Ledger::create_with(dir.path(), &options(), backwards(0), SMALL).unwrap();
    for n in 0..10 {
        ledger.append(vec![sign_in(n)]).unwrap();
    }
    drop(ledger);
    // days earlier, then ahead, then back again
    for (session, from) in [-400_000_000_i64, 5_000, -90_000_000]
        .into_iter()
        .enumerate()
    {
        let mut ledger = Ledger::open_with(dir.path(), backwards(from), SMALL).unwrap();
        for n in 0..5 {
            let n = 100 * (u32::try_from(session).unwrap() + 1) + n;
            ledger.append(vec![sign_in(n)]).unwrap();
        }
    }
    let mut times = Vec::new();
    let mut each = |one: ledger::Recorded| {
        times.push(one.recorded_at);
        ControlFlow::Continue(())
    };
    let reader = Reader::open(dir.path()).unwrap();
    reader.scan(0..u64::MAX, &|_| true, &mut each).unwrap();
    assert_eq!(times.len(), 26);
    assert!(times.is_sorted(), "{times:?}");
    assert_eq!(verify(dir.path(), &|_, _| {}).unwrap().faults, vec![]);
}
