//! Conditional Access policies and named locations as JSON, from Graph or from the audit log.
//!
//! Shape: Microsoft Graph v1.0 `conditionalAccessPolicy`, `ipNamedLocation` and
//! `countryNamedLocation`. The audit log holds the same object as text, with other spellings of
//! some values (`MFA`).

use ledger::event::policy::{AccessPolicy, Location};
use serde_json::Value;

use crate::fields::{flag, list, text, texts, told};

fn sorted(mut items: Vec<String>) -> Vec<String> {
    items.sort();
    items.dedup();
    items
}

fn under<'a>(value: &'a Value, names: &[&str]) -> &'a Value {
    names
        .iter()
        .try_fold(value, |value, name| told(value, name))
        .unwrap_or(&Value::Null)
}

/// The parts of a policy that bear on workload identities.
pub(crate) fn policy(id: &str, value: &Value) -> AccessPolicy {
    let clients = under(value, &["conditions", "clientApplications"]);
    let locations = under(value, &["conditions", "locations"]);
    let filter = under(clients, &["servicePrincipalFilter"]);
    AccessPolicy {
        id: id.to_owned(),
        display_name: text(value, "displayName").unwrap_or_default().to_owned(),
        state: text(value, "state").unwrap_or_default().to_owned(),
        include_service_principals: sorted(texts(clients, "includeServicePrincipals")),
        exclude_service_principals: sorted(texts(clients, "excludeServicePrincipals")),
        filter: text(filter, "rule").map(|rule| {
            let mode = text(filter, "mode")
                .unwrap_or("include")
                .to_ascii_lowercase();
            format!("{mode}: {rule}")
        }),
        include_locations: sorted(texts(locations, "includeLocations")),
        exclude_locations: sorted(texts(locations, "excludeLocations")),
        risk_levels: sorted(texts(
            under(value, &["conditions"]),
            "servicePrincipalRiskLevels",
        )),
        include_applications: sorted(texts(
            under(value, &["conditions", "applications"]),
            "includeApplications",
        )),
        controls: sorted(
            texts(under(value, &["grantControls"]), "builtInControls")
                .iter()
                .map(|control| control.to_ascii_lowercase())
                .collect(),
        ),
    }
}

/// A named location.
pub(crate) fn location(id: &str, value: &Value) -> Location {
    let ranges = list(value, "ipRanges")
        .iter()
        .filter_map(|range| text(range, "cidrAddress").or_else(|| range.as_str()))
        .map(str::to_owned)
        .collect();
    Location {
        id: id.to_owned(),
        display_name: text(value, "displayName").unwrap_or_default().to_owned(),
        trusted: flag(value, "isTrusted").unwrap_or(false),
        ranges: sorted(ranges),
        countries: sorted(texts(value, "countriesAndRegions")),
    }
}
