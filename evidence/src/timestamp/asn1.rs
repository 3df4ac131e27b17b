//! Reading and writing DER (X.690, section 10): one value behind another, nothing skipped in
//! silence. Nesting is only as deep as the caller asks for; nothing here calls itself.

use der::asn1::AnyRef;
use der::{Decode as _, Reader as _, SliceReader, Tag, TagNumber};

/// A part is not the DER the specification asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the {part} is malformed")]
pub struct Malformed {
    /// Which part, in the words of its specification.
    pub part: &'static str,
}

/// One value with its tag.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'a> {
    /// Its tag.
    pub(super) tag: Tag,
    /// What is behind tag and length.
    pub(super) body: &'a [u8],
    /// All of it.
    pub(super) whole: &'a [u8],
}

/// Values not read yet, and the name of what they belong to.
#[derive(Debug, Clone)]
pub(super) struct Items<'a> {
    rest: &'a [u8],
    part: &'static str,
}

/// The tag `[number]` of a constructed value.
pub(super) fn constructed(number: u32) -> Tag {
    TagNumber(number).context_specific(true)
}

/// The tag `[number]` of a primitive value.
pub(super) fn primitive(number: u32) -> Tag {
    TagNumber(number).context_specific(false)
}

impl<'a> Items<'a> {
    /// The values in a body.
    pub(super) fn new(body: &'a [u8], part: &'static str) -> Self {
        Self { rest: body, part }
    }

    /// The one value that bytes are, whole, and the values inside it.
    pub(super) fn within(bytes: &'a [u8], tag: Tag, part: &'static str) -> Result<Self, Malformed> {
        let mut outer = Self::new(bytes, part);
        let body = outer.take(tag)?;
        outer.finish()?;
        Ok(Self::new(body, part))
    }

    pub(super) fn malformed(&self) -> Malformed {
        Malformed { part: self.part }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next value, whatever it is.
    pub(super) fn any(&mut self) -> Result<Value<'a>, Malformed> {
        let malformed = self.malformed();
        let read = |rest: &'a [u8]| -> der::Result<(AnyRef<'a>, usize)> {
            let mut reader = SliceReader::new(rest)?;
            let any = AnyRef::decode(&mut reader)?;
            Ok((any, usize::try_from(reader.position())?))
        };
        let (any, used) = read(self.rest).or(Err(malformed))?;
        let (whole, rest) = self.rest.split_at_checked(used).ok_or(malformed)?;
        self.rest = rest;
        let tag = der::Tagged::tag(&any);
        let body = any.value();
        Ok(Value { tag, body, whole })
    }

    /// The next value when it has a tag.
    pub(super) fn optional(&mut self, tag: Tag) -> Result<Option<Value<'a>>, Malformed> {
        if self.is_empty() {
            return Ok(None);
        }
        let mut ahead = self.clone();
        let value = ahead.any()?;
        if value.tag != tag {
            return Ok(None);
        }
        *self = ahead;
        Ok(Some(value))
    }

    /// The body of the next value, which has a tag.
    pub(super) fn take(&mut self, tag: Tag) -> Result<&'a [u8], Malformed> {
        let value = self.any()?;
        if value.tag == tag {
            Ok(value.body)
        } else {
            Err(self.malformed())
        }
    }

    /// The values inside the next, a SEQUENCE.
    pub(super) fn sequence(&mut self, part: &'static str) -> Result<Self, Malformed> {
        Ok(Self::new(self.take(Tag::Sequence)?, part))
    }

    /// The next value, an INTEGER: its bytes, which are the fewest possible.
    pub(super) fn integer(&mut self) -> Result<&'a [u8], Malformed> {
        let body = self.take(Tag::Integer)?;
        self.shortest(body)
    }

    /// The next value, an INTEGER from 0 to 2^63 - 1.
    pub(super) fn small(&mut self) -> Result<u64, Malformed> {
        let body = self.integer()?;
        self.number(body)
    }

    /// The number from 0 to 2^63 - 1 that the bytes of an INTEGER say.
    pub(super) fn number(&self, body: &[u8]) -> Result<u64, Malformed> {
        let body = self.shortest(body)?;
        let negative = body.first().is_some_and(|first| *first >= 0x80);
        if negative || body.len() > size_of::<u64>() {
            return Err(self.malformed());
        }
        Ok(body
            .iter()
            .fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }

    fn shortest<'b>(&self, body: &'b [u8]) -> Result<&'b [u8], Malformed> {
        match body {
            [] | [0, 0..=0x7f, ..] | [0xff, 0x80..=0xff, ..] => Err(self.malformed()),
            _ => Ok(body),
        }
    }

    /// The next value when it is a BOOLEAN, else `false` (DEFAULT FALSE, which some write out).
    pub(super) fn flag(&mut self) -> Result<bool, Malformed> {
        let malformed = self.malformed();
        match self.optional(Tag::Boolean)?.map(|value| value.body) {
            None | Some([0]) => Ok(false),
            Some([0xff]) => Ok(true),
            Some(_) => Err(malformed),
        }
    }

    /// An `AlgorithmIdentifier` whose parameters are absent or NULL: the bytes of its identifier.
    pub(super) fn algorithm(&mut self, part: &'static str) -> Result<&'a [u8], Malformed> {
        let mut items = self.sequence(part)?;
        let id = items.take(Tag::ObjectIdentifier)?;
        if let Some(null) = items.optional(Tag::Null)?
            && !null.body.is_empty()
        {
            return Err(items.malformed());
        }
        items.finish()?;
        Ok(id)
    }

    /// Nothing is left.
    pub(super) fn finish(&self) -> Result<(), Malformed> {
        if self.is_empty() {
            Ok(())
        } else {
            Err(self.malformed())
        }
    }
}

/// Bytes of an object identifier in dotted numbers, or in hexadecimal when its numbers are too
/// large.
pub(super) fn dotted(id: &[u8]) -> String {
    der::oid::ObjectIdentifier::from_bytes(id).map_or_else(|_| hex(id), |known| known.to_string())
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in bytes {
        // writing to a string does not fail
        let _infallible = write!(text, "{byte:02x}");
    }
    text
}

/// The body of a value of at most 127 bytes, behind its tag and length.
///
/// INVARIANT: what is written here is of fixed, small size; longer bodies would need long lengths.
pub(super) fn short(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    let length = u8::try_from(body.len().min(127)).unwrap_or(127);
    [&[tag, length], body.as_slice()].concat()
}
