//! The licence position: most identities covered on one day against the units bought.
//!
//! Licence demand is a peak, whatever the price book charges by; it is a second answer beside the
//! charges and changes none of them.

use jiff::Timestamp;
use jiff::civil::Date;
use ledger::Position;
use ledger::event::licence::Entitlement;
use serde::Serialize;

use super::calendar::Month;
use super::counts::Counts;
use crate::state::Span;

/// Units in force of one SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SkuUnits {
    /// Events that say so, ascending.
    pub evidence: Vec<Position>,
    /// SKU id.
    pub sku_id: String,
    /// SKU part number.
    pub sku_part_number: String,
    /// Units in force.
    pub units: i64,
}

/// Demand against supply on the peak day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LicencePosition {
    /// Most identities covered on one day.
    pub demand_peak: u64,
    /// When units were first observed, if they were only after the day asked about.
    pub first_observed: Option<Timestamp>,
    /// The first day with that demand.
    pub peak_day: Option<Date>,
    /// Units in force at the end of that day (of the month, without demand); `None`: not known.
    pub purchased_units: Option<i64>,
    /// Units missing on that day, 0 when enough; `None`: not known.
    pub shortfall_units: Option<i64>,
    /// The Workload ID SKUs in force, by part number.
    pub skus: Vec<SkuUnits>,
}

impl LicencePosition {
    /// Compares demand with what was observed in the tenant's subscriptions.
    pub fn new(covered: &Counts, entitlements: &[Span<Entitlement>], month: &Month) -> Self {
        let of_workload_id = || {
            entitlements
                .iter()
                .filter(|span| span.value.is_workload_id())
        };
        let last_instant = covered
            .peak_day
            .map_or(month.end(), |day| {
                let day = u8::try_from(day.day()).unwrap_or(1);
                month.end_of(day)
            })
            .checked_sub(jiff::SignedDuration::from_nanos(1))
            .unwrap_or(Timestamp::MIN);
        let mut skus: Vec<SkuUnits> = of_workload_id()
            .filter(|span| span.holds_at(last_instant))
            .map(|span| SkuUnits {
                evidence: span.evidence(),
                sku_id: span.value.sku_id.clone(),
                sku_part_number: span.value.sku_part_number.clone(),
                units: span.value.units_enabled,
            })
            .collect();
        skus.sort_by(|left, right| {
            (&left.sku_part_number, &left.sku_id).cmp(&(&right.sku_part_number, &right.sku_id))
        });
        let purchased = (!skus.is_empty()).then(|| {
            skus.iter()
                .fold(0_i64, |sum, sku| sum.saturating_add(sku.units))
        });
        let demand = i64::try_from(covered.peak).unwrap_or(i64::MAX);
        Self {
            demand_peak: covered.peak,
            first_observed: if purchased.is_none() {
                of_workload_id().map(|span| span.from).min()
            } else {
                None
            },
            peak_day: covered.peak_day,
            purchased_units: purchased,
            shortfall_units: purchased.map(|units| demand.saturating_sub(units).max(0)),
            skus,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::billing::calendar::{Calendar, DaySet};
    use crate::billing::counts::Tally;

    fn november() -> Month {
        Calendar::new("UTC")
            .unwrap()
            .month("2026-11".parse().unwrap())
    }

    fn covered(identities: u64) -> Counts {
        let mut tally = Tally::default();
        for _ in 0..identities {
            tally.add(DaySet::EMPTY.with(10));
        }
        tally.finish(&november()).unwrap()
    }

    fn units(part: &str, units_enabled: i64, from: &str, to: Option<&str>) -> Span<Entitlement> {
        Span {
            value: Entitlement {
                sku_id: format!("id of {part}"),
                sku_part_number: part.to_owned(),
                capability_status: "Enabled".to_owned(),
                units_enabled,
                units_warning: 0,
                units_suspended: 0,
                service_plan_ids: Vec::new(),
            },
            from: from.parse().unwrap(),
            to: to.map(|to| to.parse().unwrap()),
            opened: vec![7],
            closed: Vec::new(),
        }
    }

    #[test]
    fn the_units_of_the_peak_day_are_compared() {
        let observed = [
            units(
                "Workload_Identities_P1",
                50,
                "2026-10-01T00:00:00Z",
                Some("2026-11-10T12:00:00Z"),
            ),
            units("Workload_Identities_P1", 60, "2026-11-10T12:00:00Z", None),
            units("AAD_PREMIUM", 900, "2026-10-01T00:00:00Z", None),
        ];
        let position = LicencePosition::new(&covered(63), &observed, &november());
        assert_eq!(position.purchased_units, Some(60));
        assert_eq!(position.shortfall_units, Some(3));
        assert_eq!(position.peak_day.unwrap().to_string(), "2026-11-10");
        let position = LicencePosition::new(&covered(53), &observed, &november());
        assert_eq!(position.shortfall_units, Some(0));
    }

    #[test]
    fn units_seen_only_later_are_not_known_for_the_month() {
        let observed = [units(
            "Workload_Identities_P1",
            50,
            "2026-12-02T00:00:00Z",
            None,
        )];
        let position = LicencePosition::new(&covered(2), &observed, &november());
        assert_eq!(position.purchased_units, None);
        assert_eq!(position.shortfall_units, None);
        assert!(position.first_observed.is_some());
    }
}
