//! A segment without a fault, read window by window: while the records of one window are hashed,
//! the next is read.
//!
//! Whatever is not as written, if only a torn tail, ends this at once: then the segment is read
//! whole and every fault is looked for. So sound ledgers are checked in little memory and on all
//! cores, and what damage means is told in one place, [`super::segment`].

use std::io;

use rayon::prelude::*;

use super::Ask;
use super::fault::Faults;
use super::records::{Hashes, Item, Records};
use super::segment::Checked;
use crate::entry::Entry;
use crate::event::Position;
use crate::segment::file::SegmentFile;
use crate::segment::frame::{
    Commit, FRAME_HEAD_BYTES, Frame, HEADER_BYTES, Header, Kind, Parsed, is_intact, outline,
};
use crate::segment::seal::Seal;

/// Bytes read at once.
const WINDOW_BYTES: usize = 1 << 20;

/// Frames whose CRCs are checked in one go.
const FRAMES_TOGETHER: usize = 512;

/// Checks a segment that is expected to be sound; `None` when anything about it is not. The last
/// segment is the one without a footer.
pub(super) fn check_clean(
    segment: &SegmentFile,
    is_last: bool,
    ask: &Ask,
) -> io::Result<Option<Checked>> {
    check_in(WINDOW_BYTES, segment, is_last, ask)
}

fn check_in(
    window_bytes: usize,
    segment: &SegmentFile,
    is_last: bool,
    ask: &Ask,
) -> io::Result<Option<Checked>> {
    let Some(header) = segment.header()? else {
        return Ok(None);
    };
    let is_ours = ask.ledger_id.is_none_or(|id| id == header.ledger_id);
    if header.first != segment.first || !is_ours {
        return Ok(None);
    }
    let mut walk = Walk::of(&header);
    let mut faults = Faults::of(segment.name());
    let mut records = Records::new(header.ledger_id, Some(header.prev_chain));
    let mut digest = blake3::Hasher::new();
    let mut window = Window::of(window_bytes);
    let mut other = Window::of(window_bytes);
    window.read(segment, 0, &[], 0)?;
    walk.at = HEADER_BYTES;
    loop {
        let Some(items) = walk.take(window.bytes()) else {
            return Ok(None);
        };
        let used = walk.at;
        let rest = window.bytes().get(used..).unwrap_or_default();
        let next = window.offset.saturating_add(length(used));
        let (read, hashes) = rayon::join(
            || other.read(segment, next, rest, walk.wanted),
            || {
                let digested = || {
                    if !is_last {
                        digest.update(window.bytes().get(..walk.sealed_at).unwrap_or_default());
                    }
                };
                rayon::join(digested, || {
                    rayon::join(
                        || walk.frames_are_intact(window.bytes()),
                        || Hashes::of(&items, &ask.opener),
                    )
                })
                .1
            },
        );
        let (intact, hashes) = hashes;
        if !intact {
            return Ok(None);
        }
        records.check(&items, &hashes, &mut faults);
        records.leaves.settle(&ask.wanted, &mut faults);
        if !faults.list.is_empty() {
            return Ok(None);
        }
        if !read? {
            // fewer bytes than a frame's head are left: part of the zeros ahead, or damage
            if rest.iter().any(|byte| *byte != 0) {
                return Ok(None);
            }
            walk.bytes = walk.bytes.saturating_add(length(rest.len()));
            break;
        }
        drop(items);
        std::mem::swap(&mut window, &mut other);
        walk.at = 0;
    }
    if !records.leaves.end(&ask.wanted) {
        return Ok(None);
    }
    let content = *digest.finalize().as_bytes();
    let checked = walk.checked(segment.name(), header, records);
    Ok(checked.filter(|(checked, seal)| match seal {
        Some(seal) => !is_last && seal_fits(seal, &content, checked),
        None => is_last,
    }))
    .map(|checked| checked.map(|(checked, _)| checked))
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

fn seal_fits(seal: &Seal, content: &[u8; 32], checked: &Checked) -> bool {
    seal.digest == *content
        && seal.first == checked.first
        && seal.first.checked_add(seal.count) == Some(checked.next)
        && seal.times == checked.times
        && checked.head_chain == Some(seal.head_chain)
}

/// Some bytes of the file.
struct Window {
    /// Bytes read at once.
    size: usize,
    buffer: Vec<u8>,
    filled: usize,
    /// Where in the file they begin.
    offset: u64,
}

impl Window {
    fn of(size: usize) -> Self {
        Self {
            size,
            buffer: Vec::new(),
            filled: 0,
            offset: 0,
        }
    }

    fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.filled).unwrap_or_default()
    }

    /// Takes the bytes from an offset on, the first of which are at hand. `false` when the file
    /// has none but these.
    fn read(
        &mut self,
        segment: &SegmentFile,
        offset: u64,
        carried: &[u8],
        wanted: usize,
    ) -> io::Result<bool> {
        let behind = offset.saturating_add(length(carried.len()));
        // a damaged length may ask for more than there is: never allocate beyond the file
        let left = segment.len()?.saturating_sub(offset);
        let size = wanted.max(self.size).max(carried.len().saturating_add(1));
        let size = size.min(usize::try_from(left).unwrap_or(usize::MAX));
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        }
        let (head, room) = self.buffer.split_at_mut(carried.len().min(size));
        head.copy_from_slice(carried.get(..head.len()).unwrap_or_default());
        let room = room
            .get_mut(..size.saturating_sub(head.len()))
            .unwrap_or_default();
        let read = segment.read_at(room, behind)?;
        self.filled = head.len().saturating_add(read);
        self.offset = offset;
        Ok(read > 0)
    }
}

/// A walk over the frames of a sound segment.
struct Walk {
    first: Position,
    /// Whether its payloads may be pruned, by its header.
    may_lack: bool,
    /// Position of the next record.
    expected: Position,
    batch_first: Position,
    /// Where in the window the next frame begins.
    at: usize,
    /// Bytes of this window that a footer's digest covers.
    sealed_at: usize,
    /// Bytes the next frame needs when the window ends in it.
    wanted: usize,
    /// Whether only zeros follow.
    blank: bool,
    seal: Option<Seal>,
    /// Where in the window each frame begins.
    frames: Vec<usize>,
    first_record: Option<([u8; 256], Vec<u8>)>,
    bytes: u64,
}

impl Walk {
    fn of(header: &Header) -> Self {
        Self {
            first: header.first,
            may_lack: header.pruned,
            expected: header.first,
            batch_first: header.first,
            at: 0,
            sealed_at: 0,
            wanted: 0,
            blank: false,
            seal: None,
            frames: Vec::new(),
            first_record: None,
            bytes: 0,
        }
    }

    /// The records and commits of a window; `None` when a frame is not as written.
    fn take<'b>(&mut self, window: &'b [u8]) -> Option<Vec<Item<'b>>> {
        let mut items = Vec::new();
        self.frames.clear();
        let begin = self.bytes;
        self.wanted = 0;
        while let Some(rest) = window.get(self.at..).filter(|rest| !rest.is_empty()) {
            if self.blank || self.seal.is_some() {
                if self.seal.is_some() || rest.iter().any(|byte| *byte != 0) {
                    return None;
                }
                self.at = window.len();
                break;
            }
            match outline(rest) {
                Parsed::Frame(frame) => {
                    self.frame(&frame, &mut items)?;
                    self.frames.push(self.at);
                    if self.seal.is_some() {
                        self.sealed_at = self.at;
                    }
                    self.at += frame.bytes();
                }
                Parsed::More(needed) => {
                    self.wanted = needed;
                    break;
                }
                Parsed::Blank if rest.len() < FRAME_HEAD_BYTES => break,
                Parsed::Blank => self.blank = true,
                Parsed::Foreign => return None,
            }
        }
        if self.seal.is_none() {
            self.sealed_at = self.at;
        }
        self.bytes = begin.saturating_add(length(self.at));
        Some(items)
    }

    /// Whether the CRC of every frame of the window is the one of its bytes.
    fn frames_are_intact(&self, window: &[u8]) -> bool {
        self.frames.par_chunks(FRAMES_TOGETHER).all(|some| {
            some.iter().all(|at| {
                let bytes = window.get(*at..).unwrap_or_default();
                matches!(outline(bytes), Parsed::Frame(frame) if is_intact(bytes, &frame))
            })
        })
    }

    /// Takes what a frame holds: a record or commit where it is due, or the footer.
    fn frame<'b>(&mut self, frame: &Frame<'b>, items: &mut Vec<Item<'b>>) -> Option<()> {
        match frame.kind {
            Kind::Pruned if !self.may_lack => return None,
            Kind::Record | Kind::Pruned => {
                let (entry, public, private) = frame.record()?;
                let position = self.expected;
                if Entry::peek_position(entry) != position {
                    return None;
                }
                if position == 0 {
                    self.first_record = Some((*entry, public.to_vec()));
                }
                self.expected = position.checked_add(1)?;
                items.push(Item::Record {
                    position,
                    entry,
                    public,
                    private,
                    intact: true,
                });
            }
            Kind::Commit => {
                let commit = Commit::decode(frame.body)?;
                let end = commit.first.checked_add(commit.count)?;
                if commit.first != self.batch_first || end != self.expected {
                    return None;
                }
                self.batch_first = end;
                items.push(Item::Commit {
                    commit,
                    whole: true,
                });
            }
            Kind::Seal => self.seal = Some(Seal::decode(frame.body)?),
        }
        Some(())
    }

    /// What the segment told; `None` when it ends in the middle of a batch or a frame.
    fn checked(
        self,
        name: String,
        header: Header,
        records: Records,
    ) -> Option<(Checked, Option<Seal>)> {
        if self.batch_first != self.expected || self.wanted > 0 {
            return None;
        }
        let checked = Checked {
            name,
            header: Some(header),
            first: self.first,
            next: self.expected,
            head_chain: records.committed_chain,
            sealed: self.seal.is_some(),
            lost: records.lost,
            times: records.times,
            first_time: records.first_time,
            first_record: self.first_record,
            ids: records.ids,
            spans: records.spans.into_sorted(),
            leaves: records.leaves,
            pruned: records.pruned,
            privates: records.privates,
            on_evidence: records.on_evidence,
            bytes: self.bytes,
            faults: Vec::new(),
        };
        Some((checked, self.seal))
    }
}

#[cfg(test)]
mod tests;
