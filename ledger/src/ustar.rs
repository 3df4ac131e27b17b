//! Archives of regular files: the `ustar` format of POSIX.1-1988, which every `tar` reads.
//!
//! Written as plainly as the format allows, and read strictly: headers of files and folders with a
//! right checksum, in the `ustar` or the GNU flavour, and nothing else. No links, no devices, no
//! extended headers. Two records of zeros end an archive; what follows them is not looked at.

/// Bytes of a record: headers are one, files fill whole ones.
pub(crate) const RECORD_BYTES: usize = 512;

/// Longest file, in bytes: eleven octal digits.
const LENGTH_MAX: u64 = (1 << 33) - 1;

/// Longest path, in bytes. The format has a prefix for more, which no path of ours needs.
const PATH_BYTES_MAX: usize = 100;

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// Path, as written.
    pub(crate) path: String,
    /// Bytes that follow.
    pub(crate) length: u64,
    /// Permissions, the lower nine bits.
    pub(crate) mode: u32,
    /// When the file was last changed, in Unix seconds.
    pub(crate) modified: u64,
    /// Whether it is a folder.
    pub(crate) is_folder: bool,
}

/// Why a record is no header of a file or folder. Listed in the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// The checksum is not that of the record.
    #[error("a header is damaged, or this is no tar archive")]
    Checksum,
    /// Neither `ustar` nor GNU.
    #[error("a header is of a kind that is not read; write the archive with `--format=ustar`")]
    Format,
    /// A link, a device, an extended header.
    #[error("an entry is neither a file nor a folder")]
    Kind,
    /// The name is not text, or not alone.
    #[error("an entry has no plain name")]
    Name,
    /// A number is not octal digits.
    #[error("a header has a number that cannot be read")]
    Number,
}

impl Header {
    /// The record of a file; `None` when its path or length do not fit the format.
    pub(crate) fn encode(&self) -> Option<[u8; RECORD_BYTES]> {
        let fits = self.path.len() <= PATH_BYTES_MAX && self.length <= LENGTH_MAX;
        if !fits {
            return None;
        }
        let mut record = [0; RECORD_BYTES];
        let mode = format!("{:07o}", self.mode & 0o777);
        let length = format!("{:011o}", self.length);
        let modified = format!("{:011o}", self.modified.min(LENGTH_MAX));
        let fields: [(usize, &[u8]); 9] = [
            (0, self.path.as_bytes()),
            (100, mode.as_bytes()),
            (108, b"0000000"),
            (116, b"0000000"),
            (124, length.as_bytes()),
            (136, modified.as_bytes()),
            (148, b"        "),
            (156, if self.is_folder { b"5" } else { b"0" }),
            (257, b"ustar\x0000"),
        ];
        for (at, bytes) in fields {
            put(&mut record, at, bytes);
        }
        let sum = format!("{:06o}\0 ", sum_of(&record));
        put(&mut record, 148, sum.as_bytes());
        Some(record)
    }

    /// Reads a record; `Ok(None)` when it is of zeros, which ends an archive.
    ///
    /// # Errors
    /// Every [`ArchiveError`].
    pub(crate) fn decode(record: &[u8; RECORD_BYTES]) -> Result<Option<Self>, ArchiveError> {
        if record.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let sum = octal(field(record, 148, 8)).ok_or(ArchiveError::Checksum)?;
        if sum != u64::from(sum_of(record)) {
            return Err(ArchiveError::Checksum);
        }
        if !field(record, 257, 5).eq(b"ustar") {
            return Err(ArchiveError::Format);
        }
        let is_folder = match field(record, 156, 1) {
            b"0" | b"\0" => false,
            b"5" => true,
            _ => return Err(ArchiveError::Kind),
        };
        let has_prefix = field(record, 257, 8) == b"ustar\x0000"
            && field(record, 345, 1).iter().any(|byte| *byte != 0);
        let path = text(field(record, 0, PATH_BYTES_MAX)).ok_or(ArchiveError::Name)?;
        if has_prefix || path.is_empty() {
            return Err(ArchiveError::Name);
        }
        let number = |at, bytes| octal(field(record, at, bytes)).ok_or(ArchiveError::Number);
        let mode = number(100, 8)? & 0o777;
        Ok(Some(Self {
            path: path.to_owned(),
            length: number(124, 12)?,
            mode: u32::try_from(mode).unwrap_or(0),
            modified: number(136, 12)?,
            is_folder,
        }))
    }
}

/// Bytes of zeros behind a file of that length.
pub(crate) fn padding(length: u64) -> usize {
    let record = u64::try_from(RECORD_BYTES).unwrap_or(u64::MAX);
    usize::try_from(length.next_multiple_of(record) - length).unwrap_or(0)
}

fn put(record: &mut [u8; RECORD_BYTES], at: usize, bytes: &[u8]) {
    if let Some(room) = record.get_mut(at..at + bytes.len()) {
        room.copy_from_slice(bytes);
    }
}

fn field(record: &[u8; RECORD_BYTES], at: usize, bytes: usize) -> &[u8] {
    record.get(at..at + bytes).unwrap_or_default()
}

/// The sum of all bytes, those of the checksum itself counted as spaces.
fn sum_of(record: &[u8; RECORD_BYTES]) -> u32 {
    let whole: u32 = record.iter().map(|byte| u32::from(*byte)).sum();
    let own: u32 = field(record, 148, 8)
        .iter()
        .map(|byte| u32::from(*byte))
        .sum();
    whole - own + 8 * u32::from(b' ')
}

/// Octal digits, spaces and zero bytes round them.
fn octal(bytes: &[u8]) -> Option<u64> {
    let digits = text(bytes)?.trim_matches(' ');
    if digits.is_empty() || !digits.bytes().all(|byte| (b'0'..=b'7').contains(&byte)) {
        return None;
    }
    u64::from_str_radix(digits, 8).ok()
}

/// Text up to the first zero byte; after it only zeros and spaces may come.
fn text(bytes: &[u8]) -> Option<&str> {
    let end = bytes.iter().position(|byte| *byte == 0);
    let (text, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
    let is_alone = rest.iter().all(|byte| matches!(byte, 0 | b' '));
    std::str::from_utf8(text).ok().filter(|_| is_alone)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> Header {
        Header {
            path: "tile/0/x001/067".to_owned(),
            length: 8_192,
            mode: 0o600,
            modified: 1_795_000_000,
            is_folder: false,
        }
    }

    #[test]
    fn a_header_comes_back_as_it_was_written() {
        let record = header().encode().unwrap();
        assert_eq!(Header::decode(&record), Ok(Some(header())));
        assert_eq!(Header::decode(&[0; RECORD_BYTES]), Ok(None));
    }

    #[test]
    fn a_header_with_any_byte_changed_is_refused() {
        let record = header().encode().unwrap();
        for at in 0..RECORD_BYTES {
            let mut changed = record;
            changed[at] ^= 0x04;
            assert!(Header::decode(&changed).is_err(), "byte {at}");
        }
    }

    #[test]
    fn links_devices_and_extended_headers_are_refused() {
        for kind in b"12346LKxgS" {
            let mut record = header().encode().unwrap();
            record[156] = *kind;
            let sum = format!("{:06o}\0 ", sum_of(&record));
            put(&mut record, 148, sum.as_bytes());
            assert_eq!(Header::decode(&record), Err(ArchiveError::Kind));
        }
    }

    #[test]
    fn what_does_not_fit_is_not_written() {
        let long = Header {
            path: "x".repeat(101),
            ..header()
        };
        assert_eq!(long.encode(), None);
        let large = Header {
            length: 1 << 33,
            ..header()
        };
        assert_eq!(large.encode(), None);
    }

    #[test]
    fn padding_fills_the_last_record() {
        assert_eq!([0, 1, 511, 512, 513].map(padding), [0, 511, 1, 0, 511]);
    }
}
