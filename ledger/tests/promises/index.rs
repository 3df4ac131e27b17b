//! The index follows from the entries: whatever happens to it, every event is found and none is
//! taken twice.

use std::path::{Path, PathBuf};

use super::book::{SMALL, copy, create, edge, files, folder, registered, sign_in};
use ledger::{Ledger, Reader, Receipt, SegmentOptions, verify};
use proptest::prelude::*;

/// Runs of four events, merged at 32 and 256.
const SIZES: SegmentOptions = SMALL;

fn grown(dir: &Path, events: u32) -> Ledger {
    let mut ledger = create(dir, SIZES);
    for first in (0..events).step_by(3) {
        let batch = (first..events.min(first + 3)).map(sign_in).collect();
        ledger.append(batch).unwrap();
    }
    ledger
}

fn open(dir: &Path) -> Ledger {
    Ledger::open_with(dir, edge(), SIZES).unwrap()
}

fn runs(dir: &Path) -> Vec<PathBuf> {
    files(&dir.join("index"))
}

/// Every event is found where it is, streams go on, and the book verifies.
fn assert_knows(mut ledger: Ledger, dir: &Path, events: u32) {
    let all: Vec<u32> = (0..events).collect();
    let receipts = ledger.append(all.iter().copied().map(sign_in).collect());
    let expected: Vec<Receipt> = (1..=u64::from(events)).map(Receipt::Duplicate).collect();
    assert_eq!(receipts.unwrap(), expected);
    ledger
        .append((events..events + 40).map(sign_in).collect())
        .unwrap();
    assert_eq!(ledger.size(), u64::from(events) + 41);
    assert_eq!(verify(dir, &|_, _| {}).unwrap().faults, vec![]);
}

#[test]
fn small_runs_become_large_ones_and_cover_all_but_the_newest() {
    let dir = folder();
    drop(grown(dir.path(), 400));
    let names: Vec<String> = runs(dir.path())
        .iter()
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    assert!(names.len() < 20, "{names:?}");
    let mut next = 0;
    for name in &names {
        let (first, rest) = name.split_once('-').unwrap();
        assert_eq!(first.parse::<u64>().unwrap(), next, "{names:?}");
        next = rest.strip_suffix(".run").unwrap().parse().unwrap();
    }
    assert!((395..=401).contains(&next), "{names:?}");
    assert_knows(open(dir.path()), dir.path(), 400);
}

#[test]
fn an_index_that_is_deleted_is_made_again() {
    let dir = folder();
    drop(grown(dir.path(), 100));
    let before = runs(dir.path()).len();
    std::fs::remove_dir_all(dir.path().join("index")).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    assert!((0..101).all(|position| reader.get_stored(position).unwrap().is_some()));
    let ledger = open(dir.path());
    assert!(runs(dir.path()).len() * 2 > before);
    assert_knows(ledger, dir.path(), 100);
}

#[test]
fn a_run_that_cannot_be_read_leaves_the_ledger_as_it_was() {
    let dir = folder();
    drop(grown(dir.path(), 60));
    for cut in [0, 100, 5_000] {
        let victim = runs(dir.path()).swap_remove(0);
        let bytes = std::fs::read(&victim).unwrap();
        std::fs::write(&victim, &bytes[..cut.min(bytes.len() - 1)]).unwrap();
        let ledger = open(dir.path());
        assert_eq!(ledger.size(), 61);
        drop(ledger);
    }
    assert_knows(open(dir.path()), dir.path(), 60);
}

/// One byte in every page and every part; each is tried before the ledger is opened and while it
/// is.
#[test]
fn a_changed_byte_anywhere_is_noticed() {
    let whole = folder();
    drop(grown(whole.path(), 70));
    for victim in runs(whole.path()) {
        let name = victim.strip_prefix(whole.path()).unwrap();
        let length = usize::try_from(std::fs::metadata(&victim).unwrap().len()).unwrap();
        let near = [
            0, 9, 30, 60, 150, 187, 252, 4_096, 4_100, 8_191, 8_192, 8_200,
        ];
        let ends = (1..=200).step_by(7).map(|back| length - back);
        for (at, while_open) in near
            .into_iter()
            .chain(ends)
            .filter(|at| *at < length)
            .flat_map(|at| [(at, false), (at, true)])
        {
            let dir = folder();
            copy(whole.path(), dir.path());
            let opened = while_open.then(|| open(dir.path()));
            let path = dir.path().join(name);
            let mut bytes = std::fs::read(&path).unwrap();
            bytes[at] ^= 0x10;
            // in place: an open file is the same one
            std::fs::write(&path, &bytes).unwrap();
            let reader = Reader::open(dir.path()).unwrap();
            assert!((0..71).all(|position| reader.get_stored(position).unwrap().is_some()));
            let ledger = opened.unwrap_or_else(|| open(dir.path()));
            assert_knows(ledger, dir.path(), 70);
        }
    }
}

#[test]
fn an_older_index_is_gone_on_from() {
    let dir = folder();
    drop(grown(dir.path(), 30));
    let older = folder();
    copy(&dir.path().join("index"), older.path());
    let mut ledger = open(dir.path());
    ledger.append((30..90).map(sign_in).collect()).unwrap();
    drop(ledger);
    std::fs::remove_dir_all(dir.path().join("index")).unwrap();
    copy(older.path(), &dir.path().join("index"));
    assert_knows(open(dir.path()), dir.path(), 90);
}

#[test]
fn an_index_of_another_history_is_not_believed() {
    let dir = folder();
    drop(grown(dir.path(), 30));
    let fork = folder();
    copy(dir.path(), fork.path());
    for (path, from) in [(dir.path(), 1_000), (fork.path(), 2_000)] {
        let mut ledger = open(path);
        for n in 0..20 {
            ledger.append(vec![sign_in(from + n)]).unwrap();
        }
    }
    std::fs::remove_dir_all(dir.path().join("index")).unwrap();
    copy(&fork.path().join("index"), &dir.path().join("index"));
    let mut ledger = open(dir.path());
    let again: Vec<Receipt> = (31..51).map(Receipt::Duplicate).collect();
    assert_eq!(
        ledger
            .append((1_000..1_020).map(sign_in).collect())
            .unwrap(),
        again
    );
    assert_eq!(
        ledger.append(vec![sign_in(2_000)]).unwrap(),
        [Receipt::Appended(51)]
    );
    assert_eq!(verify(dir.path(), &|_, _| {}).unwrap().faults, vec![]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// However it was grown and reopened, and whichever files of the index were lost, the ledger
    /// answers as a list of its events would.
    #[test]
    fn the_index_answers_as_a_list_would(
        batches in proptest::collection::vec(proptest::collection::vec(0_u32..400, 1..40), 1..16),
        losses in proptest::collection::vec(0_usize..64, 16),
        index_events in 1_usize..9,
    ) {
        let dir = folder();
        let sizes = SegmentOptions { index_events, ..SMALL };
        let mut ledger = Some(create(dir.path(), sizes));
        let mut list: Vec<u32> = Vec::new();
        for (batch, loss) in batches.iter().zip(losses) {
            if loss % 2 == 1 {
                drop(ledger.take());
                if let Some(path) = files(dir.path())
                    .iter()
                    .filter(|path| path.extension().is_some_and(|ending| ending == "run"))
                    .nth(loss / 2)
                {
                    std::fs::remove_file(path).unwrap();
                }
            }
            let open = || Ledger::open_with(dir.path(), edge(), sizes).unwrap();
            let ledger = ledger.get_or_insert_with(open);
            let events = batch.iter().map(|n| registered(*n, "x")).collect();
            for (n, receipt) in batch.iter().zip(ledger.append(events).unwrap()) {
                let known = list.iter().position(|known| known == n);
                let expected = known.map_or_else(
                    || Receipt::Appended(list.len() as u64 + 1),
                    |at| Receipt::Duplicate(at as u64 + 1),
                );
                if known.is_none() {
                    list.push(*n);
                }
                prop_assert_eq!(receipt, expected);
            }
            for n in batch {
                let at = list.iter().position(|known| known == n).unwrap() as u64 + 1;
                prop_assert_eq!(ledger.find(&registered(*n, "x").id).unwrap(), Some(at));
            }
            prop_assert_eq!(ledger.find(&registered(1_000, "x").id).unwrap(), None);
        }
        prop_assert_eq!(verify(dir.path(), &|_, _| {}).unwrap().faults, vec![]);
    }
}
