//! `Gossip` and `ServerFeatures`: which nodes there are, and what they can do.

use super::Uuid;

/// The nodes of a cluster.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ClusterInfo {
    /// Every node that is known of.
    #[prost(message, repeated, tag = "1")]
    pub members: Vec<MemberInfo>,
}

/// A node.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct MemberInfo {
    /// Of its process.
    #[prost(message, optional, tag = "1")]
    pub instance_id: Option<Uuid>,
    /// When it was heard of: 100 ns steps since 1970.
    #[prost(int64, tag = "2")]
    pub time_stamp: i64,
    /// What it is.
    #[prost(enumeration = "NodeState", tag = "3")]
    pub state: i32,
    /// Whether it is heard of.
    #[prost(bool, tag = "4")]
    pub is_alive: bool,
    /// Where clients reach it.
    #[prost(message, optional, tag = "5")]
    pub http_end_point: Option<EndPoint>,
}

/// Where clients reach a node.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct EndPoint {
    /// Host name or address.
    #[prost(string, tag = "1")]
    pub address: String,
    /// Port.
    #[prost(uint32, tag = "2")]
    pub port: u32,
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, prost::Enumeration)]
#[repr(i32)]
pub enum NodeState {
    /// Starting.
    Initializing = 0,
    /// Looking for the leader.
    DiscoverLeader = 1,
    /// Not known.
    Unknown = 2,
    /// About to be a replica.
    PreReplica = 3,
    /// Reading what it missed.
    CatchingUp = 4,
    /// A replica beyond those that decide.
    Clone = 5,
    /// A replica that decides.
    Follower = 6,
    /// About to lead.
    PreLeader = 7,
    /// The one that takes appends.
    Leader = 8,
    /// Not a node.
    Manager = 9,
    /// Ending.
    ShuttingDown = 10,
    /// Ended.
    Shutdown = 11,
    /// A read-only replica without a leader.
    ReadOnlyLeaderless = 12,
    /// About to be a read-only replica.
    PreReadOnlyReplica = 13,
    /// A replica for reading.
    ReadOnlyReplica = 14,
    /// Giving the lead away.
    ResigningLeader = 15,
}

/// What a server can do.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct SupportedMethods {
    /// Every method.
    #[prost(message, repeated, tag = "1")]
    pub methods: Vec<SupportedMethod>,
    /// Its version, such as `26.1.0`.
    #[prost(string, tag = "2")]
    pub server_version: String,
}

/// A method.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct SupportedMethod {
    /// Its name in lower case, such as `batchappend`.
    #[prost(string, tag = "1")]
    pub method_name: String,
    /// Its service in lower case, such as `event_store.client.streams.streams`.
    #[prost(string, tag = "2")]
    pub service_name: String,
    /// What it can beyond the first version.
    #[prost(string, repeated, tag = "3")]
    pub features: Vec<String>,
}
