//! A sealed segment in independent zstd frames, for reading at any offset.
//!
//! The form is that of `docs/format.md`, "Packed segments": the zstd seekable format, so that
//! `zstd -d` gives the segment back, with a frame of check sums that other readers skip. What
//! cannot be unpacked reads as [`FILLER`], which is no frame of a segment: damage is then found
//! and told as in a plain file. Deliberately not here: when a segment is packed, see
//! [`crate::pack`].

pub(crate) mod table;

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rayon::prelude::*;
use zstd::bulk::{Compressor, Decompressor};
use zstd::zstd_safe::CParameter;

use super::file::read_file_at;
use table::{CONTENT_BYTES_MAX, Made, Part, Table, UNPACKED_BYTES_MAX};

/// Bytes of the segment in one frame, but the last. Measured on segments of sign-ins at level 1:
/// frames of 64 KiB need 3 % more room, of 1 MiB 1 % less, and a lookup unpacks a whole frame.
const CONTENT_BYTES: usize = 256 << 10;

/// What unreadable content reads as: begins no frame, and is not the zeros behind the last one.
const FILLER: u8 = 0xFF;

/// What of a packed file could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Damage {
    /// Why its table was not believed; the frames were then found one after another.
    pub(crate) table: Option<&'static str>,
    /// Offsets in the segment where frames begin that were asked for and could not be unpacked.
    pub(crate) unreadable: Vec<u64>,
}

/// The table and the frames unpacked last.
pub(crate) struct Packed {
    table: Table,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    decoder: Decompressor<'static>,
    /// Number and content of the frame unpacked last for a part of it.
    kept: Option<usize>,
    content: Vec<u8>,
    packed: Vec<u8>,
    unreadable: BTreeSet<u64>,
}

impl std::fmt::Debug for Packed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Packed")
            .field("table", &self.table)
            .finish_non_exhaustive()
    }
}

impl Packed {
    /// Reads the table of a packed file; finds the frames one after another when it is damaged.
    pub(super) fn open(file: &File) -> io::Result<Self> {
        Ok(Self {
            table: Table::of(file)?,
            state: Mutex::default(),
        })
    }

    /// Bytes of the segment.
    pub(super) fn len(&self) -> u64 {
        self.table.content_bytes()
    }

    /// Reads from `offset` of the segment until the buffer is full or the segment ends.
    pub(super) fn read_at(&self, file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.state();
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            let at = offset.saturating_add(u64::try_from(filled).unwrap_or(u64::MAX));
            let Some((number, part)) = self.table.part_at(at) else {
                break;
            };
            filled += match rest.get_mut(..part.bytes()) {
                Some(whole) if at == part.start && state.kept != Some(number) => {
                    state.unpack(file, part, whole)?;
                    part.bytes()
                }
                _ => state.copy(file, (number, part), at, rest)?,
            };
        }
        Ok(filled)
    }

    /// What could not be read so far; `None` when nothing.
    pub(super) fn damage(&self) -> Option<Damage> {
        let unreadable: Vec<u64> = self.state().unreadable.iter().copied().collect();
        let table = self.table.damage;
        (table.is_some() || !unreadable.is_empty()).then_some(Damage { table, unreadable })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Copies what a frame holds from an offset of the segment on; returns how many bytes.
    fn copy(
        &mut self,
        file: &File,
        (number, part): (usize, &Part),
        at: u64,
        out: &mut [u8],
    ) -> io::Result<usize> {
        if self.kept != Some(number) {
            self.kept = None;
            let mut content = std::mem::take(&mut self.content);
            content.resize(part.bytes(), 0);
            self.unpack(file, part, &mut content)?;
            self.content = content;
            self.kept = Some(number);
        }
        let from = usize::try_from(at - part.start).unwrap_or(usize::MAX);
        let have = self.content.get(from..).unwrap_or_default();
        let bytes = have.len().min(out.len());
        if let (Some(out), Some(have)) = (out.get_mut(..bytes), have.get(..bytes)) {
            out.copy_from_slice(have);
        }
        Ok(bytes)
    }

    /// Unpacks a frame into a buffer of its content's length.
    fn unpack(&mut self, file: &File, part: &Part, out: &mut [u8]) -> io::Result<()> {
        self.packed.resize(part.packed(), 0);
        let read = read_file_at(file, &mut self.packed, part.at)?;
        let is_whole = read == self.packed.len()
            && part
                .crc
                .is_none_or(|crc| crc == crc32fast::hash(&self.packed));
        let unpacked = is_whole.then(|| self.decoder.decompress_to_buffer(&self.packed, out));
        if !matches!(unpacked, Some(Ok(bytes)) if bytes == out.len()) {
            out.fill(FILLER);
            self.unreadable.insert(part.start);
        }
        Ok(())
    }
}

/// Packs the bytes of a segment, on all cores.
///
/// # Errors
/// When there are more than [`UNPACKED_BYTES_MAX`] of them, or none, or zstd refuses the level.
pub(crate) fn pack(content: &[u8], level: i32) -> io::Result<Vec<u8>> {
    let bytes = u64::try_from(content.len()).unwrap_or(u64::MAX);
    if content.is_empty() || bytes > UNPACKED_BYTES_MAX {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let frames: Vec<Vec<u8>> = content
        .par_chunks(CONTENT_BYTES.min(CONTENT_BYTES_MAX))
        .map_init(
            || compressor(level),
            |compressor, content| match compressor {
                Ok(compressor) => compressor.compress(content),
                Err(error) => Err(error.kind().into()),
            },
        )
        .collect::<io::Result<_>>()?;
    let made: Vec<Made> = frames
        .iter()
        .zip(content.chunks(CONTENT_BYTES.min(CONTENT_BYTES_MAX)))
        .map(|(frame, content)| Made::of(frame, content))
        .collect();
    let mut packed = frames.concat();
    Table::write(&made, &mut packed).ok_or(io::ErrorKind::InvalidInput)?;
    Ok(packed)
}

fn compressor(level: i32) -> io::Result<Compressor<'static>> {
    let mut compressor = Compressor::new(level)?;
    compressor.set_parameter(CParameter::ChecksumFlag(true))?;
    compressor.set_parameter(CParameter::ContentSizeFlag(true))?;
    Ok(compressor)
}

#[cfg(test)]
mod tests;
