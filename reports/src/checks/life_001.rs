//! LIFE-001: unused identities are retired.

use crate::calendar::{date, days_in_words};
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Parameter, Question};
use crate::facts::{Identity, UNUSED_DAYS};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "LIFE-001",
    area: Area::Lifecycle,
    title: "Identities that nobody uses are retired",
    why: "An identity without a workload keeps its powers, and nobody would notice it signing in.",
    remediation: &[
        "Disable it for 30 days and see whether anything breaks.",
        "Then delete it; it can be restored for 30 more days.",
    ],
    source: "Entra recommendation staleApps (90 days); NIST SP 800-53r5 AC-2(3); OWASP NHI1",
    severity: Severity::Medium,
    parameters: &[Parameter {
        name: "unused_days",
        value: UNUSED_DAYS,
    }],
    act_on_one: "Disable, then delete an unused identity",
    act_on_many: "Disable, then delete {} unused identities",
};

/// Unused identities are retired.
pub(crate) struct Life001;

impl Check for Life001 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::SignIns { days: UNUSED_DAYS },
            Identity::is_service_principal,
            |identity| {
                let (Some(days), Some(last), Some(position)) = (
                    identity.last_use.days(question.at),
                    identity.last_use.time(),
                    identity.last_use.position(),
                ) else {
                    return Vec::new();
                };
                if days < UNUSED_DAYS {
                    return Vec::new();
                }
                let severity =
                    identity.severity_by_tier(Severity::Critical, Severity::High, INFO.severity);
                let statement = format!(
                    "Last signed in on {}, {} ago.",
                    date(last),
                    days_in_words(days)
                );
                let evidence = vec![identity.registered(), position];
                vec![Fault::new(severity, statement, evidence).graded()]
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Reason;
    use crate::fixture::{BACKUP, BILLING, Fixture};

    #[test]
    fn an_identity_unused_for_a_quarter_is_found_with_its_last_sign_in() {
        let mut fixture = Fixture::healthy();
        fixture.last_used(BILLING, UNUSED_DAYS - 1);
        assert_eq!(fixture.findings(&Life001), []);
        let position = fixture.last_used(BILLING, UNUSED_DAYS);
        let finding = fixture.only(&Life001);
        assert_eq!(finding.severity, Severity::Medium);
        assert!(finding.evidence.positions().contains(&position));
    }

    #[test]
    fn an_unused_identity_of_tier_0_is_critical() {
        let mut fixture = Fixture::healthy();
        fixture.last_used(BILLING, 100);
        fixture.grant(BILLING, "Directory.ReadWrite.All");
        assert_eq!(fixture.only(&Life001).severity, Severity::Critical);
    }

    #[test]
    fn managed_identities_are_judged_by_their_own_log_only() {
        let mut fixture = Fixture::healthy();
        fixture.last_used(BACKUP, 100);
        fixture.source_ended("graph/managedIdentitySignIn", 5);
        assert_eq!(fixture.findings(&Life001), []);
        fixture.source_ended("graph/servicePrincipalSignIn", 5);
        let Answer::NotAssessed(gap) = fixture.answer(&Life001) else {
            panic!("assessed")
        };
        assert_eq!(gap.reason, Reason::StaleSource);
    }
}
