//! PRIV-001: no workload takes over the directory in one step.

use crate::check::{Answer, Area, Check, CheckInfo, Question};
use crate::finding::Severity;
use crate::tier::Power;

static INFO: CheckInfo = CheckInfo {
    id: "PRIV-001",
    area: Area::Privilege,
    title: "No workload identity holds a permission that takes over the directory directly",
    why: "The permission makes its holder, and whoever holds its key, administrator of everything.",
    remediation: &[
        "Replace the permission by a narrower one, or by a custom role.",
        "If it cannot be replaced, isolate the workload and guard its credential like an administrator's.",
    ],
    source: "Maester MT.1050; ScubaGear risky application permissions; MITRE ATT&CK T1098.003; NIST SP 800-53r5 AC-6(5)",
    severity: Severity::Critical,
    parameters: &[],
    act_on_one: "Narrow a permission that takes over the directory",
    act_on_many: "Narrow {} permissions that take over the directory",
};

/// No workload takes over the directory in one step.
pub(crate) struct Priv001;

impl Check for Priv001 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask_powers(
            &INFO,
            Power::Direct,
            |ability, since| {
                format!(
                    "Holds {}, which takes over the directory directly, since {since}.",
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
    fn a_permission_to_assign_roles_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.grant(BILLING, "RoleManagement.ReadWrite.Directory");
        assert_eq!(fixture.only(&Priv001).evidence.positions(), [position]);
    }
}
