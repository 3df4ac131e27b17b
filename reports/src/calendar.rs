//! Days and dates as statements print them: UTC, whole days, `YYYY-MM-DD`.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use projections::period::start_of;

/// Hours in a day; UTC has no other kind.
const DAY_HOURS: i64 = 24;

/// Whole days from one instant to a later one, rounded down; negative when it is earlier.
pub fn days_between(from: Timestamp, to: Timestamp) -> i64 {
    to.duration_since(from).as_hours().div_euclid(DAY_HOURS)
}

/// The civil date of an instant in UTC.
pub fn date(at: Timestamp) -> String {
    TimeZone::UTC.to_datetime(at).date().to_string()
}

/// The instant some days before; the earliest there is when the calendar does not go that far.
pub fn days_before(at: Timestamp, days: i64) -> Timestamp {
    at.checked_sub(SignedDuration::from_hours(days.saturating_mul(DAY_HOURS)))
        .unwrap_or(Timestamp::MIN)
}

/// `1 day`, `2 days`.
pub fn days_in_words(days: i64) -> String {
    count_in_words(days, "day", "days")
}

/// A number with the noun that fits it.
pub fn count_in_words(count: i64, one: &str, many: &str) -> String {
    if count == 1 {
        format!("1 {one}")
    } else {
        format!("{count} {many}")
    }
}

/// The last instants of the months before `at`, oldest first: where each month had ended.
pub fn month_ends_before(at: Timestamp, months: usize) -> Vec<Timestamp> {
    let mut ends = Vec::with_capacity(months);
    let mut first = TimeZone::UTC.to_datetime(at).date().first_of_month();
    while ends.len() < months {
        ends.push(start_of(first, &TimeZone::UTC));
        match first.checked_sub(1.month()) {
            Ok(earlier) => first = earlier,
            Err(_) => break,
        }
    }
    ends.reverse();
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_and_rounded_down() {
        let from: Timestamp = "2026-10-01T00:00:00Z".parse().unwrap();
        let to: Timestamp = "2026-10-02T23:59:59Z".parse().unwrap();
        assert_eq!(days_between(from, to), 1);
        assert_eq!(days_between(to, from), -2);
        assert_eq!(days_between(days_before(to, 30), to), 30);
    }

    #[test]
    fn month_ends_are_the_first_instants_of_months_oldest_first() {
        let at: Timestamp = "2026-03-15T12:00:00Z".parse().unwrap();
        let ends: Vec<String> = month_ends_before(at, 3)
            .into_iter()
            .map(|end| end.to_string())
            .collect();
        assert_eq!(
            ends,
            [
                "2026-01-01T00:00:00Z",
                "2026-02-01T00:00:00Z",
                "2026-03-01T00:00:00Z"
            ]
        );
    }
}
