//! Checking every stored byte.
//!
//! Every check is local to a segment once its header names the chain value before it, so segments
//! are checked side by side and then joined. A sound segment is read in windows; one that is not is
//! read whole. All faults are listed, not the first; after damage the
//! walk goes on at the next intact frame. The classes are those of `docs/format.md`. Deliberately
//! not here: what only an outside checkpoint can tell, such as a ledger cut at a commit.

mod anchors;
mod clean;
mod fault;
mod folder;
mod join;
mod leaves;
mod on_evidence;
mod packed;
mod private;
mod pruned;
mod records;
mod segment;
mod statements;
mod streams;
mod tree;

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rayon::prelude::*;

use crate::event::Position;
use crate::hash::{self, Hash};
use crate::ledger::OpenError;
use crate::lock;
use crate::note::VerifierKey;
use crate::place::Place;
use crate::reader::Reader;
use crate::segment::file::{SegmentFile, list, name_of};
use crate::tiles::TileFiles;
use crate::tree::{Tile, TreeHash, WIDTH};
use crate::vault::{self, Vault};
use clean::check_clean;
use folder::Folder;
use join::join;
use leaves::Wanted;
use on_evidence::replaced_keys;
use private::Opener;
use segment::{Checked, check};
use statements::check_signatures;

pub use anchors::{CHAIN_FOLDER, chain_path};
pub use fault::{Fault, FaultClass};
pub use on_evidence::{OnEvidence, ReplacedKey};
pub use private::PrivateParts;
pub use statements::{CHECKPOINT_FILE, KeptNote, LADDER_FOLDER, Statement, rung};

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyReport {
    /// Number of committed events.
    pub size: u64,
    /// Chain value of the newest event.
    pub head_chain: Hash,
    /// Root of the tree over all events; `None` when records are missing.
    pub root: Option<TreeHash>,
    /// Checkpoints the ledger was held against, by size.
    pub statements: Vec<Statement>,
    /// Events on keys and seals.
    pub on_evidence: Vec<OnEvidence>,
    /// Entries compared with anchors, when there were any.
    pub anchored: Option<u64>,
    /// Number of segments.
    pub segments: u64,
    /// Bytes of all segments.
    pub bytes: u64,
    /// Private parts, by what could be told of them.
    pub private: PrivateParts,
    /// Events whose payloads were pruned, as a `ledger.pruned` event says.
    pub pruned: u64,
    /// Every fault, by position.
    pub faults: Vec<Fault>,
}

impl VerifyReport {
    /// Whether there is no fault.
    pub fn is_clean(&self) -> bool {
        self.faults.is_empty()
    }

    /// Keys the ledger had before, by its own account: good for checkpoints of their time.
    pub fn replaced_keys(&self) -> Vec<ReplacedKey> {
        replaced_keys(&self.on_evidence)
    }
}

/// What a ledger is held against beside itself.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// Checkpoints kept elsewhere, beside those in the ledger's folder.
    pub checkpoints: Vec<KeptNote>,
    /// Keys of the ledger and of witnesses; without any, signatures are not checked.
    pub keys: Vec<VerifierKey>,
    /// Folder of anchors: level-0 tiles and chain values.
    pub anchors: Option<PathBuf>,
}

/// What the segments are checked for.
#[derive(Debug, Default)]
struct Ask {
    ledger_id: Option<[u8; 16]>,
    wanted: Wanted,
    opener: Opener,
    statements: Vec<Statement>,
    /// Faults of the notes themselves.
    faults: Vec<Fault>,
}

impl Ask {
    fn of(place: &Place, folder: &Folder, outside: &Outside) -> Result<Self, OpenError> {
        let dir = place.folder();
        let kept = KeptNote::of_ledger(dir).map_err(|source| OpenError::Io {
            path: dir.to_owned(),
            source,
        })?;
        let mut faults = Vec::new();
        let statements: Vec<Statement> = kept
            .iter()
            .chain(&outside.checkpoints)
            .filter_map(|note| note.stated(folder.origin(), &mut faults))
            .collect();
        let cut = |statement: &Statement| !statement.size.is_multiple_of(WIDTH);
        let ends = statements.iter().filter(|statement| cut(statement));
        Ok(Self {
            ledger_id: folder.origin().map(hash::ledger_id),
            wanted: Wanted {
                files: TileFiles::there(dir),
                kept: ends.map(|statement| statement.size / WIDTH).collect(),
            },
            opener: opener(place, folder)?,
            statements,
            faults,
        })
    }
}

/// Checks every stored byte of the ledger in a folder and lists every fault. `progress` is told
/// how many of how many bytes are checked, from any thread. Encrypted private parts are opened
/// when the folder of keys is there; without one, as at an auditor's, they are counted as sealed.
///
/// # Errors
/// When the folder holds no ledger, or a file of it or of its keys cannot be read at all.
pub fn verify(
    place: impl Into<Place>,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<VerifyReport, OpenError> {
    verify_against(place, &Outside::default(), progress)
}

/// As [`verify`], and against what was kept elsewhere.
///
/// # Errors
/// As [`verify`].
pub fn verify_against(
    place: impl Into<Place>,
    outside: &Outside,
    progress: &(dyn Fn(u64, u64) + Sync),
) -> Result<VerifyReport, OpenError> {
    let place = place.into();
    let dir = place.folder();
    let folder = Folder::read(dir)?;
    let mut ask = Ask::of(&place, &folder, outside)?;
    let firsts = list(dir).map_err(|source| OpenError::Io {
        path: dir.to_owned(),
        source,
    })?;
    let total = firsts.iter().map(|first| length_of(dir, *first)).sum();
    let done = AtomicU64::new(0);
    let last = firsts.last().copied();
    let spare: Mutex<Vec<Vec<u8>>> = Mutex::default();
    let check = |first: Position, ask: &Ask| {
        // Whole segments are read into few buffers: fresh memory costs as much as the read.
        let kept = spare.lock().ok().and_then(|mut spare| spare.pop());
        let mut buffer = kept.unwrap_or_default();
        let segment = Asked {
            dir,
            first,
            is_last: last == Some(first),
        };
        let checked = check_file(&segment, ask, &mut buffer)?;
        if let Ok(mut spare) = spare.lock() {
            spare.push(buffer);
        }
        Ok::<_, OpenError>(checked)
    };
    let mut checked: Vec<Checked> = firsts
        .par_iter()
        .map(|first| {
            let checked = check(*first, &ask)?;
            let done = done.fetch_add(checked.bytes, Ordering::Relaxed) + checked.bytes;
            progress(done, total);
            Ok(checked)
        })
        .collect::<Result<_, OpenError>>()?;
    for _ in 0..KEY_READINGS_MAX {
        let size = checked.iter().map(|segment| segment.next).max();
        let read = || opener(&place, &folder);
        let Some(renewed) = renewed(&ask.opener, &checked, read)? else {
            break;
        };
        ask.opener = renewed.complete_below(size.unwrap_or(0));
        for segment in checked.iter_mut().filter(|some| some.privates.lack_keys()) {
            *segment = check(segment.first, &ask)?;
        }
    }
    let mut report = join(dir, &folder, &ask, checked);
    let replaced = report.replaced_keys();
    let signatures = check_signatures(&mut report.statements, &outside.keys, &replaced);
    report.faults.extend(signatures);
    report.faults.extend(ahead(&ask, dir, report.size));
    if let Some(anchors) = &outside.anchors {
        let compared = anchors::compare(dir, anchors);
        report.anchored = Some(compared.entries);
        report.faults.extend(compared.faults);
    }
    report
        .faults
        .sort_by_key(|fault| (fault.position, fault.class));
    Ok(report)
}

/// A full tile beyond the newest entry: the ledger was cut after it was written. One that a writer
/// has filled since is none.
fn ahead(ask: &Ask, dir: &Path, size: u64) -> Option<Fault> {
    let tile = Tile::full(0, size / WIDTH);
    let is_there = ask.wanted.files.as_ref()?.holds(tile);
    let grown = || Reader::open(dir).is_ok_and(|reader| reader.size() / WIDTH > tile.index);
    (is_there && !grown()).then(|| Fault {
        position: Some(size),
        class: FaultClass::Tile,
        file: tile.path(),
        detail: "a full tile lies beyond the newest entry: the ledger was cut".to_owned(),
    })
}

/// Readings of the data keys while a writer adds to them.
const KEY_READINGS_MAX: usize = 3;

/// The data keys read again, when some are missing and a writer has added any since.
fn renewed(
    opener: &Opener,
    checked: &[Checked],
    read: impl Fn() -> Result<Opener, OpenError>,
) -> Result<Option<Opener>, OpenError> {
    if !checked.iter().any(|segment| segment.privates.lack_keys()) {
        return Ok(None);
    }
    let renewed = read()?;
    Ok((renewed.made() > opener.made()).then_some(renewed))
}

/// The data keys, for a ledger whose origin is known.
fn opener(place: &Place, folder: &Folder) -> Result<Opener, OpenError> {
    let vault = match folder.origin() {
        Some(origin) => Vault::open(place.keys(), hash::ledger_id(origin))?,
        None => None,
    };
    Ok(Opener::new(vault, vault::are_expected(place.keys())))
}

fn length_of(dir: &Path, first: Position) -> u64 {
    SegmentFile::open(dir, first)
        .and_then(|segment| segment.len())
        .unwrap_or(0)
}

/// Readings of a faulty last segment until some agree: a writer may be in the middle of a batch.
const READINGS_MAX: usize = 16;

/// Readings that must agree while a writer holds the ledger, and the time between them.
const AGREEING: usize = 3;
const PAUSE: Duration = Duration::from_millis(10);

/// A segment to check.
struct Asked<'a> {
    dir: &'a Path,
    first: Position,
    is_last: bool,
}

fn check_file(
    &Asked {
        dir,
        first,
        is_last,
    }: &Asked<'_>,
    ask: &Ask,
    buffer: &mut Vec<u8>,
) -> Result<Checked, OpenError> {
    let failed = |source| OpenError::Io {
        path: dir.join(name_of(first)),
        source,
    };
    let segment = SegmentFile::open(dir, first).map_err(failed)?;
    let clean = check_clean(&segment, is_last, ask).map_err(failed)?;
    if let Some(clean) = clean.filter(|_| segment.damage().is_none()) {
        return Ok(clean);
    }
    segment.read_whole(buffer).map_err(failed)?;
    let mut checked = check(buffer, &segment, ask);
    checked.faults.extend(packed::faults(&segment, buffer));
    let is_written = || lock::held_by(dir).is_ok_and(|holder| holder.is_some());
    let mut agreed = 0;
    for _ in 0..READINGS_MAX {
        if !is_last || checked.faults.is_empty() {
            break;
        }
        let mut again = Vec::with_capacity(buffer.len());
        segment.read_whole(&mut again).map_err(failed)?;
        if again == *buffer {
            agreed += 1;
            if agreed == AGREEING || !is_written() {
                break;
            }
            // it may have been kept waiting in the middle of a batch
            std::thread::sleep(PAUSE);
            continue;
        }
        agreed = 0;
        *buffer = again;
        checked = check(buffer, &segment, ask);
    }
    Ok(checked)
}
