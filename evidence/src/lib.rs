//! Evidence an outsider can check: keys and signed checkpoints, proofs, witnesses, timestamps and
//! bundles of them.
//!
//! The formats are C2SP's (signed-note, tlog-checkpoint, tlog-tiles, tlog-cosignature,
//! tlog-witness, tlog-proof, tlog-policy) and RFC 3161. Deliberately not here: the hashes
//! themselves, which are [`ledger::tree`] and [`ledger::hash`], and anything about billing.

pub mod act;
pub mod anchors;
pub mod bundle;
mod durable;
pub mod head;
mod http;
pub mod keys;
pub mod policy;
pub mod proof;
pub mod prove;
pub mod publish;
pub mod seal;
pub mod superlog;
pub mod timestamp;
pub mod witness;
