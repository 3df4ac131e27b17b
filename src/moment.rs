//! A moment as a person writes it: a time, a date, `now`, or a position of the ledger.

use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// What `--as-of`, `--since` and `--until` take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// An instant.
    At(Timestamp),
    /// The wall clock.
    Now,
    /// The ledger as it was when it had this many events.
    Position(u64),
}

/// The text is none of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MomentError {
    text: String,
}

impl std::error::Error for MomentError {}

impl std::fmt::Display for MomentError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "`{}` is not a moment; write 2026-10-01, 2026-10-01T12:00:00Z, now, or #1234 for a position",
            crate::terminal::clean(&self.text)
        )
    }
}

impl FromStr for Moment {
    type Err = MomentError;

    fn from_str(text: &str) -> Result<Self, MomentError> {
        let error = || MomentError {
            text: text.to_owned(),
        };
        if text == "now" {
            return Ok(Self::Now);
        }
        if let Some(position) = text.strip_prefix('#') {
            return position
                .replace(',', "")
                .parse()
                .map(Self::Position)
                .map_err(|_| error());
        }
        if let Ok(at) = text.parse::<Timestamp>() {
            return Ok(Self::At(at));
        }
        let day = text.parse::<Date>().map_err(|_| error())?;
        day.to_zoned_datetime(TimeZone::UTC)
            .map(|zoned| Self::At(zoned.timestamp()))
            .map_err(|_| error())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_is_its_first_instant_in_utc() {
        assert_eq!(
            "2026-10-01".parse(),
            Ok(Moment::At("2026-10-01T00:00:00Z".parse().unwrap()))
        );
    }

    #[test]
    fn a_position_may_have_thousands_separators() {
        assert_eq!("#9,114".parse(), Ok(Moment::Position(9114)));
    }

    #[test]
    fn anything_else_is_refused_with_examples() {
        let message = "yesterday".parse::<Moment>().unwrap_err().to_string();
        assert!(message.contains("`yesterday`") && message.contains("2026-10-01"));
    }
}
