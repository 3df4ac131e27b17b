//! Keys of notes: names, ids, and the two kinds of signature Daybook makes or checks.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signer as _, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::Signature;

/// What a signing key's text begins with, as in Go's `note` package.
const PRIVATE: &str = "PRIVATE+KEY+";

/// What a key signs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// Ed25519 over the text (signed-note, type 0x01).
    Ed25519,
    /// Ed25519 over the text and a time (tlog-cosignature, `cosignature/v1`, type 0x04).
    Cosignature,
}

impl KeyKind {
    fn byte(self) -> u8 {
        match self {
            Self::Ed25519 => 0x01,
            Self::Cosignature => 0x04,
        }
    }

    fn of(byte: u8) -> Option<Self> {
        match byte {
            0x01 => Some(Self::Ed25519),
            0x04 => Some(Self::Cosignature),
            _ => None,
        }
    }
}

/// Why the text of a key is refused. It never shows any of it: it may be secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not `<name>+<id>+<key>`.
    #[error("not a note key: it reads NAME+ID+KEY, a signing key PRIVATE+KEY+NAME+ID+KEY")]
    Shape,
    /// A name with spaces or plus signs, or none.
    #[error("the name of a note key is not empty and has neither spaces nor `+`")]
    Name,
    /// The key is of a kind that is not used here.
    #[error(
        "the note key is of a kind that is not known: only Ed25519 (1) and cosignature/v1 (4) are"
    )]
    Kind,
    /// The bytes are no key, or one that many signatures would fit.
    #[error("the note key has no usable Ed25519 key")]
    Point,
    /// The id is not that of name and key.
    #[error("the id in the note key does not belong to its name and key")]
    Id,
}

/// A public key that signatures are checked with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    point: VerifyingKey,
}

impl VerifierKey {
    /// The key's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The key's kind.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// First four bytes of SHA-256 over name, newline, kind and key.
    pub fn id(&self) -> [u8; 4] {
        let mut hasher = Sha256::new();
        hasher.update(self.name.as_bytes());
        hasher.update([b'\n', self.kind.byte()]);
        hasher.update(self.point.as_bytes());
        let digest: [u8; 32] = hasher.finalize().into();
        let [a, b, c, d, ..] = digest;
        [a, b, c, d]
    }

    /// The time in a signature that holds, `Some(None)` when its kind has none; `None` when it
    /// does not hold.
    #[expect(
        clippy::option_option,
        reason = "holds or not, and then with a time or not"
    )]
    pub(super) fn check(&self, text: &str, signature: &[u8]) -> Option<Option<u64>> {
        let (message, signature, time) = match self.kind {
            KeyKind::Ed25519 => (text.as_bytes().to_vec(), signature, None),
            KeyKind::Cosignature => {
                let (time, signature) = signature.split_first_chunk::<8>()?;
                let time = u64::from_be_bytes(*time);
                (cosigned(time, text), signature, Some(time))
            }
        };
        let signature = ed25519_dalek::Signature::from_slice(signature).ok()?;
        self.point.verify_strict(&message, &signature).ok()?;
        Some(time)
    }
}

impl std::fmt::Display for VerifierKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let key = [[self.kind.byte()].as_slice(), self.point.as_bytes()].concat();
        write!(
            f,
            "{}+{}+{}",
            self.name,
            hex(self.id()),
            STANDARD.encode(key)
        )
    }
}

impl std::str::FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let (name, id, kind, bytes) = parts(text)?;
        let point = VerifyingKey::from_bytes(&bytes).or(Err(KeyError::Point))?;
        if point.is_weak() {
            return Err(KeyError::Point);
        }
        let key = Self {
            name: name.to_owned(),
            kind,
            point,
        };
        (hex(key.id()) == id).then_some(key).ok_or(KeyError::Id)
    }
}

/// A private key. Its bytes are wiped when it is dropped.
pub struct SigningKey {
    verifier: VerifierKey,
    secret: ed25519_dalek::SigningKey,
}

impl SigningKey {
    /// The key of a name and 32 secret random bytes, for plain signatures.
    ///
    /// # Errors
    /// [`KeyError::Name`].
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, KeyError> {
        if !is_name(name) {
            return Err(KeyError::Name);
        }
        let secret = ed25519_dalek::SigningKey::from_bytes(seed);
        let verifier = VerifierKey {
            name: name.to_owned(),
            kind: KeyKind::Ed25519,
            point: secret.verifying_key(),
        };
        Ok(Self { verifier, secret })
    }

    /// Reads a private key.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        let rest = text.strip_prefix(PRIVATE).ok_or(KeyError::Shape)?;
        let (name, id, kind, seed) = parts(rest)?;
        if kind != KeyKind::Ed25519 {
            return Err(KeyError::Kind);
        }
        let key = Self::new(name, &seed)?;
        (hex(key.verifier.id()) == id)
            .then_some(key)
            .ok_or(KeyError::Id)
    }

    /// The private key as text: a secret, for a file only its owner can read.
    pub fn secret_text(&self) -> String {
        let key = [[KeyKind::Ed25519.byte()].as_slice(), self.secret.as_bytes()].concat();
        format!(
            "{PRIVATE}{}+{}+{}",
            self.verifier.name,
            hex(self.verifier.id()),
            STANDARD.encode(key)
        )
    }

    /// The public key.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a text.
    pub(super) fn sign(&self, text: &str) -> Signature {
        Signature {
            name: self.verifier.name.clone(),
            key_id: self.verifier.id(),
            bytes: self.secret.sign(text.as_bytes()).to_bytes().to_vec(),
        }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.verifier)
    }
}

/// What a cosigner signs (tlog-cosignature, "Format").
fn cosigned(time: u64, text: &str) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

/// Name, id, kind and 32 bytes of `<name>+<id>+<base64 of kind and key>`. The key may hold `+`.
fn parts(text: &str) -> Result<(&str, &str, KeyKind, [u8; 32]), KeyError> {
    let (name, rest) = text.split_once('+').ok_or(KeyError::Shape)?;
    let (id, key) = rest.split_once('+').ok_or(KeyError::Shape)?;
    if !is_name(name) {
        return Err(KeyError::Name);
    }
    let key = STANDARD.decode(key).or(Err(KeyError::Shape))?;
    let (kind, bytes) = key.split_first().ok_or(KeyError::Shape)?;
    let kind = KeyKind::of(*kind).ok_or(KeyError::Kind)?;
    let bytes = bytes.try_into().or(Err(KeyError::Point))?;
    Ok((name, id, kind, bytes))
}

/// Names have neither spaces nor plus signs (signed-note, "Format").
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name
            .chars()
            .any(|one| one.is_whitespace() || one == '+' || one.is_control())
}

fn hex(id: [u8; 4]) -> String {
    crate::hash::hex(&id)
}
