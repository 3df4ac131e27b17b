//! A restored ledger is the one that was backed up, or nothing; and it goes on.

use std::path::Path;
use std::process::Command;

use ledger::{Ledger, RestoreError, Restored, restore};

use super::backup::{MIDDLE, assert_whole, grow, sign, to_archive, to_folder, tree};
use super::book::{Folder, create, edge, folder};

fn restored(from: &Path, to: &Path) -> Result<Restored, RestoreError> {
    restore(from, to, &|_| {}, &|_, _| {})
}

/// A ledger of 600 events with an archive and a folder made of it.
fn scene() -> (Folder, Ledger) {
    let dir = folder();
    let mut ledger = create(dir.path(), MIDDLE);
    grow(&mut ledger, 600);
    sign(dir.path(), &ledger);
    to_archive(dir.path(), &dir.path().with_file_name("b.tar")).unwrap();
    to_folder(dir.path(), &dir.path().with_file_name("b")).unwrap();
    (dir, ledger)
}

#[test]
fn a_restored_ledger_is_the_one_that_was_backed_up_and_goes_on() {
    let (dir, mut ledger) = scene();
    let (chain, root) = (ledger.head_chain(), ledger.root());
    grow(&mut ledger, 640);
    for source in ["b", "b.tar"] {
        let to = dir.path().with_file_name(format!("from-{source}"));
        let done = restored(&dir.path().with_file_name(source), &to).unwrap();
        assert_eq!(
            (done.size, done.head_chain, done.root),
            (600, chain, Some(root))
        );
        assert_eq!((done.with_blind, done.checkpoint_size), (true, Some(600)));
        assert_eq!(done.origin, "ledger.example/t/acme");
        let mut again = Ledger::open_with(&to, edge(), MIDDLE).unwrap();
        assert_eq!(again.head_chain(), chain);
        grow(&mut again, 900);
        assert_whole(&to, 900);
    }
}

#[test]
fn an_archive_unpacked_by_tar_is_a_ledger() {
    let (dir, _ledger) = scene();
    let to = dir.path().with_file_name("plain");
    std::fs::create_dir(&to).unwrap();
    let archive = dir.path().with_file_name("b.tar");
    let tar = Command::new("tar")
        .arg("xf")
        .arg(&archive)
        .arg("-C")
        .arg(&to)
        .status();
    let Ok(status) = tar else {
        println!("skipped: no `tar` here");
        return;
    };
    assert!(status.success());
    assert_whole(&to, 600);
    assert_eq!(Ledger::open(&to, edge()).unwrap().size(), 600);
    // and one that tar makes of a backup is read
    let made = dir.path().with_file_name("made.tar");
    std::fs::remove_file(to.join("LOCK")).unwrap();
    let status = Command::new("tar")
        .arg("cf")
        .arg(&made)
        .arg("-C")
        .arg(&to)
        .arg(".")
        .status();
    assert!(status.unwrap().success());
    let done = restored(&made, &dir.path().with_file_name("from-made")).unwrap();
    assert_eq!(done.size, 600);
}

#[test]
fn nothing_that_is_there_is_replaced() {
    let (dir, _ledger) = scene();
    let source = dir.path().with_file_name("b.tar");
    assert!(matches!(
        restored(&source, dir.path()),
        Err(RestoreError::Exists { .. })
    ));
    let to = dir.path().with_file_name("new");
    std::fs::create_dir(dir.path().with_file_name("new.restoring")).unwrap();
    assert!(matches!(
        restored(&source, &to),
        Err(RestoreError::Leftover { .. })
    ));
    assert!(!to.exists());
}

/// A header of an archive, made by hand.
fn header(path: &str, kind: u8, length: u64) -> Vec<u8> {
    let mut record = vec![0_u8; 512];
    record[..path.len()].copy_from_slice(path.as_bytes());
    record[100..107].copy_from_slice(b"0000644");
    record[124..135].copy_from_slice(format!("{length:011o}").as_bytes());
    record[136..147].copy_from_slice(b"00000000000");
    record[148..156].copy_from_slice(b"        ");
    record[156] = kind;
    record[157..168].copy_from_slice(b"/etc/passwd");
    record[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = record.iter().map(|byte| u32::from(*byte)).sum();
    record[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    record
}

#[test]
fn a_hostile_archive_writes_nothing_anywhere() {
    let dir = folder();
    let archive = dir.path().with_file_name("evil.tar");
    let to = dir.path().join("new");
    for (path, kind, length) in [
        ("/tmp/x", b'0', 3),
        ("../x", b'0', 3),
        ("tile/../../x", b'0', 3),
        ("./../x", b'0', 3),
        ("blind.key", b'1', 0),
        ("blind.key", b'2', 0),
        ("checkpoint", b'3', 0),
        ("checkpoint", b'4', 0),
        ("checkpoint", b'6', 0),
        ("checkpoint", b'L', 3),
        ("checkpoint", b'x', 3),
        ("LOCK", b'0', 3),
        ("derived/x", b'0', 3),
        ("..", b'5', 0),
        ("/", b'5', 0),
        ("ledger.toml", b'5', 0),
        ("blind.key", b'0', 33),
        ("tile/0/000", b'0', 8_193),
        ("checkpoint", b'0', 1 << 20),
        ("ledger.toml", b'0', (1 << 33) - 1),
    ] {
        let mut bytes = header(path, kind, length);
        bytes.resize(4_096, 0);
        std::fs::write(&archive, &bytes).unwrap();
        let refused = restored(&archive, &to);
        assert!(
            matches!(
                refused,
                Err(RestoreError::Unknown { .. }
                    | RestoreError::Archive { .. }
                    | RestoreError::TooLong { .. })
            ),
            "{path} {}: {refused:?}",
            char::from(kind)
        );
        assert_eq!(tree(dir.path()).len(), 0, "{path}");
    }
    let twice = [header("checkpoint", b'0', 0), header("checkpoint", b'0', 0)].concat();
    std::fs::write(&archive, twice).unwrap();
    assert!(matches!(
        restored(&archive, &to),
        Err(RestoreError::Twice { .. })
    ));
    for nothing in [&b""[..], b"not an archive", &[0; 1_024], &[7; 2_000]] {
        std::fs::write(&archive, nothing).unwrap();
        restored(&archive, &to).unwrap_err();
    }
    assert_eq!(tree(dir.path()).len(), 0);
}

#[test]
fn an_archive_cut_anywhere_is_refused_and_leaves_nothing() {
    let (dir, _ledger) = scene();
    let whole = std::fs::read(dir.path().with_file_name("b.tar")).unwrap();
    let archive = dir.path().with_file_name("cut.tar");
    let to = dir.path().with_file_name("new");
    let end = whole.len() - 1_024;
    for cut in (0..end).step_by(9_473).chain([1, 511, 512, end - 1, end]) {
        std::fs::write(&archive, &whole[..cut]).unwrap();
        restored(&archive, &to).unwrap_err();
        assert!(!to.exists(), "cut at {cut}");
        assert!(!dir.path().with_file_name("new.restoring").exists());
    }
}

#[test]
fn a_backup_with_a_changed_byte_is_not_restored() {
    let (dir, _ledger) = scene();
    let source = dir.path().with_file_name("b");
    let to = dir.path().with_file_name("new");
    for (name, good) in tree(&source) {
        if name == Path::new("LOCK") {
            continue;
        }
        // signatures are checked by who has the keys: `daybook verify --policy`
        let is_note = name.starts_with("checkpoint") || name.starts_with("checkpoints");
        let last = if is_note { 0 } else { good.len() - 1 };
        for at in [0, last / 2, last] {
            let mut bad = good.clone();
            bad[at] ^= 1;
            std::fs::write(source.join(&name), &bad).unwrap();
            assert!(
                restored(&source, &to).is_err(),
                "{} byte {at}",
                name.display()
            );
            assert!(!to.exists());
        }
        std::fs::write(source.join(&name), &good).unwrap();
    }
    restored(&source, &to).unwrap();
}

#[test]
fn a_torn_tile_of_a_backup_is_made_again() {
    let (dir, _ledger) = scene();
    let source = dir.path().with_file_name("b");
    std::fs::write(source.join("tile/0/000"), [1; 100]).unwrap();
    let to = dir.path().with_file_name("new");
    restored(&source, &to).unwrap();
    drop(Ledger::open(&to, edge()).unwrap());
    let (made, kept) = (to.join("tile/0/000"), dir.path().join("tile/0/000"));
    assert_eq!(std::fs::read(made).unwrap(), std::fs::read(kept).unwrap());
}

#[cfg(unix)]
#[test]
fn links_in_a_backup_folder_are_not_followed() {
    let (dir, _ledger) = scene();
    let source = dir.path().with_file_name("b");
    let to = dir.path().with_file_name("new");
    let checkpoint = source.join("checkpoint");
    std::fs::remove_file(&checkpoint).unwrap();
    std::os::unix::fs::symlink(dir.path().join("blind.key"), &checkpoint).unwrap();
    restored(&source, &to).unwrap();
    assert!(!to.join("checkpoint").exists());
}
