//! The billing calendar: the only place that turns instants into days.
//!
//! A book has one zone. A local day counts when an interval touches it at any instant; an
//! interval that ends at local midnight does not touch the next day. Double billing comes from
//! using a zone in one place and not in another, so no other billing code asks for a date.

use std::fmt;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Serialize;

use crate::period::{BillingPeriod, start_of};

/// The zone is not in the tz database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` is not a time zone; use an IANA name such as UTC or Europe/Berlin")]
pub struct ZoneError {
    /// What was given.
    pub name: String,
}

/// The calendar of one zone.
#[derive(Debug, Clone, PartialEq)]
pub struct Calendar {
    zone: TimeZone,
    name: String,
}

impl Calendar {
    /// The calendar of an IANA zone.
    ///
    /// # Errors
    /// [`ZoneError`] when the tz database has no such zone.
    pub fn new(name: &str) -> Result<Self, ZoneError> {
        let zone = if name == "UTC" {
            TimeZone::UTC
        } else {
            let unknown = || ZoneError {
                name: name.to_owned(),
            };
            TimeZone::get(name).ok().ok_or_else(unknown)?
        };
        Ok(Self {
            zone,
            name: name.to_owned(),
        })
    }

    /// The zone's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The zone.
    pub fn zone(&self) -> &TimeZone {
        &self.zone
    }

    /// One month with the instants its local days start at.
    pub fn month(&self, period: BillingPeriod) -> Month {
        let starts = (0..=i64::from(period.days()))
            .map(|offset| {
                period
                    .first_day()
                    .checked_add(offset.days())
                    .map_or(Timestamp::MAX, |day| start_of(day, &self.zone))
            })
            .collect();
        Month { period, starts }
    }
}

/// Days of one month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DaySet(
    // INVARIANT: bit n is day n, for n in 1..=31; bit 0 is clear.
    u32,
);

impl DaySet {
    /// No day.
    pub const EMPTY: Self = Self(0);

    /// Adds a day of the month; anything but 1 to 31 is left out.
    #[must_use]
    pub fn with(self, day: u8) -> Self {
        if (1..=31).contains(&day) {
            Self(self.0 | (1 << u32::from(day)))
        } else {
            self
        }
    }

    /// Days in either.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Days in both.
    #[must_use]
    pub fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Days in this and not in the other.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// How many.
    pub fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a day is in it.
    pub fn contains(self, day: u8) -> bool {
        day <= 31 && self.0 & (1 << u32::from(day)) != 0
    }

    /// The days, ascending.
    pub fn iter(self) -> impl Iterator<Item = u8> {
        (1..=31).filter(move |day| self.contains(*day))
    }

    /// The first day.
    pub fn first(self) -> Option<u8> {
        self.iter().next()
    }
}

/// Consecutive days, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct DayRange {
    /// First day.
    pub first: Date,
    /// Last day.
    pub last: Date,
}

impl DayRange {
    /// How many days, both ends included.
    pub fn days(self) -> u32 {
        self.first
            .until(self.last)
            .ok()
            .and_then(|span| u32::try_from(span.get_days()).ok())
            .map_or(0, |days| days.saturating_add(1))
    }
}

impl fmt::Display for DayRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{} to {}", self.first, self.last)
        }
    }
}

/// One month in one zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Month {
    period: BillingPeriod,
    // INVARIANT: not descending, one more than the month has days; item n is where day n+1 starts.
    starts: Vec<Timestamp>,
}

impl Month {
    /// The period.
    pub fn period(&self) -> BillingPeriod {
        self.period
    }

    /// First instant.
    pub fn start(&self) -> Timestamp {
        self.starts.first().copied().unwrap_or(Timestamp::MIN)
    }

    /// The instant after the last.
    pub fn end(&self) -> Timestamp {
        self.starts.last().copied().unwrap_or(Timestamp::MAX)
    }

    /// The days that exist: a zone that jumped over the date line has a day of no length.
    pub fn days(&self) -> DaySet {
        self.touched(self.start(), None)
    }

    /// The part of `[from, to)` inside the month, when there is one; `None` ends with the month.
    pub fn clip(&self, from: Timestamp, to: Option<Timestamp>) -> Option<(Timestamp, Timestamp)> {
        let from = from.max(self.start());
        let to = to.map_or(self.end(), |to| to.min(self.end()));
        (from < to).then_some((from, to))
    }

    /// Local days that `[from, to)` touches at any instant.
    pub fn touched(&self, from: Timestamp, to: Option<Timestamp>) -> DaySet {
        let Some((from, to)) = self.clip(from, to) else {
            return DaySet::EMPTY;
        };
        self.bounds()
            .filter(|(_, start, end)| from.max(*start) < to.min(*end))
            .fold(DaySet::EMPTY, |days, (day, _, _)| days.with(day))
    }

    /// Days of the month in `[first, end)`.
    pub fn days_between(&self, first: Date, end: Date) -> DaySet {
        (1..=self.period.days())
            .filter(|day| (first..end).contains(&self.date(*day)))
            .fold(DaySet::EMPTY, DaySet::with)
    }

    /// Nanoseconds of the month's length: a day is not always 24 hours.
    pub fn nanoseconds(&self) -> i128 {
        between(self.start(), self.end())
    }

    /// Nanoseconds inside both the given days and at least one of the intervals.
    pub fn covered_nanoseconds(&self, intervals: &[(Timestamp, Timestamp)], days: DaySet) -> i128 {
        let mut sorted = intervals.to_vec();
        sorted.sort_unstable();
        let mut merged: Vec<(Timestamp, Timestamp)> = Vec::with_capacity(sorted.len());
        for (from, to) in sorted {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => merged.push((from, to)),
            }
        }
        self.bounds()
            .filter(|(day, _, _)| days.contains(*day))
            .flat_map(|(_, start, end)| {
                merged
                    .iter()
                    .map(move |(from, to)| between(start.max(*from), end.min(*to)))
            })
            .fold(0_i128, i128::saturating_add)
    }

    /// The days as ranges, ascending.
    pub fn ranges(&self, days: DaySet) -> Vec<DayRange> {
        let mut ranges: Vec<DayRange> = Vec::new();
        let mut before = None;
        for day in days.iter() {
            let date = self.date(day);
            match ranges.last_mut() {
                Some(range) if before == day.checked_sub(1) => range.last = date,
                _ => ranges.push(DayRange {
                    first: date,
                    last: date,
                }),
            }
            before = Some(day);
        }
        ranges
    }

    /// The date of a day of the month.
    pub fn date(&self, day: u8) -> Date {
        self.period
            .first_day()
            .checked_add(i64::from(day).saturating_sub(1).days())
            .unwrap_or(Date::MAX)
    }

    /// The instant after the last of a day of the month.
    pub fn end_of(&self, day: u8) -> Timestamp {
        self.starts
            .get(usize::from(day))
            .copied()
            .unwrap_or(self.end())
    }

    /// Every day with the instants it starts and ends at.
    fn bounds(&self) -> impl Iterator<Item = (u8, Timestamp, Timestamp)> {
        (1_u8..)
            .zip(self.starts.iter().zip(self.starts.iter().skip(1)))
            .map(|(day, (start, end))| (day, *start, *end))
    }
}

/// Nanoseconds from one instant to a later one; 0 when it is not later.
fn between(from: Timestamp, to: Timestamp) -> i128 {
    to.as_nanosecond()
        .saturating_sub(from.as_nanosecond())
        .max(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(zone: &str, period: &str) -> Month {
        Calendar::new(zone).unwrap().month(period.parse().unwrap())
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn an_interval_that_ends_at_midnight_does_not_touch_the_next_day() {
        let november = month("UTC", "2026-11");
        let days = november.touched(at("2026-11-08T00:00:00Z"), Some(at("2026-11-12T00:00:00Z")));
        assert_eq!(days.iter().collect::<Vec<_>>(), [8, 9, 10, 11]);
        let ranges = november.ranges(days);
        assert_eq!(ranges.len(), 1);
        assert_eq!(ranges[0].to_string(), "2026-11-08 to 2026-11-11");
    }

    #[test]
    fn an_empty_or_reversed_interval_touches_nothing() {
        let november = month("UTC", "2026-11");
        let noon = at("2026-11-08T12:00:00Z");
        assert!(november.touched(noon, Some(noon)).is_empty());
        assert!(
            november
                .touched(noon, Some(at("2026-11-07T00:00:00Z")))
                .is_empty()
        );
    }

    #[test]
    fn the_day_that_loses_daylight_saving_has_25_hours() {
        let october = month("Europe/Berlin", "2026-10");
        let hours = 3_600_000_000_000_i128;
        assert_eq!(october.nanoseconds(), (31 * 24 + 1) * hours);
        let only_25 = DaySet::EMPTY.with(25);
        let whole = [(october.start(), october.end())];
        assert_eq!(october.covered_nanoseconds(&whole, only_25), 25 * hours);
        assert_eq!(
            october.touched(at("2026-10-24T22:00:00Z"), Some(at("2026-10-25T23:00:00Z"))),
            only_25
        );
    }

    #[test]
    fn a_day_that_the_date_line_swallowed_is_not_a_day_of_the_month() {
        let december = month("Pacific/Apia", "2011-12");
        assert_eq!(december.days().len(), 30);
        assert!(!december.days().contains(30));
    }

    #[test]
    fn overlapping_intervals_are_counted_once() {
        let november = month("UTC", "2026-11");
        let seconds = november.covered_nanoseconds(
            &[
                (at("2026-11-08T00:00:00Z"), at("2026-11-12T00:00:00Z")),
                (at("2026-11-03T09:00:00Z"), at("2026-11-10T15:00:00Z")),
            ],
            november.days(),
        ) / 1_000_000_000;
        assert_eq!(seconds, (8 * 24 + 15) * 3_600);
    }

    #[test]
    fn months_tile_time_in_every_zone() {
        for zone in [
            "UTC",
            "Europe/Berlin",
            "America/New_York",
            "Asia/Kolkata",
            "Pacific/Apia",
        ] {
            let calendar = Calendar::new(zone).unwrap();
            let mut period: BillingPeriod = "2026-01".parse().unwrap();
            for _ in 0..24 {
                let this = calendar.month(period);
                assert_eq!(this.end(), calendar.month(period.next()).start());
                assert_eq!(this.days().len(), u32::from(period.days()));
                period = period.next();
            }
        }
    }

    #[test]
    fn an_unknown_zone_is_an_error_that_says_what_to_write() {
        let error = Calendar::new("Mars/Olympus").unwrap_err();
        assert!(error.to_string().contains("IANA"), "{error}");
    }
}
