//! Reading frame after frame of a segment.
//!
//! Who reads on gets the next bytes read ahead, and the checksums of many frames checked together,
//! on other threads while there are any idle.

use std::io;

use rayon::prelude::*;

use super::file::{READ_BYTES, SegmentFile};
use super::frame::{FRAME_HEAD_BYTES, Frame, Parsed, is_intact, outline, parse};

/// Room before what is read ahead, for the part of a frame that ends the bytes before it.
const ROOM_BYTES: usize = 64 << 10;

/// Frames whose checksums are checked in one go.
const FRAMES_TOGETHER: usize = 128;

/// Reads frame after frame of a segment.
pub(crate) struct Frames<'f> {
    segment: &'f SegmentFile,
    buffer: Vec<u8>,
    /// What of the buffer is filled and not yet used.
    start: usize,
    end: usize,
    /// Frames that begin before this index of the buffer are intact.
    checked: usize,
    /// Offset in the file of `start`.
    offset: u64,
    /// Whether the buffer reaches to the end of the file.
    at_end: bool,
    ahead: Option<Ahead>,
}

/// Bytes that follow those of the buffer.
struct Ahead {
    /// Begins with the room.
    buffer: Vec<u8>,
    read: usize,
    at_end: bool,
}

/// One step of reading.
#[derive(Debug)]
pub(crate) enum Step<'a> {
    /// A frame with a matching CRC, at that offset.
    Frame(u64, Frame<'a>),
    /// No frame: the file ends here or zeros begin.
    Blank,
    /// Bytes that are no intact frame.
    Damaged,
}

impl<'f> Frames<'f> {
    /// Starts at an offset where a frame begins.
    pub(crate) fn new(segment: &'f SegmentFile, offset: u64) -> Self {
        Self {
            segment,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            checked: 0,
            offset,
            at_end: false,
            ahead: None,
        }
    }

    /// Offset of the next frame.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Reads the next frame.
    pub(crate) fn next(&mut self) -> io::Result<Step<'_>> {
        let (kind, bytes) = loop {
            let have = self.buffer.get(self.start..self.end).unwrap_or_default();
            let is_checked = self.start < self.checked;
            let found = if is_checked {
                outline(have)
            } else {
                parse(have)
            };
            let wanted = match found {
                Parsed::Frame(frame) if is_checked || frame.intact => {
                    break (frame.kind, frame.bytes());
                }
                Parsed::Frame(_) | Parsed::Foreign => return Ok(Step::Damaged),
                Parsed::Blank if self.at_end || have.len() >= FRAME_HEAD_BYTES => {
                    return Ok(if have.iter().all(|byte| *byte == 0) {
                        Step::Blank
                    } else {
                        Step::Damaged
                    });
                }
                Parsed::More(_) if self.at_end => return Ok(Step::Damaged),
                Parsed::More(needed) => needed,
                Parsed::Blank => READ_BYTES,
            };
            if !self.take_ahead(wanted)? {
                self.fill(wanted)?;
            }
        };
        let offset = self.offset;
        let body = self.start + FRAME_HEAD_BYTES..self.start + bytes;
        self.start += bytes;
        self.offset += length(bytes);
        let frame = Frame {
            kind,
            body: self.buffer.get(body).unwrap_or_default(),
            intact: true,
        };
        Ok(Step::Frame(offset, frame))
    }

    /// Makes at least `wanted` bytes available, or all there are.
    fn fill(&mut self, wanted: usize) -> io::Result<()> {
        // A damaged length may ask for more than there is: never allocate beyond the file.
        let left = self.left(self.offset)?;
        let target = wanted.max(READ_BYTES).min(left);
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        self.checked = 0;
        if self.buffer.len() < target {
            self.buffer.resize(target, 0);
        }
        let from = self.offset + length(self.end);
        let room = self.buffer.get_mut(self.end..target).unwrap_or_default();
        let asked = room.len();
        let read = self.segment.read_at(room, from)?;
        self.end += read;
        self.at_end = target == left || read < asked;
        if !self.at_end {
            // a second read shows that somebody reads on
            self.ahead = Some(Ahead {
                buffer: Vec::new(),
                read: 0,
                at_end: false,
            });
        }
        Ok(())
    }

    fn left(&self, offset: u64) -> io::Result<usize> {
        let length = self.segment.len()?;
        Ok(usize::try_from(length.saturating_sub(offset)).unwrap_or(usize::MAX))
    }

    /// Goes on with what was read ahead, reads ahead again, and meanwhile checks the frames there
    /// are. `false` when that does not make enough available.
    fn take_ahead(&mut self, wanted: usize) -> io::Result<bool> {
        let Some(mut ahead) = self.ahead.take() else {
            return Ok(false);
        };
        if ahead.read == 0 {
            ahead.read_from(self.segment, self.offset + length(self.end - self.start))?;
        }
        let rest = self.buffer.get(self.start..self.end).unwrap_or_default();
        if rest.len() > ROOM_BYTES || rest.len() + ahead.read < wanted || ahead.read == 0 {
            return Ok(false);
        }
        let begin = ROOM_BYTES - rest.len();
        if let Some(room) = ahead.buffer.get_mut(begin..ROOM_BYTES) {
            room.copy_from_slice(rest);
        }
        std::mem::swap(&mut self.buffer, &mut ahead.buffer);
        (self.start, self.end) = (begin, ROOM_BYTES + ahead.read);
        self.at_end = ahead.at_end;
        let have = self.buffer.get(begin..self.end).unwrap_or_default();
        let next = self.offset + length(have.len());
        let segment = self.segment;
        let (read, checked) = rayon::join(
            || {
                if self.at_end {
                    Ok(None)
                } else {
                    ahead.read_from(segment, next).map(|()| Some(ahead))
                }
            },
            || intact(have),
        );
        self.checked = begin + checked;
        self.ahead = read?;
        Ok(true)
    }
}

impl Ahead {
    fn read_from(&mut self, segment: &SegmentFile, offset: u64) -> io::Result<()> {
        self.buffer.resize(ROOM_BYTES + READ_BYTES, 0);
        let room = self.buffer.get_mut(ROOM_BYTES..).unwrap_or_default();
        self.read = segment.read_at(room, offset)?;
        self.at_end = self.read < READ_BYTES || offset + length(self.read) >= segment.len()?;
        Ok(())
    }
}

/// Bytes of the frames at the start of some bytes, when all that are whole are intact; else 0, and
/// each is checked when it is read.
fn intact(bytes: &[u8]) -> usize {
    let mut starts = Vec::with_capacity(bytes.len() / 512);
    let mut at = 0;
    while let Some(rest) = bytes.get(at..)
        && let Parsed::Frame(frame) = outline(rest)
    {
        starts.push(at);
        at += frame.bytes();
    }
    let are_intact = starts.par_chunks(FRAMES_TOGETHER).all(|some| {
        some.iter().all(|start| {
            let rest = bytes.get(*start..).unwrap_or_default();
            matches!(outline(rest), Parsed::Frame(frame) if is_intact(rest, &frame))
        })
    });
    if are_intact { at } else { 0 }
}

fn length(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}
