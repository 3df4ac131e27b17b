//! EXT-003: other organisations' apps with power come from verified publishers.

use projections::state::IdentityClass;

use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "EXT-003",
    area: Area::ThirdParty,
    title: "Powerful apps of other organisations have a verified publisher",
    why: "Nobody has checked who is behind the app that reads or changes what matters.",
    remediation: &[
        "Find out who consented and whose app it is.",
        "Remove it, or ask the publisher to be verified.",
    ],
    source: "Ours; Prowler entra_policy_user_consent_for_verified_apps asks it of the policy. NIST SP 800-53r5 SR-3; SOC 2 CC9.2",
    severity: Severity::High,
    parameters: &[],
    act_on_one: "Review a powerful app of an unverified publisher",
    act_on_many: "Review {} powerful apps of unverified publishers",
};

/// Other organisations' apps with power come from verified publishers.
pub(crate) struct Ext003;

impl Check for Ext003 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        // Only a snapshot of service principals says whether the publisher is verified.
        question.ask(
            &INFO,
            Need::AnyOf(&["graph/servicePrincipal"]),
            |identity| identity.class == IdentityClass::ThirdParty,
            |identity| {
                let verified = identity.text("verifiedPublisherId").is_some();
                if verified || identity.tier.level() > 1 {
                    return Vec::new();
                }
                let statement = format!(
                    "Its publisher is not verified, and it holds {}.",
                    identity.tier.reason()
                );
                let evidence = [vec![identity.registered()], identity.tier.evidence()].concat();
                vec![Fault::new(INFO.severity, statement, evidence)]
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, VENDOR};

    #[test]
    fn an_unverified_vendor_with_power_is_found() {
        let mut fixture = Fixture::healthy();
        fixture.get(VENDOR).attributes.remove("verifiedPublisherId");
        assert_eq!(fixture.findings(&Ext003), []);
        let position = fixture.delegate(VENDOR, &["Mail.ReadWrite"]);
        assert!(
            fixture
                .only(&Ext003)
                .evidence
                .positions()
                .contains(&position)
        );
    }
}
