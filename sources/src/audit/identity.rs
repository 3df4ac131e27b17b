//! Changes of service principals and applications themselves.

use std::collections::BTreeMap;

use ledger::event::identity::{AttributesSet, Change, ObjectKind, Owner};
use ledger::event::risk::Level;
use ledger::event::{Event, EventBody};
use serde_json::{Value, json};

use super::{AuditRecord, Claim, Modified, Target, credential, missing, subject};
use crate::attributes::{self, Told, ToldAt, normal, required_access};
use crate::draft::{Draft, Subject};
use crate::fields::{single, text, truth};
use crate::known::Known;
use crate::outcome::Reason;

/// "Add application" and "Add service principal".
pub(super) fn added(
    record: &AuditRecord,
    kind: ObjectKind,
    draft: &Draft<'_>,
    known: &Known,
) -> Result<Claim, Reason> {
    let subject = subject(record, kind)?;
    let mut told: Told = Told::new();
    for (name, modified) in properties(record, subject) {
        if let Some((graph, value)) = modified.new.as_ref().and_then(|new| attribute(name, new)) {
            told.insert(graph.to_owned(), value);
        }
    }
    if !told.contains_key("displayName")
        && let Some(target) = record.targets.iter().find(|target| target.id == subject.id)
    {
        told.insert(
            "displayName".to_owned(),
            target.name.clone().map(Value::String),
        );
    }
    told.extend(details(record));
    told.retain(|_, value| value.is_some());
    let mut events =
        vec![attributes::registration(known, subject, draft, &told, ToldAt::Registration).event];
    if let Some((_, fact)) = known.view(&draft.stream(subject), draft.at).registered {
        // A snapshot may have told other values first: they were changed between the two.
        let EventBody::IdentityRegistered(first) = &fact.body else {
            return Ok(Claim::Events(events));
        };
        told.retain(|name, _| first.attributes.contains_key(name));
        let at = draft.at(fact.at.max(draft.at), draft.precision);
        events.extend(attributes::differences(known, subject, &at, &told));
    }
    events.extend(credential::changes(record, subject, draft)?);
    Ok(Claim::Events(events))
}

/// Additional details of "Add service principal", in the log since January 2026.
fn details(record: &AuditRecord) -> Told {
    let mut told = Told::new();
    for (key, value) in &record.details {
        let pair = match key.to_ascii_lowercase().as_str() {
            "appid" => ("appId", value.clone()),
            "appownerorganizationid" => ("appOwnerOrganizationId", value.clone()),
            "serviceprincipalprovisioningtype"
                if value.eq_ignore_ascii_case("ManagedServiceIdentity") =>
            {
                ("servicePrincipalType", "ManagedIdentity".to_owned())
            }
            _ => continue,
        };
        told.insert(pair.0.to_owned(), Some(Value::String(pair.1)));
    }
    told
}

/// Properties of the target that is the subject.
fn properties<'a>(
    record: &'a AuditRecord,
    subject: Subject<'a>,
) -> impl Iterator<Item = (&'a str, &'a Modified)> {
    record
        .targets
        .iter()
        .filter(move |target| target.id == subject.id)
        .flat_map(|target| &target.modified)
        .map(|(name, modified)| (name.as_str(), modified))
}

/// "Update application", "Update service principal" and their credential variants.
pub(super) fn updated(
    record: &AuditRecord,
    kind: ObjectKind,
    draft: &Draft<'_>,
) -> Result<Claim, Reason> {
    let subject = subject(record, kind)?;
    let mut changes: BTreeMap<String, Change> = BTreeMap::new();
    for (name, modified) in properties(record, subject) {
        let side = |value: &Option<Value>| value.as_ref().and_then(|value| attribute(name, value));
        let (old, new) = (side(&modified.old), side(&modified.new));
        let Some(graph) = old.as_ref().or(new.as_ref()).map(|(graph, _)| *graph) else {
            continue;
        };
        let old = old.and_then(|(_, value)| value);
        let new = new.and_then(|(_, value)| value);
        if old != new {
            changes.insert(graph.to_owned(), Change { old, new });
        }
    }
    let mut events = attributes::changed(subject, draft, changes);
    events.extend(credential::changes(record, subject, draft)?);
    if events.is_empty() {
        return Ok(Claim::Evidence);
    }
    Ok(Claim::Events(events))
}

/// Graph name and normal value of a Core Directory property; `None` for one that is not kept.
fn attribute(name: &str, value: &Value) -> Option<(&'static str, Option<Value>)> {
    let one = || match single(value) {
        Value::Array(_) => None,
        other => normal(other.clone()),
    };
    let many = || match value {
        Value::Array(_) => normal(value.clone()),
        other => normal(json!([other])),
    };
    Some(match name.to_ascii_lowercase().as_str() {
        "accountenabled" => ("accountEnabled", truth(value).map(Value::Bool)),
        "appid" | "appprincipalid" => ("appId", one()),
        "displayname" => ("displayName", one()),
        "appowner" | "appownertenantid" | "appownerorganizationid" => {
            ("appOwnerOrganizationId", one())
        }
        "serviceprincipaltype" => ("servicePrincipalType", one()),
        "signinaudience" => ("signInAudience", one()),
        "availabletoothertenants" => {
            let audience = truth(value)
                .map(|open| {
                    if open {
                        "AzureADMultipleOrgs"
                    } else {
                        "AzureADMyOrg"
                    }
                })
                .map(|audience| json!(audience));
            ("signInAudience", audience)
        }
        "publicclient" | "isfallbackpublicclient" => {
            ("isFallbackPublicClient", truth(value).map(Value::Bool))
        }
        "approleassignmentrequired" => ("appRoleAssignmentRequired", truth(value).map(Value::Bool)),
        "isdisabled" => ("isDisabled", truth(value).map(Value::Bool)),
        "disabledbymicrosoftstatus" => ("disabledByMicrosoftStatus", one()),
        "preferredsinglesignonmode" => ("preferredSingleSignOnMode", one()),
        "servicemanagementreference" => ("serviceManagementReference", one()),
        "tag" | "tags" => ("tags", many()),
        "alternativenames" => ("alternativeNames", many()),
        "appaddress" | "replyurls" => ("replyUrls", addresses(value)),
        "requiredresourceaccess" => ("requiredResourceAccess", required_access(value)),
        "notificationemailaddresses" => {
            let count = value.as_array().map_or(1, Vec::len);
            (
                "notificationEmailCount",
                Some(json!(count)).filter(|_| count > 0),
            )
        }
        _ => return None,
    })
}

/// Reply addresses: texts, or objects with an `Address`.
fn addresses(value: &Value) -> Option<Value> {
    let items: Vec<Value> = value
        .as_array()?
        .iter()
        .filter_map(|item| item.as_str().or_else(|| text(item, "Address")))
        .map(|address| json!(address))
        .collect();
    normal(Value::Array(items))
}

/// "Delete application", "Remove service principal".
pub(super) fn deleted(
    record: &AuditRecord,
    kind: ObjectKind,
    draft: &Draft<'_>,
) -> Result<Claim, Reason> {
    let subject = subject(record, kind)?;
    let event = draft.marker(subject, "identity.deleted", EventBody::IdentityDeleted);
    Ok(Claim::Events(vec![event]))
}

/// "Hard delete …".
pub(super) fn purged(
    record: &AuditRecord,
    kind: ObjectKind,
    draft: &Draft<'_>,
) -> Result<Claim, Reason> {
    let subject = subject(record, kind)?;
    let event = draft.marker(subject, "identity.purged", EventBody::IdentityPurged);
    Ok(Claim::Events(vec![event]))
}

/// "Restore …".
pub(super) fn restored(
    record: &AuditRecord,
    kind: ObjectKind,
    draft: &Draft<'_>,
) -> Result<Claim, Reason> {
    let subject = subject(record, kind)?;
    let event = draft.marker(subject, "identity.restored", EventBody::IdentityRestored);
    Ok(Claim::Events(vec![event]))
}

/// "Add owner to …", "Remove owner from …": the owner is the first target, the object owned the
/// second, and the first names it by a property too.
pub(super) fn owner(
    record: &AuditRecord,
    kind: ObjectKind,
    is_added: bool,
    draft: &Draft<'_>,
) -> Result<Claim, Reason> {
    let name = match kind {
        ObjectKind::Application => "Application.ObjectID",
        ObjectKind::ServicePrincipal => "ServicePrincipal.ObjectID",
    };
    let object = record
        .property(name)
        .and_then(Modified::text)
        .or_else(|| owned_target(record, kind).map(|target| target.id.as_str()))
        .ok_or_else(|| missing(name))?;
    let owner = record
        .targets
        .iter()
        .find(|target| target.id != object && !target.id.is_empty())
        .ok_or_else(|| missing("targetResources.id"))?;
    let subject = Subject { kind, id: object };
    let owner = Owner {
        id: owner.id.clone(),
        kind: snake_case(&owner.kind),
        enabled: None,
        guest: None,
    };
    let event = if is_added {
        draft.owner(
            subject,
            "identity.owner_added",
            owner,
            EventBody::OwnerAdded,
        )
    } else {
        draft.owner_removed(subject, owner)
    };
    Ok(Claim::Events(vec![event]))
}

/// The last target of the kind: with two service principals, the owner comes first.
fn owned_target(record: &AuditRecord, kind: ObjectKind) -> Option<&Target> {
    let wanted = match kind {
        ObjectKind::Application => "application",
        ObjectKind::ServicePrincipal => "serviceprincipal",
    };
    record
        .targets
        .iter()
        .rev()
        .find(|target| target.kind.eq_ignore_ascii_case(wanted) && !target.id.is_empty())
}

/// `ServicePrincipal` to `service_principal`.
pub(crate) fn snake_case(text: &str) -> String {
    let mut snake = String::with_capacity(text.len() + 2);
    for (index, c) in text.chars().enumerate() {
        if c.is_ascii_uppercase() && index > 0 {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// "confirmServicePrincipalCompromised" and "DismissServicePrincipal": one event per target.
pub(super) fn risk(
    record: &AuditRecord,
    is_confirmed: bool,
    draft: &Draft<'_>,
) -> Result<Claim, Reason> {
    let (family, level, state) = if is_confirmed {
        ("risk.confirmed", "high", "confirmedCompromised")
    } else {
        ("risk.dismissed", "none", "dismissed")
    };
    let events: Vec<Event> = record
        .targets
        .iter()
        .filter(|target| !target.id.is_empty())
        .map(|target| {
            let body = Level {
                level: level.to_owned(),
                state: state.to_owned(),
                detail: None,
            };
            let body = if is_confirmed {
                EventBody::RiskConfirmed(body)
            } else {
                EventBody::RiskDismissed(body)
            };
            let subject = Subject {
                kind: ObjectKind::ServicePrincipal,
                id: &target.id,
            };
            draft.event(
                draft.moment_id(family, &target.id),
                draft.stream(subject),
                body,
            )
        })
        .collect();
    if events.is_empty() {
        return Err(missing("targetResources.id"));
    }
    Ok(Claim::Events(events))
}

/// "Update attribute values assigned to a servicePrincipal".
pub(super) fn security_attributes(
    record: &AuditRecord,
    draft: &Draft<'_>,
) -> Result<Claim, Reason> {
    let subject = subject(record, ObjectKind::ServicePrincipal)?;
    let mut values: BTreeMap<String, Value> = BTreeMap::new();
    for (name, modified) in properties(record, subject) {
        if name == "Included Updated Properties" || name.starts_with("TargetId.") {
            continue;
        }
        match &modified.new {
            Some(Value::Object(_)) => {
                values.extend(flattened(modified.new.as_ref().unwrap_or(&Value::Null)));
            }
            Some(value) => {
                values.insert(name.replace('.', "_"), value.clone());
            }
            None if modified.old.is_some() => {
                values.insert(name.replace('.', "_"), Value::Null);
            }
            None => {}
        }
    }
    if values.is_empty() {
        return Ok(Claim::Evidence);
    }
    let id = draft.moment_id("identity.attributes_set", subject.id);
    let body = EventBody::AttributesSet(AttributesSet { values });
    Ok(Claim::Events(vec![draft.event(
        id,
        draft.stream(subject),
        body,
    )]))
}

/// `{set: {attribute: value}}` to `<Set>_<Attribute>`, without the type notes beside the values.
pub(crate) fn flattened(sets: &Value) -> BTreeMap<String, Value> {
    let mut values = BTreeMap::new();
    for (set, attributes) in sets.as_object().into_iter().flatten() {
        for (name, value) in attributes.as_object().into_iter().flatten() {
            if !name.contains("@odata") {
                values.insert(format!("{set}_{name}"), value.clone());
            }
        }
    }
    values
}
