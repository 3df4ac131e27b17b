//! Application permissions, delegated grants and directory roles.

use ledger::event::grant::{AppRole, Delegated, Role, RoleAssignmentKind};
use ledger::event::{Precision, StreamName};
use serde_json::Value;

use super::{Done, Snapshot, service_principal};
use crate::audit::grant::{app_role_event, delegated_event, split_scopes};
use crate::audit::role::role_event;
use crate::fields::{instant, list, needed, text, told};
use crate::known::delegated_key;
use crate::outcome::Reason;

/// What is expanded in the record of a service principal.
pub(super) fn of_object(snapshot: &mut Snapshot<'_>) {
    let record = snapshot.record;
    for item in list(record, "appRoleAssignments") {
        // An entry without ids says nothing; the record itself is still good.
        drop(app_role(snapshot, item));
    }
    for item in list(record, "oauth2PermissionGrants") {
        drop(delegated(snapshot, item));
    }
}

/// An `appRoleAssignment` to a service principal.
pub(super) fn app_role(snapshot: &mut Snapshot<'_>, item: &Value) -> Result<Done, Reason> {
    if let Some(kind) = text(item, "principalType").filter(|kind| *kind != "ServicePrincipal") {
        return Ok(Done::Skipped(format!("appRoleAssignment of a {kind}")));
    }
    let principal = needed(item, "principalId")?;
    let resource = needed(item, "resourceId")?;
    let role = needed(item, "appRoleId")?;
    let stream = StreamName::service_principal(snapshot.draft.tenant, principal);
    let key = (resource.to_owned(), role.to_owned());
    let view = snapshot.known.view(&stream, snapshot.observed_at());
    if view.app_roles.get(&key).is_some_and(|held| held.open) {
        return Ok(Done::Read);
    }
    let body = AppRole {
        assignment_id: text(item, "id").map(str::to_owned),
        principal_id: principal.to_owned(),
        resource_id: resource.to_owned(),
        resource_name: text(item, "resourceDisplayName").map(str::to_owned),
        role_id: role.to_owned(),
        role_value: snapshot
            .known
            .role_value(snapshot.draft.tenant, resource, role)
            .map(str::to_owned),
    };
    let draft = snapshot.since(instant(item, "createdDateTime"), Precision::Exact);
    snapshot.propose(app_role_event(&draft, true, body));
    Ok(Done::Read)
}

/// An `oAuth2PermissionGrant`: the full list of its scopes.
pub(super) fn delegated(snapshot: &mut Snapshot<'_>, item: &Value) -> Result<Done, Reason> {
    let client = needed(item, "clientId")?;
    let resource = needed(item, "resourceId")?;
    let mut body = Delegated {
        grant_id: text(item, "id").map(str::to_owned),
        client_id: client.to_owned(),
        resource_id: resource.to_owned(),
        all_principals: text(item, "consentType").is_none_or(|kind| kind == "AllPrincipals"),
        scopes: Vec::new(),
    };
    let listed = split_scopes(text(item, "scope").unwrap_or_default());
    let at = snapshot.observed_at();
    let stream = snapshot.draft.stream(service_principal(client));
    let view = snapshot.known.view(&stream, at);
    let is_open = |scope: &str| {
        view.delegated
            .get(&delegated_key(&body, scope))
            .is_some_and(|held| held.open)
    };
    let added: Vec<String> = listed
        .iter()
        .filter(|scope| !is_open(scope))
        .cloned()
        .collect();
    let removed: Vec<String> = view
        .delegated
        .iter()
        .filter(|((_, _, _, scope), held)| held.open && held.seen < at && !listed.contains(scope))
        .filter(|(key, _)| delegated_key(&body, &key.3) == **key)
        .map(|((_, _, _, scope), _)| scope.clone())
        .collect();
    for (is_granted, scopes) in [(true, added), (false, removed)] {
        if !scopes.is_empty() {
            body.scopes = scopes;
            let event = delegated_event(&snapshot.draft, is_granted, body.clone());
            snapshot.propose(event);
        }
    }
    Ok(Done::Read)
}

/// A `unifiedRoleAssignment`, when its principal is a service principal: told by the expanded
/// principal, else by what is known.
pub(super) fn role(snapshot: &mut Snapshot<'_>) -> Result<Done, Reason> {
    let record = snapshot.record;
    let principal = needed(record, "principalId")?;
    let definition = needed(record, "roleDefinitionId")?;
    let stream = snapshot.draft.stream(service_principal(principal));
    let kind = told(record, "principal").and_then(|principal| text(principal, "@odata.type"));
    let is_ours = match kind {
        // Agent identities are service principals too.
        Some(kind) => !matches!(kind.rsplit('.').next(), Some("user" | "group")),
        None => snapshot.known.has(&stream),
    };
    if !is_ours {
        return Ok(Done::Skipped(
            "roleAssignment of no known service principal".to_owned(),
        ));
    }
    let expanded = told(record, "roleDefinition");
    let body = Role {
        assignment_id: snapshot.id().ok().map(str::to_owned),
        principal_id: principal.to_owned(),
        role_definition_id: expanded
            .and_then(|role| text(role, "templateId"))
            .unwrap_or(definition)
            .to_owned(),
        role_name: expanded
            .and_then(|role| text(role, "displayName"))
            .map(str::to_owned),
        scope: text(record, "directoryScopeId").unwrap_or("/").to_owned(),
        assignment: RoleAssignmentKind::Active,
        ends_at: None,
    };
    let key = (
        body.role_definition_id.clone(),
        body.scope.clone(),
        body.assignment,
    );
    let view = snapshot.known.view(&stream, snapshot.observed_at());
    if !view.roles.get(&key).is_some_and(|held| held.open) {
        let event = role_event(&snapshot.draft, true, body);
        snapshot.propose(event);
    }
    Ok(Done::Read)
}
