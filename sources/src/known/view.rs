//! What held about one subject at one instant.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::event::credential::Credential;
use ledger::event::grant::{AppRole, Delegated, Role, RoleAssignmentKind};
use ledger::event::identity::{Attributes, Owner};
use ledger::event::policy::{AccessPolicy, Location};
use ledger::event::{EventBody, EventId};
use serde_json::Value;

use super::Fact;

/// Something that is or was held, and the fact that opened it.
#[derive(Debug, Clone, PartialEq)]
pub struct Held<T> {
    /// What is held.
    pub value: T,
    /// The event that says so.
    pub opened: EventId,
    /// Since when.
    pub at: Timestamp,
    /// When a snapshot last stated it.
    pub seen: Timestamp,
    /// Whether it still holds.
    pub open: bool,
}

/// One subject at one instant. Things no longer held stay listed with `open: false`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct View<'a> {
    /// The registration, whenever it was: an object existed before it was first observed.
    pub registered: Option<(EventId, &'a Fact)>,
    /// Whether it exists: registered and not deleted.
    pub exists: bool,
    /// Attributes by Graph name, `accountEnabled` as left by enabled and disabled.
    pub attributes: Attributes,
    /// Custom security attributes, `<Set>_<Attribute>` to value.
    pub security_attributes: Attributes,
    /// Credentials by key id.
    pub credentials: BTreeMap<String, Held<Credential>>,
    /// Owners by object id.
    pub owners: BTreeMap<String, Held<Owner>>,
    /// Application permissions by resource and role.
    pub app_roles: BTreeMap<(String, String), Held<AppRole>>,
    /// Delegated scopes by resource, whether for all users, grant id (of one user), scope.
    pub delegated: BTreeMap<(String, bool, String, String), Held<Delegated>>,
    /// Directory roles by definition, scope and how held.
    pub roles: BTreeMap<(String, String, RoleAssignmentKind), Held<Role>>,
    /// The Conditional Access policy, unless deleted.
    pub policy: Option<Box<AccessPolicy>>,
    /// The named location, unless deleted.
    pub location: Option<Location>,
}

/// Key of a delegated scope in [`View::delegated`].
pub(crate) fn delegated_key(grant: &Delegated, scope: &str) -> (String, bool, String, String) {
    // One grant per client and resource covers all users; those for one user are told apart by id.
    let id = match &grant.grant_id {
        Some(id) if !grant.all_principals => id.clone(),
        _ => String::new(),
    };
    (
        grant.resource_id.clone(),
        grant.all_principals,
        id,
        scope.to_owned(),
    )
}

fn open<T>(value: T, id: EventId, fact: &Fact) -> Held<T> {
    Held {
        value,
        opened: id,
        at: fact.at,
        seen: fact.seen,
        open: true,
    }
}

fn close<K: Ord, T>(held: &mut BTreeMap<K, Held<T>>, key: &K) {
    if let Some(held) = held.get_mut(key) {
        held.open = false;
    }
}

impl<'a> View<'a> {
    /// Folds facts in order of time up to and including an instant.
    pub(super) fn fold(
        facts: impl Iterator<Item = (EventId, &'a Fact)> + Clone,
        at: Timestamp,
    ) -> Self {
        let mut view = Self::default();
        for (id, fact) in facts.clone() {
            if let EventBody::IdentityRegistered(body) = &fact.body {
                view.registered = Some((id, fact));
                view.exists = true;
                view.attributes.clone_from(&body.attributes);
            }
        }
        for (id, fact) in facts.filter(|(_, fact)| fact.at <= at) {
            view.apply(id, fact);
        }
        view
    }

    fn apply(&mut self, id: EventId, fact: &'a Fact) {
        match &fact.body {
            EventBody::IdentityUpdated(body) => {
                for (name, change) in &body.changes {
                    self.set(name, change.new.clone());
                }
            }
            EventBody::IdentityEnabled(_) => self.set("accountEnabled", Some(Value::Bool(true))),
            EventBody::IdentityDisabled(_) => self.set("accountEnabled", Some(Value::Bool(false))),
            EventBody::IdentityDeleted(_) | EventBody::IdentityPurged(_) => self.exists = false,
            EventBody::IdentityRestored(_) => self.exists = true,
            EventBody::OwnerAdded(body) | EventBody::OwnerUpdated(body) => {
                let held = open(body.owner.clone(), id, fact);
                self.owners.insert(body.owner.id.clone(), held);
            }
            EventBody::OwnerRemoved(body) => close(&mut self.owners, &body.owner.id),
            EventBody::AttributesSet(body) => {
                self.security_attributes.extend(
                    body.values
                        .iter()
                        .map(|(name, value)| (name.clone(), value.clone())),
                );
            }
            EventBody::AccessPolicyCreated(body)
            | EventBody::AccessPolicyUpdated(body)
            | EventBody::AccessPolicyDeleted(body) => self.policy.clone_from(&body.new),
            EventBody::LocationCreated(body)
            | EventBody::LocationUpdated(body)
            | EventBody::LocationDeleted(body) => self.location.clone_from(&body.new),
            _ => self.apply_access(id, fact),
        }
    }

    fn apply_access(&mut self, id: EventId, fact: &'a Fact) {
        match &fact.body {
            EventBody::CredentialAdded(body) => {
                let held = open(body.credential.clone(), id, fact);
                self.credentials
                    .insert(body.credential.key_id.clone(), held);
            }
            EventBody::CredentialUpdated(body) => {
                if let Some(held) = self.credentials.get_mut(&body.key_id) {
                    held.value = changed(&held.value, &body.changes);
                }
            }
            EventBody::CredentialRemoved(body) => close(&mut self.credentials, &body.key_id),
            EventBody::AppRoleGranted(body) => {
                let key = (body.resource_id.clone(), body.role_id.clone());
                self.app_roles.insert(key, open(body.clone(), id, fact));
            }
            EventBody::AppRoleRevoked(body) => {
                close(
                    &mut self.app_roles,
                    &(body.resource_id.clone(), body.role_id.clone()),
                );
            }
            EventBody::DelegatedGranted(body) => {
                for scope in &body.scopes {
                    let held = open(body.clone(), id, fact);
                    self.delegated.insert(delegated_key(body, scope), held);
                }
            }
            EventBody::DelegatedRevoked(body) => {
                for scope in &body.scopes {
                    close(&mut self.delegated, &delegated_key(body, scope));
                }
            }
            EventBody::RoleAssigned(body) => {
                let key = (
                    body.role_definition_id.clone(),
                    body.scope.clone(),
                    body.assignment,
                );
                self.roles.insert(key, open(body.clone(), id, fact));
            }
            EventBody::RoleRemoved(body) => {
                let key = (
                    body.role_definition_id.clone(),
                    body.scope.clone(),
                    body.assignment,
                );
                close(&mut self.roles, &key);
            }
            _ => {}
        }
    }

    fn set(&mut self, name: &str, value: Option<Value>) {
        match value {
            Some(value) => self.attributes.insert(name.to_owned(), value),
            None => self.attributes.remove(name),
        };
    }
}

/// A credential with changed fields; as it was when they do not fit.
fn changed(
    credential: &Credential,
    changes: &BTreeMap<String, ledger::event::identity::Change>,
) -> Credential {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(credential) else {
        return credential.clone();
    };
    for (name, change) in changes {
        match &change.new {
            Some(value) => fields.insert(name.clone(), value.clone()),
            None => fields.remove(name),
        };
    }
    serde_json::from_value(Value::Object(fields)).unwrap_or_else(|_| credential.clone())
}
