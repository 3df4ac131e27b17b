//! A directory audit record, whichever export it comes from.
//!
//! Read as one: the Graph `directoryAudit`, the same object in the `properties` of an Azure Monitor
//! envelope, and the `PascalCase` row of Log Analytics whose nested values are JSON in strings.

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::event::Source;
use serde::Serialize;
use serde_json::Value;

use super::modified::{Modified, decoded};
use crate::fields::{bad_value, field, instant_of, text, told};
use crate::outcome::Reason;

/// Who did it. Serialised into the private part only.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Actor {
    /// Object id of the user or service principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Application id, when an application did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
    /// `user` or `app`; empty when nobody is named.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub kind: &'static str,
    /// Display name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// User principal name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upn: Option<String>,
    /// Address it was done from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
}

/// One object a record is about.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Target {
    /// Object id; empty if not told.
    pub id: String,
    /// `Application`, `ServicePrincipal`, `User`, `Role`, `Policy`, …; empty if not told.
    pub kind: String,
    /// Display name.
    pub name: Option<String>,
    /// Changed properties by name.
    pub modified: BTreeMap<String, Modified>,
}

/// A directory audit record.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditRecord {
    /// The record's id; opaque.
    pub id: String,
    /// Activity as written, dash and trailing space included.
    pub activity: String,
    /// Activity in the normal form that is compared; see [`activity_key`].
    pub activity_key: String,
    /// When it happened.
    pub at: Timestamp,
    /// Directory the record says it is from.
    pub tenant: Option<String>,
    /// Correlation id.
    pub correlation: Option<String>,
    /// `success`, `failure`, `timeout`; empty if not told.
    pub result: String,
    /// Who did it.
    pub actor: Actor,
    /// What it was done to.
    pub targets: Vec<Target>,
    /// Additional details by key.
    pub details: BTreeMap<String, String>,
    /// Where the record was read.
    pub source: Source,
    /// The record itself, without secrets. For the private part.
    pub original: Value,
}

/// Normal form of an activity name. The log writes an en dash and a trailing space where the
/// documentation has neither, and the unified log adds a full stop: any dash is `-`, white space collapsed
/// and trimmed, one trailing full stop dropped, lower case.
pub fn activity_key(activity: &str) -> String {
    let dashed: String = activity
        .chars()
        .map(|c| match c {
            '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' | '\u{ff0d}' => '-',
            other => other,
        })
        .collect();
    let words: Vec<&str> = dashed.split_whitespace().collect();
    let joined = words.join(" ");
    joined
        .strip_suffix('.')
        .unwrap_or(&joined)
        .trim_end()
        .to_lowercase()
}

impl AuditRecord {
    /// Reads a record.
    ///
    /// # Errors
    /// `Missing` without an activity or a time, `BadValue` for a time that cannot be read.
    pub fn parse(record: &Value, source: Source) -> Result<Self, Reason> {
        let inner = nested(record, "properties");
        let inner = match &inner {
            Some(properties) if properties.is_object() => properties.as_ref(),
            _ => record,
        };
        let either = |name: &str| text(inner, name).or_else(|| text(record, name));
        let activity = ["activityDisplayName", "operationName"]
            .into_iter()
            .find_map(|name| untrimmed(inner, name).or_else(|| untrimmed(record, name)))
            .ok_or_else(|| super::missing("activityDisplayName"))?;
        let (name, time) = ["activityDateTime", "time", "TimeGenerated"]
            .into_iter()
            .find_map(|name| either(name).map(|time| (name, time)))
            .ok_or_else(|| super::missing("activityDateTime"))?;
        let at = instant_of(time).ok_or_else(|| bad_value(name, time, "a date and time"))?;
        let id = either("id").map_or_else(|| source.digest.clone(), str::to_owned);
        let source = Source {
            record: Some(id.clone()).filter(|id| !id.is_empty()),
            ..source
        };
        Ok(Self {
            id,
            activity: activity.to_owned(),
            activity_key: activity_key(activity),
            at,
            tenant: tenant(record, inner),
            correlation: either("correlationId")
                .filter(|id| !is_zero(id))
                .map(str::to_owned),
            result: either("result").unwrap_or_default().to_ascii_lowercase(),
            actor: actor(record, inner),
            targets: targets(inner),
            details: details(inner),
            source,
            original: redacted(record),
        })
    }

    /// Whether nothing was changed.
    pub fn has_failed(&self) -> bool {
        matches!(self.result.as_str(), "failure" | "failed" | "timeout")
    }

    /// How much the record tells: its changed properties.
    pub(super) fn richness(&self) -> usize {
        self.targets
            .iter()
            .map(|target| target.modified.len())
            .sum()
    }

    /// A property of any target, in order of the targets.
    pub(super) fn property(&self, name: &str) -> Option<&Modified> {
        self.targets.iter().find_map(|target| target.property(name))
    }
}

impl Target {
    /// A changed property, its name in any case.
    pub(super) fn property(&self, name: &str) -> Option<&Modified> {
        self.modified
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, modified)| modified)
    }
}

fn untrimmed<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    text(value, name)?;
    told(value, name)?.as_str()
}

fn is_zero(id: &str) -> bool {
    id.chars().all(|c| c == '0' || c == '-')
}

/// A field that is an object or list, or JSON text of one.
fn nested<'a>(value: &'a Value, name: &str) -> Option<Cow<'a, Value>> {
    match told(value, name)? {
        Value::String(text) => serde_json::from_str(text).ok().map(Cow::Owned),
        other => Some(Cow::Borrowed(other)),
    }
}

fn tenant(record: &Value, inner: &Value) -> Option<String> {
    // In Log Analytics `TenantId` is the workspace; the directory is `AADTenantId`.
    if let Some(directory) = text(record, "AADTenantId") {
        return Some(directory.to_owned());
    }
    let envelope = record.get("tenantId").or_else(|| inner.get("tenantId"));
    envelope
        .and_then(Value::as_str)
        .filter(|id| !id.is_empty())
        .map(str::to_owned)
}

fn actor(record: &Value, inner: &Value) -> Actor {
    let by = nested(inner, "initiatedBy");
    let by = by.as_deref().unwrap_or(&Value::Null);
    let owned = |value: &Value, name: &str| {
        text(value, name)
            .filter(|text| !text.starts_with('<'))
            .map(str::to_owned)
    };
    let from = || owned(record, "callerIpAddress");
    if let Some(user) = told(by, "user") {
        return Actor {
            id: owned(user, "id"),
            app_id: None,
            kind: "user",
            display_name: owned(user, "displayName"),
            upn: owned(user, "userPrincipalName"),
            ip: owned(user, "ipAddress").or_else(from),
        };
    }
    match told(by, "app") {
        Some(app) => Actor {
            id: owned(app, "servicePrincipalId"),
            app_id: owned(app, "appId"),
            kind: "app",
            display_name: owned(app, "displayName").or_else(|| owned(app, "servicePrincipalName")),
            upn: None,
            ip: from(),
        },
        None => Actor {
            ip: from(),
            ..Actor::default()
        },
    }
}

fn targets(inner: &Value) -> Vec<Target> {
    // One page of the Graph documentation spells the list in the singular.
    let list = nested(inner, "targetResources").or_else(|| nested(inner, "targetResource"));
    match list.as_deref() {
        Some(Value::Array(items)) => items.iter().map(target).collect(),
        Some(one @ Value::Object(_)) => vec![target(one)],
        _ => Vec::new(),
    }
}

fn target(value: &Value) -> Target {
    let mut modified: BTreeMap<String, Modified> = BTreeMap::new();
    let properties = nested(value, "modifiedProperties");
    if let Some(Value::Array(items)) = properties.as_deref() {
        for item in items {
            if let Some(name) = text(item, "displayName") {
                let change = Modified {
                    old: decoded(field(item, "oldValue")),
                    new: decoded(field(item, "newValue")),
                };
                modified.insert(name.to_owned(), change);
            }
        }
    }
    Target {
        id: text(value, "id").unwrap_or_default().to_owned(),
        kind: text(value, "type").unwrap_or_default().to_owned(),
        name: text(value, "displayName").map(str::to_owned),
        modified,
    }
}

fn details(inner: &Value) -> BTreeMap<String, String> {
    let list = nested(inner, "additionalDetails");
    let Some(Value::Array(items)) = list.as_deref() else {
        return BTreeMap::new();
    };
    items
        .iter()
        .filter_map(|item| {
            Some((
                text(item, "key")?.to_owned(),
                text(item, "value")?.to_owned(),
            ))
        })
        .collect()
}

/// The record without the value of any secret.
fn redacted(value: &Value) -> Value {
    const REDACTED: &str = "[redacted]";
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, value)| {
                    let kept = if name.eq_ignore_ascii_case("secretText") {
                        Value::String(REDACTED.to_owned())
                    } else {
                        redacted(value)
                    };
                    (name.clone(), kept)
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.iter().map(redacted).collect()),
        Value::String(text) if text.to_ascii_lowercase().contains("secrettext") => {
            // JSON in a string: what is inside cannot be told apart with certainty.
            Value::String(REDACTED.to_owned())
        }
        other => other.clone(),
    }
}
