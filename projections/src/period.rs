//! A calendar month, the only billing period there is.

use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A calendar month in some zone, start inclusive, end exclusive. Written `YYYY-MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BillingPeriod {
    // INVARIANT: the first day of a month.
    first: Date,
}

/// The text is not `YYYY-MM`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a month; write it as YYYY-MM, such as 2026-10")]
pub struct PeriodError {
    /// What was given.
    pub text: String,
}

impl BillingPeriod {
    /// The month a day belongs to.
    pub fn of(day: Date) -> Self {
        Self {
            first: day.first_of_month(),
        }
    }

    /// First day.
    pub fn first_day(self) -> Date {
        self.first
    }

    /// The day after the last, when the calendar goes that far (it ends with the year 9999).
    pub fn end_day(self) -> Date {
        self.first.checked_add(1.month()).unwrap_or(Date::MAX)
    }

    /// Days in the month, 28 to 31.
    pub fn days(self) -> u8 {
        u8::try_from(self.first.days_in_month()).unwrap_or(31)
    }

    /// The month after.
    #[must_use]
    pub fn next(self) -> Self {
        Self {
            first: self.end_day().first_of_month(),
        }
    }

    /// The half-open range of instants `[start, end)` in a zone.
    pub fn instants(self, zone: &TimeZone) -> (Timestamp, Timestamp) {
        (start_of(self.first, zone), start_of(self.end_day(), zone))
    }
}

/// The first instant of a civil day in a zone.
pub fn start_of(day: Date, zone: &TimeZone) -> Timestamp {
    day.to_zoned_datetime(zone.clone())
        .map_or(Timestamp::MAX, |zoned| zoned.timestamp())
}

impl fmt::Display for BillingPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

impl FromStr for BillingPeriod {
    type Err = PeriodError;

    fn from_str(text: &str) -> Result<Self, PeriodError> {
        let error = || PeriodError {
            text: text.to_owned(),
        };
        let (year, month) = text.split_once('-').ok_or_else(error)?;
        if year.len() != 4
            || month.len() != 2
            || !text.bytes().all(|b| b == b'-' || b.is_ascii_digit())
        {
            return Err(error());
        }
        let year = year.parse().map_err(|_error| error())?;
        let month = month.parse().map_err(|_error| error())?;
        Date::new(year, month, 1)
            .map(|first| Self { first })
            .map_err(|_error| error())
    }
}

impl Serialize for BillingPeriod {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for BillingPeriod {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}
