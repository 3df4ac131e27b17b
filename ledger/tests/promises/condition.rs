//! A look at a ledger's folder tells how it is and changes nothing.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use ledger::{
    Condition, Holder, Ledger, OpenError, Place, RollOver, Tail, Writer, condition, verify,
};

use super::backup::{MIDDLE, grow, sign, tree};
use super::book::{Folder, create, edge, folder, sign_in};

/// Looks, and makes sure that nothing is another afterwards.
fn look(dir: &Path) -> Condition {
    let before = tree(dir);
    let seen = condition(dir).unwrap();
    assert_eq!(tree(dir), before);
    seen
}

fn scene() -> (Folder, Ledger) {
    let dir = folder();
    let mut ledger = create(dir.path(), MIDDLE);
    grow(&mut ledger, 700);
    (dir, ledger)
}

/// The newest segment.
fn last(dir: &Path) -> PathBuf {
    let names = tree(dir).into_keys();
    let newest = names.filter(|name| name.extension().is_some_and(|ending| ending == "seg"));
    dir.join(newest.max().unwrap())
}

#[test]
fn a_closed_ledger_is_as_it_should_be() {
    let (dir, ledger) = scene();
    sign(dir.path(), &ledger);
    let (size, chain) = (ledger.size(), ledger.head_chain());
    drop(ledger);
    let seen = look(dir.path());
    assert_eq!((seen.size, seen.head_chain), (size, Some(chain)));
    assert_eq!((seen.tail, seen.roll_over), (Tail::Clean, RollOver::None));
    assert_eq!((seen.writer, seen.broken), (Writer::None, None));
    assert_eq!((seen.tiles_there, seen.tiles_expected), (2, 2));
    assert_eq!(seen.checkpoint, Some((700, seen.recorded_at_ms)));
    assert!(seen.with_blind && seen.torn.is_empty() && seen.recorded_at_ms.is_some());
    assert!(seen.segments > 3 && seen.bytes > 100_000);
    std::fs::remove_file(dir.path().join("tile/0/000")).unwrap();
    assert_eq!(look(dir.path()).tiles_there, 1);
}

#[test]
fn who_writes_is_named_while_the_ledger_is_open_and_not_afterwards() {
    let dir = folder();
    let holder = Holder {
        pid: Some(std::process::id()),
        host: Some("db1".to_owned()),
        command: Some("daybook import".to_owned()),
        since: Timestamp::from_second(1_795_000_000).ok(),
    };
    drop(create(dir.path(), MIDDLE));
    let place = Place::from(dir.path()).held_by(holder.clone());
    let ledger = Ledger::open_with(place, edge(), MIDDLE).unwrap();
    assert_eq!(look(dir.path()).writer, Writer::Holds(holder));
    let text = match Ledger::open(dir.path(), edge()) {
        Err(error @ OpenError::Locked { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let told = format!(
        "process {} on db1, `daybook import`, since 2026-11-18",
        std::process::id()
    );
    assert!(
        text.contains(&told) && text.contains("daybook doctor"),
        "{text}"
    );
    let left = std::fs::read(dir.path().join("LOCK")).unwrap();
    drop(ledger);
    // what a crash leaves of the text says nothing
    std::fs::write(dir.path().join("LOCK"), left).unwrap();
    assert_eq!(look(dir.path()).writer, Writer::None);
    drop(Ledger::open(dir.path(), edge()).unwrap());
}

#[test]
fn a_batch_cut_short_and_damage_are_told_apart() {
    let (dir, mut ledger) = scene();
    let path = last(dir.path());
    ledger.append(vec![sign_in(9_000)]).unwrap();
    drop(ledger);
    let good = std::fs::read(&path).unwrap();
    let end = good.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let cut = |bytes: &[u8]| std::fs::write(&path, bytes).unwrap();
    cut(&good[..end - 5]);
    let seen = look(dir.path());
    assert_eq!((seen.size, seen.tail), (700, Tail::Torn));
    let mut bad = good.clone();
    bad[400] ^= 1;
    cut(&bad);
    let _index = std::fs::remove_dir_all(dir.path().join("index"));
    let Tail::Damaged { position, .. } = look(dir.path()).tail else {
        panic!("damage is damage");
    };
    assert!(position < 700);
    cut(&good[..end - 5]);
    drop(Ledger::open_with(dir.path(), edge(), MIDDLE).unwrap());
    let seen = look(dir.path());
    assert_eq!((seen.tail, seen.torn.len()), (Tail::Clean, 1));
}

#[test]
fn a_roll_over_cut_short_is_told_from_a_segment_that_is_gone() {
    let (dir, ledger) = scene();
    drop(ledger);
    let newest = last(dir.path());
    let mut staged = newest.clone().into_os_string();
    staged.push(".tmp");
    let _index = std::fs::remove_dir_all(dir.path().join("index"));
    std::fs::rename(&newest, &staged).unwrap();
    assert_eq!(look(dir.path()).roll_over, RollOver::UnderWay);
    assert!(verify(dir.path(), &|_, _| {}).unwrap().is_clean() || look(dir.path()).size < 700);
    std::fs::remove_file(&staged).unwrap();
    assert_eq!(look(dir.path()).roll_over, RollOver::Lost);
}

#[test]
fn a_lost_segment_in_the_middle_is_seen_without_reading_history() {
    let (dir, ledger) = scene();
    drop(ledger);
    let names: Vec<_> = tree(dir.path())
        .into_keys()
        .filter(|name| name.extension().is_some_and(|ending| ending == "seg"))
        .collect();
    std::fs::remove_file(dir.path().join(&names[1])).unwrap();
    let third = names[2].to_str().unwrap().to_owned();
    assert_eq!(look(dir.path()).broken, Some(third));
}

#[test]
fn a_folder_without_a_ledger_and_a_newer_format_are_said_to_be_so() {
    let dir = folder();
    assert!(matches!(
        condition(dir.path()),
        Err(OpenError::NotALedger { .. })
    ));
    drop(create(dir.path(), MIDDLE));
    let path = dir.path().join("ledger.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(
        &path,
        text.replace("format_version = 1", "format_version = 2"),
    )
    .unwrap();
    let told = condition(dir.path()).unwrap_err().to_string();
    assert!(told.contains('2'), "{told}");
}
