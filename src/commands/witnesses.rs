//! Asking the witnesses of a policy, for every command that publishes a checkpoint.

use evidence::keys::KeyFolder;
use evidence::policy::Policy;
use evidence::witness::{Asking, CollectError, Collected, Require, WitnessSizes, collect};
use ledger::note::Note;
use ledger::tree::TreeHash;

use crate::edge;

/// Name of the file, in the keys folder, with what each witness cosigned last.
const WITNESS_FILE: &str = "witnesses.json";

/// Asks every witness, and remembers how far each cosigned.
pub(crate) fn ask<E: std::error::Error + Send + 'static>(
    keys: &KeyFolder,
    (policy, require_quorum): (&Policy, bool),
    note: &Note,
    growth: &dyn Fn(u64) -> Result<Vec<TreeHash>, E>,
) -> Result<Collected<E>, CollectError<E>> {
    let path = keys.dir().join(WITNESS_FILE);
    let mut sizes: WitnessSizes = std::fs::read(&path)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    let mut asking = Asking::at(u64::try_from(edge::now().as_second()).unwrap_or(0));
    if !require_quorum {
        asking.require = Require::Nothing;
    }
    let collected = collect(policy, note, &mut sizes, &asking, growth);
    // only a hint of where proofs start: without it a witness is asked once more
    let _kept = serde_json::to_vec(&sizes).is_ok_and(|bytes| std::fs::write(&path, bytes).is_ok());
    collected
}
