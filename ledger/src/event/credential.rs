//! Events on credentials: what proves a workload identity.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::identity::{Change, ObjectKind};

/// What a credential is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialKind {
    /// Client secret (password credential).
    Secret,
    /// X.509 certificate (key credential).
    Certificate,
    /// Symmetric key.
    SymmetricKey,
    /// Federated identity credential: trust in another issuer's token.
    Federated,
}

/// A credential, as far as its source told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credential {
    /// Key id; for a federated credential `<issuer> <subject>`, the pair that makes it itself.
    pub key_id: String,
    /// What it is.
    pub kind: CredentialKind,
    /// Object that carries it.
    pub origin: ObjectKind,
    /// `Verify` (authenticates the identity) or `Sign` (signs SAML tokens).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<String>,
    /// Free-text name given by whoever made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Start of validity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub starts_at: Option<Timestamp>,
    /// End of validity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_at: Option<Timestamp>,
    /// Certificate thumbprint (`customKeyIdentifier`), as exported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thumbprint: Option<String>,
    /// Object id of a federated credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub federated_id: Option<String>,
    /// Trusted issuer of a federated credential.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Trusted subject, or the claims-matching expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// Accepted audiences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audiences: Vec<String>,
}

/// `credential.added`. Its stream is the object that carries the credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Added {
    /// The credential.
    pub credential: Credential,
}

/// `credential.updated`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Updated {
    /// Which credential.
    pub key_id: String,
    /// Object that carries it.
    pub origin: ObjectKind,
    /// Changed fields of [`Credential`] by name.
    pub changes: BTreeMap<String, Change>,
}

/// `credential.removed`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Which credential.
    pub key_id: String,
    /// What it was.
    pub kind: CredentialKind,
    /// Object that carried it.
    pub origin: ObjectKind,
}
