//! Conditional Access policies and named locations.
//!
//! One property holds the whole object as JSON, before and after.

use ledger::event::policy::{AccessPolicyChange, LocationChange};
use ledger::event::{Event, EventBody, StreamName};
use serde_json::Value;

use super::{AuditRecord, Claim, missing};
use crate::access_policy;
use crate::draft::Draft;
use crate::outcome::Reason;

/// What is done to a policy or location.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Add,
    Update,
    Delete,
}

/// The object's id and its JSON before and after.
fn sides<'a>(
    record: &'a AuditRecord,
    wanted: &str,
) -> Result<(&'a str, Option<&'a Value>, Option<&'a Value>), Reason> {
    let target = record
        .targets
        .iter()
        .find(|target| !target.id.is_empty())
        .ok_or_else(|| missing("targetResources.id"))?;
    let whole = target.property(wanted).or_else(|| {
        target
            .modified
            .values()
            .find(|modified| is_object(modified.old.as_ref()) || is_object(modified.new.as_ref()))
    });
    let side = |side: &'a Option<Value>| side.as_ref().filter(|value| value.is_object());
    match whole {
        Some(modified) => Ok((&target.id, side(&modified.old), side(&modified.new))),
        None => Ok((&target.id, None, None)),
    }
}

fn is_object(side: Option<&Value>) -> bool {
    side.is_some_and(Value::is_object)
}

/// A change of a Conditional Access policy.
pub(super) fn access(record: &AuditRecord, act: Act, draft: &Draft<'_>) -> Result<Claim, Reason> {
    let (id, old, new) = sides(record, "ConditionalAccessPolicy")?;
    if act != Act::Delete && new.is_none() {
        return Err(missing("ConditionalAccessPolicy"));
    }
    let change = AccessPolicyChange {
        policy_id: id.to_owned(),
        old: old.map(|value| Box::new(access_policy::policy(id, value))),
        new: new
            .filter(|_| act != Act::Delete)
            .map(|value| Box::new(access_policy::policy(id, value))),
    };
    Ok(Claim::Events(vec![access_event(draft, act, change)]))
}

/// `policy.access_policy_created`, `updated` or `deleted`.
pub(crate) fn access_event(draft: &Draft<'_>, act: Act, change: AccessPolicyChange) -> Event {
    let stream = StreamName::policy(draft.tenant, &change.policy_id);
    let id = change.policy_id.clone();
    let (family, body) = match act {
        Act::Add => (
            "policy.access_policy_created",
            EventBody::AccessPolicyCreated(change),
        ),
        Act::Update => (
            "policy.access_policy_updated",
            EventBody::AccessPolicyUpdated(change),
        ),
        Act::Delete => (
            "policy.access_policy_deleted",
            EventBody::AccessPolicyDeleted(change),
        ),
    };
    draft.event(draft.moment_id(family, &id), stream, body)
}

/// A change of a named location.
pub(super) fn location(record: &AuditRecord, act: Act, draft: &Draft<'_>) -> Result<Claim, Reason> {
    let (id, old, new) = sides(record, "NamedLocation")?;
    if act != Act::Delete && new.is_none() {
        return Err(missing("NamedLocation"));
    }
    let change = LocationChange {
        location_id: id.to_owned(),
        old: old.map(|value| access_policy::location(id, value)),
        new: new
            .filter(|_| act != Act::Delete)
            .map(|value| access_policy::location(id, value)),
    };
    Ok(Claim::Events(vec![location_event(draft, act, change)]))
}

/// `policy.location_created`, `updated` or `deleted`.
pub(crate) fn location_event(draft: &Draft<'_>, act: Act, change: LocationChange) -> Event {
    let stream = StreamName::location(draft.tenant, &change.location_id);
    let id = change.location_id.clone();
    let (family, body) = match act {
        Act::Add => (
            "policy.location_created",
            EventBody::LocationCreated(change),
        ),
        Act::Update => (
            "policy.location_updated",
            EventBody::LocationUpdated(change),
        ),
        Act::Delete => (
            "policy.location_deleted",
            EventBody::LocationDeleted(change),
        ),
    };
    draft.event(draft.moment_id(family, &id), stream, body)
}
