//! A rollup as a file: a derived file, bound to the stretch of ledger it was made from.
//!
//! `DBRL1\n`, the binding as one line of JSON, then texts and cells as LEB128 numbers, then the
//! SHA-256 of all before it. A file that is damaged or bound to anything else is an error; the
//! caller deletes it and reads the ledger instead.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use ledger::event::Position;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Cell, MonthlyActivity};
use crate::period::BillingPeriod;
use crate::state::Seen;

const MAGIC: &[u8] = b"DBRL1\n";
const DIGEST_BYTES: usize = 32;

/// The stretch of ledger a rollup was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// Origin of the ledger.
    pub origin: String,
    /// First position read.
    pub from: Position,
    /// First position not read.
    pub to: Position,
    /// Chain value after the last entry read.
    pub chain: [u8; 32],
}

/// Why a rollup file is not used.
#[derive(Debug, thiserror::Error)]
pub enum RollupError {
    /// The file cannot be read or written.
    #[error("rollup file `{path}` cannot be used")]
    Io {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The bytes are not a whole rollup.
    #[error("rollup of {from}..{to} is damaged")]
    Damaged {
        /// First position asked for.
        from: Position,
        /// First position not asked for.
        to: Position,
    },
    /// The rollup was made from something else.
    #[error("rollup of {from}..{to} was made from another ledger or another history")]
    OtherLedger {
        /// First position asked for.
        from: Position,
        /// First position not asked for.
        to: Position,
    },
}

impl Binding {
    /// Name of the file in the ledger's `derived` folder.
    pub fn file_name(&self) -> String {
        format!("rollup-{:020}-{:020}.dbrl", self.from, self.to)
    }

    fn damaged(&self) -> RollupError {
        RollupError::Damaged {
            from: self.from,
            to: self.to,
        }
    }
}

impl MonthlyActivity {
    /// Writes the rollup into a folder, whole or not at all.
    ///
    /// # Errors
    /// [`RollupError::Io`].
    pub fn save(&self, folder: &Path, binding: &Binding) -> Result<(), RollupError> {
        let path = folder.join(binding.file_name());
        let part = path.with_extension("part");
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&part, self.encode(binding)))
            .and_then(|()| std::fs::rename(&part, &path))
            .map_err(|source| RollupError::Io { path, source })
    }

    /// Reads the rollup of a stretch of ledger from a folder.
    ///
    /// # Errors
    /// Any [`RollupError`]: read the ledger instead.
    pub fn load(folder: &Path, binding: &Binding) -> Result<Self, RollupError> {
        let path = folder.join(binding.file_name());
        let bytes = std::fs::read(&path).map_err(|source| RollupError::Io { path, source })?;
        Self::decode(&bytes, binding)
    }

    /// The bytes of the file; the same history gives the same bytes.
    pub fn encode(&self, binding: &Binding) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        // a binding is text and numbers, which JSON always takes
        out.extend(serde_json::to_vec(binding).unwrap_or_default());
        out.push(b'\n');
        put(&mut out, count(self.strings.len()));
        for text in self.strings.texts() {
            put(&mut out, count(text.len()));
            out.extend_from_slice(text.as_bytes());
        }
        let cells = self.cells();
        put(&mut out, count(cells.len()));
        for (stream_no, cell) in cells {
            put(&mut out, u64::from(stream_no));
            put_cell(&mut out, cell);
        }
        let digest = Sha256::digest(&out);
        out.extend_from_slice(&digest);
        out
    }

    /// Reads the bytes of a file, which must be bound as asked.
    ///
    /// # Errors
    /// [`RollupError::Damaged`], [`RollupError::OtherLedger`].
    pub fn decode(bytes: &[u8], binding: &Binding) -> Result<Self, RollupError> {
        let split = bytes
            .len()
            .checked_sub(DIGEST_BYTES)
            .ok_or_else(|| binding.damaged())?;
        let (content, digest) = bytes.split_at(split);
        if Sha256::digest(content).as_slice() != digest {
            return Err(binding.damaged());
        }
        let rest = content
            .strip_prefix(MAGIC)
            .ok_or_else(|| binding.damaged())?;
        let line = rest
            .iter()
            .position(|byte| *byte == b'\n')
            .ok_or_else(|| binding.damaged())?;
        let (head, body) = rest.split_at(line);
        let bound: Binding = serde_json::from_slice(head).map_err(|_error| binding.damaged())?;
        if bound != *binding {
            return Err(RollupError::OtherLedger {
                from: binding.from,
                to: binding.to,
            });
        }
        let mut input = Input {
            bytes: body.get(1..).unwrap_or_default(),
        };
        input.rollup().ok_or_else(|| binding.damaged())
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    loop {
        let low = u8::try_from(number & 0x7f).unwrap_or(0);
        number >>= 7;
        if number == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

fn put_cell(out: &mut Vec<u8>, cell: &Cell) {
    let day = cell.period.first_day();
    put(out, u64::from(day.year().unsigned_abs()));
    put(out, u64::from(day.month().unsigned_abs()));
    for number in [cell.ok, cell.failed, cell.blocked] {
        put(out, number);
    }
    put_seen(out, cell.first);
    put_seen(out, cell.last);
    put(out, u64::from(cell.active_days));
    for numbers in [&cell.credentials, &cell.resources] {
        put(out, count(numbers.len()));
        for number in numbers {
            put(out, u64::from(*number));
        }
    }
    put(out, cell.position_first);
    put(out, cell.position_last);
}

fn put_seen(out: &mut Vec<u8>, seen: Option<Seen>) {
    let Some(seen) = seen else {
        out.push(0);
        return;
    };
    out.push(1);
    out.extend_from_slice(&seen.at.as_nanosecond().to_be_bytes());
    put(out, seen.position);
}

struct Input<'a> {
    bytes: &'a [u8],
}

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.bytes.split_at_checked(length)?;
        self.bytes = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn small(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    fn length(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    /// A time that may be absent.
    fn seen(&mut self, into: &mut Option<Seen>) -> Option<()> {
        if self.take(1)? == [0] {
            return Some(());
        }
        let nanosecond = i128::from_be_bytes(self.take(16)?.try_into().ok()?);
        let at = Timestamp::from_nanosecond(nanosecond).ok()?;
        let position = self.number()?;
        *into = Some(Seen { at, position });
        Some(())
    }

    fn numbers(&mut self) -> Option<Vec<u32>> {
        (0..self.length()?).map(|_| self.small()).collect()
    }

    fn cell(&mut self) -> Option<Cell> {
        let year = i16::try_from(self.number()?).ok()?;
        let month = i8::try_from(self.number()?).ok()?;
        let period = BillingPeriod::of(Date::new(year, month, 1).ok()?);
        let (ok, failed, blocked) = (self.number()?, self.number()?, self.number()?);
        let (mut first, mut last) = (None, None);
        self.seen(&mut first)?;
        self.seen(&mut last)?;
        Some(Cell {
            period,
            ok,
            failed,
            blocked,
            first,
            last,
            active_days: self.small()?,
            credentials: self.numbers()?,
            resources: self.numbers()?,
            position_first: self.number()?,
            position_last: self.number()?,
        })
    }

    fn rollup(&mut self) -> Option<MonthlyActivity> {
        let mut rollup = MonthlyActivity::new();
        for _ in 0..self.length()? {
            let length = self.length()?;
            let text = std::str::from_utf8(self.take(length)?).ok()?;
            rollup.strings.number(text);
        }
        for _ in 0..self.length()? {
            let stream_no = self.small()?;
            let cell = self.cell()?;
            rollup.cell_or(stream_no, cell.period, |_| cell);
        }
        self.bytes.is_empty().then_some(rollup)
    }
}
