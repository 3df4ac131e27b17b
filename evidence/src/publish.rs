//! Signing a checkpoint: what is new is hashed from the entries, what is old is held against what
//! was signed before, and only then is anything signed.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use ledger::checkpoint::Checkpoint;
use ledger::note::{Note, NoteError, SigningKey};
use ledger::tree::{Frontier, Tile, TreeHash, leaf_hash};
use ledger::{CHECKPOINT_FILE, Entry, KeptNote, LADDER_FOLDER, ReadError, Reader, hash, rung};

use crate::durable::{Readers, replace};
use crate::head::{Head, HeadError, swap};
use crate::keys::KeyFolder;

/// Why no checkpoint was signed. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    /// The ledger is not the one signed before.
    #[error(transparent)]
    Head(#[from] HeadError),
    /// An entry does not carry the chain value of the one before.
    #[error("the event at position {position} is not linked to the one before")]
    Link {
        /// Its position.
        position: u64,
    },
    /// The tiles are not those of the entries.
    #[error("the tiles beside the segments are not those of the entries")]
    Tiles,
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The checkpoint cannot be written as a note.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The checkpoint was signed, but could not be kept in the ledger's folder; the next call does.
    #[error("the checkpoint was signed, but `{path}` could not be written")]
    Keep {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
}

/// A checkpoint that was signed, now or before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The signed note.
    pub note: Note,
    /// Size of the checkpoint before it; `None` for the first.
    pub before: Option<u64>,
    /// Whether it was signed now.
    pub is_new: bool,
}

/// Signs the ledger as it is, once, and keeps the checkpoint in its folder: nothing new, no new
/// signature.
///
/// # Errors
/// [`PublishError`]; nothing was signed unless it is [`PublishError::Keep`].
pub fn publish(
    dir: &Path,
    reader: &Reader,
    keys: &KeyFolder,
    signing: &[&SigningKey],
) -> Result<Published, PublishError> {
    let published = sign(dir, reader, keys, signing)?;
    // what a crash left out between signing and keeping is kept now
    keep(dir, published.checkpoint.size, &published.note)?;
    Ok(published)
}

/// Signs the ledger as it is, once, without keeping the checkpoint in its folder: for who asks
/// witnesses first. The record in the keys folder moves all the same.
///
/// # Errors
/// [`PublishError`]; nothing was signed.
pub fn sign(
    dir: &Path,
    reader: &Reader,
    keys: &KeyFolder,
    signing: &[&SigningKey],
) -> Result<Published, PublishError> {
    let head = Head::read(keys)?;
    if let Some(head) = &head {
        head.check(reader)?;
        check_record(dir, head)?;
    }
    let before = head.as_ref().map(|head| head.checkpoint.size);
    let signed_by_all = |note: &Note| {
        signing.iter().all(|key| {
            let id = key.verifier().id();
            note.signatures()
                .iter()
                .any(|one| one.name == key.verifier().name() && one.key_id == id)
        })
    };
    if let Some(head) = &head
        && head.checkpoint.size == reader.size()
        && signed_by_all(&head.note)
    {
        return Ok(Published {
            checkpoint: head.checkpoint.clone(),
            note: head.note.clone(),
            before,
            is_new: false,
        });
    }
    let checkpoint = Checkpoint {
        origin: reader.origin().to_owned(),
        size: reader.size(),
        root: grown(reader, head.as_ref())?,
    };
    let mut note = Note::new(checkpoint.text())?;
    for key in signing {
        note.sign(key)?;
    }
    swap(keys, head.as_ref(), &note)?;
    Ok(Published {
        checkpoint,
        note,
        before,
        is_new: true,
    })
}

/// Keeps a checkpoint that was signed, with the signatures that witnesses added.
///
/// # Errors
/// [`PublishError::Head`] when another was signed meanwhile, [`PublishError::Keep`].
pub fn cosigned(
    dir: &Path,
    keys: &KeyFolder,
    published: &Published,
    note: &Note,
) -> Result<(), PublishError> {
    let known = Head {
        checkpoint: published.checkpoint.clone(),
        note: published.note.clone(),
    };
    if known.note != *note {
        swap(keys, Some(&known), note)?;
    }
    keep(dir, published.checkpoint.size, note)
}

/// The ledger must not have been signed beyond what the keys folder knows.
fn check_record(dir: &Path, head: &Head) -> Result<(), HeadError> {
    let path = dir.join(CHECKPOINT_FILE);
    let Ok(kept) = KeptNote::read(&path, CHECKPOINT_FILE.to_owned()) else {
        return Ok(());
    };
    let signed = Note::parse(&kept.bytes)
        .ok()
        .and_then(|note| Checkpoint::parse(note.text()).ok())
        .map_or(0, |checkpoint| checkpoint.size);
    if signed > head.checkpoint.size {
        return Err(HeadError::RecordOlder {
            signed,
            known: head.checkpoint.size,
        });
    }
    Ok(())
}

/// The root over all entries: those signed before by their tiles, which lead to the signed root,
/// the others hashed one by one, each linked to the one before.
fn grown(reader: &Reader, head: Option<&Head>) -> Result<TreeHash, PublishError> {
    let tree = reader.tree();
    let start = head.map_or(0, |head| head.checkpoint.size);
    let mut levels = Vec::new();
    let mut rest = start;
    for level in 0_u8.. {
        if rest == 0 {
            break;
        }
        let width = u16::try_from(rest % 256).unwrap_or(0);
        let tile = Tile {
            level,
            index: rest / 256,
            width,
        };
        levels.push(if width == 0 {
            Vec::new()
        } else {
            tree.tile(tile)?
        });
        rest /= 256;
    }
    let mut frontier = Frontier::of(start, levels).ok_or(PublishError::Tiles)?;
    if let Some(head) = head
        && frontier.root() != head.checkpoint.root
    {
        return Err(PublishError::Tiles);
    }
    let mut chain = reader.chain_at(start)?.unwrap_or_default();
    let mut broken = None;
    let mut position = start;
    reader.scan_stored(start..reader.size(), &mut |record| {
        let linked = Entry::decode(record.entry).is_ok_and(|entry| entry.prev_chain == chain);
        if !linked {
            broken = Some(position);
            return ControlFlow::Break(());
        }
        chain = hash::chain(record.entry);
        let Ok(()) = frontier.push(leaf_hash(record.entry), |_, _| {
            Ok::<(), std::convert::Infallible>(())
        });
        position += 1;
        ControlFlow::Continue(())
    })?;
    if let Some(position) = broken {
        return Err(PublishError::Link { position });
    }
    if frontier.size() != reader.size() || frontier.root() != tree.root(reader.size())? {
        return Err(PublishError::Tiles);
    }
    Ok(frontier.root())
}

/// Keeps a checkpoint in the ledger's folder: as the newest, and in the ladder.
fn keep(dir: &Path, size: u64, note: &Note) -> Result<(), PublishError> {
    let text = note.to_string();
    let fail = |name: &str| {
        let path = dir.join(name);
        move |source| PublishError::Keep { path, source }
    };
    let ladder = dir.join(LADDER_FOLDER);
    std::fs::create_dir_all(&ladder).map_err(fail(LADDER_FOLDER))?;
    let path = rung(size);
    let name = path.strip_prefix(LADDER_FOLDER).unwrap_or(&path);
    replace(
        &ladder,
        name.trim_start_matches('/'),
        text.as_bytes(),
        Readers::All,
    )
    .map_err(fail(&path))?;
    replace(dir, CHECKPOINT_FILE, text.as_bytes(), Readers::All).map_err(fail(CHECKPOINT_FILE))
}
