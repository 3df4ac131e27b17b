//! Lines of a proof, one after the other, and the forms of numbers and hashes in them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::tree::TreeHash;

/// Hashes in a proof of a tree of 2^63 leaves (tlog-proof).
const HASHES_MAX: usize = 63;

/// A line that is not what should stand there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the proof is not {wanted}")]
pub struct LineError {
    /// Number of the line, from 1.
    pub line: usize,
    /// What should stand there.
    pub wanted: &'static str,
}

/// What is left of a text.
pub(super) struct Lines<'t> {
    rest: &'t str,
    number: usize,
}

impl<'t> Lines<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        Self {
            rest: text,
            number: 0,
        }
    }

    /// What was not taken yet.
    pub(super) fn rest(&self) -> &'t str {
        self.rest
    }

    /// The error that the line taken last is not what should stand there.
    pub(super) fn not(&self, wanted: &'static str) -> LineError {
        LineError {
            line: self.number,
            wanted,
        }
    }

    /// Takes the next line, which a newline ends.
    pub(super) fn take(&mut self, wanted: &'static str) -> Result<&'t str, LineError> {
        self.number += 1;
        let (line, rest) = self.rest.split_once('\n').ok_or(self.not(wanted))?;
        self.rest = rest;
        Ok(line)
    }

    /// A line of a name and a decimal number, written in one way only.
    pub(super) fn number(
        &self,
        line: &str,
        name: &str,
        wanted: &'static str,
    ) -> Result<u64, LineError> {
        let text = line
            .strip_prefix(name)
            .and_then(|text| text.strip_prefix(' '))
            .ok_or(self.not(wanted))?;
        let number: u64 = text.parse().or(Err(self.not(wanted)))?;
        let is_plain = number.to_string() == text;
        is_plain.then_some(number).ok_or(self.not(wanted))
    }

    /// Takes hashes of 32 bytes in base64 up to an empty line.
    pub(super) fn hashes(&mut self) -> Result<Vec<TreeHash>, LineError> {
        let wanted = "a hash of 32 bytes in base64, or empty";
        let mut hashes = Vec::new();
        loop {
            let line = self.take(wanted)?;
            if line.is_empty() {
                return Ok(hashes);
            }
            let hash = STANDARD.decode(line).ok().and_then(|it| it.try_into().ok());
            let hash = hash.filter(|_| hashes.len() < HASHES_MAX);
            hashes.push(hash.ok_or(self.not(wanted))?);
        }
    }
}
