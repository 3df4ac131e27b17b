//! What was run, counted and printed.

use std::collections::BTreeMap;

/// Cases by what was done, and what came of them.
#[derive(Debug, Default)]
pub struct Table {
    rows: BTreeMap<String, BTreeMap<String, u64>>,
    /// Cases in which a promise was broken, in words.
    pub broken: Vec<String>,
}

impl Table {
    /// Counts a case.
    pub fn count(&mut self, row: &str, outcome: &str) {
        let row = self.rows.entry(row.to_owned()).or_default();
        *row.entry(outcome.to_owned()).or_default() += 1;
    }

    /// Counts a case that broke a promise.
    pub fn broke(&mut self, row: &str, what: String) {
        self.count(row, "BROKEN");
        self.broken.push(format!("{row}: {what}"));
    }

    /// Takes in what another counted.
    pub fn add(&mut self, other: Self) {
        for (row, outcomes) in other.rows {
            let mine = self.rows.entry(row).or_default();
            for (outcome, count) in outcomes {
                *mine.entry(outcome).or_default() += count;
            }
        }
        self.broken.extend(other.broken);
    }

    /// How many cases had an outcome, over all rows.
    pub fn total(&self, outcome: &str) -> u64 {
        let counts = self.rows.values().filter_map(|row| row.get(outcome));
        counts.sum()
    }
}

/// Broken promises told in full; more are only counted.
const TOLD_MAX: usize = 12;

impl std::fmt::Display for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let width = self.rows.keys().map(String::len).max().unwrap_or(0);
        let mut all = 0;
        for (row, outcomes) in &self.rows {
            let cases: u64 = outcomes.values().sum();
            all += cases;
            write!(f, "  {row:<width$} {cases:>6} ")?;
            let mut between = " ";
            for (outcome, count) in outcomes {
                write!(f, "{between}{outcome} {count}")?;
                between = ", ";
            }
            writeln!(f)?;
        }
        writeln!(f, "  {:<width$} {all:>6}", "all")?;
        for what in self.broken.iter().take(TOLD_MAX) {
            writeln!(f, "  BROKEN {what}")?;
        }
        Ok(())
    }
}
