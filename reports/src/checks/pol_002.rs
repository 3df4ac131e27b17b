//! POL-002: policies are enforced after their trial.

use ledger::event::policy::AccessPolicy;
use projections::state::Span;

use crate::calendar::{date, days_in_words};
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Parameter, Question, Tally};
use crate::facts::quoted;
use crate::finding::Severity;
use crate::policy::REPORT_ONLY;

/// Days a policy may only report.
const REPORT_ONLY_DAYS_MAX: i64 = 30;

static INFO: CheckInfo = CheckInfo {
    id: "POL-002",
    area: Area::Policy,
    title: "Access policies for workloads are enforced within a month",
    why: "A policy that only reports looks like protection and stops nothing.",
    remediation: &["Read its report, then enforce the policy or delete it."],
    source: "Our threshold; it takes the history of the policy. NIST SP 800-53r5 CM-6",
    severity: Severity::Medium,
    parameters: &[Parameter {
        name: "report_only_days_max",
        value: REPORT_ONLY_DAYS_MAX,
    }],
    act_on_one: "Enforce a policy that has only reported for a month",
    act_on_many: "Enforce {} policies that have only reported for a month",
};

/// Policies are enforced after their trial.
pub(crate) struct Pol002;

/// The first of the unbroken row of report-only versions that ends with the one at `index`.
fn first_reporting(spans: &[Span<AccessPolicy>], index: usize) -> Option<&Span<AccessPolicy>> {
    let (row, _) = spans.split_at_checked(index.saturating_add(1))?;
    row.iter()
        .rev()
        .take_while(|span| span.value.state == REPORT_ONLY)
        .last()
}

impl Check for Pol002 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        if let Some(gap) = question.gap_everywhere(Need::POLICIES) {
            return Answer::NotAssessed(gap);
        }
        let mut tally = Tally::default();
        for (stream, spans) in &question.state.policies {
            let Some(index) = spans.iter().rposition(|span| span.holds_at(question.at)) else {
                continue;
            };
            let Some(now) = spans
                .get(index)
                .filter(|span| span.value.is_for_workloads())
            else {
                continue;
            };
            let mut faults = Vec::new();
            if let Some(first) = first_reporting(spans, index) {
                let days = question.days_since(first.from);
                if days > REPORT_ONLY_DAYS_MAX {
                    let statement = format!(
                        "Policy {} only reports since {}, {}.",
                        quoted(&now.value.display_name),
                        date(first.from),
                        days_in_words(days)
                    );
                    let evidence = [first.opened.clone(), now.opened.clone()].concat();
                    faults.push(Fault::new(INFO.severity, statement, evidence));
                }
            }
            tally.subject(&INFO, stream.as_str(), 1, faults);
        }
        tally.answer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn a_policy_that_only_reports_for_more_than_a_month_is_found() {
        let mut fixture = Fixture::healthy();
        fixture.policy("young", REPORT_ONLY, 30);
        assert_eq!(fixture.findings(&Pol002), []);
        let first = fixture.policy("old", REPORT_ONLY, 60);
        let changed = fixture.policy("old", REPORT_ONLY, 10);
        assert_eq!(fixture.only(&Pol002).evidence.positions(), [first, changed]);
    }
}
