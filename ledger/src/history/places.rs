//! Where the records of a range lie in their segments, and which of them are erasures.

use crate::event::Position;
use crate::segment::index::Piece;

/// Places of the records of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Places {
    /// Parts of the indexes of segments, ascending and without a gap.
    pub(crate) pieces: Vec<Piece>,
    /// Positions of the erasures.
    pub(crate) redactions: Vec<Position>,
}

impl Places {
    /// Adds those that follow.
    pub(crate) fn extend(&mut self, more: Self) {
        for piece in more.pieces {
            match self.pieces.last_mut() {
                Some(last) if last.segment == piece.segment => last.extend(piece),
                _ => self.pieces.push(piece),
            }
        }
        self.redactions.extend(more.redactions);
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let count = |items: usize| u32::try_from(items).unwrap_or(u32::MAX).to_be_bytes();
        out.extend_from_slice(&count(self.pieces.len()));
        for piece in &self.pieces {
            for number in [piece.segment, piece.first, piece.next, piece.end] {
                out.extend_from_slice(&number.to_be_bytes());
            }
            out.extend_from_slice(&count(piece.offsets.len()));
            for offset in &piece.offsets {
                out.extend_from_slice(&offset.to_be_bytes());
            }
        }
        out.extend_from_slice(&count(self.redactions.len()));
        for position in &self.redactions {
            out.extend_from_slice(&position.to_be_bytes());
        }
        out
    }

    /// Reads what [`Places::encode`] wrote; `None` when it is anything else.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        let mut places = Self::default();
        for _ in 0..number32(&mut rest)? {
            let mut piece = Piece {
                segment: number64(&mut rest)?,
                first: number64(&mut rest)?,
                next: number64(&mut rest)?,
                end: number64(&mut rest)?,
                offsets: Vec::new(),
            };
            piece.offsets = numbers(&mut rest)?;
            places.pieces.push(piece);
        }
        places.redactions = numbers(&mut rest)?;
        rest.is_empty().then_some(places)
    }
}

/// A count and as many numbers; nothing is allocated beyond the bytes there are.
fn numbers(rest: &mut &[u8]) -> Option<Vec<u64>> {
    let bytes = usize::try_from(number32(rest)?).ok()?.checked_mul(8)?;
    let (taken, behind) = rest.split_at_checked(bytes)?;
    *rest = behind;
    Some(
        taken
            .as_chunks()
            .0
            .iter()
            .map(|bytes| u64::from_be_bytes(*bytes))
            .collect(),
    )
}

fn number32(rest: &mut &[u8]) -> Option<u32> {
    let (bytes, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(u32::from_be_bytes(*bytes))
}

fn number64(rest: &mut &[u8]) -> Option<u64> {
    let (bytes, behind) = rest.split_first_chunk()?;
    *rest = behind;
    Some(u64::from_be_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_come_back_as_they_were_and_nothing_shorter_does() {
        let piece = |first, offsets: &[u64]| Piece {
            segment: 0,
            first,
            next: first + 64,
            end: 9_000 + first,
            offsets: offsets.to_vec(),
        };
        let places = Places {
            pieces: vec![piece(0, &[96]), piece(64, &[])],
            redactions: vec![7, 70],
        };
        let bytes = places.encode();
        assert_eq!(Places::decode(&bytes), Some(places.clone()));
        for cut in 0..bytes.len() {
            assert_eq!(Places::decode(&bytes[..cut]), None);
        }
        let mut together = Places::default();
        together.extend(places);
        assert_eq!(together.pieces.len(), 1);
        assert_eq!(
            (together.pieces[0].next, together.pieces[0].end),
            (128, 9_064)
        );
    }
}
