//! Events on service principals, managed identities and applications.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Attribute values by name. Names are Graph's (`displayName`, `appOwnerOrganizationId`, …).
pub type Attributes = BTreeMap<String, serde_json::Value>;

/// Names of the attributes kept in the public part: what checks, classes and licences need.
pub const PUBLIC_ATTRIBUTES: &[&str] = &[
    "accountEnabled",
    "alternativeNames",
    "appDisplayName",
    "appId",
    "appOwnerOrganizationId",
    "appRoleAssignmentRequired",
    "createdDateTime",
    "disabledByMicrosoftStatus",
    "displayName",
    "isDisabled",
    "isFallbackPublicClient",
    "notificationEmailCount",
    "odataType",
    "preferredSingleSignOnMode",
    "replyUrls",
    "requiredResourceAccess",
    "serviceManagementReference",
    "servicePrincipalLockConfiguration",
    "servicePrincipalType",
    "signInAudience",
    "tags",
    "verifiedPublisherId",
    "implicitGrantSettings",
];

/// What kind of object a stream is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// Service principal, managed identities included.
    ServicePrincipal,
    /// Application (app registration).
    Application,
}

/// `identity.registered`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Registered {
    /// Kind of object.
    pub kind: ObjectKind,
    /// What is known of it, [`PUBLIC_ATTRIBUTES`] only.
    pub attributes: Attributes,
}

/// Old and new value of one attribute; `None` means not reported or absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Value before, when the source told it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<serde_json::Value>,
    /// Value after; `None` when the attribute was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new: Option<serde_json::Value>,
}

/// `identity.updated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Updated {
    /// Kind of object.
    pub kind: ObjectKind,
    /// Changed attributes by name.
    pub changes: BTreeMap<String, Change>,
}

/// `identity.enabled`, `disabled`, `deleted`, `restored`, `purged`: nothing more to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marker {
    /// Kind of object.
    pub kind: ObjectKind,
}

/// A directory owner. Names and addresses are in the private part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Object id of the owner.
    pub id: String,
    /// `user`, `service_principal` or another directory type in snake case; empty if not told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub kind: String,
    /// Whether the owner can sign in, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
    /// Whether the owner is a guest, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guest: Option<bool>,
}

/// `identity.owner_added`, `owner_removed`, `owner_updated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerChange {
    /// Kind of the object owned.
    pub kind: ObjectKind,
    /// The owner, as it is after the change.
    pub owner: Owner,
}

/// `identity.attributes_set`: custom security attributes, `<Set>_<Attribute>` to value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttributesSet {
    /// The values after the change.
    pub values: Attributes,
}
