//! Epoch seals: keys that live for a day and are destroyed, so that who steals today's keys cannot
//! sign for yesterday (`docs/format.md`, "Seals").
//!
//! An epoch is a whole day since the ledger was created. When one ends, a last checkpoint is signed
//! by the ledger's key and the epoch's; an event names the next epoch's key, signed by both; then
//! the old key is destroyed. A day without events has its own checkpoint and event all the same:
//! a missing one would hide a cut (systemd's CVE-2023-31438 and -31439 are what comes of less).

mod check;

use jiff::Timestamp;
use ledger::event::evidence::EpochSealed;
use ledger::note::{Note, SigningKey, VerifierKey};
use ledger::{AppendError, EventBody, EventType, Ledger, OpenError, ReadError, Reader};
use std::ops::ControlFlow;
use std::path::Path;
use zeroize::Zeroizing;

use crate::act;
use crate::keys::{Entropy, KeyFileError, KeyFolder};
use crate::publish::{PublishError, publish};

pub use check::{SealFault, check};

/// Name of the file with the key of the epoch.
pub const SEAL_KEY_FILE: &str = "seal.key";

/// Name of the file with the key of the epoch that is about to begin.
pub const NEXT_SEAL_KEY_FILE: &str = "seal.next.key";

/// Milliseconds of an epoch.
const EPOCH_MS: u64 = 86_400_000;

/// Epochs that are ended at once, at most: a ledger left alone for longer is rolled on by the next
/// command.
const EPOCHS_MAX: u64 = 4_000;

/// Why an epoch was not begun or ended. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// A key file cannot be used.
    #[error(transparent)]
    Key(#[from] KeyFileError),
    /// Seals were begun already.
    #[error("the ledger is sealed already, since epoch 0")]
    Begun,
    /// The ledger is sealed, but the key of its epoch is not in the keys folder.
    #[error("epoch {epoch} is open, but its key is not in the keys folder")]
    Lost {
        /// The epoch.
        epoch: u64,
    },
    /// The checkpoint that ends an epoch was not signed.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// The ledger cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The ledger cannot be opened for reading.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The event cannot be appended.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// A note cannot be signed, which no origin can cause.
    #[error(transparent)]
    Note(#[from] ledger::note::NoteError),
}

/// What both keys sign when an epoch begins.
fn statement(origin: &str, opened: u64, sealed_size: Option<u64>, key: &str) -> String {
    let sealed = sealed_size.map_or_else(|| "-".to_owned(), |size| size.to_string());
    format!("{origin}/seal\n{opened}\n{sealed}\n{key}\n")
}

/// The name of an epoch's key.
fn key_name(origin: &str, epoch: u64) -> String {
    format!("{origin}/seal/{epoch}")
}

/// Number of `ledger.epoch_sealed`.
fn event_type() -> Option<EventType> {
    EventType::from_name("ledger.epoch_sealed")
}

/// Every event that opened an epoch, with its position.
///
/// # Errors
/// When the ledger cannot be read.
pub fn opened(reader: &Reader) -> Result<Vec<(u64, EpochSealed)>, ReadError> {
    let mut found = Vec::new();
    let wanted = event_type();
    reader.scan(
        0..reader.size(),
        &|event_type| Some(event_type) == wanted,
        &mut |recorded| {
            if let EventBody::EpochSealed(body) = recorded.event.body {
                found.push((recorded.position, body));
            }
            ControlFlow::Continue(())
        },
    )?;
    Ok(found)
}

/// Whether seals are kept for the ledger of a keys folder.
pub fn is_on(keys: &KeyFolder) -> bool {
    keys.dir().join(SEAL_KEY_FILE).exists() || keys.dir().join(NEXT_SEAL_KEY_FILE).exists()
}

/// Begins to seal: makes the key of epoch 0 and appends the event that names it.
///
/// # Errors
/// [`SealError`].
pub fn begin(
    ledger: &mut Ledger,
    keys: &KeyFolder,
    now: Timestamp,
    entropy: Entropy<'_>,
) -> Result<VerifierKey, SealError> {
    let origin = ledger.origin().to_owned();
    let signing = keys.signing(&origin)?;
    if !opened(&ledger.reader()?)?.is_empty() {
        return Err(SealError::Begun);
    }
    let key = fresh(&origin, 0, keys, entropy)?;
    open_epoch(ledger, keys, (&signing, None), (0, None, &key), now)?;
    Ok(key)
}

/// Ends every epoch that is over, and opens the current one. Nothing when seals are not kept.
///
/// # Errors
/// [`SealError`]; what was ended before stays so, and the next call goes on.
pub fn roll(
    dir: &Path,
    ledger: &mut Ledger,
    keys: &KeyFolder,
    now: Timestamp,
    entropy: Entropy<'_>,
) -> Result<u64, SealError> {
    if !is_on(keys) {
        return Ok(0);
    }
    let origin = ledger.origin().to_owned();
    let signing = keys.signing(&origin)?;
    let mut ended = 0;
    let reader = ledger.reader()?;
    let Some((_, last)) = opened(&reader)?.pop() else {
        // a crash came between the first key and its event: seals were never begun
        return Ok(0);
    };
    let created = created_ms(&reader)?;
    let mut epoch = last.opened;
    let mut current = current_key(keys, &origin, &last)?;
    let today = epoch_at(created, u64::try_from(now.as_millisecond()).unwrap_or(0));
    while epoch < today && ended < EPOCHS_MAX {
        let reader = ledger.reader()?;
        let mut both: Vec<&SigningKey> = signing.iter().collect();
        both.push(&current);
        let last = publish(dir, &reader, keys, &both)?;
        let next = fresh(&origin, epoch + 1, keys, entropy)?;
        let sealed = Some(last.checkpoint.size);
        let by = (&signing[..], Some(&current));
        open_epoch(ledger, keys, by, (epoch + 1, sealed, &next), now)?;
        epoch += 1;
        ended += 1;
        current = keys.named(SEAL_KEY_FILE, &key_name(&origin, epoch))?;
    }
    Ok(ended)
}

/// Makes the key of an epoch under the name of the one to come.
fn fresh(
    origin: &str,
    epoch: u64,
    keys: &KeyFolder,
    entropy: Entropy<'_>,
) -> Result<VerifierKey, SealError> {
    let mut seed = Zeroizing::new([0; 32]);
    entropy(seed.as_mut());
    Ok(keys.make(NEXT_SEAL_KEY_FILE, &key_name(origin, epoch), &seed)?)
}

/// Appends the event that names the next key; then the old one is destroyed.
fn open_epoch(
    ledger: &mut Ledger,
    keys: &KeyFolder,
    (signing, before): (&[SigningKey], Option<&SigningKey>),
    (opened, sealed_size, key): (u64, Option<u64>, &VerifierKey),
    now: Timestamp,
) -> Result<(), SealError> {
    let key = key.to_string();
    let mut note = Note::new(statement(ledger.origin(), opened, sealed_size, &key))?;
    for one in signing.iter().chain(before) {
        note.sign(one)?;
    }
    let body = EpochSealed {
        opened,
        key,
        sealed_size,
        note: note.to_string(),
    };
    ledger.append(vec![act::epoch_sealed(body, now)])?;
    keys.promote(NEXT_SEAL_KEY_FILE, SEAL_KEY_FILE)?;
    Ok(())
}

/// The key of the open epoch. A crash may have come between the event and the change of keys.
fn current_key(
    keys: &KeyFolder,
    origin: &str,
    last: &EpochSealed,
) -> Result<SigningKey, SealError> {
    let name = key_name(origin, last.opened);
    for file in [SEAL_KEY_FILE, NEXT_SEAL_KEY_FILE] {
        if let Ok(key) = keys.named(file, &name)
            && key.verifier().to_string() == last.key
        {
            if file == NEXT_SEAL_KEY_FILE {
                keys.promote(NEXT_SEAL_KEY_FILE, SEAL_KEY_FILE)?;
            }
            return Ok(key);
        }
    }
    Err(SealError::Lost { epoch: last.opened })
}

/// When the ledger was created, in Unix milliseconds.
fn created_ms(reader: &Reader) -> Result<u64, ReadError> {
    let first = reader.get(0)?;
    let at = first.map_or(0, |first| first.recorded_at.as_millisecond());
    Ok(u64::try_from(at).unwrap_or(0))
}

/// The epoch of a time.
fn epoch_at(created_ms: u64, at_ms: u64) -> u64 {
    at_ms.saturating_sub(created_ms) / EPOCH_MS
}
