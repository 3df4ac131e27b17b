//! `Append`, `BatchAppend`, `Delete` and `Tombstone`.

use bytes::Bytes;

use super::{
    CurrentRevision, Duration, Empty, LogPosition, MetadataEntry, Status, StreamIdentifier,
    Timestamp, Uuid,
};

/// A message to `Append`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct AppendReq {
    /// What it says.
    #[prost(oneof = "AppendContent", tags = "1, 2")]
    pub content: Option<AppendContent>,
}

/// What an [`AppendReq`] says.
#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub enum AppendContent {
    /// Where to; the first message, and no other.
    #[prost(message, tag = "1")]
    Options(AppendOptions),
    /// An event.
    #[prost(message, tag = "2")]
    ProposedMessage(ProposedMessage),
}

/// Where events are appended; also of `Delete` and `Tombstone`, what is deleted.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct AppendOptions {
    /// The stream.
    #[prost(message, optional, tag = "1")]
    pub stream_identifier: Option<StreamIdentifier>,
    /// Where it is expected.
    #[prost(oneof = "ExpectedRevision", tags = "2, 3, 4, 5")]
    pub expected: Option<ExpectedRevision>,
}

/// Where a stream is expected.
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum ExpectedRevision {
    /// Revision of its newest event.
    #[prost(uint64, tag = "2")]
    Revision(u64),
    /// There is none.
    #[prost(message, tag = "3")]
    NoStream(Empty),
    /// Anywhere.
    #[prost(message, tag = "4")]
    Any(Empty),
    /// Anywhere, but there.
    #[prost(message, tag = "5")]
    StreamExists(Empty),
}

/// An event to append.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ProposedMessage {
    /// Id of the event, for idempotency.
    #[prost(message, optional, tag = "1")]
    pub id: Option<Uuid>,
    /// `type` and `content-type`.
    #[prost(message, repeated, tag = "2")]
    pub metadata: Vec<MetadataEntry>,
    /// The client's own metadata.
    #[prost(bytes = "bytes", tag = "3")]
    pub custom_metadata: Bytes,
    /// The payload.
    #[prost(bytes = "bytes", tag = "4")]
    pub data: Bytes,
}

/// Answer of `Append`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct AppendResp {
    /// What came of it.
    #[prost(oneof = "AppendResult", tags = "1, 2")]
    pub result: Option<AppendResult>,
}

/// What came of an append.
#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub enum AppendResult {
    /// It is there, durably.
    #[prost(message, tag = "1")]
    Success(Success),
    /// The stream is elsewhere; nothing was appended.
    #[prost(message, tag = "2")]
    WrongExpectedVersion(Elsewhere),
}

/// An append that is there.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Success {
    /// Where the stream is now.
    #[prost(oneof = "CurrentRevision", tags = "1, 2")]
    pub current: Option<CurrentRevision>,
    /// Where it is in the server's log.
    #[prost(oneof = "SuccessPosition", tags = "3, 4")]
    pub position: Option<SuccessPosition>,
}

/// Where an append is in the server's log.
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum SuccessPosition {
    /// There.
    #[prost(message, tag = "3")]
    Position(LogPosition),
    /// It is not told.
    #[prost(message, tag = "4")]
    NoPosition(Empty),
}

/// An append that was refused, with the fields of old clients beside those of new ones.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Elsewhere {
    /// Where the stream is, for clients of 20.6.
    #[prost(oneof = "CurrentRevision", tags = "1, 2")]
    pub current_20_6: Option<CurrentRevision>,
    /// Where it was expected, for clients of 20.6.
    #[prost(oneof = "Expected206", tags = "3, 4, 5")]
    pub expected_20_6: Option<Expected206>,
    /// Where the stream is.
    #[prost(oneof = "ElsewhereCurrent", tags = "6, 7")]
    pub current: Option<ElsewhereCurrent>,
    /// Where it was expected.
    #[prost(oneof = "ElsewhereExpected", tags = "8, 9, 10, 11")]
    pub expected: Option<ElsewhereExpected>,
}

/// Where a stream was expected, for clients of 20.6.
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum Expected206 {
    /// Revision of its newest event.
    #[prost(uint64, tag = "3")]
    Revision(u64),
    /// Anywhere.
    #[prost(message, tag = "4")]
    Any(Empty),
    /// Anywhere, but there.
    #[prost(message, tag = "5")]
    StreamExists(Empty),
}

/// Where a stream is, in [`Elsewhere`].
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum ElsewhereCurrent {
    /// Revision of its newest event.
    #[prost(uint64, tag = "6")]
    Revision(u64),
    /// There is none.
    #[prost(message, tag = "7")]
    NoStream(Empty),
}

/// Where a stream was expected, in [`Elsewhere`].
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum ElsewhereExpected {
    /// Revision of its newest event.
    #[prost(uint64, tag = "8")]
    Revision(u64),
    /// Anywhere.
    #[prost(message, tag = "9")]
    Any(Empty),
    /// Anywhere, but there.
    #[prost(message, tag = "10")]
    StreamExists(Empty),
    /// Not there.
    #[prost(message, tag = "11")]
    NoStream(Empty),
}

/// A message to `BatchAppend`: a chunk of a batch.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct BatchAppendReq {
    /// Which batch.
    #[prost(message, optional, tag = "1")]
    pub correlation_id: Option<Uuid>,
    /// Where to; in the first chunk of a batch.
    #[prost(message, optional, tag = "2")]
    pub options: Option<BatchOptions>,
    /// Events.
    #[prost(message, repeated, tag = "3")]
    pub proposed_messages: Vec<ProposedMessage>,
    /// Whether the batch ends here, and is appended.
    #[prost(bool, tag = "4")]
    pub is_final: bool,
}

/// Where a batch is appended, and until when.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct BatchOptions {
    /// The stream.
    #[prost(message, optional, tag = "1")]
    pub stream_identifier: Option<StreamIdentifier>,
    /// Where it is expected.
    #[prost(oneof = "ExpectedRevision", tags = "2, 3, 4, 5")]
    pub expected: Option<ExpectedRevision>,
    /// Until when.
    #[prost(oneof = "Deadline", tags = "6, 7")]
    pub deadline: Option<Deadline>,
}

/// Until when a batch is tried.
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum Deadline {
    /// A moment, as clients of 21.10 tell it.
    #[prost(message, tag = "6")]
    At(Timestamp),
    /// So long from now on.
    #[prost(message, tag = "7")]
    In(Duration),
}

/// What came of a batch.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct BatchAppendResp {
    /// Which batch.
    #[prost(message, optional, tag = "1")]
    pub correlation_id: Option<Uuid>,
    /// What came of it.
    #[prost(oneof = "BatchResult", tags = "2, 3")]
    pub result: Option<BatchResult>,
    /// The stream.
    #[prost(message, optional, tag = "4")]
    pub stream_identifier: Option<StreamIdentifier>,
    /// Where it was expected.
    #[prost(oneof = "BatchExpected", tags = "5, 6, 7, 8")]
    pub expected: Option<BatchExpected>,
}

/// What came of a batch.
#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub enum BatchResult {
    /// Nothing was appended.
    #[prost(message, tag = "2")]
    Error(Status),
    /// It is there, durably.
    #[prost(message, tag = "3")]
    Success(Success),
}

/// Where a stream was expected, in [`BatchAppendResp`].
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum BatchExpected {
    /// Revision of its newest event.
    #[prost(uint64, tag = "5")]
    Revision(u64),
    /// There is none.
    #[prost(message, tag = "6")]
    NoStream(Empty),
    /// Anywhere.
    #[prost(message, tag = "7")]
    Any(Empty),
    /// Anywhere, but there.
    #[prost(message, tag = "8")]
    StreamExists(Empty),
}

/// To `Delete` and `Tombstone`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct DeleteReq {
    /// What.
    #[prost(message, optional, tag = "1")]
    pub options: Option<AppendOptions>,
}

/// Answer of `Delete` and `Tombstone`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct DeleteResp {
    /// Where it is in the server's log.
    #[prost(oneof = "DeletePosition", tags = "1, 2")]
    pub position: Option<DeletePosition>,
}

/// Where a deletion is in the server's log.
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum DeletePosition {
    /// There.
    #[prost(message, tag = "1")]
    Position(LogPosition),
    /// It is not told.
    #[prost(message, tag = "2")]
    NoPosition(Empty),
}
