//! Proofs: that a leaf is in a tree, and that a tree is the beginning of another (RFC 9162,
//! sections 2.1.3 and 2.1.4).

use super::{TreeHash, empty_root, node_hash};

/// Hashes in a proof of a tree of 2^64 leaves; a longer one is refused unread.
const LENGTH_MAX: usize = 64;

/// Where the hashes of perfect subtrees come from.
pub trait Hashes {
    /// Why a hash cannot be had.
    type Error;

    /// The root of the perfect subtree of 2^height leaves at an index among those of its height.
    ///
    /// # Errors
    /// When it cannot be had.
    fn subtree(&self, height: u8, index: u64) -> Result<TreeHash, Self::Error>;
}

/// Why a proof does not hold. Listed in the order the causes are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Index and sizes do not belong together.
    #[error("no such leaf or sizes: {from} of {size}")]
    Sizes {
        /// Index of the leaf, or the smaller size.
        from: u64,
        /// Size of the tree.
        size: u64,
    },
    /// The proof has not the number of hashes that index and sizes ask for.
    #[error("the proof has {found} hashes, not {wanted}")]
    Length {
        /// Hashes in the proof.
        found: usize,
        /// Hashes wanted.
        wanted: usize,
    },
    /// The hashes do not lead to the root.
    #[error("the proof leads to another root")]
    Root,
}

/// The root of the tree of some size.
///
/// # Errors
/// When a hash cannot be had.
pub fn root<H: Hashes>(hashes: &H, size: u64) -> Result<TreeHash, H::Error> {
    if size == 0 {
        return Ok(empty_root());
    }
    range(hashes, 0, size)
}

/// The proof that a leaf is in a tree of some size. `None` when the tree has no such leaf.
///
/// # Errors
/// When a hash cannot be had.
pub fn inclusion<H: Hashes>(
    hashes: &H,
    leaf: u64,
    size: u64,
) -> Result<Option<Vec<TreeHash>>, H::Error> {
    if leaf >= size {
        return Ok(None);
    }
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if leaf < middle {
            proof.push(range(hashes, middle, end)?);
            end = middle;
        } else {
            proof.push(range(hashes, start, middle)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(Some(proof))
}

/// The proof that a tree is the beginning of a larger one. `None` when it is larger itself, or
/// empty, of which everything is an extension.
///
/// # Errors
/// When a hash cannot be had.
pub fn consistency<H: Hashes>(
    hashes: &H,
    old: u64,
    new: u64,
) -> Result<Option<Vec<TreeHash>>, H::Error> {
    if old > new || old == 0 {
        return Ok(None);
    }
    let mut proof = Vec::new();
    let (mut start, mut end) = (0, new);
    // the old tree ends inside start..end, or at its end; a left part of it is known to its holder
    while old != end {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(range(hashes, middle, end)?);
            end = middle;
        } else {
            proof.push(range(hashes, start, middle)?);
            start = middle;
        }
    }
    if start != 0 {
        proof.push(range(hashes, start, end)?);
    }
    proof.reverse();
    Ok(Some(proof))
}

/// The root over the leaves of a range that begins at a multiple of the power of two not below its
/// length, as every range of a proof does.
fn range<H: Hashes>(hashes: &H, start: u64, end: u64) -> Result<TreeHash, H::Error> {
    let mut parts = Vec::new();
    let mut at = start;
    while at < end {
        let length = end - at;
        // the largest perfect subtree that fits; `start` is a multiple of it
        let height = u8::try_from(length.ilog2()).unwrap_or(63);
        parts.push(hashes.subtree(height, at >> height)?);
        at += 1 << height;
    }
    let mut root: Option<TreeHash> = None;
    for left in parts.iter().rev() {
        root = Some(root.map_or(*left, |right| node_hash(left, &right)));
    }
    // a proof never asks for an empty range
    Ok(root.unwrap_or_default())
}

/// The largest power of two below a number of at least 2.
fn split(length: u64) -> u64 {
    1 << (length - 1).ilog2()
}

/// Checks that a leaf is in a tree.
///
/// # Errors
/// [`ProofError`].
pub fn verify_inclusion(
    leaf: u64,
    size: u64,
    hash: &TreeHash,
    proof: &[TreeHash],
    root: &TreeHash,
) -> Result<(), ProofError> {
    if leaf >= size {
        return Err(ProofError::Sizes { from: leaf, size });
    }
    let (inner, border) = lengths(leaf, size);
    expect_length(proof, inner + border)?;
    let (inner, border) = proof.split_at(inner);
    let mut found = chain_inner(*hash, inner, leaf);
    for left in border {
        found = node_hash(left, &found);
    }
    (found == *root).then_some(()).ok_or(ProofError::Root)
}

/// Checks that a tree is the beginning of a larger one. An empty tree is the beginning of every
/// tree, with an empty proof.
///
/// # Errors
/// [`ProofError`].
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &TreeHash,
    new_root: &TreeHash,
    proof: &[TreeHash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Sizes {
            from: old,
            size: new,
        });
    }
    if old == new || old == 0 {
        expect_length(proof, 0)?;
        let holds = old == 0 || old_root == new_root;
        return holds.then_some(()).ok_or(ProofError::Root);
    }
    let (inner, border) = lengths(old - 1, new);
    let shift = usize::try_from(old.trailing_zeros()).unwrap_or(0);
    let inner = inner.saturating_sub(shift);
    let is_perfect = old.is_power_of_two();
    let wanted = inner + border + usize::from(!is_perfect);
    expect_length(proof, wanted)?;
    let (seed, rest) = match proof.split_first() {
        Some((first, rest)) if !is_perfect => (*first, rest),
        _ => (*old_root, proof),
    };
    let (inner, border) = rest.split_at(inner);
    let path = (old - 1) >> shift;
    let mut of_old = chain_inner_right(seed, inner, path);
    let mut of_new = chain_inner(seed, inner, path);
    for left in border {
        of_old = node_hash(left, &of_old);
        of_new = node_hash(left, &of_new);
    }
    let holds = of_old == *old_root && of_new == *new_root;
    holds.then_some(()).ok_or(ProofError::Root)
}

fn expect_length(proof: &[TreeHash], wanted: usize) -> Result<(), ProofError> {
    let found = proof.len();
    if found == wanted && found <= LENGTH_MAX {
        Ok(())
    } else {
        Err(ProofError::Length { found, wanted })
    }
}

/// How many hashes of an inclusion proof are below the point where leaf and edge of the tree part,
/// and how many above: there only left brothers are left.
fn lengths(leaf: u64, size: u64) -> (usize, usize) {
    let inner = u64::BITS - (leaf ^ (size - 1)).leading_zeros();
    let border = leaf.checked_shr(inner).unwrap_or(0).count_ones();
    let count = |bits: u32| usize::try_from(bits).unwrap_or(LENGTH_MAX);
    (count(inner), count(border))
}

fn chain_inner(seed: TreeHash, proof: &[TreeHash], path: u64) -> TreeHash {
    proof.iter().zip(0..).fold(seed, |hash, (brother, bit)| {
        if (path >> bit) & 1 == 0 {
            node_hash(&hash, brother)
        } else {
            node_hash(brother, &hash)
        }
    })
}

fn chain_inner_right(seed: TreeHash, proof: &[TreeHash], path: u64) -> TreeHash {
    proof.iter().zip(0..).fold(seed, |hash, (brother, bit)| {
        if (path >> bit) & 1 == 0 {
            hash
        } else {
            node_hash(brother, &hash)
        }
    })
}

#[cfg(test)]
mod tests;
