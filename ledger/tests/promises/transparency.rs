//! Known answers of other logs: what they signed, we verify; what they hashed, we hash alike.

use std::convert::Infallible;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::checkpoint::Checkpoint;
use ledger::note::{KeyKind, Note, VerifierKey};
use ledger::tree::{
    Frontier, Hashes, Tile, TreeHash, consistency, empty_root, leaf_hash, node_hash,
    verify_consistency, verify_inclusion,
};
use serde_json::Value;

/// A folder of the shared test data, when this machine has it.
#[expect(clippy::print_stdout, reason = "says that the vectors are absent")]
fn shared(name: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/vectors/tlog").join(name))
        .find(|folder| folder.exists());
    if found.is_none() {
        println!("shared/vectors/tlog/{name} is absent: not checked");
    }
    found
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn hash(text: &str) -> TreeHash {
    STANDARD.decode(text).unwrap().try_into().unwrap()
}

/// Entries of a bundle: each behind its length as u16, big-endian (tlog-tiles, "Log Entries").
fn bundled(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut entries = Vec::new();
    let mut rest = bytes;
    while let Some((length, tail)) = rest.split_first_chunk::<2>() {
        let (entry, tail) = tail.split_at(usize::from(u16::from_be_bytes(*length)));
        entries.push(entry.to_vec());
        rest = tail;
    }
    entries
}

fn pushed(frontier: &mut Frontier, entry: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut tiles = Vec::new();
    frontier
        .push(leaf_hash(entry), |tile: Tile, hashes: &[TreeHash]| {
            tiles.push((tile.path(), hashes.concat()));
            Ok::<(), Infallible>(())
        })
        .unwrap();
    tiles
}

/// Leaves at hand, hashed up by the definition.
struct Leaves(Vec<TreeHash>);

impl Hashes for Leaves {
    type Error = Infallible;

    fn subtree(&self, height: u8, index: u64) -> Result<TreeHash, Infallible> {
        if height == 0 {
            return Ok(self.0[usize::try_from(index).unwrap()]);
        }
        let left = self.subtree(height - 1, index * 2)?;
        let right = self.subtree(height - 1, index * 2 + 1)?;
        Ok(node_hash(&left, &right))
    }
}

#[test]
fn a_golden_tile_log_is_verified_at_every_size() {
    let Some(log) = shared("tessera-golden-log/log") else {
        return;
    };
    let key: VerifierKey =
        "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"
            .parse()
            .unwrap();
    let entries = bundled(&std::fs::read(log.join("tile/entries/000.p/15")).unwrap());
    assert_eq!(entries.len(), 15);
    let mut frontier = Frontier::new();
    let mut leaves = Leaves(Vec::new());
    let mut roots = vec![empty_root()];
    for size in 0..=15_u64 {
        let bytes = text(&log.join(format!("checkpoint.{size}")));
        let note = Note::parse(bytes.as_bytes()).unwrap();
        assert_eq!(note.to_string(), bytes);
        note.verify(std::slice::from_ref(&key)).unwrap();
        let checkpoint = Checkpoint::parse(note.text()).unwrap();
        assert_eq!(checkpoint.size, size);
        assert_eq!(checkpoint.root, frontier.root(), "{size}");
        if size > 0 {
            let tile = Tile::holding(0, size - 1, size).unwrap();
            let stored = std::fs::read(log.join(tile.path())).unwrap();
            assert_eq!(stored, frontier.level(0).concat());
            for old in 1..size {
                let proof = consistency(&leaves, old, size).unwrap().unwrap();
                let old_root = &roots[usize::try_from(old).unwrap()];
                verify_consistency(old, size, old_root, &frontier.root(), &proof).unwrap();
            }
        }
        if let Some(entry) = entries.get(usize::try_from(size).unwrap()) {
            leaves.0.push(leaf_hash(entry));
            assert!(pushed(&mut frontier, entry).is_empty());
            roots.push(frontier.root());
        }
    }
}

#[test]
fn the_known_answers_of_the_entry_format_have_our_roots_tiles_and_signatures() {
    let Some(folder) = shared("lge1") else {
        return;
    };
    let answers: Value = serde_json::from_str(&text(&folder.join("lge1-vectors.json"))).unwrap();
    let log = folder.join("log");
    let mut entries = bundled(&std::fs::read(log.join("tile/entries/000")).unwrap());
    entries.extend(bundled(
        &std::fs::read(log.join("tile/entries/001.p/44")).unwrap(),
    ));
    assert_eq!(entries.len(), 300);
    let mut frontier = Frontier::new();
    let mut checked = 0;
    for (entry, size) in entries.iter().zip(1..) {
        for (path, bytes) in pushed(&mut frontier, entry) {
            assert_eq!(std::fs::read(log.join(&path)).unwrap(), bytes, "{path}");
        }
        if let Some(root) = answers["roots"][size.to_string()].as_str() {
            assert_eq!(frontier.root(), hash(root), "{size}");
            checked += 1;
        }
    }
    assert_eq!(checked, 9);
    let partial = std::fs::read(log.join("tile/0/001.p/44")).unwrap();
    assert_eq!(partial, frontier.level(0).concat());
    let keys: Vec<VerifierKey> = ["log.vkey", "witness.vkey"]
        .map(|name| text(&folder.join(name)).trim().parse().unwrap())
        .into();
    let bytes = text(&log.join("checkpoint"));
    let note = Note::parse(bytes.as_bytes()).unwrap();
    let signed = note.verify(&keys).unwrap();
    assert_eq!(signed.len(), 2);
    assert_eq!(signed[0].time, None);
    assert_eq!(signed[1].key.kind(), KeyKind::Cosignature);
    assert!(signed[1].time.is_some());
    let checkpoint = Checkpoint::parse(note.text()).unwrap();
    assert_eq!((checkpoint.size, checkpoint.root), (300, frontier.root()));
    let other = bytes.replace("\n300\n", "\n299\n");
    assert!(
        Note::parse(other.as_bytes())
            .unwrap()
            .verify(&keys)
            .is_err()
    );
}

#[test]
fn proofs_of_a_certificate_log_of_a_thousand_million_leaves_hold() {
    let Some(folder) = shared("ct-log-real") else {
        return;
    };
    let read = |name: &str| -> Value { serde_json::from_str(&text(&folder.join(name))).unwrap() };
    let hashes = |value: &Value| -> Vec<TreeHash> {
        let proof = value.as_array().unwrap();
        proof
            .iter()
            .map(|one| hash(one.as_str().unwrap()))
            .collect()
    };
    let head = read("get-sth");
    let size = head["tree_size"].as_u64().unwrap();
    let root = hash(head["sha256_root_hash"].as_str().unwrap());
    let entry = &read("get-entries-start-10000-end-10000")["entries"][0];
    let leaf = leaf_hash(
        &STANDARD
            .decode(entry["leaf_input"].as_str().unwrap())
            .unwrap(),
    );
    let answer = read(
        "get-proof-by-hash-tree-size-961984011-hash-nCs3mfIydh9x4CKyQ-2Bu2xtmpxmFggA5MLymHwNQSlLg-3D",
    );
    let proof = hashes(&answer["audit_path"]);
    verify_inclusion(10_000, size, &leaf, &proof, &root).unwrap();
    verify_inclusion(10_001, size, &leaf, &proof, &root).unwrap_err();
    let answer = read("get-sth-consistency-first-3654490-second-961984011");
    let proof = hashes(&answer["consistency"]);
    let old_root = hash("AuIZ5V6sDUj1vn3Y1K85oOaQ7y+FJJKtyRTl1edIKBQ=");
    verify_consistency(3_654_490, size, &old_root, &root, &proof).unwrap();
    verify_consistency(3_654_491, size, &old_root, &root, &proof).unwrap_err();
    verify_consistency(3_654_490, size, &root, &root, &proof).unwrap_err();
}
