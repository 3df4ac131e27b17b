//! A single-node stand-in for KurrentDB with fault injection, for tests only.

mod access;
mod append;
mod batch;
mod cluster;
mod connection;
mod fake;
mod fault;
mod filter;
mod handler;
mod log;
mod metadata;
mod node;
mod page;
mod read;
mod reading;
mod recorded;
mod status;
mod stream;
mod time;
mod tls;

pub use access::User;
pub use cluster::Cluster;
pub use connection::Traffic;
pub use fake::{Fake, Options};
pub use fault::{AppendFault, ReadFault, When};
pub use log::{Expected, Log, Outcome};
pub use recorded::{Proposed, Recorded};
pub use tls::{Tls, UserCertificate};
