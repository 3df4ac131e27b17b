//! Text of others, made fit to print: names of certificates (RFC 5280, section 4.1.2.4) and what
//! an authority says when it refuses.

use der::Tag;
use der::oid::ObjectIdentifier;

use super::asn1::{Items, Malformed, dotted};

/// Longest text that is kept, in characters.
const CHARACTERS_MAX: usize = 256;

/// Short names of what distinguished names are made of (RFC 4514, section 3).
const SHORT: [(ObjectIdentifier, &str); 6] = [
    (ObjectIdentifier::new_unwrap("2.5.4.3"), "CN"),
    (ObjectIdentifier::new_unwrap("2.5.4.6"), "C"),
    (ObjectIdentifier::new_unwrap("2.5.4.7"), "L"),
    (ObjectIdentifier::new_unwrap("2.5.4.8"), "ST"),
    (ObjectIdentifier::new_unwrap("2.5.4.10"), "O"),
    (ObjectIdentifier::new_unwrap("2.5.4.11"), "OU"),
];

/// A distinguished name as `CN=…, O=…`, in its own order.
pub(super) fn printable(name: &[u8]) -> Result<String, Malformed> {
    let mut sets = Items::within(name, Tag::Sequence, "certificate's subject")?;
    let mut parts = Vec::new();
    while !sets.is_empty() {
        let mut pairs = Items::new(sets.take(Tag::Set)?, "certificate's subject");
        while !pairs.is_empty() {
            let mut pair = pairs.sequence("certificate's subject")?;
            let id = pair.take(Tag::ObjectIdentifier)?;
            let value = pair.any()?;
            pair.finish()?;
            let key = SHORT
                .iter()
                .find(|(known, _)| known.as_bytes() == id)
                .map_or_else(|| dotted(id), |(_, short)| (*short).to_owned());
            parts.push(format!("{key}={}", text(value.tag, value.body)));
        }
    }
    Ok(clean(&parts.join(", ")))
}

/// Bytes of a string of any of the string types; what is no such text becomes `\u{FFFD}`.
fn text(tag: Tag, body: &[u8]) -> String {
    if tag == Tag::BmpString {
        let units = body.chunks(2).map(|pair| {
            pair.iter()
                .fold(0, |unit, byte| (unit << 8) | u16::from(*byte))
        });
        return char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect();
    }
    String::from_utf8_lossy(body).into_owned()
}

/// Text without control characters and without those that turn or hide what is printed, cut to a
/// line.
pub(super) fn clean(text: &str) -> String {
    text.chars()
        .take(CHARACTERS_MAX)
        .map(|character| {
            if hides(character) {
                '\u{fffd}'
            } else {
                character
            }
        })
        .collect()
}

/// Control characters, line and paragraph separators, and characters of direction or no width
/// (Unicode, section 23).
fn hides(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_turn_or_move_the_line_is_replaced() {
        let said = "Time\u{1b}[2J\u{202e}stamp\r\n";
        assert_eq!(clean(said), "Time\u{fffd}[2J\u{fffd}stamp\u{fffd}\u{fffd}");
        assert_eq!(clean(&"x".repeat(1000)).len(), CHARACTERS_MAX);
    }

    #[test]
    fn names_are_read_in_every_string_type() {
        assert_eq!(text(Tag::BmpString, &[0, b'A', 0x20, 0xac]), "A\u{20ac}");
        assert_eq!(text(Tag::Utf8String, "Zeit".as_bytes()), "Zeit");
        assert_eq!(text(Tag::PrintableString, &[0xff]), "\u{fffd}");
    }
}
