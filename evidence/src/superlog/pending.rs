//! The leaves of an append under way, kept until its checkpoint is written.

use super::edge::leaves;
use super::leaf::{LEAF_BYTES, Leaf};

/// Name of the file.
pub(super) const FILE: &str = "pending";

/// Most leaves of one append.
pub(super) const LEAVES_MAX: usize = 256;

/// What the file begins with.
const MAGIC: &[u8; 8] = b"LGSPEND1";

/// Longest file, in bytes: magic, size, leaves with their lengths, hash.
pub(super) const PENDING_BYTES_MAX: usize = 8 + 8 + LEAVES_MAX * (LEAF_BYTES + 2) + 32;

/// Leaves that follow those of a size.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pending {
    /// Size of the super-log before them.
    pub(super) size: u64,
    pub(super) leaves: Vec<Leaf>,
}

impl Pending {
    /// `LGSPEND1 || u64 size || (u16 length || leaf)... || BLAKE3 of all before`.
    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = [MAGIC.as_slice(), &self.size.to_be_bytes()].concat();
        for leaf in &self.leaves {
            let leaf = leaf.bytes();
            let length = u16::try_from(leaf.len()).unwrap_or(u16::MAX);
            bytes.extend(length.to_be_bytes());
            bytes.extend(leaf);
        }
        let hash = blake3::hash(&bytes);
        bytes.extend(hash.as_bytes());
        bytes
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let (content, hash) = bytes.split_last_chunk::<32>()?;
        if blake3::hash(content).as_bytes() != hash {
            return None;
        }
        let rest = content.strip_prefix(MAGIC)?;
        let (size, records) = rest.split_first_chunk::<8>()?;
        let count = u64::try_from(records.len() / (LEAF_BYTES + 2)).ok()?;
        Some(Self {
            size: u64::from_be_bytes(*size),
            leaves: leaves(records, count)?,
        })
    }
}
