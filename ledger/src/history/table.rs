//! A sorted table in a file: pages of rows of one width, each page with its own checksum.
//!
//! Rows are sorted by their bytes; their first eight bytes, read as a number, are the key. The
//! first key of each page and a filter over all keys are held in memory, so that a lookup reads
//! one page or none.

use std::fs::File;
use std::io::{self, Write};

use super::filter::Filter;
use crate::segment::file::read_file_at;

/// Bytes of a page.
pub(super) const PAGE_BYTES: usize = 4_096;

/// Bytes of a page's checksum, its last.
const CRC_BYTES: usize = 4;

/// Bytes of a key.
const KEY_BYTES: usize = 8;

/// The key of a row, or of whatever begins like one.
pub(super) fn key_of(bytes: &[u8]) -> u64 {
    bytes
        .first_chunk::<KEY_BYTES>()
        .map_or(0, |key| u64::from_be_bytes(*key))
}

/// Where a table lies in its file, and what of it is held in memory.
#[derive(Debug)]
pub(super) struct Table {
    /// Offset of the first page.
    offset: u64,
    /// Bytes of a row.
    width: usize,
    rows: u64,
    /// First key of each page.
    fences: Vec<u64>,
    filter: Filter,
}

fn rows_a_page(width: usize) -> usize {
    (PAGE_BYTES - CRC_BYTES) / width
}

/// Bytes of the pages of a table.
pub(super) fn pages_length(rows: u64, width: usize) -> Option<u64> {
    let pages = rows.div_ceil(u64::try_from(rows_a_page(width)).ok()?);
    pages.checked_mul(u64::try_from(PAGE_BYTES).ok()?)
}

/// Reads a whole page; an error of kind `InvalidData` when it is not as written.
fn read_page(file: &File, offset: u64, page: &mut [u8; PAGE_BYTES]) -> io::Result<()> {
    let read = read_file_at(file, page, offset)?;
    let (content, crc) = page.split_at(PAGE_BYTES - CRC_BYTES);
    if read == PAGE_BYTES && crc32fast::hash(content).to_be_bytes() == crc {
        Ok(())
    } else {
        Err(io::ErrorKind::InvalidData.into())
    }
}

impl Table {
    /// A table whose pages begin at `offset`; `memory` is what [`TableWriter::finish`] gave.
    /// `None` when the two do not belong together.
    pub(super) fn of(offset: u64, width: usize, rows: u64, memory: &[u8]) -> Option<Self> {
        let pages = rows.div_ceil(u64::try_from(rows_a_page(width)).ok()?);
        let fences = usize::try_from(pages).ok()?.checked_mul(KEY_BYTES)?;
        let (fences, filter) = memory.split_at_checked(fences)?;
        Some(Self {
            offset,
            width,
            rows,
            fences: fences
                .as_chunks()
                .0
                .iter()
                .map(|fence| u64::from_be_bytes(*fence))
                .collect(),
            filter: Filter::read(filter)?,
        })
    }

    fn offset_of(&self, page: usize) -> u64 {
        let bytes = page.saturating_mul(PAGE_BYTES);
        self.offset
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX))
    }

    /// How many rows a page has.
    fn rows_of(&self, page: usize) -> usize {
        let before = page.saturating_mul(rows_a_page(self.width));
        let left = usize::try_from(self.rows)
            .unwrap_or(usize::MAX)
            .saturating_sub(before);
        left.min(rows_a_page(self.width))
    }

    /// Shows every row with a key.
    pub(super) fn find(
        &self,
        file: &File,
        key: u64,
        each: &mut dyn FnMut(&[u8]),
    ) -> io::Result<()> {
        if !self.filter.may_have(key) {
            return Ok(());
        }
        // rows with the key may begin in the page before the first that begins with it
        let after = self.fences.partition_point(|fence| *fence < key);
        let mut bytes = [0; PAGE_BYTES];
        for page in after.saturating_sub(1)..self.fences.len() {
            if self.fences.get(page).is_none_or(|fence| *fence > key) {
                break;
            }
            read_page(file, self.offset_of(page), &mut bytes)?;
            let rows = bytes.chunks_exact(self.width).take(self.rows_of(page));
            for row in rows.skip_while(|row| key_of(row) < key) {
                if key_of(row) > key {
                    return Ok(());
                }
                each(row);
            }
        }
        Ok(())
    }

    /// Every row, in order.
    pub(super) fn rows<'f>(&'f self, file: &'f File) -> Rows<'f> {
        Rows {
            table: self,
            file,
            bytes: Box::new([0; PAGE_BYTES]),
            page: 0,
            row: 0,
        }
    }

    pub(super) fn len(&self) -> u64 {
        self.rows
    }
}

/// Reads the rows of a table in order.
pub(super) struct Rows<'f> {
    table: &'f Table,
    file: &'f File,
    bytes: Box<[u8; PAGE_BYTES]>,
    page: usize,
    row: usize,
}

impl Rows<'_> {
    /// The next row; `None` behind the last.
    pub(super) fn next(&mut self) -> io::Result<Option<&[u8]>> {
        if self.row == self.table.rows_of(self.page) {
            self.page += usize::from(self.row > 0);
            self.row = 0;
        }
        if self.row == 0 {
            if self.table.rows_of(self.page) == 0 {
                return Ok(None);
            }
            read_page(self.file, self.table.offset_of(self.page), &mut self.bytes)?;
        }
        let at = self.row.saturating_mul(self.table.width);
        self.row += 1;
        Ok(self.bytes.get(at..at.saturating_add(self.table.width)))
    }
}

/// Writes the rows of a table, which come in order.
pub(super) struct TableWriter {
    width: usize,
    page: Vec<u8>,
    rows: u64,
    fences: Vec<u8>,
    filter: Filter,
}

impl TableWriter {
    /// For rows of a width, at most that many.
    pub(super) fn new(width: usize, rows_max: u64) -> Self {
        Self {
            width,
            page: Vec::with_capacity(PAGE_BYTES),
            rows: 0,
            fences: Vec::new(),
            filter: Filter::for_keys(rows_max),
        }
    }

    pub(super) fn push(&mut self, row: &[u8], out: &mut impl Write) -> io::Result<()> {
        if self.page.is_empty() {
            self.fences.extend_from_slice(&key_of(row).to_be_bytes());
        }
        self.page.extend_from_slice(row);
        self.rows += 1;
        self.filter.add(key_of(row));
        if self.page.len() == rows_a_page(self.width) * self.width {
            self.end_page(out)?;
        }
        Ok(())
    }

    fn end_page(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.page.resize(PAGE_BYTES - CRC_BYTES, 0);
        let crc = crc32fast::hash(&self.page);
        self.page.extend_from_slice(&crc.to_be_bytes());
        out.write_all(&self.page)?;
        self.page.clear();
        Ok(())
    }

    /// Ends the last page; the number of rows, and what is held in memory of the table.
    pub(super) fn finish(mut self, out: &mut impl Write) -> io::Result<(u64, Vec<u8>)> {
        if !self.page.is_empty() {
            self.end_page(out)?;
        }
        let mut memory = self.fences;
        self.filter.write(&mut memory);
        Ok((self.rows, memory))
    }
}
