//! Finding the end of what was committed.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use super::file::{SegmentFile, last_nonzero};
use super::frame::{
    COMMIT_BYTES, Commit, FRAME_HEAD_BYTES, HEADER_BYTES, Header, Kind, Parsed, find_intact, parse,
};
use super::frames::{Frames, Step};
use super::seal::{SEAL_BYTES, Seal, Times};
use crate::entry::{ENTRY_BYTES, Entry};
use crate::event::Position;
use crate::hash::Hash;

/// A record met in a walk: its position, its offset in the file and its entry.
pub(crate) struct Met<'a> {
    pub(crate) position: Position,
    pub(crate) offset: u64,
    pub(crate) entry: &'a [u8; ENTRY_BYTES],
}

/// Sees what a walk passes.
pub(crate) trait Visit {
    /// A record whose batch is committed.
    fn record(&mut self, met: &Met<'_>);

    /// The end of its batch: the extent reaches to here.
    fn commit(&mut self, _extent: &Extent) {}
}

impl<F: FnMut(&Met<'_>)> Visit for F {
    fn record(&mut self, met: &Met<'_>) {
        self(met);
    }
}

/// How far a segment's commits reach.
#[derive(Debug, Clone)]
pub(crate) struct Extent {
    /// Offset after the last commit frame (of the header when there is none).
    pub(crate) end: u64,
    /// Position after the last committed record.
    pub(crate) next: Position,
    /// Chain value of the last committed record.
    pub(crate) head_chain: Hash,
    pub(crate) times: Times,
    /// The footer, when the segment is sealed.
    pub(crate) seal: Option<Seal>,
}

impl Extent {
    /// Extent of a segment of which only the header was read.
    pub(crate) fn of_header(header: &Header) -> Self {
        Self {
            end: u64::try_from(HEADER_BYTES).unwrap_or(u64::MAX),
            next: header.first,
            head_chain: header.prev_chain,
            times: Times::NONE,
            seal: None,
        }
    }
}

/// What follows the last commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Nothing but zeros, or the footer.
    Clean,
    /// A batch that was never acknowledged.
    Torn,
    /// Bytes that are no frame although intact commits follow, or commits that do not fit.
    Damaged,
}

/// Walks the frames after `extent`, moving it over every commit.
pub(crate) fn walk(
    segment: &SegmentFile,
    extent: &mut Extent,
    visit: &mut dyn Visit,
) -> io::Result<Rest> {
    let mut frames = Frames::new(segment, extent.end);
    let mut batch: Vec<(u64, [u8; ENTRY_BYTES])> = Vec::new();
    loop {
        match frames.next()? {
            Step::Frame(offset, frame) => match frame.kind {
                Kind::Record | Kind::Pruned => {
                    let expected = extent.next + u64::try_from(batch.len()).unwrap_or(u64::MAX);
                    match frame.record() {
                        Some((entry, _, _)) if Entry::peek_position(entry) == expected => {
                            batch.push((offset, *entry));
                        }
                        _ => return Ok(Rest::Damaged),
                    }
                }
                Kind::Commit => {
                    let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
                    match Commit::decode(frame.body) {
                        Some(commit) if commit.first == extent.next && commit.count == count => {
                            extent.head_chain = commit.head_chain;
                        }
                        _ => return Ok(Rest::Damaged),
                    }
                    for (offset, entry) in &batch {
                        extent.times.add_entry(entry);
                        visit.record(&Met {
                            position: extent.next,
                            offset: *offset,
                            entry,
                        });
                        extent.next += 1;
                    }
                    batch.clear();
                    extent.end = frames.offset();
                    visit.commit(extent);
                }
                Kind::Seal => {
                    return Ok(match Seal::decode(frame.body) {
                        Some(seal) if batch.is_empty() && seal.head_chain == extent.head_chain => {
                            extent.seal = Some(seal);
                            Rest::Clean
                        }
                        _ => Rest::Damaged,
                    });
                }
            },
            Step::Blank if batch.is_empty() && last_nonzero(segment, extent.end)?.is_none() => {
                return Ok(Rest::Clean);
            }
            Step::Blank | Step::Damaged => {
                let damaged_at = frames.offset();
                return commit_follows(segment, damaged_at)
                    .map(|found| if found { Rest::Damaged } else { Rest::Torn });
            }
        }
    }
}

/// Whether an intact commit or footer lies after the offset: then what is before it was
/// acknowledged, and its loss is damage.
fn commit_follows(segment: &SegmentFile, offset: u64) -> io::Result<bool> {
    let Some(last) = last_nonzero(segment, offset)? else {
        return Ok(false);
    };
    // Up to a frame's head of zeros may end the last frame.
    let length = usize::try_from(last - offset).unwrap_or(usize::MAX) + 128;
    let mut bytes = vec![0; length];
    let read = segment.read_at(&mut bytes, offset)?;
    bytes.truncate(read);
    Ok(find_intact(&bytes, 0, &|kind| matches!(kind, Kind::Commit | Kind::Seal)).is_some())
}

/// Whether a commit of that chain value, the last of whose records is before `next`, ends at an
/// offset of a segment.
pub(crate) fn commit_ends_at(segment: &SegmentFile, extent: &Extent) -> io::Result<bool> {
    const BYTES: usize = FRAME_HEAD_BYTES + COMMIT_BYTES;
    let mut bytes = [0; BYTES];
    let start = u64::try_from(BYTES).ok();
    let Some(start) = start.and_then(|length| extent.end.checked_sub(length)) else {
        return Ok(false);
    };
    let read = segment.read_at(&mut bytes, start)?;
    let Some(Parsed::Frame(frame)) = bytes.get(..read).map(parse) else {
        return Ok(false);
    };
    let commit = Commit::decode(frame.body).filter(|_| frame.intact && frame.kind == Kind::Commit);
    Ok(commit.is_some_and(|commit| {
        commit.head_chain == extent.head_chain
            && commit.first.checked_add(commit.count) == Some(extent.next)
    }))
}

/// The footer of a sealed segment; `None` when it does not end with one.
pub(crate) fn footer(segment: &SegmentFile) -> io::Result<Option<Seal>> {
    const BYTES: usize = FRAME_HEAD_BYTES + SEAL_BYTES;
    let mut bytes = [0; BYTES];
    let start = u64::try_from(BYTES).ok();
    let length = segment.len()?;
    let Some(start) = start.and_then(|footer| length.checked_sub(footer)) else {
        return Ok(None);
    };
    let read = segment.read_at(&mut bytes, start)?;
    match bytes.get(..read).map(parse) {
        Some(Parsed::Frame(frame)) if frame.intact && frame.kind == Kind::Seal => {
            Ok(Seal::decode(frame.body))
        }
        _ => Ok(None),
    }
}

/// Copies the torn tail of a segment to `<segment>.<offset>.torn` beside it, then cuts it off.
pub(crate) fn cut_torn(dir: &Path, segment: &SegmentFile, end: u64) -> io::Result<()> {
    if let Some(last) = last_nonzero(segment, end)? {
        let length = usize::try_from(last + 1 - end).unwrap_or(usize::MAX);
        let mut bytes = vec![0; length];
        let read = segment.read_at(&mut bytes, end)?;
        bytes.truncate(read);
        let aside = dir.join(format!("{}.{end}.torn", segment.name()));
        let mut copy = File::create(aside)?;
        copy.write_all(&bytes)?;
        copy.sync_all()?;
        // The copy has its name before the original goes.
        super::sync_dir(dir)?;
    }
    segment.file.set_len(end)?;
    segment.file.sync_all()?;
    super::sync_dir(dir)
}
