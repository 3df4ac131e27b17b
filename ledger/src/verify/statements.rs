//! Checkpoints the ledger is held against: those kept in its folder and those an auditor brings.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use super::Outside;
use super::fault::{FaultClass, Faults};
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
    /// Names of the known keys that signed it; empty when no key was given to check with.
    pub signed_by: Vec<String>,
    /// Whether a trusted key of the ledger is among them, not only one that was replaced.
    pub trusted: bool,
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

    /// What the note states, when it is a checkpoint of the ledger and signed as it should be.
    pub(super) fn stated(
        &self,
        origin: Option<&str>,
        outside: &Outside,
        faults: &mut Vec<super::Fault>,
    ) -> Option<Statement> {
        let mut found = Faults::of(self.name.clone());
        let statement = self.parsed(origin, outside, &mut found);
        faults.extend(found.list);
        statement
    }

    fn parsed(
        &self,
        origin: Option<&str>,
        outside: &Outside,
        faults: &mut Faults,
    ) -> Option<Statement> {
        let note = match Note::parse(&self.bytes) {
            Ok(note) => note,
            Err(error) => {
                faults.add(None, FaultClass::Sig, error.to_string());
                return None;
            }
        };
        let checkpoint = match Checkpoint::parse(note.text()) {
            Ok(checkpoint) => checkpoint,
            Err(error) => {
                faults.add(None, FaultClass::Sig, error.to_string());
                return None;
            }
        };
        if origin.is_some_and(|origin| origin != checkpoint.origin) {
            let detail = "the checkpoint is another ledger's";
            faults.add(None, FaultClass::Ledger, detail);
            return None;
        }
        let signers = signers(&note, &checkpoint, outside, faults);
        Some(Statement {
            name: self.name.clone(),
            size: checkpoint.size,
            root: checkpoint.root,
            signed_by: signers.iter().map(|key| key.name().to_owned()).collect(),
            trusted: signers
                .iter()
                .any(|key| is_of_log(key, &checkpoint) && outside.keys.contains(key)),
            holds: false,
        })
    }
}

/// The newest checkpoint must be signed by a key that is trusted now.
pub(super) fn check_newest(
    statements: &[Statement],
    outside: &Outside,
    faults: &mut Vec<super::Fault>,
) {
    let newest = statements.iter().map(|statement| statement.size).max();
    let mut ours = statements
        .iter()
        .filter(|statement| Some(statement.size) == newest);
    if let Some(first) = ours.clone().next()
        && !outside.keys.is_empty()
        && !ours.any(|statement| statement.trusted)
        && !first.signed_by.is_empty()
    {
        let mut found = Faults::of(first.name.clone());
        let detail = "only a key that was replaced signed the newest checkpoint";
        found.add(None, FaultClass::Sig, detail);
        faults.extend(found.list);
    }
}

fn is_of_log(key: &VerifierKey, checkpoint: &Checkpoint) -> bool {
    key.kind() == KeyKind::Ed25519 && key.name() == checkpoint.origin
}

/// The known keys that signed; a log's key must be among them.
fn signers(
    note: &Note,
    checkpoint: &Checkpoint,
    outside: &Outside,
    faults: &mut Faults,
) -> Vec<VerifierKey> {
    if outside.keys.is_empty() {
        return Vec::new();
    }
    let known: Vec<VerifierKey> = outside
        .keys
        .iter()
        .chain(&outside.replaced_keys)
        .cloned()
        .collect();
    match note.verify(&known) {
        Ok(signed) => {
            if !signed.iter().any(|one| is_of_log(one.key, checkpoint)) {
                let detail = "no known key of the ledger signed the checkpoint";
                faults.add(None, FaultClass::Sig, detail);
            }
            signed.iter().map(|one| one.key.clone()).collect()
        }
        Err(error) => {
            let by_witness =
                matches!(&error, NoteError::Forged { name } if *name != checkpoint.origin);
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
