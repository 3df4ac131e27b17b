//! Segments as a backup sees them: what a footer says, and whether the bytes are those.

use std::fs::File;
use std::io::{self, Read, Take};
use std::path::Path;

use super::{Put, modified};
use crate::entry::Entry;
use crate::event::Position;
use crate::hash::{self, Hash};
use crate::segment::file::SegmentFile;
use crate::segment::frame::{Commit, FRAME_HEAD_BYTES, HEADER_BYTES, Header, Kind};
use crate::segment::frames::{Frames, Step};
use crate::segment::recover::footer;
use crate::segment::seal::{SEAL_BYTES, Seal};

/// Bytes of a footer with its frame.
const FOOTER_BYTES: usize = FRAME_HEAD_BYTES + SEAL_BYTES;

/// A sealed segment, open, in either form.
pub(super) struct Found {
    pub(super) segment: SegmentFile,
    /// Bytes of its file.
    pub(super) length: u64,
    /// When that was last changed, in Unix seconds.
    pub(super) modified: u64,
    pub(super) header: Header,
    pub(super) seal: Seal,
    /// Bytes of what it holds.
    content: u64,
}

impl Found {
    /// Bytes of what it holds that the footer's digest is over.
    pub(super) fn hashed(&self) -> u64 {
        self.content.saturating_sub(bytes(FOOTER_BYTES))
    }

    /// Whether another copy holds the same, by header, footer and length; packed or not.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        (self.header, self.seal, self.content) == (other.header, other.seal, other.content)
    }
}

/// Opens the sealed segment of a folder that begins at a position, plain or packed. `None` when it
/// has no header or footer.
///
/// # Errors
/// When it is not there or cannot be read.
pub(super) fn find(dir: &Path, first: Position) -> io::Result<Option<Found>> {
    let segment = SegmentFile::open(dir, first)?;
    let Some((header, seal)) = segment.header()?.zip(footer(&segment)?) else {
        return Ok(None);
    };
    Ok(Some(Found {
        length: segment.file.metadata()?.len(),
        modified: modified(&segment.file),
        content: segment.len()?,
        header,
        seal,
        segment,
    }))
}

/// Hashes what is read, up to a length.
pub(super) struct Hashing<'f> {
    from: Take<&'f File>,
    hashed: blake3::Hasher,
    left: u64,
}

impl<'f> Hashing<'f> {
    /// Reads a file from its start; the first `length` bytes are hashed.
    pub(super) fn new(file: &'f File, length: u64) -> Self {
        Self {
            from: file.take(u64::MAX),
            hashed: blake3::Hasher::new(),
            left: length,
        }
    }

    pub(super) fn finish(self) -> Hash {
        *self.hashed.finalize().as_bytes()
    }
}

impl Read for Hashing<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buf)?;
        let hashed = usize::try_from(self.left).map_or(read, |left| left.min(read));
        self.hashed.update(buf.get(..hashed).unwrap_or_default());
        self.left -= bytes(hashed);
        Ok(read)
    }
}

/// Checks the frames and the chain of a copied segment without a footer, which lies in a file from
/// a byte on and ends with the file. Returns the position after its last record and that record's
/// chain value; `None` when anything is not as written.
///
/// # Errors
/// When it cannot be read.
pub(super) fn check_tail(
    put: Put,
    length: u64,
    expected: &Header,
) -> io::Result<Option<(Position, Hash)>> {
    let at = put.at;
    let segment = SegmentFile::of_plain(put.file, expected.first);
    let mut head = [0; HEADER_BYTES];
    segment.read_at(&mut head, at)?;
    if Header::decode(&head) != Some(*expected) {
        return Ok(None);
    }
    let mut frames = Frames::new(&segment, at + bytes(HEADER_BYTES));
    let (mut next, mut chain) = (expected.first, expected.prev_chain);
    let mut committed = next;
    while frames.offset() < at + length {
        let Step::Frame(_, frame) = frames.next()? else {
            return Ok(None);
        };
        match frame.kind {
            Kind::Record => match frame.record() {
                Some((entry, _, _))
                    if Entry::peek_position(entry) == next && entry.ends_with(&chain) =>
                {
                    chain = hash::chain(entry);
                    next += 1;
                }
                _ => return Ok(None),
            },
            Kind::Commit => {
                let expected = Commit {
                    first: committed,
                    count: next - committed,
                    head_chain: chain,
                };
                if Commit::decode(frame.body) != Some(expected) {
                    return Ok(None);
                }
                committed = next;
            }
            Kind::Pruned | Kind::Seal => return Ok(None),
        }
    }
    Ok((frames.offset() == at + length && committed == next).then_some((next, chain)))
}

fn bytes(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
