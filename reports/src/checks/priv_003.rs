//! PRIV-003: no workload reaches everyone's content.

use crate::check::{Answer, Area, Check, CheckInfo, Question};
use crate::finding::Severity;
use crate::tier::Power;

static INFO: CheckInfo = CheckInfo {
    id: "PRIV-003",
    area: Area::Privilege,
    title: "No workload identity reaches content of the whole tenant",
    why: "One key reads or destroys the mail, files or chats of everyone.",
    remediation: &[
        "For sites use `Sites.Selected`; for mail, application access limited to named mailboxes.",
        "Revoke the tenant-wide permission once the narrow one works.",
    ],
    source: "ScubaGear risky application permissions (CC0); MITRE ATT&CK T1114.002, T1530; NIST SP 800-53r5 AC-3",
    severity: Severity::High,
    parameters: &[],
    act_on_one: "Narrow a permission that reaches everyone's content",
    act_on_many: "Narrow {} permissions that reach everyone's content",
};

/// No workload reaches everyone's content.
pub(crate) struct Priv003;

impl Check for Priv003 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask_powers(
            &INFO,
            Power::Content,
            |ability, since| {
                format!(
                    "Holds {}, which reaches content of the whole tenant, since {since}.",
                    ability.name
                )
            },
            std::convert::identity,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BILLING, Fixture};

    #[test]
    fn a_permission_to_read_all_mail_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.grant(BILLING, "Mail.Read");
        assert_eq!(fixture.only(&Priv003).evidence.positions(), [position]);
    }
}
