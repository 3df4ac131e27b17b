//! Text as it is shown: nothing in it can change how the text around it reads.
//!
//! The template engine escapes what is markup. This handles the rest: Unicode controls, direction
//! overrides ("Trojan Source", CVE-2021-42574) and characters without width. All of them are
//! written out, `‹U+202E›`, so that a reader sees that they are there.

use std::fmt::{self, Write as _};

/// Marks that combine with the letter before them, kept per letter. No written language stacks
/// more than four; beyond that they paint over the neighbouring lines.
const COMBINING_MARKS_MAX: usize = 4;

/// Text that is safe to show. It still has to be escaped where it is put into markup.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shown(String);

impl Shown {
    /// The whole text.
    pub(crate) fn whole(text: &str) -> Self {
        let mut shown = String::with_capacity(text.len());
        let mut marks = 0;
        for character in text.chars() {
            push(&mut shown, character, &mut marks);
        }
        Self(shown)
    }

    /// The text, cut with an ellipsis when it is longer than `letters`.
    pub(crate) fn cut(text: &str, letters: usize) -> Self {
        let mut shown = String::new();
        let mut marks = 0;
        for (count, character) in text.chars().enumerate() {
            if count == letters {
                shown.push('…');
                break;
            }
            push(&mut shown, character, &mut marks);
        }
        Self(shown)
    }

    /// A name, whole; words in place of a name that would show as nothing.
    pub(crate) fn name(text: &str) -> Self {
        if text.trim().is_empty() {
            return Self("(no name)".to_owned());
        }
        Self::whole(text)
    }

    /// A name, cut.
    pub(crate) fn name_cut(text: &str, letters: usize) -> Self {
        if text.trim().is_empty() {
            return Self("(no name)".to_owned());
        }
        Self::cut(text, letters)
    }

    /// A machine's word in ours: `no_source` reads `no source`.
    pub(crate) fn words(text: &str) -> Self {
        Self::whole(&text.replace('_', " "))
    }

    /// The text with its first letter as a capital.
    pub(crate) fn capital(&self) -> Self {
        let mut rest = self.0.chars();
        let first = rest.next().map(char::to_uppercase);
        Self(first.into_iter().flatten().chain(rest).collect())
    }

    /// As text, to compare with.
    #[cfg(test)]
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn push(shown: &mut String, character: char, marks: &mut usize) {
    *marks = if combines(character) { *marks + 1 } else { 0 };
    if misleads(character) || *marks > COMBINING_MARKS_MAX {
        // Writing to a String cannot fail.
        let _written = write!(shown, "‹U+{:04X}›", u32::from(character));
    } else {
        shown.push(character);
    }
}

/// Whether a character is invisible or moves others: general categories Cc and Cf of Unicode 16,
/// the separators Zl and Zp, and the letters that show as nothing (Hangul fillers).
fn misleads(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}'
            | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}'
            | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{3164}'
            | '\u{FEFF}' | '\u{FFA0}' | '\u{FFF0}'..='\u{FFFB}'
            | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}')
}

fn combines(character: char) -> bool {
    matches!(character,
        '\u{0300}'..='\u{036F}' | '\u{0483}'..='\u{0489}' | '\u{1AB0}'..='\u{1AFF}'
        | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}' | '\u{FE20}'..='\u{FE2F}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn controls_and_overrides_are_written_out() {
        let shown = Shown::whole("a\u{202E}b\u{1b}[31m\u{200B}\n\u{85}").to_string();
        assert_eq!(shown, "a‹U+202E›b‹U+001B›[31m‹U+200B›‹U+000A›‹U+0085›");
    }

    #[test]
    fn letters_of_every_script_stay() {
        for text in ["ζωή", "حساب", "サービス", "Ünïcode", "e\u{301}", "🚀"] {
            assert_eq!(Shown::whole(text).as_str(), text);
        }
    }

    #[test]
    fn piled_up_marks_stop_at_the_fourth() {
        let piled = format!("a{}", "\u{0301}".repeat(6));
        let shown = Shown::whole(&piled).to_string();
        assert_eq!(shown.matches('\u{0301}').count(), COMBINING_MARKS_MAX);
        assert!(shown.ends_with("‹U+0301›‹U+0301›"));
    }

    #[test]
    fn a_long_name_is_cut_and_a_blank_one_gets_words() {
        assert_eq!(Shown::cut("abcdef", 3).as_str(), "abc…");
        assert_eq!(Shown::cut("abc", 3).as_str(), "abc");
        assert_eq!(Shown::name_cut(" \u{a0} ", 3).as_str(), "(no name)");
        assert_eq!(Shown::name("").as_str(), "(no name)");
    }

    #[test]
    fn machine_words_read_as_ours() {
        assert_eq!(
            Shown::words("third_party").capital().as_str(),
            "Third party"
        );
    }

    proptest! {
        #[test]
        fn nothing_misleading_is_ever_shown(text in any::<String>()) {
            prop_assert!(!Shown::whole(&text).as_str().chars().any(misleads));
        }
    }
}
