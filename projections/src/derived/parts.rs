//! Content in parts that are written and read side by side.
//!
//! The number of parts and their lengths as big-endian u64, then the parts.

/// The table of lengths that goes before parts.
pub(crate) fn table(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut table = number(parts.len());
    for part in parts {
        table.extend(number(part.len()));
    }
    table
}

fn number(length: usize) -> Vec<u8> {
    u64::try_from(length)
        .unwrap_or(u64::MAX)
        .to_be_bytes()
        .to_vec()
}

/// The parts behind a table; `None` when the lengths are not those of the content.
pub(crate) fn split(content: &[u8]) -> Option<Vec<&[u8]>> {
    let mut rest = content;
    let mut take = || -> Option<usize> {
        let (head, tail) = rest.split_first_chunk::<8>()?;
        rest = tail;
        usize::try_from(u64::from_be_bytes(*head)).ok()
    };
    let count = take()?;
    let lengths: Option<Vec<usize>> = (0..count).map(|_| take()).collect();
    let mut parts = Vec::new();
    for length in lengths? {
        let (part, tail) = rest.split_at_checked(length)?;
        parts.push(part);
        rest = tail;
    }
    rest.is_empty().then_some(parts)
}
