//! LIFE-009: what slept and woke up is explained.

use crate::calendar::{date, days_between, days_in_words};
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Parameter, Question};
use crate::facts::{Identity, UNUSED_DAYS};
use crate::finding::Severity;

/// Days for which a return is worth asking about.
const RECENT_DAYS: i64 = 30;

static INFO: CheckInfo = CheckInfo {
    id: "LIFE-009",
    area: Area::Lifecycle,
    title: "No dormant identity comes back unexplained",
    why: "Attackers look for identities nobody watches; a return after a long silence is their trace.",
    remediation: &[
        "Ask its owner whether the workload was started again.",
        "Else disable it and review what it did since it came back.",
    ],
    source: "Ours, 90 days as in LIFE-001; the platform keeps the last sign-in only, a ledger keeps the silence. NIST SP 800-53r5 AC-2(12)",
    severity: Severity::High,
    parameters: &[
        Parameter {
            name: "silence_days",
            value: UNUSED_DAYS,
        },
        Parameter {
            name: "recent_days",
            value: RECENT_DAYS,
        },
    ],
    act_on_one: "Ask why a dormant identity came back",
    act_on_many: "Ask why {} dormant identities came back",
};

/// What slept and woke up is explained.
pub(crate) struct Life009;

impl Check for Life009 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::SignIns { days: UNUSED_DAYS },
            Identity::is_service_principal,
            |identity| {
                let Some((before, after)) = identity.subject.activity.woke else {
                    return Vec::new();
                };
                let silence = days_between(before.at, after.at);
                let is_recent =
                    after.at <= question.at && question.days_since(after.at) <= RECENT_DAYS;
                if silence < UNUSED_DAYS || !is_recent {
                    return Vec::new();
                }
                let statement = format!(
                    "Signed in on {} after {} of silence since {}.",
                    date(after.at),
                    days_in_words(silence),
                    date(before.at)
                );
                let evidence = vec![before.position, after.position];
                vec![Fault::new(INFO.severity, statement, evidence)]
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use projections::state::Seen;

    use super::*;
    use crate::fixture::{BILLING, Fixture, ago};

    #[test]
    fn a_return_after_a_long_silence_is_found_for_a_month() {
        let mut fixture = Fixture::healthy();
        let before = Seen {
            at: ago(150),
            position: fixture.next(),
        };
        let after = Seen {
            at: ago(5),
            position: fixture.next(),
        };
        fixture.get(BILLING).activity.woke = Some((before, after));
        let finding = fixture.only(&Life009);
        assert_eq!(
            finding.evidence.positions(),
            [before.position, after.position]
        );
        let late = Seen {
            at: ago(31),
            ..after
        };
        fixture.get(BILLING).activity.woke = Some((before, late));
        assert_eq!(fixture.findings(&Life009), []);
    }
}
