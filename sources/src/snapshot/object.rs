//! Service principals and applications.

use jiff::Timestamp;
use ledger::event::identity::{AttributesSet, ObjectKind, PUBLIC_ATTRIBUTES};
use ledger::event::{Event, EventBody, Precision};
use serde_json::{Value, json};

use super::{Done, Snapshot, access, credentials, is_whole, owners};
use crate::attributes::{self, Told, ToldAt, normal, required_access};
use crate::audit::identity::flattened;
use crate::draft::{Draft, Subject};
use crate::fields::{field, instant, list, text, texts, told};
use crate::outcome::Reason;

/// Compares an object and everything expanded in its record.
pub(super) fn object(snapshot: &mut Snapshot<'_>, kind: ObjectKind) -> Result<Done, Reason> {
    let record = snapshot.record;
    let subject = Subject {
        kind,
        id: snapshot.id()?,
    };
    if kind == ObjectKind::ServicePrincipal {
        let tenant = snapshot.draft.tenant;
        snapshot.known.learn_roles(tenant, subject.id, record);
    }
    let told = attributes_of(record, kind);
    registered(snapshot, subject, &told);
    for event in attributes::differences(snapshot.known, subject, &snapshot.draft, &told) {
        snapshot.propose(event);
    }
    existence(snapshot, subject);
    security_attributes(snapshot, subject);
    credentials::of_object(snapshot, subject);
    owners::of_object(snapshot, subject);
    if kind == ObjectKind::ServicePrincipal {
        access::of_object(snapshot);
    }
    Ok(Done::Read)
}

fn registered(snapshot: &mut Snapshot<'_>, subject: Subject<'_>, told: &Told) {
    let created = instant(snapshot.record, "createdDateTime");
    let draft = Draft {
        private: addresses(snapshot.record),
        ..snapshot.since(created, Precision::Exact)
    };
    let known = &*snapshot.known;
    let mut registration = attributes::registration(known, subject, &draft, told, ToldAt::Later);
    if registration.is_news {
        name_lists(&mut registration.event, snapshot.record, told);
        snapshot.propose(registration.event);
    }
}

/// Adds to the record's name what it tells in full.
fn name_lists(event: &mut Event, record: &Value, told: &Told) {
    let EventBody::IdentityRegistered(body) = &event.body else {
        return;
    };
    let mut lists = credentials::whole_lists(record);
    if is_whole(field(record, "owners")) {
        lists.push("owners");
    }
    if body.attributes.keys().all(|name| told.contains_key(name)) {
        lists.push("attributes");
    }
    if let Some(name) = &mut event.source.record {
        for list in lists {
            name.push('+');
            name.push_str(list);
        }
    }
}

/// Notification addresses are personal data; only their number is public.
fn addresses(record: &Value) -> Option<Value> {
    let addresses = texts(record, "notificationEmailAddresses");
    (!addresses.is_empty()).then(|| json!({"notificationEmailAddresses": addresses}))
}

/// Deleted when the record says so, restored when it does not and was known as deleted.
fn existence(snapshot: &mut Snapshot<'_>, subject: Subject<'_>) {
    let stream = snapshot.draft.stream(subject);
    let exists = snapshot.known.view(&stream, snapshot.observed_at()).exists;
    let deleted = instant(snapshot.record, "deletedDateTime");
    let event = match (deleted, exists) {
        (Some(at), true) => {
            let draft = snapshot.since(Some(at), Precision::Exact);
            draft.marker(subject, "identity.deleted", EventBody::IdentityDeleted)
        }
        (None, false) => {
            snapshot
                .draft
                .marker(subject, "identity.restored", EventBody::IdentityRestored)
        }
        _ => return,
    };
    snapshot.propose(event);
}

fn security_attributes(snapshot: &mut Snapshot<'_>, subject: Subject<'_>) {
    // `null` may also mean that the caller may not read them (Graph: the value needs a role of
    // its own).
    let Some(sets) = told(snapshot.record, "customSecurityAttributes") else {
        return;
    };
    let stream = snapshot.draft.stream(subject);
    let view = snapshot.known.view(&stream, snapshot.observed_at());
    let mut values = flattened(sets);
    for (name, value) in &view.security_attributes {
        if !value.is_null() && !values.contains_key(name) {
            values.insert(name.clone(), Value::Null);
        }
    }
    values.retain(|name, value| view.security_attributes.get(name) != Some(value));
    if values.is_empty() {
        return;
    }
    let id = snapshot
        .draft
        .moment_id("identity.attributes_set", subject.id);
    let body = EventBody::AttributesSet(AttributesSet { values });
    let event = snapshot.draft.event(id, stream, body);
    snapshot.propose(event);
}

/// The public attributes a record tells, in normal form. A field that is absent is not told.
pub(super) fn attributes_of(record: &Value, kind: ObjectKind) -> Told {
    let mut attributes = Told::new();
    for name in PUBLIC_ATTRIBUTES {
        let value = match *name {
            "notificationEmailCount"
            | "odataType"
            | "verifiedPublisherId"
            | "implicitGrantSettings" => continue,
            "replyUrls" if kind == ObjectKind::Application => continue,
            name => field(record, name),
        };
        let Some(value) = value else { continue };
        let value = match *name {
            "requiredResourceAccess" => required_access(value),
            "createdDateTime" => instant(record, name).map(|at: Timestamp| json!(at.to_string())),
            _ => normal(value.clone()),
        };
        attributes.insert((*name).to_owned(), value);
    }
    if let Some(publisher) = field(record, "verifiedPublisher") {
        let id = text(publisher, "verifiedPublisherId").map(|id| json!(id));
        attributes.insert("verifiedPublisherId".to_owned(), id);
    }
    if field(record, "notificationEmailAddresses").is_some() {
        let count = list(record, "notificationEmailAddresses").len();
        let count = (count > 0).then(|| json!(count));
        attributes.insert("notificationEmailCount".to_owned(), count);
    }
    if let Some(web) = told(record, "web") {
        let settings = field(web, "implicitGrantSettings");
        let settings = settings.and_then(|value| normal(value.clone()));
        attributes.insert("implicitGrantSettings".to_owned(), settings);
    }
    if kind == ObjectKind::Application {
        attributes.extend(redirects(record));
    }
    attributes.extend(subtype(record));
    attributes
}

/// Redirect addresses of an application, over its platforms.
fn redirects(record: &Value) -> Option<(String, Option<Value>)> {
    let platforms = ["web", "spa", "publicClient"];
    if platforms.iter().all(|name| told(record, name).is_none()) {
        return None;
    }
    let all: Vec<Value> = platforms
        .iter()
        .filter_map(|name| told(record, name))
        .flat_map(|platform| list(platform, "redirectUris"))
        .cloned()
        .collect();
    Some(("replyUrls".to_owned(), normal(Value::Array(all))))
}

/// The `OData` type, when it is one of the subtypes: agent identities and their blueprints.
fn subtype(record: &Value) -> Option<(String, Option<Value>)> {
    let name = text(record, "@odata.type")?;
    let is_plain = name.ends_with(".servicePrincipal") || name.ends_with(".application");
    (!is_plain).then(|| ("odataType".to_owned(), Some(json!(name))))
}
