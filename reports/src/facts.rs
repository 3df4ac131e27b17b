//! What was true of each identity at one instant, gathered once and asked by every check.

mod feeds;
mod held;
mod identity;
mod watch;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ledger::event::StreamName;
use projections::State;

pub use feeds::{Feed, Feeds};
pub use held::{Held, LastUse, quoted, shown};
pub use identity::Identity;
pub(crate) use watch::watched_since;

/// Days without a successful sign-in after which an identity counts as unused. Source: Entra
/// recommendation `staleApps`.
pub const UNUSED_DAYS: i64 = 90;

/// Facts at one instant.
#[derive(Debug)]
pub struct Facts<'a> {
    /// The instant.
    pub at: Timestamp,
    /// Identities existing then, in order of stream: service principals and managed identities,
    /// and applications that have none.
    pub identities: Vec<Identity<'a>>,
    /// Tenants known.
    pub tenants: BTreeSet<&'a str>,
    /// What the sources had told by then.
    pub feeds: Feeds<'a>,
}

impl<'a> Facts<'a> {
    /// Gathers what was true at an instant.
    pub fn new(state: &'a State, at: Timestamp) -> Self {
        let app_ids: BTreeMap<(&str, &str), &str> = state
            .identities
            .values()
            .filter_map(|subject| {
                let app_id = subject.app_id(at)?;
                Some((
                    (subject.tenant.as_str(), subject.object_id.as_str()),
                    app_id,
                ))
            })
            .collect();
        let mut backed: BTreeSet<&StreamName> = BTreeSet::new();
        let pruned_until = state.pruned_until();
        let mut identities: Vec<Identity<'a>> = Vec::with_capacity(state.identities.len());
        for subject in state
            .identities
            .values()
            .filter(|subject| subject.exists_at(at))
        {
            let application = state.application_for(subject, at);
            backed.extend(application.map(|application| &application.stream));
            identities.push(Identity::new(
                subject,
                application,
                &app_ids,
                at,
                pruned_until,
            ));
        }
        let alone = state.applications.values().filter(|application| {
            application.exists_at(at) && !backed.contains(&application.stream)
        });
        for application in alone {
            identities.push(Identity::new(application, None, &app_ids, at, None));
        }
        identities.sort_by(|a, b| a.stream.cmp(b.stream));
        Self {
            at,
            identities,
            tenants: tenants_of(state),
            feeds: Feeds::new(state, at),
        }
    }

    /// Identities in scope: all but Microsoft's own.
    pub fn in_scope(&self) -> impl Iterator<Item = &Identity<'a>> {
        self.identities
            .iter()
            .filter(|identity| identity.in_scope())
    }

    /// The identity of a stream.
    pub fn identity(&self, stream: &str) -> Option<&Identity<'a>> {
        self.identities
            .binary_search_by(|identity| identity.stream.as_str().cmp(stream))
            .ok()
            .and_then(|index| self.identities.get(index))
    }
}

fn tenants_of(state: &State) -> BTreeSet<&str> {
    let subjects = state.identities.values().chain(state.applications.values());
    subjects
        .map(|subject| subject.tenant.as_str())
        .chain(state.coverage.keys().map(|(tenant, _)| tenant.as_str()))
        .chain(state.entitlements.keys().map(|(tenant, _)| tenant.as_str()))
        .filter(|tenant| !tenant.is_empty())
        .collect()
}
