//! The keys folder: what may sign for a ledger, and what was signed last. It lies outside the
//! ledger's folder, so that who holds the one need not hold the other.
//!
//! `log.key` signs checkpoints; while a rotation is under way `log.previous.key` signs them too.
//! `head` is the last checkpoint signed, see [`crate::head`]. Every key file is readable by its
//! owner only, and one that is not is refused.

mod file;

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::Place;
use ledger::note::{self, SigningKey, VerifierKey};
use zeroize::Zeroizing;

use crate::durable::{Readers, replace, sync_dir};

/// Name of the file with the key that signs checkpoints.
pub const LOG_KEY_FILE: &str = "log.key";

/// Name of the file with the key that is being replaced.
pub const PREVIOUS_KEY_FILE: &str = "log.previous.key";

/// Longest key file that is read, in bytes: a name of up to 255 bytes, an id and a key.
const KEY_BYTES_MAX: u64 = 4_096;

/// Fills a buffer with random bytes fit for keys.
pub type Entropy<'e> = &'e mut dyn FnMut(&mut [u8]);

/// Why a key could not be made, read or changed. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The operating system refused.
    #[error("`{path}` could not be used")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// There is a key already.
    #[error("`{path}` is there already; a key is replaced by rotating it")]
    AlreadyThere {
        /// The file.
        path: PathBuf,
    },
    /// There is no key.
    #[error("there is no key at `{path}`")]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// Others could read the key.
    #[error("`{path}` can be read by others than its owner")]
    Exposed {
        /// The file.
        path: PathBuf,
    },
    /// The file holds no key.
    #[error("`{path}` holds no usable key")]
    Key {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: note::KeyError,
    },
    /// The key is not the ledger's.
    #[error("the key in `{path}` is named `{name}`, not as the ledger is, `{origin}`")]
    Name {
        /// The file.
        path: PathBuf,
        /// Name of the key.
        name: String,
        /// Origin of the ledger.
        origin: String,
    },
    /// An earlier rotation has not ended.
    #[error("the key before is still signing; retire it before another rotation")]
    Rotating,
}

/// The keys of one ledger.
#[derive(Debug, Clone)]
pub struct KeyFolder {
    dir: PathBuf,
}

impl KeyFolder {
    /// The folder at a path, whether it is there or not.
    pub fn at(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
        }
    }

    /// The folder of a ledger when none is named: beside it, under its name with `.keys` behind.
    pub fn beside(ledger: &Path) -> Self {
        Self::at(Place::from(ledger).keys())
    }

    /// Its path.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Whether there is a key to sign with.
    pub fn can_sign(&self) -> bool {
        self.dir.join(LOG_KEY_FILE).exists()
    }

    /// Makes the first signing key of a ledger.
    ///
    /// # Errors
    /// [`KeyFileError::AlreadyThere`], or when the folder cannot be written.
    pub fn generate(
        &self,
        origin: &str,
        entropy: Entropy<'_>,
    ) -> Result<VerifierKey, KeyFileError> {
        let path = self.dir.join(LOG_KEY_FILE);
        if path.exists() {
            return Err(KeyFileError::AlreadyThere { path });
        }
        let mut seed = Zeroizing::new([0; 32]);
        entropy(seed.as_mut());
        self.make(LOG_KEY_FILE, origin, &seed)
    }

    /// The keys that sign, the newest first.
    ///
    /// # Errors
    /// When a key file is missing, exposed or holds no key of that ledger.
    pub fn signing(&self, origin: &str) -> Result<Vec<SigningKey>, KeyFileError> {
        let mut keys = vec![self.read(LOG_KEY_FILE, origin)?];
        if self.dir.join(PREVIOUS_KEY_FILE).exists() {
            keys.push(self.read(PREVIOUS_KEY_FILE, origin)?);
        }
        Ok(keys)
    }

    /// Starts a rotation: a new key signs from now on, the old one beside it until it is retired.
    ///
    /// # Errors
    /// [`KeyFileError::Rotating`], or when a file cannot be used.
    pub fn rotate(&self, origin: &str, entropy: Entropy<'_>) -> Result<Rotated, KeyFileError> {
        let old = self.read(LOG_KEY_FILE, origin)?;
        if self.dir.join(PREVIOUS_KEY_FILE).exists() {
            return Err(KeyFileError::Rotating);
        }
        let mut seed = Zeroizing::new([0; 32]);
        entropy(seed.as_mut());
        // the old key is kept under its other name first: at no moment is it lost
        self.put(PREVIOUS_KEY_FILE, &old)?;
        let new = self.make(LOG_KEY_FILE, origin, &seed)?;
        Ok(Rotated {
            old: old.verifier().clone(),
            new,
        })
    }

    /// Ends a rotation: the old key is destroyed. `None` when none was under way.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub fn retire(&self, origin: &str) -> Result<Option<VerifierKey>, KeyFileError> {
        if !self.dir.join(PREVIOUS_KEY_FILE).exists() {
            return Ok(None);
        }
        let old = self.read(PREVIOUS_KEY_FILE, origin)?;
        let path = self.dir.join(PREVIOUS_KEY_FILE);
        file::destroy(&path).map_err(|source| KeyFileError::Io { path, source })?;
        Ok(Some(old.verifier().clone()))
    }

    /// Makes a secret of 32 bytes that is no signing key, in a file of its own.
    ///
    /// # Errors
    /// [`KeyFileError::AlreadyThere`], or when the folder cannot be written.
    pub fn make_secret(&self, file: &str, entropy: Entropy<'_>) -> Result<(), KeyFileError> {
        let path = self.dir.join(file);
        if path.exists() {
            return Err(KeyFileError::AlreadyThere { path });
        }
        self.make_folder()?;
        let mut secret = Zeroizing::new([0; 32]);
        entropy(secret.as_mut());
        let text = Zeroizing::new(STANDARD.encode(secret.as_slice()));
        replace(&self.dir, file, text.as_bytes(), Readers::Owner)
            .map_err(|source| KeyFileError::Io { path, source })
    }

    /// Such a secret.
    ///
    /// # Errors
    /// When the file is missing, exposed or holds no secret.
    pub fn secret(&self, file: &str) -> Result<Zeroizing<[u8; 32]>, KeyFileError> {
        let path = self.dir.join(file);
        let text = file::read_secret(&path, KEY_BYTES_MAX)?;
        let bytes = STANDARD.decode(text.trim_end()).map(Zeroizing::new).ok();
        let secret = bytes.and_then(|bytes| <[u8; 32]>::try_from(bytes.as_slice()).ok());
        secret.map(Zeroizing::new).ok_or(KeyFileError::Key {
            path,
            source: note::KeyError::Shape,
        })
    }

    /// Makes a key of any name in a file of its own.
    pub(crate) fn make(
        &self,
        file: &str,
        name: &str,
        seed: &[u8; 32],
    ) -> Result<VerifierKey, KeyFileError> {
        self.make_folder()?;
        let key = SigningKey::new(name, seed).map_err(|source| KeyFileError::Key {
            path: self.dir.join(file),
            source,
        })?;
        self.put(file, &key)?;
        Ok(key.verifier().clone())
    }

    /// The key in a file, which must have that name.
    pub(crate) fn named(&self, file: &str, name: &str) -> Result<SigningKey, KeyFileError> {
        self.read(file, name)
    }

    /// Destroys the key in one file and puts that of another in its place.
    pub(crate) fn promote(&self, from: &str, to: &str) -> Result<(), KeyFileError> {
        let (from, to) = (self.dir.join(from), self.dir.join(to));
        let fail = |source| KeyFileError::Io {
            path: to.clone(),
            source,
        };
        file::overwrite(&to).map_err(fail)?;
        std::fs::rename(&from, &to).map_err(fail)?;
        sync_dir(&self.dir).map_err(fail)
    }

    fn make_folder(&self) -> Result<(), KeyFileError> {
        file::make_folder(&self.dir).map_err(|source| KeyFileError::Io {
            path: self.dir.clone(),
            source,
        })
    }

    fn put(&self, name: &str, key: &SigningKey) -> Result<(), KeyFileError> {
        let text = Zeroizing::new(format!("{}\n", *Zeroizing::new(key.secret_text())));
        replace(&self.dir, name, text.as_bytes(), Readers::Owner).map_err(|source| {
            KeyFileError::Io {
                path: self.dir.join(name),
                source,
            }
        })
    }

    fn read(&self, name: &str, origin: &str) -> Result<SigningKey, KeyFileError> {
        let path = self.dir.join(name);
        let text = file::read_secret(&path, KEY_BYTES_MAX)?;
        let key = SigningKey::parse(text.trim_end()).map_err(|source| KeyFileError::Key {
            path: path.clone(),
            source,
        })?;
        if key.verifier().name() != origin {
            return Err(KeyFileError::Name {
                path,
                name: key.verifier().name().to_owned(),
                origin: origin.to_owned(),
            });
        }
        Ok(key)
    }
}

/// The two keys of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// The key that signed until now, and still does beside the new one.
    pub old: VerifierKey,
    /// The key that signs from now on.
    pub new: VerifierKey,
}
