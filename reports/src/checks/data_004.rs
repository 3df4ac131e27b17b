//! DATA-004: risk is not withheld.

use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "DATA-004",
    area: Area::Evidence,
    title: "Risk levels are told, not hidden",
    why: "A hidden level means that something was detected and cannot be judged without the licence.",
    remediation: &["License Workload ID Premium, or look at the identity's sign-ins yourself."],
    source: "Entra ID Protection: without Workload ID Premium riskLevel is `hidden`",
    severity: Severity::Info,
    parameters: &[],
    act_on_one: "Look into an identity whose risk is hidden",
    act_on_many: "Look into {} identities whose risk is hidden",
};

/// Risk is not withheld.
pub(crate) struct Data004;

impl Check for Data004 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::RISK,
            |identity| identity.risk.is_some(),
            |identity| match identity.risk {
                Some(span) if span.value.level == "hidden" => {
                    let statement = "Something was detected; its risk level is withheld.";
                    let evidence = span.opened.clone();
                    vec![Fault::new(INFO.severity, statement.to_owned(), evidence).graded()]
                }
                _ => Vec::new(),
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BILLING, Fixture};

    #[test]
    fn a_hidden_level_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.risk(BILLING, "hidden", "atRisk", 3);
        assert_eq!(fixture.only(&Data004).evidence.positions(), [position]);
    }
}
