//! Source records to events: one module per export format, pure.
//!
//! A record ends as events, as something already known, as skipped by its activity name, or as a
//! rejection with line and reason; nothing is dropped in silence. [`Importer`] takes a file of any
//! of them into a ledger and counts how its records end.

mod access_policy;
mod attributes;
pub mod audit;
pub mod context;
mod draft;
mod fields;
pub mod graph_roles;
mod import;
pub mod known;
mod licence;
mod origin;
pub mod outcome;
mod record;
mod restate;
mod risk;
mod shape;
mod signin;
pub mod snapshot;
mod time;

pub use context::Context;
pub use import::{DEFAULT_TENANT, FileReport, Format, ImportError, ImportOptions, Importer};
pub use known::Known;
pub use outcome::{Outcome, Reason, Rejection};
pub use record::RECORD_BYTES_MAX;
pub use shape::Shape;
