//! Reading while another writes.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};

use super::book::{SMALL, create, edge, folder, registered, sign_in};
use ledger::{EventType, Ledger, Reader, Recorded, SegmentOptions, verify};

fn scan(
    reader: &Reader,
    range: std::ops::Range<u64>,
    wanted: &dyn Fn(EventType) -> bool,
) -> Vec<Recorded> {
    let mut found = Vec::new();
    let mut each = |event| {
        found.push(event);
        ControlFlow::Continue(())
    };
    reader.scan(range, wanted, &mut each).unwrap();
    found
}

#[test]
fn every_range_is_read_as_asked() {
    let dir = folder();
    let mut ledger = create(dir.path(), SMALL);
    for batch in 0..30 {
        ledger
            .append((0..10).map(|n| sign_in(batch * 10 + n)).collect())
            .unwrap();
    }
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.size(), 301);
    assert_eq!(reader.head_chain(), ledger.head_chain());
    for (start, end) in [
        (0, 301),
        (1, 2),
        (150, 170),
        (299, 900),
        (40, 40),
        (500, 600),
    ] {
        let positions: Vec<u64> = scan(&reader, start..end, &|_| true)
            .iter()
            .map(|event| event.position)
            .collect();
        assert_eq!(positions, (start..end.min(301)).collect::<Vec<_>>());
    }
    for position in (0..301).rev() {
        let event = reader.get(position).unwrap().unwrap();
        assert_eq!(event.position, position);
        if position > 0 {
            assert_eq!(event.event, sign_in(u32::try_from(position - 1).unwrap()));
        }
    }
    assert_eq!(reader.get(301).unwrap(), None);
}

#[test]
fn unwanted_types_are_passed_over_and_a_scan_may_stop() {
    let dir = folder();
    let mut ledger = create(dir.path(), SMALL);
    ledger
        .append(vec![sign_in(1), registered(1, "one"), sign_in(2)])
        .unwrap();
    let reader = ledger.reader().unwrap();
    let changes = scan(&reader, 0..9, &|event_type| !event_type.is_activity());
    assert_eq!(
        changes
            .iter()
            .map(|event| event.position)
            .collect::<Vec<_>>(),
        [0, 2]
    );
    assert_eq!(changes[1].event.private, None);
    let mut seen = 0;
    let mut each = |_| {
        seen += 1;
        ControlFlow::Break(())
    };
    reader.scan(0..9, &|_| true, &mut each).unwrap();
    assert_eq!(seen, 1);
}

#[test]
fn a_reader_sees_only_whole_batches_while_a_writer_writes() {
    const BATCH: u32 = 7;
    let dir = folder();
    let sizes = SegmentOptions {
        index_events: 4,
        segment_bytes: 40_000,
        extend_bytes: 1 << 16,
    };
    let mut ledger = create(dir.path(), sizes);
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for batch in 0..60 {
                let events = (0..BATCH).map(|n| sign_in(batch * BATCH + n)).collect();
                ledger.append(events).unwrap();
            }
            done.store(true, Ordering::Release);
        });
        let mut reader = Reader::open(dir.path()).unwrap();
        let mut size = reader.size();
        loop {
            let finished = done.load(Ordering::Acquire);
            reader.refresh().unwrap();
            assert_eq!((reader.size() - 1) % u64::from(BATCH), 0);
            let new = scan(&reader, size..u64::MAX, &|_| true);
            assert_eq!(new.len() as u64, reader.size() - size);
            for event in new {
                assert_eq!(
                    event.event,
                    sign_in(u32::try_from(event.position - 1).unwrap())
                );
            }
            size = reader.size();
            assert_eq!(verify(dir.path(), &|_, _| {}).unwrap().faults, vec![]);
            if finished {
                break;
            }
        }
        assert_eq!(size, u64::from(60 * BATCH) + 1);
    });
}

/// As an old program meets the ledger of a newer one: each file that says its version.
#[test]
fn what_a_newer_version_wrote_is_refused_by_its_version() {
    let refused = |dir: &std::path::Path, what: &str| {
        let chain = |error: &dyn std::error::Error| {
            let mut text = error.to_string();
            let mut next = error.source();
            while let Some(cause) = next {
                text.push_str(&cause.to_string());
                next = cause.source();
            }
            text
        };
        let errors = [
            chain(&Reader::open(dir).map(drop).unwrap_err()),
            chain(&Ledger::open(dir, edge()).map(drop).unwrap_err()),
            chain(&verify(dir, &|_, _| {}).map(drop).unwrap_err()),
        ];
        assert!(errors.iter().all(|text| text.contains(what)), "{errors:?}");
    };
    let dir = folder();
    drop(create(dir.path(), SMALL));
    let segment = dir.path().join("00000000000000000000.seg");
    let written = std::fs::read(&segment).unwrap();
    let mut newer = written.clone();
    newer[11] = 9;
    let crc = crc32fast::hash(&newer[..92]).to_be_bytes();
    newer[92..96].copy_from_slice(&crc);
    std::fs::write(&segment, &newer).unwrap();
    refused(dir.path(), "format version 9");
    std::fs::write(&segment, &written).unwrap();
    let settings = dir.path().join("ledger.toml");
    let text = std::fs::read_to_string(&settings).unwrap();
    let newer = text.replace("format_version = 1", "format_version = 9");
    std::fs::write(&settings, newer).unwrap();
    let error = Reader::open(dir.path()).map(drop).unwrap_err();
    assert!(error.to_string().contains("format version 9"), "{error}");
    let error = Ledger::open(dir.path(), edge()).map(drop).unwrap_err();
    assert!(error.to_string().contains("format version 9"), "{error}");
}
