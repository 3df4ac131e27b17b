//! What interpreting a record needs besides the record and what is known.

use jiff::Timestamp;

/// Facts about the import, the same for every record of one tenant in one file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context<'a> {
    /// Directory (tenant) id the records belong to, unless they say otherwise.
    pub tenant: &'a str,
    /// When a snapshot was taken. Audit records carry their own time.
    pub observed_at: Timestamp,
    /// Whether network facts of workloads go to the private part.
    pub private_network: bool,
}
