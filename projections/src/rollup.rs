//! Sign-ins by identity and month: one dense pass over the ledger, or the files it left.
//!
//! A cell is small and cells of parts of a history merge to the cells of the whole, in any order
//! and any split. Months and days are UTC. No polars here.

mod codec;
mod interner;

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::Offset;
use ledger::event::{EventBody, Position, Recorded};

pub use interner::Interner;

use crate::period::BillingPeriod;
use crate::state::{Seen, credential_key};

/// Sign-ins of one identity in one month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cell {
    /// The month, UTC.
    pub period: BillingPeriod,
    /// Successful sign-ins.
    pub ok: u64,
    /// Failed sign-ins.
    pub failed: u64,
    /// Sign-ins blocked by Conditional Access.
    pub blocked: u64,
    /// First successful sign-in.
    pub first: Option<Seen>,
    /// Last successful sign-in.
    pub last: Option<Seen>,
    /// Days with a successful sign-in: bit 0 is the first of the month.
    pub active_days: u32,
    /// Credentials that signed in, as numbers of [`MonthlyActivity::strings`], ascending.
    pub credentials: Vec<u32>,
    /// Resources a token was got for, as numbers of [`MonthlyActivity::strings`], ascending.
    pub resources: Vec<u32>,
    /// Lowest position of a sign-in of any outcome.
    pub position_first: Position,
    /// Highest position of a sign-in of any outcome.
    pub position_last: Position,
}

/// Sign-ins by identity and month.
#[derive(Debug, Clone, Default)]
pub struct MonthlyActivity {
    strings: Interner,
    /// Where in `cells` a stream's cells are.
    slots: HashMap<u32, u32>,
    /// Cells of each stream in order of month.
    cells: Vec<(u32, Vec<Cell>)>,
}

impl MonthlyActivity {
    /// No sign-ins.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a sign-in; other events are not looked at.
    pub fn push(&mut self, recorded: &Recorded) {
        let at = recorded.event.occurred_at;
        let seen = Seen {
            at,
            position: recorded.position,
        };
        let day = utc_day(at);
        let sign_in = match &recorded.event.body {
            EventBody::SignedIn(sign_in) => sign_in,
            EventBody::SignInFailed(_) => {
                self.cell(recorded.stream_no, day, seen).failed += 1;
                return;
            }
            EventBody::SignInBlocked(_) => {
                self.cell(recorded.stream_no, day, seen).blocked += 1;
                return;
            }
            _ => return,
        };
        let credential = credential_key(sign_in).map(|key| self.strings.number(&key));
        let resource = sign_in
            .resource_id
            .as_deref()
            .map(|id| self.strings.number(id));
        let cell = self.cell(recorded.stream_no, day, seen);
        cell.ok += 1;
        cell.first = Some(cell.first.map_or(seen, |known| known.min(seen)));
        cell.last = cell.last.max(Some(seen));
        cell.active_days |= day_bit(day);
        insert(&mut cell.credentials, credential);
        insert(&mut cell.resources, resource);
    }

    fn cell(&mut self, stream_no: u32, day: Date, seen: Seen) -> &mut Cell {
        let cell = self.cell_or(stream_no, BillingPeriod::of(day), |period| Cell {
            period,
            ok: 0,
            failed: 0,
            blocked: 0,
            first: None,
            last: None,
            active_days: 0,
            credentials: Vec::new(),
            resources: Vec::new(),
            position_first: seen.position,
            position_last: seen.position,
        });
        cell.position_first = cell.position_first.min(seen.position);
        cell.position_last = cell.position_last.max(seen.position);
        cell
    }

    /// The cell of a stream in a month, made if there is none.
    fn cell_or(
        &mut self,
        stream_no: u32,
        period: BillingPeriod,
        make: impl FnOnce(BillingPeriod) -> Cell,
    ) -> &mut Cell {
        let next = self.cells.len();
        let slot = *self
            .slots
            .entry(stream_no)
            .or_insert_with(|| u32::try_from(next).unwrap_or(u32::MAX));
        let slot = usize::try_from(slot).unwrap_or(usize::MAX);
        if slot >= next {
            self.cells.push((stream_no, Vec::new()));
        }
        // every slot given out has its cells, so the index is in range
        let cells = &mut self.cells[slot.min(next)].1;
        let index = match cells.binary_search_by_key(&period, |cell| cell.period) {
            Ok(index) => index,
            Err(index) => {
                cells.insert(index, make(period));
                index
            }
        };
        &mut cells[index]
    }

    /// Adds the sign-ins of another part of the same ledger.
    pub fn merge(&mut self, other: &Self) {
        for (stream_no, cells) in &other.cells {
            for cell in cells {
                let mut cell = cell.clone();
                for number in cell.credentials.iter_mut().chain(&mut cell.resources) {
                    *number = self.strings.number(other.strings.text(*number));
                }
                cell.credentials.sort_unstable();
                cell.resources.sort_unstable();
                let blank = |_| Cell {
                    ok: 0,
                    failed: 0,
                    blocked: 0,
                    ..cell.clone()
                };
                self.cell_or(*stream_no, cell.period, blank).add(&cell);
            }
        }
    }

    /// The cell of a stream in a month.
    pub fn get(&self, stream_no: u32, period: BillingPeriod) -> Option<&Cell> {
        let slot = usize::try_from(*self.slots.get(&stream_no)?).ok()?;
        let (_, cells) = self.cells.get(slot)?;
        let index = cells
            .binary_search_by_key(&period, |cell| cell.period)
            .ok()?;
        cells.get(index)
    }

    /// Every cell with its stream number, by stream number, then month.
    pub fn cells(&self) -> Vec<(u32, &Cell)> {
        let mut all: Vec<(u32, &Cell)> = self
            .cells
            .iter()
            .flat_map(|(stream_no, cells)| cells.iter().map(move |cell| (*stream_no, cell)))
            .collect();
        all.sort_by_key(|(stream_no, cell)| (*stream_no, cell.period));
        all
    }

    /// The texts cells refer to by number.
    pub fn strings(&self) -> &Interner {
        &self.strings
    }

    /// The texts of numbers, in order.
    pub fn texts(&self, numbers: &[u32]) -> Vec<&str> {
        let mut texts: Vec<&str> = numbers.iter().map(|no| self.strings.text(*no)).collect();
        texts.sort_unstable();
        texts
    }
}

impl Cell {
    fn add(&mut self, other: &Self) {
        self.ok += other.ok;
        self.failed += other.failed;
        self.blocked += other.blocked;
        self.first = match (self.first, other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.last = self.last.max(other.last);
        self.active_days |= other.active_days;
        self.position_first = self.position_first.min(other.position_first);
        self.position_last = self.position_last.max(other.position_last);
        for number in &other.credentials {
            insert(&mut self.credentials, Some(*number));
        }
        for number in &other.resources {
            insert(&mut self.resources, Some(*number));
        }
    }
}

fn insert(numbers: &mut Vec<u32>, number: Option<u32>) {
    if let Some(number) = number
        && let Err(index) = numbers.binary_search(&number)
    {
        numbers.insert(index, number);
    }
}

/// The civil day of an instant in UTC.
pub fn utc_day(at: Timestamp) -> Date {
    Offset::UTC.to_datetime(at).date()
}

fn day_bit(day: Date) -> u32 {
    1_u32 << u32::try_from(day.day() - 1).unwrap_or(0).min(31)
}

#[cfg(test)]
mod tests;
