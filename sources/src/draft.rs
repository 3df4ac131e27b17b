//! What the events of one record have in common, and the natural keys of changes.

use jiff::Timestamp;
use ledger::event::credential::{Added, Credential, CredentialKind, Removed};
use ledger::event::identity::{Marker, ObjectKind, Owner, OwnerChange};
use ledger::event::{
    Correlation, Event, EventBody, EventId, NaturalKey, Precision, Source, StreamName,
};
use serde_json::Value;

/// The identity or application a change is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Subject<'a> {
    pub(crate) kind: ObjectKind,
    pub(crate) id: &'a str,
}

/// An event without its fact: everything a record says about all its events.
#[derive(Debug, Clone)]
pub(crate) struct Draft<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) at: Timestamp,
    pub(crate) precision: Precision,
    pub(crate) source: Source,
    pub(crate) correlation: Correlation,
    pub(crate) actor: Option<String>,
    pub(crate) private: Option<Value>,
}

impl Draft<'_> {
    /// The stream of a service principal or application.
    pub(crate) fn stream(&self, subject: Subject<'_>) -> StreamName {
        match subject.kind {
            ObjectKind::ServicePrincipal => StreamName::service_principal(self.tenant, subject.id),
            ObjectKind::Application => StreamName::application(self.tenant, subject.id),
        }
    }

    /// The same draft at another time.
    pub(crate) fn at(&self, at: Timestamp, precision: Precision) -> Self {
        Self {
            at,
            precision,
            ..self.clone()
        }
    }

    /// The event of a fact.
    pub(crate) fn event(&self, id: EventId, stream: StreamName, body: EventBody) -> Event {
        Event {
            id,
            stream,
            occurred_at: self.at,
            precision: self.precision,
            body,
            source: self.source.clone(),
            correlation: self.correlation.clone(),
            actor: self.actor.clone(),
            private: self.private.clone(),
        }
    }

    /// Starts a natural key: family and tenant.
    pub(crate) fn key(&self, family: &str) -> NaturalKey {
        NaturalKey::new(family).with(self.tenant)
    }

    /// What tells changes of one kind and subject apart: the correlation id, else the time.
    pub(crate) fn moment(&self) -> String {
        self.correlation
            .id
            .clone()
            .unwrap_or_else(|| self.at.to_string())
    }

    /// Id of a change that a subject and a moment make itself.
    pub(crate) fn moment_id(&self, family: &str, object_id: &str) -> EventId {
        self.key(family).with(object_id).with(&self.moment()).id()
    }

    /// `identity.registered`: once per object.
    pub(crate) fn registered_id(&self, object_id: &str) -> EventId {
        registered_id(self.tenant, object_id)
    }

    /// `identity.enabled`, `disabled`, `deleted`, `restored`, `purged`.
    pub(crate) fn marker(
        &self,
        subject: Subject<'_>,
        family: &str,
        body: impl FnOnce(Marker) -> EventBody,
    ) -> Event {
        let id = self.moment_id(family, subject.id);
        let marker = Marker { kind: subject.kind };
        self.event(id, self.stream(subject), body(marker))
    }

    /// `identity.owner_added`, `owner_removed`, `owner_updated`.
    pub(crate) fn owner(
        &self,
        subject: Subject<'_>,
        family: &str,
        owner: Owner,
        body: impl FnOnce(OwnerChange) -> EventBody,
    ) -> Event {
        let id = self
            .key(family)
            .with(subject.id)
            .with(&self.moment())
            .with(&owner.id)
            .id();
        let kind = subject.kind;
        let body = body(OwnerChange { kind, owner });
        self.event(id, self.stream(subject), body)
    }

    /// `identity.owner_removed`.
    pub(crate) fn owner_removed(&self, subject: Subject<'_>, owner: Owner) -> Event {
        let family = "identity.owner_removed";
        self.owner(subject, family, owner, EventBody::OwnerRemoved)
    }

    /// `credential.added`.
    pub(crate) fn credential_added(&self, subject: Subject<'_>, credential: Credential) -> Event {
        let mut key = self
            .key("credential.added")
            .with(&credential.key_id)
            .with(origin_name(credential.origin));
        if credential.kind == CredentialKind::Federated {
            // The same trust may be removed and made again; its own object id tells the two apart.
            key = key
                .with(subject.id)
                .with(credential.federated_id.as_deref().unwrap_or_default());
        }
        let body = EventBody::CredentialAdded(Added { credential });
        self.event(key.id(), self.stream(subject), body)
    }

    /// `credential.removed`.
    pub(crate) fn credential_removed(
        &self,
        subject: Subject<'_>,
        key_id: &str,
        kind: CredentialKind,
    ) -> Event {
        let mut key = self
            .key("credential.removed")
            .with(key_id)
            .with(origin_name(subject.kind));
        if kind == CredentialKind::Federated {
            key = key.with(subject.id);
        }
        let id = key.with(&self.at.to_string()).id();
        let body = EventBody::CredentialRemoved(Removed {
            key_id: key_id.to_owned(),
            kind,
            origin: subject.kind,
        });
        self.event(id, self.stream(subject), body)
    }
}

/// Id of `identity.registered`: once per object.
pub(crate) fn registered_id(tenant: &str, object_id: &str) -> EventId {
    NaturalKey::new("identity.registered")
        .with(tenant)
        .with(object_id)
        .id()
}

/// The name of an object kind as it stands in natural keys.
pub(crate) fn origin_name(kind: ObjectKind) -> &'static str {
    match kind {
        ObjectKind::ServicePrincipal => "service_principal",
        ObjectKind::Application => "application",
    }
}
