//! What the ledger's events mean: state as of a moment, usage per identity and month, charges.
//!
//! Everything here can be deleted and rebuilt from the ledger, byte for byte.

pub mod billing;
pub mod demand;
pub mod derived;
pub mod gathered;
mod instant;
pub mod licensing;
pub mod period;
pub mod rollup;
#[cfg(test)]
pub(crate) mod sample;
pub mod schema;
pub mod state;
pub mod usage;

pub use demand::Demand;
pub use gathered::Gathered;
pub use licensing::Licensing;
pub use period::BillingPeriod;
pub use rollup::MonthlyActivity;
pub use state::{State, StateBuilder};
