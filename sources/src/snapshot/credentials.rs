//! Secrets, certificates and federated credentials of an object.
//!
//! `secretText` is in no field read here, so it cannot reach an event.

use std::collections::BTreeMap;

use ledger::event::Precision;
use ledger::event::credential::{Credential, CredentialKind};
use ledger::event::identity::ObjectKind;
use serde_json::Value;

use super::{Done, Snapshot, is_whole};
use crate::audit::credential::{federated_credential, updated};
use crate::draft::Subject;
use crate::fields::{field, instant, list, needed, text};
use crate::known::Held;
use crate::outcome::Reason;
use crate::restate::list_of;

/// Compares the credentials a record lists with those known.
pub(super) fn of_object(snapshot: &mut Snapshot<'_>, subject: Subject<'_>) {
    let record = snapshot.record;
    let mut seen: BTreeMap<String, Credential> = BTreeMap::new();
    // Keys last: the password of a SAML signing key has the id of the key, which is what counts.
    let lists = [("passwordCredentials", true), ("keyCredentials", false)];
    for (name, is_secret) in lists {
        for item in list(record, name) {
            if let Some(credential) = key(item, subject.kind, is_secret) {
                seen.insert(credential.key_id.clone(), credential);
            }
        }
    }
    for item in list(record, "federatedIdentityCredentials") {
        if let Some(credential) = federated_credential(item, subject.kind) {
            seen.insert(credential.key_id.clone(), credential);
        }
    }
    for credential in seen.values() {
        listed(snapshot, subject, credential);
    }
    gone(snapshot, subject, &seen);
}

/// The lists of credentials a record tells in full.
pub(super) fn whole_lists(record: &Value) -> Vec<&'static str> {
    let is_list = |name: &str| field(record, name).is_some_and(Value::is_array);
    let lists = [
        ("secrets", is_list("passwordCredentials")),
        ("keys", is_list("keyCredentials")),
        (
            "federated",
            is_whole(field(record, "federatedIdentityCredentials")),
        ),
    ];
    let told = lists.into_iter().filter(|(_, is_told)| *is_told);
    told.map(|(name, _)| name).collect()
}

/// A `federatedIdentityCredential` on its own, with its application told from outside.
pub(super) fn one_federated(
    snapshot: &mut Snapshot<'_>,
    application_id: &str,
) -> Result<Done, Reason> {
    needed(snapshot.record, "issuer")?;
    let subject = Subject {
        kind: ObjectKind::Application,
        id: application_id,
    };
    match federated_credential(snapshot.record, subject.kind) {
        Some(credential) => listed(snapshot, subject, &credential),
        None => {
            return Err(Reason::Missing {
                field: "subject".to_owned(),
            });
        }
    }
    Ok(Done::Read)
}

/// A `passwordCredential` or `keyCredential`.
fn key(item: &Value, origin: ObjectKind, is_secret: bool) -> Option<Credential> {
    let kind = match text(item, "type") {
        _ if is_secret => CredentialKind::Secret,
        Some("Symmetric") => CredentialKind::SymmetricKey,
        _ => CredentialKind::Certificate,
    };
    Some(Credential {
        key_id: text(item, "keyId")?.to_owned(),
        kind,
        origin,
        usage: text(item, "usage").map(str::to_owned),
        display_name: text(item, "displayName").map(str::to_owned),
        starts_at: instant(item, "startDateTime"),
        ends_at: instant(item, "endDateTime"),
        thumbprint: text(item, "customKeyIdentifier")
            .filter(|_| kind != CredentialKind::Secret)
            .map(str::to_owned),
        federated_id: None,
        issuer: None,
        subject: None,
        audiences: Vec::new(),
    })
}

/// A credential that the object carries: new, or known with other or fewer fields.
fn listed(snapshot: &mut Snapshot<'_>, subject: Subject<'_>, credential: &Credential) {
    let stream = snapshot.draft.stream(subject);
    let ever = snapshot.known.view(&stream, jiff::Timestamp::MAX);
    let held = ever.credentials.get(&credential.key_id).cloned();
    match held {
        Some(held) if is_same(&held, credential) => known(snapshot, subject, credential, &held),
        _ => {
            // A start may be set by hand, so it is only the best guess of when it was added.
            let starts_at = credential
                .starts_at
                .filter(|at| Some(*at) >= instant(snapshot.record, "createdDateTime"));
            let draft = snapshot.since(starts_at, Precision::Observed);
            snapshot.propose(draft.credential_added(subject, credential.clone()));
        }
    }
}

/// Whether the known credential is this one and not an earlier one of the same trust.
fn is_same(held: &Held<Credential>, credential: &Credential) -> bool {
    held.open
        || credential.kind != CredentialKind::Federated
        || held.value.federated_id == credential.federated_id
}

fn known(
    snapshot: &mut Snapshot<'_>,
    subject: Subject<'_>,
    credential: &Credential,
    held: &Held<Credential>,
) {
    let stream = snapshot.draft.stream(subject);
    let mut filled = held.value.clone();
    fill(&mut filled, credential);
    if filled != held.value
        && let Some(fact) = snapshot.known.fact(held.opened)
        && let ledger::EventBody::CredentialAdded(first) = &fact.body
    {
        // Fields are added to the credential as first told; what changed since stays a change.
        let mut body = first.credential.clone();
        fill(&mut body, &filled);
        let draft = snapshot.draft.at(fact.at, Precision::Observed);
        let mut event = draft.credential_added(subject, body);
        event.id = held.opened;
        snapshot.propose(event);
    }
    let now = snapshot.known.view(&stream, snapshot.observed_at());
    let Some(held) = now.credentials.get(&credential.key_id) else {
        return;
    };
    let mut seen = credential.clone();
    fill(&mut seen, &held.value);
    if held.open && seen != held.value {
        let event = updated(subject, &snapshot.draft, &held.value, &seen);
        if let Some(event) = event {
            snapshot.propose(event);
        }
    }
}

/// Gives `credential` the fields it lacks.
fn fill(credential: &mut Credential, from: &Credential) {
    fn take<T: Clone>(to: &mut Option<T>, from: Option<&T>) {
        if to.is_none() {
            *to = from.cloned();
        }
    }
    take(&mut credential.usage, from.usage.as_ref());
    take(&mut credential.display_name, from.display_name.as_ref());
    take(&mut credential.starts_at, from.starts_at.as_ref());
    take(&mut credential.ends_at, from.ends_at.as_ref());
    take(&mut credential.thumbprint, from.thumbprint.as_ref());
    take(&mut credential.federated_id, from.federated_id.as_ref());
    take(&mut credential.issuer, from.issuer.as_ref());
    take(&mut credential.subject, from.subject.as_ref());
    if credential.audiences.is_empty() {
        credential.audiences.clone_from(&from.audiences);
    }
}

/// Removes what was carried and is in no list, where the list is told and whole.
fn gone(snapshot: &mut Snapshot<'_>, subject: Subject<'_>, seen: &BTreeMap<String, Credential>) {
    let told = whole_lists(snapshot.record);
    let stream = snapshot.draft.stream(subject);
    let at = snapshot.observed_at();
    let gone: Vec<Credential> = snapshot
        .known
        .view(&stream, at)
        .credentials
        .into_values()
        .filter(|held| held.open && held.seen < at && !seen.contains_key(&held.value.key_id))
        .map(|held| held.value)
        .filter(|credential| told.contains(&list_of(credential.kind)))
        .collect();
    for credential in gone {
        let event = snapshot
            .draft
            .credential_removed(subject, &credential.key_id, credential.kind);
        snapshot.propose(event);
    }
}
