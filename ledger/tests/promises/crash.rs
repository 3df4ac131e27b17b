//! What a crash can leave behind.

use super::book::{copy, create, edge, folder, registered, sign_in};
use ledger::{Ledger, OpenError, ReadError, Reader, SegmentOptions, StoreError, verify};

const PLAIN: SegmentOptions = SegmentOptions {
    segment_bytes: 64 << 20,
    extend_bytes: 0,
    index_events: 4,
};

const FIRST: &str = "00000000000000000000.seg";

#[test]
fn a_ledger_cut_anywhere_keeps_every_batch_that_is_whole() {
    let dir = folder();
    let mut ledger = create(dir.path(), PLAIN);
    let path = dir.path().join(FIRST);
    let length = || std::fs::metadata(&path).unwrap().len();
    let mut ends = vec![(length(), 1, ledger.head_chain())];
    for batch in 0..2 {
        let events = vec![sign_in(batch), registered(batch, "x")];
        ledger.append(events).unwrap();
        ends.push((length(), ledger.size(), ledger.head_chain()));
    }
    drop(ledger);
    let whole = std::fs::read(&path).unwrap();
    let work = folder();
    copy(dir.path(), work.path());
    let cut_path = work.path().join(FIRST);
    let genesis_end = usize::try_from(ends[0].0).unwrap();
    for cut in 0..whole.len() {
        std::fs::write(&cut_path, &whole[..cut]).unwrap();
        let expected = ends.iter().rfind(|(end, ..)| *end <= cut as u64);
        if let Some((_, size, chain)) = expected {
            let reader = Reader::open(work.path()).unwrap();
            assert_eq!((reader.size(), reader.head_chain()), (*size, *chain));
        }
        // A writer syncs, which takes its time: it is tried at some cuts only.
        let near = |end: &(u64, u64, [u8; 32])| end.0.abs_diff(cut as u64) < 3;
        if cut % 29 != 0 && !ends.iter().any(near) {
            continue;
        }
        let opened = Ledger::open_with(work.path(), edge(), PLAIN);
        if cut < genesis_end {
            assert!(
                matches!(
                    opened,
                    Err(OpenError::Empty { .. } | OpenError::Store(StoreError::Damaged { .. }))
                ),
                "cut at {cut}"
            );
            continue;
        }
        let (end, size, chain) = expected.unwrap();
        let mut ledger = opened.unwrap();
        assert_eq!((ledger.size(), ledger.head_chain()), (*size, *chain));
        let torn = work.path().join(format!("{FIRST}.{end}.torn"));
        assert_eq!(torn.exists(), *end < cut as u64, "cut at {cut}");
        if torn.exists() {
            let kept = std::fs::read(&torn).unwrap();
            let lost = &whole[usize::try_from(*end).unwrap()..cut];
            // Trailing zeros cannot be told from the zeros ahead.
            assert!(lost.starts_with(&kept) && lost[kept.len()..].iter().all(|byte| *byte == 0));
            std::fs::remove_file(&torn).unwrap();
        }
        ledger.append(vec![sign_in(1_000)]).unwrap();
        assert_eq!(verify(work.path(), &|_, _| {}).unwrap().faults, vec![]);
    }
}

#[test]
fn damage_before_a_whole_batch_is_not_taken_for_a_crash() {
    let dir = folder();
    let mut ledger = create(dir.path(), PLAIN);
    ledger.append(vec![sign_in(1)]).unwrap();
    ledger.append(vec![sign_in(2)]).unwrap();
    drop(ledger);
    let path = dir.path().join(FIRST);
    let good = std::fs::read(&path).unwrap();
    let mut bad = good.clone();
    bad[800] ^= 1;
    std::fs::write(&path, &bad).unwrap();
    assert!(matches!(
        Ledger::open_with(dir.path(), edge(), PLAIN),
        Err(OpenError::Store(StoreError::Damaged { .. }))
    ));
    assert!(matches!(
        Reader::open(dir.path()),
        Err(OpenError::Read(ReadError::Damaged { .. }))
    ));
    assert_eq!(std::fs::read(&path).unwrap(), bad, "nothing was repaired");
}

#[test]
fn damage_in_a_sealed_segment_is_never_repaired() {
    let dir = folder();
    let mut ledger = create(dir.path(), super::book::SMALL);
    for n in 0..20 {
        ledger.append(vec![sign_in(n)]).unwrap();
    }
    drop(ledger);
    let path = dir.path().join(FIRST);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes.truncate(bytes.len() - 1);
    std::fs::write(&path, &bytes).unwrap();
    assert!(matches!(
        Ledger::open_with(dir.path(), edge(), PLAIN),
        Err(OpenError::Store(StoreError::Damaged { .. }))
    ));
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}

#[test]
fn a_roll_over_cut_short_is_finished() {
    let dir = folder();
    let mut ledger = create(dir.path(), super::book::SMALL);
    let mut segments = 1;
    let mut n = 0;
    let count = || {
        let names = std::fs::read_dir(dir.path()).unwrap();
        names
            .filter(|item| {
                let path = item.as_ref().unwrap().path();
                path.extension().is_some_and(|ending| ending == "seg")
            })
            .count()
    };
    while segments < 2 {
        ledger.append(vec![sign_in(n)]).unwrap();
        n += 1;
        segments = count();
    }
    let size = ledger.size();
    drop(ledger);
    // The last segment has one record; without it the ledger ends with a sealed segment.
    let last = dir.path().join(format!("{:020}.seg", size - 1));
    std::fs::rename(&last, dir.path().join(format!("{:020}.seg.tmp", size - 1))).unwrap();
    assert_eq!(verify(dir.path(), &|_, _| {}).unwrap().faults, vec![]);
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.size(), size - 1);
    let mut ledger = Ledger::open_with(dir.path(), edge(), super::book::SMALL).unwrap();
    assert_eq!(ledger.size(), size - 1);
    ledger.append(vec![sign_in(n), sign_in(n + 1)]).unwrap();
    assert_eq!(verify(dir.path(), &|_, _| {}).unwrap().faults, vec![]);
}

#[test]
fn zeros_ahead_are_not_events() {
    let dir = folder();
    let mut ledger = create(dir.path(), SegmentOptions::default());
    ledger.append(vec![sign_in(1)]).unwrap();
    drop(ledger);
    assert!(std::fs::metadata(dir.path().join(FIRST)).unwrap().len() > 1 << 20);
    let mut ledger = Ledger::open(dir.path(), edge()).unwrap();
    assert_eq!(ledger.size(), 2);
    ledger.append(vec![sign_in(2)]).unwrap();
    assert_eq!(Reader::open(dir.path()).unwrap().size(), 3);
    assert_eq!(verify(dir.path(), &|_, _| {}).unwrap().faults, vec![]);
}

#[test]
fn zeros_behind_a_footer_are_cut_off_when_a_roll_over_is_finished() {
    let dir = folder();
    let mut ledger = create(dir.path(), super::book::SMALL);
    let next = |at: u64| dir.path().join(format!("{at:020}.seg"));
    let mut n = 0;
    while ledger.size() == 1 || !next(ledger.size() - 1).exists() {
        ledger.append(vec![sign_in(n)]).unwrap();
        n += 1;
    }
    let last = next(ledger.size() - 1);
    drop(ledger);
    // as a crash leaves it between the footer and the cut behind it
    std::fs::rename(&last, last.with_extension("seg.tmp")).unwrap();
    let path = dir.path().join(FIRST);
    let sealed = std::fs::read(&path).unwrap();
    std::fs::write(&path, [&sealed[..], &[0; 5_000]].concat()).unwrap();
    let mut ledger = Ledger::open_with(dir.path(), edge(), super::book::SMALL).unwrap();
    ledger.append(vec![sign_in(n + 1)]).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), sealed);
    assert_eq!(verify(dir.path(), &|_, _| {}).unwrap().faults, vec![]);
}

#[test]
fn a_creation_cut_short_is_begun_again_and_nothing_else_is() {
    let dir = folder();
    drop(create(dir.path(), PLAIN));
    let settings = dir.path().join("ledger.toml");
    std::fs::remove_file(&settings).unwrap();
    let whole = std::fs::read(dir.path().join(FIRST)).unwrap();
    for cut in [96, 97, whole.len() - 1, whole.len()] {
        std::fs::write(dir.path().join(FIRST), &whole[..cut]).unwrap();
        let mut ledger = create(dir.path(), PLAIN);
        ledger.append(vec![sign_in(1)]).unwrap();
        drop(ledger);
        assert_eq!(verify(dir.path(), &|_, _| {}).unwrap().faults, vec![]);
        std::fs::remove_file(&settings).unwrap();
    }
    let opened = Ledger::create_with(dir.path(), &super::book::options(), edge(), PLAIN);
    assert!(matches!(
        opened,
        Err(ledger::CreateError::AlreadyThere { .. })
    ));
}
