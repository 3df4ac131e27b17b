//! OWN-004: owners belong to the organisation.

use crate::check::{Answer, Area, Check, CheckInfo, Question};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "OWN-004",
    area: Area::Ownership,
    title: "Owners are members, not guests",
    why: "An owner may add credentials; a guest's account is protected by another organisation.",
    remediation: &["Name a member as owner and remove the guest."],
    source: "Microsoft Zero Trust Assessment 21868; NIST SP 800-53r5 AC-20",
    severity: Severity::Medium,
    parameters: &[],
    act_on_one: "Replace an owner who is a guest",
    act_on_many: "Replace {} owners who are guests",
};

/// Owners belong to the organisation.
pub(crate) struct Own004;

impl Check for Own004 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask_owners(
            &INFO,
            |owner| owner.guest,
            |owner| format!("Owner {} is a guest.", owner.id),
            "No export told userType of owners; expand owners with it.",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BILLING, Fixture};

    #[test]
    fn a_guest_owner_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.own(BILLING, "user", Some(true), Some(true));
        assert_eq!(fixture.only(&Own004).evidence.positions(), [position]);
    }
}
