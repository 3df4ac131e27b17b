//! Directory owners of an object. Names and addresses of people stay in the private part.

use std::collections::BTreeMap;

use ledger::event::EventBody;
use ledger::event::identity::Owner;
use serde_json::{Map, Value, json};

use super::{Snapshot, is_whole};
use crate::audit::identity::snake_case;
use crate::draft::{Draft, Subject};
use crate::fields::{field, flag, list, text};

/// Compares the expanded owners of a record with those known.
pub(super) fn of_object(snapshot: &mut Snapshot<'_>, subject: Subject<'_>) {
    let record = snapshot.record;
    let mut seen: BTreeMap<String, Owner> = BTreeMap::new();
    let view = snapshot
        .known
        .view(&snapshot.draft.stream(subject), snapshot.observed_at());
    let held = view.owners;
    for item in list(record, "owners") {
        let Some(mut owner) = owner(item) else {
            continue;
        };
        let before = held.get(&owner.id).filter(|held| held.open);
        if let Some(before) = before {
            fill(&mut owner, &before.value);
        }
        seen.insert(owner.id.clone(), owner.clone());
        let draft = Draft {
            private: personal(item),
            ..snapshot.draft.clone()
        };
        let event = match before {
            None => {
                let family = "identity.owner_added";
                draft.owner(subject, family, owner, EventBody::OwnerAdded)
            }
            Some(before) if before.value != owner => {
                let family = "identity.owner_updated";
                draft.owner(subject, family, owner, EventBody::OwnerUpdated)
            }
            Some(_) => continue,
        };
        snapshot.propose(event);
    }
    if !is_whole(field(record, "owners")) {
        return;
    }
    for (id, held) in held {
        if held.open && held.seen < snapshot.observed_at() && !seen.contains_key(&id) {
            let event = snapshot.draft.owner_removed(subject, held.value);
            snapshot.propose(event);
        }
    }
}

fn owner(item: &Value) -> Option<Owner> {
    let kind = text(item, "@odata.type")
        .and_then(|name| name.rsplit('.').next())
        .map(snake_case)
        .unwrap_or_default();
    Some(Owner {
        id: text(item, "id")?.to_owned(),
        kind,
        enabled: flag(item, "accountEnabled"),
        guest: text(item, "userType").map(|kind| kind.eq_ignore_ascii_case("Guest")),
    })
}

fn fill(owner: &mut Owner, from: &Owner) {
    if owner.kind.is_empty() {
        owner.kind.clone_from(&from.kind);
    }
    owner.enabled = owner.enabled.or(from.enabled);
    owner.guest = owner.guest.or(from.guest);
}

fn personal(item: &Value) -> Option<Value> {
    let names = ["id", "displayName", "userPrincipalName", "mail"];
    let fields: Map<String, Value> = names
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), json!(text(item, name)?))))
        .collect();
    (fields.len() > 1).then(|| json!({ "owner": fields }))
}
