//! Positions of the events that prove something, as they are shown.

use std::fmt;

use ledger::Position;

use super::number::{length, thousands};

/// Some positions, and how many more there are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Positions {
    /// The first of them, as `#9,114`.
    pub(crate) shown: Vec<String>,
    /// How many are not shown.
    pub(crate) more: u64,
}

impl Positions {
    /// The first `count` of some positions.
    pub(crate) fn first(positions: &[Position], count: usize) -> Self {
        let shown: Vec<String> = positions
            .iter()
            .take(count)
            .map(|&at| position(at))
            .collect();
        let more = length(positions).saturating_sub(length(&shown));
        Self { shown, more }
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.shown.is_empty()
    }
}

impl fmt::Display for Positions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown.join(" "))?;
        if self.more > 0 {
            write!(f, " +{}", thousands(self.more))?;
        }
        Ok(())
    }
}

/// One position: `#9,114`.
pub(crate) fn position(at: Position) -> String {
    format!("#{}", thousands(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_counted() {
        let positions = Positions::first(&[9_114, 152_007, 152_008], 2);
        assert_eq!(positions.to_string(), "#9,114 #152,007 +1");
        assert!(Positions::first(&[], 2).is_empty());
    }
}
