//! Building [`State`] from a ledger's events.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use ledger::event::book::{Corroborated, Imported};
use ledger::event::evidence::Pruned;
use ledger::event::{EventBody, Position, Recorded};

use super::activity::ActivityFold;
use super::change::{Additions, Change};
use super::fold::fold;
use super::{Coverage, Seen, State};

/// Takes events in order of position and makes the [`State`] they amount to.
///
/// Change events are collected and folded in the order in which they happened; sign-ins are folded
/// at once. To know what was known at an earlier size, stop pushing there.
#[derive(Debug, Default)]
pub struct StateBuilder {
    pub(crate) changes: Vec<Change>,
    pub(crate) corroborations: Vec<(Position, Corroborated)>,
    pub(crate) activity: ActivityFold,
    /// Few entries, looked through one by one: a map keyed by two strings would be built for
    /// every sign-in.
    pub(crate) coverage: Vec<(String, String, Coverage)>,
    pub(crate) imports: Vec<(Seen, Imported)>,
    pub(crate) conflicts: Vec<(Seen, Position)>,
    pub(crate) prunings: Vec<(Seen, Pruned)>,
    pub(crate) latest: Option<Timestamp>,
}

impl StateBuilder {
    /// Nothing known yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes in one event.
    pub fn push(&mut self, recorded: &Recorded) {
        let event = &recorded.event;
        let seen = Seen {
            at: event.occurred_at,
            position: recorded.position,
        };
        let tenant = tenant_of(event.stream.as_str());
        if let Some(tenant) = tenant {
            self.latest = self.latest.max(Some(seen.at));
            let told = Coverage {
                first: seen,
                last: seen,
                count: 1,
            };
            self.cover(tenant, &event.source.name, &told);
        }
        match &event.body {
            EventBody::SignedIn(_) | EventBody::SignInFailed(_) | EventBody::SignInBlocked(_) => {
                self.activity.push(recorded);
            }
            EventBody::Corroborated(more) => {
                self.corroborations.push((recorded.position, more.clone()));
            }
            EventBody::Conflicted(conflict) => self.conflicts.push((seen, conflict.position)),
            EventBody::Pruned(pruned) => self.prunings.push((seen, pruned.clone())),
            EventBody::Imported(imported) => self.imports.push((seen, imported.clone())),
            EventBody::LedgerCreated(_) | EventBody::ReportIssued(_) | EventBody::Unknown(_, _) => {
            }
            _ => self.changes.push(Change::of(recorded)),
        }
    }

    fn cover(&mut self, tenant: &str, source: &str, told: &Coverage) {
        let known = self
            .coverage
            .iter_mut()
            .find(|(of, name, _)| of == tenant && name == source);
        match known {
            Some((_, _, known)) => join(known, told),
            None => self
                .coverage
                .push((tenant.to_owned(), source.to_owned(), told.clone())),
        }
    }

    /// Takes in all that was pushed for a later part of the same ledger.
    pub fn merge(&mut self, later: Self) {
        self.changes.extend(later.changes);
        self.corroborations.extend(later.corroborations);
        self.activity.merge(later.activity);
        for (tenant, source, coverage) in later.coverage {
            self.cover(&tenant, &source, &coverage);
        }
        self.imports.extend(later.imports);
        self.conflicts.extend(later.conflicts);
        self.prunings.extend(later.prunings);
        self.latest = self.latest.max(later.latest);
    }

    /// Everything pushed, folded. `size`: events below this position were read; `recorded_at`:
    /// recorded time of the last of them.
    pub fn finish(mut self, size: Position, recorded_at: Option<Timestamp>) -> State {
        self.cover_imports();
        let additions = Additions::of(self.corroborations);
        let mut state = fold(self.changes, &additions, self.activity.finish());
        state.size = size;
        state.recorded_at = recorded_at;
        state.latest = self.latest;
        state.coverage = self
            .coverage
            .into_iter()
            .map(|(tenant, source, coverage)| ((tenant, source), coverage))
            .collect();
        self.imports.sort_by_key(|(seen, _)| seen.position);
        self.conflicts.sort_unstable();
        state.imports = self.imports;
        state.conflicts = self.conflicts;
        state.prunings = self.prunings;
        state.forget_pruned();
        state
    }

    /// Whether a pruning is known that goes so far.
    pub(crate) fn knows_pruned(&self, below: Position) -> bool {
        self.prunings
            .iter()
            .any(|(_, pruned)| below <= pruned.below)
    }

    /// Takes in a pruning whose event lies beyond what was read.
    pub(crate) fn prune(&mut self, position: Position, pruned: Pruned) {
        let at = Timestamp::MAX;
        self.prunings.push((Seen { at, position }, pruned));
    }

    /// A file all of whose records were known before still speaks for its sources.
    fn cover_imports(&mut self) {
        let tenants: BTreeSet<&str> = self
            .coverage
            .iter()
            .map(|(tenant, _, _)| tenant.as_str())
            .collect();
        let tenant = match tenants.first() {
            Some(only) if tenants.len() == 1 => (*only).to_owned(),
            _ => String::new(),
        };
        let mut told: BTreeMap<String, Coverage> = BTreeMap::new();
        for (seen, imported) in &self.imports {
            let (first, last) = imported.window.unwrap_or((seen.at, seen.at));
            for (source, records) in &imported.categories {
                let position = seen.position;
                let coverage = Coverage {
                    first: Seen {
                        at: first,
                        position,
                    },
                    last: Seen { at: last, position },
                    count: *records,
                };
                told.entry(source.clone())
                    .and_modify(|known| join(known, &coverage))
                    .or_insert(coverage);
            }
        }
        for (source, mut coverage) in told {
            let known = self
                .coverage
                .iter()
                .any(|(of, name, _)| *of == tenant && *name == source);
            if known {
                // facts are counted once: by the events, not by the files
                coverage.count = 0;
            }
            self.cover(&tenant, &source, &coverage);
        }
    }
}

fn join(known: &mut Coverage, told: &Coverage) {
    known.first = known.first.min(told.first);
    known.last = known.last.max(told.last);
    known.count = known.count.saturating_add(told.count);
}

/// The tenant of a source's stream; `None` for Daybook's own streams.
pub(crate) fn tenant_of(stream: &str) -> Option<&str> {
    let rest = stream.strip_prefix("entra:")?;
    Some(rest.split_once(':').map_or(rest, |(tenant, _)| tenant))
}
