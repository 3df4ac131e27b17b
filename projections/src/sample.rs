//! Events for tests.

use jiff::{SignedDuration, Timestamp};
use ledger::event::activity::SignIn;
use ledger::event::credential::{Added, Credential, CredentialKind, Removed};
use ledger::event::identity::{
    Attributes, Change, Marker, ObjectKind, Owner, OwnerChange, Registered, Updated,
};
use ledger::event::policy::{AccessPolicy, AccessPolicyChange};
use ledger::event::risk::Level;
use ledger::event::{
    Correlation, Event, EventBody, NaturalKey, Position, Precision, Recorded, Source, StreamName,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::state::{State, StateBuilder};

pub(crate) const TENANT: &str = "11111111-1111-4111-8111-111111111111";
pub(crate) const SP: ObjectKind = ObjectKind::ServicePrincipal;

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

pub(crate) fn sp(id: &str) -> StreamName {
    StreamName::service_principal(TENANT, id)
}

pub(crate) fn app(id: &str) -> StreamName {
    StreamName::application(TENANT, id)
}

pub(crate) fn policy_stream(id: &str) -> StreamName {
    StreamName::policy(TENANT, id)
}

/// An event at a position; its id comes from everything that makes it, the position aside.
pub(crate) fn event(
    position: Position,
    stream: &StreamName,
    occurred_at: Timestamp,
    body: EventBody,
) -> Recorded {
    let stream_no = stream.as_str().bytes().fold(17_u32, |hash, byte| {
        hash.wrapping_mul(31).wrapping_add(byte.into())
    });
    let id = NaturalKey::new("test")
        .with(stream.as_str())
        .with(&occurred_at.to_string())
        .with(&body.event_type().to_string())
        .with(&body.to_json().unwrap().to_string())
        .id();
    Recorded {
        position,
        recorded_at: at("2026-11-24T00:00:00Z"),
        stream_no,
        revision: 0,
        has_private: false,
        private_state: ledger::PrivateState::None,
        event: Event {
            id,
            stream: stream.clone(),
            occurred_at,
            precision: Precision::Exact,
            body,
            source: Source {
                name: "graph/directoryAudit".into(),
                record: None,
                digest: String::new(),
            },
            correlation: Correlation::default(),
            actor: None,
            private: None,
        },
    }
}

pub(crate) fn attributes(value: &Value) -> Attributes {
    serde_json::from_value(value.clone()).unwrap()
}

pub(crate) fn registered(kind: ObjectKind, value: &Value) -> EventBody {
    EventBody::IdentityRegistered(Registered {
        kind,
        attributes: attributes(value),
    })
}

/// A single-tenant service principal of this tenant.
pub(crate) fn own(name: &str) -> EventBody {
    registered(
        SP,
        &json!({
            "displayName": name,
            "appId": format!("app-{name}"),
            "servicePrincipalType": "Application",
            "appOwnerOrganizationId": TENANT,
            "signInAudience": "AzureADMyOrg",
        }),
    )
}

pub(crate) fn updated(name: &str, old: Option<Value>, new: Option<Value>) -> EventBody {
    EventBody::IdentityUpdated(Updated {
        kind: SP,
        changes: [(name.to_owned(), Change { old, new })].into(),
    })
}

pub(crate) fn marker() -> Marker {
    Marker { kind: SP }
}

pub(crate) fn owner(id: &str) -> OwnerChange {
    OwnerChange {
        kind: SP,
        owner: Owner {
            id: id.into(),
            kind: "user".into(),
            enabled: None,
            guest: None,
        },
    }
}

pub(crate) fn secret(key: &str) -> EventBody {
    EventBody::CredentialAdded(Added {
        credential: Credential {
            key_id: key.into(),
            kind: CredentialKind::Secret,
            origin: SP,
            usage: None,
            display_name: None,
            starts_at: None,
            ends_at: None,
            thumbprint: None,
            federated_id: None,
            issuer: None,
            subject: None,
            audiences: Vec::new(),
        },
    })
}

pub(crate) fn secret_removed(key: &str) -> EventBody {
    EventBody::CredentialRemoved(Removed {
        key_id: key.into(),
        kind: CredentialKind::Secret,
        origin: SP,
    })
}

pub(crate) fn policy(id: &str, state: &str, include: &[&str], exclude: &[&str]) -> EventBody {
    let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
    EventBody::AccessPolicyUpdated(AccessPolicyChange {
        policy_id: id.into(),
        old: None,
        new: Some(Box::new(AccessPolicy {
            id: id.into(),
            state: state.into(),
            include_service_principals: ids(include),
            exclude_service_principals: ids(exclude),
            ..AccessPolicy::default()
        })),
    })
}

pub(crate) fn policy_deleted(id: &str) -> EventBody {
    EventBody::AccessPolicyDeleted(AccessPolicyChange {
        policy_id: id.into(),
        old: None,
        new: None,
    })
}

pub(crate) fn risk(level: &str, state: &str) -> EventBody {
    EventBody::RiskLevelChanged(Level {
        level: level.into(),
        state: state.into(),
        detail: None,
    })
}

pub(crate) fn sign_in(id: u64, credential: Option<&str>, resource: Option<&str>) -> SignIn {
    SignIn {
        sign_in_id: id.to_string(),
        credential_key_id: credential.map(Into::into),
        resource_id: resource.map(Into::into),
        ..SignIn::default()
    }
}

pub(crate) fn state(events: &[Recorded]) -> State {
    let mut builder = StateBuilder::new();
    for event in events {
        builder.push(event);
    }
    builder.finish(u64::try_from(events.len()).unwrap(), None)
}

/// Histories of a few identities, an application and a policy over some weeks.
pub(crate) fn histories() -> impl Strategy<Value = Vec<Recorded>> {
    let one = (0..4_u8, 0..400_i64, 0..9_u8, 0..3_u8);
    prop::collection::vec(one, 0..60).prop_map(|told| {
        (0..)
            .zip(&told)
            .map(|(position, (who, step, kind, detail))| {
                let detail = detail.to_string();
                let (stream, body) = match kind {
                    0 => (sp(&who.to_string()), own(&detail)),
                    1 => (
                        sp(&who.to_string()),
                        updated("displayName", None, Some(json!(detail))),
                    ),
                    2 => (sp(&who.to_string()), secret(&detail)),
                    3 => (sp(&who.to_string()), secret_removed(&detail)),
                    4 => (app(&who.to_string()), EventBody::OwnerAdded(owner(&detail))),
                    5 => (policy_stream("p"), policy("p", "enabled", &[&detail], &[])),
                    6 => (sp(&who.to_string()), EventBody::IdentityDeleted(marker())),
                    7 => (
                        sp(&who.to_string()),
                        EventBody::SignInFailed(sign_in(position, None, None)),
                    ),
                    _ => (
                        sp(&who.to_string()),
                        EventBody::SignedIn(sign_in(position, Some(&detail), Some(&detail))),
                    ),
                };
                let when = at("2026-09-01T00:00:00Z")
                    .checked_add(SignedDuration::from_hours(*step))
                    .unwrap();
                event(position, &stream, when, body)
            })
            .collect()
    })
}
