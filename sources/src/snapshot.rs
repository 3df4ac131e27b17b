//! Inventory snapshots to events: what an object is now, against what the ledger says it was.
//!
//! A snapshot record is compared with the state as of the time it was taken, so importing older and
//! newer snapshots in any order, or one twice, adds only what is new. A record speaks for its own
//! object alone: that an object is absent from a file says nothing, since a file may be partial.
//! A full list inside a record (credentials, owners) says that what is not in it was gone by then.
//!
//! Every event's `source.record` is `<object id>@<instant>`: the object as it was at that time. The
//! instant is what lets an older snapshot imported later be put in its place; a registration adds
//! the lists its record told in full (`+secrets+owners`), so that what only the older one lists is
//! known to have gone since.
//!
//! Shapes: Microsoft Graph v1.0 and beta resources.

mod access;
mod credentials;
mod object;
mod owners;
mod policies;

use jiff::Timestamp;
use ledger::event::identity::ObjectKind;
use ledger::event::{Correlation, Event, Precision, Source};
use serde_json::Value;

use crate::context::Context;
use crate::draft::{Draft, Subject};
use crate::fields::needed;
use crate::known::{Known, Learned};
use crate::outcome::{Outcome, Reason};
use crate::restate::restated;

/// What a snapshot record is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SnapshotKind {
    /// `servicePrincipal` and its subtypes.
    ServicePrincipal,
    /// `application` and its subtypes.
    Application,
    /// `appRoleAssignment`.
    AppRoleAssignment,
    /// `oAuth2PermissionGrant`.
    OAuth2PermissionGrant,
    /// `unifiedRoleAssignment`.
    RoleAssignment,
    /// `conditionalAccessPolicy`.
    ConditionalAccessPolicy,
    /// `namedLocation`.
    NamedLocation,
    /// `federatedIdentityCredential`, which does not name the object that carries it.
    FederatedCredential {
        /// Object id of the application.
        application_id: String,
    },
}

/// Events that a snapshot record adds; none when it says nothing new or does not concern us.
///
/// The events are learned by `known` at once.
///
/// # Errors
/// `Missing` when the record lacks an id it cannot be used without.
pub fn interpret(
    record: &Value,
    kind: &SnapshotKind,
    source: Source,
    ctx: &Context<'_>,
    known: &mut Known,
) -> Result<Vec<Event>, Reason> {
    match outcome(record, kind, source, ctx, known) {
        Outcome::Events(events) => Ok(events),
        Outcome::Unchanged | Outcome::Skipped(_) => Ok(Vec::new()),
        Outcome::Rejected(reason) => Err(reason),
    }
}

/// How a snapshot record ends. Like [`interpret`], and tells records of people apart by name.
pub fn outcome(
    record: &Value,
    kind: &SnapshotKind,
    source: Source,
    ctx: &Context<'_>,
    known: &mut Known,
) -> Outcome {
    let mut snapshot = Snapshot::new(record, source, ctx, known);
    let done = match kind {
        SnapshotKind::ServicePrincipal => {
            object::object(&mut snapshot, ObjectKind::ServicePrincipal)
        }
        SnapshotKind::Application => object::object(&mut snapshot, ObjectKind::Application),
        SnapshotKind::AppRoleAssignment => access::app_role(&mut snapshot, record),
        SnapshotKind::OAuth2PermissionGrant => access::delegated(&mut snapshot, record),
        SnapshotKind::RoleAssignment => access::role(&mut snapshot),
        SnapshotKind::ConditionalAccessPolicy => policies::policy(&mut snapshot),
        SnapshotKind::NamedLocation => policies::location(&mut snapshot),
        SnapshotKind::FederatedCredential { application_id } => {
            credentials::one_federated(&mut snapshot, application_id)
        }
    };
    match done {
        Err(reason) => Outcome::Rejected(reason),
        Ok(Done::Skipped(what)) if snapshot.events.is_empty() => Outcome::Skipped(what),
        Ok(_) if snapshot.events.is_empty() => Outcome::Unchanged,
        Ok(_) => Outcome::Events(snapshot.events),
    }
}

/// Whether a record was used.
enum Done {
    Read,
    Skipped(String),
}

/// One record being compared, and the events it adds so far.
struct Snapshot<'a> {
    record: &'a Value,
    draft: Draft<'a>,
    known: &'a mut Known,
    events: Vec<Event>,
}

impl<'a> Snapshot<'a> {
    fn new(record: &'a Value, source: Source, ctx: &Context<'a>, known: &'a mut Known) -> Self {
        let source = match needed(record, "id") {
            Ok(id) => Source {
                record: Some(format!("{id}@{}", ctx.observed_at)),
                ..source
            },
            Err(_) => source,
        };
        Self {
            record,
            draft: Draft {
                tenant: ctx.tenant,
                at: ctx.observed_at,
                precision: Precision::Observed,
                source,
                correlation: Correlation::default(),
                actor: None,
                private: None,
            },
            known,
            events: Vec::new(),
        }
    }

    fn id(&self) -> Result<&'a str, Reason> {
        needed(self.record, "id")
    }

    fn observed_at(&self) -> Timestamp {
        self.draft.at
    }

    /// Keeps an event unless it says nothing new.
    fn propose(&mut self, event: Event) {
        let event = self.known.settle(event);
        let again = restated(self.known, &event, self.draft.at);
        for event in std::iter::once(event).chain(again) {
            if self.known.learn(&event) != Learned::Nothing {
                self.events.push(event);
            }
        }
    }

    /// Draft of something that began at a told time, if that is not after the snapshot.
    fn since(&self, told: Option<Timestamp>, precision: Precision) -> Draft<'a> {
        match told.filter(|at| *at <= self.draft.at) {
            Some(at) => self.draft.at(at, precision),
            None => self.draft.clone(),
        }
    }
}

/// Whether a list inside a record is whole. Graph cuts an expanded list at 20 entries, so one of
/// that length or longer may not be.
fn is_whole(list: Option<&Value>) -> bool {
    /// Entries Graph returns at most for an expanded relationship.
    const EXPANDED_MAX: usize = 20;
    list.and_then(Value::as_array)
        .is_some_and(|items| items.len() < EXPANDED_MAX)
}

fn service_principal(id: &str) -> Subject<'_> {
    Subject {
        kind: ObjectKind::ServicePrincipal,
        id,
    }
}

#[cfg(test)]
mod tests;
