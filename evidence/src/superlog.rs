//! One log over the checkpoints of many ledgers: what public witnesses see.
//!
//! Witnesses limit how often a log may ask, and an origin tells who a tenant is. So the operator
//! keeps one C2SP tiled log (tlog-tiles, tlog-checkpoint) whose leaves are the tenants' checkpoints
//! with blinded origins ([`Leaf`]), and only its checkpoint is cosigned. A tenant's proof is one in
//! its own ledger and one of its checkpoint here. Bytes are in `docs/format.md`, "Super-log".
//! Deliberately not here: that a tenant's ledger only grew, which its own proofs show; here it only
//! cannot be stated smaller, or twice at one size.

mod edge;
mod error;
mod folder;
mod history;
mod leaf;
mod open;
mod pending;
mod tiles;

use std::fs::File;
use std::path::Path;

use ledger::checkpoint::Checkpoint;
use ledger::note::{Note, SigningKey};
use ledger::tree::{self, TreeHash, WIDTH, verify_inclusion};

use edge::{Edge, Growth};
use folder::Folder;
use history::{History, Refused};
use pending::{LEAVES_MAX, Pending};
use tiles::Tiles;

pub use error::{AppendError, CreateError, OpenError, PublishError};
pub use folder::FolderError;
pub use history::Placed;
pub use leaf::{Blind, LEAF_BYTES, Leaf, LeafError, Statement};
pub use tiles::TilesError;

/// Name of the file with the newest checkpoint (tlog-tiles, "Checkpoints").
pub const CHECKPOINT_FILE: &str = "checkpoint";

/// A super-log, open for its one writer.
///
/// ```
/// use evidence::superlog::{Blind, Leaf, Statement, SuperLog};
/// use ledger::{checkpoint::Checkpoint, note::SigningKey, tree::verify_inclusion};
/// use zeroize::Zeroizing;
///
/// # let dir = tempfile::tempdir()?;
/// let key = SigningKey::new("ledger.example/super", &[7; 32])?; // a program passes a secret
/// let blind = Blind::new(Zeroizing::new([8; 32]));
/// let mut log = SuperLog::create(dir.path(), key, blind)?;
/// let statement = Statement {
///     checkpoint: Checkpoint {
///         origin: "ledger.example/t/acme".to_owned(),
///         size: 300,
///         root: [1; 32],
///     },
///     chain_head: [2; 32],
/// };
/// let [placed] = log.append(std::slice::from_ref(&statement))?[..] else { unreachable!() };
///
/// let included = log.inclusion(placed.index)?.ok_or("no such leaf")?;
/// let opening = log.opening("ledger.example/t/acme"); // goes into the tenant's evidence
/// assert!(included.leaf.states(&statement, &opening));
/// let signed = Checkpoint::parse(log.note().text())?;
/// let hash = included.leaf.hash();
/// verify_inclusion(placed.index, signed.size, &hash, &included.proof, &signed.root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct SuperLog {
    folder: Folder,
    key: SigningKey,
    blind: Blind,
    edge: Edge,
    history: History,
    /// INVARIANT: `signed` is what the text of `note` says.
    note: Note,
    signed: Checkpoint,
    /// INVARIANT: false from the first write of an append until its last.
    is_whole: bool,
    /// Held while this is open.
    _lock: File,
}

/// A leaf with the proof that it is in the checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
    /// The leaf.
    pub leaf: Leaf,
    /// Its index.
    pub index: u64,
    /// Hashes from it to the root of [`SuperLog::note`] (RFC 9162, section 2.1.3).
    pub proof: Vec<TreeHash>,
}

impl SuperLog {
    /// Makes an empty super-log, whose origin is the key's name.
    ///
    /// # Errors
    /// [`CreateError`].
    pub fn create(dir: &Path, key: SigningKey, blind: Blind) -> Result<Self, CreateError> {
        open::create(dir, key, blind)
    }

    /// Opens a super-log for writing. Every entry and tile is read and held against the checkpoint,
    /// and an append that a crash interrupted is completed.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(dir: &Path, key: SigningKey, blind: Blind) -> Result<Self, OpenError> {
        open::open(dir, key, blind)
    }

    /// Number of leaves.
    pub fn size(&self) -> u64 {
        self.signed.size
    }

    /// The newest checkpoint, as it was signed and cosigned.
    pub fn note(&self) -> &Note {
        &self.note
    }

    /// The opening of an origin's blinding, for the tenant's evidence: see [`Blind::opening`].
    pub fn opening(&self, origin: &str) -> [u8; 32] {
        self.blind.opening(origin)
    }

    /// Index and leaf of the newest statement of an origin.
    pub fn newest(&self, origin: &str) -> Option<(u64, Leaf)> {
        let blinded = Leaf::blinded(&self.blind.opening(origin), origin);
        self.history.last(&blinded)
    }

    /// Adds what tenants' ledgers say of themselves, at most 256 at once, all or none; the answers
    /// are in the order of the statements. One that is there already is not added again. When this
    /// returns, leaves, tiles and the new checkpoint are durable, in this order.
    ///
    /// # Errors
    /// [`AppendError`].
    pub fn append(&mut self, statements: &[Statement]) -> Result<Vec<Placed>, AppendError> {
        if !self.is_whole {
            return Err(AppendError::Broken);
        }
        if statements.len() > LEAVES_MAX {
            let count = statements.len();
            return Err(AppendError::TooMany { count });
        }
        let size = self.size();
        let (placed, leaves) = match self.place(statements) {
            Ok(decided) => decided,
            Err(refused) => {
                self.history.forget_from(size);
                return Err(refused);
            }
        };
        if !leaves.is_empty() {
            self.is_whole = false;
            let pending = Pending { size, leaves };
            self.folder.replace(pending::FILE, &pending.bytes())?;
            self.complete(&pending.leaves)?;
        }
        Ok(placed)
    }

    /// Where each statement stands or will, and the leaves to add.
    fn place(&mut self, statements: &[Statement]) -> Result<(Vec<Placed>, Vec<Leaf>), AppendError> {
        let mut placed = Vec::with_capacity(statements.len());
        let mut leaves = Vec::new();
        for statement in statements {
            let origin = &statement.checkpoint.origin;
            let leaf = Leaf::of(statement, &self.blind.opening(origin));
            let there = self.history.place(&leaf).map_err(|refused| {
                let (origin, size) = (origin.clone(), leaf.size);
                match refused {
                    Refused::Backwards { last } => AppendError::Backwards { origin, last, size },
                    Refused::Forked => AppendError::Forked { origin, size },
                }
            })?;
            placed.push(there.unwrap_or_else(|| {
                let index = self.edge.size() + u64::try_from(leaves.len()).unwrap_or_default();
                self.history.add(index, leaf);
                leaves.push(leaf);
                let is_new = true;
                Placed { index, is_new }
            }));
        }
        Ok((placed, leaves))
    }

    /// Writes what leaves fill, that are durable as pending: bundles, tiles, checkpoint.
    fn complete(&mut self, leaves: &[Leaf]) -> Result<(), AppendError> {
        let before = self.size();
        let full = self.edge.grow(leaves);
        let partial = self.edge.partials();
        for growth in [&full, &partial] {
            for file in &growth.bundles {
                self.folder.put(&file.path, &file.bytes)?;
            }
        }
        for growth in [&full, &partial] {
            for file in &growth.tiles {
                self.folder.put(&file.path, &file.bytes)?;
            }
        }
        let checkpoint = Checkpoint {
            origin: self.key.verifier().name().to_owned(),
            size: self.edge.size(),
            root: self.edge.root(),
        };
        let note = checkpoint.sign(&self.key)?;
        let text = note.to_string();
        self.folder.replace(CHECKPOINT_FILE, text.as_bytes())?;
        self.folder.remove(pending::FILE)?;
        self.note = note;
        self.signed = checkpoint;
        self.is_whole = true;
        if before / WIDTH < self.size() / WIDTH {
            self.forget_partials(&full);
        }
        Ok(())
    }

    /// Partial tiles may go once the full ones are there (tlog-tiles, "Partial Tiles").
    fn forget_partials(&self, full: &Growth) {
        for file in full.bundles.iter().chain(&full.tiles) {
            self.folder.forget(&format!("{}.p", file.path));
        }
    }

    /// Keeps the newest checkpoint with the cosignatures it got.
    ///
    /// # Errors
    /// [`PublishError`].
    pub fn publish(&mut self, note: &Note) -> Result<(), PublishError> {
        if note.text() != self.note.text() {
            return Err(PublishError::Other);
        }
        note.verify(std::slice::from_ref(self.key.verifier()))?;
        let text = note.to_string();
        self.folder.replace(CHECKPOINT_FILE, text.as_bytes())?;
        self.note = note.clone();
        Ok(())
    }

    /// A leaf with its proof, checked; `None` when there is no such leaf.
    ///
    /// # Errors
    /// [`TilesError`].
    pub fn inclusion(&self, index: u64) -> Result<Option<Included>, TilesError> {
        let (tiles, size) = (self.tiles(), self.size());
        let Some(proof) = tree::inclusion(&tiles, index, size)? else {
            return Ok(None);
        };
        let leaf = open::leaf(&self.folder, index, size)?;
        verify_inclusion(index, size, &leaf.hash(), &proof, &self.signed.root)
            .or(Err(TilesError::Root))?;
        Ok(Some(Included { leaf, index, proof }))
    }

    /// The proof for a witness that the super-log of an older size is the beginning of this one;
    /// empty for sizes that need none.
    ///
    /// # Errors
    /// [`TilesError`].
    pub fn consistency(&self, old: u64) -> Result<Vec<TreeHash>, TilesError> {
        let proof = tree::consistency(&self.tiles(), old, self.size())?;
        Ok(proof.unwrap_or_default())
    }

    fn tiles(&self) -> Tiles<'_> {
        Tiles {
            folder: &self.folder,
            size: self.size(),
        }
    }
}
