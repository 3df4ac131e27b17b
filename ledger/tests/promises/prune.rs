//! Pruned payloads: entries, proofs and ids stay, and what is gone without a word is a fault.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::book::{Folder, SMALL, at, create, edge, folder, registered, sign_in};
use ledger::{
    BackupOptions, Bound, Entry, EventType, FaultClass, Form, Ledger, PruneDone, PruneError,
    Pruning, ReadError, Reader, Receipt, Target, VerifyReport, backup, pack, verify,
};

fn check(dir: &Path) -> VerifyReport {
    verify(dir, &|_, _| {}).unwrap()
}

fn activity() -> BTreeSet<EventType> {
    let types = ledger::EventBody::TYPES.iter().map(|(of, _)| *of);
    types.filter(|of| of.is_activity()).collect()
}

fn order(bound: Bound) -> Pruning {
    Pruning {
        bound,
        types: activity(),
        signed: None,
        reason: "kept for a year".to_owned(),
        legal_basis: None,
        approved_by: vec!["dpo".to_owned(), "ciso".to_owned()],
    }
}

fn open(dir: &Path) -> Ledger {
    Ledger::open_with(dir, edge(), SMALL).unwrap()
}

fn prune(dir: &Path, below: u64) -> PruneDone {
    open(dir).prune(&order(Bound::Position(below))).unwrap()
}

/// A ledger of several segments; sign-ins with private parts among them.
fn several(batches: u32, per_batch: u32) -> Folder {
    let dir = folder();
    let mut ledger = create(dir.path(), SMALL);
    for batch in 0..batches {
        let mut events = vec![registered(batch, "name")];
        events.extend((0..per_batch).map(|n| {
            let mut event = sign_in(batch * per_batch + n);
            event.private = (n % 2 == 0).then(|| serde_json::json!({"ip": n}));
            event
        }));
        ledger.append(events).unwrap();
    }
    dir
}

fn entries(dir: &Path) -> Vec<([u8; 256], bool)> {
    let mut found = Vec::new();
    let mut each = |record: ledger::RecordRef<'_>| {
        found.push((*record.entry, record.is_pruned()));
        ControlFlow::Continue(())
    };
    let reader = Reader::open(dir).unwrap();
    reader.scan_stored(0..u64::MAX, &mut each).unwrap();
    found
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|item| item.unwrap().path())
        .filter(|path| path.to_string_lossy().contains(".seg"))
        .collect();
    paths.sort();
    paths
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn what_is_pruned_stays_proven_counted_and_known(
        batches in 2_u32..10,
        per_batch in 1_u32..8,
        bound in 0_u64..100,
        is_packed in any::<bool>(),
    ) {
        let dir = several(batches, per_batch);
        let dir = dir.path();
        if is_packed {
            pack(dir, Form::Packed(1), &mut |_, _| {}).unwrap();
        }
        let before = (check(dir), entries(dir));
        prop_assert!(before.0.is_clean());
        let size = before.0.size;
        let done = prune(dir, bound);
        prop_assert!(done.survey.below <= bound.min(size));
        let after = (check(dir), entries(dir));
        prop_assert_eq!(&after.0.faults, &vec![]);
        prop_assert_eq!(after.0.pruned, done.survey.events);
        prop_assert_eq!(done.survey.months.values().sum::<u64>(), done.survey.events);
        prop_assert_eq!(done.position, (done.survey.events > 0).then_some(size));
        let mut pruned = 0;
        for ((old, _), (new, is_gone)) in before.1.iter().zip(&after.1) {
            prop_assert_eq!(old, new);
            let goes = Entry::peek_event_type(new).is_activity()
                && Entry::peek_position(new) < done.survey.below;
            prop_assert_eq!(*is_gone, goes);
            pruned += u64::from(*is_gone);
        }
        prop_assert_eq!(pruned, done.survey.events);
        let reader = Reader::open(dir).unwrap();
        prop_assert_eq!(reader.tree().root(size).unwrap(), before.0.root.unwrap());
        for (position, (_, is_gone)) in (0..).zip(&after.1) {
            match reader.get(position) {
                Err(ReadError::Pruned { position: at }) => prop_assert!(*is_gone && at == position),
                read => prop_assert!(!is_gone && read.unwrap().is_some()),
            }
        }
        let mut seen = 0;
        let mut each = |_| {
            seen += 1;
            ControlFlow::Continue(())
        };
        reader.scan(0..u64::MAX, &|_| true, &mut each).unwrap();
        prop_assert_eq!(seen + pruned, reader.size());
        prop_assert_eq!(reader.passed_over().is_some(), pruned > 0);
        prop_assert!(reader.passed_over().unwrap_or(0) <= done.survey.below);
        // every id is still known, and pruning again finds nothing to do
        let mut ledger = open(dir);
        let again = (0..batches * per_batch).map(sign_in).collect();
        let receipts = ledger.append(again).unwrap();
        prop_assert!(receipts.iter().all(|one| matches!(one, Receipt::Duplicate(_))));
        let again = ledger.prune(&order(Bound::Position(done.survey.below))).unwrap();
        prop_assert_eq!((again.position, again.survey.events), (None, 0));
        prop_assert_eq!(again.survey.pruned, pruned);
        ledger.append(vec![sign_in(10_000), registered(10_000, "new")]).unwrap();
        drop(ledger);
        prop_assert!(check(dir).is_clean());
    }
}

#[test]
fn an_interrupted_pruning_is_finished_with_the_event_it_has() {
    let dir = several(12, 4);
    let whole: Vec<(PathBuf, Vec<u8>)> = segments(dir.path())
        .into_iter()
        .map(|path| (path.clone(), std::fs::read(&path).unwrap()))
        .collect();
    let size = check(dir.path()).size;
    let done = prune(dir.path(), size);
    let (position, events) = (done.position.unwrap(), done.survey.events);
    assert!(done.survey.segments.len() > 3);
    let last = done.survey.segments.len();
    for stop in 0..=last {
        // the segments from `stop` on are as they were before
        for (path, bytes) in whole.iter().take(last).skip(stop) {
            std::fs::write(path, bytes).unwrap();
        }
        let half = check(dir.path());
        assert!(half.is_clean());
        assert_eq!(half.pruned == events, stop == last);
        std::fs::write(dir.path().join(format!("{:020}.seg.plain.tmp", 0)), b"torn").unwrap();
        let again = prune(dir.path(), size);
        assert_eq!(again.position, (stop < last).then_some(position));
        assert_eq!(again.finished, stop < last);
        let report = check(dir.path());
        assert_eq!((report.pruned, report.size), (events, half.size));
        assert_eq!(report.faults, vec![]);
    }
}

#[test]
fn a_payload_gone_without_an_event_that_says_so_is_a_fault() {
    let dir = several(12, 4);
    let kept = several(12, 4);
    let copy = |from: &Path, to: &Path| {
        for path in segments(from) {
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    };
    let before = check(dir.path());
    copy(dir.path(), kept.path());
    let done = prune(dir.path(), before.size);
    // all that pruning wrote but the event itself
    let first: Vec<PathBuf> = segments(dir.path());
    for path in first.iter().take(done.survey.segments.len()) {
        std::fs::copy(path, kept.path().join(path.file_name().unwrap())).unwrap();
    }
    for name in ["ledger.toml", "blind.key"] {
        std::fs::copy(dir.path().join(name), kept.path().join(name)).unwrap();
    }
    let report = check(kept.path());
    let missing = report.faults.iter();
    let missing = missing.filter(|fault| fault.class == FaultClass::PayloadMissing);
    assert_eq!(missing.count() as u64, done.survey.events);
    assert_eq!((report.pruned, report.root), (0, before.root));
}

#[test]
fn a_reader_that_knew_the_old_segments_reads_the_new_ones() {
    let dir = several(12, 4);
    let reader = Reader::open(dir.path()).unwrap();
    for position in 0..reader.size() {
        assert!(reader.get(position).unwrap().is_some());
    }
    let done = prune(dir.path(), reader.size());
    for position in (0..reader.size()).rev() {
        match reader.get(position) {
            Ok(event) => assert_eq!(event.unwrap().position, position),
            Err(error) => assert!(
                matches!(error, ReadError::Pruned { .. }) && position < done.survey.below,
                "{error}"
            ),
        }
    }
    let late = Reader::open(dir.path()).unwrap();
    for position in 0..reader.size() {
        let both = [&reader, &late].map(|reader| reader.get_stored(position).unwrap());
        assert_eq!(both[0], both[1]);
    }
    for start in (0..reader.size()).step_by(7) {
        let mut positions = Vec::new();
        let mut each = |record: ledger::RecordRef<'_>| {
            positions.push(Entry::peek_position(record.entry));
            ControlFlow::Continue(())
        };
        reader.scan_stored(start..u64::MAX, &mut each).unwrap();
        assert!(positions.into_iter().eq(start..reader.size()));
    }
}

#[test]
fn a_time_ends_the_pruning_before_the_segment_it_lies_in() {
    let dir = several(12, 4);
    let ledger = |time| order(Bound::Occurred(time));
    let all = open(dir.path()).prune(&ledger(at(-10))).unwrap();
    assert_eq!((all.survey.below, all.position), (0, None));
    let some = open(dir.path()).prune(&ledger(at(20))).unwrap();
    assert!(some.survey.events > 0);
    let reader = Reader::open(dir.path()).unwrap();
    let mut latest_kept = 0;
    for position in 0..reader.size() {
        match reader.get(position) {
            Err(ReadError::Pruned { .. }) => {
                let stored = reader.get_stored(position).unwrap().unwrap();
                let entry = Entry::decode(&stored.entry).unwrap();
                assert!(entry.occurred_at_ms < at(20).as_millisecond());
            }
            kept => latest_kept = kept.unwrap().unwrap().position,
        }
    }
    assert_eq!(latest_kept + 1, reader.size());
}

#[test]
fn what_is_not_in_order_prunes_nothing() {
    let dir = several(6, 4);
    let bytes = |dir: &Path| -> Vec<Vec<u8>> {
        let paths = segments(dir);
        paths
            .iter()
            .map(|path| std::fs::read(path).unwrap())
            .collect()
    };
    let before = bytes(dir.path());
    let size = check(dir.path()).size;
    let good = order(Bound::Position(size));
    let refused = |change: &dyn Fn(&mut Pruning)| {
        let mut order = good.clone();
        change(&mut order);
        open(dir.path()).prune(&order).unwrap_err()
    };
    assert!(matches!(refused(&|it| it.types.clear()), PruneError::Types));
    let grants = EventType::from_name("grant.app_role_granted").unwrap();
    assert!(matches!(
        refused(&|it| it.types.extend([grants])),
        PruneError::Types
    ));
    assert!(matches!(
        refused(&|it| it.reason.clear()),
        PruneError::Words
    ));
    assert!(matches!(
        refused(&|it| it.approved_by = vec!["dpo".into(), " DPO".into()]),
        PruneError::Approvals { different: 1 }
    ));
    assert!(matches!(
        refused(&|it| it.signed = Some(3)),
        PruneError::Unsigned { signed: 3, .. }
    ));
    assert_eq!(bytes(dir.path()), before);
}

#[test]
fn every_changed_byte_of_a_pruned_segment_is_found() {
    let dir = several(3, 3);
    let size = check(dir.path()).size;
    prune(dir.path(), size);
    let path = segments(dir.path()).remove(0);
    let good = std::fs::read(&path).unwrap();
    assert!(good.windows(4).any(|some| some == b"PRND"));
    for at in 0..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x20;
        std::fs::write(&path, &bad).unwrap();
        assert!(!check(dir.path()).is_clean(), "byte {at}");
    }
    // without its version, the same records are at fault
    let mut bad = good.clone();
    bad[11] = 1;
    let crc = crc32(&bad[..92]).to_be_bytes();
    bad[92..96].copy_from_slice(&crc);
    std::fs::write(&path, &bad).unwrap();
    let report = check(dir.path());
    assert!(
        report
            .faults
            .iter()
            .any(|fault| fault.class == FaultClass::Header)
    );
}

/// CRC-32 of IEEE 802.3, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}

#[test]
fn a_backup_follows_a_pruning_and_holds_the_event_that_says_so() {
    let dir = several(12, 6);
    let options = BackupOptions { with_blind: true };
    let to = dir.path().with_file_name("backup");
    let target = Target::Folder(to.clone());
    let first = backup(dir.path(), &target, options, &|_| {}).unwrap();
    let done = prune(dir.path(), 40);
    assert!(done.survey.events > 0);
    let second = backup(dir.path(), &target, options, &|_| {}).unwrap();
    assert!(second.segments_kept > 0 && second.size > first.size);
    let report = check(&to);
    assert_eq!((report.faults, report.pruned), (vec![], done.survey.events));
    assert_eq!(entries(&to), entries(dir.path()));
    // and one that begins while the backup runs
    let (other, pruned) = (
        dir.path().with_file_name("other"),
        std::cell::Cell::new(false),
    );
    let target = Target::Folder(other.clone());
    let in_between = |_| {
        if !pruned.replace(true) {
            prune(dir.path(), 60);
        }
    };
    backup(dir.path(), &target, options, &in_between).unwrap();
    let report = check(&other);
    assert_eq!(report.faults, vec![]);
    assert!(report.pruned > done.survey.events);
}
