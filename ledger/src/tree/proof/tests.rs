use std::convert::Infallible;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;
use crate::tree::tests::leaves;
use crate::tree::{empty_root, root_of};

/// All leaves at hand.
struct Held(Vec<TreeHash>);

impl Hashes for Held {
    type Error = Infallible;

    fn subtree(&self, height: u8, index: u64) -> Result<TreeHash, Infallible> {
        let width = 1_usize << height;
        let start = usize::try_from(index).unwrap() * width;
        Ok(root_of(&self.0[start..start + width]).unwrap())
    }
}

fn root(leaves: &[TreeHash]) -> TreeHash {
    root_of(leaves).unwrap_or_else(empty_root)
}

/// RFC 9162, 2.1.3.1, word for word.
fn path(m: usize, d: &[TreeHash]) -> Vec<TreeHash> {
    if d.len() == 1 {
        return Vec::new();
    }
    let k = d.len().next_power_of_two() / 2;
    if m < k {
        let mut proof = path(m, &d[..k]);
        proof.push(root(&d[k..]));
        proof
    } else {
        let mut proof = path(m - k, &d[k..]);
        proof.push(root(&d[..k]));
        proof
    }
}

/// RFC 9162, 2.1.4.1, word for word.
fn subproof(m: usize, d: &[TreeHash], known: bool) -> Vec<TreeHash> {
    if m == d.len() {
        return if known { Vec::new() } else { vec![root(d)] };
    }
    let k = d.len().next_power_of_two() / 2;
    if m <= k {
        let mut proof = subproof(m, &d[..k], known);
        proof.push(root(&d[k..]));
        proof
    } else {
        let mut proof = subproof(m - k, &d[k..], false);
        proof.push(root(&d[..k]));
        proof
    }
}

const SIZE_MAX: usize = 128;

#[test]
fn every_leaf_of_every_tree_is_proven_as_the_rfc_says() {
    let held = Held(leaves(SIZE_MAX as u64));
    for size in 1..=SIZE_MAX {
        let tree = &held.0[..size];
        for leaf in 0..size {
            let proof = inclusion(&held, leaf as u64, size as u64).unwrap().unwrap();
            assert_eq!(proof, path(leaf, tree), "{leaf} of {size}");
            verify_inclusion(leaf as u64, size as u64, &tree[leaf], &proof, &root(tree)).unwrap();
        }
        assert_eq!(inclusion(&held, size as u64, size as u64).unwrap(), None);
    }
}

#[test]
fn every_earlier_tree_is_proven_as_the_rfc_says() {
    let held = Held(leaves(SIZE_MAX as u64));
    for new in 1..=SIZE_MAX {
        let tree = &held.0[..new];
        for old in 1..=new {
            let proof = consistency(&held, old as u64, new as u64).unwrap().unwrap();
            assert_eq!(proof, subproof(old, tree, true), "{old} of {new}");
            let roots = (root(&tree[..old]), root(tree));
            verify_consistency(old as u64, new as u64, &roots.0, &roots.1, &proof).unwrap();
        }
    }
    assert_eq!(consistency(&held, 0, 5).unwrap(), None);
    assert_eq!(consistency(&held, 6, 5).unwrap(), None);
    verify_consistency(0, 5, &empty_root(), &root(&held.0[..5]), &[]).unwrap();
}

#[test]
fn a_flipped_bit_a_hash_more_or_less_or_another_number_is_refused() {
    let held = Held(leaves(SIZE_MAX as u64));
    for size in [1_u64, 2, 3, 7, 8, 64, 100, 128] {
        let tree = &held.0[..usize::try_from(size).unwrap()];
        let root = root(tree);
        for leaf in 0..size {
            let hash = &tree[usize::try_from(leaf).unwrap()];
            let proof = inclusion(&held, leaf, size).unwrap().unwrap();
            let refused =
                |proof: &[TreeHash]| verify_inclusion(leaf, size, hash, proof, &root).is_err();
            for index in 0..proof.len() {
                for bit in 0..256 {
                    let mut changed = proof.clone();
                    changed[index][bit / 8] ^= 1 << (bit % 8);
                    assert!(refused(&changed));
                }
            }
            assert!(refused(&[proof.as_slice(), &[root]].concat()));
            assert!(proof.is_empty() || refused(&proof[1..]));
            assert!(verify_inclusion(size, size, hash, &proof, &root).is_err());
            for other in (0..size).filter(|other| *other != leaf) {
                assert!(verify_inclusion(other, size, hash, &proof, &root).is_err());
            }
        }
    }
}

#[test]
fn numbers_at_the_end_of_the_range_do_not_overflow() {
    let hash = [7; 32];
    for size in [u64::MAX, u64::MAX - 1, 1 << 63] {
        for leaf in [0, 1, size - 1, size / 2] {
            assert!(verify_inclusion(leaf, size, &hash, &[], &hash).is_err());
            assert!(verify_inclusion(leaf, size, &hash, &[hash; 64], &hash).is_err());
            assert!(verify_consistency(leaf + 1, size, &hash, &[8; 32], &[hash; 63]).is_err());
        }
    }
}

/// A folder of the shared test data, when this machine has it.
#[expect(clippy::print_stdout, reason = "says that the vectors are absent")]
fn shared(name: &str) -> Option<PathBuf> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared").join(name))
        .find(|folder| folder.exists());
    if found.is_none() {
        println!("shared/{name} is absent: vectors not checked");
    }
    found
}

fn files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            found.push(path);
        }
    }
}

fn base64(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bytes = Vec::new();
    let (mut held, mut bits) = (0_u32, 0);
    for digit in text.bytes().filter(|byte| *byte != b'=') {
        let value = DIGITS.iter().position(|known| *known == digit).unwrap();
        held = (held << 6) | u32::try_from(value).unwrap();
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((held >> bits & 0xff) as u8);
        }
    }
    bytes
}

/// A hash, or `None` when it has not 32 bytes: then the proof must be refused before it is read.
fn hash(value: &Value) -> Option<TreeHash> {
    base64(value.as_str().unwrap_or("")).try_into().ok()
}

fn proof(value: &Value) -> Option<Vec<TreeHash>> {
    value
        .as_array()
        .map_or(Some(Vec::new()), |proof| proof.iter().map(hash).collect())
}

/// Vectors whose "hashes" are not 32 bytes long, yet are meant to hold.
const NOT_HASHES: [&str; 1] = ["sizes-are-equal-one-and-proof-is-empty.json"];

fn check(folder: &str, verdict: impl Fn(&Value) -> bool) {
    let Some(folder) = shared(&format!("vectors/tlog/merkle-proofs/{folder}")) else {
        return;
    };
    let mut found = Vec::new();
    files(&folder, &mut found);
    assert!(found.len() > 90);
    for path in found {
        let vector: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap();
        if NOT_HASHES.contains(&name) {
            assert!(!verdict(&vector));
            continue;
        }
        let wanted = vector["wantErr"].as_bool() != Some(true);
        assert_eq!(verdict(&vector), wanted, "{}", path.display());
    }
}

#[test]
fn inclusion_vectors_hold_or_are_refused_as_they_say() {
    check("inclusion", |vector| {
        let (Some(leaf), Some(root), Some(proof)) = (
            hash(&vector["leafHash"]),
            hash(&vector["root"]),
            proof(&vector["proof"]),
        ) else {
            return false;
        };
        let index = vector["leafIdx"].as_u64().unwrap();
        let size = vector["treeSize"].as_u64().unwrap();
        verify_inclusion(index, size, &leaf, &proof, &root).is_ok()
    });
}

#[test]
fn consistency_vectors_hold_or_are_refused_as_they_say() {
    check("consistency", |vector| {
        let (Some(root1), Some(root2), Some(proof)) = (
            hash(&vector["root1"]),
            hash(&vector["root2"]),
            proof(&vector["proof"]),
        ) else {
            return false;
        };
        let old = vector["size1"].as_u64().unwrap();
        let new = vector["size2"].as_u64().unwrap();
        verify_consistency(old, new, &root1, &root2, &proof).is_ok()
    });
}
