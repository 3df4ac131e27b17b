//! The ledger on KurrentDB (EventStoreDB) over gRPC: one named stream per ledger, revision =
//! position, exactly-once appends.
//!
//! [`Address`] is a connection string as the official clients know it, with the stream as its
//! path. [`KurrentStore`] keeps a ledger's records there and reads and follows them; [`Look`] is
//! for the doctor, who also looks at streams that are no ledger any more. Every call blocks; the
//! network runs on a thread of its own.
//!
//! Deliberately not here: what the records mean. The entries' hashes are checked by `ledger`.

mod address;
mod append;
mod dial;
mod discover;
pub mod doctor;
mod error;
mod event;
mod link;
mod login;
mod look;
mod network;
mod read;
mod refusal;
mod session;
mod store;
mod tls;
pub mod wire;

pub use address::{Address, AddressError, Host, NodePreference, OPTIONS};
pub use error::{KurrentError, Rival, Tried, Why};
pub use look::{Acl, Look, Metadata, Node, Scan, Sight, StreamSettings};
pub use store::{Followed, Jitter, KurrentStore};
