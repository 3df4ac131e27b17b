//! Segment files: names and positioned reads.
//!
//! Everything reads a segment through [`SegmentFile`], which is a plain file or a packed one.

use std::fs::File;
use std::io;
use std::path::Path;

use super::frame::{HEADER_BYTES, Header};
use super::packed::{Damage, Packed};
use crate::event::Position;

/// Ending of a segment file's name.
const ENDING: &str = ".seg";

/// What follows it in the name of a packed one.
const PACKED_ENDING: &str = ".zst";

/// Times that both names of a segment are tried: one is replaced by the other while it is packed
/// or unpacked, and a reader may look for each just when it is not there.
const TRIES: usize = 4;

/// Bytes read at once. Large reads are what makes a scan run at memory speed.
pub(super) const READ_BYTES: usize = 512 << 10;

/// Name of the segment whose first record has that position.
pub(crate) fn name_of(first: Position) -> String {
    format!("{first:020}{ENDING}")
}

/// Name of that segment when it is packed.
pub(crate) fn packed_name_of(first: Position) -> String {
    format!("{first:020}{ENDING}{PACKED_ENDING}")
}

/// First position by a segment file's name, packed or not; `None` for any other name.
pub(crate) fn position_of(name: &str) -> Option<Position> {
    let digits = name
        .strip_suffix(PACKED_ENDING)
        .unwrap_or(name)
        .strip_suffix(ENDING)?;
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
    firsts.dedup();
    Ok(firsts)
}

/// Whether a segment is there, packed or not.
pub(crate) fn is_there(dir: &Path, first: Position) -> bool {
    dir.join(name_of(first)).exists() || dir.join(packed_name_of(first)).exists()
}

/// An open segment. Offsets and lengths are those of the segment, also when its file is packed.
#[derive(Debug)]
pub(crate) struct SegmentFile {
    /// For the writer, of a segment that is not packed; all others read by [`Self::read_at`].
    pub(crate) file: File,
    /// Position its name tells.
    pub(crate) first: Position,
    packed: Option<Packed>,
}

impl SegmentFile {
    /// Opens a segment for reading: the plain file, or the packed one when there is no plain one.
    pub(crate) fn open(dir: &Path, first: Position) -> io::Result<Self> {
        let mut tries = 1;
        loop {
            match Self::open_plain(dir, first) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                other => return other,
            }
            match Self::open_packed(dir, first) {
                Err(error) if error.kind() == io::ErrorKind::NotFound && tries < TRIES => {
                    tries += 1;
                }
                other => return other,
            }
        }
    }

    /// Opens the plain file of a segment for reading.
    pub(crate) fn open_plain(dir: &Path, first: Position) -> io::Result<Self> {
        let file = File::open(dir.join(name_of(first)))?;
        Ok(Self {
            file,
            first,
            packed: None,
        })
    }

    /// A plain segment under any name.
    pub(crate) fn of_plain(file: File, first: Position) -> Self {
        Self {
            file,
            first,
            packed: None,
        }
    }

    /// Opens the packed file of a segment for reading.
    pub(crate) fn open_packed(dir: &Path, first: Position) -> io::Result<Self> {
        Self::of_packed(File::open(dir.join(packed_name_of(first)))?, first)
    }

    /// A packed segment under any name.
    pub(crate) fn of_packed(file: File, first: Position) -> io::Result<Self> {
        let packed = Some(Packed::open(&file)?);
        Ok(Self {
            file,
            first,
            packed,
        })
    }

    /// Opens a segment for reading and writing; a packed one, which never changes, for reading.
    pub(crate) fn open_for_writing(dir: &Path, first: Position) -> io::Result<Self> {
        let path = dir.join(name_of(first));
        match File::options().read(true).write(true).open(path) {
            Ok(file) => Ok(Self {
                file,
                first,
                packed: None,
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Self::open(dir, first),
            Err(error) => Err(error),
        }
    }

    /// The file's name, for messages.
    pub(crate) fn name(&self) -> String {
        match self.packed {
            Some(_) => packed_name_of(self.first),
            None => name_of(self.first),
        }
    }

    /// Whether the file is packed. Only sealed segments are.
    pub(crate) fn is_packed(&self) -> bool {
        self.packed.is_some()
    }

    /// What of a packed file could not be read so far; `None` when nothing.
    pub(crate) fn damage(&self) -> Option<Damage> {
        self.packed.as_ref().and_then(Packed::damage)
    }

    /// Bytes of the segment.
    pub(crate) fn len(&self) -> io::Result<u64> {
        match &self.packed {
            Some(packed) => Ok(packed.len()),
            None => Ok(self.file.metadata()?.len()),
        }
    }

    /// Reads from `offset` until the buffer is full or the segment ends; returns how many bytes.
    pub(crate) fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        match &self.packed {
            Some(packed) => packed.read_at(&self.file, buffer, offset),
            None => read_file_at(&self.file, buffer, offset),
        }
    }

    /// Reads the whole segment into a buffer.
    pub(crate) fn read_whole(&self, buffer: &mut Vec<u8>) -> io::Result<()> {
        let length = usize::try_from(self.len()?).unwrap_or(usize::MAX);
        buffer.resize(length, 0);
        let read = self.read_at(buffer, 0)?;
        buffer.truncate(read);
        Ok(())
    }

    /// Reads the header; `None` when it is not as written.
    ///
    /// # Errors
    /// Of kind `Unsupported` when a newer version of the program wrote it.
    pub(crate) fn header(&self) -> io::Result<Option<Header>> {
        let mut bytes = [0; HEADER_BYTES];
        let read = self.read_at(&mut bytes, 0)?;
        let bytes = bytes.get(..read).unwrap_or_default();
        match Header::newer_version(bytes) {
            Some(version) => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                format!(
                    "the segment has format version {version}; a newer version of this program wrote it, and reads it"
                ),
            )),
            None => Ok(Header::decode(bytes)),
        }
    }
}

/// Reads from `offset` until the buffer is full or the file ends; returns how many bytes.
pub(crate) fn read_file_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
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

/// Writes all bytes at `offset`.
pub(crate) fn write_at(file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..)
        && !rest.is_empty()
    {
        let at = offset.saturating_add(u64::try_from(written).unwrap_or(u64::MAX));
        match write_some(file, rest, at) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(more) => written += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(unix)]
fn write_some(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::write_at(file, bytes, offset)
}

#[cfg(windows)]
fn write_some(file: &File, bytes: &[u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_write(file, bytes, offset)
}

/// Whether every byte from `offset` to the end of the segment is zero; else where the last other is.
pub(crate) fn last_nonzero(segment: &SegmentFile, offset: u64) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; READ_BYTES];
    let mut at = offset;
    let mut last = None;
    loop {
        let read = segment.read_at(&mut buffer, at)?;
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
        assert_eq!(position_of(&packed_name_of(12)), Some(12));
        assert_eq!(packed_name_of(12), "00000000000000000012.seg.zst");
        for name in [
            "12.seg",
            "0000000000000000001x.seg",
            "00000000000000000012.torn",
            "00000000000000000012.zst",
            "00000000000000000012.seg.zst.tmp",
        ] {
            assert_eq!(position_of(name), None);
        }
    }
}
