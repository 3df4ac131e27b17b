//! Older news after newer: what a later snapshot had already told is stated again.
//!
//! A change that is learned late is put in its place in time. If a snapshot taken after it told
//! something else, and no change in between explains that, then the opposite must have happened by
//! the time of the snapshot. The registration of an object remembers which snapshot last told it and
//! which of its lists were told in full (see [`crate::known::Told`]).

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::event::credential::CredentialKind;
use ledger::event::identity::{Attributes, Change, ObjectKind};
use ledger::event::{Correlation, Event, EventBody, Precision};
use serde_json::{Value, json};

use crate::attributes::{ACCOUNT_ENABLED, changed};
use crate::draft::{Draft, Subject};
use crate::known::{Fact, Known};

/// Name of the list that holds credentials of a kind.
pub(crate) fn list_of(kind: CredentialKind) -> &'static str {
    match kind {
        CredentialKind::Secret => "secrets",
        CredentialKind::Certificate | CredentialKind::SymmetricKey => "keys",
        CredentialKind::Federated => "federated",
    }
}

/// What must have happened after an event that is about to be learned, when a snapshot after
/// `told_at`, the time of the record that tells the event, told otherwise.
pub(crate) fn restated(known: &Known, event: &Event, told_at: Timestamp) -> Vec<Event> {
    let Some((tenant, kind, id)) = event.stream.entra_parts() else {
        return Vec::new();
    };
    let kind = match kind {
        "sp" => ObjectKind::ServicePrincipal,
        "app" => ObjectKind::Application,
        _ => return Vec::new(),
    };
    let Some(fact) = known.registration(tenant, id) else {
        return Vec::new();
    };
    if fact.seen <= told_at.max(event.occurred_at) {
        return Vec::new();
    }
    let draft = Draft {
        tenant,
        at: fact.seen,
        precision: Precision::Observed,
        source: event.source.clone(),
        correlation: Correlation::default(),
        actor: None,
        private: None,
    };
    let later = Later {
        known,
        event,
        registration: fact,
        subject: Subject { kind, id },
        draft,
    };
    later.events()
}

/// A late event and the snapshot after it.
struct Later<'a> {
    known: &'a Known,
    event: &'a Event,
    registration: &'a Fact,
    subject: Subject<'a>,
    draft: Draft<'a>,
}

impl Later<'_> {
    fn events(&self) -> Vec<Event> {
        match &self.event.body {
            EventBody::IdentityUpdated(body) => self.attributes(&body.changes),
            EventBody::IdentityEnabled(_) => self.switched(true),
            EventBody::IdentityDisabled(_) => self.switched(false),
            EventBody::IdentityDeleted(_) => {
                let view = self.known.view(&self.event.stream, self.draft.at);
                let is_settled = self.any_between(&|body| {
                    matches!(
                        body,
                        EventBody::IdentityRestored(_)
                            | EventBody::IdentityDeleted(_)
                            | EventBody::IdentityPurged(_)
                    )
                });
                if is_settled || !view.exists {
                    return Vec::new();
                }
                let family = "identity.restored";
                vec![
                    self.draft
                        .marker(self.subject, family, EventBody::IdentityRestored),
                ]
            }
            EventBody::CredentialAdded(body) => {
                let credential = &body.credential;
                let ever = self.known.view(&self.event.stream, Timestamp::MAX);
                if ever.credentials.contains_key(&credential.key_id)
                    || !self.told(list_of(credential.kind))
                {
                    return Vec::new();
                }
                let (key_id, kind) = (&credential.key_id, credential.kind);
                vec![self.draft.credential_removed(self.subject, key_id, kind)]
            }
            EventBody::OwnerAdded(body) => {
                let view = self.known.view(&self.event.stream, self.draft.at);
                let owner = view.owners.get(&body.owner.id);
                if owner.is_some_and(|held| held.open)
                    || self.any_between(&|other| is_owner(other, &body.owner.id))
                    || !self.told("owners")
                {
                    return Vec::new();
                }
                vec![self.draft.owner_removed(self.subject, body.owner.clone())]
            }
            _ => Vec::new(),
        }
    }

    fn told(&self, list: &str) -> bool {
        self.registration.lists.contains(list)
    }

    fn any_between(&self, wanted: &dyn Fn(&EventBody) -> bool) -> bool {
        self.known
            .facts_of(&self.event.stream)
            .filter(|(_, fact)| self.event.occurred_at < fact.at && fact.at <= self.draft.at)
            .any(|(_, fact)| wanted(&fact.body))
    }

    fn switched(&self, is_enabled: bool) -> Vec<Event> {
        let change = Change {
            old: Some(json!(!is_enabled)),
            new: Some(json!(is_enabled)),
        };
        self.attributes(&BTreeMap::from([(ACCOUNT_ENABLED.to_owned(), change)]))
    }

    fn attributes(&self, changes: &BTreeMap<String, Change>) -> Vec<Event> {
        if !self.told("attributes") {
            return Vec::new();
        }
        let told: Attributes = match &self.registration.body {
            EventBody::IdentityRegistered(body) => body.attributes.clone(),
            _ => Attributes::new(),
        };
        let view = self.known.view(&self.event.stream, self.draft.at);
        let mut back = BTreeMap::new();
        for (name, change) in changes {
            let value: Option<Value> = view.attributes.get(name).cloned();
            let is_explained = self.any_between(&|body| is_change_of(body, name));
            if told.contains_key(name) && value != change.new && !is_explained {
                let old = change.new.clone();
                back.insert(name.clone(), Change { old, new: value });
            }
        }
        changed(self.subject, &self.draft, back)
    }
}

fn is_change_of(body: &EventBody, name: &str) -> bool {
    match body {
        EventBody::IdentityUpdated(body) => body.changes.contains_key(name),
        EventBody::IdentityEnabled(_) | EventBody::IdentityDisabled(_) => name == ACCOUNT_ENABLED,
        _ => false,
    }
}

fn is_owner(body: &EventBody, id: &str) -> bool {
    match body {
        EventBody::OwnerAdded(body) | EventBody::OwnerRemoved(body) => body.owner.id == id,
        _ => false,
    }
}
