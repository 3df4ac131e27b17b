//! Each thing that can be wrong is said, alone, and a healthy ledger has none.

use std::path::PathBuf;

use jiff::Timestamp;

use super::*;
use crate::condition::{RollOver, Tail, Writer};
use crate::lock::Holder;

const NOW_MS: u64 = 1_795_000_000_000;

fn healthy() -> Facts {
    Facts {
        condition: Condition {
            origin: "ledger.example/t/acme".to_owned(),
            format_version: 1,
            size: 1_000,
            head_chain: Some([1; 32]),
            recorded_at_ms: Some(NOW_MS - 60_000),
            segments: 2,
            packed: 0,
            bytes: 1_000_000,
            broken: None,
            tail: Tail::Clean,
            roll_over: RollOver::None,
            torn: Vec::new(),
            tiles_expected: 3,
            tiles_there: 3,
            indexed: Some(900),
            checkpoint: Some((1_000, Some(NOW_MS - 60_000))),
            with_blind: true,
            writer: Writer::None,
        },
        volume: Volume {
            free_bytes: Some(50 << 30),
            is_read_only: false,
            is_writable: true,
            blind_mode: Some(0o600),
        },
        keys: Keys {
            path: PathBuf::from("acme.keys"),
            exists: true,
            mode: Some(0o700),
            files: vec![
                ("log.key".to_owned(), Some(0o600)),
                ("head".to_owned(), Some(0o644)),
            ],
        },
        signed: Signed::Contained { size: 1_000 },
        now: Timestamp::from_millisecond(i64::try_from(NOW_MS).unwrap()).unwrap(),
        host: Some("db1".to_owned()),
        writer_runs: None,
        derived_bytes: 0,
        backup: Some(Kept {
            path: PathBuf::from("b"),
            state: KeptState::Beginning {
                size: 990,
                recorded_at_ms: Some(NOW_MS - 70_000),
                with_blind: true,
            },
        }),
    }
}

/// What is not as it should be after a change: subject, level, words.
fn after(change: impl FnOnce(&mut Facts)) -> Vec<(&'static str, Level, String)> {
    let mut facts = healthy();
    change(&mut facts);
    findings(&facts)
        .into_iter()
        .filter(|finding| finding.level != Level::Ok)
        .map(|finding| {
            assert!(!finding.advice.is_empty(), "{finding:?}");
            assert!(!finding.what.contains('\n') && !finding.advice.contains('\n'));
            (finding.subject, finding.level, finding.what)
        })
        .collect()
}

#[test]
fn a_healthy_ledger_has_nothing_to_be_done() {
    assert_eq!(after(|_| {}), vec![]);
    for finding in findings(&healthy()) {
        assert!(
            finding.advice.is_empty() && !finding.what.is_empty(),
            "{finding:?}"
        );
    }
}

/// Subject, level and words of what is said after a change.
type Case = (&'static str, Level, &'static str, fn(&mut Facts));

fn assert_said_alone(cases: &[Case]) {
    for (subject, level, words, change) in cases {
        let found = after(change);
        let [(one, its, what)] = found.as_slice() else {
            panic!("{subject} {words}: {found:?}");
        };
        assert_eq!((one, its), (subject, level), "{what}");
        assert!(what.contains(words), "{what}");
    }
}

#[test]
fn each_thing_that_is_wrong_with_the_end_is_said_alone() {
    assert_said_alone(&[
        ("end", Level::Note, "cut short", |f| {
            f.condition.tail = Tail::Torn;
        }),
        ("end", Level::Problem, "at byte 77, event 1,200", |f| {
            f.condition.tail = Tail::Damaged {
                file: "x.seg".to_owned(),
                offset: 77,
                position: 1_200,
            };
        }),
        ("next segment", Level::Note, "prepared", |f| {
            f.condition.roll_over = RollOver::UnderWay;
        }),
        ("next segment", Level::Problem, "missing", |f| {
            f.condition.roll_over = RollOver::Lost;
        }),
        ("writer", Level::Problem, "no locks", |f| {
            f.condition.writer = Writer::Unknown("no locks".to_owned());
        }),
        ("writer", Level::Note, "process 7", |f| {
            f.condition.writer = Writer::Holds(Holder {
                pid: Some(7),
                ..Holder::default()
            });
            f.writer_runs = Some(false);
        }),
    ]);
}

#[test]
fn each_thing_that_is_wrong_in_the_folder_is_said_alone() {
    assert_said_alone(&[
        ("segments", Level::Problem, "`x.seg`", |f| {
            f.condition.broken = Some("x.seg".to_owned());
        }),
        ("torn files", Level::Note, "2 KiB", |f| {
            f.condition.torn = vec![("x.seg.9.torn".to_owned(), 2_100)];
        }),
        ("tiles", Level::Note, "1 of 3", |f| {
            f.condition.tiles_there = 2;
        }),
        ("tiles", Level::Problem, "cut", |f| {
            f.condition.tiles_there = 4;
        }),
        ("blinding key", Level::Note, "auditor", |f| {
            f.condition.with_blind = false;
        }),
        ("blinding key", Level::Problem, "others", |f| {
            f.volume.blind_mode = Some(0o644);
        }),
        ("checkpoint", Level::Note, "none", |f| {
            f.condition.checkpoint = None;
        }),
        ("checkpoint", Level::Problem, "cut", |f| {
            f.condition.checkpoint = Some((1_001, None));
        }),
        ("checkpoint", Level::Note, "100 events of 2 days", |f| {
            f.condition.checkpoint = Some((900, Some(NOW_MS - 2 * 86_400_000)));
        }),
    ]);
}

#[test]
fn each_thing_that_is_wrong_around_the_folder_is_said_alone() {
    assert_said_alone(&[
        ("keys", Level::Note, "no keys folder", |f| {
            f.keys.exists = false;
        }),
        ("keys", Level::Problem, "entered", |f| {
            f.keys.mode = Some(0o755);
        }),
        ("keys", Level::Problem, "log.key", |f| {
            f.keys.files[0].1 = Some(0o640);
        }),
        ("signed", Level::Problem, "older copy", |f| {
            f.signed = Signed::Refused("it is an older copy".to_owned());
        }),
        ("free space", Level::Problem, "100 MiB, some 104,857", |f| {
            f.volume.free_bytes = Some(100 << 20);
        }),
        ("folder", Level::Note, "reading alone", |f| {
            f.volume.is_read_only = true;
        }),
        ("clock", Level::Problem, "1 hour behind", |f| {
            f.condition.recorded_at_ms = Some(NOW_MS + 3_600_000);
        }),
        ("backup", Level::Note, "20 events, of 3 days", |f| {
            f.backup.as_mut().unwrap().state = KeptState::Beginning {
                size: 980,
                recorded_at_ms: Some(NOW_MS - 3 * 86_400_000),
                with_blind: true,
            };
        }),
        ("backup", Level::Problem, "more than the ledger", |f| {
            f.backup.as_mut().unwrap().state = KeptState::Ahead { size: 1_001 };
        }),
    ]);
}

#[test]
fn a_batch_under_way_is_no_crash() {
    let found = after(|facts| {
        facts.condition.tail = Tail::Torn;
        facts.condition.writer = Writer::Holds(Holder::default());
    });
    assert_eq!(found, vec![]);
}
