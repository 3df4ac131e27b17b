//! PRIV-007: managed identities hold no high power.

use crate::check::{Answer, Area, Check, CheckInfo, Question};
use crate::facts::Identity;
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "PRIV-007",
    area: Area::Privilege,
    title: "Managed identities hold no grant of tier 0 or 1",
    why: "Whoever may run code on the resource it is attached to has its power, without any key.",
    remediation: &[
        "Give each job its own managed identity with the narrowest grant.",
        "Limit who may run code on the resource to those who may hold the power.",
    ],
    source: "M365-Assess ENTRA-ENTAPP-008; attack path of managed identity abuse (Azure privileged IAM, MIT); NIST SP 800-53r5 AC-6",
    severity: Severity::High,
    parameters: &[],
    act_on_one: "Narrow the power of a managed identity",
    act_on_many: "Narrow the power of {} managed identities",
};

/// Managed identities hold no high power.
pub(crate) struct Priv007;

impl Check for Priv007 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask_high_tier(&INFO, Identity::is_managed, "A managed identity")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BACKUP, Fixture};

    #[test]
    fn a_managed_identity_that_reads_all_sites_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.grant(BACKUP, "Sites.FullControl.All");
        assert_eq!(fixture.only(&Priv007).evidence.positions(), [position]);
    }
}
