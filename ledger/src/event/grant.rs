//! Events on grants: permission given to a workload identity. Stream: the identity that holds it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `grant.app_role_granted`, `app_role_revoked`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppRole {
    /// Assignment id, when the source is a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment_id: Option<String>,
    /// Object id of the identity that holds the permission.
    pub principal_id: String,
    /// Object id of the resource's service principal; empty if not told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub resource_id: String,
    /// Display name of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// Id of the app role.
    pub role_id: String,
    /// Value of the app role, such as `Mail.Read`, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_value: Option<String>,
}

/// `grant.delegated_granted`, `delegated_revoked`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delegated {
    /// Grant id, when the source is a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_id: Option<String>,
    /// Object id of the client's service principal.
    pub client_id: String,
    /// Object id of the resource's service principal.
    pub resource_id: String,
    /// Whether it holds for every user of the tenant.
    pub all_principals: bool,
    /// Scopes granted or withdrawn, sorted.
    pub scopes: Vec<String>,
}

/// How a directory role is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleAssignmentKind {
    /// In force.
    Active,
    /// Can be activated.
    Eligible,
}

/// `grant.role_assigned`, `role_removed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    /// Assignment id, when the source is a snapshot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub assignment_id: Option<String>,
    /// Object id of the identity that holds the role.
    pub principal_id: String,
    /// Id of the role definition (template id for built-in roles).
    pub role_definition_id: String,
    /// Display name of the role, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_name: Option<String>,
    /// Directory scope; `/` is the whole tenant.
    pub scope: String,
    /// How it is held.
    pub assignment: RoleAssignmentKind,
    /// End of the assignment; `None` means permanent, as far as the source told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
}
