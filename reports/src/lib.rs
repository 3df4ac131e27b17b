//! Checks over the state, their findings, and the health report as JSON and HTML.
//!
//! A report is a pure function of a [`projections::State`], an instant and a catalogue of checks.

pub mod finding;
pub mod health;

pub use finding::{Evidence, Finding, Severity};
pub use health::HealthReport;
