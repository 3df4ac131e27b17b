//! PRIV-002: no workload takes over the directory in two steps.

use crate::check::{Answer, Area, Check, CheckInfo, Fault, Question};
use crate::finding::Severity;
use crate::tier::Power;

static INFO: CheckInfo = CheckInfo {
    id: "PRIV-002",
    area: Area::Privilege,
    title: "No workload identity holds a permission that leads to the directory in two steps",
    why: "The permission lets its holder give itself, or a stronger identity's key, what it lacks.",
    remediation: &[
        "Replace the permission by a narrower one; for its own applications `Application.ReadWrite.OwnedBy`.",
        "If it cannot be replaced, guard its credential like an administrator's.",
    ],
    source: "Maester MT.1051; attack paths of the Azure privileged IAM classification (MIT); NIST SP 800-53r5 AC-6",
    severity: Severity::High,
    parameters: &[],
    act_on_one: "Narrow a permission that leads to the directory",
    act_on_many: "Narrow {} permissions that lead to the directory",
};

/// No workload takes over the directory in two steps.
pub(crate) struct Priv002;

impl Check for Priv002 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask_powers(
            &INFO,
            Power::Indirect,
            |ability, since| {
                format!(
                    "Holds {}, which leads to the directory in two steps, since {since}.",
                    ability.name
                )
            },
            Fault::graded,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BILLING, Fixture};

    #[test]
    fn a_permission_to_grant_permissions_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.grant(BILLING, "AppRoleAssignment.ReadWrite.All");
        assert_eq!(fixture.only(&Priv002).evidence.positions(), [position]);
    }
}
