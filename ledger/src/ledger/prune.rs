//! Deleting old payloads: the event first, then the segments.

use std::collections::BTreeSet;

use super::redact::{approvers, is_fine};
use super::{APPROVALS_MIN, AppendError, Ledger, OpenError};
use crate::decide::Receipt;
use crate::entry::Entry;
use crate::event::evidence::Pruned as Body;
use crate::event::{Event, EventBody, EventType, NaturalKey, Position, StreamName};
use crate::pack::{PackError, Sealed};
use crate::prune::{Bound, PruneSurvey, survey_pruning};
use crate::segment::prune::without;
use crate::store::StoreError;

/// Most approvals kept with a pruning.
const APPROVALS_MAX: usize = 16;

/// An order to delete old payloads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pruning {
    /// How far it goes.
    pub bound: Bound,
    /// Of which types; of activity only, since the state of everything else is made of the rest.
    pub types: BTreeSet<EventType>,
    /// Size of the newest checkpoint that was signed, when any was: beyond it nothing is pruned,
    /// so that all that is stays provable.
    pub signed: Option<u64>,
    /// Why, in words that name nobody: the reason is public and stays.
    pub reason: String,
    /// The law or rule it rests on.
    pub legal_basis: Option<String>,
    /// Who approved it; kept in public, so better a role or a staff number than a name.
    pub approved_by: Vec<String>,
}

/// What became of an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PruneDone {
    /// What there was.
    pub survey: PruneSurvey,
    /// Position of the `ledger.pruned` event that covers it; `None` when there was nothing to do.
    pub position: Option<Position>,
    /// Whether that event was on record before: an interrupted pruning was finished.
    pub finished: bool,
}

/// Why a pruning was refused or not finished. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum PruneError {
    /// No type is named, or one that is no activity.
    #[error("only payloads of activity.* are pruned; everything else is made of the others")]
    Types,
    /// The reason or the legal basis is empty or too long.
    #[error("a reason and a legal basis have 1 to 1000 characters, without control characters")]
    Words,
    /// Too few different people approved.
    #[error(
        "a pruning needs {APPROVALS_MIN} to {APPROVALS_MAX} approvals of different people; there are {different}"
    )]
    Approvals {
        /// Different ones given.
        different: usize,
    },
    /// An earlier write failed.
    #[error("an earlier write failed, so the ledger must be opened again before pruning")]
    Poisoned,
    /// The ledger cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What would be pruned is not all covered by a signed checkpoint.
    #[error(
        "events below {below} would be pruned, but the newest signed checkpoint covers those below {signed}; sign one first"
    )]
    Unsigned {
        /// End of what would be pruned.
        below: Position,
        /// Size of the checkpoint.
        signed: u64,
    },
    /// The event was not appended; nothing was pruned.
    #[error("the pruning was not recorded, and nothing was pruned")]
    Append(#[from] AppendError),
    /// The pruning is on record but a segment could not be rewritten.
    #[error("the pruning is on record, but not all is done; run it again")]
    Rewrite(#[from] PackError),
    /// A rewritten segment cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Pruning {
    /// Checks what can be checked without the ledger.
    ///
    /// # Errors
    /// The first three of [`PruneError`].
    pub fn check(&self) -> Result<(), PruneError> {
        if self.types.is_empty() || !self.types.iter().all(|of| of.is_activity()) {
            return Err(PruneError::Types);
        }
        let told = [Some(self.reason.as_str()), self.legal_basis.as_deref()];
        if !told.into_iter().flatten().all(is_fine) {
            return Err(PruneError::Words);
        }
        let approvers = approvers(&self.approved_by);
        let different = approvers.len();
        let enough = (APPROVALS_MIN..=APPROVALS_MAX).contains(&different);
        if !enough || !approvers.iter().all(|name| is_fine(name)) {
            return Err(PruneError::Approvals { different });
        }
        Ok(())
    }

    /// Whether a checkpoint covers all that would be pruned.
    ///
    /// # Errors
    /// [`PruneError::Unsigned`] when it does not.
    pub fn is_signed(&self, survey: &PruneSurvey) -> Result<(), PruneError> {
        match self.signed {
            Some(signed) if survey.events > 0 && survey.below > signed => {
                Err(PruneError::Unsigned {
                    below: survey.below,
                    signed,
                })
            }
            _ => Ok(()),
        }
    }
}

impl Ledger {
    /// Deletes the payloads an order names from whole sealed segments: appends one
    /// `ledger.pruned` event, durably, then rewrites the segments. Entries stay. Repeating an
    /// order finishes what was interrupted and appends nothing when all is done.
    ///
    /// # Errors
    /// When the order is not in order, goes beyond what was signed, or the ledger cannot be read
    /// or written.
    pub fn prune(&mut self, pruning: &Pruning) -> Result<PruneDone, PruneError> {
        pruning.check()?;
        if self.failed {
            return Err(PruneError::Poisoned);
        }
        let survey = survey_pruning(&self.place, pruning.bound, &pruning.types)?;
        pruning.is_signed(&survey)?;
        if survey.events == 0 {
            return Ok(PruneDone {
                survey,
                position: None,
                finished: false,
            });
        }
        let finished = survey.ordered.is_some();
        let position = match survey.ordered {
            Some(position) => position,
            None => self.record_pruning(pruning, &survey)?,
        };
        for first in &survey.segments {
            let segment = Sealed {
                dir: self.place.folder(),
                first: *first,
            };
            let content = segment.content()?;
            let goes = |entry: &[u8; 256]| pruning.types.contains(&Entry::peek_event_type(entry));
            if let Some(pruned) = without(&content, &goes) {
                segment.rewrite(&pruned)?;
                self.store.reread(*first)?;
            }
        }
        Ok(PruneDone {
            survey,
            position: Some(position),
            finished,
        })
    }

    fn record_pruning(
        &mut self,
        pruning: &Pruning,
        survey: &PruneSurvey,
    ) -> Result<Position, AppendError> {
        let now = (self.edge.clock)();
        let names = pruning.types.iter().filter_map(|of| of.name());
        let types: Vec<String> = names.map(str::to_owned).collect();
        let key = NaturalKey::new("ledger.pruned")
            .with(&survey.below.to_string())
            .with(&types.join(" "))
            .with(&self.size().to_string());
        let body = EventBody::Pruned(Body {
            below: survey.below,
            types,
            events: survey.events,
            bytes: survey.bytes,
            months: survey.months.clone(),
            reason: pruning.reason.trim().to_owned(),
            legal_basis: pruning.legal_basis.clone(),
            approved_by: approvers(&pruning.approved_by),
        });
        let position = self.size();
        let event = Event::own(key, StreamName::ledger(), body, now);
        let receipt = self.append(vec![event])?.into_iter().next();
        Ok(match receipt {
            Some(Receipt::Appended(position) | Receipt::Duplicate(position)) => position,
            _ => position,
        })
    }
}
