//! The book itself: events, entries, the hash chain, the store and its verification.
//!
//! An [`Event`] is a fact in the past tense about one subject. The store turns it into a 256-byte
//! [`Entry`] (`LGE1`) that carries the hash of its payloads and of the entry before it, and
//! returns only when the bytes are durable. Everything else in Daybook reads what is written here.
//!
//! Deliberately not here: source formats, projections, money, output. No polars, no tokio.

pub mod event;

pub use event::{
    Correlation, Event, EventBody, EventId, EventType, NaturalKey, Position, Precision, Source,
    StreamName,
};
