//! Segment files: names, positioned reads and reading frame after frame.

use std::fs::File;
use std::io;
use std::path::Path;

use super::frame::{FRAME_HEAD_BYTES, Frame, HEADER_BYTES, Header, Parsed, parse};
use crate::event::Position;

/// Ending of a segment file's name.
const ENDING: &str = ".seg";

/// Bytes read at once. Large reads are what makes a scan run at memory speed.
const READ_BYTES: usize = 512 << 10;

/// Name of the segment whose first record has that position.
pub(crate) fn name_of(first: Position) -> String {
    format!("{first:020}{ENDING}")
}

/// First position by a segment file's name, `None` for any other name.
fn position_of(name: &str) -> Option<Position> {
    let digits = name.strip_suffix(ENDING)?;
    let plain = digits.len() == 20 && digits.bytes().all(|digit| digit.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// First positions of the segments in a folder, ascending.
pub(crate) fn list(dir: &Path) -> io::Result<Vec<Position>> {
    let mut firsts = Vec::new();
    for item in std::fs::read_dir(dir)? {
        if let Some(first) = item?.file_name().to_str().and_then(position_of) {
            firsts.push(first);
        }
    }
    firsts.sort_unstable();
    Ok(firsts)
}

/// An open segment file.
#[derive(Debug)]
pub(crate) struct SegmentFile {
    pub(crate) file: File,
    /// Position its name tells.
    pub(crate) first: Position,
}

impl SegmentFile {
    /// Opens a segment for reading.
    pub(crate) fn open(dir: &Path, first: Position) -> io::Result<Self> {
        let file = File::open(dir.join(name_of(first)))?;
        Ok(Self { file, first })
    }

    /// Opens a segment for reading and writing.
    pub(crate) fn open_for_writing(dir: &Path, first: Position) -> io::Result<Self> {
        let path = dir.join(name_of(first));
        let file = File::options().read(true).write(true).open(path)?;
        Ok(Self { file, first })
    }

    /// The file's name, for messages.
    pub(crate) fn name(&self) -> String {
        name_of(self.first)
    }

    /// Reads the header; `None` when it is not as written.
    pub(crate) fn header(&self) -> io::Result<Option<Header>> {
        let mut bytes = [0; HEADER_BYTES];
        let read = read_at(&self.file, &mut bytes, 0)?;
        Ok(bytes.get(..read).and_then(Header::decode))
    }
}

/// Reads from `offset` until the buffer is full or the file ends; returns how many bytes.
pub(crate) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..)
        && !rest.is_empty()
    {
        let at = offset.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
        match read_some(file, rest, at) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

#[cfg(unix)]
fn read_some(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, offset)
}

#[cfg(windows)]
fn read_some(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, offset)
}

/// Reads frame after frame of a file.
pub(crate) struct Frames<'f> {
    file: &'f File,
    buffer: Vec<u8>,
    /// What of the buffer is filled and not yet used.
    start: usize,
    end: usize,
    /// Offset in the file of `start`.
    offset: u64,
    /// Whether the buffer reaches to the end of the file.
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
    pub(crate) fn new(file: &'f File, offset: u64) -> Self {
        Self {
            file,
            buffer: Vec::new(),
            start: 0,
            end: 0,
            offset,
            at_end: false,
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
            let wanted = match parse(have) {
                Parsed::Frame(frame) if frame.intact => break (frame.kind, frame.bytes()),
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
            self.fill(wanted)?;
        };
        let offset = self.offset;
        let body = self.start + FRAME_HEAD_BYTES..self.start + bytes;
        self.start += bytes;
        self.offset += u64::try_from(bytes).unwrap_or(u64::MAX);
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
        let length = self.file.metadata()?.len();
        let left = usize::try_from(length.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let target = wanted.max(READ_BYTES).min(left);
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < target {
            self.buffer.resize(target, 0);
        }
        let from = self.offset + u64::try_from(self.end).unwrap_or(u64::MAX);
        let room = self.buffer.get_mut(self.end..target).unwrap_or_default();
        let asked = room.len();
        let read = read_at(self.file, room, from)?;
        self.end += read;
        self.at_end = target == left || read < asked;
        Ok(())
    }
}

/// Whether every byte from `offset` to the end of the file is zero; else where the last other is.
pub(crate) fn last_nonzero(file: &File, offset: u64) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; READ_BYTES];
    let mut at = offset;
    let mut last = None;
    loop {
        let read = read_at(file, &mut buffer, at)?;
        let Some(bytes) = buffer.get(..read).filter(|bytes| !bytes.is_empty()) else {
            return Ok(last);
        };
        if let Some(found) = bytes.iter().rposition(|byte| *byte != 0) {
            last = Some(at + u64::try_from(found).unwrap_or(u64::MAX));
        }
        at += u64::try_from(read).unwrap_or(u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_twenty_digits_name_a_segment() {
        assert_eq!(position_of(&name_of(12)), Some(12));
        assert_eq!(name_of(12), "00000000000000000012.seg");
        for name in [
            "12.seg",
            "0000000000000000001x.seg",
            "00000000000000000012.torn",
        ] {
            assert_eq!(position_of(name), None);
        }
    }
}
