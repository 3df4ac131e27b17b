//! Records of the directory audit log, in the envelope Azure Monitor exports them in.
//!
//! Shapes: Microsoft Graph `directoryAudit` v1.0 inside the diagnostic envelope (time with `Z`,
//! properties with `+00:00`, `category` the log at the top and Graph's below). `oldValue` and
//! `newValue` are strings that hold JSON.

use serde_json::{Value, json};

use super::moment::Moment;
use super::random::Random;
use super::tenant::Tenant;

/// Who made a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Actor {
    /// An account of the organisation, by number.
    Account(usize),
    /// Azure itself, when it makes managed identities.
    ManagedIdentityService,
}

/// What a record is about, besides its targets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Activity {
    /// `activityDisplayName`, spelled as the log spells it.
    pub(super) name: &'static str,
    /// Graph's category.
    pub(super) category: &'static str,
    /// `loggedByService`.
    pub(super) service: &'static str,
    /// `operationType`.
    pub(super) operation: &'static str,
}

impl Activity {
    /// Category `ApplicationManagement` of the core directory.
    pub(super) const fn application(name: &'static str, operation: &'static str) -> Self {
        Self {
            name,
            category: "ApplicationManagement",
            service: "Core Directory",
            operation,
        }
    }
}

/// Writes the records of one logical change: one correlation id, one actor, one moment.
#[derive(Debug)]
pub(super) struct Scribe {
    tenant_id: String,
    initiated_by: Value,
    address: Option<&'static str>,
    at: Moment,
    random: Random,
    correlation: String,
    records: i64,
    /// Finished lines, without line ends.
    pub(super) lines: Vec<String>,
}

impl Scribe {
    /// Starts a change; `number` tells it from every other change of the demo.
    pub(super) fn new(tenant: &Tenant, actor: Actor, at: Moment, number: u64) -> Self {
        let mut random = Random::new(tenant.seed, "audit", number);
        let (initiated_by, address) = initiator(tenant, actor);
        Self {
            tenant_id: tenant.id.clone(),
            initiated_by,
            address,
            at,
            correlation: random.guid(),
            random,
            records: 0,
            lines: Vec::new(),
        }
    }

    /// Later records belong to a change of their own by the same actor.
    pub(super) fn next_change(&mut self) {
        self.correlation = self.random.guid();
        self.at = self.at.plus_seconds(2);
    }

    /// Time of the change.
    pub(super) fn at(&self) -> Moment {
        self.at
    }

    /// Writes one record.
    pub(super) fn write(
        &mut self,
        activity: Activity,
        targets: &[Value],
        details: &[(&str, &str)],
    ) {
        self.records += 1;
        // Records of one change lie a few hundredths of a second apart.
        let at = self.at.with_ticks(self.records * 123_457);
        let policy = activity.service == "Conditional Access";
        let prefix = if policy { "IPCGraph" } else { "Directory" };
        let code = self.random.code(5);
        let serial = self.random.below(900_000_000) + 100_000_000;
        let details: Vec<Value> = details
            .iter()
            .map(|(key, value)| json!({"key": key, "value": value}))
            .collect();
        let mut record = json!({
            "time": at.log(),
            "resourceId": format!("/tenants/{}/providers/Microsoft.aadiam", self.tenant_id),
            "operationName": activity.name,
            "operationVersion": "1.0",
            "category": "AuditLogs",
            "tenantId": self.tenant_id,
            "resultSignature": "None",
            "durationMs": 0,
            "correlationId": self.correlation,
            "Level": 4,
            "properties": {
                "tenantId": self.tenant_id,
                "resultType": "",
                "resultDescription": "",
                "operationName": activity.name,
                "identity": "",
                "tenantGeo": "EU",
                "id": format!("{prefix}_{}_{code}_{serial}", self.correlation),
                "category": activity.category,
                "correlationId": self.correlation,
                "result": "success",
                "resultReason": "",
                "activityDisplayName": activity.name,
                "activityDateTime": at.offset(),
                "loggedByService": activity.service,
                "operationType": activity.operation,
                "userAgent": null,
                "initiatedBy": self.initiated_by,
                "targetResources": targets,
                "additionalDetails": details,
            },
        });
        if let (Some(address), Some(fields)) = (self.address, record.as_object_mut()) {
            fields.insert("callerIpAddress".to_owned(), json!(address));
        }
        self.lines.push(record.to_string());
    }
}

fn initiator(tenant: &Tenant, actor: Actor) -> (Value, Option<&'static str>) {
    let account = match actor {
        Actor::Account(number) => tenant.accounts.get(number),
        Actor::ManagedIdentityService => None,
    };
    match account {
        Some(account) => (
            json!({"user": {
                "id": account.id,
                "displayName": null,
                "userPrincipalName": account.principal_name,
                "ipAddress": account.address,
                "roles": [],
            }}),
            Some(account.address),
        ),
        None => (
            json!({"app": {
                "appId": null,
                "displayName": "Managed Service Identity",
                "servicePrincipalId": Random::new(tenant.seed, "managed-identity-service", 0).guid(),
                "servicePrincipalName": null,
            }}),
            None,
        ),
    }
}

/// One object a record is about.
pub(super) fn target(kind: &str, id: &str, name: Option<&str>, properties: &[Value]) -> Value {
    json!({
        "id": id,
        "displayName": name,
        "type": kind,
        "modifiedProperties": properties,
        "administrativeUnits": [],
    })
}

/// A user as a target: it has a principal name instead of a display name.
pub(super) fn user_target(id: &str, principal_name: &str, properties: &[Value]) -> Value {
    json!({
        "id": id,
        "displayName": null,
        "type": "User",
        "userPrincipalName": principal_name,
        "modifiedProperties": properties,
        "administrativeUnits": [],
    })
}

/// A changed property; values become strings that hold JSON.
pub(super) fn property(name: &str, old: Option<&Value>, new: Option<&Value>) -> Value {
    json!({
        "displayName": name,
        "oldValue": old.map(Value::to_string),
        "newValue": new.map(Value::to_string),
    })
}

/// A property of which only the new value is told.
pub(super) fn told(name: &str, new: &Value) -> Value {
    property(name, None, Some(new))
}

/// The entry that names what changed.
pub(super) fn included(names: &str) -> Value {
    told("Included Updated Properties", &json!(names))
}
