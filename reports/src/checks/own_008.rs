//! OWN-008: workloads are not owned by workloads.

use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "OWN-008",
    area: Area::Ownership,
    title: "No workload identity owns another",
    why: "Whoever takes over the owner can add credentials to what it owns: one breach becomes two.",
    remediation: &[
        "Remove the ownership, or note why automation needs it.",
        "Grant what automation needs as a role scoped to the object.",
    ],
    source: "BloodHound edge AZOwns; NIST SP 800-53r5 AC-6; OWASP NHI9",
    severity: Severity::Medium,
    parameters: &[],
    act_on_one: "Remove a workload identity as owner of another",
    act_on_many: "Remove {} workload identities as owners of others",
};

/// Workloads are not owned by workloads.
pub(crate) struct Own008;

impl Check for Own008 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        if let Some(gap) = question.owners_gap() {
            return Answer::NotAssessed(gap);
        }
        question.ask(
            &INFO,
            Need::CREDENTIALS,
            |identity| !identity.owners.is_empty(),
            |identity| {
                identity
                    .owners
                    .iter()
                    .filter(|span| span.value.kind == "service_principal")
                    .map(|span| {
                        let statement =
                            format!("Owned by the workload identity {}.", span.value.id);
                        Fault::new(INFO.severity, statement, span.opened.clone())
                            .about(&span.value.id)
                    })
                    .collect()
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BILLING, Fixture};

    #[test]
    fn a_service_principal_as_owner_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.own(BILLING, "service_principal", None, None);
        assert_eq!(fixture.only(&Own008).evidence.positions(), [position]);
    }
}
