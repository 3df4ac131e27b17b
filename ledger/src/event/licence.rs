//! What a tenant has bought, tries and assigns.

use serde::{Deserialize, Serialize};

/// `licence.entitlement_observed`: one SKU as `subscribedSkus` shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entitlement {
    /// SKU id.
    pub sku_id: String,
    /// `skuPartNumber`, such as `Workload_Identities_Premium_CN`.
    pub sku_part_number: String,
    /// `Enabled`, `Warning`, `Suspended`, `Deleted`, `LockedOut`.
    pub capability_status: String,
    /// Units in force.
    pub units_enabled: i64,
    /// Units in grace.
    pub units_warning: i64,
    /// Units suspended.
    pub units_suspended: i64,
    /// Service plan ids the SKU holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub service_plan_ids: Vec<String>,
}

impl Entitlement {
    /// Service plans of Workload ID: `AAD_WRKLDID_P1` and `AAD_WRKLDID_P2`.
    pub const WORKLOAD_ID_PLANS: [&str; 2] = [
        "84c289f0-efcb-486f-8581-07f44fc9efad",
        "7dc0e92d-bf15-401d-907e-0884efe7c760",
    ];

    /// Whether the SKU holds a Workload ID plan, by plan id or by part number.
    pub fn is_workload_id(&self) -> bool {
        self.service_plan_ids
            .iter()
            .any(|id| Self::WORKLOAD_ID_PLANS.contains(&id.as_str()))
            || self.sku_part_number.starts_with("Workload_Identities")
            || self.sku_part_number == "Microsoft_Entra_Workload_Identities_Premium"
    }
}

/// `licence.trial_started`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialStarted {
    /// SKU part number.
    pub sku_part_number: String,
    /// First day, civil date in the book's zone; it counts as day 1.
    pub start_date: jiff::civil::Date,
    /// Length in days.
    pub days: u16,
}

/// `licence.assigned`, `licence.unassigned`. Stream: the identity.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assignment {
    /// SKU part number.
    pub sku_part_number: String,
}
