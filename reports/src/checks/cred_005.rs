//! CRED-005: every credential has a usable end.

use crate::calendar::date;
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Parameter, Question};
use crate::finding::Severity;

/// Validity that amounts to no end at all, in days: ten years.
pub(crate) const ENDLESS_DAYS: i64 = 3_650;

static INFO: CheckInfo = CheckInfo {
    id: "CRED-005",
    area: Area::Credentials,
    title: "Every credential has an end",
    why: "A credential without an end outlives the people and systems that know where it is.",
    remediation: &[
        "Issue a credential with an end and switch the workload to it.",
        "Remove the endless one.",
    ],
    source: "Prowler credential expiry checks; ScubaGear risk score for credentials beyond 1095 days; OWASP NHI7",
    severity: Severity::High,
    parameters: &[Parameter {
        name: "endless_days",
        value: ENDLESS_DAYS,
    }],
    act_on_one: "Replace a credential that never expires",
    act_on_many: "Replace {} credentials that never expire",
};

/// Every credential has a usable end.
pub(crate) struct Cred005;

impl Check for Cred005 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::CREDENTIALS,
            |identity| {
                // Audit records name a key without its times: only a told start makes a missing end a fact.
                identity
                    .valid_credentials()
                    .any(|held| held.credential().starts_at.is_some())
            },
            |identity| {
                identity
                    .valid_credentials()
                    .filter_map(|held| {
                        let start = held.credential().starts_at?;
                        let end = match held.credential().ends_at {
                            None => "without an end".to_owned(),
                            Some(end) if held.issued_days()? > ENDLESS_DAYS => {
                                format!("until {}", date(end))
                            }
                            Some(_) => return None,
                        };
                        let statement =
                            format!("{} was issued on {} {end}.", held.words(), date(start));
                        let fault = Fault::new(INFO.severity, statement, held.proof(false));
                        Some(fault.about(&held.credential().key_id))
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
    fn a_secret_until_the_end_of_the_century_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.secret(BILLING_APP, "endless", 10, -27_000);
        let finding = fixture.only(&Cred005);
        assert_eq!(finding.evidence.positions(), [position]);
    }

    #[test]
    fn an_end_the_source_did_not_tell_is_not_a_missing_end() {
        let mut fixture = Fixture::healthy();
        fixture.secret(BILLING_APP, "from-audit", 10, -10);
        let credential = fixture.get(BILLING_APP).credentials.last_mut().unwrap();
        credential.value.starts_at = None;
        credential.value.ends_at = None;
        assert_eq!(fixture.findings(&Cred005), []);
    }
}
