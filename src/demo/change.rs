//! Changes to the tenant: each alters the tenant and yields the audit records it leaves behind,
//! so that snapshots and audit log cannot disagree.

mod access;
mod credential;

use serde_json::{Value, json};

use super::audit::{Activity, Actor, Scribe, included, property, target, told, user_target};
use super::moment::Moment;
use super::random::Random;
use super::tenant::{
    Carrier, Class, Credential, Delegation, Federated, Grant, Identity, Location, Permission,
    Policy, RoleDefinition, Subscription, Tenant,
};
use access::{add_location, assign_role, delegate, grant_permission, set_policy};
use credential::{add_federated, credentials_changed, key_description, remove_credential};

/// What happens to the tenant.
#[derive(Debug, Clone)]
pub(super) enum Change {
    /// The identity comes into being, with the owners it was planned with.
    Register,
    /// A secret or certificate is added.
    AddCredential(Credential),
    /// A secret or certificate is removed, by key id.
    RemoveCredential(String),
    /// Trust in another issuer is added.
    AddFederated(Federated),
    /// An account becomes an owner.
    AddOwner(usize),
    /// An account stops being an owner.
    RemoveOwner(usize),
    /// An application permission is granted.
    Grant(Permission),
    /// Scopes are granted for every user.
    Delegate(&'static str),
    /// A directory role is assigned.
    AssignRole(RoleDefinition),
    /// Sign-in is allowed or forbidden.
    SetEnabled(bool),
    /// The application is deleted and its service principal forgotten.
    DeleteApplication,
    /// Application and service principal are deleted.
    Delete,
    /// An account that owns workloads is disabled.
    DisableAccount(usize),
    /// A Conditional Access policy is created or changed.
    SetPolicy(Box<Policy>),
    /// A named location is created.
    AddLocation(Location),
    /// Licences are bought or tried. The audit log says nothing about it.
    Subscribe(Subscription),
    /// An administrator confirms that the identity is compromised.
    ConfirmCompromised,
    /// An administrator dismisses the risk.
    DismissRisk,
    /// Something that does not concern workload identities.
    Unrelated,
}

/// A change, when, by whom and to which identity.
#[derive(Debug, Clone)]
pub(super) struct Action {
    pub(super) at: Moment,
    pub(super) actor: Actor,
    /// Number of the identity; of no meaning for changes to the tenant itself.
    pub(super) subject: usize,
    pub(super) change: Change,
}

/// Makes a change and returns its audit records as lines.
pub(super) fn apply(tenant: &mut Tenant, action: Action, number: u64) -> Vec<String> {
    let mut scribe = Scribe::new(tenant, action.actor, action.at, number);
    match action.change {
        Change::DisableAccount(account) => disable_account(tenant, &mut scribe, account),
        Change::SetPolicy(policy) => set_policy(tenant, &mut scribe, *policy),
        Change::AddLocation(location) => add_location(tenant, &mut scribe, location),
        Change::Subscribe(subscription) => tenant.subscriptions.push(subscription),
        Change::Unrelated => unrelated(tenant, &mut scribe, number),
        change => {
            let graph = tenant.graph_id().to_owned();
            let mut random = Random::new(tenant.seed, "change", number);
            if let Change::Register = change {
                register(tenant, &mut scribe, action.subject);
            } else if let Change::AddOwner(account) | Change::RemoveOwner(account) = change {
                let added = matches!(change, Change::AddOwner(_));
                change_owner(tenant, &mut scribe, action.subject, (account, added));
            } else if let Some(identity) = tenant.identities.get_mut(action.subject) {
                change_identity(identity, &mut scribe, change, (&graph, &mut random));
            }
        }
    }
    scribe.lines
}

fn change_identity(
    identity: &mut Identity,
    scribe: &mut Scribe,
    change: Change,
    (graph, random): (&str, &mut Random),
) {
    match change {
        Change::AddCredential(credential) => {
            let carrier = credential.carrier;
            let before = key_description(identity, carrier);
            identity.credentials.push(credential);
            credentials_changed(identity, scribe, carrier, (&before, true));
        }
        Change::RemoveCredential(key_id) => remove_credential(identity, scribe, &key_id),
        Change::AddFederated(federated) => add_federated(identity, scribe, federated),
        Change::Grant(permission) => {
            let grant = Grant {
                id: random.guid(),
                permission,
                created: scribe.at(),
            };
            grant_permission(identity, scribe, grant, graph);
        }
        Change::Delegate(scope) => {
            let id = random.guid();
            delegate(
                identity,
                scribe,
                Delegation {
                    id,
                    scope: scope.to_owned(),
                },
                graph,
            );
        }
        Change::AssignRole(role) => assign_role(identity, scribe, role, random),
        Change::SetEnabled(enabled) => set_enabled(identity, scribe, enabled),
        Change::DeleteApplication => delete_application(identity, scribe),
        Change::Delete => {
            delete_application(identity, scribe);
            scribe.next_change();
            identity.exists = false;
            let activity = Activity::application("Remove service principal", "Delete");
            scribe.write(
                activity,
                &[service_principal(identity, &[names(identity)])],
                &[],
            );
        }
        Change::ConfirmCompromised => {
            protection(identity, scribe, "confirmServicePrincipalCompromised");
        }
        Change::DismissRisk => protection(identity, scribe, "DismissServicePrincipal"),
        _ => {}
    }
}

fn service_principal(identity: &Identity, properties: &[Value]) -> Value {
    target(
        "ServicePrincipal",
        &identity.sp_id,
        Some(&identity.name),
        properties,
    )
}

fn application(identity: &Identity, properties: &[Value]) -> Option<Value> {
    let id = identity.application.as_deref()?;
    Some(target("Application", id, Some(&identity.name), properties))
}

fn names(identity: &Identity) -> Value {
    told("TargetId.ServicePrincipalNames", &json!(identity.app_id))
}

fn register(tenant: &mut Tenant, scribe: &mut Scribe, subject: usize) {
    let Some(identity) = tenant.identities.get_mut(subject) else {
        return;
    };
    identity.exists = true;
    identity.created = scribe.at();
    let planned = std::mem::take(&mut identity.owners);
    let created =
        |name: &str, value: Value| property(name, Some(&json!([])), Some(&json!([value])));
    let details = [
        ("User-Agent", "Mozilla/5.0"),
        ("AppId", identity.app_id.as_str()),
    ];
    if let Some(application) = application(
        identity,
        &[
            created("AppId", json!(identity.app_id)),
            created(
                "AvailableToOtherTenants",
                json!(identity.class == Class::MultiTenant),
            ),
            created("DisplayName", json!(identity.name)),
            included("AppId, AvailableToOtherTenants, DisplayName"),
        ],
    ) {
        scribe.write(
            Activity::application("Add application", "Add"),
            &[application],
            &details,
        );
        scribe.next_change();
        identity.created = scribe.at();
    }
    let provisioning = if identity.class == Class::Managed {
        "ManagedServiceIdentity"
    } else {
        "Other"
    };
    let properties = [
        created("AccountEnabled", json!(true)),
        created("AppPrincipalId", json!(identity.app_id)),
        created("DisplayName", json!(identity.name)),
        created("ServicePrincipalName", json!(identity.app_id)),
        included("AccountEnabled, AppPrincipalId, DisplayName, ServicePrincipalName"),
        names(identity),
    ];
    let mut details = vec![
        ("User-Agent", "Mozilla/5.0"),
        ("AppId", identity.app_id.as_str()),
        ("ServicePrincipalProvisioningType", provisioning),
    ];
    if identity.class != Class::Managed {
        details.push(("AppOwnerOrganizationId", &identity.owner_tenant));
    }
    scribe.write(
        Activity::application("Add service principal", "Add"),
        &[service_principal(identity, &properties)],
        &details,
    );
    for account in planned {
        scribe.next_change();
        change_owner(tenant, scribe, subject, (account, true));
    }
}

fn change_owner(
    tenant: &mut Tenant,
    scribe: &mut Scribe,
    subject: usize,
    (account, added): (usize, bool),
) {
    let Some(identity) = tenant.identities.get_mut(subject) else {
        return;
    };
    let Some(owner) = tenant.accounts.get(account) else {
        return;
    };
    let (of_application, of_principal, operation) = if added {
        identity.owners.push(account);
        (
            "Add owner to application",
            "Add owner to service principal",
            "Assign",
        )
    } else {
        identity.owners.retain(|number| *number != account);
        (
            "Remove owner from application",
            "Remove owner from service principal",
            "Unassign",
        )
    };
    let properties = |kind: &str, id: &str| {
        [
            ("ObjectID", id),
            ("DisplayName", &identity.name),
            ("AppId", &identity.app_id),
        ]
        .map(|(name, value)| {
            let (name, value) = (format!("{kind}.{name}"), json!(value));
            if added {
                told(&name, &value)
            } else {
                property(&name, Some(&value), None)
            }
        })
    };
    let details = [
        ("User-Agent", "Mozilla/5.0"),
        ("AppId", identity.app_id.as_str()),
    ];
    if let (Some(id), Some(object)) = (&identity.application, application(identity, &[])) {
        let user = user_target(
            &owner.id,
            &owner.principal_name,
            &properties("Application", id),
        );
        scribe.write(
            Activity::application(of_application, operation),
            &[user, object],
            &details,
        );
        scribe.next_change();
    }
    let properties = properties("ServicePrincipal", &identity.sp_id);
    let user = user_target(&owner.id, &owner.principal_name, &properties);
    let object = service_principal(identity, &[]);
    scribe.write(
        Activity::application(of_principal, operation),
        &[user, object],
        &details,
    );
}

fn set_enabled(identity: &mut Identity, scribe: &mut Scribe, enabled: bool) {
    let properties = [
        property(
            "AccountEnabled",
            Some(&json!([identity.enabled])),
            Some(&json!([enabled])),
        ),
        included("AccountEnabled"),
        names(identity),
    ];
    identity.enabled = enabled;
    let activity = Activity::application("Update service principal", "Update");
    let details = [
        ("User-Agent", "Mozilla/5.0"),
        ("AppId", identity.app_id.as_str()),
    ];
    scribe.write(
        activity,
        &[service_principal(identity, &properties)],
        &details,
    );
}

fn delete_application(identity: &mut Identity, scribe: &mut Scribe) {
    if let Some(object) = application(identity, &[]) {
        let activity = Activity::application("Delete application", "Delete");
        scribe.write(activity, &[object], &[("AppId", identity.app_id.as_str())]);
    }
    identity.application = None;
    identity
        .credentials
        .retain(|credential| credential.carrier == Carrier::ServicePrincipal);
    identity.federated.clear();
}

fn protection(identity: &Identity, scribe: &mut Scribe, name: &'static str) {
    let activity = Activity {
        name,
        category: "Other",
        service: "Identity Protection",
        operation: "Update",
    };
    scribe.write(activity, &[service_principal(identity, &[])], &[]);
}

fn disable_account(tenant: &mut Tenant, scribe: &mut Scribe, number: usize) {
    let Some(account) = tenant.accounts.get_mut(number) else {
        return;
    };
    account.enabled = false;
    let users = |name| Activity {
        category: "UserManagement",
        ..Activity::application(name, "Update")
    };
    let properties = [
        property(
            "AccountEnabled",
            Some(&json!([true])),
            Some(&json!([false])),
        ),
        included("AccountEnabled"),
    ];
    let user = |properties: &[Value]| user_target(&account.id, &account.principal_name, properties);
    scribe.write(users("Update user"), &[user(&properties)], &[]);
    scribe.write(users("Disable account"), &[user(&[])], &[]);
}

/// People and groups are managed too; none of it concerns workload identities.
fn unrelated(tenant: &Tenant, scribe: &mut Scribe, number: u64) {
    let id = Random::new(tenant.seed, "unrelated", number).guid();
    let (name, category, kind) = match number % 3 {
        0 => ("Update device", "Device", "Device"),
        1 => ("Update group", "GroupManagement", "Group"),
        _ => ("Add group", "GroupManagement", "Group"),
    };
    let activity = Activity {
        category,
        ..Activity::application(name, "Update")
    };
    scribe.write(
        activity,
        &[target(kind, &id, Some("Dispatch floor"), &[])],
        &[],
    );
}
