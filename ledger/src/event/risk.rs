//! Risk raised on workload identities by Entra ID Protection.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// `risk.detected`: one version of a detection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detection {
    /// Detection id.
    pub detection_id: String,
    /// `riskEventType`, such as `leakedCredentials`.
    pub risk_event_type: String,
    /// `low`, `medium`, `high`, `hidden`, `none`.
    pub level: String,
    /// `atRisk`, `confirmedCompromised`, `dismissed`, …
    pub state: String,
    /// `riskDetail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// When the activity took place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub activity_at: Option<Timestamp>,
    /// When it was detected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detected_at: Option<Timestamp>,
    /// Credentials involved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_ids: Vec<String>,
    /// Address involved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
}

/// `risk.level_changed`, `confirmed`, `dismissed`, `remediated`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Level {
    /// `low`, `medium`, `high`, `hidden`, `none`.
    pub level: String,
    /// `atRisk`, `confirmedCompromised`, `dismissed`, `remediated`, `none`.
    pub state: String,
    /// `riskDetail`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}
