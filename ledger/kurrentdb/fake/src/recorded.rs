//! Events, before and after they are recorded.

use std::sync::Arc;

use bytes::Bytes;

/// An event to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposed {
    /// Its id, for idempotency.
    pub id: [u8; 16],
    /// Its type.
    pub kind: String,
    /// Whether its data is JSON.
    pub json: bool,
    /// The client's own metadata.
    pub custom: Bytes,
    /// The payload.
    pub data: Bytes,
}

impl Proposed {
    /// Bytes it counts for against the limits: data, metadata, and its type in UTF-16.
    pub(crate) fn size(&self) -> usize {
        self.data.len() + self.custom.len() + 2 * self.kind.encode_utf16().count()
    }
}

/// An event as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its id.
    pub id: [u8; 16],
    /// Its stream.
    pub stream: Arc<str>,
    /// Its revision in the stream.
    pub revision: u64,
    /// Its place in the log.
    pub position: u64,
    /// Its type.
    pub kind: Arc<str>,
    /// Whether its data is JSON.
    pub json: bool,
    /// When it was recorded: 100 ns steps since 1970.
    pub created: u64,
    /// The client's own metadata.
    pub custom: Bytes,
    /// The payload.
    pub data: Bytes,
}

impl Recorded {
    /// How its data is to be read.
    pub fn content_type(&self) -> &'static str {
        if self.json {
            "application/json"
        } else {
            "application/octet-stream"
        }
    }
}
