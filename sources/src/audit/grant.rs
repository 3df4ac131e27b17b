//! Application permissions and delegated scopes.

use ledger::event::grant::{AppRole, Delegated};
use ledger::event::identity::ObjectKind;
use ledger::event::{Event, EventBody};
use serde_json::Value;

use super::{AuditRecord, Claim, Modified, missing};
use crate::draft::{Draft, Subject};
use crate::fields::single;
use crate::known::Known;
use crate::outcome::Reason;

/// The identity that holds the grant: named by a property, else the second target.
fn holder(record: &AuditRecord) -> Option<&str> {
    record
        .property("ServicePrincipal.ObjectID")
        .and_then(Modified::text)
        .or_else(|| {
            record
                .targets
                .get(1)
                .map(|target| target.id.as_str())
                .filter(|id| !id.is_empty())
        })
}

/// "Add app role assignment to service principal" and its removal. The first target is the
/// resource.
pub(super) fn app_role(
    record: &AuditRecord,
    is_granted: bool,
    draft: &Draft<'_>,
    known: &Known,
) -> Result<Claim, Reason> {
    let resource = record
        .targets
        .first()
        .ok_or_else(|| missing("targetResources"))?;
    let principal = holder(record).ok_or_else(|| missing("ServicePrincipal.ObjectID"))?;
    let told = |name: &str| record.property(name).and_then(Modified::text);
    let role_id = told("AppRole.Id").ok_or_else(|| missing("AppRole.Id"))?;
    let role_value = told("AppRole.Value")
        .or_else(|| known.role_value(draft.tenant, &resource.id, role_id))
        .map(str::to_owned);
    let body = AppRole {
        assignment_id: None,
        principal_id: principal.to_owned(),
        resource_id: resource.id.clone(),
        resource_name: resource.name.clone(),
        role_id: role_id.to_owned(),
        role_value,
    };
    Ok(Claim::Events(vec![app_role_event(draft, is_granted, body)]))
}

/// `grant.app_role_granted` or `app_role_revoked`.
pub(crate) fn app_role_event(draft: &Draft<'_>, is_granted: bool, body: AppRole) -> Event {
    let family = if is_granted {
        "grant.app_role_granted"
    } else {
        "grant.app_role_revoked"
    };
    let moment = body.assignment_id.clone().unwrap_or_else(|| draft.moment());
    let id = draft
        .key(family)
        .with(&body.principal_id)
        .with(&body.resource_id)
        .with(&body.role_id)
        .with(&moment)
        .id();
    let stream = draft.stream(Subject {
        kind: ObjectKind::ServicePrincipal,
        id: &body.principal_id,
    });
    let body = if is_granted {
        EventBody::AppRoleGranted(body)
    } else {
        EventBody::AppRoleRevoked(body)
    };
    draft.event(id, stream, body)
}

/// "Add delegated permission grant" and its removal: the lists of scopes before and after.
pub(super) fn delegated(
    record: &AuditRecord,
    is_granted: bool,
    draft: &Draft<'_>,
) -> Result<Claim, Reason> {
    let resource = record
        .targets
        .first()
        .ok_or_else(|| missing("targetResources"))?;
    let client = holder(record).ok_or_else(|| missing("ServicePrincipal.ObjectID"))?;
    let scope = record
        .property("DelegatedPermissionGrant.Scope")
        .ok_or_else(|| missing("DelegatedPermissionGrant.Scope"))?;
    let (mut before, mut after) = (scopes(scope.old.as_ref()), scopes(scope.new.as_ref()));
    if !is_granted && scope.old.is_none() {
        // A removal that tells one list only tells what it removes.
        std::mem::swap(&mut before, &mut after);
    }
    let all_principals = record
        .property("DelegatedPermissionGrant.ConsentType")
        .and_then(Modified::text)
        .is_none_or(|kind| kind.eq_ignore_ascii_case("AllPrincipals"));
    let missing_in = |list: &[String], from: &[String]| -> Vec<String> {
        list.iter()
            .filter(|scope| !from.contains(scope))
            .cloned()
            .collect()
    };
    let events = [
        (true, missing_in(&after, &before)),
        (false, missing_in(&before, &after)),
    ]
    .into_iter()
    .filter(|(_, scopes)| !scopes.is_empty())
    .map(|(is_granted, scopes)| {
        let body = Delegated {
            grant_id: None,
            client_id: client.to_owned(),
            resource_id: resource.id.clone(),
            all_principals,
            scopes,
        };
        delegated_event(draft, is_granted, body)
    })
    .collect::<Vec<Event>>();
    if events.is_empty() {
        return Ok(Claim::Evidence);
    }
    Ok(Claim::Events(events))
}

/// `grant.delegated_granted` or `delegated_revoked`.
pub(crate) fn delegated_event(draft: &Draft<'_>, is_granted: bool, body: Delegated) -> Event {
    let family = if is_granted {
        "grant.delegated_granted"
    } else {
        "grant.delegated_revoked"
    };
    let moment = match (&body.grant_id, &draft.correlation.id) {
        // A grant keeps its id when its scopes change.
        (Some(grant), None) => format!("{grant} {}", draft.at),
        _ => draft.moment(),
    };
    let id = draft
        .key(family)
        .with(&body.client_id)
        .with(&body.resource_id)
        .with(&body.scopes.join(" "))
        .with(&moment)
        .id();
    let stream = draft.stream(Subject {
        kind: ObjectKind::ServicePrincipal,
        id: &body.client_id,
    });
    let body = if is_granted {
        EventBody::DelegatedGranted(body)
    } else {
        EventBody::DelegatedRevoked(body)
    };
    draft.event(id, stream, body)
}

fn scopes(value: Option<&Value>) -> Vec<String> {
    value
        .map(single)
        .and_then(Value::as_str)
        .map(split_scopes)
        .unwrap_or_default()
}

/// A space-separated list of scopes, sorted; Graph writes some with a leading space.
pub(crate) fn split_scopes(text: &str) -> Vec<String> {
    let mut scopes: Vec<String> = text.split_whitespace().map(str::to_owned).collect();
    scopes.sort();
    scopes.dedup();
    scopes
}
