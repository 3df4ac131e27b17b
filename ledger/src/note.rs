//! Signed notes (C2SP signed-note): a text and who signed it.
//!
//! The text ends with a newline; behind an empty line follows one line per signature:
//! `— <name> <base64 of key id and signature>`.

mod key;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

pub use key::{KeyError, KeyKind, SigningKey, VerifierKey};

/// Longest note that is read, in bytes.
pub const NOTE_BYTES_MAX: usize = 65_536;

/// Signature lines that are read at most; the specification asks for 16 at least.
pub const SIGNATURES_MAX: usize = 64;

/// What a signature line begins with: an em dash and a space.
const MARK: &str = "\u{2014} ";

/// A text with signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    signatures: Vec<Signature>,
}

/// One signature line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// Name of the key.
    pub name: String,
    /// First four bytes of the hash of name and key.
    pub key_id: [u8; 4],
    /// The signature, in the form its kind of key asks for.
    pub bytes: Vec<u8>,
}

/// Why a note is refused. Listed in the order the causes are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Longer than any note here.
    #[error("the note has {bytes} bytes, more than {NOTE_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not UTF-8, or with control characters other than newlines.
    #[error("the note is not plain text")]
    NotText,
    /// No text, or no empty line between text and signatures.
    #[error("the note has no empty line between its text and its signatures")]
    Shape,
    /// A signature line is not as the specification says.
    #[error("signature line {line} of the note is malformed")]
    Line {
        /// Number of the signature line, from 1.
        line: usize,
    },
    /// More signature lines than are read.
    #[error("the note has more than {SIGNATURES_MAX} signature lines")]
    TooMany,
    /// Two lines by one key.
    #[error("the note has two signatures by `{name}`")]
    Twice {
        /// Name of the key.
        name: String,
    },
    /// A signature by a known key does not hold.
    #[error("the signature by `{name}` does not hold")]
    Forged {
        /// Name of the key.
        name: String,
    },
    /// No signature by any of the keys asked for.
    #[error("the note is not signed by any known key")]
    Unsigned,
}

/// A key that signed, and when it said it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signed<'k> {
    /// The key.
    pub key: &'k VerifierKey,
    /// Seconds since 1970 of a cosignature; `None` for a plain signature.
    pub time: Option<u64>,
}

impl Note {
    /// A text, not signed yet.
    ///
    /// # Errors
    /// [`NoteError`] when no note can carry it.
    pub fn new(text: impl Into<String>) -> Result<Self, NoteError> {
        let text = text.into();
        if text.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong { bytes: text.len() });
        }
        if !is_plain(&text) {
            return Err(NoteError::NotText);
        }
        if text.is_empty() || !text.ends_with('\n') {
            return Err(NoteError::Shape);
        }
        let signatures = Vec::new();
        Ok(Self { text, signatures })
    }

    /// Reads a note. Signatures are not checked.
    ///
    /// # Errors
    /// [`NoteError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(NoteError::TooLong { bytes: bytes.len() });
        }
        let whole = std::str::from_utf8(bytes).or(Err(NoteError::NotText))?;
        if !is_plain(whole) {
            return Err(NoteError::NotText);
        }
        // a text may hold empty lines: the signatures are behind the last
        let split = whole.rfind("\n\n").ok_or(NoteError::Shape)?;
        let (text, lines) = whole.split_at(split + 1);
        let lines = lines
            .strip_prefix('\n')
            .and_then(|lines| lines.strip_suffix('\n'))
            .ok_or(NoteError::Shape)?;
        let mut note = Self::new(text)?;
        for (line, number) in lines.split('\n').zip(1..) {
            if number > SIGNATURES_MAX {
                return Err(NoteError::TooMany);
            }
            let signature = Signature::parse(line).ok_or(NoteError::Line { line: number })?;
            note.push(signature)?;
        }
        Ok(note)
    }

    /// The signed text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The signatures, in order.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Adds a signature.
    ///
    /// # Errors
    /// [`NoteError::Twice`] when the key has signed already.
    pub fn push(&mut self, signature: Signature) -> Result<(), NoteError> {
        let same =
            |known: &Signature| known.name == signature.name && known.key_id == signature.key_id;
        if self.signatures.iter().any(same) {
            return Err(NoteError::Twice {
                name: signature.name,
            });
        }
        self.signatures.push(signature);
        Ok(())
    }

    /// Signs the text.
    ///
    /// # Errors
    /// [`NoteError::Twice`] when the key has signed already.
    pub fn sign(&mut self, key: &SigningKey) -> Result<(), NoteError> {
        let signature = key.sign(&self.text);
        self.push(signature)
    }

    /// The known keys that signed. Signatures by other keys are passed over, as the specification
    /// asks; one by a known key that does not hold is an error.
    ///
    /// # Errors
    /// [`NoteError::Forged`], [`NoteError::Unsigned`].
    pub fn verify<'k>(&self, keys: &'k [VerifierKey]) -> Result<Vec<Signed<'k>>, NoteError> {
        let mut signed = Vec::new();
        for signature in &self.signatures {
            let by = keys
                .iter()
                .find(|key| key.name() == signature.name && key.id() == signature.key_id);
            let Some(key) = by else { continue };
            let time =
                key.check(&self.text, &signature.bytes)
                    .ok_or_else(|| NoteError::Forged {
                        name: signature.name.clone(),
                    })?;
            signed.push(Signed { key, time });
        }
        if signed.is_empty() {
            return Err(NoteError::Unsigned);
        }
        Ok(signed)
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.text)?;
        for signature in &self.signatures {
            let bytes = [signature.key_id.as_slice(), &signature.bytes].concat();
            writeln!(f, "{MARK}{} {}", signature.name, STANDARD.encode(bytes))?;
        }
        Ok(())
    }
}

impl Signature {
    fn parse(line: &str) -> Option<Self> {
        let (name, encoded) = line.strip_prefix(MARK)?.split_once(' ')?;
        if !key::is_name(name) {
            return None;
        }
        let bytes = STANDARD.decode(encoded).ok()?;
        let (key_id, bytes) = bytes.split_first_chunk::<4>()?;
        (!bytes.is_empty()).then(|| Self {
            name: name.to_owned(),
            key_id: *key_id,
            bytes: bytes.to_vec(),
        })
    }
}

/// No control characters but newlines (signed-note, "Format").
fn is_plain(text: &str) -> bool {
    text.chars()
        .all(|one| one == '\n' || !one.is_ascii_control())
}

#[cfg(test)]
mod tests;
