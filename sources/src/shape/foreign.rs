//! Logs of other things: recognised only to skip them by the name of their activity.

use super::Recognised;
use crate::record::fields::Fields;

/// Recognises logs of Azure resources, AWS `CloudTrail`, Google Cloud, Kubernetes and Office 365.
pub(super) fn recognise(fields: &Fields<'_>) -> Option<Recognised> {
    azure(fields)
        .or_else(|| aws(fields))
        .or_else(|| google(fields))
        .or_else(|| kubernetes(fields))
        .or_else(|| office(fields))
}

/// Azure Activity and resource logs: an operation on a resource, with or without `category`.
fn azure(fields: &Fields<'_>) -> Option<Recognised> {
    fields
        .text("resourceId")
        .or_else(|| fields.text("_ResourceId"))?;
    let named = fields
        .text("category")
        .or_else(|| fields.text("operationName"))
        .or_else(|| fields.text("operationNameValue"))
        .or_else(|| fields.text("eventName"))?;
    Some(Recognised::skip(&named))
}

/// `CloudTrail`, as a record or as `LookupEvents` returns it.
fn aws(fields: &Fields<'_>) -> Option<Recognised> {
    let name = fields.text("eventName")?;
    (fields.has("eventSource") || fields.has("eventVersion") || fields.has("userIdentity"))
        .then(|| Recognised::skip(&name))
}

/// Google Cloud `LogEntry`, also under `message`.
fn google(fields: &Fields<'_>) -> Option<Recognised> {
    if let Some(payload) = fields.inner("protoPayload") {
        let method = Fields::parse(&payload)
            .ok()
            .and_then(|payload| payload.owned("methodName"));
        return Some(Recognised::skip(method.as_deref().unwrap_or("LogEntry")));
    }
    (fields.has("logName") && (fields.has("insertId") || fields.has("resource")))
        .then(|| Recognised::skip("LogEntry"))
}

/// Kubernetes audit events; `apiVersion` is often dropped by forwarders.
fn kubernetes(fields: &Fields<'_>) -> Option<Recognised> {
    let parts = [
        "user",
        "username",
        "objectRef",
        "requestURI",
        "auditID",
        "uri",
    ];
    let is_audit = fields
        .text("apiVersion")
        .is_some_and(|version| version.starts_with("audit.k8s.io/"));
    let Some(verb) = fields.text("verb") else {
        return is_audit.then(|| Recognised::skip("Kubernetes audit"));
    };
    if !is_audit && !parts.iter().any(|name| fields.has(name)) {
        return None;
    }
    let resource = fields.inner("objectRef").and_then(|inner| {
        Fields::parse(&inner)
            .ok()
            .and_then(|target| target.owned("resource"))
    });
    Some(Recognised::skip(&match resource {
        Some(resource) => format!("{verb} {resource}"),
        None => verb.into_owned(),
    }))
}

/// Office 365 unified audit log.
fn office(fields: &Fields<'_>) -> Option<Recognised> {
    let operation = fields.text("Operation")?;
    (fields.has("Workload") || fields.has("RecordType")).then(|| Recognised::skip(&operation))
}
