//! Packing sealed segments: what they hold stays, byte for byte, in a fifth to a half of the room.
//!
//! A segment is sealed once and never changes, so its packed form is made beside it, read back and
//! compared, and only then takes its place. At every moment one whole form has its name; with both
//! there the plain one is read. The writer's lock is held throughout: no writer needs it, since it
//! writes only to the last segment, but two packings of one segment, or one beside a pruning that
//! rewrites it, would undo each other. The form is `docs/format.md`, "Packed segments".

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::event::Position;
use crate::hash::Hash;
use crate::ledger::OpenError;
use crate::lock::WriterLock;
use crate::place::Place;
use crate::segment::file::{SegmentFile, list, name_of, packed_name_of};
use crate::segment::frame::{FRAME_HEAD_BYTES, Kind, Parsed, parse};
use crate::segment::packed;
use crate::segment::packed::table::UNPACKED_BYTES_MAX;
use crate::segment::seal::{SEAL_BYTES, Seal};
use crate::segment::sync_dir;
use crate::settings::Settings;

/// Level of zstd that is used unless another is asked for. Measured: docs/performance.md.
pub const PACK_LEVEL: i32 = 1;

/// Ending of a packed file that is being written.
const PACKING_ENDING: &str = ".seg.zst.tmp";

/// Ending of a plain file that is being written. Not that of the next segment of a roll-over, which
/// `verify` takes for the end of the ledger.
const UNPACKING_ENDING: &str = ".seg.plain.tmp";

/// In which form sealed segments are to be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Packed with this level of zstd: 1 to 22, higher is smaller and slower.
    Packed(i32),
    /// As written.
    Plain,
}

/// What was done to the sealed segments of a ledger.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PackReport {
    /// Sealed segments there are.
    pub sealed: u64,
    /// Those whose form was changed now.
    pub changed: u64,
    /// Those that were left plain: they are longer than 256 MiB, which no reader of packed ones
    /// must be ready to hold.
    pub too_long: u64,
    /// Bytes of all sealed segments, unpacked.
    pub content_bytes: u64,
    /// Bytes of their files now.
    pub file_bytes: u64,
}

/// Why segments were not packed or unpacked. What was done before stays done. Listed in the order
/// the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum PackError {
    /// zstd has no such level.
    #[error("zstd has levels 1 to 22, not {level}")]
    Level {
        /// The level asked for.
        level: i32,
    },
    /// The folder holds no ledger, or a writer holds it.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The operating system refused.
    #[error("`{path}` could not be used")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// A sealed segment is not the one its footer was written for.
    #[error("`{file}` is damaged, so it is left as it is; `verify` tells more")]
    Damaged {
        /// Name of the file.
        file: String,
    },
    /// What was written reads back otherwise: the disk or the memory is at fault.
    #[error("`{file}` read back otherwise than it was written; the segment is left as it was")]
    Unlike {
        /// Name of the file.
        file: String,
    },
}

/// Brings every sealed segment of a ledger into a form, and finishes what a crash interrupted.
/// `progress` is told how many of how many are done.
///
/// # Errors
/// When the ledger cannot be locked, or a segment is damaged or cannot be written.
pub fn pack(
    place: impl Into<Place>,
    form: Form,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<PackReport, PackError> {
    if let Form::Packed(level) = form
        && !(1..=22).contains(&level)
    {
        return Err(PackError::Level { level });
    }
    let place = place.into();
    let dir = place.folder();
    let _lock = lock(&place)?;
    let firsts = list(dir).map_err(|source| failed(dir, source))?;
    let (_active, sealed) = firsts.split_last().ok_or_else(|| OpenError::Empty {
        dir: dir.to_owned(),
    })?;
    let mut report = PackReport {
        sealed: u64::try_from(sealed.len()).unwrap_or(u64::MAX),
        ..PackReport::default()
    };
    for (done, first) in (1..).zip(sealed) {
        let segment = Sealed { dir, first: *first };
        match segment.bring_into(form)? {
            Brought::AsItWas => {}
            Brought::Changed => report.changed += 1,
            Brought::TooLong => report.too_long += 1,
        }
        let (content, file) = segment.lengths()?;
        report.content_bytes += content;
        report.file_bytes += file;
        progress(done, report.sealed);
    }
    Ok(report)
}

fn lock(place: &Place) -> Result<WriterLock, OpenError> {
    let dir = place.folder();
    if Settings::read(dir)?.is_none() {
        return Err(OpenError::NotALedger {
            dir: dir.to_owned(),
        });
    }
    crate::lock::lock(place)
}

fn failed(path: &Path, source: io::Error) -> PackError {
    PackError::Io {
        path: path.to_owned(),
        source,
    }
}

/// What became of a segment.
enum Brought {
    AsItWas,
    Changed,
    TooLong,
}

/// A sealed segment of a ledger that is locked.
pub(crate) struct Sealed<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) first: Position,
}

impl Sealed<'_> {
    fn plain(&self) -> PathBuf {
        self.dir.join(name_of(self.first))
    }

    fn packed(&self) -> PathBuf {
        self.dir.join(packed_name_of(self.first))
    }

    /// Brings the segment into a form. With both there, the plain one counts when it is whole.
    fn bring_into(&self, form: Form) -> Result<Brought, PackError> {
        for ending in [PACKING_ENDING, UNPACKING_ENDING] {
            self.remove(&self.temporary(ending))?;
        }
        match (form, self.plain().exists(), self.packed().exists()) {
            (Form::Packed(_), false, _) | (Form::Plain, _, false) => Ok(Brought::AsItWas),
            (Form::Packed(level), true, _) => self.pack(level),
            (Form::Plain, _, true) => self.unpack(),
        }
    }

    fn pack(&self, level: i32) -> Result<Brought, PackError> {
        let plain = SegmentFile::open_plain(self.dir, self.first)
            .map_err(|source| failed(&self.plain(), source))?;
        let length = plain.len().map_err(|e| failed(&self.plain(), e))?;
        if length > UNPACKED_BYTES_MAX {
            return Ok(Brought::TooLong);
        }
        let Some(content) = self.whole(&plain)? else {
            // Damaged since both were there: the packed one is the whole one then.
            let kept = SegmentFile::open_packed(self.dir, self.first);
            let is_whole = kept.is_ok_and(|kept| matches!(self.whole(&kept), Ok(Some(_))));
            if !is_whole {
                return Err(PackError::Damaged { file: plain.name() });
            }
            self.remove(&self.plain())?;
            return Ok(Brought::Changed);
        };
        self.write_packed(&content, level, &self.plain())?;
        Ok(Brought::Changed)
    }

    fn unpack(&self) -> Result<Brought, PackError> {
        let plain = SegmentFile::open_plain(self.dir, self.first);
        if let Ok(plain) = &plain
            && self.whole(plain)?.is_some()
        {
            self.remove(&self.packed())?;
            return Ok(Brought::Changed);
        }
        let packed = SegmentFile::open_packed(self.dir, self.first)
            .map_err(|source| failed(&self.packed(), source))?;
        let Some(content) = self.whole(&packed)? else {
            let file = packed.name();
            return Err(PackError::Damaged { file });
        };
        self.write_plain(&content)?;
        Ok(Brought::Changed)
    }

    /// The bytes of the segment, which must be whole.
    pub(crate) fn content(&self) -> Result<Vec<u8>, PackError> {
        let segment = SegmentFile::open(self.dir, self.first)
            .map_err(|source| failed(&self.plain(), source))?;
        let file = segment.name();
        self.whole(&segment)?.ok_or(PackError::Damaged { file })
    }

    /// Puts other content in the place of the segment's, in the form it has.
    pub(crate) fn rewrite(&self, content: &[u8]) -> Result<(), PackError> {
        if !self.plain().exists() && self.packed().exists() {
            return self.write_packed(content, PACK_LEVEL, &self.temporary(UNPACKING_ENDING));
        }
        self.write_plain(content)
    }

    /// Writes the packed form, durably, and removes another file then.
    fn write_packed(&self, content: &[u8], level: i32, old: &Path) -> Result<(), PackError> {
        let path = self.temporary(PACKING_ENDING);
        let packed = packed::pack(content, level).map_err(|e| failed(&path, e))?;
        self.write(&path, &packed)?;
        drop(packed);
        let file = File::open(&path).map_err(|e| failed(&path, e))?;
        let copy = SegmentFile::of_packed(file, self.first).map_err(|e| failed(&path, e))?;
        self.compare(&copy, &path, content)?;
        self.replace(&path, &self.packed(), old)
    }

    /// Writes the plain form, durably, and removes the packed one then.
    fn write_plain(&self, content: &[u8]) -> Result<(), PackError> {
        let path = self.temporary(UNPACKING_ENDING);
        self.write(&path, content)?;
        let read = std::fs::read(&path).map_err(|source| failed(&path, source))?;
        if read != content {
            let file = path.display().to_string();
            return Err(PackError::Unlike { file });
        }
        self.replace(&path, &self.plain(), &self.packed())
    }

    /// The bytes of a segment that is the one its footer was written for, and nothing more.
    fn whole(&self, segment: &SegmentFile) -> Result<Option<Vec<u8>>, PackError> {
        let mut content = Vec::new();
        segment
            .read_whole(&mut content)
            .map_err(|source| failed(&self.dir.join(segment.name()), source))?;
        let header = segment
            .header()
            .map_err(|source| failed(&self.dir.join(segment.name()), source))?;
        let is_here = header.is_some_and(|header| header.first == self.first);
        let is_whole = is_here && segment.damage().is_none() && is_sealed(&content, self.first);
        Ok(is_whole.then_some(content))
    }

    fn compare(&self, copy: &SegmentFile, path: &Path, content: &[u8]) -> Result<(), PackError> {
        let read = self.whole(copy)?;
        if read.as_deref() == Some(content) {
            return Ok(());
        }
        Err(PackError::Unlike {
            file: path.display().to_string(),
        })
    }

    fn temporary(&self, ending: &str) -> PathBuf {
        self.dir.join(format!("{:020}{ending}", self.first))
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), PackError> {
        let written = File::create(path).and_then(|mut file| {
            file.write_all(bytes)?;
            file.sync_all()
        });
        if written.is_err() {
            self.remove(path)?;
        }
        written.map_err(|source| failed(path, source))
    }

    /// Gives the new form its name, durably, and then removes the old one.
    fn replace(&self, temporary: &Path, new: &Path, old: &Path) -> Result<(), PackError> {
        std::fs::rename(temporary, new)
            .and_then(|()| sync_dir(self.dir))
            .map_err(|source| failed(new, source))?;
        self.remove(old)
    }

    /// Removes a file, durably, when it is there.
    fn remove(&self, path: &Path) -> Result<(), PackError> {
        match std::fs::remove_file(path) {
            Ok(()) => sync_dir(self.dir).map_err(|source| failed(self.dir, source)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(failed(path, source)),
        }
    }

    /// Bytes of the segment, and of the file it is in.
    fn lengths(&self) -> Result<(u64, u64), PackError> {
        let told = SegmentFile::open(self.dir, self.first)
            .and_then(|segment| Ok((segment.len()?, segment.file.metadata()?.len())));
        told.map_err(|source| failed(&self.plain(), source))
    }
}

/// Whether some bytes are a sealed segment: they end with the footer that was written for them.
fn is_sealed(content: &[u8], first: Position) -> bool {
    let footer_at = content.len().checked_sub(FRAME_HEAD_BYTES + SEAL_BYTES);
    let Some((before, footer)) = footer_at.and_then(|at| content.split_at_checked(at)) else {
        return false;
    };
    let Parsed::Frame(frame) = parse(footer) else {
        return false;
    };
    let seal = Seal::decode(frame.body).filter(|_| frame.intact && frame.kind == Kind::Seal);
    seal.is_some_and(|seal| seal.first == first && seal.digest == digest(before))
}

fn digest(content: &[u8]) -> Hash {
    let mut hasher = blake3::Hasher::new();
    for window in content.chunks(1 << 20) {
        hasher.update(window);
    }
    *hasher.finalize().as_bytes()
}
