//! What usage and bills need to know: far less than the whole state.
//!
//! The state of every identity is dear to make and dear to keep. A bill asks only when an identity
//! existed, of which class, under which names, and what its demand of licences was. That is kept
//! as a derived file, so that a bill costs by identities and neither by events nor by changes.

mod codec;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use ledger::event::{EventBody, Position, StreamName};
use ledger::{ReadError, Reader};

use crate::billing::{Cutoff, matters};
use crate::demand::{self, Demand};
use crate::derived::{self, Binding, DerivedError};
use crate::rollup::MonthlyActivity;
use crate::state::{Activity, Seen, State, Subject};

/// Kind of the derived file.
const KIND: &str = "licensing";

/// With fewer identities a file spares too little.
const WORTH_IDENTITIES: usize = 2_000;

/// Attributes that name an identity in bills and usage.
const NAMES: [&str; 3] = ["appDisplayName", "appId", "displayName"];

/// What the events below a position say of licences.
#[derive(Debug)]
pub struct Licensing {
    /// The state, its identities reduced to existence, class and names. Applications, policies
    /// and what else went into the demand are not in it.
    pub state: State,
    /// Demand of each identity.
    pub demand: BTreeMap<StreamName, Demand>,
    /// Sign-ins by identity and month.
    pub activity: MonthlyActivity,
    /// Events below this position can matter to a bill.
    pub cutoff: Position,
}

impl Licensing {
    /// What a state says of licences.
    pub fn of(state: State, activity: MonthlyActivity, cutoff: Position) -> Self {
        let demand = demand::all(&state);
        let identities = state
            .identities
            .into_iter()
            .map(|(stream, subject)| (stream, reduced(subject)))
            .collect();
        Self {
            state: State {
                size: state.size,
                recorded_at: state.recorded_at,
                latest: state.latest,
                identities,
                entitlements: state.entitlements,
                trials: state.trials,
                runs: state.runs,
                prunings: state.prunings,
                ..State::empty()
            },
            demand,
            activity,
            cutoff,
        }
    }

    /// What was kept of a size of the ledger: `None` when no file can be used, or an event that
    /// can matter came since.
    pub fn load(folder: &Path, reader: &Reader, size: u64) -> Option<Self> {
        let kept = derived::sizes(folder, KIND)
            .into_iter()
            .rev()
            .find(|kept| *kept <= size)?;
        let since = Bookkeeping::of(reader, kept, size).ok()??;
        let binding = Binding::to(reader, kept)?;
        let bytes = derived::load(folder, KIND, &binding).ok()?;
        let content = derived::unwrap(KIND, &binding, &bytes).ok()?;
        let mut licensing = Self::decode(content).filter(|read| read.state.size == kept)?;
        since.apply(&mut licensing.state, size);
        Some(licensing)
    }

    /// Whether a file of it spares more than it costs.
    pub fn is_worth_saving(&self) -> bool {
        self.state.identities.len() >= WORTH_IDENTITIES
    }

    /// Keeps it, for [`Licensing::load`].
    ///
    /// # Errors
    /// [`DerivedError`] when the file cannot be written.
    pub fn save(&self, folder: &Path, reader: &Reader) -> Result<(), DerivedError> {
        let size = self.state.size;
        let damaged = || DerivedError::Damaged { kind: KIND, size };
        let binding = Binding::to(reader, size).ok_or_else(damaged)?;
        let parts = self.encode().ok_or_else(damaged)?;
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        derived::save(folder, KIND, &binding, &parts)
    }
}

/// Only what names and classes it, and when it existed.
fn reduced(subject: Subject) -> Subject {
    let Some(blank) = Subject::blank(&subject.stream, subject.stream_no, subject.kind) else {
        return subject;
    };
    let mut attributes = subject.attributes;
    attributes.retain(|name, _| NAMES.contains(&name.as_str()));
    Subject {
        registered: subject.registered,
        created_at: subject.created_at,
        existence: subject.existence,
        classes: subject.classes,
        attributes,
        activity: Activity {
            name: subject.activity.name,
            app_id: subject.activity.app_id,
            ..Activity::default()
        },
        ..blank
    }
}

/// Events that say nothing about what is billed, such as a recorded run.
#[derive(Default)]
struct Bookkeeping {
    runs: Vec<(Seen, ledger::event::billing::RunRecorded)>,
    prunings: Vec<(Seen, ledger::event::evidence::Pruned)>,
    recorded_at: Option<jiff::Timestamp>,
}

impl Bookkeeping {
    /// The events of a range; `None` when one of them can matter.
    fn of(reader: &Reader, from: Position, to: Position) -> Result<Option<Self>, ReadError> {
        let mut since = Self::default();
        let mut cutoff = Cutoff::default();
        reader.scan(from..to, &|_| true, &mut |recorded| {
            let event_type = recorded.event.body.event_type();
            cutoff.see(recorded.position, event_type);
            if matters(event_type) {
                return ControlFlow::Break(());
            }
            since.recorded_at = Some(recorded.recorded_at);
            let seen = Seen {
                at: recorded.event.occurred_at,
                position: recorded.position,
            };
            match recorded.event.body {
                EventBody::RunRecorded(run) => since.runs.push((seen, run)),
                EventBody::Pruned(pruned) => since.prunings.push((seen, pruned)),
                _ => {}
            }
            ControlFlow::Continue(())
        })?;
        Ok((cutoff == Cutoff::default()).then_some(since))
    }

    fn apply(self, state: &mut State, size: Position) {
        state.size = size;
        state.recorded_at = self.recorded_at.or(state.recorded_at);
        state.runs.extend(self.runs);
        state.prunings.extend(self.prunings);
        state.runs.sort_by_key(|(seen, _)| (seen.at, seen.position));
    }
}

#[cfg(test)]
mod tests;
