//! Packed segments: everything reads as before, damage is found, and a crash loses nothing.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use proptest::prelude::*;

use super::book::{Folder, SMALL, create, edge, folder, registered, sign_in};
use ledger::{
    FaultClass, Form, Ledger, OpenError, PACK_LEVEL, PackError, PackReport, Reader, Receipt,
    SegmentOptions, StoredRecord, VerifyReport, pack, verify,
};

fn check(dir: &Path) -> VerifyReport {
    verify(dir, &|_, _| {}).unwrap()
}

fn packed(dir: &Path) -> PackReport {
    pack(dir, Form::Packed(PACK_LEVEL), &mut |_, _| {}).unwrap()
}

fn unpacked(dir: &Path) -> PackReport {
    pack(dir, Form::Plain, &mut |_, _| {}).unwrap()
}

/// A ledger of several segments.
fn several(batches: u32, per_batch: u32, sizes: SegmentOptions) -> Folder {
    let dir = folder();
    let mut ledger = create(dir.path(), sizes);
    for batch in 0..batches {
        let mut events = vec![registered(batch, "name")];
        events.extend((0..per_batch).map(|n| sign_in(batch * per_batch + n)));
        ledger.append(events).unwrap();
    }
    dir
}

fn files(dir: &Path, ending: &str) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|item| item.unwrap().path())
        .filter(|path| path.to_string_lossy().ends_with(ending))
        .collect();
    paths.sort();
    paths
}

/// The other name of a segment.
fn other(path: &Path) -> PathBuf {
    let text = path.to_string_lossy();
    match text.strip_suffix(".zst") {
        Some(plain) => plain.into(),
        None => format!("{text}.zst").into(),
    }
}

fn scanned(dir: &Path) -> Vec<StoredRecord> {
    let mut found = Vec::new();
    let reader = Reader::open(dir).unwrap();
    let mut each = |record: ledger::RecordRef<'_>| {
        found.push(StoredRecord {
            entry: *record.entry,
            public: record.public.to_vec(),
            private: record.private.to_vec(),
        });
        ControlFlow::Continue(())
    };
    reader.scan_stored(0..u64::MAX, &mut each).unwrap();
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn a_ledger_reads_the_same_packed_plain_and_mixed(
        batches in 2_u32..12,
        per_batch in 1_u32..9,
        choice in any::<u64>(),
        level in 1_i32..6,
    ) {
        let dir = several(batches, per_batch, SMALL);
        let dir = dir.path();
        let before = (check(dir), scanned(dir));
        prop_assert!(before.0.is_clean());
        let plain: Vec<(PathBuf, Vec<u8>)> = files(dir, ".seg")
            .into_iter()
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect();
        let report = pack(dir, Form::Packed(level), &mut |_, _| {}).unwrap();
        prop_assert_eq!(report.changed, report.sealed);
        prop_assert_eq!(files(dir, ".seg").len(), 1);
        prop_assert_eq!(packed(dir).changed, 0);
        for (at, (path, bytes)) in plain.iter().enumerate() {
            if choice >> (at % 64) & 1 == 1 && !path.exists() {
                std::fs::write(path, bytes).unwrap();
                std::fs::remove_file(other(path)).unwrap();
            }
        }
        prop_assert_eq!(&(check(dir), scanned(dir)), &before);
        let reader = Reader::open(dir).unwrap();
        for (position, record) in (0..).zip(&before.1) {
            let stored = reader.get_stored(position).unwrap();
            prop_assert_eq!(stored.as_ref(), Some(record));
        }
        let mut ledger = Ledger::open_with(dir, edge(), SMALL).unwrap();
        let again = ledger.append(vec![sign_in(0), registered(0, "name")]).unwrap();
        prop_assert!(again.iter().all(|one| matches!(one, Receipt::Duplicate(_))));
        drop(ledger);
        unpacked(dir);
        prop_assert_eq!(files(dir, ".zst"), Vec::<PathBuf>::new());
        for (path, bytes) in &plain {
            prop_assert_eq!(&std::fs::read(path).unwrap(), bytes);
        }
    }
}

#[test]
fn any_changed_byte_and_any_cut_of_a_packed_segment_is_a_fault() {
    let dir = several(3, 2, SMALL);
    packed(dir.path());
    let path = files(dir.path(), ".zst").remove(0);
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let good = std::fs::read(&path).unwrap();
    let try_with = |bad: &[u8], what: &str| {
        std::fs::write(&path, bad).unwrap();
        let report = check(dir.path());
        assert!(
            report.faults.iter().any(|fault| fault.file == name),
            "{what}"
        );
        // A reader tells, or reads what was written: it never tells anything else.
        let _told = Reader::open(dir.path()).map(|reader| reader.get(1));
    };
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= if at % 2 == 0 { 1 } else { 0x40 };
        try_with(&bad, &format!("byte {at}"));
        if at % 7 == 0 {
            try_with(&good[..at], &format!("cut at {at}"));
        }
    }
    std::fs::write(&path, &good).unwrap();
    assert!(check(dir.path()).is_clean());
}

#[test]
fn a_damaged_frame_hides_its_own_records_only() {
    let sizes = SegmentOptions {
        index_events: 4,
        segment_bytes: 1 << 20,
        extend_bytes: 0,
    };
    let dir = several(30, 100, sizes);
    let size = check(dir.path()).size;
    packed(dir.path());
    let path = files(dir.path(), ".zst").remove(0);
    let mut bytes = std::fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let report = check(dir.path());
    let hit: BTreeSet<u64> = report
        .faults
        .iter()
        .filter(|fault| fault.class == FaultClass::Frame)
        .filter_map(|fault| fault.position)
        .collect();
    let (first, last) = (*hit.first().unwrap(), *hit.last().unwrap());
    assert!(hit.len() > 50 && hit.len() as u64 == last - first + 1);
    assert_eq!(report.size, size);
    assert!(
        report
            .faults
            .iter()
            .any(|fault| fault.position == Some(first)
                && fault.detail.contains("packed frame of the bytes from"))
    );
    let reader = Reader::open(dir.path()).unwrap();
    let mut read = 0;
    let mut each = |_: ledger::RecordRef<'_>| {
        read += 1;
        ControlFlow::Continue(())
    };
    reader.scan_stored(0..first, &mut each).unwrap();
    assert_eq!(read, first);
    assert!(reader.get(first + 2).is_err());
}

#[test]
fn a_packing_or_unpacking_cut_short_loses_nothing_and_is_finished() {
    let dir = several(4, 3, SMALL);
    let dir = dir.path();
    let before = (check(dir), scanned(dir));
    let plain = files(dir, ".seg").remove(0);
    let whole = std::fs::read(&plain).unwrap();
    packed(dir);
    let path = other(&plain);
    let good = std::fs::read(&path).unwrap();
    let mut half_plain = whole.clone();
    half_plain.truncate(whole.len() / 2);
    let half = &good[..good.len() / 2];
    let temporary = |ending: &str| PathBuf::from(format!("{}{ending}", plain.display()));
    // What lies there under both names after a crash; whether the ledger is clean then.
    let states = [
        (Some(whole.as_slice()), None, true),
        (Some(&whole), Some(good.as_slice()), true),
        (Some(&whole), Some(half), true),
        (None, Some(&good), true),
        (Some(&half_plain), Some(&good), false),
    ];
    for (plain_bytes, packed_bytes, is_clean) in states {
        for form in [Form::Packed(PACK_LEVEL), Form::Plain] {
            for (path, bytes) in [(&plain, plain_bytes), (&path, packed_bytes)] {
                match bytes {
                    Some(bytes) => std::fs::write(path, bytes).unwrap(),
                    None => drop(std::fs::remove_file(path)),
                }
            }
            std::fs::write(temporary(".zst.tmp"), half).unwrap();
            std::fs::write(temporary(".plain.tmp"), &half_plain).unwrap();
            assert_eq!(check(dir).is_clean(), is_clean);
            pack(dir, form, &mut |_, _| {}).unwrap();
            assert_eq!(files(dir, ".tmp"), Vec::<PathBuf>::new());
            assert_eq!(plain.exists(), form == Form::Plain);
            assert_eq!(path.exists(), form != Form::Plain);
            assert_eq!((check(dir), scanned(dir)), before);
        }
    }
}

#[test]
fn a_damaged_segment_is_neither_packed_nor_unpacked() {
    let dir = several(4, 3, SMALL);
    let path = files(dir.path(), ".seg").remove(0);
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let damage = |path: &Path, at: usize| {
        let mut bytes = std::fs::read(path).unwrap();
        bytes[at] ^= 1;
        std::fs::write(path, &bytes).unwrap();
        bytes
    };
    let bad = damage(&path, 300);
    let refused = pack(dir.path(), Form::Packed(PACK_LEVEL), &mut |_, _| {});
    assert!(matches!(refused, Err(PackError::Damaged { file }) if file == name));
    assert_eq!(std::fs::read(&path).unwrap(), bad);
    damage(&path, 300);
    packed(dir.path());
    let path = other(&path);
    let bad = damage(&path, 100);
    let refused = pack(dir.path(), Form::Plain, &mut |_, _| {});
    assert!(matches!(refused, Err(PackError::Damaged { file }) if file == format!("{name}.zst")));
    assert_eq!(std::fs::read(&path).unwrap(), bad);
}

#[test]
fn nothing_is_packed_beside_a_writer_or_with_a_level_there_is_not() {
    let dir = folder();
    let ledger = create(dir.path(), SMALL);
    let beside = pack(dir.path(), Form::Plain, &mut |_, _| {});
    assert!(matches!(
        beside,
        Err(PackError::Open(OpenError::Locked { .. }))
    ));
    drop(ledger);
    assert_eq!(packed(dir.path()).sealed, 0);
    for level in [0, 23, -1] {
        let refused = pack(dir.path(), Form::Packed(level), &mut |_, _| {});
        assert!(matches!(refused, Err(PackError::Level { .. })));
    }
}

#[test]
fn a_reader_goes_on_while_segments_are_packed_and_unpacked() {
    let dir = several(12, 5, SMALL);
    let dir = dir.path();
    let expected = scanned(dir);
    let done = AtomicBool::new(false);
    std::thread::scope(|threads| {
        threads.spawn(|| {
            for _ in 0..8 {
                packed(dir);
                unpacked(dir);
            }
            done.store(true, Ordering::Release);
        });
        let kept = Reader::open(dir).unwrap();
        let mut rounds = 0;
        while !done.load(Ordering::Acquire) || rounds == 0 {
            assert_eq!(scanned(dir), expected);
            for (position, record) in (0..).zip(&expected) {
                assert_eq!(kept.get_stored(position).unwrap().as_ref(), Some(record));
            }
            assert!(check(dir).is_clean());
            rounds += 1;
        }
    });
}
