//! Rating: the spans of one identity become days, a factor and an exact amount.
//!
//! Both factors come from one function of the days: the list factor from all days that count, the
//! billed factor from those outside a trial. Their difference is the trial discount, so more
//! coverage never costs less under any policy.

use jiff::Timestamp;
use ledger::Position;
use serde::Serialize;

use super::calendar::{DaySet, Month};
use super::exact::{Exact, OutOfRange};
use super::policy::{Meter, Proration};
use super::price_book::PriceBook;
use super::usage::{Evidence, Usage};

/// What all identities of a run are rated by.
#[derive(Debug, Clone, Copy)]
pub struct Terms<'a> {
    /// Prices and rules.
    pub book: &'a PriceBook,
    /// The month, in the book's zone.
    pub month: &'a Month,
    /// Its days inside a trial.
    pub trial_days: DaySet,
    /// Events that say so.
    pub trial_evidence: &'a [Position],
}

/// A span that touches the month, as recorded: not cut at the month's ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Interval {
    /// Positions of the events that closed it.
    pub closed: Vec<Position>,
    /// Since when.
    pub from: Timestamp,
    /// Positions of the events that opened it.
    pub opened: Vec<Position>,
    /// Why it counts, in one word.
    pub reason: String,
    /// Until when (exclusive); `None`: still, as far as known.
    pub to: Option<Timestamp>,
}

/// An identity's month before rounding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rated {
    /// Days that count; not empty.
    pub days: DaySet,
    /// Of these, days inside a trial.
    pub trial_days: DaySet,
    /// Units by the policy, all days.
    pub list_factor: Exact,
    /// Units by the policy, days outside a trial.
    pub billed_factor: Exact,
    /// Price × list factor.
    pub list: Exact,
    /// Price × billed factor.
    pub billed: Exact,
    /// Spans that touch the month, by start.
    pub intervals: Vec<Interval>,
}

impl Rated {
    /// Every event that made it; `None` when no event did, and then there is no charge to make.
    pub fn evidence(&self, terms: &Terms<'_>) -> Option<Evidence> {
        let trial: &[Position] = if self.trial_days.is_empty() {
            &[]
        } else {
            terms.trial_evidence
        };
        let spans = self
            .intervals
            .iter()
            .flat_map(|interval| interval.opened.iter().chain(&interval.closed));
        // A trial alone proves no usage.
        Evidence::new(spans.clone().copied())?;
        Evidence::new(spans.chain(trial).copied())
    }
}

/// Days of the month on which one of the meter's spans holds at any instant.
pub fn days_of(usage: &Usage, meter: Meter, month: &Month) -> DaySet {
    usage.spans(meter).iter().fold(DaySet::EMPTY, |days, span| {
        days.union(month.touched(span.from, span.to))
    })
}

/// Rates one identity; `None` when no day of the month counts.
///
/// # Errors
/// [`OutOfRange`] when an amount does not fit.
pub fn rate(usage: &Usage, terms: &Terms<'_>) -> Result<Option<Rated>, OutOfRange> {
    let meter = terms.book.item.meter;
    let days = days_of(usage, meter, terms.month);
    if days.is_empty() {
        return Ok(None);
    }
    let mut intervals = Vec::new();
    let mut inside = Vec::new();
    for span in usage.spans(meter) {
        if let Some(part) = terms.month.clip(span.from, span.to) {
            inside.push(part);
            intervals.push(Interval {
                closed: span.closed.clone(),
                from: span.from,
                opened: span.opened.clone(),
                reason: span.value.clone(),
                to: span.to,
            });
        }
    }
    intervals.sort_by(|left, right| {
        let when = |one: &Interval| (one.from, one.to);
        when(left)
            .cmp(&when(right))
            .then_with(|| left.reason.cmp(&right.reason))
            .then_with(|| left.opened.cmp(&right.opened))
            .then_with(|| left.closed.cmp(&right.closed))
    });
    let list_factor = factor(terms, days, &inside)?;
    let billed_factor = factor(terms, days.without(terms.trial_days), &inside)?;
    let price = terms.book.item.price.exact();
    Ok(Some(Rated {
        days,
        trial_days: days.intersection(terms.trial_days),
        list_factor,
        billed_factor,
        list: price.times(list_factor)?,
        billed: price.times(billed_factor)?,
        intervals,
    }))
}

/// Units by the book's policy for the given days.
fn factor(
    terms: &Terms<'_>,
    days: DaySet,
    inside: &[(Timestamp, Timestamp)],
) -> Result<Exact, OutOfRange> {
    if days.is_empty() {
        return Ok(Exact::ZERO);
    }
    let month_days = terms.month.days();
    let over = |part: u32, whole: u32| Exact::new(i128::from(part), i128::from(whole));
    match terms.book.period.proration {
        Proration::FullMonth if days.len() >= u32::from(terms.book.period.min_days) => {
            Ok(Exact::ONE)
        }
        Proration::FullMonth => Ok(Exact::ZERO),
        Proration::CalendarDay => over(days.len(), month_days.len()),
        // Else a whole February would cost 28/30.
        Proration::ThirtyDay if days == month_days => Ok(Exact::ONE),
        Proration::ThirtyDay => over(days.len().min(30), 30),
        Proration::Second => Exact::new(
            terms.month.covered_nanoseconds(inside, days),
            terms.month.nanoseconds(),
        ),
        Proration::Sticky => {
            let first = days.first().unwrap_or(1);
            let kept = month_days.iter().filter(|day| *day >= first).count();
            over(u32::try_from(kept).unwrap_or(0), month_days.len())
        }
    }
}
