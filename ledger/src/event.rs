//! The event model: one immutable fact about one subject, in Daybook's words.
//!
//! Families, numbers and natural keys are those of `docs/events.md`. A body is what billing,
//! lifecycle and checks compute from; it never holds personal data of people, which go into the
//! private part.

pub mod activity;
pub mod billing;
pub mod body;
pub mod book;
pub mod credential;
pub mod evidence;
pub mod grant;
pub mod identity;
pub mod key;
pub mod licence;
pub mod policy;
pub mod report;
pub mod risk;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use body::{EventBody, EventType};
pub use key::{BlindedId, EventId, NaturalKey};

/// 0-based index of an event in the whole ledger, equal to its leaf index in the tree.
pub type Position = u64;

/// Name of a stream: one subject's events, such as `entra:<tenant>:sp:<object id>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct StreamName(pub String);

impl StreamName {
    /// Stream of a service principal or managed identity.
    pub fn service_principal(tenant: &str, object_id: &str) -> Self {
        Self(format!("entra:{tenant}:sp:{object_id}"))
    }

    /// Stream of an application (app registration).
    pub fn application(tenant: &str, object_id: &str) -> Self {
        Self(format!("entra:{tenant}:app:{object_id}"))
    }

    /// Stream of a Conditional Access policy.
    pub fn policy(tenant: &str, policy_id: &str) -> Self {
        Self(format!("entra:{tenant}:policy:{policy_id}"))
    }

    /// Stream of a named location.
    pub fn location(tenant: &str, location_id: &str) -> Self {
        Self(format!("entra:{tenant}:location:{location_id}"))
    }

    /// Stream of a tenant: licences and settings.
    pub fn tenant(tenant: &str) -> Self {
        Self(format!("entra:{tenant}"))
    }

    /// Stream of the billing account of a tenant: recorded runs.
    pub fn billing(tenant: &str) -> Self {
        Self(format!("billing:{tenant}"))
    }

    /// Stream of the ledger itself: created, imported, corroborated, conflicted.
    pub fn ledger() -> Self {
        Self("ledger".to_owned())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Tenant and object id when this is an `entra:` stream with an object, else `None`.
    pub fn entra_parts(&self) -> Option<(&str, &str, &str)> {
        let mut parts = self.0.splitn(4, ':');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("entra"), Some(tenant), Some(kind), Some(id)) => Some((tenant, kind, id)),
            _ => None,
        }
    }
}

impl std::fmt::Display for StreamName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where an event came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Name of the export, such as `graph/directoryAudit` or `daybook`.
    pub name: String,
    /// The record's own id in the source, when it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// BLAKE3 of the record's original bytes, lower-case hex. Empty for events Daybook makes itself.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
}

/// How well the time of an event is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// The source gave the time.
    #[default]
    Exact,
    /// First seen in a snapshot taken at this time; it happened at or before it.
    Observed,
}

/// Ties several records of one logical change together.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Correlation {
    /// The source's correlation id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Ids of further records that report the same change, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<String>,
}

impl Correlation {
    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.id.is_none() && self.records.is_empty()
    }
}

/// What a source or a command proposes to append.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Identity of the change; the same change reported twice has the same id.
    pub id: EventId,
    /// The subject.
    pub stream: StreamName,
    /// When it happened, in the source's words.
    pub occurred_at: Timestamp,
    /// How well `occurred_at` is known.
    pub precision: Precision,
    /// The fact.
    pub body: EventBody,
    /// Where it came from.
    pub source: Source,
    /// What else reported it.
    pub correlation: Correlation,
    /// Who did it, as an opaque name (object id, app id); blinded in the header.
    pub actor: Option<String>,
    /// Personal data and the original record, as JSON; erasable, never needed for a bill.
    pub private: Option<serde_json::Value>,
}

impl Event {
    /// An event that Daybook makes itself, with no record behind it.
    pub fn own(key: NaturalKey, stream: StreamName, body: EventBody, at: Timestamp) -> Self {
        Self {
            id: key.id(),
            stream,
            occurred_at: at,
            precision: Precision::Exact,
            body,
            source: Source {
                name: "daybook".to_owned(),
                record: None,
                digest: String::new(),
            },
            correlation: Correlation::default(),
            actor: None,
            private: None,
        }
    }
}

/// The public payload, exactly as stored: one compact JSON object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PublicPayload {
    /// Name of the stream.
    pub subject: StreamName,
    /// Full-precision time of the fact.
    pub occurred_at: Timestamp,
    /// How well the time is known; absent means exact.
    #[serde(default, skip_serializing_if = "is_exact")]
    pub precision: Precision,
    /// The fact, in the shape its event type names.
    pub body: serde_json::Value,
    /// Where it came from.
    pub source: Source,
    /// What else reported it.
    #[serde(default, skip_serializing_if = "Correlation::is_empty")]
    pub correlation: Correlation,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_exact(precision: &Precision) -> bool {
    *precision == Precision::Exact
}

/// What a reader can say of an event's private part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PrivateState {
    /// There never was one.
    #[default]
    None,
    /// It was not asked for.
    Unread,
    /// It was read.
    Open,
    /// It was erased, and a `ledger.redacted` event says so.
    Erased,
    /// It is encrypted, and there is no file of data keys here.
    Sealed,
    /// Its data key or its bytes are gone without an erasure on record.
    Lost,
}

/// An event as read back from the ledger, with where and when it was recorded.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// Index in the ledger.
    pub position: Position,
    /// When the ledger recorded it; never decreases.
    pub recorded_at: Timestamp,
    /// Dense number of the stream, 0-based by first appearance.
    pub stream_no: u32,
    /// 0-based index within the stream.
    pub revision: u64,
    /// Whether a private part was stored (its bytes may have been erased since).
    pub has_private: bool,
    /// What became of the private part.
    pub private_state: PrivateState,
    /// The event. `private` is filled only when the reader asked for it.
    pub event: Event,
}
