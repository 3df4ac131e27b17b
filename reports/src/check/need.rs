//! What a check needs to have been imported before it may answer.

use jiff::Timestamp;

use super::Reason;
use crate::calendar::{date, days_before, days_between, days_in_words};
use crate::facts::{Feeds, LastUse};

/// Snapshots and change logs older than this are stale, in days. A quiet tenant may change nothing
/// in a day, so the 24 hours asked of sign-in logs would cry wolf.
pub const SNAPSHOT_AGE_DAYS_MAX: i64 = 7;
/// Sign-in logs older than this are stale, in days.
pub const SIGN_IN_AGE_DAYS_MAX: i64 = 1;

/// Sources a check depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Need {
    /// Any one of these categories, fresh.
    AnyOf(&'static [&'static str]),
    /// Any one of these categories, however old: it only speaks when something happens.
    EverAnyOf(&'static [&'static str]),
    /// Sign-ins of the identity's kind, fresh and known for so many days.
    SignIns {
        /// Days of history.
        days: i64,
    },
}

impl Need {
    /// Credentials of applications and service principals.
    pub const CREDENTIALS: Self = Self::AnyOf(&[
        "graph/application",
        "graph/servicePrincipal",
        "graph/directoryAudit",
    ]);
    /// Attributes of service principals.
    pub const IDENTITIES: Self = Self::AnyOf(&["graph/servicePrincipal", "graph/directoryAudit"]);
    /// Attributes of applications.
    pub const APPLICATIONS: Self = Self::AnyOf(&["graph/application", "graph/directoryAudit"]);
    /// Grants of every kind.
    pub const GRANTS: Self = Self::AnyOf(&[
        "graph/appRoleAssignment",
        "graph/roleAssignment",
        "graph/directoryAudit",
    ]);
    /// Application permissions.
    pub const APP_ROLES: Self = Self::AnyOf(&["graph/appRoleAssignment", "graph/directoryAudit"]);
    /// Directory roles.
    pub const ROLES: Self = Self::AnyOf(&["graph/roleAssignment", "graph/directoryAudit"]);
    /// Delegated grants.
    pub const DELEGATED: Self =
        Self::AnyOf(&["graph/oauth2PermissionGrant", "graph/directoryAudit"]);
    /// Conditional Access policies.
    pub const POLICIES: Self =
        Self::AnyOf(&["graph/conditionalAccessPolicy", "graph/directoryAudit"]);
    /// Risk levels.
    pub const RISK: Self = Self::EverAnyOf(&[
        "graph/riskyServicePrincipal",
        "graph/servicePrincipalRiskDetection",
    ]);
    /// Risk detections.
    pub const DETECTIONS: Self = Self::EverAnyOf(&["graph/servicePrincipalRiskDetection"]);
    /// Subscriptions.
    pub const SUBSCRIPTIONS: Self = Self::AnyOf(&["graph/subscribedSku", "graph/subscription"]);
}

/// Why a check could not be answered, and what would help.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Gap {
    /// The kind of gap.
    pub reason: Reason,
    /// One sentence: what is missing and how to supply it.
    pub detail: String,
}

impl Need {
    /// What is missing in a tenant at an instant, if anything.
    pub fn gap(self, feeds: &Feeds<'_>, tenant: &str, managed: bool, at: Timestamp) -> Option<Gap> {
        match self {
            Self::AnyOf(names) => gap_of(feeds, tenant, names, at, Some(SNAPSHOT_AGE_DAYS_MAX)),
            Self::EverAnyOf(names) => gap_of(feeds, tenant, names, at, None),
            Self::SignIns { days } => {
                let names: &[&str] = if managed {
                    &["graph/managedIdentitySignIn"]
                } else {
                    &["graph/servicePrincipalSignIn"]
                };
                gap_of(feeds, tenant, names, at, Some(SIGN_IN_AGE_DAYS_MAX))
                    .or_else(|| short_history(feeds, tenant, names, at, days))
            }
        }
    }
}

impl Need {
    /// What is missing of one identity: its last use, when sign-ins were pruned.
    pub fn gap_of(self, last_use: LastUse) -> Option<Gap> {
        let asks = matches!(self, Self::SignIns { days } if days > 0);
        (asks && last_use == LastUse::Pruned).then(|| Gap {
            reason: Reason::NoSource,
            detail: "Sign-ins were pruned, so whether an identity not used since was used before is not known."
                .to_owned(),
        })
    }
}

fn gap_of(
    feeds: &Feeds<'_>,
    tenant: &str,
    names: &[&str],
    at: Timestamp,
    age_days_max: Option<i64>,
) -> Option<Gap> {
    let freshest = names
        .iter()
        .filter_map(|name| feeds.get(tenant, name))
        .map(|feed| feed.last)
        .max();
    let Some(last) = freshest else {
        return Some(Gap {
            reason: Reason::NoSource,
            detail: format!(
                "Nothing from {} was imported; import such an export.",
                names.join(" or ")
            ),
        });
    };
    let age = days_between(last, at);
    match age_days_max {
        Some(most) if age > most => Some(Gap {
            reason: Reason::StaleSource,
            detail: format!(
                "The last fact from {} is of {}, {} old; import a newer export.",
                names.join(" or "),
                date(last),
                days_in_words(age)
            ),
        }),
        _ => None,
    }
}

fn short_history(
    feeds: &Feeds<'_>,
    tenant: &str,
    names: &[&str],
    at: Timestamp,
    days: i64,
) -> Option<Gap> {
    let first = names
        .iter()
        .filter_map(|name| feeds.get(tenant, name))
        .map(|feed| feed.first)
        .min()?;
    (first > days_before(at, days)).then(|| Gap {
        reason: Reason::NoSource,
        detail: format!(
            "Sign-ins from {} are known since {} only; this needs {days} days.",
            names.join(" or "),
            date(first)
        ),
    })
}
