//! The timestamps of a bundle.

use std::path::Path;

use jiff::Timestamp;
use ledger::note::{NOTE_BYTES_MAX, Note};

use super::TIMESTAMP_FOLDER;
use super::check::{BundleFault, Verdict};
use super::manifest::{Manifest, read_limited};
use crate::policy::Policy;
use crate::timestamp::{Anchors, TOKEN_BYTES_MAX, Token};

/// Checks every timestamp of a bundle that was checked: times and authorities, and what is wrong.
/// Each token is over a checkpoint beside it, which must have the text of the bundle's own and be
/// signed as the policy asks.
pub fn stamps(
    dir: &Path,
    verdict: &Verdict,
    policy: &Policy,
    anchors: &Anchors,
) -> (Vec<(Timestamp, String)>, Vec<BundleFault>) {
    let mut stamped = Vec::new();
    let mut faults = Vec::new();
    let prefix = format!("{TIMESTAMP_FOLDER}/");
    for path in Manifest::walk(dir).unwrap_or_default() {
        let Some(name) = path
            .strip_prefix(&prefix)
            .and_then(|name| name.strip_suffix(".tsr"))
        else {
            continue;
        };
        let beside = format!("{prefix}{name}.checkpoint");
        match one(dir, (&path, &beside), (verdict, policy), anchors) {
            Ok(found) => stamped.push(found),
            Err(detail) => faults.push(BundleFault { file: path, detail }),
        }
    }
    stamped.sort();
    (stamped, faults)
}

fn one(
    dir: &Path,
    (token, beside): (&str, &str),
    (verdict, policy): (&Verdict, &Policy),
    anchors: &Anchors,
) -> Result<(Timestamp, String), String> {
    let read = |path: &str, limit: usize| {
        let limit = u64::try_from(limit).unwrap_or(u64::MAX);
        read_limited(&dir.join(path), limit).map_err(|error| error.to_string())
    };
    let bytes = read(beside, NOTE_BYTES_MAX)?;
    let note = Note::parse(&bytes).map_err(|error| error.to_string())?;
    let judged = policy.judge(&note);
    // the quorum may have come later; who signed for the log may not
    let is_ours = match &judged {
        Ok(judged) => verdict
            .judged
            .as_ref()
            .is_some_and(|it| it.checkpoint == judged.checkpoint),
        Err(crate::policy::JudgeError::Quorum { .. }) => verdict
            .judged
            .as_ref()
            .is_some_and(|it| it.checkpoint.text() == note.text()),
        Err(_) => false,
    };
    if !is_ours {
        return Err("it was stamped over another checkpoint than the bundle's".to_owned());
    }
    let token = Token::parse(read(token, TOKEN_BYTES_MAX)?).map_err(|error| error.to_string())?;
    let stamped = token
        .verify(&bytes, None, anchors)
        .map_err(|error| error.to_string())?;
    Ok((stamped.time, stamped.authority))
}
