//! Messages of KurrentDB's gRPC protocol, version 1, as far as Daybook speaks it. Written by hand
//! from the published field numbers; unknown fields are passed over, as Protocol Buffers ask.
//!
//! Packages: `event_store.client` (shared), `event_store.client.streams`,
//! `event_store.client.gossip`, `event_store.client.server_features`.

pub mod append;
pub mod gossip;
pub mod read;

/// gRPC paths of the methods.
pub mod path {
    /// Appends to one stream: options first, then one message per event.
    pub const APPEND: &str = "/event_store.client.streams.Streams/Append";
    /// Appends to streams, any number of times over one call.
    pub const BATCH_APPEND: &str = "/event_store.client.streams.Streams/BatchAppend";
    /// Reads a stream, or subscribes to it.
    pub const READ: &str = "/event_store.client.streams.Streams/Read";
    /// Says which nodes a cluster has.
    pub const GOSSIP: &str = "/event_store.client.gossip.Gossip/Read";
    /// Says what the server can do, and its version.
    pub const FEATURES: &str =
        "/event_store.client.server_features.ServerFeatures/GetSupportedMethods";
    /// Deletes a stream so that it can be begun again.
    pub const DELETE: &str = "/event_store.client.streams.Streams/Delete";
    /// Deletes a stream for good.
    pub const TOMBSTONE: &str = "/event_store.client.streams.Streams/Tombstone";
}

/// No fields: `event_store.client.Empty` and `google.protobuf.Empty` alike.
pub type Empty = ();

/// A UUID, in one of two forms.
#[derive(Clone, PartialEq, Eq, Hash, prost::Message)]
pub struct Uuid {
    /// The form.
    #[prost(oneof = "UuidValue", tags = "1, 2")]
    pub value: Option<UuidValue>,
}

/// Forms of a [`Uuid`].
#[derive(Clone, PartialEq, Eq, Hash, prost::Oneof)]
pub enum UuidValue {
    /// Two halves.
    #[prost(message, tag = "1")]
    Structured(UuidHalves),
    /// Hexadecimal digits with hyphens.
    #[prost(string, tag = "2")]
    Text(String),
}

/// A UUID in two halves, each big-endian.
#[derive(Clone, Copy, PartialEq, Eq, Hash, prost::Message)]
pub struct UuidHalves {
    /// Bytes 0 to 7.
    #[prost(int64, tag = "1")]
    pub most_significant_bits: i64,
    /// Bytes 8 to 15.
    #[prost(int64, tag = "2")]
    pub least_significant_bits: i64,
}

impl Uuid {
    /// The form with two halves.
    pub fn structured(bytes: [u8; 16]) -> Self {
        let half = |from: usize| {
            let mut half = [0; 8];
            half.iter_mut()
                .zip(bytes.iter().skip(from))
                .for_each(|(to, byte)| *to = *byte);
            i64::from_be_bytes(half)
        };
        Self {
            value: Some(UuidValue::Structured(UuidHalves {
                most_significant_bits: half(0),
                least_significant_bits: half(8),
            })),
        }
    }

    /// The form with hyphens.
    pub fn text(bytes: [u8; 16]) -> Self {
        let mut text = String::with_capacity(36);
        for (at, byte) in bytes.iter().enumerate() {
            if [4, 6, 8, 10].contains(&at) {
                text.push('-');
            }
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
            }
        }
        Self {
            value: Some(UuidValue::Text(text)),
        }
    }

    /// Its bytes; `None` when it is absent or no UUID.
    pub fn bytes(&self) -> Option<[u8; 16]> {
        match self.value.as_ref()? {
            UuidValue::Structured(halves) => {
                let mut bytes = [0; 16];
                let (most, least) = bytes.split_at_mut(8);
                most.copy_from_slice(&halves.most_significant_bits.to_be_bytes());
                least.copy_from_slice(&halves.least_significant_bits.to_be_bytes());
                Some(bytes)
            }
            UuidValue::Text(text) => {
                let digits: Vec<u8> = text
                    .chars()
                    .filter(|c| *c != '-')
                    .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
                    .collect::<Option<_>>()?;
                if digits.len() != 32 {
                    return None;
                }
                let mut bytes = [0; 16];
                for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
                    *byte = pair.iter().fold(0, |sum, digit| sum << 4 | digit);
                }
                Some(bytes)
            }
        }
    }
}

/// Name of a stream.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct StreamIdentifier {
    /// UTF-8.
    #[prost(bytes = "bytes", tag = "3")]
    pub stream_name: bytes::Bytes,
}

impl StreamIdentifier {
    /// Of a name.
    pub fn of(name: &str) -> Self {
        Self {
            stream_name: bytes::Bytes::copy_from_slice(name.as_bytes()),
        }
    }
}

/// A place in the server's whole log.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct LogPosition {
    /// Of the commit.
    #[prost(uint64, tag = "1")]
    pub commit: u64,
    /// Of the event itself.
    #[prost(uint64, tag = "2")]
    pub prepare: u64,
}

/// A key and its value; of an event `type` and `content-type`, and of a recorded one `created`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct MetadataEntry {
    /// The key.
    #[prost(string, tag = "1")]
    pub key: String,
    /// The value.
    #[prost(string, tag = "2")]
    pub value: String,
}

impl MetadataEntry {
    /// A key and its value.
    pub fn new(key: &str, value: &str) -> Self {
        Self {
            key: key.to_owned(),
            value: value.to_owned(),
        }
    }
}

/// Of an event: its type. Of a recorded one as well: when, and how its data is to be read.
pub mod metadata {
    /// Type of the event.
    pub const TYPE: &str = "type";
    /// `application/json` or `application/octet-stream`.
    pub const CONTENT_TYPE: &str = "content-type";
    /// When the server recorded it: 100 ns steps since 1970, in decimal digits.
    pub const CREATED: &str = "created";
}

/// `google.protobuf.Timestamp`.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Timestamp {
    /// Since 1970.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Of the second.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// `google.protobuf.Duration`.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Duration {
    /// Whole seconds.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// And nanoseconds.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Any {
    /// `type.googleapis.com/` and the name of the message.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// The message, encoded.
    #[prost(bytes = "bytes", tag = "2")]
    pub value: bytes::Bytes,
}

/// A variant of `google.rpc.Status` with one detail.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Status {
    /// gRPC status code.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// For people.
    #[prost(string, tag = "2")]
    pub message: String,
    /// For programs.
    #[prost(message, optional, tag = "3")]
    pub details: Option<Any>,
}

/// The `type_url` of a shared message in [`Any`].
pub fn type_url(name: &str) -> String {
    format!("type.googleapis.com/event_store.client.{name}")
}

/// Detail of a batch that was refused: the stream is elsewhere.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct WrongExpectedVersion {
    /// Where the stream is.
    #[prost(oneof = "CurrentRevision", tags = "1, 2")]
    pub current: Option<CurrentRevision>,
    /// Where it was expected.
    #[prost(oneof = "ExpectedPosition", tags = "3, 4, 5, 6")]
    pub expected: Option<ExpectedPosition>,
}

/// Where a stream is.
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum CurrentRevision {
    /// Revision of its newest event.
    #[prost(uint64, tag = "1")]
    Revision(u64),
    /// There is none.
    #[prost(message, tag = "2")]
    NoStream(Empty),
}

/// Where a stream was expected, in [`WrongExpectedVersion`].
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum ExpectedPosition {
    /// Revision of its newest event.
    #[prost(uint64, tag = "3")]
    Revision(u64),
    /// Anywhere.
    #[prost(message, tag = "4")]
    Any(Empty),
    /// Anywhere, but there.
    #[prost(message, tag = "5")]
    StreamExists(Empty),
    /// Not there.
    #[prost(message, tag = "6")]
    NoStream(Empty),
}

/// Detail of a batch that was too large.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct MaximumAppendSizeExceeded {
    /// Largest append the server takes, in bytes.
    #[prost(uint32, tag = "1")]
    pub max_append_size: u32,
}

/// Detail of a batch to a stream that was deleted for good.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct StreamDeleted {
    /// The stream.
    #[prost(message, optional, tag = "1")]
    pub stream_identifier: Option<StreamIdentifier>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_a_uuid_are_the_same_bytes() {
        let bytes = [0x80, 1, 2, 3, 4, 5, 6, 7, 0xf8, 9, 10, 11, 12, 13, 14, 0xff];
        let text = Uuid::text(bytes);
        assert_eq!(
            text.value,
            Some(UuidValue::Text(
                "80010203-0405-0607-f809-0a0b0c0d0eff".to_owned()
            ))
        );
        assert_eq!(text.bytes(), Some(bytes));
        assert_eq!(Uuid::structured(bytes).bytes(), Some(bytes));
        for bad in ["", "80010203", "80010203-0405-0607-f809-0a0b0c0d0exf"] {
            let uuid = Uuid {
                value: Some(UuidValue::Text(bad.to_owned())),
            };
            assert_eq!(uuid.bytes(), None, "{bad}");
        }
        assert_eq!(Uuid::default().bytes(), None);
    }
}
