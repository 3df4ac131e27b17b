//! PRIV-006: other organisations hold no high power here.

use projections::state::IdentityClass;

use crate::check::{Answer, Area, Check, CheckInfo, Question};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "PRIV-006",
    area: Area::Privilege,
    title: "Apps of other organisations hold no grant of tier 0 or 1",
    why: "Its keys are with the other organisation: a breach there is a breach here, and nothing here can rotate them.",
    remediation: &[
        "Ask the vendor for a version with narrower permissions.",
        "Revoke the grant, or accept it with an end and watch its sign-ins.",
    ],
    source: "M365-Assess ENTRA-ENTAPP-003; ScubaGear issue 1964; MITRE ATT&CK T1199; NIST SP 800-53r5 AC-20",
    severity: Severity::Critical,
    parameters: &[],
    act_on_one: "Narrow the power of another organisation's app",
    act_on_many: "Narrow the power of {} apps of other organisations",
};

/// Other organisations hold no high power here.
pub(crate) struct Priv006;

impl Check for Priv006 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask_high_tier(
            &INFO,
            |identity| identity.class == IdentityClass::ThirdParty,
            "Another organisation's app",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, VENDOR};

    #[test]
    fn a_vendor_that_reads_all_files_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.grant(VENDOR, "Files.Read.All");
        assert_eq!(fixture.only(&Priv006).evidence.positions(), [position]);
    }
}
