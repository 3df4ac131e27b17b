//! The private part of an event as it is stored: salt and payload, encrypted under the data keys of
//! the event's subject and actor.
//!
//! XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03) with the key of `docs/format.md`, "Private
//! part". Without either data key nothing can be read, and destroying one erases every copy. The
//! cipher does not commit to its key, so the entry's commitment is over the plaintext: an opened
//! part is still compared with it. Deliberately not here: where data keys are kept.

use chacha20poly1305::aead::{AeadInOut as _, KeyInit as _};
use chacha20poly1305::{Tag, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::entry::Entry;
use crate::event::book::About;
use crate::event::{BlindedId, EventType, Position};
use crate::hash::Hash;
use crate::payload::SALT_BYTES;

/// Bytes of a nonce.
pub(crate) const NONCE_BYTES: usize = 24;

/// Bytes of a tag.
const TAG_BYTES: usize = 16;

/// Fewest bytes stored of an encrypted private part: an empty payload's.
pub(crate) const STORED_BYTES_MIN: usize = NONCE_BYTES + SALT_BYTES + TAG_BYTES;

/// Context of the key of one private part (BLAKE3 derive-key mode).
const CONTEXT: &str = "daybook 2026-11 data key v1";

/// Bytes bound to a private part: commitment, ledger id, position.
const BOUND_BYTES: usize = 32 + 16 + 8;

/// Whose data keys a private part is encrypted under.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Concerned {
    /// Blinded name of the subject's stream.
    pub(crate) subject: Hash,
    /// Blinded name of the actor; zero when none was told.
    pub(crate) actor: Hash,
}

impl Concerned {
    /// Those an entry names. A `ledger.corroborated` or `ledger.conflicted` event lies in the
    /// ledger's stream, but its private part is about the subject of the event it is about, which
    /// its public payload names.
    pub(crate) fn of(entry: &Entry, public: &[u8]) -> Self {
        let about = if is_about_another(entry.event_type) {
            about(public)
        } else {
            None
        };
        Self {
            subject: about.map_or(entry.stream_id, |id| id.0),
            actor: entry.actor_id,
        }
    }

    /// The blinded names, one or two.
    pub(crate) fn ids(&self) -> impl Iterator<Item = &Hash> {
        let actor = (self.actor != [0; 32]).then_some(&self.actor);
        std::iter::once(&self.subject).chain(actor)
    }
}

/// Whether events of that type are about another event's subject.
fn is_about_another(event_type: EventType) -> bool {
    matches!(event_type.0, 0x0b05 | 0x0b06)
}

/// The subject that the body of a public payload names beside its own.
fn about(public: &[u8]) -> Option<BlindedId> {
    #[derive(serde::Deserialize)]
    struct Public {
        body: About,
    }
    let public: Public = serde_json::from_slice(public).ok()?;
    public.body.subject
}

/// What ties a private part to its entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    commit: Hash,
    ledger_id: [u8; 16],
    position: Position,
}

impl Bound {
    pub(crate) fn to(entry: &Entry) -> Self {
        Self {
            commit: entry.private_commit,
            ledger_id: entry.ledger_id,
            position: entry.position,
        }
    }

    fn bytes(&self) -> [u8; BOUND_BYTES] {
        let mut bytes = [0; BOUND_BYTES];
        let mut room = crate::entry::Room(&mut bytes);
        room.put(&self.commit);
        room.put(&self.ledger_id);
        room.put(&self.position.to_be_bytes());
        bytes
    }
}

/// The key of one private part. Never printed; wiped when dropped.
pub(crate) struct PartKey(Zeroizing<Hash>);

impl PartKey {
    /// Derives it from the data keys of those concerned, the subject's first.
    pub(crate) fn derive<'k>(
        data_keys: impl Iterator<Item = &'k Hash>,
        position: Position,
    ) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key(CONTEXT);
        for key in data_keys {
            hasher.update(key);
        }
        hasher.update(&position.to_be_bytes());
        Self(Zeroizing::new(*hasher.finalize().as_bytes()))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.0).into())
    }

    /// `nonce || ciphertext of (salt || payload) || tag`; `None` when the payload is longer than
    /// the cipher takes, which no payload of a ledger is.
    pub(crate) fn seal(
        &self,
        bound: &Bound,
        nonce: &[u8; NONCE_BYTES],
        salt: &[u8; SALT_BYTES],
        payload: &[u8],
    ) -> Option<Vec<u8>> {
        let bytes = NONCE_BYTES + SALT_BYTES + payload.len() + TAG_BYTES;
        let mut stored = Vec::with_capacity(bytes);
        stored.extend_from_slice(nonce);
        stored.extend_from_slice(salt);
        stored.extend_from_slice(payload);
        let (_, content) = stored.split_at_mut(NONCE_BYTES);
        let tag = self
            .cipher()
            .encrypt_inout_detached(&XNonce::from(*nonce), &bound.bytes(), content.into())
            .ok()?;
        stored.extend_from_slice(&tag);
        Some(stored)
    }

    /// Appends `salt || payload` to `out`; `false`, with nothing appended, when the bytes are not
    /// what was encrypted under this key for this entry.
    pub(crate) fn open(&self, bound: &Bound, stored: &[u8], out: &mut Vec<u8>) -> bool {
        let Some((nonce, rest)) = stored.split_first_chunk::<NONCE_BYTES>() else {
            return false;
        };
        let Some((content, tag)) = rest.split_last_chunk::<TAG_BYTES>() else {
            return false;
        };
        if content.len() < SALT_BYTES {
            return false;
        }
        let start = out.len();
        out.extend_from_slice(content);
        let (_, opened) = out.split_at_mut(start);
        let fine = self
            .cipher()
            .decrypt_inout_detached(
                &XNonce::from(*nonce),
                &bound.bytes(),
                opened.into(),
                &Tag::from(*tag),
            )
            .is_ok();
        if !fine {
            out.truncate(start);
        }
        fine
    }
}

#[cfg(test)]
mod tests;
