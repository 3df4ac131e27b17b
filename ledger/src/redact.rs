//! Erasure: what an order would erase, and what orders are on record.
//!
//! Private parts are erased by destroying the data key of their subject or actor. A
//! `ledger.redacted` event is appended first and names what goes, so that whoever checks the
//! ledger can tell an erasure from a loss: a private part that cannot be read is in order when a
//! later event of that type names its subject or its actor. Deliberately not here: the act itself,
//! which is [`crate::Ledger::redact`].

use std::collections::{HashMap, HashSet};
use std::ops::{ControlFlow, Range};

use crate::entry::Entry;
use crate::event::book::{Redacted, Role};
use crate::event::{BlindedId, Position, StreamName};
use crate::hash::{self, Hash};
use crate::ledger::OpenError;
use crate::place::Place;
use crate::private::Concerned;
use crate::reader::{ReadError, Reader};
use crate::settings;
use crate::vault::Vault;

/// Whose private data an erasure is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Concern {
    /// The subject of a stream.
    Stream(StreamName),
    /// An actor, by the stable id its sources give.
    Actor(String),
}

impl Concern {
    /// The name that must not be told in public.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Stream(stream) => stream.as_str(),
            Self::Actor(actor) => actor,
        }
    }

    fn role(&self) -> Role {
        match self {
            Self::Stream(_) => Role::Subject,
            Self::Actor(_) => Role::Actor,
        }
    }

    fn id(&self, blind: &Hash) -> Hash {
        match self {
            Self::Stream(stream) => hash::stream_id(blind, stream.as_str()),
            Self::Actor(actor) => hash::actor_id(blind, actor),
        }
    }
}

/// What an erasure would do to one subject or actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Survey {
    /// The blinded name.
    pub id: BlindedId,
    /// Which part it plays.
    pub role: Role,
    /// Events it concerns at all.
    pub events: u64,
    /// Private parts that would be erased.
    pub readable: u64,
    /// Private parts erased before, by an order about the same name.
    pub erased: u64,
    /// Private parts that an early version stored in clear: no key erases them.
    pub clear: u64,
    /// Position of the newest erasure of the same name.
    pub last: Option<Position>,
    /// Whether that erasure was ordered but its key is still here.
    pub is_due: bool,
}

/// What would be erased, one survey for each concern. Reads every entry; changes nothing.
///
/// # Errors
/// When the ledger, its blinding key or its data keys cannot be read.
pub fn survey(place: &Place, concerns: &[Concern]) -> Result<Vec<Survey>, OpenError> {
    let blind = settings::read_blind(place.folder())?.ok_or_else(|| OpenError::BlindMissing {
        dir: place.folder().to_owned(),
    })?;
    let reader = Reader::open(place)?;
    let vault = Vault::open(place.keys(), reader.ledger_id())?;
    let mut surveys: Vec<Survey> = concerns
        .iter()
        .map(|concern| Survey {
            id: BlindedId(concern.id(&blind)),
            role: concern.role(),
            events: 0,
            readable: 0,
            erased: 0,
            clear: 0,
            last: None,
            is_due: false,
        })
        .collect();
    each_entry(&reader, 0..reader.size(), &mut |entry, public| {
        for survey in &mut surveys {
            survey.count(entry, public);
        }
    })?;
    let mut met = HashSet::new();
    for survey in &mut surveys {
        if !met.insert(survey.id) {
            // named twice: counted once
            survey.readable = 0;
        }
        survey.is_due = survey.last.is_some_and(|last| {
            vault
                .as_ref()
                .is_some_and(|vault| vault.is_due(&survey.id.0, last))
        });
    }
    Ok(surveys)
}

impl Survey {
    fn count(&mut self, entry: &Entry, public: &[u8]) {
        if entry.is_redaction() && redaction_of(public).is_some_and(|order| order.id == self.id) {
            self.erased += std::mem::take(&mut self.readable);
            self.last = Some(entry.position);
        }
        let concerned = Concerned::of(entry, public);
        if concerned.ids().all(|id| *id != self.id.0) {
            return;
        }
        self.events += 1;
        let is_pruned = public.is_empty() && entry.public_length > 0;
        if is_pruned {
            // nothing is left that a key opens
        } else if entry.is_encrypted() {
            self.readable += 1;
        } else if entry.has_private() {
            self.clear += 1;
        }
    }
}

/// The body of a `ledger.redacted` event from its public payload.
pub(crate) fn redaction_of(public: &[u8]) -> Option<Redacted> {
    #[derive(serde::Deserialize)]
    struct Public {
        body: Redacted,
    }
    let public: Public = serde_json::from_slice(public).ok()?;
    Some(public.body)
}

/// The erasures on record: for each blinded name, the position of the newest.
#[derive(Debug, Default)]
pub(crate) struct Redactions(HashMap<Hash, Position>);

impl Redactions {
    pub(crate) fn add(&mut self, id: Hash, position: Position) {
        let last = self.0.entry(id).or_insert(position);
        *last = position.max(*last);
    }

    /// Adds those among a range of a ledger.
    pub(crate) fn read(
        &mut self,
        reader: &Reader,
        range: Range<Position>,
    ) -> Result<(), ReadError> {
        each_entry(reader, range, &mut |entry, public| {
            if entry.is_redaction()
                && let Some(order) = redaction_of(public)
            {
                self.add(order.id.0, entry.position);
            }
        })
    }

    /// Whether a later erasure names one of those concerned.
    pub(crate) fn cover(&self, concerned: &Concerned, position: Position) -> bool {
        concerned
            .ids()
            .any(|id| self.0.get(id).is_some_and(|last| *last > position))
    }

    /// Number of keys that were ordered destroyed and are still there.
    pub(crate) fn due(&self, vault: &Vault) -> u64 {
        let due = |(id, last): &(&Hash, &Position)| vault.is_due(id, **last);
        u64::try_from(self.0.iter().filter(due).count()).unwrap_or(u64::MAX)
    }
}

/// Shows the entries of a range with their public payloads.
pub(crate) fn each_entry(
    reader: &Reader,
    range: Range<Position>,
    each: &mut dyn FnMut(&Entry, &[u8]),
) -> Result<(), ReadError> {
    let mut failed = None;
    reader.scan_stored(range, &mut |record| match Entry::decode(record.entry) {
        Ok(entry) => {
            each(&entry, record.public);
            ControlFlow::Continue(())
        }
        Err(source) => {
            let position = Entry::peek_position(record.entry);
            failed = Some(ReadError::Entry { position, source });
            ControlFlow::Break(())
        }
    })?;
    failed.map_or(Ok(()), Err)
}
