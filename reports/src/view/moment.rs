//! Instants in words, in UTC, and their distance from the instant the report is about.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::number::{counted, thousands};

/// Seconds of a day; instants have no daylight saving.
const DAY_SECONDS: i64 = 86_400;
/// Beyond this many days a distance is told in years: two years.
const DAYS_TOLD_MAX: u64 = 730;

/// An instant, ready to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Moment {
    /// RFC 3339, for machines.
    pub(crate) iso: String,
    /// `1 November 2026`.
    pub(crate) day: String,
    /// `94 days ago` or `in 12 days`.
    pub(crate) distance: String,
    /// Whether it lies before the report's instant.
    pub(crate) past: bool,
}

impl Moment {
    /// An instant seen from `as_of`.
    pub(crate) fn new(at: Timestamp, as_of: Timestamp) -> Self {
        Self {
            iso: at.to_string(),
            day: day(at),
            distance: distance(at, as_of),
            past: at < as_of,
        }
    }
}

/// The day in words, in UTC: `1 November 2026`.
pub(crate) fn day(at: Timestamp) -> String {
    let date = TimeZone::UTC.to_datetime(at).date();
    format!(
        "{} {} {}",
        date.day(),
        month_name(date.month()),
        date.year()
    )
}

/// Day and time of day, in UTC: `1 November 2026, 00:00 UTC`.
pub(crate) fn day_and_time(at: Timestamp) -> String {
    let civil = TimeZone::UTC.to_datetime(at);
    format!("{}, {:02}:{:02} UTC", day(at), civil.hour(), civil.minute())
}

/// The month that ended at this instant, short: the first of November is the end of `Oct`.
pub(crate) fn month_ended(at: Timestamp) -> (String, i16) {
    let before = at
        .checked_sub(jiff::SignedDuration::from_secs(1))
        .unwrap_or(at);
    let date = TimeZone::UTC.to_datetime(before).date();
    let short = month_name(date.month()).chars().take(3).collect();
    (short, date.year())
}

fn distance(at: Timestamp, as_of: Timestamp) -> String {
    let seconds = as_of.as_second().saturating_sub(at.as_second());
    let days = seconds.unsigned_abs() / DAY_SECONDS.unsigned_abs();
    let past = seconds >= 0;
    match (days, past) {
        (0, true) => "less than a day ago".to_owned(),
        (0, false) => "in less than a day".to_owned(),
        (days, true) => format!("{} ago", days_or_years(days)),
        (days, false) => format!("in {}", days_or_years(days)),
    }
}

fn days_or_years(days: u64) -> String {
    if days <= DAYS_TOLD_MAX {
        counted(days, "day", "days")
    } else {
        format!("{} years", thousands(days / 365))
    }
}

fn month_name(month: i8) -> &'static str {
    match month {
        1 => "January",
        2 => "February",
        3 => "March",
        4 => "April",
        5 => "May",
        6 => "June",
        7 => "July",
        8 => "August",
        9 => "September",
        10 => "October",
        11 => "November",
        _ => "December",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_reads_in_words() {
        assert_eq!(day(at("2026-11-01T00:00:00Z")), "1 November 2026");
        assert_eq!(
            day_and_time(at("2026-02-28T23:59:59Z")),
            "28 February 2026, 23:59 UTC"
        );
    }

    #[test]
    fn distances_are_told_from_the_reports_instant() {
        let as_of = at("2026-11-01T00:00:00Z");
        let told = [
            "2026-07-30T00:00:00Z",
            "2026-10-31T00:00:00Z",
            "2026-10-31T00:00:01Z",
            "2026-11-01T00:00:00Z",
            "2026-11-01T12:00:00Z",
            "2026-11-13T00:00:00Z",
            "2020-01-01T00:00:00Z",
            "9999-12-30T00:00:00Z",
        ]
        .map(|text| Moment::new(at(text), as_of).distance);
        assert_eq!(
            told,
            [
                "94 days ago",
                "1 day ago",
                "less than a day ago",
                "less than a day ago",
                "in less than a day",
                "in 12 days",
                "6 years ago",
                "in 7,978 years",
            ]
        );
    }

    #[test]
    fn the_first_of_a_month_is_the_end_of_the_one_before() {
        assert_eq!(
            month_ended(at("2026-11-01T00:00:00Z")),
            ("Oct".to_owned(), 2026)
        );
        assert_eq!(
            month_ended(at("2026-01-01T00:00:00Z")),
            ("Dec".to_owned(), 2025)
        );
        assert_eq!(
            month_ended(at("2026-10-31T23:59:59Z")),
            ("Oct".to_owned(), 2026)
        );
    }
}
