//! OWN-003: owners are still there.

use crate::check::{Answer, Area, Check, CheckInfo, Question};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "OWN-003",
    area: Area::Ownership,
    title: "Owners can still sign in",
    why: "An owner who left answers for nothing, and an account brought back owns the identity again.",
    remediation: &["Remove the owner and name a successor."],
    source: "NIST SP 800-53r5 AC-2(h), PS-4; SOC 2 CC6.2",
    severity: Severity::Medium,
    parameters: &[],
    act_on_one: "Replace an owner who is gone",
    act_on_many: "Replace {} owners who are gone",
};

/// Owners are still there.
pub(crate) struct Own003;

impl Check for Own003 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask_owners(
            &INFO,
            |owner| owner.enabled.map(|enabled| !enabled),
            |owner| format!("Owner {} is disabled or deleted.", owner.id),
            "No export told accountEnabled of owners; expand owners with it.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BILLING, Fixture};

    #[test]
    fn a_disabled_owner_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.own(BILLING, "user", Some(false), Some(false));
        assert_eq!(fixture.only(&Own003).evidence.positions(), [position]);
    }
}
