//! A backup is a whole ledger at every instant, and never takes the place of something else.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use ledger::checkpoint::Checkpoint;
use ledger::note::SigningKey;
use ledger::{
    Backup, BackupError, BackupOptions, Form, Ledger, Reader, SegmentOptions, Target, backup,
    restore, verify,
};

use super::book::{Folder, SMALL, create, edge, folder, sign_in};

pub(super) const WHOLE: BackupOptions = BackupOptions { with_blind: true };

/// Segments large enough for tiles to fill in between.
pub(super) const MIDDLE: SegmentOptions = SegmentOptions {
    segment_bytes: 64 << 10,
    extend_bytes: 4 << 10,
    index_events: 100,
};

pub(super) fn to_folder(dir: &Path, to: &Path) -> Result<Backup, BackupError> {
    backup(dir, &Target::Folder(to.to_owned()), WHOLE, &|_| {})
}

pub(super) fn to_archive(dir: &Path, to: &Path) -> Result<Backup, BackupError> {
    backup(dir, &Target::Archive(to.to_owned()), WHOLE, &|_| {})
}

/// Appends sign-ins up to a size, in small batches.
pub(super) fn grow(ledger: &mut Ledger, size: u32) {
    let from = u32::try_from(ledger.size()).unwrap();
    let events: Vec<_> = (from..size).map(sign_in).collect();
    for batch in events.chunks(13) {
        ledger.append(batch.to_vec()).unwrap();
    }
}

/// Signs what there is, as `daybook checkpoint` does.
pub(super) fn sign(dir: &Path, ledger: &Ledger) {
    let key = SigningKey::new(ledger.origin(), &[9; 32]).unwrap();
    let checkpoint = Checkpoint {
        origin: ledger.origin().to_owned(),
        size: ledger.size(),
        root: ledger.root(),
    };
    let note = checkpoint.sign(&key).unwrap().to_string();
    std::fs::create_dir_all(dir.join("checkpoints")).unwrap();
    for name in [ledger::rung(ledger.size()), "checkpoint".to_owned()] {
        // whole or not there, as the program writes it
        let temporary = dir.join(format!("{name}.tmp"));
        std::fs::write(&temporary, &note).unwrap();
        std::fs::rename(&temporary, dir.join(name)).unwrap();
    }
}

/// Every file below a folder, with its bytes.
pub(super) fn tree(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(&folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(dir).unwrap().to_owned();
                found.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

pub(super) fn assert_whole(dir: &Path, size: u64) {
    let report = verify(dir, &|_, _| {}).unwrap();
    assert_eq!((report.faults, report.size), (vec![], size));
}

/// A signed ledger of 700 events in several segments, and a place for its backup.
fn scene() -> (Folder, Ledger, PathBuf) {
    let dir = folder();
    let mut ledger = create(dir.path(), MIDDLE);
    grow(&mut ledger, 700);
    sign(dir.path(), &ledger);
    let to = dir.path().with_file_name("backup");
    (dir, ledger, to)
}

#[test]
fn a_backup_folder_is_a_whole_ledger_and_grows_by_what_is_new() {
    let (dir, mut ledger, to) = scene();
    for name in ["derived", "index"] {
        std::fs::create_dir_all(dir.path().join(name)).unwrap();
        std::fs::write(dir.path().join(name).join("x"), "x").unwrap();
    }
    std::fs::write(dir.path().join("x.torn"), "x").unwrap();
    let first = to_folder(dir.path(), &to).unwrap();
    assert_eq!((first.size, first.head_chain), (700, ledger.head_chain()));
    assert_eq!((first.segments_kept, first.with_blind), (0, true));
    assert!(first.segments > 3, "{first:?}");
    assert_whole(&to, 700);
    for name in ["derived", "index", "x.torn"] {
        assert!(!to.join(name).exists(), "{name}");
    }
    assert_eq!(
        std::fs::read(to.join("LOCK")).unwrap(),
        b"",
        "the backup's own, not the ledger's"
    );
    for path in [
        "tile/0/001",
        "checkpoint",
        "checkpoints/00000000000000000700",
    ] {
        let copied = std::fs::read(to.join(path)).unwrap();
        assert_eq!(copied, std::fs::read(dir.path().join(path)).unwrap());
    }
    let again = to_folder(dir.path(), &to).unwrap();
    assert_eq!((again.files_copied, again.bytes_copied), (0, 0));
    assert_eq!(again.segments_kept, again.segments);
    grow(&mut ledger, 720);
    let third = to_folder(dir.path(), &to).unwrap();
    assert!(third.segments_kept >= first.segments - 1, "{third:?}");
    assert!(third.bytes_copied < first.bytes_copied / 3, "{third:?}");
    assert_whole(&to, 720);
}

#[cfg(unix)]
#[test]
fn what_holds_the_blinding_key_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let (dir, _ledger, to) = scene();
    to_folder(dir.path(), &to).unwrap();
    let archive = to.with_file_name("backup.tar");
    to_archive(dir.path(), &archive).unwrap();
    for path in [to.join("blind.key"), archive] {
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{}", path.display());
    }
}

#[test]
fn a_copy_for_an_auditor_verifies_and_cannot_be_continued() {
    let (dir, ledger, to) = scene();
    drop(ledger);
    let options = BackupOptions { with_blind: false };
    let target = Target::Folder(to.clone());
    let done = backup(dir.path(), &target, options, &|_| {}).unwrap();
    assert!(!done.with_blind && !to.join("blind.key").exists());
    assert_whole(&to, 700);
    assert!(matches!(
        Ledger::open(&to, edge()),
        Err(ledger::OpenError::BlindMissing { .. })
    ));
    to_folder(dir.path(), &to).unwrap();
    assert!(matches!(
        backup(dir.path(), &target, options, &|_| {}),
        Err(BackupError::BlindThere { .. })
    ));
}

#[test]
fn a_backup_made_while_a_writer_runs_is_a_beginning_of_the_ledger() {
    let (dir, mut ledger, to) = scene();
    let done = AtomicBool::new(false);
    let made = std::thread::scope(|scope| {
        scope.spawn(|| {
            for size in (705..1_600).step_by(5) {
                grow(&mut ledger, size);
                if size % 100 == 0 {
                    sign(dir.path(), &ledger);
                }
            }
            done.store(true, Ordering::Release);
        });
        let mut made = Vec::new();
        while !done.load(Ordering::Acquire) {
            made.push(to_folder(dir.path(), &to).unwrap());
            assert_whole(&to, made.last().unwrap().size);
            let archive = to.with_file_name(format!("{}.tar", made.len()));
            made.push(to_archive(dir.path(), &archive).unwrap());
        }
        made
    });
    assert!(made.len() > 1);
    let reader = Reader::open(dir.path()).unwrap();
    for one in made {
        assert_eq!(reader.chain_at(one.size).unwrap(), Some(one.head_chain));
    }
}

#[test]
fn a_backup_of_another_ledger_or_another_history_is_refused_and_not_touched() {
    let (dir, mut ledger, to) = scene();
    to_folder(dir.path(), &to).unwrap();
    // ahead: the ledger was put back to an older state
    let older = to.with_file_name("older");
    restore(&to, &older, &|_| {}, &|_, _| {}).unwrap();
    grow(&mut ledger, 705);
    to_folder(dir.path(), &to).unwrap();
    let kept = tree(&to);
    assert!(matches!(
        to_folder(&older, &to),
        Err(BackupError::Ahead {
            backup: 705,
            size: 700,
            ..
        })
    ));
    // forked: and then continued
    let mut fork = Ledger::open_with(&older, edge(), MIDDLE).unwrap();
    fork.append((5_000..5_040).map(sign_in).collect()).unwrap();
    assert!(matches!(
        to_folder(&older, &to),
        Err(BackupError::Forked { backup: 705, .. })
    ));
    let stranger = folder();
    let options = ledger::CreateOptions {
        origin: "ledger.example/other".to_owned(),
        private_network: false,
    };
    drop(Ledger::create(stranger.path(), &options, edge()).unwrap());
    assert!(matches!(
        to_folder(stranger.path(), &to),
        Err(BackupError::Foreign { .. })
    ));
    assert_eq!(tree(&to), kept);
}

#[test]
fn a_packed_segment_is_copied_as_it_is_and_not_again_in_its_other_form() {
    let (dir, mut ledger, to) = scene();
    to_folder(dir.path(), &to).unwrap();
    drop(ledger);
    let pack = |form| ledger::pack(dir.path(), form, &mut |_, _| {}).unwrap();
    assert!(pack(Form::Packed(3)).changed > 3);
    let same = to_folder(dir.path(), &to).unwrap();
    assert_eq!((same.files_copied, same.segments_kept), (0, same.segments));
    // in a new place they are packed, and stay so once the ledger's are not
    let other = to.with_file_name("other");
    let archive = to.with_file_name("packed.tar");
    to_archive(dir.path(), &archive).unwrap();
    to_folder(dir.path(), &other).unwrap();
    assert!(other.join("00000000000000000000.seg.zst").exists());
    assert_whole(&other, 700);
    let unpacked = to.with_file_name("unpacked");
    assert_eq!(
        restore(&archive, &unpacked, &|_| {}, &|_, _| {})
            .unwrap()
            .size,
        700
    );
    pack(Form::Plain);
    assert_eq!(to_folder(dir.path(), &other).unwrap().files_copied, 0);
    ledger = Ledger::open_with(dir.path(), edge(), MIDDLE).unwrap();
    grow(&mut ledger, 1_300);
    drop(ledger);
    pack(Form::Packed(3));
    for place in [&to, &other] {
        to_folder(dir.path(), place).unwrap();
        assert_whole(place, 1_300);
    }
    // damage inside a packed one is not copied
    let packed = dir.path().join("00000000000000000000.seg.zst");
    let mut bytes = std::fs::read(&packed).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&packed, &bytes).unwrap();
    to_folder(dir.path(), &to.with_file_name("third")).unwrap_err();
}

#[test]
fn a_folder_with_anything_else_in_it_is_not_written_to() {
    let (dir, _ledger, to) = scene();
    std::fs::create_dir(&to).unwrap();
    std::fs::write(to.join("thesis.odt"), "mine").unwrap();
    assert!(matches!(
        to_folder(dir.path(), &to),
        Err(BackupError::NotABackup { name, .. }) if name == "thesis.odt"
    ));
    assert_eq!(tree(&to).len(), 1);
    for inside in ["backup", "a/b/c"] {
        assert!(matches!(
            to_folder(dir.path(), &dir.path().join(inside)),
            Err(BackupError::Inside { .. })
        ));
    }
    assert!(matches!(
        to_folder(dir.path(), dir.path()),
        Err(BackupError::Inside { .. })
    ));
}

#[test]
fn an_archive_that_is_there_is_not_overwritten() {
    let (dir, _ledger, to) = scene();
    let archive = to.with_file_name("backup.tar");
    std::fs::write(&archive, "mine").unwrap();
    assert!(matches!(
        to_archive(dir.path(), &archive),
        Err(BackupError::Exists { .. })
    ));
    assert_eq!(std::fs::read(&archive).unwrap(), b"mine");
}

/// Runs a backup that stops in the middle of its copying, after `reads` reads.
fn cut_short(dir: &Path, to: &Path, reads: usize) -> bool {
    let left = std::cell::Cell::new(reads);
    let stop = |_| {
        left.set(left.get().saturating_sub(1));
        assert!(left.get() > 0, "the power fails here");
    };
    let target = Target::Folder(to.to_owned());
    catch_unwind(AssertUnwindSafe(|| backup(dir, &target, WHOLE, &stop))).is_err()
}

#[test]
fn a_backup_cut_short_while_copying_leaves_the_one_before_and_is_completed_by_the_next() {
    let (dir, mut ledger, to) = scene();
    // the very first: no ledger yet, and completed
    let mut reads = 1;
    while cut_short(dir.path(), &to, reads) {
        reads += 3;
    }
    assert_whole(&to, 700);
    grow(&mut ledger, 1_300);
    sign(dir.path(), &ledger);
    let mut reads = 1;
    while cut_short(dir.path(), &to, reads) {
        let size = Reader::open(&to).unwrap().size();
        assert!(size == 700 || size == 1_300, "{size}");
        assert_whole(&to, size);
        reads += 1;
    }
    assert!(reads > 5, "{reads}");
    assert_whole(&to, 1_300);
}

#[test]
fn a_backup_cut_short_between_its_segments_is_a_whole_ledger_and_is_completed_by_the_next() {
    let (dir, mut ledger, to) = scene();
    to_folder(dir.path(), &to).unwrap();
    let before = tree(&to);
    grow(&mut ledger, 1_000);
    let whole = to.with_file_name("whole");
    to_folder(dir.path(), &whole).unwrap();
    let new: Vec<(PathBuf, Vec<u8>)> = tree(&whole)
        .into_iter()
        .filter(|(name, bytes)| {
            name.extension().is_some_and(|ending| ending == "seg")
                && before.get(name) != Some(bytes)
        })
        .collect();
    assert!(new.len() > 2, "{}", new.len());
    for named in 0..=new.len() {
        let cut = to.with_file_name(format!("cut-{named}"));
        for (name, bytes) in &before {
            std::fs::create_dir_all(cut.join(name).parent().unwrap()).unwrap();
            std::fs::write(cut.join(name), bytes).unwrap();
        }
        for (at, (name, bytes)) in new.iter().enumerate() {
            let staged = format!("{}.tmp", name.display());
            let name = if at < named {
                name.into()
            } else {
                PathBuf::from(staged)
            };
            std::fs::write(cut.join(name), bytes).unwrap();
        }
        let size = Reader::open(&cut).unwrap().size();
        assert!((700..=1_000).contains(&size));
        assert_whole(&cut, size);
        let restored = to.with_file_name(format!("restored-{named}"));
        let done = restore(&cut, &restored, &|_| {}, &|_, _| {}).unwrap();
        assert_eq!(done.size, size);
        let mut opened = Ledger::open(&restored, edge()).unwrap();
        opened.append(vec![sign_in(9_000)]).unwrap();
        to_folder(dir.path(), &cut).unwrap();
        assert_whole(&cut, 1_000);
    }
}

#[test]
fn damage_in_the_ledger_is_not_copied_over_a_good_backup() {
    let (dir, mut ledger, to) = scene();
    to_folder(dir.path(), &to).unwrap();
    let before = tree(&to);
    grow(&mut ledger, 1_300);
    drop(ledger);
    let segments: Vec<PathBuf> = tree(dir.path())
        .into_keys()
        .filter(|name| name.extension().is_some_and(|ending| ending == "seg"))
        .filter(|name| !before.contains_key(name))
        .collect();
    assert!(segments.len() > 2);
    for name in &segments[..segments.len() - 1] {
        let path = dir.path().join(name);
        let good = std::fs::read(&path).unwrap();
        for at in [20, 5_000, good.len() - 3] {
            let mut bad = good.clone();
            bad[at] ^= 0x20;
            std::fs::write(&path, &bad).unwrap();
            let archive = to.with_file_name("damaged.tar");
            assert!(to_archive(dir.path(), &archive).is_err(), "byte {at}");
            assert!(!archive.exists());
            to_folder(dir.path(), &to).unwrap_err();
            assert_whole(&to, 700);
        }
        std::fs::write(&path, &good).unwrap();
    }
    assert_eq!(to_folder(dir.path(), &to).unwrap().size, 1_300);
}

#[test]
fn a_damaged_backup_is_said_to_be_one() {
    let (dir, mut ledger, to) = scene();
    to_folder(dir.path(), &to).unwrap();
    let tail = tree(&to)
        .into_keys()
        .rfind(|name| name.extension().is_some_and(|ending| ending == "seg"))
        .unwrap();
    let mut bytes = std::fs::read(to.join(&tail)).unwrap();
    bytes[120] ^= 1;
    std::fs::write(to.join(&tail), &bytes).unwrap();
    grow(&mut ledger, 705);
    assert!(matches!(
        to_folder(dir.path(), &to),
        Err(BackupError::Target { .. })
    ));
}

#[test]
fn two_backups_to_one_folder_do_not_mix() {
    let (dir, _ledger, to) = scene();
    to_folder(dir.path(), &to).unwrap();
    let held = Ledger::open_with(&to, edge(), SMALL).unwrap();
    assert!(matches!(
        to_folder(dir.path(), &to),
        Err(BackupError::Busy { holder, .. }) if holder.pid == Some(std::process::id())
    ));
    drop(held);
    to_folder(dir.path(), &to).unwrap();
}
