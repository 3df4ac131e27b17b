//! What to do first: the findings of one check are one act.

use std::collections::BTreeSet;

use super::Assessment;
use super::score::{Weights, weight_of};
use crate::calendar::count_in_words;
use crate::check::{Answer, CheckInfo, Tally};
use crate::facts::{Facts, shown};
use crate::finding::Severity;
use crate::health::Action;

/// Most acts worth listing as first.
const ACTIONS_MAX: usize = 10;
/// Most names in a line of fact.
const NAMES_MAX: usize = 3;

/// Acts, the one that gains most first.
pub(super) fn actions(assessment: &Assessment<'_>) -> Vec<Action> {
    let weights = Weights::new(assessment);
    let mut ranked: Vec<(u64, Action)> = Vec::new();
    for (check, answer) in &assessment.answers {
        let Answer::Assessed(tally) = answer else {
            continue;
        };
        let info = check.info();
        let fixed = weight_of(info.severity).saturating_mul(tally.failing);
        let Some(severity) = tally.findings.iter().map(|finding| finding.severity).max() else {
            continue;
        };
        if severity > Severity::Info {
            let gain_tenths = weights.gain_tenths(fixed);
            ranked.push((
                fixed,
                action(info, tally, severity, &assessment.facts, gain_tenths),
            ));
        }
    }
    ranked.sort_by(|(a_fixed, a), (b_fixed, b)| {
        (b_fixed, b.severity, &a.check).cmp(&(a_fixed, a.severity, &b.check))
    });
    ranked.truncate(ACTIONS_MAX);
    ranked.into_iter().map(|(_, action)| action).collect()
}

fn action(
    info: &CheckInfo,
    tally: &Tally,
    severity: Severity,
    facts: &Facts<'_>,
    gain_tenths: u32,
) -> Action {
    let subjects: BTreeSet<&str> = tally
        .findings
        .iter()
        .map(|finding| finding.subject.as_str())
        .collect();
    let positions: BTreeSet<u64> = tally
        .findings
        .iter()
        .flat_map(|finding| finding.evidence.positions())
        .copied()
        .collect();
    let title = match tally.findings.len() {
        1 => info.act_on_one.to_owned(),
        many => info.act_on_many.replace("{}", &many.to_string()),
    };
    Action {
        title,
        check: info.id.to_owned(),
        severity,
        detail: detail(tally, severity, &subjects, facts),
        subjects: subjects.into_iter().map(str::to_owned).collect(),
        gain_tenths,
        evidence: positions.into_iter().collect(),
    }
}

/// Whom it is about, and the worst of the facts.
fn detail(
    tally: &Tally,
    severity: Severity,
    subjects: &BTreeSet<&str>,
    facts: &Facts<'_>,
) -> String {
    let names: Vec<String> = subjects
        .iter()
        .take(NAMES_MAX)
        .map(|stream| match facts.identity(stream) {
            Some(identity) => shown(identity.name),
            None => shown(stream),
        })
        .collect();
    let more = subjects.len().saturating_sub(names.len());
    let mut whom = names.join(", ");
    if more > 0 {
        let more = i64::try_from(more).unwrap_or(i64::MAX);
        whom = format!("{whom} and {}", count_in_words(more, "other", "others"));
    }
    let worst = tally
        .findings
        .iter()
        .find(|finding| finding.severity == severity);
    let statement = worst.map_or("", |finding| finding.statement.as_str());
    format!("{whom}: {statement}")
}
