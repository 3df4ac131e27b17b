//! What each witness cosigned last.

use std::collections::BTreeMap;

use ledger::note::VerifierKey;
use serde::{Deserialize, Serialize};

/// The size each witness cosigned last of one log, by its key, for the caller to keep. Only a hint
/// of where a consistency proof starts: a wrong or missing one costs one more request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WitnessSizes(BTreeMap<String, u64>);

impl WitnessSizes {
    /// The size a witness cosigned last; 0 when it never did.
    pub fn get(&self, key: &VerifierKey) -> u64 {
        self.0.get(&key.to_string()).copied().unwrap_or(0)
    }

    /// Remembers a size.
    pub fn set(&mut self, key: &VerifierKey, size: u64) {
        self.0.insert(key.to_string(), size);
    }
}
