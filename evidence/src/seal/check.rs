//! Checking the seals of a ledger: epochs one after the other, each ended once, by its own key.

use ledger::checkpoint::Checkpoint;
use ledger::event::evidence::EpochSealed;
use ledger::note::{Note, VerifierKey};
use ledger::{Entry, KeptNote, ReadError, Reader, rung};

use super::{created_ms, epoch_at, event_type, key_name, statement};

/// A seal that is missing or does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealFault {
    /// Position of the event concerned.
    pub position: u64,
    /// What was found, for people.
    pub detail: String,
}

/// Checks every seal, by the events that open epochs, in order; `keys` are those of the ledger that an auditor trusts, and may be none. The
/// number of epochs, 0 when the ledger is not sealed.
///
/// # Errors
/// When the ledger cannot be read.
pub fn check(
    reader: &Reader,
    events: &[(u64, EpochSealed)],
    kept: &[KeptNote],
    keys: &[VerifierKey],
) -> Result<(u64, Vec<SealFault>), ReadError> {
    let created = created_ms(reader)?;
    let mut faults = Vec::new();
    let mut before: Option<VerifierKey> = None;
    let mut wanted = 0;
    for (position, event) in events {
        let mut fault = |detail: String| {
            faults.push(SealFault {
                position: *position,
                detail,
            });
        };
        if event.opened != wanted {
            fault(format!(
                "epoch {} opens where {wanted} is due",
                event.opened
            ));
        }
        wanted = event.opened.saturating_add(1);
        let by = (before.as_ref(), keys);
        for detail in faults_of(reader.origin(), *position, event, by, kept) {
            fault(detail);
        }
        if let Some(at) = position.checked_sub(1)
            && let Some(late) = late(reader, created, at, event.opened.saturating_sub(1))?
        {
            fault(late);
        }
        before = event.key.parse().ok();
    }
    if let Some((position, last)) = events.last()
        && let Some(at) = reader.size().checked_sub(1)
        && let Some(detail) = late(reader, created, at, last.opened)?
    {
        faults.push(SealFault {
            position: *position,
            detail,
        });
    }
    Ok((wanted, faults))
}

/// What is wrong with one event.
fn faults_of(
    origin: &str,
    position: u64,
    event: &EpochSealed,
    (before, keys): (Option<&VerifierKey>, &[VerifierKey]),
    kept: &[KeptNote],
) -> Vec<String> {
    let mut faults = Vec::new();
    let name = key_name(origin, event.opened);
    if event
        .key
        .parse::<VerifierKey>()
        .is_ok_and(|key| key.name() != name)
    {
        faults.push(format!(
            "the key of epoch {} is named otherwise",
            event.opened
        ));
    }
    let text = statement(origin, event.opened, event.sealed_size, &event.key);
    match Note::parse(event.note.as_bytes()) {
        Ok(note) if note.text() == text => {
            if !keys.is_empty() && !signed(&note, keys) {
                faults.push("the ledger's key did not sign the change of epochs".to_owned());
            }
            if before.is_some_and(|key| !signed(&note, std::slice::from_ref(key))) {
                faults.push("the key of the epoch before did not sign the change".to_owned());
            }
        }
        Ok(_) => faults.push("the note says something else than the event".to_owned()),
        Err(error) => faults.push(error.to_string()),
    }
    match (event.sealed_size, before) {
        (None, _) if event.opened == 0 => {}
        (Some(size), Some(key)) if size == position => {
            if let Some(detail) = unsealed(origin, size, key, kept) {
                faults.push(detail);
            }
        }
        (Some(size), Some(_)) => faults.push(format!(
            "the epoch before was sealed at {size} events, not at the {position} before this one"
        )),
        _ => faults.push("the epoch before was never sealed".to_owned()),
    }
    faults
}

/// Why the last checkpoint of an epoch is not there, or not sealed.
fn unsealed(origin: &str, size: u64, key: &VerifierKey, kept: &[KeptNote]) -> Option<String> {
    let path = rung(size);
    let note = kept.iter().find(|note| note.name == path);
    let Some(note) = note.and_then(|kept| Note::parse(&kept.bytes).ok()) else {
        return Some(format!(
            "the checkpoint that ends the epoch, `{path}`, is missing"
        ));
    };
    let is_its =
        Checkpoint::parse(note.text()).is_ok_and(|it| it.origin == origin && it.size == size);
    (!is_its || !signed(&note, std::slice::from_ref(key)))
        .then(|| format!("`{path}` is not sealed by the key of its epoch"))
}

fn signed(note: &Note, keys: &[VerifierKey]) -> bool {
    note.verify(keys).is_ok()
}

/// An event recorded more than a whole epoch after the one that was open.
fn late(
    reader: &Reader,
    created: u64,
    position: u64,
    open: u64,
) -> Result<Option<String>, ReadError> {
    let Some(stored) = reader.get_stored(position)? else {
        return Ok(None);
    };
    let entry = Entry::decode(&stored.entry).ok();
    // the events that end one empty day after another come all at once
    let Some(entry) = entry.filter(|entry| Some(entry.event_type) != event_type()) else {
        return Ok(None);
    };
    let epoch = epoch_at(created, entry.recorded_at_ms);
    Ok((epoch > open.saturating_add(1)).then(|| {
        format!("event {position} was recorded in epoch {epoch} while epoch {open} was still open")
    }))
}
