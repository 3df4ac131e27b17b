//! Directory roles of service principals, direct or through Privileged Identity Management.

use ledger::event::grant::{Role, RoleAssignmentKind};
use ledger::event::identity::ObjectKind;
use ledger::event::{Event, EventBody};

use super::{AuditRecord, Claim, Modified, missing};
use crate::draft::{Draft, Subject};
use crate::fields::instant_of;
use crate::outcome::Reason;

/// What an activity does with a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Act {
    is_assigned: bool,
    kind: RoleAssignmentKind,
}

/// Reads `{add|remove} [eligible|scoped] member {to|from} role …` (Core Directory and PIM).
/// Requests, approvals and cancellations change nothing yet and are not read.
pub(super) fn act(key: &str) -> Option<Act> {
    let (is_assigned, rest) = match key.split_once(' ')? {
        ("add", rest) => (true, rest),
        ("remove", rest) => (false, rest),
        _ => return None,
    };
    let (kind, rest) = match rest.strip_prefix("eligible ") {
        Some(rest) => (RoleAssignmentKind::Eligible, rest),
        None => (RoleAssignmentKind::Active, rest),
    };
    let rest = rest.strip_prefix("scoped ").unwrap_or(rest);
    let rest = rest
        .strip_prefix("member to role")
        .or_else(|| rest.strip_prefix("member from role"))?
        .trim();
    let is_done = rest.is_empty()
        || rest.starts_with("in pim completed")
        || rest.starts_with("completed")
        || rest.starts_with("outside of pim")
        || rest.starts_with("scoped over")
        || rest == "(pim activation expired)";
    is_done.then_some(Act { is_assigned, kind })
}

/// The event of a role change, when the member is a service principal.
pub(super) fn claim(record: &AuditRecord, act: Act, draft: &Draft<'_>) -> Result<Claim, Reason> {
    let member = record
        .targets
        .iter()
        .find(|target| target.kind.eq_ignore_ascii_case("ServicePrincipal"));
    let Some(member) = member.filter(|member| !member.id.is_empty()) else {
        return Ok(Claim::Skipped);
    };
    let role = record
        .targets
        .iter()
        .find(|target| target.kind.eq_ignore_ascii_case("Role"));
    let told = |name: &str| record.property(name).and_then(Modified::text);
    let definition = told("Role.TemplateId")
        .or_else(|| told("TemplateId"))
        .or_else(|| record.details.get("TemplateId").map(String::as_str))
        .or_else(|| told("RoleDefinitionOriginId"))
        .or_else(|| told("Role.ObjectID"))
        .or_else(|| {
            role.map(|role| role.id.as_str())
                .filter(|id| !id.is_empty())
        })
        .ok_or_else(|| missing("Role.TemplateId"))?;
    let name = told("Role.DisplayName")
        .map(str::to_owned)
        .or_else(|| role.and_then(|role| role.name.clone()));
    let body = Role {
        assignment_id: None,
        principal_id: member.id.clone(),
        role_definition_id: definition.to_owned(),
        role_name: name,
        scope: scope(record),
        assignment: act.kind,
        ends_at: record
            .details
            .get("ExpirationTime")
            .filter(|_| act.is_assigned)
            .and_then(|time| instant_of(time)),
    };
    Ok(Claim::Events(vec![role_event(
        draft,
        act.is_assigned,
        body,
    )]))
}

/// `/` unless the record names an administrative unit.
fn scope(record: &AuditRecord) -> String {
    record
        .property("AdministrativeUnit.ObjectID")
        .and_then(Modified::text)
        .or_else(|| {
            record
                .targets
                .iter()
                .find(|target| target.kind.eq_ignore_ascii_case("AdministrativeUnit"))
                .map(|target| target.id.as_str())
                .filter(|id| !id.is_empty())
        })
        .map_or_else(
            || "/".to_owned(),
            |unit| format!("/administrativeUnits/{unit}"),
        )
}

/// `grant.role_assigned` or `role_removed`.
pub(crate) fn role_event(draft: &Draft<'_>, is_assigned: bool, body: Role) -> Event {
    let family = if is_assigned {
        "grant.role_assigned"
    } else {
        "grant.role_removed"
    };
    let held = match body.assignment {
        RoleAssignmentKind::Active => "active",
        RoleAssignmentKind::Eligible => "eligible",
    };
    let moment = body.assignment_id.clone().unwrap_or_else(|| draft.moment());
    let id = draft
        .key(family)
        .with(&body.principal_id)
        .with(&body.scope)
        .with(&body.role_definition_id)
        .with(held)
        .with(&moment)
        .id();
    let stream = draft.stream(Subject {
        kind: ObjectKind::ServicePrincipal,
        id: &body.principal_id,
    });
    let body = if is_assigned {
        EventBody::RoleAssigned(body)
    } else {
        EventBody::RoleRemoved(body)
    };
    draft.event(id, stream, body)
}
