//! Credentials in `modifiedProperties`: `KeyDescription` and `FederatedIdentityCredentials`.
//!
//! Both hold the full old and the full new list, so what was added and removed is the difference.

use std::collections::BTreeMap;

use ledger::event::credential::{Credential, CredentialKind, Updated};
use ledger::event::identity::{Change, ObjectKind};
use ledger::event::{Event, EventBody};
use serde_json::Value;

use super::AuditRecord;
use crate::draft::{Draft, Subject, origin_name};
use crate::fields::{bad_value, text, texts};
use crate::outcome::Reason;

/// Events of both properties of a record.
///
/// # Errors
/// `BadValue` when a list cannot be read whole: the difference would be wrong.
pub(super) fn changes(
    record: &AuditRecord,
    subject: Subject<'_>,
    draft: &Draft<'_>,
) -> Result<Vec<Event>, Reason> {
    let mut events = Vec::new();
    let readers: [(&str, Reader); 2] = [
        ("KeyDescription", described),
        ("FederatedIdentityCredentials", federated),
    ];
    for (name, read) in readers {
        if let Some(lists) = record.property(name) {
            let side = |list: Option<&Value>| {
                read(list, subject.kind).ok_or_else(|| {
                    let shown = list.map(Value::to_string).unwrap_or_default();
                    bad_value(name, &shown, "a list of credentials")
                })
            };
            let (old, new) = (side(lists.old.as_ref())?, side(lists.new.as_ref())?);
            events.extend(difference(subject, draft, &old, new));
        }
    }
    Ok(events)
}

/// Reads a list of credentials; `None` when any of it cannot be read.
type Reader = fn(Option<&Value>, ObjectKind) -> Option<Credentials>;

type Credentials = BTreeMap<String, Credential>;

fn difference(
    subject: Subject<'_>,
    draft: &Draft<'_>,
    old: &Credentials,
    new: Credentials,
) -> Vec<Event> {
    let mut events: Vec<Event> = old
        .values()
        .filter(|credential| !new.contains_key(&credential.key_id))
        .map(|credential| draft.credential_removed(subject, &credential.key_id, credential.kind))
        .collect();
    for (key_id, credential) in new {
        match old.get(&key_id) {
            None => events.push(draft.credential_added(subject, credential)),
            Some(before) => events.extend(updated(subject, draft, before, &credential)),
        }
    }
    events
}

/// `credential.updated` with the fields that differ, if any do.
pub(crate) fn updated(
    subject: Subject<'_>,
    draft: &Draft<'_>,
    old: &Credential,
    new: &Credential,
) -> Option<Event> {
    let (Ok(Value::Object(before)), Ok(Value::Object(after))) =
        (serde_json::to_value(old), serde_json::to_value(new))
    else {
        return None;
    };
    let mut changes = BTreeMap::new();
    for name in before.keys().chain(after.keys()) {
        let (old, new) = (before.get(name).cloned(), after.get(name).cloned());
        if old != new {
            changes.insert(name.clone(), Change { old, new });
        }
    }
    if changes.is_empty() {
        return None;
    }
    let id = draft
        .key("credential.updated")
        .with(&new.key_id)
        .with(origin_name(subject.kind))
        .with(&draft.at.to_string())
        .id();
    let body = EventBody::CredentialUpdated(Updated {
        key_id: new.key_id.clone(),
        origin: subject.kind,
        changes,
    });
    Some(draft.event(id, draft.stream(subject), body))
}

fn described(list: Option<&Value>, origin: ObjectKind) -> Option<Credentials> {
    let items: &[Value] = match list {
        Some(Value::Array(items)) => items,
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let mut found = Credentials::new();
    for item in items {
        let text = item.as_str()?;
        if text.trim().is_empty() {
            continue;
        }
        let key = key_description(text, origin)?;
        // The password of a SAML signing key is listed under the id of the key: it is not a secret
        // to sign in with.
        let is_password = key.kind == CredentialKind::Secret;
        if !(is_password && found.contains_key(&key.key_id)) {
            found.insert(key.key_id.clone(), key);
        }
    }
    Some(found)
}

/// Reads `[KeyIdentifier=…,KeyType=…,KeyUsage=…,DisplayName=…]`. The display name is free text and
/// may hold commas and brackets; it comes last.
pub(super) fn key_description(text: &str, origin: ObjectKind) -> Option<Credential> {
    let text = text.trim();
    let text = text.strip_prefix('[').unwrap_or(text);
    let text = text.strip_suffix(']').unwrap_or(text);
    let (head, display_name) = match text.split_once("DisplayName=") {
        Some((head, name)) => (head, Some(name)),
        None => (text, None),
    };
    let mut parts: BTreeMap<&str, &str> = BTreeMap::new();
    for part in head.split(',') {
        if let Some((name, value)) = part.split_once('=') {
            parts.insert(name.trim(), value.trim());
        }
    }
    let key_id = parts.get("KeyIdentifier").filter(|id| !id.is_empty())?;
    let kind = match parts.get("KeyType").copied() {
        Some("Password") => CredentialKind::Secret,
        Some("Symmetric") => CredentialKind::SymmetricKey,
        // AsymmetricX509Cert, X509CertAndPassword
        _ => CredentialKind::Certificate,
    };
    Some(Credential {
        key_id: (*key_id).to_owned(),
        kind,
        origin,
        usage: parts
            .get("KeyUsage")
            .filter(|usage| !usage.is_empty())
            .map(|usage| (*usage).to_owned()),
        display_name: display_name
            .map(str::to_owned)
            .filter(|name| !name.is_empty()),
        starts_at: None,
        ends_at: None,
        thumbprint: None,
        federated_id: None,
        issuer: None,
        subject: None,
        audiences: Vec::new(),
    })
}

fn federated(list: Option<&Value>, origin: ObjectKind) -> Option<Credentials> {
    let items: &[Value] = match list {
        Some(Value::Array(items)) => items,
        Some(_) => return None,
        None => &[],
    };
    items
        .iter()
        .map(|item| {
            let credential = federated_credential(item, origin)?;
            Some((credential.key_id.clone(), credential))
        })
        .collect()
}

/// A federated credential as the audit log (`Issuer`) or Graph (`issuer`) writes it.
pub(crate) fn federated_credential(value: &Value, origin: ObjectKind) -> Option<Credential> {
    let issuer = text(value, "issuer")?;
    let expression = value
        .get("claimsMatchingExpression")
        .and_then(|expression| text(expression, "value"));
    let subject = text(value, "subject")
        .or_else(|| text(value, "ClaimsMatchingExpressionValue"))
        .or(expression)?;
    let mut audiences = texts(value, "audiences");
    audiences.sort();
    Some(Credential {
        key_id: format!("{issuer} {subject}"),
        kind: CredentialKind::Federated,
        origin,
        usage: None,
        display_name: text(value, "name").map(str::to_owned),
        starts_at: None,
        ends_at: None,
        thumbprint: None,
        federated_id: text(value, "id").map(str::to_owned),
        issuer: Some(issuer.to_owned()),
        subject: Some(subject.to_owned()),
        audiences,
    })
}
