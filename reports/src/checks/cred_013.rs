//! CRED-013: a rotation that began is finished.

use crate::calendar::date;
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Parameter, Question};
use crate::facts::{Held, Identity};
use crate::finding::Severity;

/// Days a rotation may take from the new credential to the last use of the old one.
const ROTATION_DAYS_MAX: i64 = 7;

static INFO: CheckInfo = CheckInfo {
    id: "CRED-013",
    area: Area::Credentials,
    title: "Workloads use the newest credential within a week",
    why: "A half-finished rotation ends as an outage on the day the old credential expires.",
    remediation: &[
        "Switch the workload to the newest credential.",
        "See the new key id in its sign-ins, then remove the old one.",
    ],
    source: "Our threshold; no other catalogue asks, since it takes sign-ins by key id over time. NIST SP 800-53r5 IA-5",
    severity: Severity::Medium,
    parameters: &[Parameter {
        name: "rotation_days_max",
        value: ROTATION_DAYS_MAX,
    }],
    act_on_one: "Finish a rotation: switch to the newest credential",
    act_on_many: "Finish {} rotations: switch to the newest credentials",
};

/// A rotation that began is finished.
pub(crate) struct Cred013;

/// A credential of the same kind on the same object that replaced this one long enough ago.
fn successor<'f, 'a>(
    identity: &'f Identity<'a>,
    old: &Held<'a>,
    question: &Question<'_>,
) -> Option<&'f Held<'a>> {
    identity.valid_credentials().find(|new| {
        new.kind() == old.kind()
            && new.credential().origin == old.credential().origin
            && new.span.from > old.span.from
            && new.started_at() > old.started_at()
            && question.days_since(new.started_at().max(new.span.from)) >= ROTATION_DAYS_MAX
    })
}

impl Check for Cred013 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::SignIns {
                days: ROTATION_DAYS_MAX,
            },
            |identity| identity.valid_credentials().next().is_some(),
            |identity| {
                identity
                    .valid_credentials()
                    .filter(|old| old.last_use.within(ROTATION_DAYS_MAX, question.at))
                    .filter_map(|old| {
                        let new = successor(identity, old, question)?;
                        let last = old.last_use.time()?;
                        let statement = format!(
                            "{} was used on {}, though {} replaces it since {}.",
                            old.words(),
                            date(last),
                            new.words(),
                            date(new.started_at())
                        );
                        let evidence = [old.proof(true), new.proof(false)].concat();
                        let fault = Fault::new(INFO.severity, statement, evidence);
                        Some(fault.about(&old.credential().key_id))
                    })
                    .collect()
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BILLING_APP, Fixture};

    #[test]
    fn an_old_key_used_a_week_after_its_successor_came_is_found() {
        let mut fixture = Fixture::healthy();
        fixture.certificate(BILLING_APP, "new", 6, -200);
        assert_eq!(fixture.findings(&Cred013), []);
        fixture.certificate(BILLING_APP, "newer", 8, -200);
        let finding = fixture.only(&Cred013);
        assert_eq!(finding.discriminator, "cert-billing");
        assert_eq!(finding.evidence.positions().len(), 3);
    }
}
