//! What ID Protection reports: detections and risky service principals, as Azure Monitor exports
//! them. Both are upserts: the same detection comes again when its state changes.

use serde_json::{Value, json};

use super::moment::Moment;
use super::random::Random;
use super::tenant::{Identity, Tenant};

/// One report on one identity.
#[derive(Debug, Clone)]
pub(super) struct Report {
    /// When the log was written.
    pub(super) at: Moment,
    /// Number of the identity.
    pub(super) subject: usize,
    /// `riskEventType`.
    pub(super) event_type: &'static str,
    /// `riskLevel`.
    pub(super) level: &'static str,
    /// `riskState`.
    pub(super) state: &'static str,
    /// `riskDetail`.
    pub(super) detail: &'static str,
    /// When it was first detected.
    pub(super) detected: Moment,
    /// Whether the credentials held at the time are named.
    pub(super) names_keys: bool,
}

/// The two lines of a report: the detection and the identity's new risk.
pub(super) fn lines(tenant: &Tenant, report: &Report) -> Vec<String> {
    let Some(identity) = tenant.identities.get(report.subject) else {
        return Vec::new();
    };
    // The id depends on what was detected, not on when it was last reported.
    let label = format!("{}:{}", report.event_type, report.detected.log());
    let mut random = Random::new(tenant.seed, &label, report.subject as u64);
    let detection_id = format!("{}{}", random.hex_upper(32), random.hex_upper(32)).to_lowercase();
    let keys: Vec<&str> = if report.names_keys {
        identity
            .credentials
            .iter()
            .map(|credential| credential.key_id.as_str())
            .collect()
    } else {
        Vec::new()
    };
    let detection = json!({
        "id": detection_id,
        "requestId": null,
        "correlationId": null,
        "riskEventType": report.event_type,
        "riskState": report.state,
        "riskLevel": report.level,
        "riskDetail": report.detail,
        "source": "IdentityProtection",
        "detectionTimingType": "offline",
        "activity": "servicePrincipal",
        "tokenIssuerType": "AzureAD",
        "ipAddress": null,
        "location": null,
        "activityDateTime": report.detected.log(),
        "detectedDateTime": report.detected.plus_seconds(3_600).log(),
        "lastUpdatedDateTime": report.at.log(),
        "servicePrincipalId": identity.sp_id,
        "servicePrincipalDisplayName": identity.name,
        "appId": identity.app_id,
        "keyIds": keys,
        "additionalInfo": "[{\"Key\":\"alertUrl\",\"Value\":null}]",
    });
    vec![
        line(
            tenant,
            report.at,
            (
                "ServicePrincipalRiskEvents",
                "Service principal risk detection",
            ),
            &detection,
        ),
        line(
            tenant,
            report.at,
            ("RiskyServicePrincipals", "Risky service principal"),
            &risky(identity, report),
        ),
    ]
}

fn risky(identity: &Identity, report: &Report) -> Value {
    json!({
        "id": identity.sp_id,
        "appId": identity.app_id,
        "displayName": identity.name,
        "servicePrincipalType": "Application",
        "isEnabled": identity.enabled,
        "isProcessing": false,
        "riskLastUpdatedDateTime": report.at.log(),
        "riskLevel": report.level,
        "riskState": report.state,
        "riskDetail": report.detail,
    })
}

fn line(
    tenant: &Tenant,
    at: Moment,
    (category, operation): (&str, &str),
    properties: &Value,
) -> String {
    let correlation = properties.get("id").cloned().unwrap_or(Value::Null);
    json!({
        "time": at.plus_seconds(90).log(),
        "resourceId": format!("/tenants/{}/providers/Microsoft.aadiam", tenant.id),
        "operationName": operation,
        "operationVersion": "1.0",
        "category": category,
        "tenantId": tenant.id,
        "resultSignature": "None",
        "durationMs": 0,
        "correlationId": correlation,
        "identity": properties.get("displayName").or_else(|| properties.get("servicePrincipalDisplayName")),
        "Level": 4,
        "properties": properties,
    })
    .to_string()
}
