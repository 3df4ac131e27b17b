//! Attribute values: one normal form for every source, and events from what differs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::event::identity::{Change, Registered, Updated};
use ledger::event::{Event, EventBody, Precision};
use serde_json::{Value, json};

use crate::draft::{Draft, Subject};
use crate::fields::{list, text, told, truth};
use crate::known::Known;

/// What a record tells of an object: attribute to value, `None` where it says there is none.
pub(crate) type Told = BTreeMap<String, Option<Value>>;

/// The switch that allows an identity to sign in; its changes are events of their own.
pub(crate) const ACCOUNT_ENABLED: &str = "accountEnabled";

/// Normal form of a value: nothing for `null`, empty text and empty lists; lists of texts sorted,
/// since Graph and the audit log order them differently.
pub(crate) fn normal(value: Value) -> Option<Value> {
    match value {
        Value::Null => None,
        Value::String(text) if text.is_empty() => None,
        Value::Array(items) if items.is_empty() => None,
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let mut texts: Vec<String> = items
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
            texts.sort();
            texts.dedup();
            Some(json!(texts))
        }
        other => Some(other),
    }
}

/// `requiredResourceAccess` without what Graph adds around it, sorted.
pub(crate) fn required_access(value: &Value) -> Option<Value> {
    let mut resources: Vec<(String, Vec<(String, String)>)> = Vec::new();
    for resource in value.as_array()? {
        let mut access: Vec<(String, String)> = list(resource, "resourceAccess")
            .iter()
            .filter_map(|one| Some((text(one, "id")?.to_owned(), text(one, "type")?.to_owned())))
            .collect();
        for one in list(resource, "RequiredAppPermissions") {
            let Some(id) = text(one, "EntitlementId") else {
                continue;
            };
            // In the audit log a direct grant is an app role, an impersonation a scope.
            if told(one, "DirectAccessGrant").and_then(truth) == Some(true) {
                access.push((id.to_owned(), "Role".to_owned()));
            }
            if !list(one, "ImpersonationAccessGrants").is_empty() {
                access.push((id.to_owned(), "Scope".to_owned()));
            }
        }
        access.sort();
        access.dedup();
        if let Some(id) = text(resource, "resourceAppId") {
            resources.push((id.to_owned(), access));
        }
    }
    resources.sort();
    let compact = resources
        .into_iter()
        .map(|(id, access)| {
            let access: Vec<Value> = access
                .into_iter()
                .map(|(id, kind)| json!({"id": id, "type": kind}))
                .collect();
            json!({"resourceAppId": id, "resourceAccess": access})
        })
        .collect();
    normal(Value::Array(compact))
}

/// When a record tells the attributes it tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ToldAt {
    /// As the object was registered.
    Registration,
    /// Some time after.
    Later,
}

/// A proposed registration, and whether it says more than the known one.
pub(crate) struct Registration {
    pub(crate) event: Event,
    pub(crate) is_news: bool,
}

/// `identity.registered` for an object that is not known yet, or with what the known one lacks.
///
/// A value told later is taken for the one since registration, unless a known change tells what it
/// was before.
pub(crate) fn registration(
    known: &Known,
    subject: Subject<'_>,
    draft: &Draft<'_>,
    told: &Told,
    told_at: ToldAt,
) -> Registration {
    let stream = draft.stream(subject);
    let view = known.view(&stream, Timestamp::MAX);
    let mut attributes: BTreeMap<String, Value> = BTreeMap::new();
    let mut at = draft.at(draft.at, draft.precision);
    if let Some((_, fact)) = view.registered {
        if let EventBody::IdentityRegistered(body) = &fact.body {
            attributes.clone_from(&body.attributes);
        }
        if draft.precision == Precision::Observed {
            at = draft.at(fact.at, Precision::Observed);
        }
    }
    let had = attributes.len();
    for (name, value) in told {
        if attributes.contains_key(name) {
            continue;
        }
        let first = match first_change(known, subject, draft, name) {
            Some(change) if told_at == ToldAt::Later => change.old,
            _ => value.clone(),
        };
        if let Some(first) = first {
            attributes.insert(name.clone(), first);
        }
    }
    let is_better = view.registered.is_none_or(|(_, fact)| {
        fact.precision == Precision::Observed && at.precision == Precision::Exact
    });
    let is_news = attributes.len() > had || is_better;
    let body = EventBody::IdentityRegistered(Registered {
        kind: subject.kind,
        attributes,
    });
    Registration {
        event: at.event(draft.registered_id(subject.id), stream, body),
        is_news,
    }
}

/// The first known change of an attribute.
fn first_change(
    known: &Known,
    subject: Subject<'_>,
    draft: &Draft<'_>,
    name: &str,
) -> Option<Change> {
    known
        .facts_of(&draft.stream(subject))
        .find_map(|(_, fact)| match &fact.body {
            EventBody::IdentityUpdated(body) => body.changes.get(name).cloned(),
            EventBody::IdentityEnabled(_) if name == ACCOUNT_ENABLED => Some(Change {
                old: Some(json!(false)),
                new: Some(json!(true)),
            }),
            EventBody::IdentityDisabled(_) if name == ACCOUNT_ENABLED => Some(Change {
                old: Some(json!(true)),
                new: Some(json!(false)),
            }),
            _ => None,
        })
}

/// Events that bring what is known at the draft's time to what a record tells.
pub(crate) fn differences(
    known: &Known,
    subject: Subject<'_>,
    draft: &Draft<'_>,
    told: &Told,
) -> Vec<Event> {
    let view = known.view(&draft.stream(subject), draft.at);
    let mut changes = BTreeMap::new();
    for (name, new) in told {
        let old = view.attributes.get(name).cloned();
        if old != *new {
            let new = new.clone();
            changes.insert(name.clone(), Change { old, new });
        }
    }
    changed(subject, draft, changes)
}

/// `identity.updated`, and `enabled` or `disabled` for what the account's switch tells.
pub(crate) fn changed(
    subject: Subject<'_>,
    draft: &Draft<'_>,
    mut changes: BTreeMap<String, Change>,
) -> Vec<Event> {
    let mut events = Vec::new();
    if let Some(change) = changes.remove(ACCOUNT_ENABLED) {
        match change.new.as_ref().and_then(truth) {
            Some(true) => {
                events.push(draft.marker(subject, "identity.enabled", EventBody::IdentityEnabled));
            }
            Some(false) => {
                events.push(draft.marker(
                    subject,
                    "identity.disabled",
                    EventBody::IdentityDisabled,
                ));
            }
            None => {}
        }
    }
    if !changes.is_empty() {
        let id = draft.moment_id("identity.updated", subject.id);
        let kind = subject.kind;
        let body = EventBody::IdentityUpdated(Updated { kind, changes });
        events.push(draft.event(id, draft.stream(subject), body));
    }
    events
}
