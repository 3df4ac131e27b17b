//! Conditional Access policies and named locations.

use jiff::Timestamp;
use ledger::event::policy::{AccessPolicyChange, LocationChange};
use ledger::event::{Precision, StreamName};

use super::{Done, Snapshot};
use crate::access_policy;
use crate::audit::policy::{Act, access_event, location_event};
use crate::draft::Draft;
use crate::fields::instant;
use crate::outcome::Reason;

/// When a change that brought the present value was made, and what kind of change it was.
fn change<'a>(snapshot: &Snapshot<'a>, stream: &StreamName) -> (Act, Draft<'a>) {
    let created = instant(snapshot.record, "createdDateTime");
    let modified = instant(snapshot.record, "modifiedDateTime");
    let mut last: Option<Timestamp> = None;
    for (_, fact) in snapshot.known.facts_of(stream) {
        if fact.at <= snapshot.observed_at() {
            last = Some(fact.at);
        }
    }
    if instant(snapshot.record, "deletedDateTime").is_some() {
        let at = instant(snapshot.record, "deletedDateTime");
        return (Act::Delete, snapshot.since(at, Precision::Exact));
    }
    match last {
        None => (Act::Add, snapshot.since(created, Precision::Exact)),
        Some(last) => {
            // An update in between would be lost by an older time.
            let at = modified.filter(|at| *at > last);
            (Act::Update, snapshot.since(at, Precision::Observed))
        }
    }
}

/// Compares a policy with the one known.
pub(super) fn policy(snapshot: &mut Snapshot<'_>) -> Result<Done, Reason> {
    let id = snapshot.id()?;
    let stream = StreamName::policy(snapshot.draft.tenant, id);
    let (act, draft) = change(snapshot, &stream);
    let old = snapshot.known.view(&stream, snapshot.observed_at()).policy;
    let new = (act != Act::Delete).then(|| Box::new(access_policy::policy(id, snapshot.record)));
    if old == new {
        return Ok(Done::Read);
    }
    let policy_id = id.to_owned();
    let event = access_event(
        &draft,
        act,
        AccessPolicyChange {
            policy_id,
            old,
            new,
        },
    );
    snapshot.propose(event);
    Ok(Done::Read)
}

/// Compares a named location with the one known.
pub(super) fn location(snapshot: &mut Snapshot<'_>) -> Result<Done, Reason> {
    let id = snapshot.id()?;
    let stream = StreamName::location(snapshot.draft.tenant, id);
    let (act, draft) = change(snapshot, &stream);
    let old = snapshot
        .known
        .view(&stream, snapshot.observed_at())
        .location;
    let new = (act != Act::Delete).then(|| access_policy::location(id, snapshot.record));
    if old == new {
        return Ok(Done::Read);
    }
    let location_id = id.to_owned();
    let event = location_event(
        &draft,
        act,
        LocationChange {
            location_id,
            old,
            new,
        },
    );
    snapshot.propose(event);
    Ok(Done::Read)
}
