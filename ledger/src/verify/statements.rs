//! Checkpoints the ledger is held against: those kept in its folder and those an auditor brings.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::fault::{FaultClass, Faults};
use super::on_evidence::ReplacedKey;
use crate::checkpoint::Checkpoint;
use crate::note::{KeyKind, NOTE_BYTES_MAX, Note, NoteError, VerifierKey};
use crate::tree::TreeHash;

/// Name of the newest checkpoint in a ledger's folder (C2SP tlog-tiles, "Checkpoint").
pub const CHECKPOINT_FILE: &str = "checkpoint";

/// Name of the folder with every checkpoint that was signed, each under its size.
pub const LADDER_FOLDER: &str = "checkpoints";

/// A checkpoint the ledger was compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// File it was read from.
    pub name: String,
    /// Entries it counts.
    pub size: u64,
    /// Root it names.
    pub root: TreeHash,
    /// Origin it names.
    pub origin: String,
    /// The note itself.
    pub note: Note,
    /// Names of the known keys that signed it; empty when no key was given to check with.
    pub signed_by: Vec<String>,
    /// Whether the entries lead to that root.
    pub holds: bool,
}

/// A checkpoint as it is kept: a signed note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptNote {
    /// Where it was read, for messages.
    pub name: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl KeptNote {
    /// Reads a note, but not more than one may have.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read(path: &Path, name: String) -> io::Result<Self> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(NOTE_BYTES_MAX).unwrap_or(u64::MAX) + 1;
        File::open(path)?.take(limit).read_to_end(&mut bytes)?;
        Ok(Self { name, bytes })
    }

    /// The notes in a ledger's folder, the newest first, then the ladder by size.
    ///
    /// # Errors
    /// When a file is there and cannot be read.
    pub fn of_ledger(dir: &Path) -> io::Result<Vec<Self>> {
        let mut names = Vec::new();
        if dir.join(CHECKPOINT_FILE).exists() {
            names.push(CHECKPOINT_FILE.to_owned());
        }
        match std::fs::read_dir(dir.join(LADDER_FOLDER)) {
            Ok(items) => {
                for item in items {
                    if let Some(name) = item?.file_name().to_str() {
                        names.push(format!("{LADDER_FOLDER}/{name}"));
                    }
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        names.sort();
        names
            .into_iter()
            .filter(|name| Path::new(name).extension().is_none())
            .map(|name| Self::read(&dir.join(&name), name))
            .collect()
    }

    /// What the note states, when it is a checkpoint of the ledger. Signatures are checked later.
    pub(super) fn stated(
        &self,
        origin: Option<&str>,
        faults: &mut Vec<super::Fault>,
    ) -> Option<Statement> {
        let mut found = Faults::of(self.name.clone());
        let read = Note::parse(&self.bytes)
            .map_err(|error| error.to_string())
            .and_then(|note| {
                let checkpoint = Checkpoint::parse(note.text());
                Ok((checkpoint.map_err(|error| error.to_string())?, note))
            });
        let statement = match read {
            Ok((checkpoint, _)) if origin.is_some_and(|origin| origin != checkpoint.origin) => {
                let detail = "the checkpoint is another ledger's";
                found.add(None, FaultClass::Ledger, detail);
                None
            }
            Ok((checkpoint, note)) => {
                if self.name.starts_with(LADDER_FOLDER) && self.name != rung(checkpoint.size) {
                    let detail = "the file is not named as the size it states";
                    found.add(None, FaultClass::Sig, detail);
                }
                Some(Statement {
                    name: self.name.clone(),
                    size: checkpoint.size,
                    root: checkpoint.root,
                    origin: checkpoint.origin,
                    note,
                    signed_by: Vec::new(),
                    holds: false,
                })
            }
            Err(detail) => {
                found.add(None, FaultClass::Sig, detail);
                None
            }
        };
        faults.extend(found.list);
        statement
    }
}

/// The file of a checkpoint in the ladder, in the ledger's folder: its size in 20 digits.
pub fn rung(size: u64) -> String {
    format!("{LADDER_FOLDER}/{size:020}")
}

/// Checks who signed each checkpoint: a key of the ledger that is known must have, and for the
/// newest one that is trusted now. Nothing without trusted keys.
pub(super) fn check_signatures(
    statements: &mut [Statement],
    trusted: &[VerifierKey],
    replaced: &[ReplacedKey],
) -> Vec<super::Fault> {
    let mut faults = Vec::new();
    if trusted.is_empty() {
        return faults;
    }
    let newest = statements.iter().map(|statement| statement.size).max();
    let mut is_trusted = false;
    for statement in statements.iter_mut() {
        let mut found = Faults::of(statement.name.clone());
        let of_then = replaced
            .iter()
            .filter(|old| old.until.is_none_or(|until| statement.size <= until))
            .map(|old| &old.key);
        let known: Vec<VerifierKey> = trusted.iter().chain(of_then).cloned().collect();
        let signers = statement.signers(&known, &mut found);
        let mut ours = signers.iter().filter(|key| statement.is_by_log(key));
        is_trusted |= Some(statement.size) == newest && ours.any(|key| trusted.contains(key));
        statement.signed_by = signers.iter().map(|key| key.name().to_owned()).collect();
        faults.extend(found.list);
    }
    let newest = statements
        .iter()
        .find(|statement| Some(statement.size) == newest && !statement.signed_by.is_empty());
    if let Some(newest) = newest.filter(|_| !is_trusted) {
        let mut found = Faults::of(newest.name.clone());
        let detail = "only a key that was replaced signed the newest checkpoint";
        found.add(None, FaultClass::Sig, detail);
        faults.extend(found.list);
    }
    faults
}

impl Statement {
    fn is_by_log(&self, key: &VerifierKey) -> bool {
        key.kind() == KeyKind::Ed25519 && key.name() == self.origin
    }

    /// The known keys that signed; a log's key must be among them.
    fn signers(&self, known: &[VerifierKey], faults: &mut Faults) -> Vec<VerifierKey> {
        match self.note.verify(known) {
            Ok(signed) => {
                if !signed.iter().any(|one| self.is_by_log(one.key)) {
                    let detail = "no known key of the ledger signed the checkpoint";
                    faults.add(None, FaultClass::Sig, detail);
                }
                signed.iter().map(|one| one.key.clone()).collect()
            }
            Err(error) => {
                let by_witness =
                    matches!(&error, NoteError::Forged { name } if *name != self.origin);
                let class = if by_witness {
                    FaultClass::Cosig
                } else {
                    FaultClass::Sig
                };
                faults.add(None, class, error.to_string());
                Vec::new()
            }
        }
    }
}
