//! Erasing private parts: the event first, then the keys.

use std::path::PathBuf;

use super::{AppendError, Ledger, OpenError};
use crate::decide::Receipt;
use crate::event::book::Redacted;
use crate::event::{BlindedId, Event, EventBody, NaturalKey, Position, StreamName};
use crate::hash;
use crate::redact::{Concern, Survey, survey};
use crate::vault::{DATA_KEYS_FILE, VaultError};

/// Approvals an erasure needs, of different people.
pub const APPROVALS_MIN: usize = 2;

/// Most approvals kept with an erasure.
const APPROVALS_MAX: usize = 16;

/// Longest reason, legal basis or approver's name, in characters.
const WORDS_MAX: usize = 1_000;

/// An order to erase private data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// Whose data goes.
    pub concerns: Vec<Concern>,
    /// Why, in words that name nobody: the reason is public and stays.
    pub reason: String,
    /// The law or rule it rests on.
    pub legal_basis: Option<String>,
    /// Who approved it; kept in public, so better a role or a staff number than a name.
    pub approved_by: Vec<String>,
    /// The written order. Only a hash under the blinding key is kept.
    pub order: Option<Vec<u8>>,
}

/// What became of one concern of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erased {
    /// What there was.
    pub survey: Survey,
    /// Position of the `ledger.redacted` event; `None` when there was nothing left to erase.
    pub position: Option<Position>,
    /// Whether a key was destroyed now.
    pub destroyed: bool,
}

/// Why an erasure was refused or not finished. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum RedactError {
    /// The order names nobody.
    #[error("the order names no subject and no actor")]
    Nobody,
    /// The reason or the legal basis is empty or too long.
    #[error(
        "a reason and a legal basis have 1 to {WORDS_MAX} characters, without control characters"
    )]
    Words,
    /// The reason or the legal basis names whom it is about, and they stay readable for ever.
    #[error("the reason or legal basis names whom it is about, and both stay public for ever")]
    NamesSubject,
    /// Too few different people approved.
    #[error(
        "an erasure needs {APPROVALS_MIN} to {APPROVALS_MAX} approvals of different people; there are {different}"
    )]
    Approvals {
        /// Different ones given.
        different: usize,
    },
    /// An earlier write failed.
    #[error("an earlier write failed, so the ledger must be opened again before erasing")]
    Poisoned,
    /// The ledger or its keys cannot be read.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// An early version stored some private parts without encryption.
    #[error(
        "{events} private parts of it were stored in clear by an early version, which no key erases; import the sources into a new ledger instead"
    )]
    Clear {
        /// How many.
        events: u64,
    },
    /// There are no keys here, so none can be destroyed.
    #[error("`{path}` is missing, so no key can be destroyed; name the folder of keys with --keys")]
    KeysMissing {
        /// Where the keys were looked for.
        path: PathBuf,
    },
    /// The event was not appended; no key was destroyed.
    #[error("the erasure was not recorded, and nothing was erased")]
    Append(#[from] AppendError),
    /// The erasure is on record but a key is still there: redact again, or open the ledger for writing.
    #[error("the erasure is on record, but its key is still there; run it again")]
    Destroy(#[from] VaultError),
}

impl Ledger {
    /// Erases the private data of the subjects and actors of an order: appends one
    /// `ledger.redacted` event for each that has any, durably, then destroys their data keys.
    /// Repeating an order finishes what was interrupted and appends nothing when all is done.
    ///
    /// # Errors
    /// When the order is not in order, the ledger or its keys cannot be used, or a private part
    /// was stored in clear by an early version.
    pub fn redact(&mut self, erasure: &Erasure) -> Result<Vec<Erased>, RedactError> {
        erasure.check()?;
        if self.failed {
            return Err(RedactError::Poisoned);
        }
        let surveys = survey(&self.place, &erasure.concerns)?;
        let clear: u64 = surveys.iter().map(|survey| survey.clear).sum();
        if clear > 0 {
            return Err(RedactError::Clear { events: clear });
        }
        let has_any = surveys.iter().any(|survey| survey.readable > 0);
        if has_any && self.keyring.vault_mut().is_none() {
            return Err(RedactError::KeysMissing {
                path: self.place.keys().join(DATA_KEYS_FILE),
            });
        }
        let positions = self.record_erasure(erasure, &surveys)?;
        let mut done = Vec::with_capacity(surveys.len());
        for (survey, position) in surveys.into_iter().zip(positions) {
            let destroyed = match (self.keyring.vault_mut(), position.or(survey.last)) {
                (Some(vault), Some(by)) => vault.destroy(&survey.id.0, by)?,
                _ => false,
            };
            done.push(Erased {
                survey,
                position,
                destroyed,
            });
        }
        Ok(done)
    }

    /// Appends the events of an erasure; where each is.
    fn record_erasure(
        &mut self,
        erasure: &Erasure,
        surveys: &[Survey],
    ) -> Result<Vec<Option<Position>>, AppendError> {
        let now = (self.edge.clock)();
        let order = erasure.order.as_deref();
        let order = order.map(|text| BlindedId(hash::order(&self.head.blind, text)));
        let mut events = Vec::new();
        let due = surveys.iter().filter(|survey| survey.readable > 0);
        for (position, survey) in (self.size()..).zip(due) {
            let through = position.saturating_sub(1);
            let body = Redacted {
                id: survey.id,
                role: survey.role,
                events: survey.readable,
                through,
                reason: erasure.reason.trim().to_owned(),
                legal_basis: erasure.legal_basis.clone(),
                approved_by: approvers(&erasure.approved_by),
                order,
            };
            events.push(event(body, now));
        }
        let mut receipts = self.append(events)?.into_iter();
        let places = surveys.iter().map(|survey| match survey.readable {
            0 => None,
            _ => receipts.next().map(|receipt| match receipt {
                Receipt::Appended(position)
                | Receipt::Duplicate(position)
                | Receipt::Corroborated { position, .. }
                | Receipt::Conflicted { position, .. } => position,
            }),
        });
        Ok(places.collect())
    }
}

impl Erasure {
    /// Checks what can be checked without the ledger.
    ///
    /// # Errors
    /// The first five of [`RedactError`], [`RedactError::Poisoned`] aside.
    pub fn check(&self) -> Result<(), RedactError> {
        if self.concerns.is_empty() {
            return Err(RedactError::Nobody);
        }
        let told = [Some(self.reason.as_str()), self.legal_basis.as_deref()];
        if !told.into_iter().flatten().all(is_fine) {
            return Err(RedactError::Words);
        }
        let approvers = approvers(&self.approved_by);
        let public = told.iter().flatten().copied();
        let mut public = public.chain(approvers.iter().map(String::as_str));
        if public.any(|text| self.names_someone(text)) {
            return Err(RedactError::NamesSubject);
        }
        let different = approvers.len();
        let enough = (APPROVALS_MIN..=APPROVALS_MAX).contains(&different);
        if !enough || !approvers.iter().all(|name| is_fine(name)) {
            return Err(RedactError::Approvals { different });
        }
        Ok(())
    }

    /// Whether a text that stays public holds the name of someone concerned.
    fn names_someone(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        self.concerns.iter().any(|concern| {
            let name = concern.name().to_lowercase();
            let object = match concern {
                Concern::Stream(stream) => stream.entra_parts().map(|(_, _, id)| id.to_lowercase()),
                Concern::Actor(_) => None,
            };
            let is_in = |name: &str| !name.is_empty() && text.contains(name);
            is_in(&name) || object.is_some_and(|id| is_in(&id))
        })
    }
}

/// Whether words may stand in an event for ever.
pub(super) fn is_fine(text: &str) -> bool {
    let letters = text.trim().chars().count();
    (1..=WORDS_MAX).contains(&letters) && !text.chars().any(char::is_control)
}

/// Those who approved, each once: letter case and spaces around do not make two of one.
pub(super) fn approvers(approved_by: &[String]) -> Vec<String> {
    let mut approvers: Vec<String> = Vec::new();
    for name in approved_by.iter().map(|name| name.trim()) {
        let known = approvers
            .iter()
            .any(|known| known.to_lowercase() == name.to_lowercase());
        if !known && !name.is_empty() {
            approvers.push(name.to_owned());
        }
    }
    approvers
}

fn event(body: Redacted, occurred_at: jiff::Timestamp) -> Event {
    let key = NaturalKey::new("ledger.redacted")
        .with(&body.id.to_string())
        .with(&body.through.to_string());
    let body = EventBody::Redacted(body);
    Event::own(key, StreamName::ledger(), body, occurred_at)
}
