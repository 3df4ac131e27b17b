//! Appends that were cut short, and checkpoints that were put back.

use super::*;

#[test]
fn an_older_checkpoint_that_is_put_back_is_noticed() {
    for (first, second) in [(3_u64, 2_u64), (3, 253), (256, 1), (256, 256), (300, 100)] {
        let dir = tempfile::tempdir().unwrap();
        let mut log = create(dir.path());
        let mut next = 0;
        for count in [first, second] {
            for part in [count.min(256), count.saturating_sub(256)] {
                log.append(&statements(next, part)).unwrap();
                next += part;
            }
            if next == first {
                let old = std::fs::read(dir.path().join("checkpoint")).unwrap();
                std::fs::write(dir.path().join("older"), old).unwrap();
            }
        }
        drop(log);
        std::fs::rename(dir.path().join("older"), dir.path().join("checkpoint")).unwrap();
        let refused = reopen(dir.path());
        assert!(
            // the partial tiles of the older size may be gone, too
            matches!(
                refused,
                Err(OpenError::Ahead { .. } | OpenError::Missing { .. })
            ),
            "{first} and {second}: {refused:?}"
        );
    }
}

/// A log of `before` leaves, one of `after` more, and what is pending between the two.
fn interrupted(before: u64, after: u64) -> (Files, Files, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    let mut log = create(dir.path());
    log.append(&statements(0, before)).unwrap();
    let first = files(dir.path());
    // the checkpoint cannot be written
    let obstacle = dir.path().join("checkpoint.tmp");
    std::fs::create_dir(&obstacle).unwrap();
    let failed = log.append(&statements(before, after));
    assert!(matches!(failed, Err(AppendError::Folder(_))));
    assert!(matches!(log.append(&[]), Err(AppendError::Broken)));
    // what is read is still what was signed
    assert_eq!(log.size(), before);
    let pending = std::fs::read(dir.path().join("pending")).unwrap();
    drop(log);
    std::fs::remove_dir(&obstacle).unwrap();
    let log = reopen(dir.path()).unwrap();
    assert_eq!(log.size(), before + after);
    drop(log);
    (first, files(dir.path()), pending)
}

type Files = BTreeMap<String, Vec<u8>>;

fn laid_out(files: &Files) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), files);
    dir
}

#[test]
fn an_append_that_was_cut_short_anywhere_is_completed() {
    for (before, after) in [(0, 1), (3, 2), (200, 100), (255, 1), (100, 256)] {
        let (first, last, pending) = interrupted(before, after);
        // nothing but a part of the pending file: nothing happened
        let mut state = first.clone();
        state.insert("pending.tmp".to_owned(), pending[..9].to_vec());
        let dir = laid_out(&state);
        assert_eq!(reopen(dir.path()).unwrap().size(), before);
        // in the order they are written, any number of files made it
        let is_new = |path: &&String| first.get(*path) != last.get(*path);
        let (entries, tiles): (Vec<&String>, Vec<&String>) = last
            .keys()
            .filter(is_new)
            .filter(|path| *path != "checkpoint")
            .partition(|path| path.contains("entries"));
        state.insert("pending".to_owned(), pending.clone());
        for path in entries.into_iter().chain(tiles) {
            let dir = laid_out(&state);
            assert_eq!(reopen(dir.path()).unwrap().size(), before + after);
            state.insert(path.clone(), last[path].clone());
        }
        for path in ["checkpoint", "checkpoint.tmp"] {
            let dir = laid_out(&state);
            assert_eq!(reopen(dir.path()).unwrap().size(), before + after);
            state.insert(path.to_owned(), last["checkpoint"].clone());
        }
        // everything but the removal of the pending file
        let dir = laid_out(&state);
        let mut log = reopen(dir.path()).unwrap();
        assert_eq!(log.note().to_string().into_bytes(), last["checkpoint"]);
        assert!(!dir.path().join("pending").exists());
        log.append(&statements(before + after, 3)).unwrap();
    }
}

#[test]
fn leaves_that_do_not_follow_the_checkpoint_are_not_completed() {
    let (first, last, pending) = interrupted(3, 2);
    let (_, _, later) = interrupted(5, 2);
    let refused = |files: &Files, pending: &[u8]| {
        let dir = laid_out(files);
        std::fs::write(dir.path().join("pending"), pending).unwrap();
        assert!(matches!(
            reopen(dir.path()),
            Err(OpenError::Pending { size: 3 })
        ));
    };
    refused(&first, &later);
    refused(&first, &pending[..pending.len() - 1]);
    refused(&first, b"");
    let mut changed = pending.clone();
    changed[40] ^= 1;
    refused(&first, &changed);
    // both put back by someone: the tiles beyond tell
    let (_, beyond, _) = interrupted(5, 2);
    let mut mixed = beyond;
    for path in ["checkpoint", "tile/0/000.p/3", "tile/entries/000.p/3"] {
        mixed.insert(path.to_owned(), first[path].clone());
    }
    mixed.insert("pending".to_owned(), pending);
    assert!(last.contains_key("tile/0/000.p/5"));
    let dir = laid_out(&mixed);
    assert!(matches!(
        reopen(dir.path()),
        Err(OpenError::Ahead { size: 5, .. })
    ));
}

#[test]
fn a_tile_with_other_bytes_is_never_overwritten() {
    for path in ["tile/0/000.p/2", "tile/entries/000.p/2"] {
        let dir = tempfile::tempdir().unwrap();
        let mut log = create(dir.path());
        log.append(&statements(0, 1)).unwrap();
        std::fs::write(dir.path().join(path), "other").unwrap();
        let refused = log.append(&statements(1, 1));
        assert!(matches!(
            refused,
            Err(AppendError::Folder(FolderError::Foreign { .. }))
        ));
        assert_eq!(std::fs::read(dir.path().join(path)).unwrap(), b"other");
        assert_eq!(log.size(), 1);
        drop(log);
        assert!(matches!(
            reopen(dir.path()),
            Err(OpenError::Folder(FolderError::Foreign { .. }))
        ));
    }
}
