//! What a state does not know any more because sign-ins were pruned.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use ledger::event::Position;

use super::State;
use crate::period::BillingPeriod;

impl State {
    /// Position of the `ledger.pruned` event that touched a time, by months in UTC.
    pub fn pruned_in(&self, from: Timestamp, to: Timestamp) -> Option<Position> {
        let touches = |month: &str| match month.parse::<BillingPeriod>() {
            Ok(month) => {
                let (start, end) = month.instants(&TimeZone::UTC);
                start < to && from < end
            }
            // not a month: it may be any
            Err(_) => true,
        };
        let mut prunings = self.prunings.iter();
        prunings
            .find(|(_, pruned)| pruned.months.keys().any(|month| touches(month)))
            .map(|(seen, _)| seen.position)
    }

    /// End of the last month, in UTC, that a pruning touched: what was last done before it may not
    /// be known any more.
    pub fn pruned_until(&self) -> Option<Timestamp> {
        let prunings = self.prunings.iter();
        let months = prunings.flat_map(|(_, pruned)| pruned.months.keys());
        let months = months.filter_map(|month| month.parse::<BillingPeriod>().ok());
        months.map(|month| month.instants(&TimeZone::UTC).1).max()
    }

    /// Sign-ins are known from the end of the last month on that a pruning touched: what imports
    /// say of earlier ones is not there any more.
    pub(super) fn forget_pruned(&mut self) {
        let Some(since) = self.pruned_until() else {
            return;
        };
        for ((_, name), coverage) in &mut self.coverage {
            if name.ends_with("SignIn") && coverage.first.at < since {
                coverage.first.at = since;
            }
        }
    }
}
