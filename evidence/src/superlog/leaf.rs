//! What the super-log says of one tenant's ledger at one moment: 108 bytes, `LGS1`.

use ledger::checkpoint::Checkpoint;
use ledger::hash::{Hash, keyed};
use ledger::tree::{TreeHash, leaf_hash};
use zeroize::Zeroizing;

/// Bytes of a leaf.
pub const LEAF_BYTES: usize = 108;

/// What a leaf begins with.
const MAGIC: &[u8; 4] = b"LGS1";

/// Contexts of the domain keys, which are BLAKE3 `derive_key(context, "")`.
const CONTEXT_OPENING: &str = "daybook 2026-11 super-log opening v1";
const CONTEXT_ORIGIN: &str = "daybook 2026-11 super-log origin v1";
const CONTEXT_CHECK: &str = "daybook 2026-11 super-log check v1";

/// What a tenant's ledger says of itself: its checkpoint, and the chain value of its last entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Origin, size and root.
    pub checkpoint: Checkpoint,
    /// Chain value of the last entry below the size.
    pub chain_head: Hash,
}

/// A leaf of the super-log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leaf {
    /// The blinded origin: see [`Leaf::blinded`].
    pub origin: Hash,
    /// Size of the tenant's ledger.
    pub size: u64,
    /// Root of the tenant's ledger.
    pub root: TreeHash,
    /// Chain value of its last entry.
    pub chain_head: Hash,
}

/// Bytes that are no leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a leaf of a super-log: {LEAF_BYTES} bytes that begin with LGS1")]
pub struct LeafError;

impl Leaf {
    /// The leaf of a statement, blinded with the origin's opening.
    pub fn of(statement: &Statement, opening: &Hash) -> Self {
        let Statement {
            checkpoint,
            chain_head,
        } = statement;
        Self {
            origin: Self::blinded(opening, &checkpoint.origin),
            size: checkpoint.size,
            root: checkpoint.root,
            chain_head: *chain_head,
        }
    }

    /// How an origin stands in a leaf: `H(opening, K_ORIGIN || u32 length || origin)`. Who is shown
    /// the opening of an origin finds every leaf of it; to others it is noise.
    pub fn blinded(opening: &Hash, origin: &str) -> Hash {
        keyed(opening, &named(CONTEXT_ORIGIN, origin))
    }

    /// Whether this is the leaf of a statement.
    pub fn states(&self, statement: &Statement, opening: &Hash) -> bool {
        *self == Self::of(statement, opening)
    }

    /// `LGS1 || origin || u64 size || root || chain head`, big-endian.
    pub fn bytes(&self) -> [u8; LEAF_BYTES] {
        let size = self.size.to_be_bytes();
        let parts: [&[u8]; 5] = [MAGIC, &self.origin, &size, &self.root, &self.chain_head];
        let mut bytes = [0; LEAF_BYTES];
        for (to, from) in bytes.iter_mut().zip(parts.into_iter().flatten()) {
            *to = *from;
        }
        bytes
    }

    /// Reads a leaf.
    ///
    /// # Errors
    /// [`LeafError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, LeafError> {
        let (magic, rest) = bytes.split_first_chunk::<4>().ok_or(LeafError)?;
        let (origin, rest) = rest.split_first_chunk::<32>().ok_or(LeafError)?;
        let (size, rest) = rest.split_first_chunk::<8>().ok_or(LeafError)?;
        let (root, rest) = rest.split_first_chunk::<32>().ok_or(LeafError)?;
        let (chain_head, rest) = rest.split_first_chunk::<32>().ok_or(LeafError)?;
        (magic == MAGIC && rest.is_empty())
            .then_some(Self {
                origin: *origin,
                size: u64::from_be_bytes(*size),
                root: *root,
                chain_head: *chain_head,
            })
            .ok_or(LeafError)
    }

    /// Its hash in the super-log's tree.
    pub fn hash(&self) -> TreeHash {
        leaf_hash(&self.bytes())
    }
}

/// The secret that blinds the origins of a super-log. It is wiped when dropped and never shown.
pub struct Blind(Zeroizing<Hash>);

impl Blind {
    /// From 32 secret random bytes.
    pub fn new(secret: Zeroizing<Hash>) -> Self {
        Self(secret)
    }

    /// The opening of an origin: `H(blind, K_OPENING || u32 length || origin)`. It is shown to the
    /// tenant and to those the tenant shows it to, and tells nothing about other origins.
    pub fn opening(&self, origin: &str) -> Hash {
        keyed(&self.0, &named(CONTEXT_OPENING, origin))
    }

    /// What tells this secret from another without telling it: `H(blind, K_CHECK)`.
    pub(super) fn check(&self) -> Hash {
        keyed(&self.0, &blake3::derive_key(CONTEXT_CHECK, b""))
    }
}

impl std::fmt::Debug for Blind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Blind(..)")
    }
}

fn named(context: &str, origin: &str) -> Vec<u8> {
    let length = u32::try_from(origin.len()).unwrap_or(u32::MAX);
    let domain = blake3::derive_key(context, b"");
    [domain.as_slice(), &length.to_be_bytes(), origin.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::hash::hex;

    /// The keys of `docs/format.md`.
    #[test]
    fn domain_keys_are_those_of_the_format() {
        let of = |context| hex(&blake3::derive_key(context, b""));
        let text = include_str!("../../../docs/format.md");
        for context in [CONTEXT_OPENING, CONTEXT_ORIGIN, CONTEXT_CHECK] {
            let row = format!("`{context}` | `{}`", of(context));
            assert!(text.contains(&row), "{row}");
        }
    }
}
