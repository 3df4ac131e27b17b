//! What one power cut leaves of a [`Disk`]: of each change that is not durable, some parts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::disk::{Change, Content, Disk, Node, State, index, put};

/// Which part of a change is kept or lost on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A piece of a write.
    Piece,
    /// The length a write or a truncation gives a file.
    Length,
    /// A name.
    Name,
}

/// A folder after a power cut.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    folders: Vec<PathBuf>,
    files: Vec<(PathBuf, Vec<u8>)>,
    /// First positions of batches whose commit is there and of which an earlier part is not.
    pub overtaken: Vec<u64>,
}

/// What can be kept or lost, with pieces of so many bytes.
pub fn units(disk: &Disk, piece: usize) -> Vec<Unit> {
    let mut units = Vec::new();
    for content in &disk.nodes {
        match content {
            Content::File(_, changes) => {
                for (_, change) in changes.iter().filter(|(state, _)| is_open(*state)) {
                    units.push(Unit::Length);
                    if let Change::Write(at, bytes) = change {
                        units.extend(pieces(*at, bytes.len(), piece).map(|_| Unit::Piece));
                    }
                }
            }
            Content::Folder(_, changes) => {
                let open = changes.iter().filter(|(state, _)| is_open(*state));
                units.extend(open.map(|_| Unit::Name));
            }
        }
    }
    units
}

/// What is there when those units are kept whose turn in `keep` says so.
pub fn build(disk: &Disk, piece: usize, keep: &[bool]) -> Image {
    let mut keep = keep.iter().copied();
    let mut next = || keep.next().unwrap_or(false);
    let mut files: BTreeMap<Node, (Vec<u8>, Vec<u64>)> = BTreeMap::new();
    let mut folders: BTreeMap<Node, BTreeMap<String, Node>> = BTreeMap::new();
    for (node, content) in disk.nodes.iter().enumerate() {
        match content {
            Content::File(bytes, changes) => {
                let mut file = bytes.clone();
                for (state, change) in changes {
                    if is_open(*state) {
                        keep_some(&mut file, change, piece, &mut next);
                    } else {
                        change.apply(&mut file);
                    }
                }
                let pending = changes.iter().filter(|(state, _)| is_open(*state));
                let overtaken = pending
                    .flat_map(|(_, change)| overtaken(&file, change))
                    .collect();
                files.insert(node, (file, overtaken));
            }
            Content::Folder(names, changes) => {
                let mut names = names.clone();
                for (state, naming) in changes {
                    if !is_open(*state) || next() {
                        naming.apply(&mut names);
                    }
                }
                folders.insert(node, names);
            }
        }
    }
    let mut image = Image {
        folders: Vec::new(),
        files: Vec::new(),
        overtaken: Vec::new(),
    };
    image.fill(0, Path::new(""), &folders, &files);
    image
}

impl Image {
    fn fill(
        &mut self,
        node: Node,
        path: &Path,
        folders: &BTreeMap<Node, BTreeMap<String, Node>>,
        files: &BTreeMap<Node, (Vec<u8>, Vec<u64>)>,
    ) {
        for (name, node) in folders.get(&node).into_iter().flatten() {
            let path = path.join(name);
            if let Some((bytes, overtaken)) = files.get(node) {
                self.overtaken.extend(overtaken);
                self.files.push((path, bytes.clone()));
            } else {
                self.folders.push(path.clone());
                self.fill(*node, &path, folders, files);
            }
        }
    }

    /// A number that is another for another image.
    pub fn digest(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        for (path, bytes) in &self.files {
            hasher.update(path.to_string_lossy().as_bytes());
            hasher.update(&[0]);
            hasher.update(blake3::hash(bytes).as_bytes());
        }
        *hasher.finalize().as_bytes()
    }

    /// Writes it out, files for their owner only.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, root: &Path) -> Result<()> {
        use std::io::Write as _;
        use std::os::unix::fs::OpenOptionsExt as _;
        for folder in &self.folders {
            std::fs::create_dir_all(root.join(folder))?;
        }
        for (path, bytes) in &self.files {
            let mut options = std::fs::File::options();
            options.write(true).create_new(true).mode(0o600);
            options.open(root.join(path))?.write_all(bytes)?;
        }
        Ok(())
    }
}

fn is_open(state: State) -> bool {
    state != State::Durable
}

/// A write's pieces: they end at whole multiples of a piece in the file, as sectors and pages do.
fn pieces(at: u64, length: usize, piece: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let at = index(at);
    let mut start = 0;
    std::iter::from_fn(move || {
        let end = ((at + start) / piece * piece + piece - at).min(length);
        let range = start..end;
        start = end;
        (!range.is_empty()).then_some(range)
    })
}

fn keep_some(file: &mut Vec<u8>, change: &Change, piece: usize, next: &mut dyn FnMut() -> bool) {
    let keeps_length = next();
    match change {
        Change::Length(length) if keeps_length => file.resize(index(*length), 0),
        Change::Length(_) => {}
        Change::Write(at, bytes) => {
            let end = index(*at) + bytes.len();
            if keeps_length && file.len() < end {
                file.resize(end, 0);
            }
            for range in pieces(*at, bytes.len(), piece) {
                if next() {
                    put(file, index(*at) + range.start, &bytes[range]);
                }
            }
        }
    }
}

/// Bytes of a commit frame (`docs/format.md`).
const COMMIT_BYTES: usize = 60;

/// First positions of the batches in a write whose commit frame is in the file as written, but
/// not all that is before it.
fn overtaken(file: &[u8], change: &Change) -> Vec<u64> {
    let Change::Write(at, bytes) = change else {
        return Vec::new();
    };
    let at = index(*at);
    let mut found = Vec::new();
    for start in 0..bytes.len().saturating_sub(COMMIT_BYTES - 1) {
        let frame = &bytes[start..start + COMMIT_BYTES];
        if frame.starts_with(b"CMIT\0\0\0\x30")
            && file.get(at + start..at + start + COMMIT_BYTES) == Some(frame)
            && file.get(at..at + start) != Some(&bytes[..start])
        {
            found.push(
                frame[12..20]
                    .iter()
                    .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
            );
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_end_where_sectors_do() {
        let all: Vec<_> = pieces(1_000, 100, 512).collect();
        assert_eq!(all, [0..24, 24..100]);
        let all: Vec<_> = pieces(512, 512, 512).collect();
        assert_eq!(all, [0..512]);
    }
}
