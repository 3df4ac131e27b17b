//! Proof files: that one event is in the ledger (C2SP tlog-proof), and that a checkpoint is the
//! beginning of a later one (the request body of C2SP tlog-witness, "add-checkpoint").
//!
//! A proof file carries the event itself in its `extra` line, `LGX1`: the specification says that
//! this line is not authenticated, so entry, payloads and index are all held against the tree.

mod growth;
mod lines;
mod opened;
mod standing;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::note::{Note, NoteError};
use ledger::tree::{ProofError, TreeHash, leaf_hash, verify_inclusion};

use crate::policy::{JudgeError, Judged, Policy};

use lines::Lines;

pub use growth::{GrowthError, GrowthFile};
pub use lines::LineError;
pub use opened::{Opened, OpenedError};
pub use standing::{StandingError, StandingFile};

/// Longest proof file that is read, in bytes: two payloads of 16 MiB in base64 and some text.
pub const PROOF_BYTES_MAX: usize = 48 << 20;

/// First line of a proof file.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// A proof that an event is in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFile {
    /// The event, as far as the file tells.
    pub event: Option<Opened>,
    /// Its position.
    pub index: u64,
    /// The inclusion proof.
    pub hashes: Vec<TreeHash>,
    /// The checkpoint it leads to.
    pub checkpoint: Note,
}

/// Why the bytes are no proof file. Listed in the order the causes are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofFileError {
    /// Longer than any proof here.
    #[error("the proof has {bytes} bytes, more than {PROOF_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not text, or not begun as a proof file is.
    #[error("not a proof: the first line is not `{HEADER}`")]
    Header,
    /// A line is not what stands there.
    #[error(transparent)]
    Line(#[from] LineError),
    /// The event in it is malformed.
    #[error(transparent)]
    Opened(#[from] OpenedError),
    /// The checkpoint is no signed note.
    #[error("the checkpoint of the proof cannot be read")]
    Note(#[from] NoteError),
}

/// Why a proof does not hold. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum UnprovenError {
    /// The checkpoint is not signed as the policy asks.
    #[error(transparent)]
    Judge(#[from] JudgeError),
    /// The file has no event to be proven.
    #[error("the proof carries no event")]
    NoEvent,
    /// What is said of the event does not belong together.
    #[error(transparent)]
    Opened(#[from] OpenedError),
    /// The hashes do not lead to the checkpoint.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

impl ProofFile {
    /// Reads a proof file.
    ///
    /// # Errors
    /// [`ProofFileError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofFileError> {
        if bytes.len() > PROOF_BYTES_MAX {
            return Err(ProofFileError::TooLong { bytes: bytes.len() });
        }
        let text = std::str::from_utf8(bytes).or(Err(ProofFileError::Header))?;
        let mut lines = Lines::of(text);
        if lines.take(HEADER) != Ok(HEADER) {
            return Err(ProofFileError::Header);
        }
        let mut line = lines.take("`extra` or `index` and a value")?;
        let mut event = None;
        if let Some(extra) = line.strip_prefix("extra ") {
            let wanted = "`extra` and base64";
            let bytes = STANDARD.decode(extra).or(Err(lines.not(wanted)))?;
            event = Some(Opened::parse(&bytes)?);
            line = lines.take("`index` and a number")?;
        }
        let index = lines.number(line, "index", "`index` and a number")?;
        Ok(Self {
            event,
            index,
            hashes: lines.hashes()?,
            checkpoint: Note::parse(lines.rest().as_bytes())?,
        })
    }

    /// Checks everything the file says, with no keys but those of the policy.
    ///
    /// # Errors
    /// [`UnprovenError`].
    pub fn verify(&self, policy: &Policy) -> Result<Judged, UnprovenError> {
        let judged = policy.judge(&self.checkpoint)?;
        let event = self.event.as_ref().ok_or(UnprovenError::NoEvent)?;
        event.check(self.index, &judged.checkpoint.origin)?;
        verify_inclusion(
            self.index,
            judged.checkpoint.size,
            &leaf_hash(&event.entry),
            &self.hashes,
            &judged.checkpoint.root,
        )?;
        Ok(judged)
    }
}

impl std::fmt::Display for ProofFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(event) = &self.event {
            writeln!(f, "extra {}", STANDARD.encode(event.bytes()))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", STANDARD.encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

#[cfg(test)]
mod tests;
