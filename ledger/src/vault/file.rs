//! `data.keys`: a header, then records of one size, each within one sector of a disk.
//!
//! A record is written once when its key is made and once more, over itself, when the key is
//! destroyed; its sector then holds either the one or the other. Records are aligned, so that a
//! write a crash cut short leaves whole records, zeros or a part at the very end: neither of
//! which any event uses, since events are written after their keys are durable.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use zeroize::Zeroizing;

use super::{RECORDS_MAX, VaultError};
use crate::entry::{Fields, Room};
use crate::event::Position;
use crate::hash::Hash;

/// Bytes of the header and of a record: sectors of 512 bytes hold whole ones.
pub(super) const RECORD_BYTES: usize = 128;

/// First bytes of the file.
const MAGIC: [u8; 8] = *b"DAYBKKEY";

/// Version of the layout.
const VERSION: u32 = 1;

/// First bytes of a record with a key.
const LIVE: [u8; 4] = *b"DKEY";

/// First bytes of a record whose key was destroyed.
const GONE: [u8; 4] = *b"GONE";

/// Records read at once.
const CHUNK_RECORDS: usize = 512;

/// Bytes a CRC covers: all but itself.
const COVERED_BYTES: usize = RECORD_BYTES - 4;

/// What a record holds.
pub(super) enum Kind {
    /// A key.
    Live(Box<Zeroizing<Hash>>),
    /// That a key was destroyed, and the position of the event that ordered it.
    Gone { by: Position },
}

/// One record.
pub(super) struct Record {
    pub(super) id: Hash,
    pub(super) since: Position,
    pub(super) kind: Kind,
}

type Bytes = Zeroizing<[u8; RECORD_BYTES]>;

impl Record {
    pub(super) fn encode(&self) -> Bytes {
        let mut bytes = Zeroizing::new([0; RECORD_BYTES]);
        let mut room = Room(&mut bytes[..]);
        match &self.kind {
            Kind::Live(key) => {
                room.put(&LIVE);
                room.put(&self.id);
                room.put(&self.since.to_be_bytes());
                room.put(&[0; 8]);
                room.put(&key[..]);
            }
            Kind::Gone { by } => {
                room.put(&GONE);
                room.put(&self.id);
                room.put(&self.since.to_be_bytes());
                room.put(&by.to_be_bytes());
            }
        }
        finish(&mut bytes);
        bytes
    }

    fn decode(bytes: &Bytes) -> Option<Self> {
        if !is_intact(bytes) {
            return None;
        }
        let mut fields = Fields(&bytes[..]);
        let kind: [u8; 4] = fields.take();
        let id = fields.take();
        let since = u64::from_be_bytes(fields.take());
        let by = u64::from_be_bytes(fields.take());
        let mut key = Box::new(Zeroizing::new([0; 32]));
        **key = fields.take();
        let reserved: [u8; 40] = fields.take();
        let kind = match kind {
            LIVE if by == 0 => Kind::Live(key),
            GONE if **key == [0; 32] && since <= by => Kind::Gone { by },
            _ => return None,
        };
        (reserved == [0; 40]).then_some(Self { id, since, kind })
    }
}

fn crc(bytes: &Bytes) -> [u8; 4] {
    let (covered, _) = bytes.split_at(COVERED_BYTES);
    crc32fast::hash(covered).to_be_bytes()
}

fn finish(bytes: &mut Bytes) {
    let crc = crc(bytes);
    let (_, end) = bytes.split_at_mut(COVERED_BYTES);
    end.copy_from_slice(&crc);
}

fn is_intact(bytes: &Bytes) -> bool {
    bytes.ends_with(&crc(bytes))
}

fn header(ledger_id: [u8; 16]) -> Bytes {
    let mut bytes = Zeroizing::new([0; RECORD_BYTES]);
    let mut room = Room(&mut bytes[..]);
    room.put(&MAGIC);
    room.put(&VERSION.to_be_bytes());
    room.put(&ledger_id);
    finish(&mut bytes);
    bytes
}

fn check_header(path: &Path, found: &Bytes, ledger_id: [u8; 16]) -> Result<(), VaultError> {
    let path = || path.to_owned();
    let mut fields = Fields(&found[..]);
    let magic: [u8; 8] = fields.take();
    let version = u32::from_be_bytes(fields.take());
    let id: [u8; 16] = fields.take();
    if magic != MAGIC || !is_intact(found) {
        return Err(VaultError::Header { path: path() });
    }
    if version != VERSION {
        return Err(VaultError::Version {
            path: path(),
            found: version,
        });
    }
    if id != ledger_id {
        return Err(VaultError::Foreign { path: path() });
    }
    if **found != *header(ledger_id) {
        return Err(VaultError::Header { path: path() });
    }
    Ok(())
}

/// The records of a file with their offsets, and its length up to the last whole one.
type Content = (Vec<(u64, Record)>, u64);

/// Reads the file; `None` when there is none.
pub(super) fn read(path: &Path, ledger_id: [u8; 16]) -> Result<Option<Content>, VaultError> {
    let fail = |source| io_error(path, source);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(fail(source)),
    };
    if is_exposed(&file).map_err(fail)? {
        return Err(VaultError::Exposed {
            path: path.to_owned(),
        });
    }
    let mut input = file;
    // Wiped when dropped, and never grown: reading leaves no copy of a key behind.
    let mut chunk = Zeroizing::new(vec![0; CHUNK_RECORDS * RECORD_BYTES]);
    let mut records = Vec::new();
    let mut offset = 0;
    loop {
        let filled = fill(&mut input, &mut chunk).map_err(fail)?;
        let (whole, _part) = chunk
            .get(..filled)
            .unwrap_or_default()
            .as_chunks::<RECORD_BYTES>();
        for bytes in whole {
            let bytes = Zeroizing::new(*bytes);
            if offset == 0 {
                check_header(path, &bytes, ledger_id)?;
            } else if bytes.iter().any(|byte| *byte != 0) {
                let record = Record::decode(&bytes).ok_or_else(|| VaultError::Damaged {
                    path: path.to_owned(),
                    offset,
                })?;
                records.push((offset, record));
            }
            offset += step();
        }
        if offset == 0 {
            return Err(VaultError::Header {
                path: path.to_owned(),
            });
        }
        if offset / step() > RECORDS_MAX {
            return Err(VaultError::TooMany {
                path: path.to_owned(),
            });
        }
        if filled < chunk.len() {
            return Ok(Some((records, offset)));
        }
    }
}

/// Whether others than the owner may read or change the file.
#[cfg(unix)]
fn is_exposed(file: &File) -> io::Result<bool> {
    use std::os::unix::fs::PermissionsExt as _;
    Ok(file.metadata()?.permissions().mode() & 0o077 != 0)
}

/// There are no modes here.
#[cfg(not(unix))]
fn is_exposed(_file: &File) -> io::Result<bool> {
    Ok(false)
}

fn step() -> u64 {
    u64::try_from(RECORD_BYTES).unwrap_or(u64::MAX)
}

/// Fills the buffer; the number of bytes read, fewer at the end.
fn fill(input: &mut File, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
        match input.read(room) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// Makes the folder of keys, for its owner only, when it is not there.
///
/// # Errors
/// When the operating system refuses.
pub fn make_folder(keys: &Path) -> io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(keys)
}

/// Makes the folder and an empty file, both for their owner only; returns the file's length.
pub(super) fn create(keys: &Path, path: &Path, ledger_id: [u8; 16]) -> Result<u64, VaultError> {
    make_folder(keys).map_err(|source| io_error(keys, source))?;
    let fail = |source| io_error(path, source);
    let temporary = path.with_extension("keys.tmp");
    let mut options = File::options();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&temporary).map_err(fail)?;
    file.write_all(&header(ledger_id)[..]).map_err(fail)?;
    file.sync_all().map_err(fail)?;
    std::fs::rename(&temporary, path).map_err(fail)?;
    sync_names(keys).map_err(fail)?;
    Ok(step())
}

/// Makes durable what a writer before may have left in the memory of the machine only.
pub(super) fn settle(keys: &Path, path: &Path) -> Result<(), VaultError> {
    let settle = || {
        File::open(path)?.sync_all()?;
        sync_names(keys)
    };
    settle().map_err(|source| io_error(path, source))
}

/// Makes the name of the file and of its folder durable.
fn sync_names(keys: &Path) -> io::Result<()> {
    crate::segment::sync_dir(keys)?;
    match keys.parent().filter(|parent| parent.is_dir()) {
        Some(parent) => crate::segment::sync_dir(parent),
        None => Ok(()),
    }
}

/// Writes whole records at the end. Those that could not be made durable are cut off again: a
/// writer that opens the file next would take them for durable.
pub(super) fn append(path: &Path, end: u64, bytes: &[u8]) -> Result<(), VaultError> {
    write_at(path, end, bytes).inspect_err(|_| {
        let cut = || File::options().write(true).open(path)?.set_len(end);
        // A disk that refuses this too leaves keys that no event uses.
        let _as_far_as_possible = cut().is_ok();
    })
}

/// Writes whole records at an offset, and returns when they are on disk.
pub(super) fn write_at(path: &Path, offset: u64, bytes: &[u8]) -> Result<(), VaultError> {
    let write = || {
        let mut file = File::options().write(true).open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(|source| io_error(path, source))
}

fn io_error(path: &Path, source: io::Error) -> VaultError {
    VaultError::Io {
        path: path.to_owned(),
        source,
    }
}
