//! Proof that a ledger's checkpoint stands in a super-log, which is what public witnesses see.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::checkpoint::Checkpoint;
use ledger::hash::Hash;
use ledger::note::{Note, NoteError};
use ledger::tree::{ProofError, TreeHash, verify_inclusion};

use super::HEADER;
use super::lines::{LineError, Lines};
use crate::policy::{JudgeError, Judged, Policy};
use crate::superlog::{LEAF_BYTES, Leaf, LeafError, Statement};

/// Longest file that is read, in bytes: hashes and a note.
const STANDING_BYTES_MAX: usize = 128 << 10;

/// A C2SP tlog-proof of a leaf of a super-log; its `extra` line is the leaf and the opening of its
/// origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingFile {
    /// The leaf.
    pub leaf: Leaf,
    /// What opens its blinded origin.
    pub opening: Hash,
    /// Its index.
    pub index: u64,
    /// The inclusion proof.
    pub hashes: Vec<TreeHash>,
    /// The super-log's checkpoint.
    pub checkpoint: Note,
}

/// Why the bytes are no such proof, or it does not hold. Listed in the order the causes are
/// checked.
#[derive(Debug, thiserror::Error)]
pub enum StandingError {
    /// Longer than any such proof, or not text.
    #[error("not a proof of standing in a super-log")]
    Shape,
    /// A line is not what stands there.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The leaf is malformed.
    #[error(transparent)]
    Leaf(#[from] LeafError),
    /// The checkpoint is no signed note.
    #[error("the checkpoint of the proof cannot be read")]
    Note(#[from] NoteError),
    /// The checkpoint is not signed as the policy asks.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// The leaf is of another checkpoint.
    #[error("the leaf states another checkpoint than this")]
    Other,
    /// The hashes do not lead to the checkpoint.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl StandingFile {
    /// Reads such a proof.
    ///
    /// # Errors
    /// [`StandingError::Shape`], [`StandingError::Line`], [`StandingError::Leaf`],
    /// [`StandingError::Note`].
    pub fn parse(bytes: &[u8]) -> Result<Self, StandingError> {
        let text = std::str::from_utf8(bytes)
            .ok()
            .filter(|text| text.len() <= STANDING_BYTES_MAX)
            .ok_or(StandingError::Shape)?;
        let mut lines = Lines::of(text);
        if lines.take(HEADER) != Ok(HEADER) {
            return Err(StandingError::Shape);
        }
        let wanted = "`extra`, a leaf and its opening in base64";
        let extra = lines.take(wanted)?.strip_prefix("extra ");
        let extra = extra.and_then(|extra| STANDARD.decode(extra).ok());
        let extra = extra.ok_or(lines.not(wanted))?;
        let (leaf, opening) = extra
            .split_at_checked(LEAF_BYTES)
            .ok_or(lines.not(wanted))?;
        let opening = opening.try_into().or(Err(lines.not(wanted)))?;
        let line = lines.take("`index` and a number")?;
        Ok(Self {
            leaf: Leaf::parse(leaf)?,
            opening,
            index: lines.number(line, "index", "`index` and a number")?,
            hashes: lines.hashes()?,
            checkpoint: Note::parse(lines.rest().as_bytes())?,
        })
    }

    /// Checks that a ledger's checkpoint, which its reader believes, stands in a super-log that the
    /// policy accepts.
    ///
    /// # Errors
    /// [`StandingError`].
    pub fn verify(&self, ours: &Checkpoint, policy: &Policy) -> Result<Judged, StandingError> {
        let judged = policy.judge(&self.checkpoint)?;
        let stated = Statement {
            checkpoint: ours.clone(),
            chain_head: self.leaf.chain_head,
        };
        if !self.leaf.states(&stated, &self.opening) {
            return Err(StandingError::Other);
        }
        verify_inclusion(
            self.index,
            judged.checkpoint.size,
            &self.leaf.hash(),
            &self.hashes,
            &judged.checkpoint.root,
        )?;
        Ok(judged)
    }
}

impl std::fmt::Display for StandingFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let extra = [self.leaf.bytes().as_slice(), &self.opening].concat();
        writeln!(f, "{HEADER}")?;
        writeln!(f, "extra {}", STANDARD.encode(extra))?;
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", STANDARD.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}
