//! The footer of a sealed segment.

use std::io;

use super::file::SegmentFile;
use crate::entry::Fields;
use crate::event::Position;
use crate::hash::Hash;

/// Bytes of a footer's body.
pub(crate) const SEAL_BYTES: usize = 112;

/// Bytes of a footer's whole frame.
pub(crate) const FOOTER_BYTES: u64 = 12 + 112;

/// Earliest and latest times of a segment's records, in Unix milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) recorded_first: u64,
    pub(crate) recorded_last: u64,
    pub(crate) occurred_min: i64,
    pub(crate) occurred_max: i64,
}

impl Times {
    /// Times of no record.
    pub(crate) const NONE: Self = Self {
        recorded_first: u64::MAX,
        recorded_last: 0,
        occurred_min: i64::MAX,
        occurred_max: i64::MIN,
    };

    pub(crate) fn add(&mut self, recorded: u64, occurred: i64) {
        self.recorded_first = self.recorded_first.min(recorded);
        self.recorded_last = self.recorded_last.max(recorded);
        self.occurred_min = self.occurred_min.min(occurred);
        self.occurred_max = self.occurred_max.max(occurred);
    }

    /// Adds the times of an encoded entry.
    pub(crate) fn add_entry(&mut self, entry: &[u8; 256]) {
        let recorded = u64::from_be_bytes(Fields(entry.split_at(16).1).take());
        let occurred = i64::from_be_bytes(Fields(entry.split_at(80).1).take());
        self.add(recorded, occurred);
    }
}

/// Body of the frame that ends a sealed segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Seal {
    /// BLAKE3 of every byte of the file before this frame.
    pub(crate) digest: Hash,
    pub(crate) first: Position,
    pub(crate) count: u64,
    pub(crate) times: Times,
    /// Chain value of the last record.
    pub(crate) head_chain: Hash,
}

impl Seal {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.digest);
        out.extend_from_slice(&self.first.to_be_bytes());
        out.extend_from_slice(&self.count.to_be_bytes());
        out.extend_from_slice(&self.times.recorded_first.to_be_bytes());
        out.extend_from_slice(&self.times.recorded_last.to_be_bytes());
        out.extend_from_slice(&self.times.occurred_min.to_be_bytes());
        out.extend_from_slice(&self.times.occurred_max.to_be_bytes());
        out.extend_from_slice(&self.head_chain);
    }

    pub(crate) fn decode(body: &[u8]) -> Option<Self> {
        let mut fields = Fields(<&[u8; SEAL_BYTES]>::try_from(body).ok()?);
        Some(Self {
            digest: fields.take(),
            first: u64::from_be_bytes(fields.take()),
            count: u64::from_be_bytes(fields.take()),
            times: Times {
                recorded_first: u64::from_be_bytes(fields.take()),
                recorded_last: u64::from_be_bytes(fields.take()),
                occurred_min: i64::from_be_bytes(fields.take()),
                occurred_max: i64::from_be_bytes(fields.take()),
            },
            head_chain: fields.take(),
        })
    }
}

/// BLAKE3 of the first `length` bytes of a segment.
pub(crate) fn digest(segment: &SegmentFile, length: u64) -> io::Result<Hash> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; 1 << 20];
    let mut at = 0;
    while at < length {
        let room = usize::try_from(length - at).map_or(buffer.len(), |left| left.min(buffer.len()));
        let Some(window) = buffer.get_mut(..room) else {
            break;
        };
        let read = segment.read_at(window, at)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        hasher.update(window.get(..read).unwrap_or_default());
        at += u64::try_from(read).unwrap_or(u64::MAX);
    }
    Ok(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footer_comes_back_as_it_was() {
        let mut times = Times::NONE;
        times.add(5, -7);
        times.add(6, 3);
        let seal = Seal {
            digest: [1; 32],
            first: 2,
            count: 3,
            times,
            head_chain: [4; 32],
        };
        let mut body = Vec::new();
        seal.write(&mut body);
        assert_eq!(body.len(), SEAL_BYTES);
        assert_eq!(Seal::decode(&body), Some(seal));
        assert_eq!(times.occurred_min, -7);
        assert_eq!(times.recorded_last, 6);
    }
}
