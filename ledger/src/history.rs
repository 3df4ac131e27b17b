//! What the writer must know of everything that was ever appended: which event ids are in the
//! book, the newest event of each stream, which events are erasures.
//!
//! Derived: it lies in the folder `index/` of the ledger as runs, sorted files that each cover a
//! range of positions, and in memory for the events since the last run. What is missing, damaged
//! or of another history is made again from the entries. In memory: 1.3 MB for a million events,
//! and at most some 4 MB for the newest.

mod filter;
mod merge;
pub(crate) mod places;
mod run;
mod table;

use std::collections::HashMap;
use std::hash::BuildHasherDefault;
use std::io;
use std::path::{Path, PathBuf};

use crate::entry::Entry;
use crate::event::{EventId, Position};
use crate::hash::{Hash, HashHasher};
use crate::segment::Known;
use crate::segment::index::Piece;
use crate::streams::{Heads, StreamHead};
use places::Places;
pub(crate) use run::Mark;
use run::{ID_BYTES, Lookup, Run, RunWriter, STREAM_BYTES, id_row, range_of, stream_row};
use table::key_of;

/// Name of the folder in the ledger's.
pub(crate) const FOLDER: &str = "index";

/// Runs of one size that are made into one: some 11 for ten million events.
const FAN: u64 = 8;

/// The index could not be used; it can be made again.
#[derive(Debug, thiserror::Error)]
#[error("`{}` could not be used", .path.display())]
pub struct IndexError {
    /// The file or folder.
    pub path: PathBuf,
    /// The cause; of kind `InvalidData` when the bytes are not as written.
    #[source]
    pub source: io::Error,
}

/// What is known of the history of a ledger.
#[derive(Debug)]
pub(crate) struct History {
    /// The folder of the runs.
    dir: PathBuf,
    ledger_id: [u8; 16],
    /// Runs from position 0 on, without a gap.
    runs: Vec<Lookup>,
    /// Position after the last run.
    first: Position,
    /// The events since.
    ids: HashMap<EventId, Position, BuildHasherDefault<HashHasher>>,
    recent: Flags,
    /// Those of all events.
    all: Flags,
    /// Events of the smallest runs.
    run_events: usize,
    /// Events after which the next run is written.
    due: usize,
}

/// What the flags of some entries tell.
#[derive(Debug, Default, Clone)]
struct Flags {
    encrypted: bool,
    redactions: Vec<Position>,
}

impl Flags {
    fn learn(&mut self, position: Position, flags: u16) {
        self.encrypted |= flags & Entry::ENCRYPTED != 0;
        if flags & Entry::REDACTION != 0 {
            self.redactions.push(position);
        }
    }
}

impl History {
    /// Of a ledger of which nothing is known yet.
    pub(crate) fn empty(ledger: &Path, ledger_id: [u8; 16], run_events: usize) -> Self {
        let run_events = run_events.max(1);
        Self {
            dir: ledger.join(FOLDER),
            ledger_id,
            runs: Vec::new(),
            first: 0,
            ids: HashMap::default(),
            recent: Flags::default(),
            all: Flags::default(),
            run_events,
            due: run_events,
        }
    }

    /// What the runs tell of a ledger, as far as they are whole and were made of its
    /// entries; with where the records lie. The others are removed. For the writer.
    pub(crate) fn open(
        ledger: &Path,
        ledger_id: [u8; 16],
        run_events: usize,
    ) -> Result<(Self, Places), IndexError> {
        let mut history = Self::empty(ledger, ledger_id, run_events);
        let mut all = Places::default();
        let names = run_names(&history.dir).map_err(|source| history.fail(source))?;
        for name in &names {
            let path = history.dir.join(&name.name);
            // the longest of those that begin here comes first
            if name.range.is_none_or(|(first, _)| first != history.first) {
                let _removed = std::fs::remove_file(path).is_ok();
                continue;
            }
            let taken = Run::open(&path, ledger_id).and_then(|run| {
                if !run.mark.fits(ledger) {
                    return Err(io::ErrorKind::InvalidData.into());
                }
                Ok((run.places()?, run.tables()?))
            });
            match taken {
                Ok((places, lookup)) => {
                    history.first = lookup.run.mark.next;
                    history.all.encrypted |= lookup.run.mark.encrypted;
                    history.all.redactions.extend(&places.redactions);
                    history.runs.push(lookup);
                    all.extend(places);
                }
                Err(_unfit) => {
                    let _removed = std::fs::remove_file(path).is_ok();
                }
            }
        }
        Ok((history, all))
    }

    fn fail(&self, source: io::Error) -> IndexError {
        IndexError {
            path: self.dir.clone(),
            source,
        }
    }

    /// Forgets everything, for what is made again from the entries.
    pub(crate) fn clear(&mut self) {
        let ledger = self.dir.parent().unwrap_or(&self.dir).to_owned();
        for lookup in self.runs.drain(..) {
            let _removed = std::fs::remove_file(&lookup.run.path).is_ok();
        }
        *self = Self::empty(&ledger, self.ledger_id, self.run_events);
    }

    /// Position after the last run.
    pub(crate) fn next(&self) -> Position {
        self.first
    }

    /// What the runs tell of the segments; `None` when they contradict themselves.
    pub(crate) fn known(&self, places: Places) -> Option<Known> {
        self.mark()
            .map_or_else(|| Some(Known::default()), |mark| mark.known(places))
    }

    /// Where the runs end.
    pub(crate) fn mark(&self) -> Option<&Mark> {
        self.runs.last().map(|lookup| &lookup.run.mark)
    }

    /// Takes note of the next event.
    pub(crate) fn learn(&mut self, id: EventId, position: Position, flags: u16) {
        self.recent.learn(position, flags);
        self.all.learn(position, flags);
        // of a repeated id, a fault that `verify` names, the first one counts
        self.ids.entry(id).or_insert(position);
    }

    /// Whether any event has an encrypted private part.
    pub(crate) fn has_encrypted(&self) -> bool {
        self.all.encrypted
    }

    /// Positions of the erasures.
    pub(crate) fn redactions(&self) -> &[Position] {
        &self.all.redactions
    }

    /// Where an event is, by its id. `is_it` says whether the event at a position has the id.
    pub(crate) fn find<E: From<IndexError>>(
        &self,
        id: &EventId,
        is_it: &dyn Fn(Position) -> Result<bool, E>,
    ) -> Result<Option<Position>, E> {
        if let Some(position) = self.ids.get(id) {
            return Ok(Some(*position));
        }
        let mut candidates = Vec::new();
        for lookup in &self.runs {
            let found = lookup.find(id, &mut |position| candidates.push(position));
            found.map_err(|source| broken(lookup, source))?;
        }
        for position in candidates {
            if is_it(position)? {
                return Ok(Some(position));
            }
        }
        Ok(None)
    }

    /// The newest event of a stream as far as runs tell.
    pub(crate) fn stream(&self, id: &Hash) -> Result<Option<StreamHead>, IndexError> {
        for lookup in self.runs.iter().rev() {
            let found = lookup.stream(id);
            if let Some(head) = found.map_err(|source| broken(lookup, source))? {
                return Ok(Some(head));
            }
        }
        Ok(None)
    }

    /// Whether enough events came since the last run to write one.
    pub(crate) fn is_due(&self) -> bool {
        self.ids.len() >= self.due
    }

    /// Writes a run of the events since the last one. `streams` are the newest events of the
    /// streams, as far as they are known; `mark` and `pieces` tell where the records lie. When
    /// that fails, everything stays in memory, and the next run is due later.
    pub(crate) fn write_run(
        &mut self,
        mark: Mark,
        pieces: Vec<Piece>,
        streams: &Heads,
    ) -> Result<(), IndexError> {
        self.due = self.ids.len().saturating_mul(2);
        let mark = Mark {
            encrypted: self.recent.encrypted,
            ..mark
        };
        let places = Places {
            pieces,
            redactions: self.recent.redactions.clone(),
        };
        let run = self.written(&mark, &places, streams);
        self.runs.push(run.map_err(|source| self.fail(source))?);
        self.due = self.run_events;
        self.first = mark.next;
        self.ids = HashMap::default();
        self.recent = Flags::default();
        self.merge_runs()
    }

    fn written(&self, mark: &Mark, places: &Places, streams: &Heads) -> io::Result<Lookup> {
        let first = self.first;
        let mut ids: Vec<(u64, u64)> = self
            .ids
            .iter()
            .map(|(id, position)| (key_of(&id.0), position.saturating_sub(first)))
            .collect();
        ids.sort_unstable();
        let mut heads: Vec<(&Hash, &StreamHead)> = streams
            .iter()
            .filter(|(_, head)| head.position >= first)
            .collect();
        heads.sort_unstable_by_key(|(id, _)| *id);
        let mut out = RunWriter::create(&self.dir, first, mark.next)?;
        let count = |items: usize| u64::try_from(items).unwrap_or(u64::MAX);
        let (ids_max, heads_max) = (count(ids.len()), count(heads.len()));
        let mut ids = ids.into_iter();
        let ids = out.table(ID_BYTES, ids_max, &mut |row| {
            row.clear();
            let Some((key, relative)) = ids.next() else {
                return Ok(false);
            };
            let made = id_row(key, relative).ok_or(io::ErrorKind::InvalidInput)?;
            row.extend_from_slice(&made);
            Ok(true)
        })?;
        let mut heads = heads.into_iter();
        let heads = out.table(STREAM_BYTES, heads_max, &mut |row| {
            row.clear();
            let next = heads.next();
            row.extend(next.iter().flat_map(|(id, head)| stream_row(id, head)));
            Ok(next.is_some())
        })?;
        let path = out.finish(self.ledger_id, mark, (ids, heads), places)?;
        Run::open(&path, self.ledger_id)?.tables()
    }

    /// Makes one run of many, where enough of one size have come together.
    fn merge_runs(&mut self) -> Result<(), IndexError> {
        while let Some(at) = merge::due(&self.runs, self.run_events) {
            let parts = self.runs.get(at..).unwrap_or_default();
            let merged = merge::merge(&self.dir, self.ledger_id, parts);
            let merged = merged.map_err(|source| self.fail(source))?;
            for part in self.runs.drain(at..) {
                let _removed = std::fs::remove_file(&part.run.path).is_ok();
            }
            self.runs.push(merged);
        }
        Ok(())
    }
}

fn broken(lookup: &Lookup, source: io::Error) -> IndexError {
    IndexError {
        path: lookup.run.path.clone(),
        source,
    }
}

/// What the runs of a ledger tell of its segments. For readers, who check what they read there;
/// what cannot be read tells nothing.
pub(crate) fn known_to_readers(ledger: &Path, ledger_id: [u8; 16]) -> Known {
    (0..READINGS_MAX)
        .find_map(|_| read_known(ledger, ledger_id).ok())
        .unwrap_or_default()
}

/// Readings of the runs while a writer merges them.
const READINGS_MAX: usize = 8;

fn read_known(ledger: &Path, ledger_id: [u8; 16]) -> io::Result<Known> {
    let dir = ledger.join(FOLDER);
    let mut all = Places::default();
    let mut last: Option<Mark> = None;
    for name in run_names(&dir)? {
        let next = last.map_or(0, |mark| mark.next);
        if name.range.is_none_or(|(first, _)| first != next) {
            continue;
        }
        let read = Run::open(&dir.join(&name.name), ledger_id);
        match read.and_then(|run| Ok((run.mark, run.places()?))) {
            Ok((mark, places)) if mark.fits(ledger) => {
                all.extend(places);
                last = Some(mark);
            }
            // the writer has made it part of another
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
            Ok(_) | Err(_) => {}
        }
    }
    Ok(last.and_then(|mark| mark.known(all)).unwrap_or_default())
}

/// A file in the folder of runs.
struct Name {
    name: String,
    /// What its name says, when it is a run's.
    range: Option<(Position, Position)>,
}

/// The files in the folder of runs: by where they begin, the longest first.
fn run_names(dir: &Path) -> io::Result<Vec<Name>> {
    let mut names = Vec::new();
    let items = match std::fs::read_dir(dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
        items => items?,
    };
    for item in items {
        if let Ok(name) = item?.file_name().into_string() {
            let range = range_of(&name);
            names.push(Name { name, range });
        }
    }
    names.sort_by_key(|name| name.range.map(|(first, next)| (first, u64::MAX - next)));
    Ok(names)
}
