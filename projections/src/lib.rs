//! What the ledger's events mean: state as of a moment, usage per identity and month, charges.
//!
//! Everything here can be deleted and rebuilt from the ledger, byte for byte.

pub mod period;
pub mod state;

pub use period::BillingPeriod;
pub use state::State;
