//! Unique, peak and average: three counts of one month that people confuse, side by side.
//!
//! Unique (counted at least once) is what a charge per identity multiplies; peak (most on one
//! day) is what licences must cover; average is identity-days over days. unique ≥ peak ≥ average.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use super::calendar::{DaySet, Month};
use super::exact::{Exact, OutOfRange};

/// Counts of one meter over one month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Identity-days over days in the month.
    pub average_identity_months: Exact,
    /// Days, summed over identities.
    pub identity_days: u64,
    /// Most identities on one day.
    pub peak: u64,
    /// The first day with that many.
    pub peak_day: Option<Date>,
    /// Identities that count on at least one day.
    pub unique: u64,
}

/// Adds up identities one by one.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    unique: u64,
    by_day: BTreeMap<u8, u64>,
}

impl Tally {
    /// Adds the days of one identity.
    pub fn add(&mut self, days: DaySet) {
        if days.is_empty() {
            return;
        }
        self.unique = self.unique.saturating_add(1);
        for day in days.iter() {
            let count = self.by_day.entry(day).or_default();
            *count = count.saturating_add(1);
        }
    }

    /// The counts.
    ///
    /// # Errors
    /// [`OutOfRange`] for a month without days.
    pub fn finish(self, month: &Month) -> Result<Counts, OutOfRange> {
        let identity_days = self
            .by_day
            .values()
            .fold(0_u64, |sum, count| sum.saturating_add(*count));
        let peak = self.by_day.values().copied().max().unwrap_or(0);
        let peak_day = self
            .by_day
            .iter()
            .find(|(_, count)| **count == peak)
            .map(|(day, _)| month.date(*day));
        Ok(Counts {
            average_identity_months: Exact::new(
                i128::from(identity_days),
                i128::from(month.days().len()),
            )?,
            identity_days,
            peak,
            peak_day,
            unique: self.unique,
        })
    }
}
