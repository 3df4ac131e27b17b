//! LIFE-005: disabled identities hold no power.

use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::facts::Identity;
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "LIFE-005",
    area: Area::Lifecycle,
    title: "Disabled identities hold no grant of high power",
    why: "Enabling it again brings every power back without a new approval.",
    remediation: &["Remove its permissions and roles; grant them again when it comes back."],
    source: "CIS Azure Foundations 6.0 §5.3.5 asks it of users; NIST SP 800-53r5 AC-2",
    severity: Severity::Medium,
    parameters: &[],
    act_on_one: "Take the powers from a disabled identity",
    act_on_many: "Take the powers from {} disabled identities",
};

/// Disabled identities hold no power.
pub(crate) struct Life005;

impl Check for Life005 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::GRANTS,
            Identity::is_service_principal,
            |identity| {
                if identity.enabled || identity.tier.level() > 1 {
                    return Vec::new();
                }
                let statement = format!("Disabled, and still holds {}.", identity.tier.reason());
                let evidence = [identity.enabled_evidence(), identity.tier.evidence()].concat();
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
    fn a_disabled_identity_that_can_send_mail_is_found() {
        let mut fixture = Fixture::healthy();
        let disabled = fixture.next();
        fixture.get(BILLING).enabled = vec![open(false, ago(20), disabled)];
        assert_eq!(fixture.findings(&Life005), []);
        let granted = fixture.grant(BILLING, "Mail.Send");
        assert_eq!(
            fixture.only(&Life005).evidence.positions(),
            [disabled, granted]
        );
    }
}
