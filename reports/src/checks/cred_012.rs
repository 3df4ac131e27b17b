//! CRED-012: credentials that fell out of use are removed.

use crate::calendar::{date, days_in_words};
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Parameter, Question};
use crate::finding::Severity;

/// Days without use after which a credential is worth knowing. Source: Entra recommendation
/// `staleAppCreds`.
const IDLE_DAYS: i64 = 30;
/// Days without use after which it is to be removed. Twice what CIS AWS 7.0 §2.11 allows (45).
const UNUSED_DAYS: i64 = 90;
/// Days in which the identity must have signed in to be alive.
const ALIVE_DAYS: i64 = 30;

static INFO: CheckInfo = CheckInfo {
    id: "CRED-012",
    area: Area::Credentials,
    title: "Credentials no longer used are removed",
    why: "The identity lives on with another key; the forgotten one still opens it.",
    remediation: &[
        "Confirm by key id that no sign-in used it since.",
        "Remove it.",
    ],
    source: "Entra recommendation staleAppCreds (30 days); CIS AWS Foundations 7.0 §2.11; NIST SP 800-53r5 AC-2(3)",
    severity: Severity::Medium,
    parameters: &[
        Parameter {
            name: "idle_days",
            value: IDLE_DAYS,
        },
        Parameter {
            name: "unused_days",
            value: UNUSED_DAYS,
        },
    ],
    act_on_one: "Remove a credential that fell out of use",
    act_on_many: "Remove {} credentials that fell out of use",
};

/// Credentials that fell out of use are removed.
pub(crate) struct Cred012;

impl Check for Cred012 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::SignIns { days: IDLE_DAYS },
            |identity| {
                identity.last_use.within(ALIVE_DAYS, question.at)
                    && identity.valid_credentials().next().is_some()
            },
            |identity| {
                identity
                    .valid_credentials()
                    .filter_map(|held| {
                        let days = held.last_use.days(question.at)?;
                        let last = held.last_use.time()?;
                        let severity = match days {
                            UNUSED_DAYS.. => INFO.severity,
                            IDLE_DAYS.. => Severity::Info,
                            _ => return None,
                        };
                        let statement = format!(
                            "{} was last used on {}, {} ago.",
                            held.words(),
                            date(last),
                            days_in_words(days)
                        );
                        let fault = Fault::new(severity, statement, held.proof(true));
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
    use crate::fixture::{BILLING, BILLING_APP, Fixture};

    #[test]
    fn a_credential_unused_for_a_quarter_is_found_with_its_last_use() {
        let mut fixture = Fixture::healthy();
        let made = fixture.secret(BILLING_APP, "old", 190, -90);
        let used = fixture.used(BILLING, Some("old"), 94);
        let finding = fixture.only(&Cred012);
        assert_eq!(finding.severity, Severity::Medium);
        assert_eq!(finding.evidence.positions(), [made, used]);
        assert!(finding.statement.contains("94 days ago"));
    }

    #[test]
    fn a_month_is_only_worth_knowing() {
        let mut fixture = Fixture::healthy();
        fixture.secret(BILLING_APP, "old", 190, -90);
        fixture.used(BILLING, Some("old"), 40);
        assert_eq!(fixture.only(&Cred012).severity, Severity::Info);
    }
}
