//! Checks over the state, their findings, and the health report as JSON and HTML.
//!
//! A report is a pure function of a [`projections::State`], an instant and a catalogue of checks.

pub mod assess;
pub mod calendar;
pub mod check;
pub mod checks;
pub mod facts;
pub mod finding;
#[cfg(test)]
mod fixture;
pub mod health;
pub mod html;
pub mod policy;
pub mod tier;
mod view;

pub use assess::assess;
pub use check::CheckInfo;
pub use checks::catalogue;
pub use finding::{Evidence, Finding, Severity};
pub use health::HealthReport;
