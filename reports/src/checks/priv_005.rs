//! PRIV-005: directory roles of tier 0 are for people.

use crate::calendar::date;
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::facts::Identity;
use crate::finding::Severity;
use crate::tier::Power;

static INFO: CheckInfo = CheckInfo {
    id: "PRIV-005",
    area: Area::Privilege,
    title: "No workload identity holds a directory role of tier 0",
    why: "A directory role is wide and permanent for a workload, which cannot be asked for a second factor.",
    remediation: &[
        "Replace the role by an application permission or a custom role that names what the workload does.",
        "Where it must stay, limit its scope and let it end.",
    ],
    source: "Microsoft Zero Trust Assessment 21836; BloodHound edge AZHasRole; NIST SP 800-53r5 AC-6(5), AC-2(7)",
    severity: Severity::High,
    parameters: &[],
    act_on_one: "Replace a directory role of tier 0",
    act_on_many: "Replace {} directory roles of tier 0",
};

/// Directory roles of tier 0 are for people.
pub(crate) struct Priv005;

impl Check for Priv005 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::ROLES,
            Identity::is_service_principal,
            |identity| {
                identity
                    .tier
                    .of(Power::Role)
                    .map(|ability| {
                        let since = date(ability.since);
                        let statement =
                            format!("Holds the directory role {} since {since}.", ability.name);
                        Fault::new(INFO.severity, statement, ability.evidence.clone())
                            .about(&ability.key)
                            .graded()
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
    fn an_application_administrator_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.role(BILLING, "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3", "x");
        assert_eq!(fixture.only(&Priv005).evidence.positions(), [position]);
    }
}
