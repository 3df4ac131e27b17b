//! What a tenant has bought and tries: `subscribedSkus` and `directory/subscriptions` (Graph v1.0).
//!
//! A snapshot of SKUs says something only when it differs from what the ledger says for that time.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::Offset;
use ledger::event::licence::{Entitlement, TrialStarted};
use ledger::{Correlation, Event, EventBody, NaturalKey, Precision, StreamName};
use serde_json::value::RawValue;

use crate::origin::{Enveloped, Origin};
use crate::outcome::{Outcome, Reason};
use crate::record::excerpt::bad_value;
use crate::record::fields::Fields;

/// Entitlements by tenant and SKU, and within these by when they were observed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Entitlements(BTreeMap<(String, String), BTreeMap<Timestamp, Entitlement>>);

impl Entitlements {
    /// Learns an event that was read or is proposed; other events are ignored.
    pub(crate) fn learn(&mut self, event: &Event) {
        let EventBody::EntitlementObserved(body) = &event.body else {
            return;
        };
        let tenant = event
            .stream
            .as_str()
            .strip_prefix("entra:")
            .unwrap_or_default();
        self.0
            .entry((tenant.to_owned(), body.sku_id.clone()))
            .or_default()
            .insert(event.occurred_at, body.clone());
    }

    /// Whether this entitlement is already what is known at that time.
    pub(crate) fn says(&self, event: &Event) -> bool {
        let EventBody::EntitlementObserved(body) = &event.body else {
            return false;
        };
        let tenant = event
            .stream
            .as_str()
            .strip_prefix("entra:")
            .unwrap_or_default();
        self.0
            .get(&(tenant.to_owned(), body.sku_id.clone()))
            .and_then(|times| times.range(..=event.occurred_at).next_back())
            .is_some_and(|(_, known)| known == body)
    }
}

/// The event a SKU of a tenant states, were nothing known yet.
pub(crate) fn entitlement(record: Enveloped<'_, '_>, origin: &Origin<'_>) -> Result<Event, Reason> {
    let inner = record.inner;
    let units = inner.inner("prepaidUnits");
    let units = units.as_deref().map(Fields::parse).and_then(Result::ok);
    let unit = |name: &str| match units.as_ref().and_then(|units| units.text(name)) {
        Some(text) => text
            .parse::<i64>()
            .map_err(|_error| bad_value(name, &text, "a count")),
        None => Ok(0),
    };
    let mut body = Entitlement {
        sku_id: record.needed("skuId")?,
        sku_part_number: record.needed("skuPartNumber")?,
        capability_status: inner.owned("capabilityStatus").unwrap_or_default(),
        units_enabled: unit("enabled")?,
        units_warning: unit("warning")?,
        units_suspended: unit("suspended")?,
        service_plan_ids: plan_ids(inner, "servicePlans"),
    };
    body.service_plan_ids.sort();
    body.service_plan_ids.dedup();
    let key = NaturalKey::new("licence.entitlement_observed")
        .with(origin.tenant)
        .with(&body.sku_id)
        .with(&body.capability_status)
        .with(&format!(
            "{} {} {}",
            body.units_enabled, body.units_warning, body.units_suspended
        ))
        .with(&body.service_plan_ids.join(" "))
        .with(&origin.observed_at.to_string());
    Ok(Event {
        id: key.id(),
        stream: StreamName::tenant(origin.tenant),
        occurred_at: origin.observed_at,
        precision: Precision::Observed,
        source: origin.source(inner.owned("id")),
        correlation: Correlation::default(),
        actor: None,
        private: None,
        body: EventBody::EntitlementObserved(body),
    })
}

/// What a subscription states: a trial of Workload ID began, or nothing that concerns us.
pub(crate) fn subscription(
    record: Enveloped<'_, '_>,
    origin: &Origin<'_>,
) -> Result<Outcome, Reason> {
    let inner = record.inner;
    let sku_id = record.needed("skuId")?;
    let sku_part_number = record.needed("skuPartNumber")?;
    let sku = Entitlement {
        sku_id,
        sku_part_number,
        capability_status: String::new(),
        units_enabled: 0,
        units_warning: 0,
        units_suspended: 0,
        service_plan_ids: plan_ids(inner, "serviceStatus"),
    };
    if inner.flag("isTrial") != Some(true) || !sku.is_workload_id() {
        return Ok(Outcome::Skipped(format!(
            "subscription of {}",
            sku.sku_part_number
        )));
    }
    let created_at = record.time(&["createdDateTime"])?;
    let ends_at = record.time(&["nextLifecycleDateTime"])?;
    // Whole days: 86,400 s, as both times are UTC.
    let days = ends_at
        .duration_since(created_at)
        .as_secs()
        .div_euclid(86_400);
    let days = u16::try_from(days).map_err(|_error| {
        bad_value(
            "nextLifecycleDateTime",
            &ends_at.to_string(),
            "a time after the trial began",
        )
    })?;
    let key = NaturalKey::new("licence.trial_started")
        .with(origin.tenant)
        .with(&sku.sku_id);
    Ok(Outcome::Events(vec![Event {
        id: key.id(),
        stream: StreamName::tenant(origin.tenant),
        occurred_at: created_at,
        precision: Precision::Exact,
        source: origin.source(inner.owned("id")),
        correlation: Correlation::default(),
        actor: None,
        private: None,
        body: EventBody::TrialStarted(TrialStarted {
            sku_part_number: sku.sku_part_number,
            start_date: Offset::UTC.to_datetime(created_at).date(),
            days,
        }),
    }]))
}

fn plan_ids(fields: &Fields<'_>, name: &str) -> Vec<String> {
    let Some(list) = fields.inner(name) else {
        return Vec::new();
    };
    let plans: Vec<&RawValue> = serde_json::from_str(&list).unwrap_or_default();
    plans
        .into_iter()
        .filter_map(|plan| Fields::parse(plan.get()).ok()?.owned("servicePlanId"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::Shape;

    fn origin(observed_at: &str) -> Origin<'static> {
        Origin {
            tenant: "t",
            shape: Shape::SubscribedSku,
            digest: "d",
            observed_at: observed_at.parse().unwrap(),
            private_network: false,
        }
    }

    fn sku(units: i64, observed_at: &str) -> Event {
        let json = format!(
            r#"{{"id":"a_s","skuId":"s","skuPartNumber":"Workload_Identities_P2","capabilityStatus":"Enabled",
            "prepaidUnits":{{"enabled":{units},"warning":"0"}},"servicePlans":[{{"servicePlanId":"p"}}]}}"#
        );
        let fields = Fields::parse(&json).unwrap();
        entitlement(
            Enveloped {
                outer: &fields,
                inner: &fields,
            },
            &origin(observed_at),
        )
        .unwrap()
    }

    #[test]
    fn only_a_change_of_an_entitlement_is_news() {
        let mut known = Entitlements::default();
        let first = sku(10, "2026-10-01T00:00:00Z");
        assert!(!known.says(&first));
        known.learn(&first);
        assert!(known.says(&sku(10, "2026-10-05T00:00:00Z")));
        assert!(!known.says(&sku(20, "2026-10-05T00:00:00Z")));
        assert!(!known.says(&sku(10, "2026-09-01T00:00:00Z")));
        known.learn(&sku(20, "2026-10-05T00:00:00Z"));
        assert!(!known.says(&sku(10, "2026-10-06T00:00:00Z")));
        assert!(known.says(&sku(10, "2026-10-02T00:00:00Z")));
    }

    fn trial(part: &str, is_trial: bool, ends: &str) -> Result<Outcome, Reason> {
        let json = format!(
            r#"{{"id":"x","skuId":"s","skuPartNumber":"{part}","isTrial":{is_trial},"createdDateTime":"2026-09-10T12:00:00Z",
            "nextLifecycleDateTime":{ends},"totalLicenses":25,"status":"Enabled"}}"#
        );
        let fields = Fields::parse(&json).unwrap();
        subscription(
            Enveloped {
                outer: &fields,
                inner: &fields,
            },
            &origin("2026-10-01T00:00:00Z"),
        )
    }

    #[test]
    fn a_trial_of_workload_id_has_whole_days() {
        let Ok(Outcome::Events(events)) =
            trial("Workload_Identities_P2", true, "\"2026-12-09T13:00:00Z\"")
        else {
            panic!("no trial");
        };
        let [
            Event {
                body: EventBody::TrialStarted(body),
                ..
            },
        ] = events.as_slice()
        else {
            panic!("{events:?}");
        };
        assert_eq!(body.days, 90);
        assert_eq!(body.start_date.to_string(), "2026-09-10");
    }

    #[test]
    fn other_subscriptions_are_skipped_and_impossible_ends_refused() {
        let skipped = Outcome::Skipped("subscription of AAD_PREMIUM".to_owned());
        assert_eq!(trial("AAD_PREMIUM", true, "null"), Ok(skipped));
        assert!(matches!(
            trial("Workload_Identities_P2", false, "null"),
            Ok(Outcome::Skipped(_))
        ));
        assert!(matches!(
            trial("Workload_Identities_P2", true, "null"),
            Err(Reason::Missing { .. })
        ));
        let early = trial("Workload_Identities_P2", true, "\"2026-09-01T00:00:00Z\"");
        assert!(matches!(early, Err(Reason::BadValue { .. })));
    }
}
