//! Whether a Conditional Access policy is about an identity.

use ledger::event::policy::AccessPolicy;
use projections::state::IdentityClass;

use crate::facts::Identity;

/// Stands for every service principal registered in the tenant.
const ALL_OWN: &str = "ServicePrincipalsInMyTenant";

/// State of a policy in force.
pub const ENABLED: &str = "enabled";
/// State of a policy that only reports.
pub const REPORT_ONLY: &str = "enabledForReportingButNotEnforced";

/// Whether a policy is assigned to an identity. Conditional Access knows single-tenant service
/// principals only. A filter on attributes cannot be evaluated here and counts as assigned.
pub fn is_assigned(policy: &AccessPolicy, identity: &Identity<'_>) -> bool {
    if identity.class != IdentityClass::SingleTenant {
        return false;
    }
    let id = &identity.subject.object_id;
    let included = policy
        .include_service_principals
        .iter()
        .any(|included| included == id || included == ALL_OWN);
    let filtered = policy
        .filter
        .as_deref()
        .is_some_and(|filter| filter.starts_with("include"));
    let excluded = policy
        .exclude_service_principals
        .iter()
        .any(|excluded| excluded == id || excluded == ALL_OWN);
    (included || filtered) && !excluded
}
