//! Directory audit records to events.
//!
//! One logical change is often reported by several records: a full one, a stub of another service,
//! a follow-up "Update". Records are grouped by tenant, correlation id and target
//! ([`group_key`]) and a group is interpreted as a whole ([`interpret`]): each change becomes one
//! event that names all its records. Activities that do not concern workload identities are skipped
//! by name. Names: Microsoft Entra, "Audit log activity reference"; properties as real logs hold them.

pub(crate) mod credential;
pub(crate) mod grant;
pub(crate) mod identity;
mod modified;
pub(crate) mod policy;
mod record;
pub(crate) mod role;

use std::collections::{BTreeMap, BTreeSet};

use ledger::event::identity::ObjectKind;
use ledger::event::{Correlation, Event, EventBody, EventId, Precision};
use serde_json::json;

pub use modified::Modified;
pub use record::{Actor, AuditRecord, Target, activity_key};

use crate::context::Context;
use crate::draft::{Draft, Subject};
use crate::known::Known;
use crate::outcome::Reason;
use crate::restate::restated;

/// Tenant, correlation id (or the record's own id) and target object id: one logical change.
pub fn group_key(record: &AuditRecord) -> (String, String, String) {
    (
        record.tenant.clone().unwrap_or_default(),
        record
            .correlation
            .clone()
            .unwrap_or_else(|| record.id.clone()),
        record
            .targets
            .first()
            .map_or_else(String::new, |target| target.id.clone()),
    )
}

/// How one record of a group ends.
#[derive(Debug, Clone, PartialEq)]
pub enum RecordOutcome {
    /// It reports these events, by index in [`GroupOutcome::events`]. Never empty.
    Events(Vec<usize>),
    /// It does not concern workload identities, failed, or changed nothing that matters.
    Skipped(String),
    /// It could not be read.
    Rejected(Reason),
}

/// The events of a group and how each of its records ends, in the order given.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GroupOutcome {
    /// One event per change, in order of time; then what later snapshots had told, stated again.
    pub events: Vec<Event>,
    /// One per record.
    pub outcomes: Vec<RecordOutcome>,
}

/// What one record says by itself.
enum Claim {
    /// These facts.
    Events(Vec<Event>),
    /// Nothing of its own; it may support another record of its group.
    Evidence,
    /// Not for us, by its activity name.
    Skipped,
}

/// Interprets the records of one logical change. The events are learned by `known` at once, so
/// that later records see them.
pub fn interpret(group: &[AuditRecord], ctx: &Context<'_>, known: &mut Known) -> GroupOutcome {
    let mut claims: Vec<Result<Claim, Reason>> = Vec::with_capacity(group.len());
    let mut merged: BTreeMap<EventId, Merged> = BTreeMap::new();
    for (index, record) in group.iter().enumerate() {
        let claim = claim(record, ctx, known);
        if let Ok(Claim::Events(events)) = &claim {
            for event in events {
                let event = known.settle(event.clone());
                merged
                    .entry(event.id)
                    .and_modify(|merged| merged.add(index, &event, group))
                    .or_insert_with(|| Merged::new(index, event));
            }
        }
        claims.push(claim);
    }
    let evidence: BTreeSet<usize> = claims
        .iter()
        .enumerate()
        .filter(|(_, claim)| matches!(claim, Ok(Claim::Evidence)))
        .map(|(index, _)| index)
        .collect();
    let mut all: Vec<Merged> = merged.into_values().collect();
    all.sort_by_key(|merged| (merged.event.occurred_at, merged.primary, merged.event.id));
    let mut again = Vec::new();
    for merged in &mut all {
        merged.records.extend(&evidence);
        merged.name_records(group);
        let restated = restated(known, &merged.event, merged.event.occurred_at);
        known.learn(&merged.event);
        for event in restated {
            known.learn(&event);
            again.push(event);
        }
    }
    let outcomes = group
        .iter()
        .zip(claims)
        .enumerate()
        .map(|(index, (record, claim))| outcome(record, index, claim, &all))
        .collect();
    let events = all
        .into_iter()
        .map(|merged| merged.event)
        .chain(again)
        .collect();
    GroupOutcome { events, outcomes }
}

fn outcome(
    record: &AuditRecord,
    index: usize,
    claim: Result<Claim, Reason>,
    all: &[Merged],
) -> RecordOutcome {
    let activity = record.activity.trim();
    if let Err(reason) = claim {
        return RecordOutcome::Rejected(reason);
    }
    if record.has_failed() {
        return RecordOutcome::Skipped(format!("{activity} (failed)"));
    }
    if matches!(claim, Ok(Claim::Skipped)) {
        return RecordOutcome::Skipped(activity.to_owned());
    }
    let events: Vec<usize> = all
        .iter()
        .enumerate()
        .filter(|(_, merged)| merged.records.contains(&index))
        .map(|(position, _)| position)
        .collect();
    if !events.is_empty() {
        return RecordOutcome::Events(events);
    }
    if record.activity_key.ends_with(" policy") {
        return RecordOutcome::Skipped(activity.to_owned());
    }
    RecordOutcome::Skipped(format!("{activity} (no change that matters)"))
}

/// One event and the records that report it.
struct Merged {
    event: Event,
    primary: usize,
    records: BTreeSet<usize>,
}

impl Merged {
    fn new(index: usize, event: Event) -> Self {
        Self {
            event,
            primary: index,
            records: BTreeSet::from([index]),
        }
    }

    /// A further record of the group that reports the same change: the richer one leads.
    fn add(&mut self, index: usize, event: &Event, group: &[AuditRecord]) {
        self.records.insert(index);
        let rank = |index: usize| group.get(index).map_or(0, AuditRecord::richness);
        if rank(index) > rank(self.primary) {
            let body = joined(&event.body, &self.event.body);
            self.event = event.clone();
            self.event.body = body;
            self.primary = index;
        } else {
            self.event.body = joined(&self.event.body, &event.body);
        }
    }

    fn name_records(&mut self, group: &[AuditRecord]) {
        let mut records: Vec<String> = self
            .records
            .iter()
            .filter(|index| **index != self.primary)
            .filter_map(|index| group.get(*index))
            .map(|record| record.id.clone())
            .filter(|id| Some(id) != self.event.source.record.as_ref())
            .collect();
        records.sort();
        records.dedup();
        self.event.correlation.records = records;
    }
}

/// Two bodies of one event: attributes and changes of both.
fn joined(first: &EventBody, second: &EventBody) -> EventBody {
    let mut body = first.clone();
    match (&mut body, second) {
        (EventBody::IdentityRegistered(body), EventBody::IdentityRegistered(more)) => {
            for (name, value) in &more.attributes {
                body.attributes
                    .entry(name.clone())
                    .or_insert_with(|| value.clone());
            }
        }
        (EventBody::IdentityUpdated(body), EventBody::IdentityUpdated(more)) => {
            for (name, change) in &more.changes {
                body.changes
                    .entry(name.clone())
                    .or_insert_with(|| change.clone());
            }
        }
        (EventBody::AttributesSet(body), EventBody::AttributesSet(more)) => {
            for (name, value) in &more.values {
                body.values
                    .entry(name.clone())
                    .or_insert_with(|| value.clone());
            }
        }
        _ => {}
    }
    body
}

/// The draft of a record's events.
fn draft<'a>(record: &'a AuditRecord, ctx: &Context<'a>) -> Draft<'a> {
    let actor = &record.actor;
    Draft {
        tenant: record.tenant.as_deref().unwrap_or(ctx.tenant),
        at: record.at,
        precision: Precision::Exact,
        source: record.source.clone(),
        correlation: Correlation {
            id: record.correlation.clone(),
            records: Vec::new(),
        },
        actor: actor.id.clone().or_else(|| actor.app_id.clone()),
        private: Some(json!({"actor": actor, "record": record.original})),
    }
}

/// What one record says, by its activity.
fn claim(record: &AuditRecord, ctx: &Context<'_>, known: &Known) -> Result<Claim, Reason> {
    if record.has_failed() {
        return Ok(Claim::Skipped);
    }
    let draft = draft(record, ctx);
    let (app, sp) = (ObjectKind::Application, ObjectKind::ServicePrincipal);
    match record.activity_key.as_str() {
        "add application" => identity::added(record, app, &draft, known),
        "add service principal" => identity::added(record, sp, &draft, known),
        "update application"
        | "update application - certificates and secrets management"
        | "create application - certificates and secrets management" => {
            identity::updated(record, app, &draft)
        }
        "update service principal"
        | "add service principal credentials"
        | "remove service principal credentials" => identity::updated(record, sp, &draft),
        "delete application" | "remove application" => identity::deleted(record, app, &draft),
        "remove service principal" | "delete service principal" => {
            identity::deleted(record, sp, &draft)
        }
        "hard delete application" => identity::purged(record, app, &draft),
        "hard delete service principal" => identity::purged(record, sp, &draft),
        "restore application" => identity::restored(record, app, &draft),
        "restore service principal" => identity::restored(record, sp, &draft),
        "add owner to application" => identity::owner(record, app, true, &draft),
        "add owner to service principal" => identity::owner(record, sp, true, &draft),
        "remove owner from application" => identity::owner(record, app, false, &draft),
        "remove owner from service principal" => identity::owner(record, sp, false, &draft),
        key => access_claim(key, record, &draft, known),
    }
}

fn access_claim(
    key: &str,
    record: &AuditRecord,
    draft: &Draft<'_>,
    known: &Known,
) -> Result<Claim, Reason> {
    match key {
        "add app role assignment to service principal" => {
            grant::app_role(record, true, draft, known)
        }
        "remove app role assignment from service principal"
        | "add a deletion-marked app role assignment grant to service principal as part of link removal" => {
            grant::app_role(record, false, draft, known)
        }
        "add delegated permission grant" | "add oauth2permissiongrant" => {
            grant::delegated(record, true, draft)
        }
        "remove delegated permission grant" | "remove oauth2permissiongrant" => {
            grant::delegated(record, false, draft)
        }
        "confirmserviceprincipalcompromised" => identity::risk(record, true, draft),
        "dismissserviceprincipal" => identity::risk(record, false, draft),
        "update attribute values assigned to a serviceprincipal" => {
            identity::security_attributes(record, draft)
        }
        "add conditional access policy" => policy::access(record, policy::Act::Add, draft),
        "update conditional access policy" => policy::access(record, policy::Act::Update, draft),
        "delete conditional access policy" => policy::access(record, policy::Act::Delete, draft),
        "add named location" => policy::location(record, policy::Act::Add, draft),
        "update named location" => policy::location(record, policy::Act::Update, draft),
        "delete named location" => policy::location(record, policy::Act::Delete, draft),
        // Twins of the Conditional Access service's records, and traces of a consent.
        "add policy" | "update policy" | "delete policy" => Ok(Claim::Evidence),
        _ => match role::act(key) {
            Some(act) => role::claim(record, act, draft),
            None => Ok(Claim::Skipped),
        },
    }
}

/// The service principal or application a record is about.
fn subject(record: &AuditRecord, kind: ObjectKind) -> Result<Subject<'_>, Reason> {
    let wanted = match kind {
        ObjectKind::Application => "application",
        ObjectKind::ServicePrincipal => "serviceprincipal",
    };
    record
        .targets
        .iter()
        .find(|target| target.kind.eq_ignore_ascii_case(wanted) && !target.id.is_empty())
        .or_else(|| record.targets.iter().find(|target| !target.id.is_empty()))
        .map(|target| Subject {
            kind,
            id: &target.id,
        })
        .ok_or_else(|| missing("targetResources.id"))
}

fn missing(field: &str) -> Reason {
    Reason::Missing {
        field: field.to_owned(),
    }
}

#[cfg(test)]
pub(crate) mod tests;
