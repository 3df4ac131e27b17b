//! Sign-ins of workload identities. The event type tells the outcome.

use serde::{Deserialize, Serialize};

/// `activity.signed_in`, `sign_in_failed`, `sign_in_blocked`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// Sign-in id.
    pub sign_in_id: String,
    /// Application id; empty if not told.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub app_id: String,
    /// Display name the log gave the identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Whether the log is the managed-identity log.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub managed_identity: bool,
    /// Key id of the secret or certificate used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_key_id: Option<String>,
    /// Id of the federated credential used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federated_credential_id: Option<String>,
    /// `clientCredentialType` as logged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_type: Option<String>,
    /// Id of the resource asked for (application id).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// Display name of the resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_name: Option<String>,
    /// Address the token was asked from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// Two-letter country.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// Autonomous system number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asn: Option<u64>,
    /// User agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_agent: Option<String>,
    /// Entra error code; 0 is success.
    #[serde(default)]
    pub error_code: i64,
    /// `conditionalAccessStatus`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conditional_access: Option<String>,
    /// Policies the log says were considered and how each came out: `<policy id> <result>`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub policies: Vec<String>,
}
