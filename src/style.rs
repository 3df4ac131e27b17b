//! Colour where a person looks: on a terminal, and never as the only sign.
//!
//! Sixteen-colour codes only, so that the terminal's own palette decides how they look on its
//! background. Text of others is cleaned ([`crate::terminal::clean`]) before a style goes round it.

use std::fmt::Display;
use std::io::IsTerminal as _;
use std::sync::OnceLock;

use comfy_table::{Attribute, Cell, Color};
use reports::Severity;

use crate::edge;

/// The style of standard output, for every table and line of the process.
static STDOUT: OnceLock<Style> = OnceLock::new();

/// How a piece of text stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Something is broken or must be done now: bold red.
    Alarm,
    /// Red.
    Bad,
    /// Yellow.
    Warning,
    /// Blue.
    Notice,
    /// Green.
    Good,
    /// A heading: bold.
    Heading,
    /// Beside the point: dim.
    Aside,
}

impl Tone {
    /// Parameters of the escape that turns it on (ECMA-48, "select graphic rendition").
    fn parameters(self) -> &'static str {
        match self {
            Self::Alarm => "1;31",
            Self::Bad => "31",
            Self::Warning => "33",
            Self::Notice => "34",
            Self::Good => "32",
            Self::Heading => "1",
            Self::Aside => "2",
        }
    }

    /// The same for a cell: a table measures its text without escapes.
    fn cell(self, cell: Cell) -> Cell {
        match self {
            Self::Alarm => cell.fg(Color::DarkRed).add_attribute(Attribute::Bold),
            Self::Bad => cell.fg(Color::DarkRed),
            Self::Warning => cell.fg(Color::DarkYellow),
            Self::Notice => cell.fg(Color::DarkBlue),
            Self::Good => cell.fg(Color::DarkGreen),
            Self::Heading => cell.add_attribute(Attribute::Bold),
            Self::Aside => cell.add_attribute(Attribute::Dim),
        }
    }
}

/// What decides about colour.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen<'a> {
    /// Whether the stream is a terminal.
    pub is_terminal: bool,
    /// `NO_COLOR`: set and not empty asks for none (no-color.org).
    pub no_color: Option<&'a str>,
    /// `TERM`: a `dumb` terminal shows escapes as letters.
    pub term: Option<&'a str>,
}

/// Whether and how to colour one stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    coloured: bool,
}

impl Style {
    /// No colour at all.
    pub(crate) const PLAIN: Self = Self { coloured: false };

    /// The style of a screen.
    pub(crate) fn of(screen: Screen<'_>) -> Self {
        Self {
            coloured: screen.is_terminal
                && screen.no_color.is_none_or(str::is_empty)
                && screen.term != Some("dumb"),
        }
    }

    /// Decides about standard output, once: plain when the answer is for a program or quiet is
    /// asked for.
    pub(crate) fn settle_stdout(is_plain: bool) {
        let style = if is_plain {
            Self::PLAIN
        } else {
            Self::of_stream(std::io::stdout().is_terminal())
        };
        STDOUT.get_or_init(|| style);
    }

    /// The style of standard output; plain until it is settled.
    pub(crate) fn stdout() -> Self {
        STDOUT.get().copied().unwrap_or(Self::PLAIN)
    }

    /// The style of standard error.
    pub(crate) fn stderr() -> Self {
        Self::of_stream(std::io::stderr().is_terminal())
    }

    fn of_stream(is_terminal: bool) -> Self {
        let (no_color, term) = (edge::variable("NO_COLOR"), edge::variable("TERM"));
        Self::of(Screen {
            is_terminal,
            no_color: no_color.as_deref(),
            term: term.as_deref(),
        })
    }

    /// The text in a tone; the text alone without colour.
    pub(crate) fn paint(self, tone: Tone, text: impl Display) -> String {
        if self.coloured {
            format!("\u{1b}[{}m{text}\u{1b}[0m", tone.parameters())
        } else {
            text.to_string()
        }
    }

    /// A cell of a table in a tone.
    pub(crate) fn cell(self, tone: Tone, text: impl Display) -> Cell {
        let cell = Cell::new(text);
        if self.coloured { tone.cell(cell) } else { cell }
    }

    /// A severity: its word, and on a screen with colour a shape before it, so that rows can be
    /// told apart at a glance and without seeing colours.
    pub(crate) fn severity(self, severity: Severity) -> String {
        self.paint(tone_of(severity), self.severity_text(severity))
    }

    /// The same as a cell of a table.
    pub(crate) fn severity_cell(self, severity: Severity) -> Cell {
        self.cell(tone_of(severity), self.severity_text(severity))
    }

    fn severity_text(self, severity: Severity) -> String {
        let word = severity_word(severity);
        if self.coloured {
            format!("{} {word}", shape_of(severity))
        } else {
            word.to_owned()
        }
    }

    /// A count of findings of a severity, such as `3 high`; none of them is beside the point.
    pub(crate) fn severity_count(self, severity: Severity, count: u32) -> String {
        if self.coloured && count == 0 {
            self.paint(Tone::Aside, format_args!("0 {}", severity_word(severity)))
        } else {
            format!("{count} {}", self.severity(severity))
        }
    }
}

fn tone_of(severity: Severity) -> Tone {
    match severity {
        Severity::Critical => Tone::Alarm,
        Severity::High => Tone::Bad,
        Severity::Medium => Tone::Warning,
        Severity::Low => Tone::Notice,
        Severity::Info => Tone::Aside,
    }
}

/// Close to the marks of the health page.
fn shape_of(severity: Severity) -> char {
    match severity {
        Severity::Critical => '■',
        Severity::High => '▲',
        Severity::Medium => '◆',
        Severity::Low => '●',
        Severity::Info => '○',
    }
}

/// A severity in one word.
pub(crate) fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCREEN: Screen<'_> = Screen {
        is_terminal: true,
        no_color: None,
        term: Some("xterm-256color"),
    };

    #[test]
    fn only_a_terminal_that_can_and_was_not_told_otherwise_gets_colour() {
        let coloured = |screen| Style::of(screen) != Style::PLAIN;
        assert!(coloured(SCREEN));
        assert!(coloured(Screen {
            no_color: Some(""),
            ..SCREEN
        }));
        assert!(coloured(Screen {
            term: None,
            ..SCREEN
        }));
        assert!(!coloured(Screen {
            is_terminal: false,
            ..SCREEN
        }));
        assert!(!coloured(Screen {
            no_color: Some("1"),
            ..SCREEN
        }));
        assert!(!coloured(Screen {
            term: Some("dumb"),
            ..SCREEN
        }));
    }

    #[test]
    fn without_colour_a_severity_is_its_word_and_nothing_else() {
        assert_eq!(Style::PLAIN.severity(Severity::High), "high");
        assert_eq!(Style::PLAIN.severity_count(Severity::High, 0), "0 high");
        assert_eq!(Style::PLAIN.paint(Tone::Alarm, "x"), "x");
    }

    #[test]
    fn with_colour_a_severity_keeps_its_word_and_has_a_shape_of_its_own() {
        let style = Style::of(SCREEN);
        let all = [
            Severity::Info,
            Severity::Low,
            Severity::Medium,
            Severity::High,
            Severity::Critical,
        ];
        let mut shapes = std::collections::BTreeSet::new();
        for severity in all {
            let text = style.severity(severity);
            assert!(text.contains(severity_word(severity)), "{text}");
            assert!(text.ends_with("\u{1b}[0m"), "{text}");
            shapes.insert(text.split('m').nth(1).and_then(|rest| rest.chars().next()));
        }
        assert_eq!(shapes.len(), all.len());
    }
}
