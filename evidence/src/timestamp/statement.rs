//! What an authority signs: `TSTInfo` (RFC 3161, section 2.4.2).

use std::time::Duration;

use der::Tag;
use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

use super::asn1::{Items, Malformed, constructed, primitive};

const PART: &str = "statement (TSTInfo)";
const GEN_TIME: &str = "time (genTime)";

/// Longest serial number that is read, in bytes: RFC 3161 asks for 160 bits, with a sign byte.
const SERIAL_BYTES_MAX: usize = 21;

/// The statement, read but not checked.
#[derive(Debug, Clone)]
pub(super) struct Statement<'a> {
    /// Bytes of the identifier of its policy.
    pub(super) policy: &'a [u8],
    /// Bytes of the identifier of the digest of the imprint.
    pub(super) imprint_digest: &'a [u8],
    /// The imprint.
    pub(super) imprint: &'a [u8],
    /// Bytes of its serial number.
    pub(super) serial: &'a [u8],
    /// When it was made.
    pub(super) time: Timestamp,
    /// How far off the time may be, either way.
    pub(super) accuracy: Option<Duration>,
    /// Bytes of the nonce.
    pub(super) nonce: Option<&'a [u8]>,
    /// Bytes of the identifier of an extension that may not be ignored.
    pub(super) critical: Option<&'a [u8]>,
}

impl<'a> Statement<'a> {
    pub(super) fn parse(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut items = Items::within(der, Tag::Sequence, PART)?;
        if items.small()? != 1 {
            return Err(items.malformed());
        }
        let policy = items.take(Tag::ObjectIdentifier)?;
        let mut imprint = items.sequence("message imprint")?;
        let imprint_digest = imprint.algorithm("message imprint")?;
        let hash = imprint.take(Tag::OctetString)?;
        imprint.finish()?;
        let serial = items.integer()?;
        let negative = serial.first().is_some_and(|first| *first >= 0x80);
        if negative || serial.len() > SERIAL_BYTES_MAX {
            return Err(items.malformed());
        }
        let time =
            gen_time(items.take(Tag::GeneralizedTime)?).ok_or(Malformed { part: GEN_TIME })?;
        let accuracy = match items.optional(Tag::Sequence)? {
            Some(value) => Some(accuracy(value.body)?),
            None => None,
        };
        items.flag()?; // ordering: nothing here compares two tokens of one authority
        let nonce = match items.optional(Tag::Integer)? {
            Some(value) => Some(Items::new(value.whole, PART).integer()?),
            None => None,
        };
        items.optional(constructed(0))?; // tsa: a hint only, the certificate decides
        let critical = match items.optional(constructed(1))? {
            Some(value) => critical(value.body)?,
            None => None,
        };
        items.finish()?;
        Ok(Self {
            policy,
            imprint_digest,
            imprint: hash,
            serial,
            time,
            accuracy,
            nonce,
            critical,
        })
    }
}

/// `Accuracy`: whole seconds, then milliseconds and microseconds from 1 to 999.
fn accuracy(body: &[u8]) -> Result<Duration, Malformed> {
    let mut items = Items::new(body, "accuracy");
    let seconds = match items.optional(Tag::Integer)? {
        Some(value) => items.number(value.body)?,
        None => 0,
    };
    let mut fraction = |number| -> Result<u64, Malformed> {
        match items.optional(primitive(number))? {
            None => Ok(0),
            Some(value) => match items.number(value.body)? {
                small @ 1..=999 => Ok(small),
                _ => Err(items.malformed()),
            },
        }
    };
    let (millis, micros) = (fraction(0)?, fraction(1)?);
    items.finish()?;
    Duration::from_secs(seconds)
        .checked_add(Duration::from_millis(millis))
        .and_then(|sum| sum.checked_add(Duration::from_micros(micros)))
        .ok_or(items.malformed())
}

/// The first extension that may not be ignored; none is known here.
fn critical(body: &[u8]) -> Result<Option<&[u8]>, Malformed> {
    let mut items = Items::new(body, "statement's extensions");
    let mut found = None;
    while !items.is_empty() {
        let mut extension = items.sequence("statement's extensions")?;
        let id = extension.take(Tag::ObjectIdentifier)?;
        if extension.flag()? {
            found = found.or(Some(id));
        }
        extension.take(Tag::OctetString)?;
        extension.finish()?;
    }
    Ok(found)
}

/// `YYYYMMDDhhmmss[.s...]Z`, the fraction without a zero at its end (RFC 3161, section 2.4.2).
/// Digits behind the ninth, below a nanosecond, are cut.
fn gen_time(body: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(body).ok()?.strip_suffix('Z')?;
    let (whole, fraction) = match text.split_once('.') {
        Some((_, fraction)) if fraction.is_empty() || fraction.ends_with('0') => return None,
        Some((whole, fraction)) => (whole, fraction),
        None => (text, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 14 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let year = whole.get(..4)?.parse().ok()?;
    let two = |from: usize| -> Option<i8> {
        let to = from.checked_add(2)?;
        whole.get(from..to)?.parse().ok()
    };
    let nanoseconds: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let date = Date::new(year, two(4)?, two(6)?).ok()?;
    let time = Time::new(two(8)?, two(10)?, two(12)?, nanoseconds.parse().ok()?).ok()?;
    TimeZone::UTC
        .to_timestamp(DateTime::from_parts(date, time))
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        gen_time(text.as_bytes()).map(|time| time.to_string())
    }

    #[test]
    fn the_times_of_the_specification_are_read() {
        // RFC 3161, section 2.4.2, has these two
        assert_eq!(
            read("19990609001326.34352Z").unwrap(),
            "1999-06-09T00:13:26.34352Z"
        );
        assert_eq!(read("20261124130000Z").unwrap(), "2026-11-24T13:00:00Z");
        assert_eq!(
            read("20261124130000.1234567891Z").unwrap(),
            "2026-11-24T13:00:00.123456789Z"
        );
    }

    #[test]
    fn other_times_are_refused() {
        for text in [
            "",
            "Z",
            "20261124130000",
            "202611241300Z",
            "20261124130000+0100",
            "20261124130000.Z",
            "20261124130000.10Z",
            "20261124130000,1Z",
            "20261124130060Z",
            "20261324130000Z",
            "20260230130000Z",
            "2026112413000\u{e9}Z",
            "+0261124130000Z",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn accuracy_is_the_sum_of_its_parts() {
        assert_eq!(accuracy(&[]).unwrap(), Duration::ZERO);
        assert_eq!(
            accuracy(&[2, 1, 1, 0x80, 2, 1, 0xf4, 0x81, 1, 100]).unwrap(),
            Duration::from_micros(1_500_100)
        );
        assert!(accuracy(&[0x80, 1, 0]).is_err()); // from 1
        assert!(accuracy(&[0x80, 2, 3, 0xe8]).is_err()); // to 999
        assert!(accuracy(&[0x81, 1, 1, 0x80, 1, 1]).is_err()); // in order
        assert!(accuracy(&[2, 1, 0xff]).is_err()); // not negative
    }
}
