//! How one record ends.

use ledger::Event;
use serde::Serialize;

/// Why a record could not be turned into an event. Rendered in one line with its file and line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The bytes are not JSON.
    #[error("not JSON: {detail}")]
    NotJson {
        /// What the parser says.
        detail: String,
    },
    /// The bytes are not UTF-8 (nor UTF-16 with a byte-order mark).
    #[error("not UTF-8 text at byte {byte} of the record")]
    NotUtf8 {
        /// Offset within the record.
        byte: usize,
    },
    /// The record is longer than is read.
    #[error("record of {bytes} bytes is over the limit of {limit}")]
    TooLong {
        /// Its length, as far as it was read.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// Ends in the middle of a value.
    #[error("cut off in the middle of a record")]
    CutOff,
    /// JSON, but of no shape this version reads.
    #[error("unknown format: {detail}")]
    UnknownShape {
        /// What the record looks like.
        detail: String,
    },
    /// A field that is needed is missing.
    #[error("field `{field}` is missing")]
    Missing {
        /// Its name.
        field: String,
    },
    /// A field has a value that cannot be read.
    #[error("field `{field}` has the value `{value}`, which is not {expected}")]
    BadValue {
        /// Its name.
        field: String,
        /// Its value, cut to 80 characters, control characters replaced.
        value: String,
        /// What was expected.
        expected: String,
    },
}

/// A record that could not be turned into an event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// 1-based line where the record starts.
    pub line: u64,
    /// Why, in one line.
    pub reason: String,
}

/// How one record ends before the ledger has seen its events.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It says these facts. The ledger decides which are new.
    Events(Vec<Event>),
    /// It says nothing that is not already known.
    Unchanged,
    /// Its activity does not concern workload identities; the activity's name.
    Skipped(String),
    /// It could not be read.
    Rejected(Reason),
}
