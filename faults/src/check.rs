//! Holds what was left behind against what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use ledger::{
    Event, EventBody, EventId, EventType, FaultClass, OpenError, PrivateState, ReadError, Reader,
    Recorded, StoreError, StreamName, verify,
};

use crate::script::{self, Ack};

/// What the script makes when nothing disturbs it.
#[derive(Debug)]
pub struct Book {
    /// Sizes of the ledger between its batches, 0 and 1 (the creation) included.
    sizes: BTreeSet<u64>,
    /// Every event, by position.
    events: Vec<(EventType, Event)>,
    /// Every event told with its private part, by id.
    told: BTreeMap<EventId, Event>,
}

/// How a folder was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Found {
    /// A ledger with everything acknowledged, and nothing else.
    Exact,
    /// As before, and the batch that was being appended, whole.
    OneMore,
    /// No ledger yet, and none was acknowledged.
    Nothing,
    /// A ledger that is refused as damaged; the words say how.
    Refused(String),
}

/// A torn tail must have been kept: how many files of it there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// How the folder was found.
    pub found: Found,
    /// Whether bytes of a batch cut short were moved aside.
    pub torn: bool,
}

impl Book {
    /// Runs the script in a folder of its own.
    ///
    /// # Errors
    /// When it cannot be run, or makes a ledger that does not verify.
    pub fn make(dir: &Path) -> Result<Self> {
        let claims = script::run_in(dir, 1)?;
        let mut sizes: BTreeSet<u64> = claims.iter().map(|ack| ack.size).collect();
        sizes.insert(0);
        let report = verify(dir, &|_, _| {})?;
        ensure!(report.is_clean(), "the script alone: {:?}", report.faults);
        ensure!(report.segments > 3, "{} segments", report.segments);
        let mut told = BTreeMap::new();
        for event in (0..64).flat_map(script::events) {
            told.entry(event.id).or_insert(event);
        }
        let events: Vec<_> = read(dir)?
            .into_iter()
            .map(|one| (one.event.body.event_type(), one.event))
            .collect();
        ensure!(events.len() > 256, "{} events fill no tile", events.len());
        Ok(Self {
            sizes,
            events,
            told,
        })
    }

    /// Events there are when the script is through.
    pub fn size(&self) -> u64 {
        u64::try_from(self.events.len()).unwrap_or(u64::MAX)
    }

    /// Size after the batch that follows a size.
    fn after(&self, size: u64) -> u64 {
        let next = self.sizes.range(size + 1..).next();
        next.copied().unwrap_or(size)
    }

    /// Checks what a disturbed writer left in a folder, then goes on with the script to its end
    /// and checks again.
    ///
    /// # Errors
    /// When anything acknowledged is not there as it was, anything else is served, or the ledger
    /// cannot be gone on with.
    pub fn check(&self, dir: &Path, claims: &[Ack]) -> Result<Outcome> {
        let found = match Reader::open(dir) {
            Ok(reader) => self.check_reader(dir, &reader, claims)?,
            Err(OpenError::NotALedger { .. }) if acked(claims) == 0 => Found::Nothing,
            Err(error) => match refusal(error) {
                Ok(words) => Found::Refused(words),
                Err(error) => return Err(error).context("opening for reading"),
            },
        };
        let size = match &found {
            Found::Refused(_) => {
                ensure_refused(dir)?;
                return Ok(Outcome { found, torn: false });
            }
            Found::Nothing => 0,
            Found::Exact | Found::OneMore => check_faults(dir)?,
        };
        let again = script::run_in(dir, 77).context("going on")?;
        let opened = again.first().map_or(0, |ack| ack.size);
        ensure!(
            opened == size.max(1),
            "read as {size} events, opened as {opened}"
        );
        self.check_end(dir, claims, &again)?;
        let torn = names(dir)?.iter().any(|name| name.ends_with(".torn"));
        Ok(Outcome { found, torn })
    }

    fn check_reader(&self, dir: &Path, reader: &Reader, claims: &[Ack]) -> Result<Found> {
        let acked = acked(claims);
        let size = reader.size();
        let more = self.after(acked);
        ensure!(
            size == acked || size == more,
            "{size} events are there; {acked} were acknowledged, {more} with the next batch"
        );
        self.check_prefix(dir, reader, claims)?;
        Ok(if size == acked {
            Found::Exact
        } else {
            Found::OneMore
        })
    }

    /// Every claim holds, and every event is the one that was given.
    fn check_prefix(&self, dir: &Path, reader: &Reader, claims: &[Ack]) -> Result<()> {
        for ack in claims {
            let chain = reader.chain_at(ack.size)?;
            ensure!(
                chain == Some(ack.chain),
                "at size {} the chain is not the one acknowledged",
                ack.size
            );
        }
        let last = claims.iter().max_by_key(|ack| ack.size);
        if let Some(ack) = last {
            let root = reader.tree().root(ack.size)?;
            ensure!(root == ack.root, "the root at {} is another", ack.size);
        }
        let there = read(dir)?;
        let is_redacted = |one: &Recorded| matches!(one.event.body, EventBody::Redacted(_));
        let is_erased = there.iter().any(is_redacted);
        for (one, (event_type, event)) in there.iter().zip(&self.events) {
            let position = one.position;
            let same_type = one.event.body.event_type() == *event_type;
            ensure!(same_type, "the event at {position} has another type");
            // what the ledger says of itself holds times and names that another run blinds otherwise
            let given = self
                .told
                .get(&event.id)
                .filter(|_| one.event.id == event.id);
            if let Some(given) = given {
                let mut given = given.clone();
                given.actor = None;
                if one.private_state == PrivateState::Erased {
                    ensure!(
                        is_erased && event.stream == script::erased(),
                        "the private part at {position} is gone"
                    );
                    given.private = None;
                }
                ensure!(one.event == given, "the event at {position} is another");
            } else {
                ensure!(
                    [&one.event, event]
                        .iter()
                        .all(|one| one.stream == StreamName::ledger()),
                    "the event at {position} is not the one given"
                );
            }
        }
        Ok(())
    }

    fn check_end(&self, dir: &Path, claims: &[Ack], again: &[Ack]) -> Result<()> {
        let report = verify(dir, &|_, _| {})?;
        ensure!(
            report.is_clean(),
            "after going on, verify says {:?}",
            report.faults
        );
        ensure!(
            report.size == self.size(),
            "{} events after going on, not {}",
            report.size,
            self.size()
        );
        let last = again.last().context("nothing was claimed")?;
        ensure!(
            (report.head_chain, report.root) == (last.chain, Some(last.root)),
            "verify leads to another chain or root than the writer"
        );
        let reader = Reader::open(dir)?;
        self.check_prefix(dir, &reader, claims)?;
        self.check_prefix(dir, &reader, again)
    }
}

/// Events acknowledged.
fn acked(claims: &[Ack]) -> u64 {
    claims.iter().map(|ack| ack.size).max().unwrap_or(0)
}

/// In what words a ledger is refused as damaged; the error back when it is another.
fn refusal(error: OpenError) -> Result<String, OpenError> {
    match error {
        OpenError::Read(ReadError::Damaged { .. })
        | OpenError::Store(StoreError::Damaged { .. })
        | OpenError::Empty { .. } => Ok(error.to_string()),
        _ => Err(error),
    }
}

/// A ledger refused for reading must be refused for writing, as damaged, and left as it is.
fn ensure_refused(dir: &Path) -> Result<()> {
    // the index follows from the entries, and may be made before what is behind them is refused
    let kept = || -> Result<Vec<String>> {
        Ok(names(dir)?
            .into_iter()
            .filter(|name| name != "index")
            .collect())
    };
    let before = kept()?;
    match ledger::Ledger::open_with(dir, script::edge(77), script::SIZES) {
        Ok(_opened) => bail!("refused for reading, opened for writing"),
        Err(error) => {
            refusal(error).context("refused for reading as damaged, for writing otherwise")?;
        }
    }
    ensure!(kept()? == before, "a refused folder was changed");
    Ok(())
}

/// Before a writer tidies up, `verify` may name what lies behind the last commit and tiles that are
/// not whole, and nothing else; returns how many events are committed.
///
/// # Errors
/// When it names anything else.
pub fn check_faults(dir: &Path) -> Result<u64> {
    let size = Reader::open(dir)?.size();
    for fault in &verify(dir, &|_, _| {})?.faults {
        let is_behind = match fault.position {
            Some(position) => position >= size || fault.class == FaultClass::Tile,
            None => fault.class == FaultClass::Tail,
        };
        ensure!(is_behind, "of {size} events, verify says {fault:?}");
    }
    Ok(size)
}

/// The names in a folder.
///
/// # Errors
/// When it cannot be read.
pub fn names(dir: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for item in std::fs::read_dir(dir)? {
        names.push(item?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Every event with its private part, as far as it is there.
fn read(dir: &Path) -> Result<Vec<Recorded>> {
    let reader = Reader::open(dir)?.with_private()?;
    let mut events = Vec::new();
    let mut each = |event| {
        events.push(event);
        ControlFlow::Continue(())
    };
    reader.scan(0..u64::MAX, &|_| true, &mut each)?;
    Ok(events)
}
