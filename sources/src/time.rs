//! Times as exports write them.
//!
//! Graph and Azure Monitor write RFC 3339 with up to seven fraction digits; forwarders and portal
//! exports drop the zone, use a space for the `T`, or write the US locale. Every field read here is
//! documented as UTC, so a missing zone means UTC. Anything else is malformed and reported.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Digits of a nanosecond fraction; further digits are cut.
const FRACTION_DIGITS: usize = 9;
/// Epoch numbers with at least this many digits are milliseconds, as in vendor exports.
const MILLISECOND_DIGITS: usize = 12;

/// Reads a time, `None` when it is malformed.
pub(crate) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return epoch(text);
    }
    let mut rest = Rest(text.as_bytes());
    let first = rest.number(1, 4)?;
    if rest.take(b'-') {
        iso(first, &mut rest)
    } else if rest.take(b'/') {
        us_locale(first, &mut rest)
    } else {
        None
    }
}

/// Epoch milliseconds, `1583076660021`.
fn epoch(text: &str) -> Option<Timestamp> {
    if text.len() < MILLISECOND_DIGITS {
        return None;
    }
    Timestamp::from_millisecond(text.parse().ok()?).ok()
}

/// `2019-10-18T04:45:48.0729893-05:00` and its relatives.
fn iso(year: i64, rest: &mut Rest<'_>) -> Option<Timestamp> {
    let month = rest.number(1, 2)?;
    rest.expect(b'-')?;
    let day = rest.number(1, 2)?;
    if !(rest.take(b'T') || rest.take(b't') || rest.take(b' ')) {
        return None;
    }
    let (hour, minute, second, nanosecond) = clock(rest)?;
    let offset = zone(rest)?;
    rest.is_empty().then_some(())?;
    civil([year, month, day, hour, minute, second], nanosecond, offset)
}

/// `8/22/2022 6:11:52 PM` and `4/28/2021, 2:32:14.029 PM`.
fn us_locale(month: i64, rest: &mut Rest<'_>) -> Option<Timestamp> {
    let day = rest.number(1, 2)?;
    rest.expect(b'/')?;
    let year = rest.number(4, 4)?;
    rest.take(b',');
    rest.expect(b' ')?;
    let (hour, minute, second, nanosecond) = clock(rest)?;
    let hour = if rest.take(b' ') && !rest.is_empty() {
        half_day(hour, rest)?
    } else {
        hour
    };
    rest.take(b' ');
    let offset = zone(rest)?;
    rest.is_empty().then_some(())?;
    civil([year, month, day, hour, minute, second], nanosecond, offset)
}

/// Hour on the 24-hour clock, from the 12-hour one and `AM` or `PM`; as it is without either.
fn half_day(hour: i64, rest: &mut Rest<'_>) -> Option<i64> {
    let afternoon = if rest.take(b'P') || rest.take(b'p') {
        true
    } else if rest.take(b'A') || rest.take(b'a') {
        false
    } else {
        return Some(hour);
    };
    if !(rest.take(b'M') || rest.take(b'm')) || !(1..=12).contains(&hour) {
        return None;
    }
    Some(hour % 12 + if afternoon { 12 } else { 0 })
}

fn clock(rest: &mut Rest<'_>) -> Option<(i64, i64, i64, i64)> {
    let hour = rest.number(1, 2)?;
    rest.expect(b':')?;
    let minute = rest.number(2, 2)?;
    let second = if rest.take(b':') {
        rest.number(2, 2)?
    } else {
        0
    };
    let nanosecond = if rest.take(b'.') { rest.fraction()? } else { 0 };
    Some((hour, minute, second, nanosecond))
}

/// `Z`, `+00:00`, `+0000`, `-8:00`, or nothing: UTC.
fn zone(rest: &mut Rest<'_>) -> Option<Offset> {
    if rest.is_empty() || rest.take(b'Z') || rest.take(b'z') {
        return Some(Offset::UTC);
    }
    let sign = if rest.take(b'+') {
        1
    } else {
        rest.expect(b'-')?;
        -1
    };
    let hours = rest.number(1, 2)?;
    let minutes = if rest.take(b':') || !rest.is_empty() {
        rest.number(2, 2)?
    } else {
        0
    };
    if minutes > 59 {
        return None;
    }
    let seconds = i32::try_from(sign * (hours * 3_600 + minutes * 60)).ok()?;
    Offset::from_seconds(seconds).ok()
}

fn civil(parts: [i64; 6], nanosecond: i64, offset: Offset) -> Option<Timestamp> {
    let [year, month, day, hour, minute, second] = parts;
    let small = |value: i64| i8::try_from(value).ok();
    DateTime::new(
        i16::try_from(year).ok()?,
        small(month)?,
        small(day)?,
        small(hour)?,
        small(minute)?,
        small(second)?,
        i32::try_from(nanosecond).ok()?,
    )
    .ok()
    .and_then(|time| offset.to_timestamp(time).ok())
}

/// What is still to be read of a time.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.take(byte).then_some(())
    }

    /// A number of at least `least` and at most `most` digits.
    fn number(&mut self, least: usize, most: usize) -> Option<i64> {
        let mut value = 0;
        let mut digits = 0;
        while digits < most
            && let Some((digit @ b'0'..=b'9', rest)) = self.0.split_first()
        {
            value = value * 10 + i64::from(digit - b'0');
            digits += 1;
            self.0 = rest;
        }
        (digits >= least).then_some(value)
    }

    /// A fraction of a second in nanoseconds.
    fn fraction(&mut self) -> Option<i64> {
        let mut value = 0;
        let mut digits = 0;
        while let Some((digit @ b'0'..=b'9', rest)) = self.0.split_first() {
            if digits < FRACTION_DIGITS {
                value = value * 10 + i64::from(digit - b'0');
            }
            digits += 1;
            self.0 = rest;
        }
        if digits == 0 {
            return None;
        }
        for _ in digits..FRACTION_DIGITS {
            value *= 10;
        }
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(text: &str, expected: &str) {
        assert_eq!(parse(text), expected.parse().ok(), "{text}");
    }

    #[test]
    fn every_format_seen_in_exports_is_read() {
        same(
            "2021-07-30T11:29:26.6733668Z",
            "2021-07-30T11:29:26.6733668Z",
        );
        same(
            "2021-07-30T11:29:26.6733668+00:00",
            "2021-07-30T11:29:26.6733668Z",
        );
        same("2022-09-07T21:25:36Z", "2022-09-07T21:25:36Z");
        same(
            "2019-10-18T04:45:48.0729893-05:00",
            "2019-10-18T09:45:48.0729893Z",
        );
        same("8/22/2022 6:11:52 PM", "2022-08-22T18:11:52Z");
        same("9/9/2022 12:00:00 AM", "2022-09-09T00:00:00Z");
        same("4/28/2021, 2:32:14.029 PM", "2021-04-28T14:32:14.029Z");
        same("2020-02-09T15:33:26", "2020-02-09T15:33:26Z");
        same(
            "2023-07-26 22:58:30.983201900",
            "2023-07-26T22:58:30.9832019Z",
        );
        same("2022-02-08 09:23:37+11:00", "2022-02-07T22:23:37Z");
        same("2020-03-01T15:31:00+0000", "2020-03-01T15:31:00Z");
        same("2022-09-09T9:59:27.958Z", "2022-09-09T09:59:27.958Z");
        same("2021-04-01T21:36:48-8:00", "2021-04-02T05:36:48Z");
        same("1583076660021", "2020-03-01T15:31:00.021Z");
        same("11/3/2020 9:06:42 AM +00:00", "2020-11-03T09:06:42Z");
    }

    #[test]
    fn malformed_times_are_refused() {
        for text in [
            "",
            "redacted",
            "0000-00-00T00:00:00.000Z",
            "2021-10-26T16:28:17.8202975Z)",
            "2021-13-01T00:00:00Z",
            "2021-02-30T00:00:00Z",
            "2021-01-01",
            "2021-01-01T",
            "2021-01-01T10:00:00.Z",
            "2021-01-01T25:00:00Z",
            "8/22/2022 13:11:52 PM",
            "2021-01-01T00:00:00+99:00",
            "12345",
            "-",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            parse(&text);
        }

        #[test]
        fn what_is_printed_is_read_back(seconds in -60_000_000_000_i64..200_000_000_000, nanos in 0_i32..1_000_000_000) {
            let time = Timestamp::new(seconds, nanos).unwrap();
            if time.to_string().starts_with(|first: char| first.is_ascii_digit()) {
                proptest::prop_assert_eq!(parse(&time.to_string()), Some(time));
            }
        }
    }
}
