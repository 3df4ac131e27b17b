//! Source records to events: one module per export format, pure.
//!
//! A record ends as events, as something already known, as skipped by its activity name, or as a
//! rejection with line and reason; nothing is dropped in silence.

pub mod outcome;

pub use outcome::{Outcome, Reason, Rejection};
