//! The tree beside the segments: the same hashes, whatever happened to its files.

use std::path::Path;

use ledger::tree::{Frontier, Tile, TreeHash, leaf_hash, verify_consistency, verify_inclusion};
use ledger::{AppendError, Event, Ledger, OpenError, Reader, TileError, verify};

use super::book::{SMALL, create, edge, sign_in};

fn sign_ins(count: u32) -> Vec<Event> {
    (0..count).map(sign_in).collect()
}

/// Leaves of a ledger, read one by one.
fn leaves(dir: &Path) -> Vec<TreeHash> {
    let reader = Reader::open(dir).unwrap();
    (0..reader.size())
        .map(|position| leaf_hash(&reader.get_stored(position).unwrap().unwrap().entry))
        .collect()
}

fn root_of(leaves: &[TreeHash]) -> TreeHash {
    let mut frontier = Frontier::new();
    for leaf in leaves {
        frontier
            .push(*leaf, |_, _| Ok::<(), std::convert::Infallible>(()))
            .unwrap();
    }
    frontier.root()
}

fn grown(dir: &Path, events: u32) -> Vec<TreeHash> {
    let mut ledger = create(dir, SMALL);
    for (at, batch) in sign_ins(events).chunks(97).enumerate() {
        ledger.append(batch.to_vec()).unwrap();
        assert_eq!(
            ledger.size(),
            1 + u64::try_from(at * 97 + batch.len()).unwrap()
        );
    }
    let leaves = leaves(dir);
    assert_eq!(ledger.root(), root_of(&leaves));
    leaves
}

#[test]
fn roots_and_proofs_are_those_of_the_entries_at_every_size() {
    let dir = tempfile::tempdir().unwrap();
    let leaves = grown(dir.path(), 600);
    assert!(dir.path().join("tile/0/001").exists() && !dir.path().join("tile/0/002").exists());
    let reader = Reader::open(dir.path()).unwrap();
    let tree = reader.tree();
    let size = reader.size();
    let root = tree.root(size).unwrap();
    for old in [1, 2, 255, 256, 257, 511, 512, 513, 600, size] {
        let old_root = tree.root(old).unwrap();
        assert_eq!(old_root, root_of(&leaves[..usize::try_from(old).unwrap()]));
        let proof = tree.consistency(old, size).unwrap().unwrap();
        verify_consistency(old, size, &old_root, &root, &proof).unwrap();
    }
    for (position, leaf) in (0..).zip(&leaves) {
        let proof = tree.inclusion(position, size).unwrap().unwrap();
        verify_inclusion(position, size, leaf, &proof, &root).unwrap();
    }
    assert_eq!(tree.inclusion(size, size).unwrap(), None);
    let edge = Tile {
        level: 0,
        index: 2,
        width: 89,
    };
    assert_eq!(tree.tile(edge).unwrap(), leaves[512..]);
}

#[test]
fn missing_and_torn_tiles_are_made_again_when_the_ledger_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let leaves = grown(dir.path(), 1_100);
    let tiles: Vec<_> = (0..4)
        .map(|index| dir.path().join(Tile::full(0, index).path()))
        .collect();
    let kept: Vec<_> = tiles
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    let torn = |path: &Path, bytes: &[u8]| std::fs::write(path, bytes).unwrap();
    torn(&tiles[0], b"");
    torn(&tiles[1], &kept[1][..8_000]);
    torn(&tiles[2], &[0; 8_192]);
    std::fs::remove_file(&tiles[3]).unwrap();
    // a reader needs none of them
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.tree().root(reader.size()).unwrap(), root_of(&leaves));
    let ledger = Ledger::open_with(dir.path(), edge(), SMALL).unwrap();
    assert_eq!(ledger.root(), root_of(&leaves));
    drop(ledger);
    for (path, kept) in tiles.iter().zip(&kept) {
        assert_eq!(std::fs::read(path).unwrap(), *kept);
    }
    std::fs::remove_dir_all(dir.path().join("tile")).unwrap();
    let ledger = Ledger::open_with(dir.path(), edge(), SMALL).unwrap();
    assert_eq!(ledger.root(), root_of(&leaves));
    for (path, kept) in tiles.iter().zip(&kept) {
        assert_eq!(std::fs::read(path).unwrap(), *kept);
    }
    assert!(verify(dir.path(), &|_, _| {}).unwrap().is_clean());
}

#[test]
fn segments_older_than_the_tiles_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(create(dir.path(), SMALL));
    let copy = tempfile::tempdir().unwrap();
    let other = copy.path().join("tile");
    grown(&copy.path().join("other"), 600);
    std::fs::rename(copy.path().join("other/tile"), &other).unwrap();
    std::fs::rename(&other, dir.path().join("tile")).unwrap();
    assert!(matches!(
        Ledger::open_with(dir.path(), edge(), SMALL),
        Err(OpenError::Tiles(TileError::Ahead { size: 1, .. }))
    ));
}

#[test]
fn a_tile_of_other_entries_is_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = create(dir.path(), SMALL);
    let tile = dir.path().join("tile/0/000");
    std::fs::create_dir_all(tile.parent().unwrap()).unwrap();
    std::fs::write(&tile, [7; 8_192]).unwrap();
    let appended = ledger.append(sign_ins(300));
    assert!(matches!(
        appended,
        Err(AppendError::Tiles(TileError::Foreign { .. }))
    ));
    assert!(
        ledger.append(sign_ins(1)).is_err(),
        "nothing more is written"
    );
    assert_eq!(std::fs::read(&tile).unwrap(), [7; 8_192]);
}
