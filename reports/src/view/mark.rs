//! Severity as it is shown: a word, a shape and a colour, never a colour alone.

use crate::finding::Severity;

/// Every severity, worst first.
pub(crate) const WORST_FIRST: [Severity; 5] = [
    Severity::Critical,
    Severity::High,
    Severity::Medium,
    Severity::Low,
    Severity::Info,
];

/// Word and shape of a severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The word.
    pub(crate) word: &'static str,
    /// Letter that names the colour in the style sheet and the shape in `marks.svg`.
    pub(crate) letter: char,
}

impl From<Severity> for Mark {
    fn from(severity: Severity) -> Self {
        let (word, letter) = match severity {
            Severity::Critical => ("critical", 'c'),
            Severity::High => ("high", 'h'),
            Severity::Medium => ("medium", 'm'),
            Severity::Low => ("low", 'l'),
            Severity::Info => ("info", 'i'),
        };
        Self { word, letter }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_severity_has_its_own_word_and_shape() {
        let marks = WORST_FIRST.map(Mark::from);
        let words: BTreeSet<_> = marks.iter().map(|mark| mark.word).collect();
        let letters: BTreeSet<_> = marks.iter().map(|mark| mark.letter).collect();
        assert_eq!((words.len(), letters.len()), (5, 5));
        assert!(WORST_FIRST.is_sorted_by(|a, b| a > b));
    }
}
