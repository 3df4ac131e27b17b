//! What the tenant has bought: `subscribedSkus` and `directory/subscriptions` of Microsoft Graph.

use serde_json::{Value, json};

use super::inventory::page;
use super::moment::Moment;
use super::tenant::{Subscription, Tenant};

/// Part number of the stand-alone Workload ID licence; it holds the plan `AAD_WRKLDID_P2` only.
const PART_NUMBER: &str = "Workload_Identities_P2";
const SKU_ID: &str = "52cdf00e-8303-4223-a749-ff69a13e2dd0";
const PLAN_ID: &str = "7dc0e92d-bf15-401d-907e-0884efe7c760";

/// Days in which units remain usable after a subscription ended.
const GRACE_DAYS: i64 = 30;

/// `subscribedSkus`: units are the sum over the subscriptions.
pub(super) fn subscribed_skus(tenant: &Tenant, at: Moment) -> Vec<u8> {
    let mut skus = vec![office_sku(tenant, at)];
    let held = || tenant.subscriptions.iter().filter(|held| is_kept(held, at));
    let units = |wanted: &dyn Fn(&Subscription) -> bool| -> u64 {
        held()
            .filter(|held| wanted(held))
            .map(|held| held.units)
            .sum()
    };
    if held().next().is_some() {
        let enabled = units(&|held| at < held.ends);
        let ids: Vec<&str> = held().map(|held| held.id.as_str()).collect();
        skus.push(json!({
            "id": format!("{}_{SKU_ID}", tenant.id),
            "accountId": tenant.id,
            "accountName": "fabrikamfreight",
            "appliesTo": "User",
            "capabilityStatus": if enabled > 0 { "Enabled" } else { "Warning" },
            "consumedUnits": 0,
            "prepaidUnits": {
                "enabled": enabled,
                "suspended": 0,
                "warning": units(&|held| at >= held.ends),
                "lockedOut": 0,
            },
            "servicePlans": [{
                "servicePlanId": PLAN_ID,
                "servicePlanName": "AAD_WRKLDID_P2",
                "provisioningStatus": "Success",
                "appliesTo": "Company",
            }],
            "skuId": SKU_ID,
            "skuPartNumber": PART_NUMBER,
            "subscriptionIds": ids,
        }));
    }
    page("subscribedSkus", &skus)
}

/// `directory/subscriptions`: one row per purchase or trial.
pub(super) fn subscriptions(tenant: &Tenant, at: Moment) -> Vec<u8> {
    let held = tenant.subscriptions.iter().filter(|held| is_kept(held, at));
    let rows: Vec<Value> = held.map(|held| subscription(tenant, held, at)).collect();
    page("directory/subscriptions", &rows)
}

fn is_kept(held: &Subscription, at: Moment) -> bool {
    held.created <= at && at < held.ends.plus_days(GRACE_DAYS)
}

fn subscription(tenant: &Tenant, held: &Subscription, at: Moment) -> Value {
    json!({
        "id": held.id,
        "commerceSubscriptionId": held.id,
        "createdDateTime": held.created.graph(),
        "isTrial": held.trial,
        "nextLifecycleDateTime": held.ends.graph(),
        "ownerId": null,
        "ownerTenantId": tenant.id,
        "ownerType": "User",
        "serviceStatus": [{
            "appliesTo": "Company",
            "provisioningStatus": "Success",
            "servicePlanId": PLAN_ID,
            "servicePlanName": "AAD_WRKLDID_P2",
        }],
        "skuId": SKU_ID,
        "skuPartNumber": PART_NUMBER,
        "status": if at < held.ends { "Enabled" } else { "Warning" },
        "totalLicenses": held.units,
    })
}

/// A licence that has nothing to do with workload identities: most tenants have one.
fn office_sku(tenant: &Tenant, at: Moment) -> Value {
    let sku_id = "06ebc4ee-1bb5-47dd-8120-11324bc54e06";
    json!({
        "id": format!("{}_{sku_id}", tenant.id),
        "accountId": tenant.id,
        "accountName": "fabrikamfreight",
        "appliesTo": "User",
        "capabilityStatus": "Enabled",
        "consumedUnits": 600 + at.day() % 40,
        "prepaidUnits": {"enabled": 650, "suspended": 0, "warning": 0, "lockedOut": 0},
        "servicePlans": [{
            "servicePlanId": "eec0eb4f-6444-4f95-aba0-50c24d67f998",
            "servicePlanName": "AAD_PREMIUM_P2",
            "provisioningStatus": "Success",
            "appliesTo": "User",
        }],
        "skuId": sku_id,
        "skuPartNumber": "SPE_E5",
        "subscriptionIds": ["b1d3c0de-0000-4000-8000-00000000e500"],
    })
}
