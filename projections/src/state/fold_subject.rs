//! What each kind of change does to one service principal or application.

use std::collections::{BTreeMap, BTreeSet};

use ledger::event::EventBody;
use ledger::event::credential::{Credential, Updated};
use ledger::event::grant::{AppRole, Delegated, Role};
use ledger::event::identity::{Change as AttributeChange, ObjectKind};
use ledger::event::risk::Detection;
use serde_json::Value;

use super::change::Change;
use super::fold::{seen_of, when};
use super::spans::{When, close, enrich, opened, replace};
use super::{Span, Subject};

impl Subject {
    /// Applies one change of this subject's stream.
    pub(crate) fn apply(&mut self, change: &Change) {
        match &*change.body {
            EventBody::IdentityRegistered(_)
            | EventBody::IdentityUpdated(_)
            | EventBody::IdentityEnabled(_)
            | EventBody::IdentityDisabled(_)
            | EventBody::IdentityDeleted(_)
            | EventBody::IdentityRestored(_)
            | EventBody::IdentityPurged(_)
            | EventBody::AttributesSet(_) => self.apply_identity(change),
            EventBody::OwnerAdded(_) | EventBody::OwnerRemoved(_) | EventBody::OwnerUpdated(_) => {
                self.apply_owner(change);
            }
            EventBody::CredentialAdded(_)
            | EventBody::CredentialUpdated(_)
            | EventBody::CredentialRemoved(_) => self.apply_credential(change),
            EventBody::LicenceAssigned(_) | EventBody::LicenceUnassigned(_) => {
                self.apply_assignment(change);
            }
            EventBody::RiskDetected(_)
            | EventBody::RiskLevelChanged(_)
            | EventBody::RiskConfirmed(_)
            | EventBody::RiskDismissed(_)
            | EventBody::RiskRemediated(_) => self.apply_risk(change),
            _ => self.apply_grant(change),
        }
    }

    fn apply_identity(&mut self, change: &Change) {
        let when = when(change);
        match &*change.body {
            EventBody::IdentityRegistered(registered) => {
                if self.existence.iter().all(|span| span.to.is_some()) {
                    self.existence.push(opened((), &when));
                }
                for (name, value) in &registered.attributes {
                    self.set_attribute(name, Some(value), &when);
                }
            }
            EventBody::IdentityUpdated(updated) => {
                for (name, change) in &updated.changes {
                    self.change_attribute(name, change, &when);
                }
            }
            EventBody::IdentityEnabled(_) => self.mark_enabled(true, change),
            EventBody::IdentityDisabled(_) => self.mark_enabled(false, change),
            EventBody::IdentityDeleted(_) | EventBody::IdentityPurged(_) => {
                close(&mut self.existence, &when, |()| true);
            }
            EventBody::IdentityRestored(_) => replace(&mut self.existence, (), &when, |()| true),
            EventBody::AttributesSet(set) => {
                for (name, value) in &set.values {
                    let name = format!("{SECURITY_ATTRIBUTE_PREFIX}{name}");
                    self.set_attribute(&name, Some(value), &when);
                }
            }
            _ => {}
        }
    }

    /// A marker says what changed, so the opposite held since the beginning, unless it was only
    /// observed in a snapshot.
    fn mark_enabled(&mut self, enabled: bool, change: &Change) {
        if change.exact {
            self.was_enabled(!enabled, &when(change));
        }
        replace(&mut self.enabled, enabled, &when(change), |_| true);
    }

    fn was_enabled(&mut self, before: bool, when: &When<'_>) {
        if self.enabled.is_empty() {
            self.enabled.extend(self.before(before, when));
        }
    }

    /// The span from the beginning to a change that tells what held before it.
    fn before<T>(&self, value: T, when: &When<'_>) -> Option<Span<T>> {
        let from = self.existence.first()?.from;
        (from < when.at).then(|| Span {
            value,
            from,
            to: Some(when.at),
            opened: when.evidence.to_vec(),
            closed: when.evidence.to_vec(),
        })
    }

    fn change_attribute(&mut self, name: &str, change: &AttributeChange, when: &When<'_>) {
        let old = change.old.as_ref().filter(|old| !old.is_null());
        if let Some(old) = old {
            let before = self.before(old.clone(), when);
            let spans = self.attributes.entry(name.to_owned()).or_default();
            if spans.is_empty() {
                spans.extend(before);
            }
            if let Some(enabled) = self.enabled_by(name, old) {
                self.was_enabled(enabled, when);
            }
        }
        self.set_attribute(name, change.new.as_ref(), when);
    }

    fn set_attribute(&mut self, name: &str, value: Option<&Value>, when: &When<'_>) {
        let spans = self.attributes.entry(name.to_owned()).or_default();
        match value {
            Some(value) if !value.is_null() => {
                replace(spans, value.clone(), when, |_| true);
                if let Some(enabled) = self.enabled_by(name, value) {
                    replace(&mut self.enabled, enabled, when, |_| true);
                }
            }
            _ => close(spans, when, |_| true),
        }
    }

    /// What an attribute says of being allowed to sign in.
    fn enabled_by(&self, name: &str, value: &Value) -> Option<bool> {
        match (name, self.kind) {
            ("accountEnabled", _) => truth(value),
            ("isDisabled", ObjectKind::Application) => truth(value).map(|disabled| !disabled),
            _ => None,
        }
    }

    fn apply_owner(&mut self, change: &Change) {
        let when = when(change);
        match &*change.body {
            EventBody::OwnerAdded(told) => {
                let id = told.owner.id.as_str();
                enrich(&mut self.owners, told.owner.clone(), &when, |owner| {
                    owner.id == id
                });
            }
            EventBody::OwnerUpdated(told) => {
                let id = told.owner.id.as_str();
                replace(&mut self.owners, told.owner.clone(), &when, |owner| {
                    owner.id == id
                });
            }
            EventBody::OwnerRemoved(told) => {
                close(&mut self.owners, &when, |owner| owner.id == told.owner.id);
            }
            _ => {}
        }
    }

    fn apply_credential(&mut self, change: &Change) {
        let when = when(change);
        match &*change.body {
            EventBody::CredentialAdded(told) => {
                let added = &told.credential;
                enrich(&mut self.credentials, added.clone(), &when, |known| {
                    known.key_id == added.key_id && known.origin == added.origin
                });
            }
            EventBody::CredentialUpdated(told) => self.update_credential(told, &when),
            EventBody::CredentialRemoved(told) => close(&mut self.credentials, &when, |known| {
                known.key_id == told.key_id && known.origin == told.origin
            }),
            _ => {}
        }
    }

    /// A change to a credential that was never told of is not kept: its kind is not known.
    fn update_credential(&mut self, told: &Updated, when: &When<'_>) {
        let same = |known: &Credential| known.key_id == told.key_id && known.origin == told.origin;
        let updated = self
            .credentials
            .iter()
            .rev()
            .find(|span| span.to.is_none() && same(&span.value))
            .and_then(|span| changed(&span.value, &told.changes));
        if let Some(updated) = updated {
            replace(&mut self.credentials, updated, when, same);
        }
    }

    fn apply_grant(&mut self, change: &Change) {
        let when = when(change);
        match &*change.body {
            EventBody::AppRoleGranted(told) => {
                enrich(&mut self.app_roles, told.clone(), &when, |known| {
                    same_app_role(known, told)
                });
            }
            EventBody::AppRoleRevoked(told) => {
                close(&mut self.app_roles, &when, |known| {
                    same_app_role(known, told)
                });
            }
            EventBody::RoleAssigned(told) => {
                enrich(&mut self.roles, told.clone(), &when, |known| {
                    same_role(known, told)
                });
            }
            EventBody::RoleRemoved(told) => {
                close(&mut self.roles, &when, |known| same_role(known, told));
            }
            EventBody::DelegatedGranted(told) => self.change_scopes(told, &when, true),
            EventBody::DelegatedRevoked(told) => self.change_scopes(told, &when, false),
            _ => {}
        }
    }

    /// A delegated grant is one thing whose set of scopes grows and shrinks.
    fn change_scopes(&mut self, told: &Delegated, when: &When<'_>, granted: bool) {
        let same = |known: &Delegated| same_delegated(known, told);
        let known = self
            .delegated
            .iter()
            .rev()
            .find(|span| span.to.is_none() && same(&span.value));
        let mut scopes: BTreeSet<String> = known
            .map(|span| span.value.scopes.iter().cloned().collect())
            .unwrap_or_default();
        let mut value = told.clone();
        if let (Some(span), None) = (known, &value.grant_id) {
            value.grant_id.clone_from(&span.value.grant_id);
        }
        if granted {
            scopes.extend(told.scopes.iter().cloned());
        } else {
            scopes.retain(|scope| !told.scopes.contains(scope));
        }
        value.scopes = scopes.into_iter().collect();
        if value.scopes.is_empty() {
            close(&mut self.delegated, when, same);
        } else if granted || known.is_some() {
            replace(&mut self.delegated, value, when, same);
        }
    }

    fn apply_risk(&mut self, change: &Change) {
        let when = when(change);
        match &*change.body {
            EventBody::RiskDetected(detection) => self.detect(detection, change),
            EventBody::RiskLevelChanged(level)
            | EventBody::RiskConfirmed(level)
            | EventBody::RiskDismissed(level)
            | EventBody::RiskRemediated(level) => {
                replace(&mut self.risk, level.clone(), &when, |_| true);
            }
            _ => {}
        }
    }

    fn detect(&mut self, detection: &Detection, change: &Change) {
        if matches!(detection.level.as_str(), "low" | "medium" | "high") {
            self.detail_seen.push(seen_of(change));
        }
        self.detections.insert(
            detection.detection_id.clone(),
            (seen_of(change), detection.clone()),
        );
    }

    fn apply_assignment(&mut self, change: &Change) {
        let when = when(change);
        match &*change.body {
            EventBody::LicenceAssigned(told) => {
                let sku = told.sku_part_number.as_str();
                replace(&mut self.assigned, sku.to_owned(), &when, |known| {
                    known == sku
                });
            }
            EventBody::LicenceUnassigned(told) => {
                close(&mut self.assigned, &when, |known| {
                    *known == told.sku_part_number
                });
            }
            _ => {}
        }
    }
}

/// Custom security attributes are kept among the attributes under this prefix.
pub(crate) const SECURITY_ATTRIBUTE_PREFIX: &str = "customSecurityAttributes.";

/// An audit log has no resource id for every grant, a snapshot always has.
fn same_app_role(known: &AppRole, told: &AppRole) -> bool {
    known.role_id == told.role_id
        && (known.resource_id == told.resource_id
            || known.resource_id.is_empty()
            || told.resource_id.is_empty())
}

fn same_role(known: &Role, told: &Role) -> bool {
    known.role_definition_id == told.role_definition_id
        && known.scope == told.scope
        && known.assignment == told.assignment
}

fn same_delegated(known: &Delegated, told: &Delegated) -> bool {
    match (&known.grant_id, &told.grant_id) {
        (Some(known), Some(told)) => known == told,
        _ => known.resource_id == told.resource_id && known.all_principals == told.all_principals,
    }
}

/// A credential with named fields changed; `None` when a value does not fit its field.
fn changed(
    credential: &Credential,
    changes: &BTreeMap<String, AttributeChange>,
) -> Option<Credential> {
    let mut json = serde_json::to_value(credential).ok()?;
    let fields = json.as_object_mut()?;
    for (name, change) in changes {
        match &change.new {
            Some(value) => fields.insert(name.clone(), value.clone()),
            None => fields.remove(name),
        };
    }
    serde_json::from_value(json).ok()
}

fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}
