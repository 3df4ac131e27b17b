//! Cells as bytes: texts and cells as LEB128 numbers, inside a derived file.

use jiff::Timestamp;
use jiff::civil::Date;

use super::{Cell, Interner, MonthlyActivity};
use crate::period::BillingPeriod;
use crate::state::Seen;

impl MonthlyActivity {
    /// The cells as bytes; the same cells give the same bytes, however their texts came to be
    /// numbered.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let (texts, ranks) = ranked(&self.strings);
        put(&mut out, count(texts.len()));
        for text in texts {
            put(&mut out, count(text.len()));
            out.extend_from_slice(text.as_bytes());
        }
        let cells = self.cells();
        put(&mut out, count(cells.len()));
        for (stream_no, cell) in cells {
            put(&mut out, u64::from(stream_no));
            put_cell(&mut out, cell, &ranks);
        }
        out
    }

    /// Reads what [`MonthlyActivity::encode`] wrote; `None` when it is anything else.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        Input { bytes }.rollup()
    }
}

/// Texts in order, and the place of each number in that order.
fn ranked(strings: &Interner) -> (Vec<&str>, Vec<u32>) {
    let mut numbered: Vec<(&str, usize)> = strings.texts().zip(0..).collect();
    numbered.sort_unstable();
    let mut ranks = vec![0; numbered.len()];
    for (rank, (_, number)) in (0..).zip(&numbered) {
        if let Some(place) = ranks.get_mut(*number) {
            *place = rank;
        }
    }
    (numbered.into_iter().map(|(text, _)| text).collect(), ranks)
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

fn put_cell(out: &mut Vec<u8>, cell: &Cell, ranks: &[u32]) {
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
        let rank = |number: &u32| ranks.get(usize::try_from(*number).ok()?).copied();
        let mut numbers: Vec<u32> = numbers.iter().filter_map(rank).collect();
        numbers.sort_unstable();
        put(out, count(numbers.len()));
        for number in numbers {
            put(out, u64::from(number));
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
