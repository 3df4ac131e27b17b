//! `Read`: of a stream or of everything, once or as a subscription.

use bytes::Bytes;

use super::{Empty, LogPosition, MetadataEntry, StreamIdentifier, Timestamp, Uuid};

/// To `Read`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ReadReq {
    /// What is read.
    #[prost(message, optional, tag = "1")]
    pub options: Option<ReadOptions>,
}

/// What is read.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ReadOptions {
    /// Of what, from where.
    #[prost(oneof = "ReadOf", tags = "1, 2")]
    pub of: Option<ReadOf>,
    /// 0 forwards, 1 backwards: see [`BACKWARDS`].
    #[prost(int32, tag = "3")]
    pub read_direction: i32,
    /// Whether links are followed.
    #[prost(bool, tag = "4")]
    pub resolve_links: bool,
    /// How many, or all that will be.
    #[prost(oneof = "ReadCount", tags = "5, 6")]
    pub count: Option<ReadCount>,
    /// Which.
    #[prost(oneof = "ReadFilter", tags = "7, 8")]
    pub filter: Option<ReadFilter>,
    /// How UUIDs are told.
    #[prost(message, optional, tag = "9")]
    pub uuid_option: Option<UuidOption>,
    /// What else may be told.
    #[prost(message, optional, tag = "10")]
    pub control_option: Option<ControlOption>,
}

/// [`ReadOptions::read_direction`] towards the beginning.
pub const BACKWARDS: i32 = 1;

/// Of what is read, and from where.
#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub enum ReadOf {
    /// A stream.
    #[prost(message, tag = "1")]
    Stream(StreamOptions),
    /// Everything.
    #[prost(message, tag = "2")]
    All(AllOptions),
}

/// A stream, and from where.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct StreamOptions {
    /// The stream.
    #[prost(message, optional, tag = "1")]
    pub stream_identifier: Option<StreamIdentifier>,
    /// From where: a read begins with this revision, a subscription behind it.
    #[prost(oneof = "StreamFrom", tags = "2, 3, 4")]
    pub from: Option<StreamFrom>,
}

/// From where a stream is read.
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum StreamFrom {
    /// A revision.
    #[prost(uint64, tag = "2")]
    Revision(u64),
    /// Its first event.
    #[prost(message, tag = "3")]
    Start(Empty),
    /// Its last event.
    #[prost(message, tag = "4")]
    End(Empty),
}

/// From where everything is read.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct AllOptions {
    /// From where.
    #[prost(oneof = "AllFrom", tags = "1, 2, 3")]
    pub from: Option<AllFrom>,
}

/// From where everything is read.
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum AllFrom {
    /// A place in the log.
    #[prost(message, tag = "1")]
    Position(LogPosition),
    /// The first event.
    #[prost(message, tag = "2")]
    Start(Empty),
    /// The last event.
    #[prost(message, tag = "3")]
    End(Empty),
}

/// How many events are read.
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum ReadCount {
    /// So many at most.
    #[prost(uint64, tag = "5")]
    Count(u64),
    /// Also those that come, without end.
    #[prost(message, tag = "6")]
    Subscription(Empty),
}

/// Which events are read.
#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub enum ReadFilter {
    /// Some of everything.
    #[prost(message, tag = "7")]
    Filter(FilterOptions),
    /// All.
    #[prost(message, tag = "8")]
    NoFilter(Empty),
}

/// Some of everything.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct FilterOptions {
    /// By what.
    #[prost(oneof = "FilterBy", tags = "1, 2")]
    pub by: Option<FilterBy>,
    /// After how many events that do not fit a checkpoint is told.
    #[prost(oneof = "FilterWindow", tags = "3, 4")]
    pub window: Option<FilterWindow>,
    /// Times that.
    #[prost(uint32, tag = "5")]
    pub checkpoint_interval_multiplier: u32,
}

/// By what events are chosen.
#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub enum FilterBy {
    /// Name of the stream.
    #[prost(message, tag = "1")]
    StreamName(Expression),
    /// Type of the event.
    #[prost(message, tag = "2")]
    EventType(Expression),
}

/// Which names fit.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Expression {
    /// A regular expression; empty for none.
    #[prost(string, tag = "1")]
    pub regex: String,
    /// Beginnings.
    #[prost(string, repeated, tag = "2")]
    pub prefix: Vec<String>,
}

/// After how many events that do not fit a checkpoint is told.
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum FilterWindow {
    /// So many.
    #[prost(uint32, tag = "3")]
    Max(u32),
    /// Never.
    #[prost(message, tag = "4")]
    Count(Empty),
}

/// How UUIDs are told.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct UuidOption {
    /// Which way.
    #[prost(oneof = "UuidForm", tags = "1, 2")]
    pub form: Option<UuidForm>,
}

/// Forms of a UUID.
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum UuidForm {
    /// Two halves.
    #[prost(message, tag = "1")]
    Structured(Empty),
    /// With hyphens.
    #[prost(message, tag = "2")]
    Text(Empty),
}

/// What else may be told.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct ControlOption {
    /// From 1 on: `first_stream_position` and `last_stream_position`.
    #[prost(uint32, tag = "1")]
    pub compatibility: u32,
}

/// Something of a read.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ReadResp {
    /// What.
    #[prost(oneof = "ReadContent", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9")]
    pub content: Option<ReadContent>,
}

/// Something of a read.
#[derive(Clone, PartialEq, Eq, prost::Oneof)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are events, which a box would allocate one by one"
)]
pub enum ReadContent {
    /// An event.
    #[prost(message, tag = "1")]
    Event(ReadEvent),
    /// The subscription is made.
    #[prost(message, tag = "2")]
    Confirmation(SubscriptionConfirmation),
    /// How far a filtered read came.
    #[prost(message, tag = "3")]
    Checkpoint(Checkpoint),
    /// There is no such stream.
    #[prost(message, tag = "4")]
    StreamNotFound(StreamNotFound),
    /// Revision of the stream's first event.
    #[prost(uint64, tag = "5")]
    FirstStreamPosition(u64),
    /// Revision of the stream's last event.
    #[prost(uint64, tag = "6")]
    LastStreamPosition(u64),
    /// Place of the last event.
    #[prost(message, tag = "7")]
    LastAllStreamPosition(LogPosition),
    /// What was there is told; what comes is told as it comes.
    #[prost(message, tag = "8")]
    CaughtUp(Standing),
    /// The subscriber is too slow for what comes.
    #[prost(message, tag = "9")]
    FellBehind(Standing),
}

/// An event as read.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ReadEvent {
    /// The event.
    #[prost(message, optional, tag = "1")]
    pub event: Option<RecordedEvent>,
    /// The link that led to it.
    #[prost(message, optional, tag = "2")]
    pub link: Option<RecordedEvent>,
    /// Its place in the log.
    #[prost(oneof = "EventPosition", tags = "3, 4")]
    pub position: Option<EventPosition>,
}

/// Place of an event in the log.
#[derive(Clone, Copy, PartialEq, Eq, prost::Oneof)]
pub enum EventPosition {
    /// There.
    #[prost(uint64, tag = "3")]
    Commit(u64),
    /// It is not told.
    #[prost(message, tag = "4")]
    NoPosition(Empty),
}

/// An event as recorded.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct RecordedEvent {
    /// Its id.
    #[prost(message, optional, tag = "1")]
    pub id: Option<Uuid>,
    /// Its stream.
    #[prost(message, optional, tag = "2")]
    pub stream_identifier: Option<StreamIdentifier>,
    /// Its revision in the stream.
    #[prost(uint64, tag = "3")]
    pub stream_revision: u64,
    /// Its place in the log.
    #[prost(uint64, tag = "4")]
    pub prepare_position: u64,
    /// Place of its commit.
    #[prost(uint64, tag = "5")]
    pub commit_position: u64,
    /// `type`, `content-type` and `created`.
    #[prost(message, repeated, tag = "6")]
    pub metadata: Vec<MetadataEntry>,
    /// The client's own metadata.
    #[prost(bytes = "bytes", tag = "7")]
    pub custom_metadata: Bytes,
    /// The payload.
    #[prost(bytes = "bytes", tag = "8")]
    pub data: Bytes,
}

/// The subscription is made.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct SubscriptionConfirmation {
    /// Its id.
    #[prost(string, tag = "1")]
    pub subscription_id: String,
}

/// How far a filtered read came.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Checkpoint {
    /// Place of the commit.
    #[prost(uint64, tag = "1")]
    pub commit_position: u64,
    /// Place of the event.
    #[prost(uint64, tag = "2")]
    pub prepare_position: u64,
    /// When.
    #[prost(message, optional, tag = "3")]
    pub timestamp: Option<Timestamp>,
}

/// How far a subscription is, and when, by the server's clock.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Standing {
    /// When.
    #[prost(message, optional, tag = "1")]
    pub timestamp: Option<Timestamp>,
    /// Of a stream: the revision.
    #[prost(int64, optional, tag = "2")]
    pub stream_revision: Option<i64>,
    /// Of everything: the place.
    #[prost(message, optional, tag = "3")]
    pub position: Option<LogPosition>,
}

/// There is no such stream.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct StreamNotFound {
    /// Its name.
    #[prost(message, optional, tag = "1")]
    pub stream_identifier: Option<StreamIdentifier>,
}
