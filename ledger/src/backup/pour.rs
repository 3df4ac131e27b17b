//! Copying bytes, telling how many.

use std::fs::File;
use std::io::{self, Read, Write as _};

/// Bytes copied at once.
const COPY_BYTES: u64 = 1 << 20;

/// Copies all there is, some `length` bytes; returns how many there were.
pub(crate) fn pour(from: &mut dyn Read, to: &mut File, length: u64) -> io::Result<u64> {
    let room = usize::try_from(length.clamp(1, COPY_BYTES)).unwrap_or(1);
    let mut buffer = vec![0; room];
    let mut copied = 0;
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(copied),
            Ok(read) => {
                to.write_all(buffer.get(..read).unwrap_or_default())?;
                copied += u64::try_from(read).unwrap_or(u64::MAX);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Tells how much was read.
pub(super) struct Counted<'a> {
    pub(super) from: &'a mut dyn Read,
    /// Bytes read before.
    pub(super) read: u64,
    pub(super) progress: &'a dyn Fn(u64),
}

impl Read for Counted<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buf)?;
        self.read += u64::try_from(read).unwrap_or(u64::MAX);
        (self.progress)(self.read);
        Ok(read)
    }
}
