//! A witness's key, to sign with (C2SP tlog-cosignature, `cosignature/v1`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::Signer as _;
use ledger::note::{Note, Signature, VerifierKey};
use sha2::{Digest as _, Sha256};

/// A private key with the name it cosigns under.
pub(crate) struct Cosigner {
    name: String,
    secret: ed25519_dalek::SigningKey,
}

impl Cosigner {
    pub(crate) fn new(name: &str, seed: u8) -> Self {
        Self {
            name: name.to_owned(),
            secret: ed25519_dalek::SigningKey::from_bytes(&[seed; 32]),
        }
    }

    fn id(&self) -> [u8; 4] {
        let point = self.secret.verifying_key();
        let bytes = [self.name.as_bytes(), b"\n\x04", point.as_bytes()].concat();
        let digest: [u8; 32] = Sha256::digest(bytes).into();
        digest[..4].try_into().unwrap()
    }

    /// The public key.
    pub(crate) fn vkey(&self) -> VerifierKey {
        let point = self.secret.verifying_key();
        let id = u32::from_be_bytes(self.id());
        let key = STANDARD.encode([&[4], point.as_bytes().as_slice()].concat());
        format!("{}+{id:08x}+{key}", self.name).parse().unwrap()
    }

    /// The cosignature of a text at a time.
    pub(crate) fn cosign(&self, text: &str, time: u64) -> Signature {
        let message = format!("cosignature/v1\ntime {time}\n{text}");
        let signature = self.secret.sign(message.as_bytes()).to_bytes();
        Signature {
            name: self.name.clone(),
            key_id: self.id(),
            bytes: [time.to_be_bytes().as_slice(), &signature].concat(),
        }
    }
    /// The line a witness answers with.
    pub(crate) fn line(&self, text: &str, time: u64) -> String {
        let mut note = Note::new(text).unwrap();
        note.push(self.cosign(text, time)).unwrap();
        note.to_string()[text.len() + 1..].to_owned()
    }
}
