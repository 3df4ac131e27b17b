//! Volumes that are full or mounted for reading alone.

use std::path::{Path, PathBuf};
use std::process::Command;

use ledger::{AppendError, Ledger, OpenError, Reader, StoreError, condition, restore, verify};

use super::backup::{MIDDLE, assert_whole, grow, to_archive, to_folder, tree};
use super::book::{create, edge, folder, sign_in};

/// Something mounted; unmounted when dropped.
struct Mounted(PathBuf);

impl Mounted {
    /// `None`, with a line that says so, where nothing can be mounted.
    fn new(arguments: &[&str], at: &Path) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        if mount(arguments, at) {
            return Some(Self(at.to_owned()));
        }
        println!("skipped: nothing can be mounted here");
        None
    }
}

fn mount(arguments: &[&str], at: &Path) -> bool {
    let mounted = Command::new("mount").args(arguments).arg(at).output();
    mounted.is_ok_and(|output| output.status.success())
}

impl Drop for Mounted {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.0).status());
    }
}

/// Appends until the volume is full; returns how many events were acknowledged.
fn fill(ledger: &mut Ledger) -> u64 {
    loop {
        let from = u32::try_from(ledger.size()).unwrap();
        let Err(error) = ledger.append((from..from + 50).map(sign_in).collect()) else {
            continue;
        };
        match error {
            AppendError::Store(StoreError::Io { source, .. }) => {
                assert_eq!(source.kind(), std::io::ErrorKind::StorageFull);
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(
            ledger.append(vec![sign_in(9_999)]),
            Err(AppendError::Store(StoreError::Poisoned))
        ));
        return u64::from(from);
    }
}

#[test]
fn a_full_volume_keeps_what_was_acknowledged_and_goes_on_with_more_room() {
    let dir = folder();
    let at = dir.path().with_file_name("small");
    let Some(_mounted) = Mounted::new(&["-t", "tmpfs", "-o", "size=1m", "none"], &at) else {
        return;
    };
    let book = at.join("book");
    std::fs::create_dir(&book).unwrap();
    let mut ledger = create(&book, MIDDLE);
    let kept = fill(&mut ledger);
    assert_eq!(ledger.size(), kept);
    drop(ledger);
    assert!(kept > 500, "{kept}");
    assert_eq!(Reader::open(&book).unwrap().size(), kept);
    assert_eq!(condition(&book).unwrap().size, kept);
    assert!(mount(&["-o", "remount,size=8m"], &at));
    let mut ledger = Ledger::open_with(&book, edge(), MIDDLE).unwrap();
    assert_eq!(ledger.size(), kept);
    grow(&mut ledger, u32::try_from(kept).unwrap() + 500);
    drop(ledger);
    assert_whole(&book, kept + 500);
}

#[test]
fn a_backup_to_a_full_volume_leaves_the_one_before() {
    let dir = folder();
    let at = dir.path().with_file_name("small");
    let Some(_mounted) = Mounted::new(&["-t", "tmpfs", "-o", "size=1m", "none"], &at) else {
        return;
    };
    let mut ledger = create(dir.path(), MIDDLE);
    grow(&mut ledger, 500);
    let to = at.join("backup");
    to_folder(dir.path(), &to).unwrap();
    grow(&mut ledger, 3_000);
    to_folder(dir.path(), &to).unwrap_err();
    assert_whole(&to, 500);
    let archive = at.join("backup.tar");
    to_archive(dir.path(), &archive).unwrap_err();
    assert!(!archive.exists());
    assert!(mount(&["-o", "remount,size=8m"], &at));
    to_folder(dir.path(), &to).unwrap();
    assert_whole(&to, 3_000);
}

#[test]
fn a_volume_for_reading_alone_answers_and_names_what_it_cannot_write() {
    let dir = folder();
    let mut ledger = create(dir.path(), MIDDLE);
    grow(&mut ledger, 600);
    drop(ledger);
    let before = tree(dir.path());
    let path = dir.path().to_str().unwrap();
    let at = dir.path().with_file_name("still");
    let Some(_mounted) = Mounted::new(&["--bind", path], &at) else {
        return;
    };
    if !mount(&["-o", "remount,ro,bind"], &at) {
        println!("skipped: nothing can be mounted for reading alone here");
        return;
    }
    assert_eq!(Reader::open(&at).unwrap().size(), 600);
    assert!(verify(&at, &|_, _| {}).unwrap().is_clean());
    assert_eq!(condition(&at).unwrap().size, 600);
    let to = dir.path().with_file_name("backup");
    to_folder(&at, &to).unwrap();
    let again = dir.path().with_file_name("again");
    restore(&at, &again, &|_| {}, &|_, _| {}).unwrap();
    assert_whole(&again, 600);
    match Ledger::open(&at, edge()) {
        Err(OpenError::Io { path, source }) => {
            assert_eq!(path, at.join("LOCK"));
            assert_eq!(source.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(tree(dir.path()), before);
}
