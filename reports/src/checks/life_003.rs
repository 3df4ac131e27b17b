//! LIFE-003: what nobody uses has no power.

use crate::calendar::{date, days_in_words};
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Parameter, Question};
use crate::facts::{Identity, LastUse, UNUSED_DAYS};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "LIFE-003",
    area: Area::Lifecycle,
    title: "Unused identities hold no grant of high power",
    why: "All risk and no use: removing the grant breaks nothing that ran in the last quarter.",
    remediation: &[
        "Remove the grants today; they can be given again.",
        "Disable the identity.",
    ],
    source: "Microsoft Zero Trust Assessment 21770, 21771; NIST SP 800-53r5 AC-6(7)",
    severity: Severity::Critical,
    parameters: &[Parameter {
        name: "unused_days",
        value: UNUSED_DAYS,
    }],
    act_on_one: "Take the powers from an unused identity",
    act_on_many: "Take the powers from {} unused identities",
};

/// What nobody uses has no power.
pub(crate) struct Life003;

impl Check for Life003 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::SignIns { days: UNUSED_DAYS },
            Identity::is_service_principal,
            |identity| {
                if identity.tier.level() > 1 || identity.age_days() < UNUSED_DAYS {
                    return Vec::new();
                }
                let since = match identity.last_use {
                    LastUse::Never => "never signed in".to_owned(),
                    LastUse::At(seen) if question.days_since(seen.at) >= UNUSED_DAYS => format!(
                        "last signed in on {}, {} ago",
                        date(seen.at),
                        days_in_words(question.days_since(seen.at))
                    ),
                    LastUse::At(_) | LastUse::SomeTime(_) | LastUse::Pruned => return Vec::new(),
                };
                let statement = format!(
                    "Holds tier {} by {} and {since}.",
                    identity.tier.level(),
                    identity.tier.reason()
                );
                let mut evidence = identity.tier.evidence();
                evidence.extend(identity.last_use.position());
                vec![Fault::new(INFO.severity, statement, evidence).graded()]
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BILLING, Fixture};

    #[test]
    fn an_unused_identity_that_reads_all_mail_is_found() {
        let mut fixture = Fixture::healthy();
        let used = fixture.last_used(BILLING, 133);
        assert_eq!(fixture.findings(&Life003), []);
        let granted = fixture.grant(BILLING, "Mail.Read");
        let finding = fixture.only(&Life003);
        assert_eq!(finding.evidence.positions(), [used, granted]);
        assert!(
            finding.statement.contains("Mail.Read"),
            "{}",
            finding.statement
        );
    }
}
