//! Snapshots: pages of Microsoft Graph as an inventory script stores them.
//!
//! Shapes: Microsoft Graph v1.0; owners and federated credentials expanded into their objects.

use serde_json::{Value, json};

use super::moment::Moment;
use super::names::{MICROSOFT_APPS, PERMISSIONS};
use super::tenant::{
    Carrier, Class, Credential, Federated, Identity, Kind, Location, Policy, Tenant,
};

/// Objects in one page, and so in one file, at most.
const PAGE_VALUES_MAX: usize = 5_000;

/// One kind of object of a snapshot.
#[derive(Debug, Clone, Copy)]
pub(super) struct Collection {
    /// File name without its ending.
    pub(super) name: &'static str,
    context: &'static str,
    objects: fn(&Tenant, &Identity) -> Vec<Value>,
}

/// What a snapshot holds per identity.
pub(super) const COLLECTIONS: [Collection; 5] = [
    Collection {
        name: "servicePrincipals",
        context: "servicePrincipals",
        objects: |tenant, identity| vec![service_principal(tenant, identity)],
    },
    Collection {
        name: "applications",
        context: "applications",
        objects: |tenant, identity| application(tenant, identity).into_iter().collect(),
    },
    Collection {
        name: "appRoleAssignments",
        context: "appRoleAssignments",
        objects: app_role_assignments,
    },
    Collection {
        name: "oauth2PermissionGrants",
        context: "oauth2PermissionGrants",
        objects: delegated_grants,
    },
    Collection {
        name: "roleAssignments",
        context: "roleManagement/directory/roleAssignments",
        objects: |_, identity| role_assignments(identity),
    },
];

impl Collection {
    /// Calls back with each page: number from 1, and its bytes. A collection that is empty has
    /// one empty page.
    pub(super) fn pages(
        &self,
        tenant: &Tenant,
        each: &mut dyn FnMut(usize, Vec<u8>) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let (mut values, mut number) = (Vec::new(), 1);
        for identity in tenant.identities.iter().filter(|identity| identity.exists) {
            values.append(&mut (self.objects)(tenant, identity));
            if values.len() >= PAGE_VALUES_MAX {
                each(number, page(self.context, &std::mem::take(&mut values)))?;
                number += 1;
            }
        }
        if number == 1 || !values.is_empty() {
            each(number, page(self.context, &values))?;
        }
        Ok(())
    }
}

/// A page as Graph answers it.
pub(super) fn page(context: &str, values: &[Value]) -> Vec<u8> {
    let mut bytes = format!(
        "{{\"@odata.context\":\"https://graph.microsoft.com/v1.0/$metadata#{context}\",\"value\":[\n"
    )
    .into_bytes();
    for (index, value) in values.iter().enumerate() {
        if index > 0 {
            bytes.extend_from_slice(b",\n");
        }
        bytes.extend_from_slice(value.to_string().as_bytes());
    }
    bytes.extend_from_slice(b"\n]}\n");
    bytes
}

fn service_principal(tenant: &Tenant, identity: &Identity) -> Value {
    let managed = identity.class == Class::Managed;
    let names: Vec<&str> = if managed {
        vec![&identity.app_id, "https://identity.azure.net/demo"]
    } else {
        vec![&identity.app_id]
    };
    let resource = format!(
        "/subscriptions/{}/resourcegroups/fabrikam-prod/providers/Microsoft.ManagedIdentity/\
         userAssignedIdentities/{}",
        tenant.id, identity.name
    );
    let alternative: Vec<&str> = if managed {
        vec!["isExplicit=True", &resource]
    } else {
        Vec::new()
    };
    let roles: Vec<Value> = if Some(identity.app_id.as_str()) == graph_app_id() {
        PERMISSIONS.iter().map(app_role).collect()
    } else {
        Vec::new()
    };
    json!({
        "id": identity.sp_id,
        "deletedDateTime": null,
        "accountEnabled": identity.enabled,
        "alternativeNames": alternative,
        "appDisplayName": identity.name,
        "appId": identity.app_id,
        "appOwnerOrganizationId": if managed { Value::Null } else { json!(identity.owner_tenant) },
        "appRoleAssignmentRequired": true,
        "createdDateTime": identity.created.graph(),
        "disabledByMicrosoftStatus": null,
        "displayName": identity.name,
        "notificationEmailAddresses": [],
        "preferredSingleSignOnMode": null,
        "replyUrls": identity.reply_urls,
        "servicePrincipalNames": names,
        "servicePrincipalType": if managed { "ManagedIdentity" } else { "Application" },
        "signInAudience": if managed { Value::Null } else { json!(audience(identity.class)) },
        "tags": if managed { json!([]) } else { json!(["WindowsAzureActiveDirectoryIntegratedApp"]) },
        "verifiedPublisher": publisher(identity),
        "appRoles": roles,
        "oauth2PermissionScopes": [],
        "keyCredentials": keys(identity, Carrier::ServicePrincipal),
        "passwordCredentials": passwords(identity, Carrier::ServicePrincipal),
        "owners": owners(tenant, identity),
    })
}

fn application(tenant: &Tenant, identity: &Identity) -> Option<Value> {
    let id = identity.application.as_deref()?;
    let lock = (identity.class == Class::MultiTenant && identity.locked)
        .then(|| json!({"isEnabled": true, "allProperties": true}));
    Some(json!({
        "id": id,
        "deletedDateTime": null,
        "appId": identity.app_id,
        "createdDateTime": identity.created.graph(),
        "disabledByMicrosoftStatus": null,
        "displayName": identity.name,
        "identifierUris": [],
        "isFallbackPublicClient": false,
        "publisherDomain": super::names::DOMAIN,
        "serviceManagementReference": reference(identity),
        "servicePrincipalLockConfiguration": lock,
        "signInAudience": audience(identity.class),
        "tags": [],
        "verifiedPublisher": publisher(identity),
        "requiredResourceAccess": required_access(identity),
        "web": {
            "homePageUrl": null,
            "redirectUris": identity.reply_urls,
            "implicitGrantSettings": {
                "enableAccessTokenIssuance": identity.implicit_grant,
                "enableIdTokenIssuance": identity.implicit_grant,
            },
        },
        "keyCredentials": keys(identity, Carrier::Application),
        "passwordCredentials": passwords(identity, Carrier::Application),
        "federatedIdentityCredentials": federated_graph(&identity.federated),
        "owners": owners(tenant, identity),
    }))
}

/// Number of the application in the organisation's own inventory.
fn reference(identity: &Identity) -> Option<String> {
    let number = identity.app_id.get(..8).filter(|_| identity.referenced)?;
    Some(format!("CMDB-{number}"))
}

fn graph_app_id() -> Option<&'static str> {
    MICROSOFT_APPS.first().map(|(_, app_id)| *app_id)
}

fn app_role(permission: &super::tenant::Permission) -> Value {
    json!({
        "id": permission.id,
        "value": permission.value,
        "displayName": permission.value,
        "allowedMemberTypes": ["Application"],
        "isEnabled": true,
        "origin": "Application",
    })
}

fn audience(class: Class) -> &'static str {
    match class {
        Class::SingleTenant | Class::Managed => "AzureADMyOrg",
        _ => "AzureADMultipleOrgs",
    }
}

fn publisher(identity: &Identity) -> Value {
    match &identity.publisher {
        Some(name) => json!({
            "displayName": name,
            "verifiedPublisherId": "5206095",
            "addedDateTime": "2024-03-04T09:00:00Z",
        }),
        None => json!({
            "displayName": null, "verifiedPublisherId": null, "addedDateTime": null,
        }),
    }
}

fn required_access(identity: &Identity) -> Value {
    if identity.grants.is_empty() {
        return json!([]);
    }
    let access: Vec<Value> = identity
        .grants
        .iter()
        .map(|grant| json!({"id": grant.permission.id, "type": "Role"}))
        .collect();
    json!([{"resourceAppId": graph_app_id(), "resourceAccess": access}])
}

fn owners(tenant: &Tenant, identity: &Identity) -> Vec<Value> {
    let accounts = identity
        .owners
        .iter()
        .filter_map(|number| tenant.accounts.get(*number));
    accounts
        .map(|account| {
            json!({
                "@odata.type": "#microsoft.graph.user",
                "id": account.id,
                "displayName": account.principal_name.split('@').next(),
                "userPrincipalName": account.principal_name,
                "accountEnabled": account.enabled,
                "userType": if account.guest { "Guest" } else { "Member" },
            })
        })
        .collect()
}

fn keys(identity: &Identity, carrier: Carrier) -> Vec<Value> {
    let is_key = |credential: &&Credential| credential.kind == Kind::Certificate;
    identity
        .credentials_on(carrier)
        .filter(is_key)
        .map(|credential| {
            json!({
                "keyId": credential.key_id,
                "displayName": credential.name,
                "type": "AsymmetricX509Cert",
                "usage": "Verify",
                "startDateTime": credential.start.graph(),
                "endDateTime": credential.end.graph(),
                "customKeyIdentifier": credential.thumbprint,
                "key": null,
            })
        })
        .collect()
}

fn passwords(identity: &Identity, carrier: Carrier) -> Vec<Value> {
    let is_secret = |credential: &&Credential| credential.kind == Kind::Secret;
    identity
        .credentials_on(carrier)
        .filter(is_secret)
        .map(|credential| {
            json!({
                "keyId": credential.key_id,
                "displayName": credential.name,
                "startDateTime": credential.start.graph(),
                "endDateTime": credential.end.graph(),
                "customKeyIdentifier": null,
                "hint": credential.key_id.get(..3),
                "secretText": null,
            })
        })
        .collect()
}

fn federated_graph(held: &[Federated]) -> Vec<Value> {
    held.iter()
        .map(|federated| {
            json!({
                "id": federated.id,
                "name": federated.name,
                "issuer": federated.issuer,
                "subject": federated.subject,
                "description": null,
                "audiences": ["api://AzureADTokenExchange"],
            })
        })
        .collect()
}

/// The list as the audit log prints it: its own spelling of the same fields.
pub(super) fn federated_audit(held: &[Federated]) -> Value {
    let entries = held.iter().map(|federated| {
        json!({
            "Name": federated.name,
            "Issuer": federated.issuer,
            "Subject": federated.subject,
            "Id": federated.id,
            "Description": null,
            "Audiences": ["api://AzureADTokenExchange"],
            "ClaimsMatchingExpressionValue": null,
            "ClaimsMatchingExpressionLanguageVersion": 0,
            "EncodingVersion": 2,
            "TrustedIssuer": null,
        })
    });
    Value::Array(entries.collect())
}

fn app_role_assignments(tenant: &Tenant, identity: &Identity) -> Vec<Value> {
    let assignments = identity.grants.iter().map(|grant| {
        json!({
            "id": grant.id,
            "deletedDateTime": null,
            "appRoleId": grant.permission.id,
            "createdDateTime": grant.created.graph(),
            "principalDisplayName": identity.name,
            "principalId": identity.sp_id,
            "principalType": "ServicePrincipal",
            "resourceDisplayName": "Microsoft Graph",
            "resourceId": tenant.graph_id(),
        })
    });
    assignments.collect()
}

fn delegated_grants(tenant: &Tenant, identity: &Identity) -> Vec<Value> {
    let grants = identity.delegations.iter().map(|delegation| {
        json!({
            "id": delegation.id,
            "clientId": identity.sp_id,
            "consentType": "AllPrincipals",
            "principalId": null,
            "resourceId": tenant.graph_id(),
            "scope": format!(" {}", delegation.scope),
        })
    });
    grants.collect()
}

fn role_assignments(identity: &Identity) -> Vec<Value> {
    let held = identity.roles.iter().map(|held| {
        json!({
            "id": held.id,
            "principalId": identity.sp_id,
            "roleDefinitionId": held.role.id,
            "directoryScopeId": "/",
            "appScopeId": null,
            "roleDefinition": {
                "id": held.role.id,
                "templateId": held.role.id,
                "displayName": held.role.name,
                "isBuiltIn": true,
                "isEnabled": true,
            },
        })
    });
    held.collect()
}

/// A policy as Graph answers it; the audit log has the same with another spelling of the control.
pub(super) fn policy_json(policy: &Policy, control: &str) -> Value {
    let locations = (!policy.exclude_locations.is_empty()).then(
        || json!({"includeLocations": ["All"], "excludeLocations": policy.exclude_locations}),
    );
    json!({
        "id": policy.id,
        "displayName": policy.name,
        "createdDateTime": policy.created.log(),
        "modifiedDateTime": policy.modified.map(Moment::log),
        "state": policy.state,
        "templateId": null,
        "conditions": {
            "applications": {
                "includeApplications": ["All"],
                "excludeApplications": [],
                "includeUserActions": [],
                "includeAuthenticationContextClassReferences": [],
                "applicationFilter": null,
            },
            "clientApplications": {
                "includeServicePrincipals": policy.include,
                "excludeServicePrincipals": policy.exclude,
                "servicePrincipalFilter": null,
            },
            "users": {
                "includeUsers": ["None"], "excludeUsers": [],
                "includeGroups": [], "excludeGroups": [],
                "includeRoles": [], "excludeRoles": [],
            },
            "clientAppTypes": ["all"],
            "locations": locations,
            "servicePrincipalRiskLevels": policy.risk_levels,
            "signInRiskLevels": [],
            "userRiskLevels": [],
        },
        "grantControls": {
            "operator": "OR",
            "builtInControls": [control],
            "customAuthenticationFactors": [],
            "termsOfUse": [],
        },
        "sessionControls": null,
    })
}

/// A named location as Graph answers it.
pub(super) fn location_json(location: &Location) -> Value {
    let ranges: Vec<Value> = location
        .ranges
        .iter()
        .map(|range| json!({"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": range}))
        .collect();
    json!({
        "@odata.type": "#microsoft.graph.ipNamedLocation",
        "id": location.id,
        "displayName": location.name,
        "createdDateTime": location.created.log(),
        "modifiedDateTime": location.created.log(),
        "isTrusted": true,
        "ipRanges": ranges,
    })
}
