//! `ledger.toml` at the root of a ledger's folder, and the blinding key beside it.
//!
//! The file is written once, at creation, in one canonical form; [`crate::verify`] compares it byte
//! for byte with that form and with the genesis event, so that no change to it goes unnoticed.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::hash::{Hash, hex, ledger_id};

/// Name of the settings file; a folder without it is no ledger.
pub const SETTINGS_FILE: &str = "ledger.toml";

/// Name of the file with the blinding key: 32 random bytes, readable by its owner only. Without
/// it the blinded stream and actor ids of entries cannot be linked to names.
pub const BLIND_FILE: &str = "blind.key";

/// Version of the folder's format.
pub const FORMAT_VERSION: u32 = 1;

/// Longest origin, in bytes: a C2SP cosigned message has an 8-bit length for it.
pub const ORIGIN_BYTES_MAX: usize = 255;

/// What a ledger was created with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// Schema-less URL that names the ledger in checkpoints.
    pub origin: String,
    /// Id of the ledger, derived from the origin; hexadecimal digits.
    pub ledger_id: String,
    /// Whether network facts of workloads go to the private part.
    pub private_network: bool,
}

/// Why settings were refused. Listed in the order they are checked.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The file could not be read or written.
    #[error("`{path}` could not be used")]
    Io {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: io::Error,
    },
    /// The file is not the TOML that was written.
    #[error("`{path}` is not a ledger's settings")]
    Parse {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: toml::de::Error,
    },
    /// The settings cannot be written as TOML, which no valid origin can cause.
    #[error("the settings cannot be written")]
    Write(#[from] toml::ser::Error),
    /// A newer version made the ledger.
    #[error("the ledger has format version {found}; this version reads {FORMAT_VERSION}")]
    Version {
        /// The version found.
        found: u32,
    },
    /// The origin breaks a rule.
    #[error(
        "`{origin}` is not an origin: a URL without scheme, at most {ORIGIN_BYTES_MAX} bytes, without spaces, control characters or `+`"
    )]
    Origin {
        /// The origin.
        origin: String,
    },
    /// The id is not the one derived from the origin.
    #[error("the ledger id `{found}` does not belong to the origin `{origin}`")]
    LedgerId {
        /// The id found.
        found: String,
        /// The origin.
        origin: String,
    },
    /// The blinding key has not 32 bytes.
    #[error("`{path}` has {bytes} bytes, not 32")]
    Blind {
        /// The file.
        path: PathBuf,
        /// Its length.
        bytes: usize,
    },
    /// A blinding key is not put in the place of another.
    #[error("`{path}` is another blinding key")]
    OtherBlind {
        /// The file.
        path: PathBuf,
    },
}

impl Settings {
    /// Settings of a new ledger.
    ///
    /// # Errors
    /// [`SettingsError::Origin`].
    pub fn new(origin: &str, private_network: bool) -> Result<Self, SettingsError> {
        check_origin(origin)?;
        Ok(Self {
            format_version: FORMAT_VERSION,
            origin: origin.to_owned(),
            ledger_id: hex(&ledger_id(origin)),
            private_network,
        })
    }

    /// The canonical text of the file.
    ///
    /// # Errors
    /// [`SettingsError::Write`].
    pub fn to_toml(&self) -> Result<String, SettingsError> {
        Ok(toml::to_string(self)?)
    }

    /// Reads the settings of the ledger in a folder; `None` when there is no ledger.
    ///
    /// # Errors
    /// Those about settings, not about the blinding key.
    pub fn read(dir: &Path) -> Result<Option<Self>, SettingsError> {
        let path = dir.join(SETTINGS_FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(SettingsError::Io { path, source }),
        };
        Self::parse(&text, path).map(Some)
    }

    /// Reads the settings from the text of the file at `path`.
    ///
    /// # Errors
    /// As [`Settings::read`].
    pub(crate) fn parse(text: &str, path: PathBuf) -> Result<Self, SettingsError> {
        let settings: Self =
            toml::from_str(text).map_err(|source| SettingsError::Parse { path, source })?;
        if settings.format_version != FORMAT_VERSION {
            return Err(SettingsError::Version {
                found: settings.format_version,
            });
        }
        check_origin(&settings.origin)?;
        if settings.ledger_id != hex(&ledger_id(&settings.origin)) {
            return Err(SettingsError::LedgerId {
                found: settings.ledger_id,
                origin: settings.origin,
            });
        }
        Ok(settings)
    }

    /// Writes the settings; the folder is a ledger from here on.
    pub(crate) fn write(&self, dir: &Path) -> Result<(), SettingsError> {
        let text = self.to_toml()?;
        write_new(dir, SETTINGS_FILE, text.as_bytes(), false)
    }
}

/// Whether the text may name a ledger.
fn check_origin(origin: &str) -> Result<(), SettingsError> {
    let allowed = |c: char| !c.is_whitespace() && !c.is_control() && c != '+';
    let fine = !origin.is_empty()
        && origin.len() <= ORIGIN_BYTES_MAX
        && origin.chars().all(allowed)
        && !origin.contains("://");
    if fine {
        Ok(())
    } else {
        Err(SettingsError::Origin {
            origin: origin.to_owned(),
        })
    }
}

/// Writes the blinding key of a new ledger.
pub(crate) fn write_blind(dir: &Path, blind: &Hash) -> Result<(), SettingsError> {
    write_new(dir, BLIND_FILE, blind, true)
}

/// Reads the blinding key; `None` when the file is absent, as it is in an auditor's copy.
pub(crate) fn read_blind(dir: &Path) -> Result<Option<Hash>, SettingsError> {
    let path = dir.join(BLIND_FILE);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(SettingsError::Io { path, source }),
    };
    let length = bytes.len();
    Hash::try_from(bytes)
        .map(Some)
        .map_err(|_wrong_length| SettingsError::Blind {
            path,
            bytes: length,
        })
}

/// Copies the blinding key of one folder into another that has none, which is made if need be.
/// `false` when there is none to copy.
///
/// # Errors
/// [`SettingsError::OtherBlind`] when the other folder has another, and when either cannot be used.
pub fn copy_blind(from: &Path, to: &Path) -> Result<bool, SettingsError> {
    let Some(blind) = read_blind(from)? else {
        return Ok(false);
    };
    match read_blind(to)? {
        Some(there) if there == blind => {}
        Some(_other) => {
            return Err(SettingsError::OtherBlind {
                path: to.join(BLIND_FILE),
            });
        }
        None => {
            crate::vault::make_folder(to).map_err(|source| SettingsError::Io {
                path: to.to_owned(),
                source,
            })?;
            write_blind(to, &blind)?;
        }
    }
    Ok(true)
}

fn write_new(dir: &Path, name: &str, bytes: &[u8], owner_only: bool) -> Result<(), SettingsError> {
    let path = dir.join(name);
    write_durably(&path, bytes, owner_only).map_err(|source| SettingsError::Io { path, source })
}

/// Writes a small file durably: all of it under its name, or nothing.
pub(crate) fn write_durably(path: &Path, bytes: &[u8], owner_only: bool) -> io::Result<()> {
    let temporary = path.with_added_extension("tmp");
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if owner_only {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _no_modes_here = owner_only;
    let mut file = options.open(&temporary)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&temporary, path)?;
    crate::segment::sync_dir(path.parent().unwrap_or(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_come_back_as_they_were() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Settings::read(dir.path()).unwrap(), None);
        let settings = Settings::new("ledger.example/t/acme", true).unwrap();
        settings.write(dir.path()).unwrap();
        assert_eq!(Settings::read(dir.path()).unwrap(), Some(settings));
    }

    #[test]
    fn the_file_is_written_in_one_form() {
        let settings = Settings::new("ledger.example/t/acme", false).unwrap();
        assert_eq!(
            settings.to_toml().unwrap(),
            "format_version = 1\n\
             origin = \"ledger.example/t/acme\"\n\
             ledger_id = \"6696ad341183a3cefb65459b01da0016\"\n\
             private_network = false\n"
        );
    }

    #[test]
    fn origins_that_no_checkpoint_could_carry_are_refused() {
        let long = "x".repeat(256);
        for origin in ["", "a b", "a+b", "https://a", "a\nb", long.as_str()] {
            assert!(matches!(
                Settings::new(origin, false),
                Err(SettingsError::Origin { .. })
            ));
        }
    }

    #[test]
    fn an_id_of_another_origin_is_refused() {
        let text = Settings::new("a.example", false)
            .unwrap()
            .to_toml()
            .unwrap()
            .replace("a.example", "b.example");
        assert!(matches!(
            Settings::parse(&text, PathBuf::new()),
            Err(SettingsError::LedgerId { .. })
        ));
    }
}
