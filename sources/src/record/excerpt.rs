//! Untrusted text, made fit for one line of a message.

use crate::outcome::Reason;

/// Longest excerpt, in characters: [`Reason::BadValue`] promises it.
const CHARACTERS_MAX: usize = 80;

/// The text cut to 80 characters, with control and direction-changing characters replaced.
pub(crate) fn excerpt(text: &str) -> String {
    excerpt_of(text, CHARACTERS_MAX)
}

/// The text cut to `most` characters, with control and direction-changing characters replaced.
pub(crate) fn excerpt_of(text: &str, most: usize) -> String {
    text.chars()
        .take(most)
        .map(|character| {
            if is_unsafe(character) {
                '\u{fffd}'
            } else {
                character
            }
        })
        .collect()
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// A [`Reason::BadValue`] with the value made safe.
pub(crate) fn bad_value(field: &str, value: &str, expected: &str) -> Reason {
    Reason::BadValue {
        field: field.to_owned(),
        value: excerpt(value),
        expected: expected.to_owned(),
    }
}

/// A [`Reason::Missing`].
pub(crate) fn missing(field: &str) -> Reason {
    Reason::Missing {
        field: field.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_direction_characters_are_replaced_and_the_rest_is_cut() {
        assert_eq!(excerpt("a\nb\u{202e}c"), "a\u{fffd}b\u{fffd}c");
        assert_eq!(excerpt(&"é".repeat(200)).chars().count(), 80);
    }
}
