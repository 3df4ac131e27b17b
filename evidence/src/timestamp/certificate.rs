//! What a certificate says that webpki does not tell: its serial number, whether its only purpose
//! is timestamping, when it is valid (RFC 5280, section 4.1; RFC 3161, section 2.3).

use std::time::Duration;

use der::asn1::{AnyRef, GeneralizedTime, UtcTime};
use der::oid::ObjectIdentifier;
use der::{Decode as _, Tag};

use super::asn1::{Items, Malformed, constructed};

const PART: &str = "certificate";
const EXTENDED_KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.37");
const KEY_USAGE: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.15");
const SUBJECT_KEY_ID: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.29.14");

/// `id-kp-timeStamping` (RFC 3161, section 2.3).
pub(super) const TIME_STAMPING: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.8");

/// Bits 0 and 1 of a key usage: `digitalSignature`, `nonRepudiation` (RFC 5280, section 4.2.1.3).
const SIGNING: u8 = 0b1100_0000;

/// A certificate, read but not trusted.
#[derive(Debug, Clone)]
pub(super) struct Certificate<'a> {
    /// All of it.
    pub(super) der: &'a [u8],
    /// Bytes of its serial number.
    pub(super) serial: &'a [u8],
    /// The name of who signed it, with tag and length.
    pub(super) issuer: &'a [u8],
    /// Its own name, with tag and length.
    pub(super) subject: &'a [u8],
    /// The id of its key, when it has one.
    pub(super) key_id: Option<&'a [u8]>,
    validity: &'a [u8],
    purposes: Option<(bool, &'a [u8])>,
    usage: Option<&'a [u8]>,
}

impl<'a> Certificate<'a> {
    pub(super) fn parse(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut outer = Items::within(der, Tag::Sequence, PART)?;
        let mut items = outer.sequence(PART)?;
        outer.take(Tag::Sequence)?;
        outer.take(Tag::BitString)?;
        outer.finish()?;

        items.optional(constructed(0))?; // version
        let serial = items.integer()?;
        items.take(Tag::Sequence)?; // signature algorithm
        let issuer = items.any()?.whole;
        let validity = items.take(Tag::Sequence)?;
        let subject = items.any()?.whole;
        items.take(Tag::Sequence)?; // key
        let mut read = Self {
            der,
            serial,
            issuer,
            subject,
            key_id: None,
            validity,
            purposes: None,
            usage: None,
        };
        while !items.is_empty() {
            let value = items.any()?;
            if value.tag == constructed(3) {
                read.extensions(value.body)?;
            }
        }
        Ok(read)
    }

    fn extensions(&mut self, body: &'a [u8]) -> Result<(), Malformed> {
        let mut items = Items::within(body, Tag::Sequence, "certificate's extensions")?;
        while !items.is_empty() {
            let mut extension = items.sequence("certificate's extensions")?;
            let id = extension.take(Tag::ObjectIdentifier)?;
            let critical = extension.flag()?;
            let value = extension.take(Tag::OctetString)?;
            extension.finish()?;
            let twice = if id == EXTENDED_KEY_USAGE.as_bytes() {
                let mut purposes = Items::new(value, "certificate's extensions");
                let body = purposes.take(Tag::Sequence)?;
                purposes.finish()?;
                self.purposes.replace((critical, body)).is_some()
            } else if id == KEY_USAGE.as_bytes() {
                let mut usage = Items::new(value, "certificate's extensions");
                self.usage.replace(usage.take(Tag::BitString)?).is_some()
            } else if id == SUBJECT_KEY_ID.as_bytes() {
                let mut key_id = Items::new(value, "certificate's extensions");
                self.key_id
                    .replace(key_id.take(Tag::OctetString)?)
                    .is_some()
            } else {
                false
            };
            if twice {
                return Err(extension.malformed());
            }
        }
        Ok(())
    }

    /// Whether it is for timestamping and nothing else, in an extension that may not be ignored
    /// (RFC 3161, section 2.3), and its key is for signatures if it says what for.
    pub(super) fn is_for_timestamping_alone(&self) -> bool {
        let Some((true, body)) = self.purposes else {
            return false;
        };
        let mut purposes = Items::new(body, PART);
        let alone = purposes.take(Tag::ObjectIdentifier) == Ok(TIME_STAMPING.as_bytes())
            && purposes.is_empty();
        let signs = match self.usage {
            None => true,
            // unused bits, then the bits from the first
            Some([_, bits, ..]) => bits & SIGNING != 0,
            Some(_) => false,
        };
        alone && signs
    }

    /// Whether a moment, since 1970, is in its validity, both ends included (RFC 5280,
    /// section 4.1.2.5).
    pub(super) fn is_valid_at(&self, moment: Duration) -> Result<bool, Malformed> {
        let mut items = Items::new(self.validity, "certificate's validity");
        let from = time(items.any()?.whole).ok_or(items.malformed())?;
        let until = time(items.any()?.whole).ok_or(items.malformed())?;
        items.finish()?;
        let whole_seconds = Duration::from_secs(moment.as_secs());
        Ok(from <= whole_seconds && whole_seconds <= until)
    }
}

fn time(whole: &[u8]) -> Option<Duration> {
    let any = AnyRef::from_der(whole).ok()?;
    any.decode_as::<UtcTime>()
        .map(|time| time.to_unix_duration())
        .or_else(|_| {
            any.decode_as::<GeneralizedTime>()
                .map(|time| time.to_unix_duration())
        })
        .ok()
}
