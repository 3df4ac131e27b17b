//! Proofs: any numbers and hashes are accepted exactly when the steps of RFC 9162, taken as they
//! stand there, accept them.
//!
//! Input: one byte that says what is damaged, two numbers, then hashes. With numbers up to 64 the
//! proof is the true one of a small tree, damaged; random hashes alone would never be accepted.
#![no_main]

use std::convert::Infallible;

use ledger::tree::{
    Hashes, TreeHash, consistency, empty_root, inclusion, leaf_hash, node_hash, verify_consistency,
    verify_inclusion,
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((damage, rest)) = data.split_first() else {
        return;
    };
    let Some((from, rest)) = rest.split_first_chunk::<8>() else {
        return;
    };
    let Some((size, rest)) = rest.split_first_chunk::<8>() else {
        return;
    };
    let (from, size) = (u64::from_le_bytes(*from), u64::from_le_bytes(*size));
    let hashes: Vec<TreeHash> = rest
        .chunks_exact(32)
        .map(|hash| hash.try_into().expect("32"))
        .collect();
    let (one, two, proof) = match hashes.as_slice() {
        [one, two, proof @ ..] => (*one, *two, proof.to_vec()),
        _ => ([0; 32], [1; 32], hashes),
    };
    check(from, size, [one, two], &proof);
    if (1..=64).contains(&size) && from <= size {
        let (leaf, root, old) = (
            leaf_hash(&from.to_le_bytes()),
            subtree(0, size),
            subtree(0, from),
        );
        if let Ok(Some(mut proof)) = inclusion(&Leaves, from, size) {
            assert_eq!(verify_inclusion(from, size, &leaf, &proof, &root), Ok(()));
            spoil(*damage, &mut proof, rest);
            check(from, size, [leaf, root], &proof);
        }
        if let Ok(Some(mut proof)) = consistency(&Leaves, from, size) {
            assert_eq!(verify_consistency(from, size, &old, &root, &proof), Ok(()));
            spoil(*damage, &mut proof, rest);
            check(from, size, [old, root], &proof);
        }
    }
});

fn check(from: u64, size: u64, [one, two]: [TreeHash; 2], proof: &[TreeHash]) {
    let included = verify_inclusion(from, size, &one, proof, &two).is_ok();
    assert_eq!(included, includes(from, size, &one, proof, &two));
    // RFC 9162 asks for sizes in order and not zero; an empty tree begins every other
    if from > 0 && from < size {
        let consistent = verify_consistency(from, size, &one, &two, proof).is_ok();
        assert_eq!(consistent, grows(from, size, [&one, &two], proof));
    } else {
        let same = from == 0 || (from == size && one == two);
        let consistent = verify_consistency(from, size, &one, &two, proof).is_ok();
        assert_eq!(consistent, same && proof.is_empty());
    }
}

/// RFC 9162, section 2.1.3.2.
fn includes(leaf: u64, size: u64, hash: &TreeHash, proof: &[TreeHash], root: &TreeHash) -> bool {
    if leaf >= size {
        return false;
    }
    let (mut node, mut last, mut result) = (leaf, size - 1, *hash);
    for step in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            result = node_hash(step, &result);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            result = node_hash(&result, step);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && result == *root
}

/// RFC 9162, section 2.1.4.2.
fn grows(old: u64, new: u64, [first, second]: [&TreeHash; 2], proof: &[TreeHash]) -> bool {
    let mut path = proof.to_vec();
    if old.is_power_of_two() {
        path.insert(0, *first);
    }
    let (mut node, mut last) = (old - 1, new - 1);
    while node & 1 == 1 {
        node >>= 1;
        last >>= 1;
    }
    let Some((seed, rest)) = path.split_first() else {
        return false;
    };
    let (mut of_old, mut of_new) = (*seed, *seed);
    for step in rest {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            of_old = node_hash(step, &of_old);
            of_new = node_hash(step, &of_new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            of_new = node_hash(&of_new, step);
        }
        node >>= 1;
        last >>= 1;
    }
    of_old == *first && of_new == *second && last == 0
}

/// Cuts, lengthens, swaps or changes a proof, or leaves it.
fn spoil(damage: u8, proof: &mut Vec<TreeHash>, with: &[u8]) {
    let at = usize::from(damage >> 3) % proof.len().max(1);
    match damage & 7 {
        1 => drop(proof.pop()),
        2 => proof.push([damage; 32]),
        3 if !proof.is_empty() => proof.rotate_left(1),
        4 => proof.reverse(),
        5 => proof.insert(0, [damage; 32]),
        6 => {
            if let (Some(hash), Some(byte)) = (proof.get_mut(at), with.first()) {
                hash[usize::from(byte & 31)] ^= byte;
            }
        }
        _ => {}
    }
}

/// The tree whose leaf `n` is the hash of `n`.
struct Leaves;

impl Hashes for Leaves {
    type Error = Infallible;

    fn subtree(&self, height: u8, index: u64) -> Result<TreeHash, Infallible> {
        Ok(subtree(index << height, (index + 1) << height))
    }
}

/// The root over leaves (RFC 9162, section 2.1.1).
fn subtree(from: u64, to: u64) -> TreeHash {
    match to - from {
        0 => empty_root(),
        1 => leaf_hash(&from.to_le_bytes()),
        count => {
            let middle = from + count.next_power_of_two() / 2;
            node_hash(&subtree(from, middle), &subtree(middle, to))
        }
    }
}
