//! Records of these tests, in each shape an audit record comes in.

use super::*;

pub(super) fn source() -> Source {
    Source {
        name: "graph/directoryAudit".to_owned(),
        record: None,
        digest: "d1".to_owned(),
    }
}

pub(super) fn ctx() -> Context<'static> {
    Context {
        tenant: "t-1",
        observed_at: "2026-11-01T00:00:00Z".parse().unwrap(),
        private_network: false,
    }
}

pub(super) fn graph(id: &str, activity: &str, targets: Value, details: Value) -> Value {
    json!({
        "id": id, "category": "ApplicationManagement", "correlationId": "c-1",
        "result": "success", "activityDisplayName": activity, "activityDateTime": AT,
        "initiatedBy": {"app": null, "user": {"id": "u-1", "displayName": "Ada Example",
            "userPrincipalName": "ada@example.com", "ipAddress": "203.0.113.9"}},
        "targetResources": targets, "additionalDetails": details,
    })
}

pub(super) fn envelope(record: &Value) -> Value {
    json!({
        "time": AT, "tenantId": "t-1", "operationName": record["activityDisplayName"],
        "category": "AuditLogs", "correlationId": record["correlationId"], "Level": 4,
        "properties": record,
    })
}

pub(super) fn row(record: &Value) -> Value {
    json!({
        "TimeGenerated": AT, "TenantId": "workspace", "AADTenantId": "t-1", "Id": record["id"],
        "OperationName": record["activityDisplayName"], "Result": record["result"],
        "ActivityDisplayName": record["activityDisplayName"], "ActivityDateTime": AT,
        "CorrelationId": record["correlationId"], "Type": "AuditLogs",
        "InitiatedBy": record["initiatedBy"].to_string(),
        "TargetResources": record["targetResources"].to_string(),
        "AdditionalDetails": record["additionalDetails"].to_string(),
    })
}

pub(super) fn parsed(record: &Value) -> AuditRecord {
    AuditRecord::parse(record, source()).unwrap()
}

pub(super) fn alone(record: &Value) -> GroupOutcome {
    interpret(&[parsed(record)], &ctx(), &mut Known::new())
}

pub(super) fn target(id: &str, kind: &str, properties: &[(&str, Value, Value)]) -> Value {
    let modified: Vec<Value> = properties
        .iter()
        .map(|(name, old, new)| json!({"displayName": name, "oldValue": old, "newValue": new}))
        .collect();
    json!({"id": id, "displayName": format!("{id} name"), "type": kind, "modifiedProperties": modified})
}

pub(super) fn key(id: &str, name: &str) -> String {
    format!("[KeyIdentifier={id},KeyType=Password,KeyUsage=Verify,DisplayName={name}]")
}

pub(super) fn keys(list: &[String]) -> Value {
    json!(json!(list).to_string())
}

pub(super) fn names(outcome: &GroupOutcome) -> Vec<String> {
    outcome
        .events
        .iter()
        .map(|event| event.body.event_type().to_string())
        .collect()
}
