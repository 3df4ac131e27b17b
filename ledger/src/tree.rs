//! The RFC 6962 Merkle tree over entries: the one proof that an entry is in the ledger and that
//! the ledger only grew.
//!
//! Leaves are SHA-256(0x00 || entry), nodes SHA-256(0x01 || left || right), the empty tree is
//! SHA-256 of nothing (RFC 9162, section 2.1.1). Each entry carries the chain value of the one
//! before, so a root binds the BLAKE3 chain too. Pure: hashes come in and go out.

mod frontier;
mod proof;
mod tile;

use sha2::{Digest as _, Sha256};

pub use frontier::Frontier;
pub use proof::{
    Hashes, ProofError, consistency, inclusion, root, verify_consistency, verify_inclusion,
};
pub use tile::{Tile, TilePathError, WIDTH};

/// A hash of the tree.
pub type TreeHash = [u8; 32];

/// The root of the tree without leaves.
pub fn empty_root() -> TreeHash {
    Sha256::digest([]).into()
}

/// The hash of a leaf.
pub fn leaf_hash(entry: &[u8]) -> TreeHash {
    let mut hasher = Sha256::new();
    hasher.update([0]);
    hasher.update(entry);
    hasher.finalize().into()
}

/// The hash of a node over its children.
pub fn node_hash(left: &TreeHash, right: &TreeHash) -> TreeHash {
    let mut bytes = [1; 65];
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    Sha256::digest(bytes).into()
}

/// The root over hashes of perfect subtrees of one height, by splitting at the largest power of
/// two below their number. `None` without hashes.
pub(crate) fn root_of(hashes: &[TreeHash]) -> Option<TreeHash> {
    match hashes {
        [] => None,
        [one] => Some(*one),
        _ => {
            let (left, right) = hashes.split_at(split_point(hashes.len()));
            Some(node_hash(&root_of(left)?, &root_of(right)?))
        }
    }
}

/// The largest power of two below a number of at least 2.
fn split_point(length: usize) -> usize {
    length.next_power_of_two() / 2
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::hash::hex;

    /// Leaves that differ by number.
    pub(crate) fn leaves(count: u64) -> Vec<TreeHash> {
        (0..count).map(|n| leaf_hash(&n.to_be_bytes())).collect()
    }

    /// Known answers of RFC 6962 implementations (`HashLeaf`, `HashChildren`).
    #[test]
    fn hashes_are_those_of_rfc_6962() {
        let begins = |hash: TreeHash, wanted: &str| assert!(hex(&hash).starts_with(wanted));
        begins(empty_root(), "e3b0c442");
        begins(leaf_hash(b""), "6e340b9c");
        begins(leaf_hash(b"L123456"), "395aa064");
        // node_hash takes whole hashes, so its oracle is the definition
        let (left, right) = (leaf_hash(b"l"), leaf_hash(b"r"));
        let defined = Sha256::digest([&[1], left.as_slice(), &right].concat());
        assert_eq!(node_hash(&left, &right).as_slice(), defined.as_slice());
    }
}
