//! The end of a packed segment: check sums and the seek table of the zstd seekable format 0.1.0
//! (facebook/zstd, `contrib/seekable_format`). Both are skippable frames (RFC 8878, section 3.1.2).
//! Numbers in them are little-endian, as everywhere in zstd.

use std::fs::File;
use std::io;

use zstd::zstd_safe::{find_frame_compressed_size, get_frame_content_size};

use crate::entry::Fields;
use crate::segment::file::read_file_at;

/// Most bytes of a segment in one frame: what a reader must be ready to hold.
pub(crate) const CONTENT_BYTES_MAX: usize = 1 << 20;

/// Most bytes of a segment that is packed: four times the length at which a segment is sealed.
/// A few thousand packed bytes could otherwise ask for any amount of memory.
pub(crate) const UNPACKED_BYTES_MAX: u64 = 256 << 20;

/// Most packed bytes of a frame. zstd adds less than a hundredth to what it cannot pack.
const PACKED_BYTES_MAX: usize = CONTENT_BYTES_MAX + (CONTENT_BYTES_MAX >> 4);

/// Most frames of a packed file: with the usual 256 KiB in each, 1,024 reach the length allowed.
const FRAMES_MAX: usize = 1 << 16;

/// Skippable frame with the check sums.
const SUMS_MAGIC: u32 = 0x184D_2A50;

/// First bytes of the body of that frame.
const SUMS_NAME: [u8; 8] = *b"DAYBKPAK";

/// Skippable frame with the seek table, and the bytes that end the file.
const TABLE_MAGIC: u32 = 0x184D_2A5E;
const SEEKABLE_MAGIC: u32 = 0x8F92_EAB1;

/// Bytes of a skippable frame's head: magic and length.
const HEAD_BYTES: usize = 8;

/// Bytes behind the entries of the seek table: their number, a descriptor, the last magic.
const FOOTER_BYTES: usize = 9;

/// A frame that was packed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Made {
    packed: u32,
    bytes: u32,
    crc: u32,
}

impl Made {
    pub(super) fn of(frame: &[u8], content: &[u8]) -> Self {
        Self {
            packed: u32::try_from(frame.len()).unwrap_or(u32::MAX),
            bytes: u32::try_from(content.len()).unwrap_or(u32::MAX),
            crc: crc32fast::hash(frame),
        }
    }
}

/// A frame in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    /// Offset in the file.
    pub(super) at: u64,
    packed: u32,
    /// Offset in the segment.
    pub(super) start: u64,
    bytes: u32,
    /// CRC-32 of the packed bytes, when the table tells.
    pub(super) crc: Option<u32>,
}

impl Part {
    pub(super) fn packed(&self) -> usize {
        usize::try_from(self.packed).unwrap_or(usize::MAX)
    }

    pub(super) fn bytes(&self) -> usize {
        usize::try_from(self.bytes).unwrap_or(usize::MAX)
    }

    fn end(&self) -> u64 {
        self.start + u64::from(self.bytes)
    }
}

/// Where the frames lie. INVARIANT: none is empty or longer than the limits above, and each
/// follows the one before in the file and in the segment.
#[derive(Debug)]
pub(super) struct Table {
    parts: Vec<Part>,
    /// Why the stored table was not believed.
    pub(super) damage: Option<&'static str>,
}

impl Table {
    /// The table of a file; of the frames that can be found when the stored one is damaged.
    pub(super) fn of(file: &File) -> io::Result<Self> {
        let length = file.metadata()?.len();
        match Self::read(file, length)? {
            Ok(parts) => Ok(Self {
                parts,
                damage: None,
            }),
            Err(damage) => Ok(Self {
                parts: found(file, length)?,
                damage: Some(damage),
            }),
        }
    }

    pub(super) fn content_bytes(&self) -> u64 {
        self.parts.last().map_or(0, Part::end)
    }

    /// The frame that holds an offset of the segment, and its number.
    pub(super) fn part_at(&self, offset: u64) -> Option<(usize, &Part)> {
        let number = self.parts.partition_point(|part| part.end() <= offset);
        self.parts.get(number).map(|part| (number, part))
    }

    /// Appends the check sums and the table to the packed frames. `None` when there are too many.
    pub(super) fn write(made: &[Made], out: &mut Vec<u8>) -> Option<()> {
        if made.len() > FRAMES_MAX {
            return None;
        }
        let sums_bytes = sums_bytes(made.len());
        let mut sums = Vec::with_capacity(sums_bytes);
        sums.extend_from_slice(&SUMS_MAGIC.to_le_bytes());
        sums.extend_from_slice(&word(sums_bytes - HEAD_BYTES)?);
        sums.extend_from_slice(&SUMS_NAME);
        for one in made {
            sums.extend_from_slice(&one.crc.to_le_bytes());
        }
        let mut table = Vec::new();
        table.extend_from_slice(&TABLE_MAGIC.to_le_bytes());
        table.extend_from_slice(&word((made.len() + 1) * 8 + FOOTER_BYTES)?);
        for one in made {
            table.extend_from_slice(&one.packed.to_le_bytes());
            table.extend_from_slice(&one.bytes.to_le_bytes());
        }
        table.extend_from_slice(&word(sums_bytes)?);
        table.extend_from_slice(&[0; 4]);
        table.extend_from_slice(&word(made.len() + 1)?);
        table.push(0);
        table.extend_from_slice(&SEEKABLE_MAGIC.to_le_bytes());
        let crc = checksum(&sums, &table);
        sums.extend_from_slice(&crc.to_le_bytes());
        out.extend_from_slice(&sums);
        out.extend_from_slice(&table);
        Some(())
    }

    /// Reads the stored table strictly: every byte of the file is accounted for.
    fn read(file: &File, length: u64) -> io::Result<Result<Vec<Part>, &'static str>> {
        let mut footer = [0; FOOTER_BYTES];
        let footer_at = length.saturating_sub(FOOTER_BYTES as u64);
        if read_file_at(file, &mut footer, footer_at)? < FOOTER_BYTES {
            return Ok(Err("the file is too short"));
        }
        let mut fields = Fields(&footer);
        let frames = u32::from_le_bytes(fields.take());
        let [descriptor] = fields.take();
        if u32::from_le_bytes(fields.take()) != SEEKABLE_MAGIC || descriptor != 0 {
            return Ok(Err("the file does not end with a seek table"));
        }
        let frames = usize::try_from(frames).unwrap_or(usize::MAX);
        if !(2..=FRAMES_MAX + 1).contains(&frames) {
            return Ok(Err("the seek table counts no frames, or too many"));
        }
        let sums = sums_bytes(frames - 1);
        let tail = sums + HEAD_BYTES + frames * 8 + FOOTER_BYTES;
        let tail_at = length.saturating_sub(u64::try_from(tail).unwrap_or(u64::MAX));
        let mut bytes = vec![0; tail];
        if read_file_at(file, &mut bytes, tail_at)? < tail {
            return Ok(Err("the seek table is cut"));
        }
        let (sums, table) = bytes.split_at(sums);
        Ok(parts_of(sums, table, tail_at))
    }
}

/// The frames that check sums and table tell of; they must fill the file up to `end`.
fn parts_of(sums: &[u8], table: &[u8], end: u64) -> Result<Vec<Part>, &'static str> {
    const TORN: &str = "the seek table is not as written";
    let (sums, crc) = sums.split_last_chunk::<4>().ok_or(TORN)?;
    if checksum(sums, table) != u32::from_le_bytes(*crc) {
        return Err(TORN);
    }
    let (head, crcs) = sums.split_first_chunk::<16>().ok_or(TORN)?;
    let mut fields = Fields(head);
    let (magic, length) = (
        u32::from_le_bytes(fields.take()),
        u32::from_le_bytes(fields.take()),
    );
    let is_ours = magic == SUMS_MAGIC && fields.take::<8>() == SUMS_NAME;
    let (table_head, entries) = table.split_first_chunk::<HEAD_BYTES>().ok_or(TORN)?;
    let mut fields = Fields(table_head);
    let is_table = u32::from_le_bytes(fields.take()) == TABLE_MAGIC;
    let (crcs, _) = crcs.as_chunks::<4>();
    let (entries, _) = entries.as_chunks::<8>();
    let lengths = [length, u32::from_le_bytes(fields.take())];
    let due = [sums.len() + 4 - HEAD_BYTES, table.len() - HEAD_BYTES];
    if !is_ours || !is_table || lengths.map(|one| usize::try_from(one).ok()) != due.map(Some) {
        return Err(TORN);
    }
    let mut parts: Vec<Part> = Vec::with_capacity(crcs.len());
    let (mut at, mut start) = (0_u64, 0_u64);
    for (entry, crc) in entries.iter().zip(crcs) {
        let mut fields = Fields(entry);
        let part = Part {
            at,
            packed: u32::from_le_bytes(fields.take()),
            start,
            bytes: u32::from_le_bytes(fields.take()),
            crc: Some(u32::from_le_bytes(*crc)),
        };
        let is_fine = (1..=PACKED_BYTES_MAX).contains(&part.packed())
            && (1..=CONTENT_BYTES_MAX).contains(&part.bytes());
        at += u64::from(part.packed);
        start = part.end();
        if !is_fine || start > UNPACKED_BYTES_MAX {
            return Err("the seek table tells of a frame or a segment that is too long");
        }
        parts.push(part);
    }
    let sums_entry = entries.get(crcs.len()).map(|entry| entry.split_at(4));
    let sums_length = u32::try_from(sums.len() + 4).unwrap_or(u32::MAX);
    if at != end || sums_entry != Some((&sums_length.to_le_bytes()[..], &[0; 4][..])) {
        return Err("the seek table tells of other frames than there are");
    }
    Ok(parts)
}

/// Finds frame after frame from the beginning, up to the first that is none.
fn found(file: &File, length: u64) -> io::Result<Vec<Part>> {
    let mut parts: Vec<Part> = Vec::new();
    let (mut at, mut start) = (0_u64, 0_u64);
    let room = u64::try_from(4 * PACKED_BYTES_MAX).unwrap_or(u64::MAX);
    let mut window = vec![0; usize::try_from(length.min(room)).unwrap_or(0)];
    loop {
        let read = read_file_at(file, &mut window, at)?;
        let mut rest = window.get(..read).unwrap_or_default();
        let before = parts.len();
        while let Some((packed, bytes)) = frame_at(rest) {
            let end = start + u64::from(bytes);
            if end > UNPACKED_BYTES_MAX || parts.len() >= FRAMES_MAX {
                return Ok(parts);
            }
            parts.push(Part {
                at,
                packed,
                start,
                bytes,
                crc: None,
            });
            at += u64::from(packed);
            start = end;
            let used = usize::try_from(packed).unwrap_or(usize::MAX);
            rest = rest.get(used..).unwrap_or_default();
        }
        if parts.len() == before {
            return Ok(parts);
        }
    }
}

/// Packed and unpacked length of the zstd frame at the start of some bytes.
fn frame_at(bytes: &[u8]) -> Option<(u32, u32)> {
    let content = get_frame_content_size(bytes).ok()??;
    let content = usize::try_from(content).ok()?;
    let packed = find_frame_compressed_size(bytes).ok()?;
    let is_fine =
        (1..=PACKED_BYTES_MAX).contains(&packed) && (1..=CONTENT_BYTES_MAX).contains(&content);
    is_fine
        .then(|| Some((u32::try_from(packed).ok()?, u32::try_from(content).ok()?)))
        .flatten()
}

/// Bytes of the skippable frame with that many check sums and the one over itself and the table.
fn sums_bytes(frames: usize) -> usize {
    HEAD_BYTES + SUMS_NAME.len() + frames * 4 + 4
}

fn word(number: usize) -> Option<[u8; 4]> {
    u32::try_from(number).ok().map(u32::to_le_bytes)
}

fn checksum(sums: &[u8], table: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(sums);
    hasher.update(table);
    hasher.finalize()
}
