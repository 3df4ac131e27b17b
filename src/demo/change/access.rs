//! Changes of what an identity may do and what guards it: permissions, roles, policies.

use serde_json::{Value, json};

use super::super::audit::{Activity, Scribe, included, property, target, told};
use super::super::inventory::{location_json, policy_json};
use super::super::random::Random;
use super::super::tenant::{
    Delegation, Grant, Identity, Location, Policy, RoleDefinition, RoleHeld, Tenant,
};
use super::{application, service_principal};

pub(super) fn grant_permission(
    identity: &mut Identity,
    scribe: &mut Scribe,
    grant: Grant,
    graph: &str,
) {
    let properties = [
        told("AppRole.Id", &json!(grant.permission.id)),
        told("AppRole.Value", &json!(grant.permission.value)),
        told("AppRole.DisplayName", &json!(grant.permission.value)),
        told(
            "AppRoleAssignment.CreatedDateTime",
            &json!(grant.created.log()),
        ),
        told(
            "AppRoleAssignment.LastModifiedDateTime",
            &json!(grant.created.log()),
        ),
        told("ServicePrincipal.ObjectID", &json!(identity.sp_id)),
        told("ServicePrincipal.DisplayName", &json!(identity.name)),
        told("ServicePrincipal.AppId", &json!(identity.app_id)),
        told("ServicePrincipal.Name", &json!(identity.app_id)),
        graph_names(),
    ];
    let targets = [
        target(
            "ServicePrincipal",
            graph,
            Some("Microsoft Graph"),
            &properties,
        ),
        service_principal(identity, &[]),
    ];
    require(identity, scribe, &grant);
    let activity = Activity::application("Add app role assignment to service principal", "Assign");
    scribe.write(
        activity,
        &targets,
        &[("AppId", "00000003-0000-0000-c000-000000000000")],
    );
    identity.grants.push(grant);
}

pub(super) fn delegate(
    identity: &mut Identity,
    scribe: &mut Scribe,
    delegation: Delegation,
    graph: &str,
) {
    let (empty, scope) = (json!(""), json!(delegation.scope));
    let properties = [
        property("DelegatedPermissionGrant.Scope", Some(&empty), Some(&scope)),
        property(
            "DelegatedPermissionGrant.ConsentType",
            Some(&empty),
            Some(&json!("AllPrincipals")),
        ),
        told("ServicePrincipal.ObjectID", &json!(identity.sp_id)),
        told("ServicePrincipal.DisplayName", &json!(identity.name)),
        told("ServicePrincipal.AppId", &json!(identity.app_id)),
        told("ServicePrincipal.Name", &json!(identity.app_id)),
        graph_names(),
    ];
    let targets = [
        target(
            "ServicePrincipal",
            graph,
            Some("Microsoft Graph"),
            &properties,
        ),
        service_principal(identity, &[]),
    ];
    let activity = Activity::application("Add delegated permission grant", "Assign");
    scribe.write(
        activity,
        &targets,
        &[("AppId", "00000003-0000-0000-c000-000000000000")],
    );
    identity.delegations.push(delegation);
}

fn graph_names() -> Value {
    let names = "00000003-0000-0000-c000-000000000000;https://graph.microsoft.com";
    told("TargetId.ServicePrincipalNames", &json!(names))
}

pub(super) fn assign_role(
    identity: &mut Identity,
    scribe: &mut Scribe,
    role: RoleDefinition,
    random: &mut Random,
) {
    let object = random.guid();
    let properties = [
        told("Role.ObjectID", &json!(object)),
        told("Role.DisplayName", &json!(role.name)),
        told("Role.TemplateId", &json!(role.id)),
        told(
            "Role.WellKnownObjectName",
            &json!(role.name.replace(' ', "")),
        ),
    ];
    let targets = [
        service_principal(identity, &properties),
        target("Role", &object, Some(role.name), &[]),
    ];
    let activity = Activity {
        category: "RoleManagement",
        ..Activity::application("Add member to role", "Assign")
    };
    scribe.write(activity, &targets, &[]);
    identity.roles.push(RoleHeld {
        id: random.guid(),
        role,
    });
}

pub(super) fn set_policy(tenant: &mut Tenant, scribe: &mut Scribe, mut policy: Policy) {
    let old = tenant
        .policies
        .iter()
        .find(|held| held.id == policy.id)
        .cloned();
    if old.is_some() {
        policy.modified = Some(scribe.at());
    } else {
        policy.created = scribe.at();
    }
    // The log spells the control `Block`, Graph spells it `block`.
    let text = |policy: &Policy| policy_json(policy, "Block");
    let change = property(
        "ConditionalAccessPolicy",
        old.as_ref().map(text).as_ref(),
        Some(&text(&policy)),
    );
    let (name, twin, operation) = if old.is_some() {
        (
            "Update conditional access policy",
            "Update policy",
            "Update",
        )
    } else {
        ("Add conditional access policy", "Add policy", "Add")
    };
    let activity = Activity {
        name,
        category: "Policy",
        service: "Conditional Access",
        operation,
    };
    let object =
        |properties: &[Value]| target("Policy", &policy.id, Some(&policy.name), properties);
    let details = [("Category", "Conditional Access")];
    scribe.write(activity, &[object(&[change])], &details);
    let twin = Activity {
        category: "Policy",
        ..Activity::application(twin, operation)
    };
    scribe.write(twin, &[object(&[])], &[]);
    tenant.policies.retain(|held| held.id != policy.id);
    tenant.policies.push(policy);
}

pub(super) fn add_location(tenant: &mut Tenant, scribe: &mut Scribe, mut location: Location) {
    location.created = scribe.at();
    let new = location_json(&location);
    let change = property("namedLocation", None, Some(&new));
    let activity = Activity {
        name: "Add named location",
        category: "Policy",
        service: "Conditional Access",
        operation: "Add",
    };
    let object = target("Policy", &location.id, Some(location.name), &[change]);
    scribe.write(activity, &[object], &[("Category", "Conditional Access")]);
    tenant.locations.push(location);
}

/// An application asks for a permission before it is given: a change of its own.
fn require(identity: &Identity, scribe: &mut Scribe, grant: &Grant) {
    let mut permissions: Vec<&str> = identity
        .grants
        .iter()
        .map(|held| held.permission.id)
        .collect();
    let before = required(&permissions);
    permissions.push(grant.permission.id);
    let after = required(&permissions);
    let properties = [
        property("RequiredResourceAccess", Some(&before), Some(&after)),
        included("RequiredResourceAccess"),
    ];
    if let Some(object) = application(identity, &properties) {
        let activity = Activity::application("Update application", "Update");
        scribe.write(activity, &[object], &[("AppId", identity.app_id.as_str())]);
        scribe.next_change();
    }
}

fn required(permissions: &[&str]) -> Value {
    if permissions.is_empty() {
        return json!([]);
    }
    let entries: Vec<Value> = permissions
        .iter()
        .map(|id| {
            json!({
                "EntitlementId": id,
                "DirectAccessGrant": true,
                "ImpersonationAccessGrants": [],
            })
        })
        .collect();
    json!([{
        "ResourceAppId": "00000003-0000-0000-c000-000000000000",
        "RequiredAppPermissions": entries,
        "EncodingVersion": 1,
    }])
}
