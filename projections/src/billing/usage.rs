//! What billing needs to know of one identity: its spans per meter, and why it may not count.

use ledger::event::{Position, StreamName};
use serde::Serialize;

use super::policy::Meter;
use crate::demand::ExclusionReason;
use crate::state::{IdentityClass, Span};

/// Positions that prove something; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Evidence {
    // INVARIANT: ascending, without repeats, not empty.
    positions: Vec<Position>,
}

impl Evidence {
    /// Evidence from positions; `None` when there are none: a charge without proof cannot be made.
    pub fn new(positions: impl IntoIterator<Item = Position>) -> Option<Self> {
        let mut positions: Vec<Position> = positions.into_iter().collect();
        positions.sort_unstable();
        positions.dedup();
        (!positions.is_empty()).then_some(Self { positions })
    }

    /// The positions, ascending.
    pub fn positions(&self) -> &[Position] {
        &self.positions
    }
}

/// Why an identity is not counted, and what says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excluded {
    /// Why.
    pub reason: ExclusionReason,
    /// Events that say so, ascending.
    pub evidence: Vec<Position>,
}

impl Excluded {
    /// Whether it keeps the identity out of a meter. An identity whose class is not known may
    /// still be active or have a licence assigned; the other reasons hold for every meter.
    pub fn bars(&self, meter: Meter) -> bool {
        match self.reason {
            ExclusionReason::Unclassified => matches!(meter, Meter::Covered | Meter::Eligible),
            ExclusionReason::MicrosoftApp
            | ExclusionReason::ManagedIdentity
            | ExclusionReason::Agent => true,
        }
    }
}

/// One identity and its spans by meter. A span's value is its reason in one word, such as `ca`.
#[derive(Debug, Clone, PartialEq)]
pub struct Usage {
    /// Its stream.
    pub stream: StreamName,
    /// Its object id.
    pub object_id: String,
    /// Its name, for people.
    pub name: String,
    /// Its class.
    pub class: IdentityClass,
    /// Days with a sign-in.
    pub active: Vec<Span<String>>,
    /// A licence was assigned.
    pub assigned: Vec<Span<String>>,
    /// A premium feature covered it.
    pub covered: Vec<Span<String>>,
    /// It could have been covered.
    pub eligible: Vec<Span<String>>,
    /// Why it is not counted, if so.
    pub exclusion: Option<Excluded>,
}

impl Usage {
    /// The spans a meter counts; none when the identity is kept out of it.
    pub fn spans(&self, meter: Meter) -> &[Span<String>] {
        if self.exclusion.as_ref().is_some_and(|why| why.bars(meter)) {
            return &[];
        }
        match meter {
            Meter::Active => &self.active,
            Meter::Assigned => &self.assigned,
            Meter::Covered => &self.covered,
            Meter::Eligible => &self.eligible,
        }
    }
}
