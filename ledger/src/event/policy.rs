//! Events on Conditional Access policies and named locations.

use serde::{Deserialize, Serialize};

/// A Conditional Access policy, the parts that bear on workload identities.
///
/// Field meanings: Microsoft Graph `conditionalAccessPolicy` v1.0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessPolicy {
    /// Policy id.
    pub id: String,
    /// Display name.
    #[serde(default)]
    pub display_name: String,
    /// `enabled`, `disabled` or `enabledForReportingButNotEnforced`.
    #[serde(default)]
    pub state: String,
    /// `includeServicePrincipals`: object ids or `ServicePrincipalsInMyTenant`. Empty: not a workload policy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include_service_principals: Vec<String>,
    /// `excludeServicePrincipals`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_service_principals: Vec<String>,
    /// Rule of the `servicePrincipalFilter`, prefixed by its mode: `include: …` or `exclude: …`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<String>,
    /// `includeLocations`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include_locations: Vec<String>,
    /// `excludeLocations`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude_locations: Vec<String>,
    /// `servicePrincipalRiskLevels`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub risk_levels: Vec<String>,
    /// `includeApplications`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include_applications: Vec<String>,
    /// `grantControls.builtInControls`, lower case.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub controls: Vec<String>,
}

impl AccessPolicy {
    /// Whether the policy is assigned to workload identities at all.
    pub fn is_for_workloads(&self) -> bool {
        !self.include_service_principals.is_empty() || self.filter.is_some()
    }
}

/// `policy.access_policy_created`, `updated`, `deleted`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessPolicyChange {
    /// Policy id.
    pub policy_id: String,
    /// The policy before, when the source told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Box<AccessPolicy>>,
    /// The policy after; `None` when deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Box<AccessPolicy>>,
}

/// A named location.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Location {
    /// Location id.
    pub id: String,
    /// Display name.
    #[serde(default)]
    pub display_name: String,
    /// Whether it is marked as trusted.
    #[serde(default)]
    pub trusted: bool,
    /// CIDR ranges.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<String>,
    /// ISO 3166-1 alpha-2 codes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub countries: Vec<String>,
}

/// `policy.location_created`, `updated`, `deleted`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocationChange {
    /// Location id.
    pub location_id: String,
    /// The location before, when the source told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<Location>,
    /// The location after; `None` when deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<Location>,
}
