//! A log that grew, and all that can be asked of it.

use std::convert::Infallible;

use ledger::checkpoint::Checkpoint;
use ledger::note::{Note, SigningKey};
use ledger::tree::{Hashes, TreeHash, consistency, empty_root, leaf_hash, node_hash};

pub(crate) const ORIGIN: &str = "ledger.example/t/acme";

/// The key of the log.
pub(crate) fn log() -> SigningKey {
    SigningKey::new(ORIGIN, &[1; 32]).unwrap()
}

/// Hashes of all leaves.
pub(crate) struct Grown(pub(crate) Vec<TreeHash>);

impl Grown {
    /// A log of `size` entries; another `seed` is another history.
    pub(crate) fn new(seed: u8, size: u64) -> Self {
        let leaf = |number: u64| leaf_hash(&[&[seed], number.to_be_bytes().as_slice()].concat());
        Self((0..size).map(leaf).collect())
    }

    pub(crate) fn size(&self) -> u64 {
        self.0.len().try_into().unwrap()
    }

    /// Signed by the log.
    pub(crate) fn checkpoint(&self) -> Note {
        let checkpoint = Checkpoint {
            origin: ORIGIN.to_owned(),
            size: self.size(),
            root: root(&self.0),
        };
        checkpoint.sign(&log()).unwrap()
    }

    pub(crate) fn prove(&self, old: u64) -> Result<Vec<TreeHash>, Infallible> {
        Ok(consistency(self, old, self.size())?.unwrap())
    }
}

impl Hashes for Grown {
    type Error = Infallible;

    fn subtree(&self, height: u8, index: u64) -> Result<TreeHash, Infallible> {
        let start = usize::try_from(index << height).unwrap();
        Ok(root(&self.0[start..start + (1 << height)]))
    }
}

/// The definition of RFC 9162, section 2.1.1.
pub(crate) fn root(leaves: &[TreeHash]) -> TreeHash {
    match leaves {
        [] => empty_root(),
        [one] => *one,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            node_hash(&root(left), &root(right))
        }
    }
}
