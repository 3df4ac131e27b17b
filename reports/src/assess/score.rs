//! Health as one number: the share of assessed weight that does not fail.

use super::Assessment;
use crate::check::Answer;
use crate::finding::Severity;

/// Part of the catalogue's weight, in hundredths, that must be assessed for a score to mean something.
const ASSESSED_PERCENT_MIN: u64 = 80;

/// Weight of a check by its severity. Source: the ratios of the `OpenSSF` Scorecard (10, 7.5, 5, 2.5).
pub(super) fn weight_of(severity: Severity) -> u64 {
    match severity {
        Severity::Critical => 40,
        Severity::High => 30,
        Severity::Medium => 20,
        Severity::Low => 10,
        Severity::Info => 0,
    }
}

/// Weights summed over the catalogue: check weight times weight of subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Weights {
    /// Of all assessed subjects.
    assessed: u64,
    /// Of failing subjects.
    failing: u64,
    /// Of checks that were assessed.
    checks_assessed: u64,
    /// Of checks that were assessed or could not be.
    checks_asked: u64,
}

impl Weights {
    /// Sums the answers. What does not apply counts nowhere.
    pub(super) fn new(assessment: &Assessment<'_>) -> Self {
        let mut weights = Self {
            assessed: 0,
            failing: 0,
            checks_assessed: 0,
            checks_asked: 0,
        };
        for (check, answer) in &assessment.answers {
            let weight = weight_of(check.info().severity);
            match answer {
                Answer::Assessed(tally) => {
                    weights.assessed += weight * tally.weight;
                    weights.failing += weight * tally.failing;
                    weights.checks_assessed += weight;
                    weights.checks_asked += weight;
                }
                Answer::NotAssessed(_) => weights.checks_asked += weight,
                Answer::NotApplicable => {}
            }
        }
        weights
    }

    /// Tenths of a point: `1000 − ⌈1000 · failing / assessed⌉`, so that 100 means nothing fails.
    fn tenths(self) -> u32 {
        if self.assessed == 0 {
            return 0;
        }
        let lost = (1_000 * self.failing).div_ceil(self.assessed);
        u32::try_from(1_000_u64.saturating_sub(lost)).unwrap_or(0)
    }

    /// The score, unless it would mislead: the ledger was not verified, or too little was assessed.
    pub(super) fn score_tenths(self, verified: bool) -> Option<u32> {
        let enough = 100 * self.checks_assessed >= ASSESSED_PERCENT_MIN * self.checks_asked;
        (verified && enough && self.assessed > 0).then(|| self.tenths())
    }

    /// What the score gains when so much failing weight is put right.
    pub(super) fn gain_tenths(self, fixed: u64) -> u32 {
        let after = Self {
            failing: self.failing.saturating_sub(fixed),
            ..self
        };
        after.tenths().saturating_sub(self.tenths())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weights(assessed: u64, failing: u64, checks: (u64, u64)) -> Weights {
        Weights {
            assessed,
            failing,
            checks_assessed: checks.0,
            checks_asked: checks.1,
        }
    }

    #[test]
    fn a_hundred_means_that_nothing_fails() {
        assert_eq!(weights(90_000, 0, (1, 1)).score_tenths(true), Some(1_000));
        assert_eq!(weights(90_000, 1, (1, 1)).score_tenths(true), Some(999));
        assert_eq!(weights(100, 100, (1, 1)).score_tenths(true), Some(0));
    }

    #[test]
    fn no_score_is_given_that_would_mislead() {
        assert_eq!(weights(100, 0, (1, 1)).score_tenths(false), None);
        assert_eq!(weights(100, 0, (79, 100)).score_tenths(true), None);
        assert_eq!(weights(100, 0, (80, 100)).score_tenths(true), Some(1_000));
        assert_eq!(weights(0, 0, (0, 0)).score_tenths(true), None);
    }

    #[test]
    fn the_gains_of_all_failures_make_a_hundred() {
        let all = weights(1_000, 300, (1, 1));
        assert_eq!(all.gain_tenths(300), 300);
        assert_eq!(all.gain_tenths(100), 100);
    }
}
