//! Derived files: what was made from a stretch of ledger, kept so that it need not be made again.
//!
//! `daybook derived 1 KIND\n`, the binding as one line of JSON, the content, and the BLAKE3 of all
//! before it. A file that is damaged, of another kind or bound to anything else is never used: the
//! ledger is read instead. All of them can be deleted at any time.

pub(crate) mod parts;

use std::path::{Path, PathBuf};

use ledger::Reader;
use ledger::event::Position;
use serde::{Deserialize, Serialize};

/// Folder of the derived files inside a ledger's folder.
pub const FOLDER: &str = "derived";

const MAGIC: &str = "daybook derived 1";
const DIGEST_BYTES: usize = 32;

/// The prefix of a ledger a file was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Origin of the ledger.
    pub origin: String,
    /// Events below this position were read.
    pub size: Position,
    /// Chain value after the last of them.
    pub chain: [u8; 32],
    /// How much was pruned then: segments, and bytes left of them.
    pub pruned: (u64, u64),
    /// The rules it was made by, as `build.rs` names them: a class or a demand is a conclusion, and
    /// another build may conclude otherwise.
    pub rules: String,
}

impl Binding {
    /// The binding of what this program makes from a prefix of the ledger a reader reads; `None`
    /// when it has no such prefix, or cannot be read.
    pub fn to(reader: &Reader, size: Position) -> Option<Self> {
        let chain = reader.chain_at(size).ok().flatten()?;
        let mark = reader.pruned_mark().ok()?;
        Some(Self {
            pruned: (mark.segments, mark.bytes),
            ..Self::of(reader.origin(), size, chain)
        })
    }

    /// The binding of a prefix of a ledger from which nothing was pruned.
    pub fn of(origin: &str, size: Position, chain: [u8; 32]) -> Self {
        Self {
            origin: origin.to_owned(),
            size,
            chain,
            pruned: (0, 0),
            rules: env!("DAYBOOK_RULES").to_owned(),
        }
    }

    /// Name of the file in [`FOLDER`].
    pub fn file_name(&self, kind: &str) -> String {
        format!("{kind}-{:020}.dbd", self.size)
    }
}

/// Why a derived file is not used.
#[derive(Debug, thiserror::Error)]
pub enum DerivedError {
    /// The file cannot be read or written.
    #[error("derived file `{path}` cannot be used")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The bytes are not a whole file of this kind.
    #[error("the {kind} file of the first {size} events is damaged")]
    Damaged {
        /// What it should hold.
        kind: &'static str,
        /// Events it should be made from.
        size: Position,
    },
    /// It was made from something else, or by other rules.
    #[error(
        "the {kind} file of the first {size} events was made from another history or by other rules"
    )]
    OtherLedger {
        /// What it holds.
        kind: &'static str,
        /// Events it should be made from.
        size: Position,
    },
}

/// The bytes of a file; the same content gives the same bytes.
pub fn wrap(kind: &str, binding: &Binding, content: &[&[u8]]) -> Vec<u8> {
    let length: usize = content.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length.saturating_add(512));
    out.extend_from_slice(format!("{MAGIC} {kind}\n").as_bytes());
    // a binding is text and numbers, which JSON always takes
    out.extend(serde_json::to_vec(binding).unwrap_or_default());
    out.push(b'\n');
    for part in content {
        out.extend_from_slice(part);
    }
    let digest = blake3::hash(&out);
    out.extend_from_slice(digest.as_bytes());
    out
}

/// The content of a file, which must be of the kind and bound as asked.
///
/// # Errors
/// [`DerivedError::Damaged`], [`DerivedError::OtherLedger`].
pub fn unwrap<'a>(
    kind: &'static str,
    binding: &Binding,
    bytes: &'a [u8],
) -> Result<&'a [u8], DerivedError> {
    let size = binding.size;
    let damaged = || DerivedError::Damaged { kind, size };
    let split = bytes.len().checked_sub(DIGEST_BYTES).ok_or_else(damaged)?;
    let (whole, digest) = bytes.split_at(split);
    if blake3::hash(whole).as_bytes() != digest {
        return Err(damaged());
    }
    let rest = whole
        .strip_prefix(format!("{MAGIC} {kind}\n").as_bytes())
        .ok_or_else(damaged)?;
    let line = rest
        .iter()
        .position(|byte| *byte == b'\n')
        .ok_or_else(damaged)?;
    let (head, content) = rest.split_at(line);
    let bound: Binding = serde_json::from_slice(head).map_err(|_error| damaged())?;
    if bound != *binding {
        return Err(DerivedError::OtherLedger { kind, size });
    }
    Ok(content.get(1..).unwrap_or_default())
}

/// Writes a file into a folder, whole or not at all, and removes the older ones of its kind.
///
/// # Errors
/// [`DerivedError::Io`].
pub fn save(
    folder: &Path,
    kind: &str,
    binding: &Binding,
    content: &[&[u8]],
) -> Result<(), DerivedError> {
    let path = folder.join(binding.file_name(kind));
    let part = path.with_extension(format!("{}.part", std::process::id()));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&part, wrap(kind, binding, content)))
        .and_then(|()| std::fs::rename(&part, &path))
        .map_err(|source| DerivedError::Io { path, source })?;
    for size in sizes(folder, kind) {
        if size < binding.size {
            // one that stays is replaced or ignored later: nothing depends on its absence
            let _gone = std::fs::remove_file(folder.join(format!("{kind}-{size:020}.dbd")));
        }
    }
    Ok(())
}

/// Reads the bytes of the file bound as asked; [`unwrap`] gives their content.
///
/// # Errors
/// [`DerivedError::Io`].
pub fn load(folder: &Path, kind: &str, binding: &Binding) -> Result<Vec<u8>, DerivedError> {
    let path = folder.join(binding.file_name(kind));
    std::fs::read(&path).map_err(|source| DerivedError::Io { path, source })
}

/// Sizes of the ledger for which there are files of a kind, ascending.
pub fn sizes(folder: &Path, kind: &str) -> Vec<Position> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut sizes: Vec<Position> = entries
        .flatten()
        .filter_map(|entry| {
            let name = entry.file_name();
            let rest = name.to_str()?.strip_prefix(kind)?.strip_prefix('-')?;
            let digits = rest.strip_suffix(".dbd")?;
            (digits.len() == 20).then(|| digits.parse().ok()).flatten()
        })
        .collect();
    sizes.sort_unstable();
    sizes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn binding(size: Position) -> Binding {
        Binding::of("example.org/daybook", size, [7; 32])
    }

    #[test]
    fn a_changed_byte_a_cut_or_another_binding_is_refused() {
        let bytes = wrap("test", &binding(60), &[b"con", b"tent"]);
        assert_eq!(unwrap("test", &binding(60), &bytes).unwrap(), b"content");
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            assert!(unwrap("test", &binding(60), &changed).is_err());
            assert!(unwrap("test", &binding(60), &bytes[..index]).is_err());
        }
        let history = Binding {
            chain: [8; 32],
            ..binding(60)
        };
        let rules = Binding {
            rules: "0123456789abcdef".to_owned(),
            ..binding(60)
        };
        for other in [history, rules] {
            assert!(matches!(
                unwrap("test", &other, &bytes),
                Err(DerivedError::OtherLedger { size: 60, .. })
            ));
        }
        assert!(matches!(
            unwrap("rest", &binding(60), &bytes),
            Err(DerivedError::Damaged { .. })
        ));
    }

    #[test]
    fn the_newest_file_of_a_kind_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        save(folder.path(), "other", &binding(5), &[]).unwrap();
        for size in [10, 90, 200] {
            save(folder.path(), "test", &binding(size), &[b"x"]).unwrap();
        }
        std::fs::write(folder.path().join("test-nonsense.dbd"), b"").unwrap();
        assert_eq!(sizes(folder.path(), "test"), [200]);
        assert_eq!(sizes(folder.path(), "other"), [5]);
        let bytes = load(folder.path(), "test", &binding(200)).unwrap();
        assert_eq!(unwrap("test", &binding(200), &bytes).unwrap(), b"x");
        assert!(load(folder.path(), "test", &binding(10)).is_err());
    }
}
