//! What each category of source had told by an instant.

use std::collections::BTreeMap;

use jiff::Timestamp;
use projections::State;

/// First and last time a category spoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feed {
    /// Time of its first fact.
    pub first: Timestamp,
    /// Time of its last fact, or of the last import that held any of its records.
    pub last: Timestamp,
    /// Position of its last fact.
    pub position: ledger::Position,
}

/// Categories by tenant.
#[derive(Debug, Default)]
pub struct Feeds<'a> {
    by_tenant: BTreeMap<&'a str, BTreeMap<&'a str, Feed>>,
}

impl<'a> Feeds<'a> {
    /// What was known to have been told by an instant. A category that spoke before and after it,
    /// or was imported after it, counts as fresh: state keeps no list of all its times, and a
    /// snapshot that says nothing new leaves no fact but its import.
    pub fn new(state: &'a State, at: Timestamp) -> Self {
        let mut imported: BTreeMap<&str, Timestamp> = BTreeMap::new();
        for (seen, import) in &state.imports {
            for name in import.categories.keys() {
                let last = imported.entry(name).or_insert(seen.at);
                *last = seen.at.max(*last);
            }
        }
        let mut by_tenant: BTreeMap<&str, BTreeMap<&str, Feed>> = BTreeMap::new();
        for ((tenant, name), coverage) in &state.coverage {
            if coverage.first.at > at {
                continue;
            }
            let spoke = coverage.last.at.min(at);
            // A sign-in export holds what happened until it was taken, not until it was imported.
            let import = imported
                .get(name.as_str())
                .filter(|_| !name.ends_with("SignIn"));
            let feed = Feed {
                first: coverage.first.at,
                last: import.map_or(spoke, |import| spoke.max((*import).min(at))),
                position: coverage.last.position,
            };
            by_tenant.entry(tenant).or_default().insert(name, feed);
        }
        by_tenant.values_mut().for_each(freshen_snapshots);
        Self { by_tenant }
    }

    /// The feed of a category in a tenant, when it ever spoke; files without a tenant speak for all.
    pub fn get(&self, tenant: &str, name: &str) -> Option<Feed> {
        let of = |tenant: &str| self.by_tenant.get(tenant)?.get(name).copied();
        of(tenant).or_else(|| of(""))
    }

    /// Every feed of a tenant, in order of name.
    pub fn of_tenant(&self, tenant: &str) -> impl Iterator<Item = (&'a str, Feed)> {
        self.by_tenant
            .get(tenant)
            .into_iter()
            .flatten()
            .map(|(name, feed)| (*name, *feed))
    }
}

/// Whether a category tells every thing that happened in the time it spans.
pub(super) fn is_log(name: &str) -> bool {
    name.ends_with("SignIn") || name == "graph/directoryAudit"
}

/// Whether a category is a picture of what there is, as opposed to a log of what happened.
fn is_snapshot(name: &str) -> bool {
    !is_log(name)
        && !matches!(
            name,
            "graph/riskyServicePrincipal" | "graph/servicePrincipalRiskDetection"
        )
}

/// A file with the same bytes as an earlier one leaves neither fact nor import behind. Snapshots
/// are taken together, so each that was ever taken is as fresh as the freshest.
fn freshen_snapshots(feeds: &mut BTreeMap<&str, Feed>) {
    let snapshots = feeds.iter().filter(|(name, _)| is_snapshot(name));
    let Some(freshest) = snapshots.map(|(_, feed)| feed.last).max() else {
        return;
    };
    for (name, feed) in feeds {
        if is_snapshot(name) {
            feed.last = freshest;
        }
    }
}
