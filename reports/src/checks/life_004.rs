//! LIFE-004: disabled identities hold no credentials.

use crate::calendar::count_in_words;
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "LIFE-004",
    area: Area::Lifecycle,
    title: "Disabled identities hold no valid credentials",
    why: "Enabling it again is one click, and every old key works at once.",
    remediation: &["Remove the credentials; whoever enables the identity again makes new ones."],
    source: "Microsoft Zero Trust Assessment 61014 asks it of agents; NIST SP 800-53r5 AC-2(3)",
    severity: Severity::Medium,
    parameters: &[],
    act_on_one: "Remove the credentials of a disabled identity",
    act_on_many: "Remove the credentials of {} disabled identities",
};

/// Disabled identities hold no credentials.
pub(crate) struct Life004;

impl Check for Life004 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::IDENTITIES,
            |identity| identity.is_service_principal() && !identity.is_managed(),
            |identity| {
                if identity.enabled {
                    return Vec::new();
                }
                let held: Vec<_> = identity
                    .valid_credentials()
                    .chain(identity.federated())
                    .collect();
                if held.is_empty() {
                    return Vec::new();
                }
                let count = i64::try_from(held.len()).unwrap_or(i64::MAX);
                let statement = format!(
                    "Disabled, with {}.",
                    count_in_words(count, "credential in force", "credentials in force")
                );
                let mut evidence = identity.enabled_evidence();
                evidence.extend(held.iter().flat_map(|held| held.proof(false)));
                vec![Fault::new(INFO.severity, statement, evidence)]
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BILLING, Fixture, ago, open};

    #[test]
    fn a_disabled_identity_with_a_certificate_is_found_with_both_events() {
        let mut fixture = Fixture::healthy();
        let position = fixture.next();
        fixture.get(BILLING).enabled = vec![open(false, ago(20), position)];
        let finding = fixture.only(&Life004);
        assert!(finding.evidence.positions().contains(&position));
        assert_eq!(finding.evidence.positions().len(), 2);
    }
}
