//! Every activity that makes events, with a record of it and the types it must make.

use super::*;

/// Every activity read, its targets, and the events it makes.
#[expect(clippy::too_many_lines, reason = "one row per activity")]
pub(super) fn activities() -> Vec<(&'static str, Value, Vec<&'static str>)> {
    let app = |p: &[(&str, Value, Value)]| json!([target("o-1", "Application", p)]);
    let sp = |p: &[(&str, Value, Value)]| json!([target("o-1", "ServicePrincipal", p)]);
    let (none, empty) = (json!(null), json!("[]"));
    let one_key = keys(&[key("k-1", "first")]);
    let fic = json!(
        r#"[{"Name":"ci","Issuer":"https://issuer.example","Subject":"repo:a","Id":"f-1","Audiences":["api://AzureADTokenExchange"]}]"#
    );
    let policy = json!(
        r#"{"displayName":"Block","state":"enabled","conditions":{"clientApplications":{"includeServicePrincipals":["o-1"]}},"grantControls":{"builtInControls":["Block"]}}"#
    );
    let place = json!(
        r#"{"displayName":"Office","isTrusted":true,"ipRanges":[{"cidrAddress":"192.0.2.0/24"}]}"#
    );
    let owners = |kind: &str, property: &str| {
        json!([
            target(
                "u-2",
                "User",
                &[(property, json!("\"o-1\""), json!("\"o-1\""))]
            ),
            target("o-1", kind, &[]),
        ])
    };
    let grant = json!([
        target(
            "r-1",
            "ServicePrincipal",
            &[
                (
                    "AppRole.Id",
                    none.clone(),
                    json!("\"9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8\"")
                ),
                ("ServicePrincipal.ObjectID", none.clone(), json!("\"o-1\"")),
            ]
        ),
        target("o-1", "ServicePrincipal", &[]),
    ]);
    let scopes = |old: Value, new: Value| {
        json!([
            target(
                "r-1",
                "ServicePrincipal",
                &[
                    ("DelegatedPermissionGrant.Scope", old, new),
                    (
                        "DelegatedPermissionGrant.ConsentType",
                        none.clone(),
                        json!("\"AllPrincipals\"")
                    ),
                    ("ServicePrincipal.ObjectID", none.clone(), json!("\"o-1\"")),
                ]
            ),
            target("o-1", "ServicePrincipal", &[]),
        ])
    };
    let role = json!([
        target(
            "o-1",
            "ServicePrincipal",
            &[
                ("Role.TemplateId", none.clone(), json!("\"role-1\"")),
                ("Role.DisplayName", none.clone(), json!("\"Reader\"")),
            ]
        ),
        target("role-object", "Role", &[]),
    ]);
    vec![
        (
            "Add application",
            app(&[("DisplayName", empty.clone(), json!("[\"App\"]"))]),
            vec!["identity.registered"],
        ),
        (
            "Add service principal",
            sp(&[("AccountEnabled", empty.clone(), json!("[true]"))]),
            vec!["identity.registered"],
        ),
        (
            "Update application",
            app(&[("AvailableToOtherTenants", json!("[false]"), json!("[true]"))]),
            vec!["identity.updated"],
        ),
        (
            "Update application",
            app(&[("FederatedIdentityCredentials", empty.clone(), fic)]),
            vec!["credential.added"],
        ),
        (
            DASHED,
            app(&[("KeyDescription", empty.clone(), one_key.clone())]),
            vec!["credential.added"],
        ),
        (
            "Create application \u{2013} Certificates and secrets management ",
            app(&[("KeyDescription", empty.clone(), one_key.clone())]),
            vec!["credential.added"],
        ),
        (
            "Update service principal",
            sp(&[("AccountEnabled", json!("[true]"), json!("[false]"))]),
            vec!["identity.disabled"],
        ),
        (
            "Update service principal",
            sp(&[("AccountEnabled", json!("[false]"), json!("[true]"))]),
            vec!["identity.enabled"],
        ),
        (
            "Add service principal credentials",
            sp(&[("KeyDescription", empty.clone(), one_key.clone())]),
            vec!["credential.added"],
        ),
        (
            "Remove service principal credentials.",
            sp(&[("KeyDescription", one_key, empty.clone())]),
            vec!["credential.removed"],
        ),
        ("Delete application", app(&[]), vec!["identity.deleted"]),
        ("Hard Delete application", app(&[]), vec!["identity.purged"]),
        ("Restore application", app(&[]), vec!["identity.restored"]),
        (
            "Remove service principal",
            sp(&[]),
            vec!["identity.deleted"],
        ),
        (
            "Hard delete service principal",
            sp(&[]),
            vec!["identity.purged"],
        ),
        (
            "Restore service principal",
            sp(&[]),
            vec!["identity.restored"],
        ),
        (
            "Add owner to application",
            owners("Application", "Application.ObjectID"),
            vec!["identity.owner_added"],
        ),
        (
            "Remove owner from application",
            owners("Application", "Application.ObjectID"),
            vec!["identity.owner_removed"],
        ),
        (
            "Add owner to service principal",
            owners("ServicePrincipal", "ServicePrincipal.ObjectID"),
            vec!["identity.owner_added"],
        ),
        (
            "Remove owner from service principal",
            owners("ServicePrincipal", "ServicePrincipal.ObjectID"),
            vec!["identity.owner_removed"],
        ),
        (
            "Add app role assignment to service principal",
            grant.clone(),
            vec!["grant.app_role_granted"],
        ),
        (
            "Remove app role assignment from service principal",
            grant,
            vec!["grant.app_role_revoked"],
        ),
        (
            "Add delegated permission grant",
            scopes(json!("\"User.Read\""), json!("\"User.Read Mail.Read\"")),
            vec!["grant.delegated_granted"],
        ),
        (
            "Add OAuth2PermissionGrant.",
            scopes(none.clone(), json!("\"User.Read\"")),
            vec!["grant.delegated_granted"],
        ),
        (
            "Remove delegated permission grant",
            scopes(json!("\"User.Read\""), none.clone()),
            vec!["grant.delegated_revoked"],
        ),
        (
            "Add member to role",
            role.clone(),
            vec!["grant.role_assigned"],
        ),
        (
            "Remove member from role",
            role.clone(),
            vec!["grant.role_removed"],
        ),
        (
            "Add eligible member to role",
            role.clone(),
            vec!["grant.role_assigned"],
        ),
        (
            "Add scoped member to role",
            role.clone(),
            vec!["grant.role_assigned"],
        ),
        (
            "Add member to role in PIM completed (timebound)",
            role.clone(),
            vec!["grant.role_assigned"],
        ),
        (
            "Remove eligible member from role in PIM completed (permanent)",
            role,
            vec!["grant.role_removed"],
        ),
        (
            "Add conditional access policy",
            json!([target(
                "p-1",
                "Policy",
                &[("ConditionalAccessPolicy", none.clone(), policy.clone())]
            )]),
            vec!["policy.access_policy_created"],
        ),
        (
            "Update Conditional Access policy",
            json!([target(
                "p-1",
                "Policy",
                &[("ConditionalAccessPolicy", policy.clone(), policy.clone())]
            )]),
            vec!["policy.access_policy_updated"],
        ),
        (
            "Delete conditional access policy",
            json!([target(
                "p-1",
                "Policy",
                &[("ConditionalAccessPolicy", policy, none.clone())]
            )]),
            vec!["policy.access_policy_deleted"],
        ),
        (
            "Add named location",
            json!([target(
                "l-1",
                "Policy",
                &[("NamedLocation", none.clone(), place.clone())]
            )]),
            vec!["policy.location_created"],
        ),
        (
            "Update named location",
            json!([target(
                "l-1",
                "Policy",
                &[("NamedLocation", place.clone(), place.clone())]
            )]),
            vec!["policy.location_updated"],
        ),
        (
            "Delete named location",
            json!([target("l-1", "Policy", &[("NamedLocation", place, none)])]),
            vec!["policy.location_deleted"],
        ),
        (
            "confirmServicePrincipalCompromised",
            sp(&[]),
            vec!["risk.confirmed"],
        ),
        ("DismissServicePrincipal", sp(&[]), vec!["risk.dismissed"]),
        (
            "Update attribute values assigned to a servicePrincipal",
            sp(&[("Engineering.Project", json!(null), json!("[\"Baker\"]"))]),
            vec!["identity.attributes_set"],
        ),
    ]
}
