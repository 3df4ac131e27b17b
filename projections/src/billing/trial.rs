//! Trials: local days that are priced like any other and discounted in full.
//!
//! A trial covers `[start, start + days)` in the book's zone; `start` is day 1. One per tenant and
//! SKU: a second is ignored. Extension is not known to this version.

use jiff::ToSpan as _;
use jiff::civil::Date;
use ledger::Position;
use ledger::event::licence::{Entitlement, TrialStarted};
use serde::Serialize;

use super::calendar::{DaySet, Month};
use crate::state::Seen;

/// One trial of one SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Trial {
    /// Length in days.
    pub days: u16,
    /// The day after the last.
    pub end: Date,
    /// The event that says so.
    pub position: Position,
    /// SKU part number.
    pub sku_part_number: String,
    /// First day.
    pub start: Date,
}

impl Trial {
    /// The trial an event started.
    pub fn from_event(seen: Seen, started: &TrialStarted) -> Self {
        Self {
            days: started.days,
            end: started
                .start_date
                .checked_add(i64::from(started.days).days())
                .unwrap_or(Date::MAX),
            position: seen.position,
            sku_part_number: started.sku_part_number.clone(),
            start: started.start_date,
        }
    }

    /// Whether it is a trial of what a price book's item sells: its SKU by name, or any
    /// Workload ID SKU by part number.
    pub fn is_of(&self, sku: &str) -> bool {
        let observed = Entitlement {
            sku_id: String::new(),
            sku_part_number: self.sku_part_number.clone(),
            capability_status: String::new(),
            units_enabled: 0,
            units_warning: 0,
            units_suspended: 0,
            service_plan_ids: Vec::new(),
        };
        self.sku_part_number == sku || observed.is_workload_id()
    }
}

/// The trials that count for a SKU: the first of each part number, in order of position.
pub fn counting<'a>(trials: &'a [Trial], sku: &str) -> Vec<&'a Trial> {
    let mut ordered: Vec<&Trial> = trials.iter().filter(|trial| trial.is_of(sku)).collect();
    ordered.sort_by_key(|trial| trial.position);
    let mut counting: Vec<&Trial> = Vec::new();
    for trial in ordered {
        let repeated = counting
            .iter()
            .any(|first| first.sku_part_number == trial.sku_part_number);
        if !repeated {
            counting.push(trial);
        }
    }
    counting
}

/// Days of the month inside any of the trials.
pub fn days(trials: &[&Trial], month: &Month) -> DaySet {
    trials.iter().fold(DaySet::EMPTY, |days, trial| {
        days.union(month.days_between(trial.start, trial.end))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::calendar::Calendar;

    fn trial(start: &str, days: u16, position: Position) -> Trial {
        Trial::from_event(
            Seen {
                at: jiff::Timestamp::UNIX_EPOCH,
                position,
            },
            &TrialStarted {
                sku_part_number: "Workload_Identities_Premium_CN".to_owned(),
                start_date: start.parse().unwrap(),
                days,
            },
        )
    }

    #[test]
    fn the_start_is_day_1() {
        assert_eq!(trial("2026-08-17", 90, 1).end.to_string(), "2026-11-15");
        assert_eq!(trial("2026-08-17", 30, 1).end.to_string(), "2026-09-16");
    }

    #[test]
    fn the_last_day_of_a_trial_is_the_day_before_its_end() {
        let november = Calendar::new("UTC")
            .unwrap()
            .month("2026-11".parse().unwrap());
        let one = trial("2026-08-17", 90, 1);
        let inside = days(&[&one], &november);
        assert_eq!(inside.len(), 14);
        assert!(inside.contains(14) && !inside.contains(15));
    }

    #[test]
    fn a_second_trial_of_a_sku_is_ignored() {
        let trials = [trial("2026-11-01", 90, 9), trial("2026-08-17", 90, 3)];
        let first = counting(&trials, "workload-id-premium");
        assert_eq!(first.len(), 1);
        assert_eq!(first[0].position, 3);
    }

    #[test]
    fn a_trial_of_something_else_does_not_count() {
        let mut other = trial("2026-08-17", 90, 1);
        other.sku_part_number = "AAD_PREMIUM_P2".to_owned();
        assert!(counting(&[other.clone()], "workload-id-premium").is_empty());
        assert_eq!(counting(&[other], "AAD_PREMIUM_P2").len(), 1);
    }
}
