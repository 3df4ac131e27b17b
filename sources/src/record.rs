//! Records out of a stream of bytes, whatever wraps them.
//!
//! Read as records: one JSON object a line, pretty-printed or concatenated objects, the elements of
//! a bare array, and of the `value`, `records` or `events` array of a wrapping object (Graph pages,
//! Event Hub batches, forwarders). A damaged record is rejected with its line and reading goes on
//! after it: at the next element of an array where its brackets tell, else at the next line. Memory is
//! bounded: a record longer than [`RECORD_BYTES_MAX`] is rejected without being held.
//!
//! The rows of the `tables` of a query result are records too, under the columns of their table.
//!
//! Deliberately not here: what a record means ([`crate::shape`]), CSV, compression.

pub(crate) mod encoding;
pub(crate) mod excerpt;
pub(crate) mod fields;
pub(crate) mod row;
pub(crate) mod scan;
pub(crate) mod splitter;

use std::io::{BufRead, ErrorKind};
use std::ops::Range;
use std::sync::Arc;

use crate::outcome::Reason;
use encoding::Decoder;
use row::Columns;
use splitter::Splitter;

/// Longest record that is read, in bytes. Two orders above the longest record known to us, an audit
/// record with a whole application in its old and new value.
pub const RECORD_BYTES_MAX: usize = 8 << 20;

/// Records handed over at once: enough to keep every core busy, few enough to stay in the cache.
pub(crate) const BATCH_RECORDS: usize = 8_192;

/// Bytes of records handed over at once, after which a batch is closed early.
pub(crate) const BATCH_BYTES: usize = 16 << 20;

/// One record, or why there is none.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Item {
    /// 1-based line where it starts.
    pub line: u64,
    /// `@odata.context` of the page it is on.
    pub context: Option<Arc<str>>,
    /// Columns of the table it is a row of.
    pub columns: Option<Columns>,
    /// Its bytes or why they are refused.
    pub content: Content,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Where its bytes are in the batch.
    Record(Range<usize>),
    /// Why it cannot be read.
    Rejected(Reason),
}

/// Consecutive records and the bytes they are made of.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// Bytes of the records, one after the other.
    pub(crate) bytes: Vec<u8>,
    /// The records in order.
    pub(crate) items: Vec<Item>,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.items.len() >= BATCH_RECORDS || self.bytes.len() >= BATCH_BYTES
    }

    /// The bytes of a record.
    pub(crate) fn record(&self, range: &Range<usize>) -> &[u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }
}

/// Reads records in batches.
pub(crate) struct Records<'a> {
    input: &'a mut dyn BufRead,
    decoder: Decoder,
    splitter: Splitter,
    hasher: blake3::Hasher,
    /// Decoded text that is not split yet.
    text: Vec<u8>,
    /// How much of `text` is split.
    used: usize,
    /// Bytes read from the input.
    bytes: u64,
    ended: bool,
}

impl<'a> Records<'a> {
    pub(crate) fn new(input: &'a mut dyn BufRead) -> Self {
        Self {
            input,
            decoder: Decoder::default(),
            splitter: Splitter::new(RECORD_BYTES_MAX),
            hasher: blake3::Hasher::new(),
            text: Vec::new(),
            used: 0,
            bytes: 0,
            ended: false,
        }
    }

    /// The next records; `None` at the end. Bytes read so far are told to `progress`.
    pub(crate) fn next_batch(
        &mut self,
        progress: &mut dyn FnMut(u64),
    ) -> std::io::Result<Option<Batch>> {
        let mut batch = Batch::default();
        while !(batch.is_full() && self.splitter.is_between()) {
            if let Some(rest) = self.text.get(self.used..).filter(|rest| !rest.is_empty()) {
                self.used += self.splitter.push(rest, &mut batch);
            } else if self.ended {
                break;
            } else {
                self.read(&mut batch)?;
                progress(self.bytes);
            }
        }
        Ok((!batch.items.is_empty() || !self.ended).then_some(batch))
    }

    /// Fills `text` with the next bytes of the input, or ends.
    fn read(&mut self, batch: &mut Batch) -> std::io::Result<()> {
        self.text.clear();
        self.used = 0;
        let bytes = loop {
            match self.input.fill_buf() {
                Ok(_) => break self.input.fill_buf()?,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        };
        let length = bytes.len();
        if length == 0 {
            self.decoder.finish(&mut self.text);
            while let Some(rest) = self.text.get(self.used..).filter(|rest| !rest.is_empty()) {
                self.used += self.splitter.push(rest, batch);
            }
            self.splitter.finish(batch);
            self.ended = true;
            return Ok(());
        }
        self.hasher.update(bytes);
        self.decoder.push(bytes, &mut self.text);
        self.input.consume(length);
        self.bytes = self
            .bytes
            .saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        Ok(())
    }

    /// Bytes read, and their BLAKE3 in hex.
    pub(crate) fn digest(&self) -> (u64, String) {
        (self.bytes, self.hasher.finalize().to_hex().to_string())
    }
}

#[cfg(test)]
mod tests;
