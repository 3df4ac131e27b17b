//! LIC-001: what is protected is paid for.

use std::collections::BTreeMap;

use crate::calendar::count_in_words;
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question, Tally};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "LIC-001",
    area: Area::Licence,
    title: "Workload ID licences cover the identities that premium features protect",
    why: "One licence unlocks the features for every identity; compliance is by count and nothing else shows it.",
    remediation: &[
        "Buy the missing licences, or take identities out of the policies that need them.",
    ],
    source: "Microsoft Entra Workload ID FAQ (one licence per protected service principal; managed identities and Microsoft's apps are not counted)",
    severity: Severity::Medium,
    parameters: &[],
    act_on_one: "Cover the demand for Workload ID licences",
    act_on_many: "Cover the demand for Workload ID licences in {} tenants",
};

/// What is protected is paid for.
pub(crate) struct Lic001;

impl Check for Lic001 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        if let Some(gap) = question.gap_everywhere(Need::SUBSCRIPTIONS) {
            return Answer::NotAssessed(gap);
        }
        let mut demand: BTreeMap<&str, (i64, Vec<u64>)> = BTreeMap::new();
        let demands = projections::demand::all(question.state);
        for identity in question.facts.in_scope() {
            let Some(one) = demands.get(identity.stream) else {
                continue;
            };
            let covering: Vec<_> = one
                .covered
                .iter()
                .filter(|span| span.holds_at(question.at))
                .collect();
            if covering.is_empty() {
                continue;
            }
            let (count, evidence) = demand.entry(&identity.subject.tenant).or_default();
            *count = count.saturating_add(1);
            evidence.extend(covering.iter().flat_map(|span| &span.opened));
        }
        let mut tally = Tally::default();
        for tenant in &question.facts.tenants {
            let (entitled, told) = question.workload_id_units(tenant);
            let (count, mut evidence) = demand.remove(tenant).unwrap_or_default();
            let missing = count.saturating_sub(entitled);
            let mut faults = Vec::new();
            if missing > 0 {
                evidence.extend(told);
                let statement = format!(
                    "{} covered by a premium feature, {} owned: {missing} missing.",
                    count_in_words(count, "identity is", "identities are"),
                    count_in_words(entitled, "licence is", "licences are")
                );
                faults.push(Fault::new(INFO.severity, statement, evidence));
            }
            let stream = ledger::event::StreamName::tenant(tenant);
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
    fn fewer_licences_than_identities_under_policies_are_found() {
        let mut fixture = Fixture::healthy();
        fixture.entitle(3);
        assert_eq!(fixture.findings(&Lic001), []);
        let position = fixture.entitle(2);
        let finding = fixture.only(&Lic001);
        assert!(finding.evidence.positions().contains(&position));
        assert!(
            finding.statement.contains("1 missing"),
            "{}",
            finding.statement
        );
    }
}
