//! Natural keys and the event ids derived from them.

use serde::{Deserialize, Serialize};

/// 16 bytes that identify a change, derived from its natural key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId(pub [u8; 16]);

impl std::fmt::Debug for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "EventId({self})")
    }
}

impl std::fmt::Display for EventId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl Serialize for EventId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The text is not 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event id is 32 hexadecimal digits")]
pub struct EventIdError;

impl std::str::FromStr for EventId {
    type Err = EventIdError;

    fn from_str(text: &str) -> Result<Self, EventIdError> {
        digits(text).map(Self).ok_or(EventIdError)
    }
}

/// A blinded name: 32 bytes, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlindedId(pub [u8; 32]);

impl std::fmt::Debug for BlindedId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BlindedId({self})")
    }
}

impl std::fmt::Display for BlindedId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl Serialize for BlindedId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BlindedId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        digits(&text)
            .map(Self)
            .ok_or_else(|| serde::de::Error::custom("a blinded name is 64 hexadecimal digits"))
    }
}

/// The bytes that twice as many hexadecimal digits write.
fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let mut bytes = [0; N];
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(pairs) {
        for digit in pair {
            let value = char::from(*digit).to_digit(16)?;
            *byte = (*byte << 4) | u8::try_from(value).ok()?;
        }
    }
    Some(bytes)
}

/// The parts that make a change itself and no other, from which its id is derived.
///
/// The id is the first 16 bytes of BLAKE3 (derive-key mode, context
/// `daybook 2026-11 event id v1`) over each part as `u32 length, big-endian || bytes`.
#[derive(Debug, Clone)]
pub struct NaturalKey {
    hasher: blake3::Hasher,
}

impl NaturalKey {
    /// Starts the key of a family, such as `credential.added`.
    pub fn new(family: &str) -> Self {
        let hasher = blake3::Hasher::new_derive_key("daybook 2026-11 event id v1");
        Self { hasher }.with(family)
    }

    /// Adds one part. Order matters; an empty part counts.
    #[must_use]
    pub fn with(mut self, part: &str) -> Self {
        let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
        self.hasher.update(&length.to_be_bytes());
        self.hasher.update(part.as_bytes());
        self
    }

    /// The id of the change.
    pub fn id(self) -> EventId {
        let mut id = [0_u8; 16];
        let hash = self.hasher.finalize();
        for (to, from) in id.iter_mut().zip(hash.as_bytes()) {
            *to = *from;
        }
        EventId(id)
    }
}
