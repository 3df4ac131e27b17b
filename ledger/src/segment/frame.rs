//! The bytes of a segment file: header and frames. The layout is `docs/format.md`.

use crate::entry::{ENTRY_BYTES, Entry, Fields, Room};
use crate::event::Position;
use crate::hash::Hash;

/// Bytes of a segment's header.
pub(crate) const HEADER_BYTES: usize = 96;

/// Bytes before a frame's body: kind, length of the body, CRC-32.
pub(crate) const FRAME_HEAD_BYTES: usize = 12;

/// Bytes of a commit frame's body.
pub(crate) const COMMIT_BYTES: usize = 48;

const HEADER_MAGIC: [u8; 8] = *b"DAYBKSEG";

/// Version of the segment format, and of a segment from which payloads were pruned.
const VERSION: u32 = 1;
const VERSION_PRUNED: u32 = 2;

/// First bytes of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) ledger_id: [u8; 16],
    /// Position of the segment's first record.
    pub(crate) first: Position,
    /// Chain value of the record before the first.
    pub(crate) prev_chain: Hash,
    /// Whether payloads were pruned from the segment.
    pub(crate) pruned: bool,
}

impl Header {
    /// The header as it was before anything was pruned.
    pub(crate) fn unpruned(self) -> Self {
        Self {
            pruned: false,
            ..self
        }
    }

    pub(crate) fn encode(&self) -> [u8; HEADER_BYTES] {
        let mut bytes = [0; HEADER_BYTES];
        let mut rest = Room(&mut bytes);
        rest.put(&HEADER_MAGIC);
        let version = if self.pruned { VERSION_PRUNED } else { VERSION };
        rest.put(&version.to_be_bytes());
        rest.put(&self.ledger_id);
        rest.put(&self.first.to_be_bytes());
        rest.put(&self.prev_chain);
        let (content, checksum) = bytes.split_at_mut(HEADER_BYTES - 4);
        checksum.copy_from_slice(&crc32fast::hash(content).to_be_bytes());
        bytes
    }

    /// The version of an intact header that is newer than any this program writes.
    pub(crate) fn newer_version(bytes: &[u8]) -> Option<u32> {
        let bytes = bytes.first_chunk::<HEADER_BYTES>()?;
        let (content, checksum) = bytes.split_at(HEADER_BYTES - 4);
        let mut fields = Fields(content);
        let magic: [u8; 8] = fields.take();
        let version = u32::from_be_bytes(fields.take());
        let is_intact = magic == HEADER_MAGIC && checksum == crc32fast::hash(content).to_be_bytes();
        (is_intact && version > VERSION_PRUNED).then_some(version)
    }

    /// Reads a header strictly; `None` when any byte is not as written.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.first_chunk::<HEADER_BYTES>()?;
        let mut fields = Fields(bytes);
        let _magic: [u8; 8] = fields.take();
        let version = u32::from_be_bytes(fields.take());
        let header = Self {
            pruned: version == VERSION_PRUNED,
            ledger_id: fields.take(),
            first: u64::from_be_bytes(fields.take()),
            prev_chain: fields.take(),
        };
        (header.encode() == *bytes).then_some(header)
    }
}

/// What a frame is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An entry and its payloads.
    Record,
    /// An entry whose payloads were pruned.
    Pruned,
    /// End of a batch: what came since the last one is visible.
    Commit,
    /// End of a sealed segment.
    Seal,
}

impl Kind {
    const fn tag(self) -> [u8; 4] {
        match self {
            Self::Record => *b"RECD",
            Self::Pruned => *b"PRND",
            Self::Commit => *b"CMIT",
            Self::Seal => *b"SEAL",
        }
    }

    fn from_tag(tag: [u8; 4]) -> Option<Self> {
        [Self::Record, Self::Commit, Self::Pruned, Self::Seal]
            .into_iter()
            .find(|kind| kind.tag() == tag)
    }
}

/// Reserves a frame's head at the end of `out`; the body is appended next.
pub(crate) fn begin(kind: Kind, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    out.extend_from_slice(&kind.tag());
    out.extend_from_slice(&[0; 8]);
    start
}

/// Fills the head of the frame begun at `start`. `None` when the body is too long.
pub(crate) fn finish(start: usize, out: &mut [u8]) -> Option<()> {
    let (head, body) = out
        .get_mut(start..)?
        .split_first_chunk_mut::<FRAME_HEAD_BYTES>()?;
    let length = u32::try_from(body.len()).ok()?.to_be_bytes();
    let (kind_and_length, checksum) = head.split_at_mut(8);
    kind_and_length.get_mut(4..)?.copy_from_slice(&length);
    let crc = checksum_of(kind_and_length, body);
    checksum.copy_from_slice(&crc.to_be_bytes());
    Some(())
}

fn checksum_of(kind_and_length: &[u8], body: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(kind_and_length);
    hasher.update(body);
    hasher.finalize()
}

/// A frame as it lies in a buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame<'a> {
    pub(crate) kind: Kind,
    pub(crate) body: &'a [u8],
    /// Whether the CRC is the one of the bytes.
    pub(crate) intact: bool,
}

impl<'a> Frame<'a> {
    /// Entry, public payload and private part of a record; both parts are empty when they were
    /// pruned. `None` when the lengths do not fit together.
    pub(crate) fn record(&self) -> Option<(&'a [u8; ENTRY_BYTES], &'a [u8], &'a [u8])> {
        match self.kind {
            Kind::Record => record_parts(self.body),
            Kind::Pruned => Some((self.body.try_into().ok()?, &[], &[])),
            Kind::Commit | Kind::Seal => None,
        }
    }

    /// Bytes of the whole frame.
    pub(crate) fn bytes(&self) -> usize {
        FRAME_HEAD_BYTES + self.body.len()
    }

    /// Whether it holds a record, pruned or not.
    pub(crate) fn is_record(&self) -> bool {
        matches!(self.kind, Kind::Record | Kind::Pruned)
    }
}

/// What lies at the start of some bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Parsed<'a> {
    Frame(Frame<'a>),
    /// The frame is longer than the bytes at hand: how many it needs.
    More(usize),
    /// The bytes begin with a zero word, as the unused rest of a segment does, or are too few.
    Blank,
    /// Neither.
    Foreign,
}

/// Reads the frame at the start of `bytes`.
pub(crate) fn parse(bytes: &[u8]) -> Parsed<'_> {
    match outline(bytes) {
        Parsed::Frame(frame) => Parsed::Frame(Frame {
            intact: is_intact(bytes, &frame),
            ..frame
        }),
        other => other,
    }
}

/// Whether the CRC of the frame at the start of `bytes` is the one of its bytes.
pub(crate) fn is_intact(bytes: &[u8], frame: &Frame<'_>) -> bool {
    let Some((head, _)) = bytes.split_first_chunk::<FRAME_HEAD_BYTES>() else {
        return false;
    };
    let (kind_and_length, checksum) = head.split_at(8);
    let computed = checksum_of(kind_and_length, frame.body).to_be_bytes();
    checksum == computed.as_slice()
}

/// As [`parse`], but takes every frame for intact: its CRC is still to be checked.
pub(crate) fn outline(bytes: &[u8]) -> Parsed<'_> {
    let Some((head, rest)) = bytes.split_first_chunk::<FRAME_HEAD_BYTES>() else {
        return Parsed::Blank;
    };
    let mut fields = Fields(head);
    let tag = fields.take();
    if tag == [0; 4] {
        return Parsed::Blank;
    }
    let Some(kind) = Kind::from_tag(tag) else {
        return Parsed::Foreign;
    };
    let length = u32::from_be_bytes(fields.take());
    let Ok(length) = usize::try_from(length) else {
        return Parsed::Foreign;
    };
    let Some(body) = rest.get(..length) else {
        return Parsed::More(FRAME_HEAD_BYTES.saturating_add(length));
    };
    Parsed::Frame(Frame {
        kind,
        body,
        intact: true,
    })
}

/// The parts of a record frame's body. `None` when the lengths do not fit together.
fn record_parts(body: &[u8]) -> Option<(&[u8; ENTRY_BYTES], &[u8], &[u8])> {
    let (entry, payloads) = body.split_first_chunk::<ENTRY_BYTES>()?;
    let public_length = usize::try_from(Entry::peek_public_length(entry)).ok()?;
    let (public, private) = payloads.split_at_checked(public_length)?;
    Some((entry, public, private))
}

/// Body of a commit frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Commit {
    /// Position of the batch's first record.
    pub(crate) first: Position,
    /// Records of the batch.
    pub(crate) count: u64,
    /// Chain value of its last record.
    pub(crate) head_chain: Hash,
}

impl Commit {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.first.to_be_bytes());
        out.extend_from_slice(&self.count.to_be_bytes());
        out.extend_from_slice(&self.head_chain);
    }

    pub(crate) fn decode(body: &[u8]) -> Option<Self> {
        let mut fields = Fields(<&[u8; COMMIT_BYTES]>::try_from(body).ok()?);
        Some(Self {
            first: u64::from_be_bytes(fields.take()),
            count: u64::from_be_bytes(fields.take()),
            head_chain: fields.take(),
        })
    }
}

/// Offset of the first intact frame in `bytes`, at `from` or after it.
pub(crate) fn find_intact(
    bytes: &[u8],
    from: usize,
    wanted: &dyn Fn(Kind) -> bool,
) -> Option<usize> {
    let mut at = from;
    while let Some(rest) = bytes.get(at..) {
        // Tags begin with one of these letters; the rest is skipped quickly.
        at += rest
            .iter()
            .position(|byte| matches!(byte, b'R' | b'C' | b'S' | b'P'))?;
        if let Some(Parsed::Frame(frame)) = bytes.get(at..).map(parse)
            && frame.intact
            && wanted(frame.kind)
        {
            return Some(at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_with_any_bit_changed_is_refused() {
        let header = Header {
            ledger_id: [3; 16],
            first: 9,
            prev_chain: [4; 32],
            pruned: false,
        };
        let pruned = Header {
            pruned: true,
            ..header
        };
        assert_eq!(Header::decode(&pruned.encode()), Some(pruned));
        let bytes = header.encode();
        assert_eq!(Header::decode(&bytes), Some(header));
        for at in 0..bytes.len() {
            let mut changed = bytes;
            changed[at] ^= 0x10;
            assert_eq!(Header::decode(&changed), None, "byte {at}");
        }
    }

    #[test]
    fn a_frame_with_any_byte_changed_is_not_intact() {
        let mut bytes = Vec::new();
        let start = begin(Kind::Commit, &mut bytes);
        let commit = Commit {
            first: 1,
            count: 2,
            head_chain: [5; 32],
        };
        commit.write(&mut bytes);
        finish(start, &mut bytes).unwrap();
        let Parsed::Frame(frame) = parse(&bytes) else {
            panic!("no frame");
        };
        assert!(frame.intact);
        assert_eq!(Commit::decode(frame.body), Some(commit));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            assert!(
                !matches!(parse(&changed), Parsed::Frame(frame) if frame.intact),
                "byte {at}"
            );
        }
    }

    #[test]
    fn an_intact_frame_is_found_behind_foreign_bytes() {
        let mut bytes = b"RECD CMIT SEAL ".to_vec();
        let start = begin(Kind::Record, &mut bytes);
        finish(start, &mut bytes).unwrap();
        assert_eq!(find_intact(&bytes, 0, &|_| true), Some(start));
        assert_eq!(find_intact(&bytes, 0, &|kind| kind == Kind::Commit), None);
    }
}
