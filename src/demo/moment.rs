//! Times of the demo: 100-nanosecond ticks, as the directory's logs have them.

use std::fmt::Write as _;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

/// Ticks of 100 ns in a second: the logs print seven fractional digits.
const TICKS_PER_SECOND: i64 = 10_000_000;
const SECONDS_PER_DAY: i64 = 86_400;
const EPOCH: Date = Date::constant(1970, 1, 1);

/// A civil day in UTC, counted from 1970-01-01.
pub(super) type Day = i64;

/// An instant, in ticks since 1970-01-01T00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(i64);

impl Moment {
    /// A second of a day.
    pub(super) fn on(day: Day, second: i64) -> Self {
        Self((day * SECONDS_PER_DAY + second) * TICKS_PER_SECOND)
    }

    /// The same with a fraction of a second.
    pub(super) fn with_ticks(self, ticks: i64) -> Self {
        Self(self.0 + ticks.rem_euclid(TICKS_PER_SECOND))
    }

    /// Days later (or earlier).
    pub(super) fn plus_days(self, days: i64) -> Self {
        Self(self.0 + days * SECONDS_PER_DAY * TICKS_PER_SECOND)
    }

    /// Seconds later.
    pub(super) fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0 + seconds * TICKS_PER_SECOND)
    }

    /// The day it lies in.
    pub(super) fn day(self) -> Day {
        self.0.div_euclid(SECONDS_PER_DAY * TICKS_PER_SECOND)
    }

    /// As a timestamp, to the second.
    pub(super) fn timestamp(self) -> Timestamp {
        Timestamp::from_second(self.0.div_euclid(TICKS_PER_SECOND)).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// `2026-05-01T06:00:00Z`, as Graph writes credentials and objects.
    pub(super) fn graph(self) -> String {
        self.timestamp().to_string()
    }

    /// `2026-05-01T06:00:00.0000000Z`, as the envelope of Azure Monitor has it.
    pub(super) fn log(self) -> String {
        self.fraction("Z")
    }

    /// `2026-05-01T06:00:00.0000000+00:00`, as the properties of a log record have it.
    pub(super) fn offset(self) -> String {
        self.fraction("+00:00")
    }

    fn fraction(self, zone: &str) -> String {
        let mut text = self.graph();
        text.truncate(19);
        // Writing to a string cannot fail.
        let _ = write!(text, ".{:07}{zone}", self.0.rem_euclid(TICKS_PER_SECOND));
        text
    }
}

/// The day of a date.
pub(super) fn day_of(date: Date) -> Day {
    date.duration_since(EPOCH).as_secs() / SECONDS_PER_DAY
}

/// The date of a day.
pub(super) fn date_of(day: Day) -> Date {
    EPOCH.saturating_add(SignedDuration::from_secs(day * SECONDS_PER_DAY))
}

/// One month of the demo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Month {
    /// Its first day.
    pub(super) first: Day,
    /// The day after its last.
    pub(super) end: Day,
}

impl Month {
    /// `2026-05`.
    pub(super) fn label(self) -> String {
        let date = date_of(self.first);
        format!("{:04}-{:02}", date.year(), date.month())
    }
}

/// The months of the demo.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    /// In order; never empty.
    pub(super) months: Vec<Month>,
}

impl Calendar {
    /// So many whole months before the month of `end`.
    pub(super) fn new(months: u32, end: Date) -> Self {
        let end = end.first_of_month();
        let start = |back: u32| day_of(end.saturating_sub(i64::from(back).months()));
        let months = (1..=months.max(1))
            .rev()
            .map(|back| Month {
                first: start(back),
                end: start(back - 1),
            })
            .collect();
        Self { months }
    }

    /// First day of the demo.
    pub(super) fn start(&self) -> Day {
        self.months.first().map_or(0, |month| month.first)
    }

    /// The day after the last.
    pub(super) fn end(&self) -> Day {
        self.months.last().map_or(0, |month| month.end)
    }

    /// First day of a month by 0-based number; the last month when there are fewer.
    pub(super) fn month(&self, number: usize) -> Day {
        let last = self.months.last();
        self.months.get(number).or(last).map_or(0, |m| m.first)
    }

    /// First day of the last six months: what is still to be seen at the end begins around here,
    /// however long the demo is.
    pub(super) fn late(&self) -> Day {
        self.late_month(0)
    }

    /// First day of a month by 0-based number within the last six.
    pub(super) fn late_month(&self, number: usize) -> Day {
        self.month(self.months.len().saturating_sub(6) + number)
    }

    /// A day counted back from the end, but not before the second day of the demo.
    pub(super) fn before_end(&self, days: i64) -> Day {
        (self.end() - days).max(self.start() + 1)
    }

    /// Days on which nothing is changed, for the snapshots taken that day to be beyond doubt: the
    /// first of every month and the very last.
    pub(super) fn is_quiet(&self, day: Day) -> bool {
        day == self.end() - 1 || self.months.iter().any(|month| month.first == day)
    }

    /// The nearest day at or after one on which changes are made, within the demo.
    pub(super) fn working_day(&self, day: Day) -> Day {
        let mut day = day.clamp(self.start() + 1, self.end() - 2);
        while self.is_quiet(day) && day < self.end() - 2 {
            day += 1;
        }
        day
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_instant_is_written_in_three_ways() {
        let day = day_of(Date::constant(2026, 5, 1));
        let moment = Moment::on(day, 6 * 3600).with_ticks(42);
        assert_eq!(moment.graph(), "2026-05-01T06:00:00Z");
        assert_eq!(moment.log(), "2026-05-01T06:00:00.0000042Z");
        assert_eq!(moment.offset(), "2026-05-01T06:00:00.0000042+00:00");
        assert_eq!(date_of(moment.day()), Date::constant(2026, 5, 1));
    }

    #[test]
    fn months_follow_each_other_without_a_gap() {
        let calendar = Calendar::new(6, Date::constant(2026, 11, 1));
        assert_eq!(date_of(calendar.start()), Date::constant(2026, 5, 1));
        assert_eq!(date_of(calendar.end()), Date::constant(2026, 11, 1));
        for pair in calendar.months.windows(2) {
            assert_eq!(pair[0].end, pair[1].first);
        }
        assert_eq!(calendar.months[0].label(), "2026-05");
    }
}
