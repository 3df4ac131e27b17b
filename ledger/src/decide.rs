//! What to append for an event whose id is already in the book, and the entries of a batch.
//!
//! Pure: state in, decisions out; the store only writes what was decided. The rules are those of
//! `docs/events.md`, "Identity of an event".

use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::entry::{ENTRY_BYTES, Entry};
use crate::event::{
    BlindedId, Event, EventBody, EventId, EventType, NaturalKey, Position, Precision, StreamName,
    book,
};
use crate::hash::{self, Hash, hex};
use crate::payload::{PublicIn, SALT_BYTES, SCHEMA, private_commit};
use crate::prepared::{Preparer, Ready};
use crate::streams::Streams;

/// What became of an event handed to an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// It was appended there.
    Appended(Position),
    /// It is already in the book, there; nothing was appended.
    Duplicate(Position),
    /// It says more about the event at `of`; what it adds was appended at `position`.
    Corroborated {
        /// Position of the event it is about.
        of: Position,
        /// Position of the `ledger.corroborated` event.
        position: Position,
    },
    /// It contradicts the event at `of`; its claim was appended at `position`.
    Conflicted {
        /// Position of the event it is about.
        of: Position,
        /// Position of the `ledger.conflicted` event.
        position: Position,
    },
}

/// The parts of an event that another report of the same change is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Told {
    pub(crate) event_type: EventType,
    pub(crate) precision: Precision,
    pub(crate) body: Value,
}

impl Told {
    pub(crate) fn of(
        event_type: EventType,
        public: &PublicIn<'_>,
    ) -> Result<Self, serde_json::Error> {
        Ok(Self {
            event_type,
            precision: public.precision,
            body: serde_json::from_str(public.body.get())?,
        })
    }
}

/// A later report of a change that is in the book already.
#[derive(Debug)]
pub(crate) struct Later<'a> {
    pub(crate) id: EventId,
    /// Blinded name of its subject's stream.
    pub(crate) stream_id: Hash,
    pub(crate) public: &'a PublicIn<'a>,
    pub(crate) has_private: bool,
}

/// How a later report of a change compares with the first.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Verdict {
    /// It says nothing new.
    Same,
    /// It says more and contradicts nothing.
    More {
        adds: Value,
        occurred_at: Option<Timestamp>,
    },
    /// It contradicts the first.
    Contradiction { claims: Value },
}

/// Compares a later report with the first. What the later one leaves out counts for nothing.
pub(crate) fn compare(first: &Told, later: Told, occurred_at: Timestamp) -> Verdict {
    if first.event_type != later.event_type {
        return Verdict::Contradiction { claims: later.body };
    }
    let exact_now = first.precision == Precision::Observed && later.precision == Precision::Exact;
    match additions(&first.body, &later.body) {
        Additions::Differ => Verdict::Contradiction { claims: later.body },
        Additions::None if !exact_now => Verdict::Same,
        added => Verdict::More {
            adds: match added {
                Additions::Some(adds) => adds,
                _ => Value::Object(Map::new()),
            },
            occurred_at: exact_now.then_some(occurred_at),
        },
    }
}

enum Additions {
    None,
    Some(Value),
    Differ,
}

/// What `new` has that `old` lacks, object by object, or that they differ.
fn additions(old: &Value, new: &Value) -> Additions {
    if says_nothing(new) || old == new {
        return Additions::None;
    }
    if says_nothing(old) {
        return Additions::Some(new.clone());
    }
    let (Value::Object(old), Value::Object(new)) = (old, new) else {
        return Additions::Differ;
    };
    let mut adds = Map::new();
    for (name, value) in new {
        match additions(old.get(name).unwrap_or(&Value::Null), value) {
            Additions::None => {}
            Additions::Some(more) => {
                adds.insert(name.clone(), more);
            }
            Additions::Differ => return Additions::Differ,
        }
    }
    if adds.is_empty() {
        Additions::None
    } else {
        Additions::Some(Value::Object(adds))
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The `ledger.corroborated` event for a later report, its actor and private part aside.
pub(crate) fn corroborated(
    later: &Later<'_>,
    of: Position,
    adds: Value,
    occurred_at: Option<Timestamp>,
) -> Event {
    let time = occurred_at.map_or_else(String::new, |time| time.to_string());
    let id = NaturalKey::new("ledger.corroborated")
        .with(&later.id.to_string())
        .with(&digest(&adds))
        .with(&time)
        .id();
    let body = EventBody::Corroborated(book::Corroborated {
        event_id: later.id,
        position: of,
        adds,
        occurred_at,
        subject: later.subject(),
    });
    later.about(id, body)
}

/// The `ledger.conflicted` event for a later report, its actor and private part aside.
pub(crate) fn conflicted(later: &Later<'_>, of: Position, claims: Value) -> Event {
    let id = NaturalKey::new("ledger.conflicted")
        .with(&later.id.to_string())
        .with(&digest(&claims))
        .id();
    let body = EventBody::Conflicted(book::Conflicted {
        event_id: later.id,
        position: of,
        claims,
        subject: later.subject(),
    });
    later.about(id, body)
}

impl Later<'_> {
    /// Whose data key the private part of a made event is encrypted under.
    fn subject(&self) -> Option<BlindedId> {
        self.has_private.then_some(BlindedId(self.stream_id))
    }

    fn about(&self, id: EventId, body: EventBody) -> Event {
        Event {
            id,
            stream: StreamName::ledger(),
            occurred_at: self.public.occurred_at,
            precision: Precision::Exact,
            body,
            source: self.public.source.clone(),
            correlation: self.public.correlation.clone(),
            actor: None,
            private: None,
        }
    }
}

/// BLAKE3 of a value's compact JSON with sorted keys, as hexadecimal digits.
fn digest(value: &Value) -> String {
    hex(blake3::hash(canonical(value).to_string().as_bytes()).as_bytes())
}

/// The value with every object's keys sorted, whatever order the map type of the build keeps.
fn canonical(value: &Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            Value::Object(
                names
                    .into_iter()
                    .filter_map(|name| Some((name.clone(), canonical(fields.get(name)?))))
                    .collect(),
            )
        }
        Value::Array(items) => Value::Array(items.iter().map(canonical).collect()),
        other => other.clone(),
    }
}

/// Where the ledger stands: all that the next entry depends on.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) origin: String,
    pub(crate) ledger_id: [u8; 16],
    pub(crate) blind: Hash,
    pub(crate) preparer: Preparer,
    pub(crate) size: u64,
    pub(crate) chain: Hash,
    pub(crate) recorded_at_ms: u64,
    /// Newest event of each stream, by blinded name.
    pub(crate) streams: Streams,
}

impl Head {
    /// Head of an empty ledger.
    pub(crate) fn new(origin: &str, blind: Hash) -> Self {
        Self {
            origin: origin.to_owned(),
            ledger_id: hash::ledger_id(origin),
            blind,
            preparer: Preparer::new(&blind),
            size: 0,
            chain: hash::genesis(origin),
            recorded_at_ms: 0,
            streams: Streams::default(),
        }
    }

    /// Makes the next entry and moves the head onto it. `now_ms` below the last recorded time is
    /// raised to it.
    pub(crate) fn push(
        &mut self,
        ready: &Ready<'_>,
        salt: &[u8; SALT_BYTES],
        now_ms: u64,
    ) -> (Entry, [u8; ENTRY_BYTES]) {
        self.recorded_at_ms = self.recorded_at_ms.max(now_ms);
        let position = self.size;
        let (stream, stream_prev) = self.streams.push(*ready.stream_id, position);
        let fact = ready.fact;
        let private = ready.private;
        let entry = Entry {
            event_type: fact.event_type,
            flags: flags(fact.event_type, private.is_some()),
            position,
            recorded_at_ms: self.recorded_at_ms,
            event_id: fact.id,
            ledger_id: self.ledger_id,
            revision: stream.revision,
            stream_prev,
            schema: SCHEMA,
            public_length: u32::try_from(ready.public.len()).unwrap_or(u32::MAX),
            occurred_at_ms: fact.occurred_at_ms,
            stream_no: stream.no,
            stream_id: *ready.stream_id,
            actor_id: fact.actor_id,
            public_hash: fact.public_hash,
            private_commit: private.map_or([0; 32], |bytes| private_commit(salt, SCHEMA, bytes)),
            prev_chain: self.chain,
        };
        let bytes = entry.encode();
        self.size += 1;
        self.chain = hash::chain(&bytes);
        (entry, bytes)
    }
}

fn flags(event_type: EventType, has_private: bool) -> u16 {
    let mut flags = if has_private {
        Entry::PRIVATE | Entry::ENCRYPTED
    } else {
        0
    };
    if event_type.0 >> 8 == LEDGER_FAMILY {
        flags |= Entry::SYSTEM;
    }
    if event_type == EventType::REDACTED {
        flags |= Entry::REDACTION;
    }
    flags
}

/// Family number of the events on the ledger itself.
const LEDGER_FAMILY: u16 = 0x0b;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(body: Value, precision: Precision) -> Told {
        Told {
            event_type: EventType(0x0201),
            precision,
            body,
        }
    }

    fn verdict(old: Value, new: Value) -> Verdict {
        compare(
            &told(old, Precision::Exact),
            told(new, Precision::Exact),
            Timestamp::UNIX_EPOCH,
        )
    }

    #[test]
    fn the_same_or_less_is_a_duplicate() {
        assert_eq!(verdict(json!({"a": 1}), json!({"a": 1})), Verdict::Same);
        assert_eq!(
            verdict(json!({"a": 1, "b": 2}), json!({"a": 1})),
            Verdict::Same
        );
        assert_eq!(
            verdict(json!({"a": 1, "b": 2}), json!({"a": 1, "b": null, "c": ""})),
            Verdict::Same
        );
    }

    #[test]
    fn what_was_empty_is_added_at_any_depth() {
        assert_eq!(
            verdict(
                json!({"a": {"x": 1, "y": ""}, "b": null}),
                json!({"a": {"x": 1, "y": "z"}, "b": [2], "c": 3})
            ),
            Verdict::More {
                adds: json!({"a": {"y": "z"}, "b": [2], "c": 3}),
                occurred_at: None
            }
        );
    }

    #[test]
    fn a_differing_value_or_type_is_a_contradiction() {
        assert!(matches!(
            verdict(json!({"a": 1}), json!({"a": 2, "b": 1})),
            Verdict::Contradiction { .. }
        ));
        let mut later = told(json!({"a": 1}), Precision::Exact);
        later.event_type = EventType(0x0202);
        assert!(matches!(
            compare(
                &told(json!({"a": 1}), Precision::Exact),
                later,
                Timestamp::UNIX_EPOCH
            ),
            Verdict::Contradiction { .. }
        ));
    }

    #[test]
    fn an_exact_time_for_an_observed_one_is_more() {
        let old = told(json!({"a": 1}), Precision::Observed);
        let new = told(json!({"a": 1}), Precision::Exact);
        assert_eq!(
            compare(&old, new, Timestamp::UNIX_EPOCH),
            Verdict::More {
                adds: json!({}),
                occurred_at: Some(Timestamp::UNIX_EPOCH)
            }
        );
    }

    #[test]
    fn the_digest_does_not_depend_on_the_order_of_keys() {
        let one: Value = serde_json::from_str(r#"{"b":{"d":1,"c":2},"a":3}"#).unwrap();
        let two: Value = serde_json::from_str(r#"{"a":3,"b":{"c":2,"d":1}}"#).unwrap();
        assert_eq!(digest(&one), digest(&two));
    }
}
