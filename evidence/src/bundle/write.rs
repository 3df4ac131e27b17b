//! Writing a bundle from a ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ledger::checkpoint::Checkpoint;
use ledger::note::Note;
use ledger::tree::{Tile, WIDTH};
use ledger::{ReadError, Reader};

use super::about::{About, Kind};
use super::hashes::needed;
use super::manifest::Manifest;
use super::{ABOUT_FILE, MANIFEST_FILE, PAYLOAD_FOLDER, PRIVATE_FOLDER};
use crate::proof::OpenedError;
use crate::prove;

/// What goes into a bundle.
#[derive(Debug, Clone)]
pub struct Contents {
    /// What is proven.
    pub about: Kind,
    /// Events whose payloads are shown.
    pub positions: BTreeSet<u64>,
    /// Documents and timestamps, by path.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Every entry, so that none can be left out.
    pub complete: bool,
    /// Private payloads too.
    pub private: bool,
}

/// Why no bundle was written. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    /// The folder holds something already.
    #[error("`{path}` is not empty")]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// An event came after the checkpoint.
    #[error("event {position} came after the checkpoint of {size} events")]
    NotCovered {
        /// Position of the event.
        position: u64,
        /// Size of the checkpoint.
        size: u64,
    },
    /// The operating system refused.
    #[error("`{path}` could not be used")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Entry and payloads do not belong together.
    #[error(transparent)]
    Opened(#[from] OpenedError),
    /// What the bundle is about cannot be written as JSON, which no value here can cause.
    #[error("what the bundle is about cannot be written")]
    About(#[from] serde_json::Error),
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Files, the manifest included.
    pub files: u64,
    /// Bytes of all files.
    pub bytes: u64,
    /// Events with their payloads.
    pub events: u64,
}

/// Writes a bundle to an empty folder, which is made if need be.
///
/// # Errors
/// [`BundleError`].
pub fn write(
    reader: &Reader,
    (note, checkpoint): &(Note, Checkpoint),
    contents: &Contents,
    to: &Path,
) -> Result<Written, BundleError> {
    let size = checkpoint.size;
    if let Some(position) = contents.positions.last().filter(|last| **last >= size) {
        let position = *position;
        return Err(BundleError::NotCovered { position, size });
    }
    let mut out = Out::begin(to)?;
    out.put("checkpoint", note.to_string().as_bytes())?;
    let about = About {
        bundle: 1,
        origin: checkpoint.origin.clone(),
        size,
        about: contents.about.clone(),
        complete: contents.complete,
        positions: About::ranges(&contents.positions),
    };
    let mut text = serde_json::to_vec_pretty(&about)?;
    text.push(b'\n');
    out.put(ABOUT_FILE, &text)?;
    for (path, bytes) in &contents.files {
        out.put(path, bytes)?;
    }
    let wanted: BTreeSet<u64> = if contents.complete {
        (0..size.div_ceil(WIDTH)).collect()
    } else {
        contents.positions.iter().map(|at| at / WIDTH).collect()
    };
    let tree = reader.tree();
    for tile in needed(size, &wanted) {
        out.put(&tile.path(), &tree.tile(tile)?.concat())?;
    }
    put_entries(reader, size, (&wanted, contents), &mut out)?;
    let manifest = out.manifest.to_string();
    out.write(MANIFEST_FILE, manifest.as_bytes())?;
    Ok(Written {
        files: u64::try_from(out.manifest.files.len()).unwrap_or(u64::MAX) + 1,
        bytes: out.bytes,
        events: u64::try_from(contents.positions.len()).unwrap_or(u64::MAX),
    })
}

/// The entries of the wanted tiles, and the payloads of the events that are shown.
fn put_entries(
    reader: &Reader,
    size: u64,
    (wanted, contents): (&BTreeSet<u64>, &Contents),
    out: &mut Out,
) -> Result<(), BundleError> {
    for index in wanted {
        let start = index * WIDTH;
        let end = size.min(start + WIDTH);
        let mut bundle = Vec::new();
        let mut payloads = Vec::new();
        // reading one record makes the index of its segment, where the scan then begins
        let _indexed = reader.get_stored(start)?;
        let mut position = start;
        reader.scan_stored(start..end, &mut |record| {
            bundle.extend_from_slice(&256_u16.to_be_bytes());
            bundle.extend_from_slice(record.entry);
            if contents.positions.contains(&position) {
                payloads.push((
                    position,
                    ledger::StoredRecord {
                        entry: *record.entry,
                        public: record.public.to_vec(),
                        private: record.private.to_vec(),
                    },
                ));
            }
            position += 1;
            ControlFlow::Continue(())
        })?;
        if let Some(tile) = Tile::holding(0, start, size) {
            out.put(&tile.entries_path(), &bundle)?;
        }
        for (position, stored) in payloads {
            let event = prove::opened(reader, stored, contents.private)?;
            event.check(position, reader.origin())?;
            out.put(&format!("{PAYLOAD_FOLDER}/{position}"), &event.public)?;
            if let Some((salt, private)) = event.private {
                let bytes = [salt.as_slice(), &private].concat();
                out.put(&format!("{PRIVATE_FOLDER}/{position}"), &bytes)?;
            }
        }
    }
    Ok(())
}

/// The folder that is written.
struct Out {
    dir: PathBuf,
    manifest: Manifest,
    bytes: u64,
}

impl Out {
    fn begin(dir: &Path) -> Result<Self, BundleError> {
        let fail = |source| BundleError::Io {
            path: dir.to_owned(),
            source,
        };
        std::fs::create_dir_all(dir).map_err(fail)?;
        if std::fs::read_dir(dir).map_err(fail)?.next().is_some() {
            return Err(BundleError::NotEmpty {
                path: dir.to_owned(),
            });
        }
        Ok(Self {
            dir: dir.to_owned(),
            manifest: Manifest::default(),
            bytes: 0,
        })
    }

    fn put(&mut self, path: &str, bytes: &[u8]) -> Result<(), BundleError> {
        self.write(path, bytes)?;
        self.manifest.add(path.to_owned(), bytes);
        Ok(())
    }

    fn write(&mut self, path: &str, bytes: &[u8]) -> Result<(), BundleError> {
        let file = self.dir.join(path);
        let fail = |source| BundleError::Io {
            path: file.clone(),
            source,
        };
        let folder = file.parent().unwrap_or(&self.dir);
        std::fs::create_dir_all(folder).map_err(fail)?;
        std::fs::write(&file, bytes).map_err(fail)?;
        self.bytes += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        Ok(())
    }
}
