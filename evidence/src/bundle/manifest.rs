//! The manifest: every file of a bundle with its length and BLAKE3.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use ledger::hash::hex;

/// First line of a manifest.
const HEADER: &str = "daybook bundle 1";

/// Longest manifest that is read, in bytes.
const MANIFEST_BYTES_MAX: u64 = 64 << 20;

/// Longest path in a manifest, in bytes.
const PATH_BYTES_MAX: usize = 200;

/// Folders within folders, at most: `tile/entries/x…/x…/…/000.p/5` of 2^64 entries has 10.
const DEPTH_MAX: usize = 12;

/// What a manifest says of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) bytes: u64,
    pub(super) hash: [u8; 32],
}

/// Files by path.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Manifest {
    pub(super) files: BTreeMap<String, Listed>,
}

/// Why a manifest is refused. Listed in the order the causes are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Longer than any manifest here, or not text.
    #[error("the manifest is not a text of at most {MANIFEST_BYTES_MAX} bytes")]
    NotText,
    /// Not begun as a manifest is.
    #[error("the manifest does not begin with `{HEADER}`")]
    Header,
    /// A line is not BLAKE3, length and path, or not in the order of paths.
    #[error("line {line} of the manifest is not `BLAKE3 LENGTH PATH`, in the order of paths")]
    Line {
        /// Number of the line, from 1.
        line: usize,
    },
}

impl Manifest {
    pub(super) fn add(&mut self, path: String, bytes: &[u8]) {
        let listed = Listed {
            bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
            hash: *blake3::hash(bytes).as_bytes(),
        };
        self.files.insert(path, listed);
    }

    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ManifestError> {
        let text = std::str::from_utf8(bytes).or(Err(ManifestError::NotText))?;
        let mut lines = (1..).zip(text.split_terminator('\n'));
        if lines.next().is_none_or(|(_, first)| first != HEADER) || !text.ends_with('\n') {
            return Err(ManifestError::Header);
        }
        let mut files = BTreeMap::new();
        let mut last = String::new();
        for (line, text) in lines {
            let (path, listed) = parse_line(text).ok_or(ManifestError::Line { line })?;
            if *path <= *last {
                return Err(ManifestError::Line { line });
            }
            path.clone_into(&mut last);
            files.insert(path.to_owned(), listed);
        }
        Ok(Self { files })
    }

    /// Reads the manifest of a bundle.
    pub(super) fn read(dir: &Path) -> io::Result<Vec<u8>> {
        read_limited(&dir.join(super::MANIFEST_FILE), MANIFEST_BYTES_MAX)
    }

    /// Paths of the files that are there, in order; an entry that is neither file nor folder, or
    /// lies too deep, is one too, so that it shows as not listed.
    pub(super) fn walk(dir: &Path) -> io::Result<Vec<String>> {
        let mut found = Vec::new();
        let mut folders = vec![(dir.to_owned(), String::new(), 0)];
        while let Some((folder, prefix, depth)) = folders.pop() {
            for item in std::fs::read_dir(folder)? {
                let item = item?;
                let name = item.file_name().to_string_lossy().into_owned();
                let path = format!("{prefix}{name}");
                // a link is not followed
                if item.file_type()?.is_dir() && depth < DEPTH_MAX {
                    folders.push((item.path(), format!("{path}/"), depth + 1));
                } else {
                    found.push(path);
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }
}

impl std::fmt::Display for Manifest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{HEADER}")?;
        for (path, listed) in &self.files {
            writeln!(f, "{} {} {path}", hex(&listed.hash), listed.bytes)?;
        }
        Ok(())
    }
}

/// Reads a regular file of at most `limit` bytes; of a longer one, one byte more.
pub(super) fn read_limited(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open_regular(path)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Length and BLAKE3 of a regular file of at most `limit` bytes; of a longer one, of one byte more.
pub(super) fn hash_limited(path: &Path, limit: u64) -> io::Result<(u64, [u8; 32])> {
    let mut hasher = blake3::Hasher::new();
    let limited = open_regular(path)?.take(limit.saturating_add(1));
    hasher.update_reader(limited)?;
    Ok((hasher.count(), *hasher.finalize().as_bytes()))
}

fn open_regular(path: &Path) -> io::Result<File> {
    if !std::fs::symlink_metadata(path)?.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file",
        ));
    }
    File::open(path)
}

fn parse_line(text: &str) -> Option<(&str, Listed)> {
    let (hash, rest) = text.split_once(' ')?;
    let (length, path) = rest.split_once(' ')?;
    let bytes: u64 = length.parse().ok()?;
    let listed = Listed {
        bytes,
        hash: parse_hash(hash)?,
    };
    (bytes.to_string() == length && is_path(path)).then_some((path, listed))
}

fn parse_hash(text: &str) -> Option<[u8; 32]> {
    let plain = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    if text.len() != 64 || !text.bytes().all(plain) {
        return None;
    }
    let mut hash = [0; 32];
    for (byte, pair) in hash.iter_mut().zip(text.as_bytes().as_chunks::<2>().0) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}

/// A path inside the bundle, of names that mean the same on every system.
fn is_path(path: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && !name.starts_with('.')
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
    };
    path.len() <= PATH_BYTES_MAX
        && path != super::MANIFEST_FILE
        && path.split('/').count() <= DEPTH_MAX
        && path.split('/').all(is_name)
}
