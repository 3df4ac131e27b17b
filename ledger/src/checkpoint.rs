//! Checkpoints (C2SP tlog-checkpoint): what a ledger says of its size and root, as the text of a
//! signed note.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::note::{Note, NoteError, SigningKey};
use crate::tree::TreeHash;

/// Size and root of a ledger at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Origin of the ledger.
    pub origin: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the tree over them.
    pub root: TreeHash,
}

/// The text is not that of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// Origin, size and root are not on lines of their own.
    #[error("a checkpoint has three lines: origin, size, root")]
    Shape,
    /// The size is not a decimal number without leading zeros.
    #[error("the size of the checkpoint is not a plain decimal number")]
    Size,
    /// The root is not 32 bytes in base64.
    #[error("the root of the checkpoint is not 32 bytes in base64")]
    Root,
    /// Lines after the root: they would be signed without being understood.
    #[error("the checkpoint has extension lines, which are not used here")]
    Extension,
    /// The note around it.
    #[error(transparent)]
    Note(#[from] NoteError),
}

impl Checkpoint {
    /// The text that is signed.
    pub fn text(&self) -> String {
        format!(
            "{}\n{}\n{}\n",
            self.origin,
            self.size,
            STANDARD.encode(self.root)
        )
    }

    /// Reads the text of a note.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.strip_suffix('\n').unwrap_or_default().split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(CheckpointError::Shape);
        };
        if origin.is_empty() {
            return Err(CheckpointError::Shape);
        }
        if lines.next().is_some() {
            return Err(CheckpointError::Extension);
        }
        let number: u64 = size.parse().or(Err(CheckpointError::Size))?;
        if number.to_string() != size {
            return Err(CheckpointError::Size);
        }
        let root = STANDARD.decode(root).or(Err(CheckpointError::Root))?;
        Ok(Self {
            origin: origin.to_owned(),
            size: number,
            root: root.try_into().or(Err(CheckpointError::Root))?,
        })
    }

    /// The checkpoint as a note signed by the ledger's key.
    ///
    /// # Errors
    /// [`NoteError`] when the origin cannot stand in a note.
    pub fn sign(&self, key: &SigningKey) -> Result<Note, NoteError> {
        let mut note = Note::new(self.text())?;
        note.sign(key)?;
        Ok(note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            origin: "ledger.example/t/acme".to_owned(),
            size: 300,
            root: [9; 32],
        }
    }

    #[test]
    fn a_checkpoint_is_read_as_it_was_written() {
        let text = checkpoint().text();
        assert_eq!(Checkpoint::parse(&text), Ok(checkpoint()));
        assert_eq!(text.lines().count(), 3);
    }

    #[test]
    fn anything_else_is_refused() {
        let root = STANDARD.encode([9; 32]);
        for (text, wanted) in [
            (String::new(), CheckpointError::Shape),
            (format!("o\n5\n{root}"), CheckpointError::Shape),
            ("o\n5\n".to_owned(), CheckpointError::Shape),
            (format!("\n5\n{root}\n"), CheckpointError::Shape),
            (format!("o\n05\n{root}\n"), CheckpointError::Size),
            (format!("o\n+5\n{root}\n"), CheckpointError::Size),
            (format!("o\n-5\n{root}\n"), CheckpointError::Size),
            (
                "o\n18446744073709551616\nAA==\n".to_owned(),
                CheckpointError::Size,
            ),
            ("o\n5\nAA==\n".to_owned(), CheckpointError::Root),
            (format!("o\n5\n{root}\nmore\n"), CheckpointError::Extension),
        ] {
            assert_eq!(Checkpoint::parse(&text), Err(wanted), "{text:?}");
        }
    }
}
