//! Where a ledger is: its folder, and the folder of its keys beside it.

use std::path::{Path, PathBuf};

use crate::lock::Holder;

/// Appended to the name of a ledger's folder to name the folder of its keys.
const KEYS_SUFFIX: &str = ".keys";

/// The folder of a ledger and the folder of its keys. The two are kept apart so that a copy of the
/// one, such as a backup or an auditor's copy, does not carry the other.
///
/// ```
/// use ledger::Place;
///
/// let place = Place::from("books/acme.ledger");
/// assert_eq!(place.keys(), std::path::Path::new("books/acme.ledger.keys"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    folder: PathBuf,
    keys: PathBuf,
    /// Who opens it, for the writer's lock to name.
    holder: Option<Box<Holder>>,
}

impl Place {
    /// The ledger in a folder, with its keys in another.
    pub fn new(folder: &Path, keys: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            keys: keys.to_owned(),
            holder: None,
        }
    }

    /// The same, saying who opens it: when it is for writing, the lock names them, so that a
    /// second writer is told. Without it the lock names the process id alone.
    #[must_use]
    pub fn held_by(self, holder: Holder) -> Self {
        Self {
            holder: Some(Box::new(holder)),
            ..self
        }
    }

    pub(crate) fn holder(&self) -> Option<&Holder> {
        self.holder.as_deref()
    }

    /// Folder of the ledger.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Folder of the keys; it is made when the first key is.
    pub fn keys(&self) -> &Path {
        &self.keys
    }
}

/// The ledger in a folder, with its keys in the sibling `<folder>.keys`.
impl<P: AsRef<Path> + ?Sized> From<&P> for Place {
    fn from(folder: &P) -> Self {
        let folder = folder.as_ref();
        let keys = match folder.file_name() {
            Some(name) => {
                let mut name = name.to_owned();
                name.push(KEYS_SUFFIX);
                folder.with_file_name(name)
            }
            // `.` or `..`: a sibling by name only once the name is known
            None => match folder.canonicalize() {
                Ok(known) if known.file_name().is_some() => {
                    return Self::new(folder, Self::from(&known).keys());
                }
                _ => folder.join(KEYS_SUFFIX),
            },
        };
        Self {
            folder: folder.to_owned(),
            keys,
            holder: None,
        }
    }
}

impl From<&Self> for Place {
    fn from(place: &Self) -> Self {
        place.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_lie_beside_the_ledger_and_never_in_it() {
        for (folder, keys) in [
            ("a.ledger", "a.ledger.keys"),
            ("/x/a.ledger/", "/x/a.ledger.keys"),
            ("../b", "../b.keys"),
        ] {
            assert_eq!(Place::from(folder).keys(), Path::new(keys));
        }
        let here = Place::from(".");
        assert!(here.keys().file_name().is_some_and(|name| name != ".keys"));
        assert!(
            !here
                .keys()
                .starts_with(Path::new(".").canonicalize().unwrap())
        );
    }
}
