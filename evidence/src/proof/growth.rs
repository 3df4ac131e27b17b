//! Proof that a checkpoint is the beginning of a later one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::checkpoint::{Checkpoint, CheckpointError};
use ledger::note::{Note, NoteError};
use ledger::tree::{ProofError, TreeHash, verify_consistency};

use super::lines::{LineError, Lines};
use crate::policy::{JudgeError, Judged, Policy};

/// Longest file that is read, in bytes: the hashes and a note.
const GROWTH_BYTES_MAX: usize = 128 << 10;

/// `old <size>`, the hashes of the consistency proof, an empty line and the later checkpoint: the
/// body of a request to a witness, so that a proof can be handed to one as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrowthFile {
    /// Size of the earlier checkpoint.
    pub old: u64,
    /// The consistency proof.
    pub hashes: Vec<TreeHash>,
    /// The later checkpoint.
    pub checkpoint: Note,
}

/// Why the bytes are no such proof, or it does not hold. Listed in the order the causes are
/// checked.
#[derive(Debug, thiserror::Error)]
pub enum GrowthError {
    /// Longer than any such proof, or not text.
    #[error("not a proof of growth")]
    Shape,
    /// A line is not what stands there.
    #[error(transparent)]
    Line(#[from] LineError),
    /// A checkpoint is no signed note.
    #[error("a checkpoint of the proof cannot be read")]
    Note(#[from] NoteError),
    /// A note is no checkpoint.
    #[error("a checkpoint of the proof cannot be read")]
    Checkpoint(#[from] CheckpointError),
    /// A checkpoint is not signed as the policy asks.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// The earlier checkpoint is not the one the proof begins at.
    #[error("the proof begins at {wanted} events, the earlier checkpoint counts {found}")]
    Size {
        /// Size the proof begins at.
        wanted: u64,
        /// Size of the checkpoint.
        found: u64,
    },
    /// The hashes do not lead from one to the other.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl GrowthFile {
    /// Reads such a proof.
    ///
    /// # Errors
    /// [`GrowthError::Shape`], [`GrowthError::Line`], [`GrowthError::Note`].
    pub fn parse(bytes: &[u8]) -> Result<Self, GrowthError> {
        let text = std::str::from_utf8(bytes)
            .ok()
            .filter(|text| text.len() <= GROWTH_BYTES_MAX)
            .ok_or(GrowthError::Shape)?;
        let mut lines = Lines::of(text);
        let wanted = "`old` and a number";
        let first = lines.take(wanted)?;
        Ok(Self {
            old: lines.number(first, "old", wanted)?,
            hashes: lines.hashes()?,
            checkpoint: Note::parse(lines.rest().as_bytes())?,
        })
    }

    /// Checks that an earlier checkpoint, which its holder believes or has judged, is the beginning
    /// of the later one.
    ///
    /// # Errors
    /// [`GrowthError`].
    pub fn verify(&self, earlier: &Note, policy: &Policy) -> Result<Judged, GrowthError> {
        let judged = policy.judge(&self.checkpoint)?;
        let earlier = Checkpoint::parse(earlier.text())?;
        if earlier.size != self.old || earlier.origin != judged.checkpoint.origin {
            return Err(GrowthError::Size {
                wanted: self.old,
                found: earlier.size,
            });
        }
        verify_consistency(
            self.old,
            judged.checkpoint.size,
            &earlier.root,
            &judged.checkpoint.root,
            &self.hashes,
        )?;
        Ok(judged)
    }
}

impl std::fmt::Display for GrowthFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for hash in &self.hashes {
            writeln!(f, "{}", STANDARD.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}
