//! Payload bytes and the hashes an entry holds of them.
//!
//! The public payload is one compact JSON object ([`PublicPayload`]), hashed exactly as stored. The
//! private payload is JSON too, stored behind a random salt and bound by a commitment over both,
//! so that deleting salt and bytes leaves nothing to guess from.
//!
//! [`PublicPayload`]: crate::event::PublicPayload

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::event::{Correlation, Event, EventBody, EventType, Precision, Source, StreamName};
use crate::hash::{Hash, KEY_PRIVATE, KEY_PUBLIC, keyed, padding};

/// Number of the payload schema this version writes.
pub const SCHEMA: u32 = 1;

/// Bytes of a salt.
pub const SALT_BYTES: usize = 32;

/// Longest payload, public or private. A policy or an application manifest is well below; the
/// bound keeps one record from filling a segment of 64 MiB.
pub const PAYLOAD_BYTES_MAX: usize = 16 << 20;

/// Bytes before the public payload in what is hashed: schema and length.
const PUBLIC_HEAD_BYTES: usize = 8;

/// Hash of a public payload: `H(KEY_PUBLIC, pad64(u32 schema || u32 length || bytes))`.
pub fn public_hash(schema: u32, public: &[u8]) -> Hash {
    let mut input = Vec::with_capacity(public.len() + 2 * 64);
    pad_public(schema, public, &mut input);
    keyed(&KEY_PUBLIC, &input)
}

/// Commitment to a private payload:
/// `H(KEY_PRIVATE, pad64(salt || u32 schema || u32 length || bytes))`.
pub fn private_commit(salt: &[u8; SALT_BYTES], schema: u32, private: &[u8]) -> Hash {
    let mut input = Vec::with_capacity(private.len() + 3 * 64);
    pad_private(salt, schema, private, &mut input);
    keyed(&KEY_PRIVATE, &input)
}

/// Appends what is hashed for a public payload.
pub(crate) fn pad_public(schema: u32, public: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(&schema.to_be_bytes());
    out.extend_from_slice(&length(public).to_be_bytes());
    out.extend_from_slice(public);
    fill(start, out);
}

/// Appends what is hashed for a private payload.
pub(crate) fn pad_private(salt: &[u8], schema: u32, private: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(salt);
    out.extend_from_slice(&schema.to_be_bytes());
    out.extend_from_slice(&length(private).to_be_bytes());
    out.extend_from_slice(private);
    fill(start, out);
}

/// Fills what was appended since `start` with zeros to whole blocks.
fn fill(start: usize, out: &mut Vec<u8>) {
    let used = out.len() - start;
    out.resize(out.len() + padding(used), 0);
}

/// Appends what is hashed for the public payload of an event; where the payload lies in it.
pub(crate) fn write_padded(
    event: &Event,
    out: &mut Vec<u8>,
) -> Result<std::ops::Range<usize>, serde_json::Error> {
    let start = out.len();
    out.extend_from_slice(&SCHEMA.to_be_bytes());
    out.extend_from_slice(&[0; 4]);
    write_public(event, out)?;
    let public = start + PUBLIC_HEAD_BYTES..out.len();
    let bytes = u32::try_from(public.len()).unwrap_or(u32::MAX);
    if let Some(field) = out.get_mut(start + 4..start + PUBLIC_HEAD_BYTES) {
        field.copy_from_slice(&bytes.to_be_bytes());
    }
    fill(start, out);
    Ok(public)
}

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap_or(u32::MAX)
}

/// Appends the public payload of an event: the bytes of its [`PublicPayload`], without building
/// one.
///
/// [`PublicPayload`]: crate::event::PublicPayload
pub(crate) fn write_public(event: &Event, out: &mut Vec<u8>) -> Result<(), serde_json::Error> {
    let payload = PublicOut {
        subject: &event.stream,
        occurred_at: event.occurred_at,
        precision: (event.precision != Precision::Exact).then_some(event.precision),
        body: &event.body,
        source: &event.source,
        correlation: (!event.correlation.is_empty()).then_some(&event.correlation),
    };
    serde_json::to_writer(out, &payload)
}

#[derive(Serialize)]
struct PublicOut<'a> {
    subject: &'a StreamName,
    occurred_at: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    precision: Option<Precision>,
    body: &'a EventBody,
    source: &'a Source,
    #[serde(skip_serializing_if = "Option::is_none")]
    correlation: Option<&'a Correlation>,
}

/// A public payload read back, its body still text.
#[derive(Debug, Deserialize)]
pub(crate) struct PublicIn<'a> {
    pub(crate) subject: StreamName,
    pub(crate) occurred_at: Timestamp,
    #[serde(default)]
    pub(crate) precision: Precision,
    #[serde(borrow)]
    pub(crate) body: &'a RawValue,
    pub(crate) source: Source,
    #[serde(default)]
    pub(crate) correlation: Correlation,
}

impl PublicIn<'_> {
    /// The body in the shape its type names.
    pub(crate) fn body(&self, event_type: EventType) -> Result<EventBody, serde_json::Error> {
        let mut text = serde_json::Deserializer::from_str(self.body.get());
        EventBody::read(event_type, &mut text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{NaturalKey, PublicPayload, risk};

    fn event() -> Event {
        Event {
            id: NaturalKey::new("risk.level").with("x").id(),
            stream: StreamName::service_principal("tenant", "object"),
            occurred_at: Timestamp::UNIX_EPOCH,
            precision: Precision::Observed,
            body: EventBody::RiskConfirmed(risk::Level {
                level: "high".to_owned(),
                state: "confirmedCompromised".to_owned(),
                detail: None,
            }),
            source: Source {
                name: "graph/riskyServicePrincipal".to_owned(),
                record: None,
                digest: String::new(),
            },
            correlation: Correlation::default(),
            actor: None,
            private: None,
        }
    }

    #[test]
    fn the_public_payload_is_the_one_of_the_event_model() {
        let mut event = event();
        for precision in [Precision::Exact, Precision::Observed] {
            event.precision = precision;
            let mut bytes = Vec::new();
            write_public(&event, &mut bytes).unwrap();
            let read: PublicPayload = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(read.subject, event.stream);
            assert_eq!(read.precision, precision);
            assert_eq!(read.body, event.body.to_json().unwrap());
            assert_eq!(
                bytes,
                serde_json::to_vec(&read).unwrap(),
                "no other bytes than the model's own"
            );
            event.correlation.id = Some("c".to_owned());
        }
    }

    #[test]
    fn a_commitment_depends_on_the_salt() {
        assert_ne!(
            private_commit(&[1; 32], SCHEMA, b"{}"),
            private_commit(&[2; 32], SCHEMA, b"{}")
        );
    }
}
