//! What a person sees: harmless text, tables that fit, progress bars.

use std::borrow::Cow;
use std::io::{IsTerminal as _, Write as _};

use comfy_table::{Cell, ColumnConstraint, ContentArrangement, Table, presets};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::style::{Style, Tone};

/// Text written by others, made harmless for a terminal: control characters, escapes and
/// direction marks are shown as `‹U+001B›`.
pub(crate) fn clean(text: &str) -> Cow<'_, str> {
    use std::fmt::Write as _;

    if !text.chars().any(is_hostile) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if is_hostile(character) {
            let _written = write!(shown, "‹U+{:04X}›", u32::from(character));
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// Controls (C0, C1, DEL), direction marks and zero-width characters: what can move the cursor,
/// reorder a line or hide in a name (Unicode 16, UAX 9 section 2 and general category Cf).
fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}'
                | '\u{feff}' | '\u{e0000}'..='\u{e007f}'
        )
}

/// [`clean`], cut to a width in characters.
pub(crate) fn short(text: &str, width: usize) -> String {
    let text = clean(text);
    if text.chars().count() <= width {
        return text.into_owned();
    }
    let mut cut: String = text.chars().take(width.saturating_sub(1)).collect();
    cut.push('…');
    cut
}

/// A number with thousands separators.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// Positions as `#9,114 #152,007`, at most `most` of them.
pub(crate) fn positions(positions: &[u64], most: usize) -> String {
    let mut shown: Vec<String> = positions
        .iter()
        .take(most)
        .map(|position| format!("#{}", thousands(*position)))
        .collect();
    if positions.len() > most {
        shown.push(format!("+{}", positions.len() - most));
    }
    shown.join(" ")
}

/// A day as `2026-10-31`.
pub(crate) fn day(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d").to_string()
}

/// A minute as `2026-10-31 14:05Z`.
pub(crate) fn minute(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%MZ").to_string()
}

/// Narrower than this is a terminal that does not know its width, and what it is taken for.
const WIDTH_MIN: u16 = 20;
const WIDTH_UNKNOWN: u16 = 80;

/// An empty table that fits the terminal.
pub(crate) fn table(headings: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_content_arrangement(ContentArrangement::Dynamic);
    if !std::io::stdout().is_terminal() {
        table.set_width(200);
    } else if table.width().is_some_and(|width| width < WIDTH_MIN) {
        table.set_width(WIDTH_UNKNOWN);
    }
    let headings: Vec<Cell> = headings
        .iter()
        .map(|heading| Style::stdout().cell(Tone::Heading, heading.to_uppercase()))
        .collect();
    table.set_header(headings);
    table
}

/// Width of the terminal that standard output is; `None` when it is none.
pub(crate) fn width() -> Option<usize> {
    Table::new().width().map(usize::from)
}

/// Keeps columns of days, numbers and ids in one piece on a terminal; the others give way. What
/// goes into a pipe has one width, whatever it holds.
pub(crate) fn keep_whole(table: &mut Table, columns: std::ops::Range<usize>) {
    if width().is_none() {
        return;
    }
    for column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
}

/// Sets numbers to the right.
pub(crate) fn align_right(table: &mut Table, columns: std::ops::Range<usize>) {
    for column in columns {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(comfy_table::CellAlignment::Right);
        }
    }
}

/// Writes a line to standard output.
///
/// # Errors
/// When standard output is closed.
pub(crate) fn line(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{text}")
}

/// Writes a line about progress to standard error, unless asked to be quiet.
pub(crate) fn note(quiet: bool, text: &str) {
    if !quiet {
        drop(writeln!(std::io::stderr().lock(), "{text}"));
    }
}

/// A progress bar over bytes on standard error; invisible when that is no terminal or when quiet.
pub(crate) fn progress(total: u64, quiet: bool, what: &str) -> ProgressBar {
    let target = if quiet {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr_with_hz(8)
    };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {percent}% {eta}") {
        bar.set_style(style);
    }
    bar.set_message(what.to_owned());
    bar
}

/// Progress over events, for a person who waits for more than a moment; gone when dropped.
pub(crate) struct Bar(ProgressBar);

impl Bar {
    /// A bar that is invisible when quiet, or when there are so few events that it would flash.
    pub(crate) fn over(events: u64, few: u64, quiet: bool, what: &str) -> Self {
        Self(progress(events, quiet || events < few, what))
    }

    /// So many more are done.
    pub(crate) fn add(&self, events: u64) {
        self.0.inc(events);
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_and_direction_marks_are_shown_not_obeyed() {
        assert_eq!(clean("a\u{1b}[31mb"), "a‹U+001B›[31mb");
        assert_eq!(clean("pay\u{202e}fdp"), "pay‹U+202E›fdp");
        assert!(matches!(clean("plain – text"), Cow::Borrowed(_)));
    }

    #[test]
    fn thousands_are_separated() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }

    #[test]
    fn long_names_are_cut_with_an_ellipsis() {
        assert_eq!(short("abcdef", 4), "abc…");
        assert_eq!(short("abcd", 4), "abcd");
    }
}
