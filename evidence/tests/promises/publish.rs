//! Signing: once, only what grew from what was signed, and never for a copy.

use std::path::Path;

use evidence::head::{Head, HeadError};
use evidence::keys::{KeyFileError, KeyFolder};
use evidence::publish::PublishError;
use evidence::{anchors, prove, seal};
use jiff::Timestamp;
use ledger::note::Note;
use ledger::{KeptNote, Ledger, Outside, verify_against};

use super::book::{Desk, ORIGIN, START_MS, edge, sign_in};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for item in std::fs::read_dir(from).unwrap() {
        let item = item.unwrap();
        let target = to.join(item.file_name());
        if item.file_type().unwrap().is_dir() {
            copy(&item.path(), &target);
        } else {
            std::fs::copy(item.path(), target).unwrap();
        }
    }
}

fn put_back(copy_of: &Path, dir: &Path) {
    std::fs::remove_dir_all(dir).unwrap();
    copy(copy_of, dir);
}

#[test]
fn a_checkpoint_is_signed_once_and_again_only_when_there_is_more() {
    let desk = Desk::new(300);
    let first = desk.publish().unwrap();
    assert!(first.is_new && first.before.is_none() && first.checkpoint.size == 301);
    let again = desk.publish().unwrap();
    assert!(!again.is_new && again.note == first.note);
    desk.append((300..700).map(sign_in).collect());
    let more = desk.publish().unwrap();
    assert_eq!((more.before, more.checkpoint.size), (Some(301), 701));
    let outside = Outside {
        keys: vec![desk.keys.signing(ORIGIN).unwrap()[0].verifier().clone()],
        ..Outside::default()
    };
    let report = verify_against(&desk.dir, &outside, &|_, _| {}).unwrap();
    assert_eq!(report.faults, []);
    let sizes: Vec<u64> = report.statements.iter().map(|one| one.size).collect();
    assert_eq!(sizes, [301, 701, 701]);
}

#[test]
fn a_checkpoint_a_crash_left_out_is_kept_by_the_next_call() {
    let desk = Desk::new(20);
    desk.publish().unwrap();
    std::fs::remove_file(desk.dir.join("checkpoint")).unwrap();
    std::fs::remove_dir_all(desk.dir.join("checkpoints")).unwrap();
    assert!(!desk.publish().unwrap().is_new);
    assert!(prove::checkpoint(&desk.dir, Some(21)).is_ok());
    assert!(prove::checkpoint(&desk.dir, None).is_ok());
}

/// A ledger of 401 events that were signed, put back to its first 301.
fn put_back_to_301() -> Desk {
    let desk = Desk::new(300);
    let backup = desk.root.join("backup");
    copy(&desk.dir, &backup);
    desk.append((300..400).map(sign_in).collect());
    desk.publish().unwrap();
    put_back(&backup, &desk.dir);
    desk
}

#[test]
fn a_restored_old_backup_is_refused() {
    let desk = put_back_to_301();
    let head = Head::read(&desk.keys).unwrap().unwrap();
    assert!(matches!(
        head.check(&desk.reader()),
        Err(HeadError::Older {
            signed: 401,
            size: 301
        })
    ));
    assert!(matches!(
        desk.publish(),
        Err(PublishError::Head(HeadError::Older { .. }))
    ));
}

#[test]
fn another_writers_copy_is_refused() {
    let desk = put_back_to_301();
    // goes on from the backup with other events
    desk.append((1_000..1_200).map(sign_in).collect());
    assert!(matches!(
        desk.publish(),
        Err(PublishError::Head(HeadError::Forked { signed: 401 }))
    ));
}

#[test]
fn keys_restored_from_a_backup_are_refused() {
    let desk = Desk::new(30);
    desk.publish().unwrap();
    let backup = desk.root.join("keys");
    copy(desk.keys.dir(), &backup);
    desk.append((300..310).map(sign_in).collect());
    desk.publish().unwrap();
    put_back(&backup, desk.keys.dir());
    assert!(matches!(
        desk.publish(),
        Err(PublishError::Head(HeadError::RecordOlder {
            signed: 41,
            known: 31
        }))
    ));
}

#[test]
fn a_changed_tile_or_entry_is_not_signed() {
    let desk = Desk::new(600);
    desk.publish().unwrap();
    desk.append((600..900).map(sign_in).collect());
    let tile = desk.dir.join("tile/0/002");
    let good = std::fs::read(&tile).unwrap();
    let change = |entry: usize| {
        let mut bad = good.clone();
        bad[(entry - 512) * 32] ^= 1;
        std::fs::write(&tile, bad).unwrap();
        desk.publish()
    };
    assert!(
        matches!(change(700), Err(PublishError::Tiles)),
        "not signed yet"
    );
    assert!(matches!(
        change(512),
        Err(PublishError::Head(HeadError::Forked { signed: 601 }))
    ));
}

#[test]
fn keys_others_can_read_are_not_used() {
    let desk = Desk::new(1);
    let path = desk.keys.dir().join("log.key");
    assert!(matches!(
        desk.keys.generate(ORIGIN, &mut |_| {}),
        Err(KeyFileError::AlreadyThere { .. })
    ));
    assert!(matches!(
        desk.keys.signing("another.example"),
        Err(KeyFileError::Name { .. })
    ));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&path), mode(desk.keys.dir())), (0o600, 0o700));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(
            desk.keys.signing(ORIGIN),
            Err(KeyFileError::Exposed { .. })
        ));
    }
    assert!(matches!(
        KeyFolder::at(&desk.root.join("none")).signing(ORIGIN),
        Err(KeyFileError::Missing { .. })
    ));
}

#[test]
fn while_a_key_is_replaced_both_sign() {
    let desk = Desk::new(1);
    desk.publish().unwrap();
    let rotated = desk
        .keys
        .rotate(ORIGIN, &mut |bytes| bytes.fill(8))
        .unwrap();
    assert!(matches!(
        desk.keys.rotate(ORIGIN, &mut |_| {}),
        Err(KeyFileError::Rotating)
    ));
    let both = desk.publish().unwrap();
    assert!(both.is_new, "the new key has not signed this size yet");
    for key in [&rotated.old, &rotated.new] {
        assert!(both.note.verify(std::slice::from_ref(key)).is_ok());
    }
    assert_eq!(desk.keys.retire(ORIGIN).unwrap(), Some(rotated.old.clone()));
    assert_eq!(desk.keys.retire(ORIGIN).unwrap(), None);
    desk.append(vec![sign_in(9)]);
    let one = desk.publish().unwrap();
    assert!(one.note.verify(&[rotated.new]).is_ok());
    assert!(one.note.verify(&[rotated.old]).is_err());
}

#[test]
fn anchors_grow_by_whole_files_and_refuse_another_history() {
    let desk = Desk::new(700);
    let to = desk.root.join("anchors");
    assert_eq!(anchors::copy(&desk.reader(), &to).unwrap(), 701);
    desk.append((700..1_500).map(sign_in).collect());
    assert_eq!(anchors::copy(&desk.reader(), &to).unwrap(), 1_501);
    assert_eq!(anchors::copy(&desk.reader(), &to).unwrap(), 1_501);
    let outside = Outside {
        anchors: Some(to.clone()),
        ..Outside::default()
    };
    let report = verify_against(&desk.dir, &outside, &|_, _| {}).unwrap();
    assert_eq!((report.faults, report.anchored), (vec![], Some(1_501)));
    let other = Desk::new(699);
    other.append((5_000..5_900).map(sign_in).collect());
    assert!(anchors::copy(&other.reader(), &to).is_err());
}

/// Whole days after the ledger began.
fn day(days: i64) -> Timestamp {
    Timestamp::from_millisecond(START_MS + days * 86_400_000 + 5_000).unwrap()
}

fn seal_faults(desk: &Desk) -> Vec<(u64, String)> {
    let kept = KeptNote::of_ledger(&desk.dir).unwrap();
    let keys: Vec<_> = desk.keys.signing(ORIGIN).unwrap();
    let keys: Vec<_> = keys.iter().map(|key| key.verifier().clone()).collect();
    let events = seal::opened(&desk.reader()).unwrap();
    let (_, faults) = seal::check(&desk.reader(), &events, &kept, &keys).unwrap();
    faults
        .into_iter()
        .map(|fault| (fault.position, fault.detail))
        .collect()
}

/// A writer whose clock tells a day.
fn writer(desk: &Desk, days: i64) -> Ledger {
    Ledger::open(&desk.dir, edge(day(days).as_millisecond(), 9)).unwrap()
}

#[test]
fn every_day_is_sealed_even_an_empty_one_and_its_key_destroyed() {
    let desk = Desk::new(10);
    let mut seed = 0;
    let mut entropy = |bytes: &mut [u8]| {
        seed += 1;
        bytes.fill(seed);
    };
    let mut ledger = writer(&desk, 0);
    let first = seal::begin(&mut ledger, &desk.keys, day(0), &mut entropy).unwrap();
    assert!(seal::begin(&mut ledger, &desk.keys, day(0), &mut entropy).is_err());
    drop(ledger);
    let secret = std::fs::read(desk.keys.dir().join("seal.key")).unwrap();
    let mut ledger = writer(&desk, 3);
    let ended = seal::roll(&desk.dir, &mut ledger, &desk.keys, day(3), &mut entropy).unwrap();
    assert_eq!(ended, 3, "two of them without any event but the seal's own");
    assert_eq!(
        seal::roll(&desk.dir, &mut ledger, &desk.keys, day(3), &mut entropy).unwrap(),
        0
    );
    ledger.append(vec![sign_in(100)]).unwrap();
    drop(ledger);
    assert_eq!(seal_faults(&desk), []);
    assert_ne!(
        std::fs::read(desk.keys.dir().join("seal.key")).unwrap(),
        secret
    );
    // the last checkpoint of the first day carries that day's signature
    let note = KeptNote::read(&desk.dir.join(ledger::rung(12)), String::new());
    let note = Note::parse(&note.unwrap().bytes).unwrap();
    assert!(note.verify(&[first]).is_ok());
    let report = verify_against(&desk.dir, &Outside::default(), &|_, _| {}).unwrap();
    assert_eq!(report.faults, []);

    std::fs::remove_file(desk.dir.join(ledger::rung(13))).unwrap();
    let faults = seal_faults(&desk);
    assert_eq!(faults.len(), 1, "{faults:?}");
    assert!(faults[0].0 == 13 && faults[0].1.contains("missing"));
}

#[test]
fn days_that_nobody_sealed_are_a_fault() {
    let desk = Desk::new(10);
    let mut ledger = writer(&desk, 0);
    seal::begin(&mut ledger, &desk.keys, day(0), &mut |bytes| bytes.fill(7)).unwrap();
    drop(ledger);
    // a writer that does not seal
    writer(&desk, 5).append(vec![sign_in(100)]).unwrap();
    let faults = seal_faults(&desk);
    assert_eq!(faults.len(), 1);
    assert!(faults[0].1.contains("epoch 5"), "{faults:?}");
}
