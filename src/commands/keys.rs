//! `daybook keys generate`, `show`, `rotate`, `retire`, `seal`.

use anyhow::Context as _;
use evidence::act;
use evidence::keys::{KeyFileError, KeyFolder, Rotated};
use evidence::seal::{self, SealError};
use ledger::event::evidence::{KeyRotated, RotationState};
use ledger::note::VerifierKey;
use serde_json::json;

use super::{Globals, book};
use crate::outcome::{Hinted, Outcome};
use crate::{edge, terminal};

/// Makes the key that signs checkpoints.
pub(crate) fn generate(globals: Globals<'_>) -> anyhow::Result<Outcome> {
    let reader = book::reader(globals.ledger)?;
    edge::machine()?;
    let keys = globals.key_folder();
    let made = keys
        .generate(reader.origin(), &mut edge::fill)
        .map_err(key_error)?;
    if globals.json {
        let answer = json!({"keys": keys.dir(), "key": made.to_string()});
        terminal::line(&answer.to_string())?;
        return Ok(Outcome::Done);
    }
    terminal::line(&format!(
        "Made the signing key of `{}` in {}\n{made}",
        terminal::clean(reader.origin()),
        keys.dir().display()
    ))?;
    terminal::note(
        globals.quiet,
        "Keep the folder apart from the ledger and back it up; hand out what `daybook keys show` prints. Next: daybook checkpoint",
    );
    Ok(Outcome::Done)
}

/// Shows the public keys, as a policy that believes them.
pub(crate) fn show(globals: Globals<'_>) -> anyhow::Result<Outcome> {
    let origin = book::reader(globals.ledger)?.origin().to_owned();
    let keys = verifier_keys(&globals.key_folder(), &origin)?;
    if globals.json {
        let keys: Vec<String> = keys.iter().map(ToString::to_string).collect();
        terminal::line(&json!({"origin": origin, "keys": keys}).to_string())?;
        return Ok(Outcome::Done);
    }
    for key in keys {
        terminal::line(&format!("log {key}"))?;
    }
    terminal::line("quorum none")?;
    Ok(Outcome::Done)
}

/// Begins to replace the signing key.
pub(crate) fn rotate(globals: Globals<'_>) -> anyhow::Result<Outcome> {
    let mut ledger = book::writer(globals)?;
    let origin = ledger.origin().to_owned();
    let rotated = globals
        .key_folder()
        .rotate(&origin, &mut edge::fill)
        .map_err(key_error)?;
    let event = rotation(&rotated.old, &rotated.new, RotationState::Began);
    ledger
        .append(vec![event])
        .context("recording the rotation")?;
    let Rotated { old, new } = rotated;
    if globals.json {
        terminal::line(&json!({"old": old.to_string(), "new": new.to_string()}).to_string())?;
        return Ok(Outcome::Done);
    }
    terminal::line(&format!("New key {new}\nOld key {old}"))?;
    terminal::note(
        globals.quiet,
        "Both sign until `daybook keys retire`: hand the new policy (daybook keys show) to auditors and witnesses first.",
    );
    Ok(Outcome::Done)
}

/// Ends a rotation.
pub(crate) fn retire(globals: Globals<'_>) -> anyhow::Result<Outcome> {
    let mut ledger = book::writer(globals)?;
    let origin = ledger.origin().to_owned();
    let keys = globals.key_folder();
    let signing = verifier_keys(&keys, &origin)?;
    let [new, old] = signing.as_slice() else {
        return Err(Hinted::error(
            "no rotation is under way",
            "begin one with `daybook keys rotate`",
        ));
    };
    // the act is on record before it is done; done twice, it is recorded once
    ledger
        .append(vec![rotation(old, new, RotationState::Ended)])
        .context("recording the end of the rotation")?;
    keys.retire(&origin).map_err(key_error)?;
    if globals.json {
        terminal::line(&json!({"retired": old.to_string()}).to_string())?;
    } else {
        terminal::line(&format!("Destroyed the old key {old}"))?;
    }
    Ok(Outcome::Done)
}

/// Begins to seal days.
pub(crate) fn seal(globals: Globals<'_>) -> anyhow::Result<Outcome> {
    let mut ledger = book::writer(globals)?;
    let keys = globals.key_folder();
    let begun = seal::begin(&mut ledger, &keys, edge::now(), &mut edge::fill);
    let key = begun.map_err(|error| match error {
        SealError::Key(error) => key_error(error),
        other => anyhow::Error::new(other),
    })?;
    if globals.json {
        terminal::line(&json!({"epoch": 0, "key": key.to_string()}).to_string())?;
    } else {
        terminal::line(&format!("Sealing from now on. Key of epoch 0: {key}"))?;
    }
    terminal::note(
        globals.quiet || globals.json,
        "Every command that writes seals the days that are over; run `daybook checkpoint` at least daily.",
    );
    Ok(Outcome::Done)
}

/// The public keys that sign now.
pub(crate) fn verifier_keys(keys: &KeyFolder, origin: &str) -> anyhow::Result<Vec<VerifierKey>> {
    let signing = keys.signing(origin).map_err(key_error)?;
    Ok(signing.iter().map(|key| key.verifier().clone()).collect())
}

fn rotation(old: &VerifierKey, new: &VerifierKey, state: RotationState) -> ledger::Event {
    let body = KeyRotated {
        old: old.to_string(),
        new: new.to_string(),
        state,
    };
    act::key_rotated(body, edge::now())
}

/// What to say of a key that cannot be used.
pub(crate) fn key_error(error: KeyFileError) -> anyhow::Error {
    let hint = match &error {
        KeyFileError::Missing { .. } => {
            "make one with `daybook keys generate`, or name its folder with --keys".to_owned()
        }
        KeyFileError::Exposed { path } => format!(
            "chmod 600 {}; a key others have read is no proof: rotate it",
            path.display()
        ),
        KeyFileError::AlreadyThere { .. } => {
            "`daybook keys show` prints it, `daybook keys rotate` replaces it".to_owned()
        }
        KeyFileError::Rotating => "daybook keys retire".to_owned(),
        _ => return anyhow::Error::new(error),
    };
    Hinted::error(error.to_string(), hint)
}
