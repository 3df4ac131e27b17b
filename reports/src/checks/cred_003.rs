//! CRED-003: secrets are issued for half a year at most.

use crate::calendar::{date, days_in_words};
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Parameter, Question};
use crate::checks::cred_005::ENDLESS_DAYS;
use crate::facts::Held;
use crate::finding::Severity;

/// Longest validity of a secret, in days. Source: CISA MS.AAD.5.6v1, CIS Microsoft 365 7.0 §5.1.5.4.
const SECRET_DAYS_MAX: i64 = 180;
/// Validity from which the severity is a step worse, in days. Source: the same, twice over.
const SECRET_DAYS_FAR: i64 = 365;

static INFO: CheckInfo = CheckInfo {
    id: "CRED-003",
    area: Area::Credentials,
    title: "Client secrets are issued for 180 days at most",
    why: "A secret that leaks can be used until it expires; most leaks are found late or never.",
    remediation: &[
        "Issue a new secret for 180 days or less, or move to federation or a managed identity.",
        "Switch the workload, then remove the old secret.",
        "Set an app management policy that restricts the lifetime of secrets.",
    ],
    source: "CISA SCuBA MS.AAD.5.6v1; CIS Microsoft 365 7.0 §5.1.5.4; OWASP NHI7",
    severity: Severity::Medium,
    parameters: &[
        Parameter {
            name: "secret_days_max",
            value: SECRET_DAYS_MAX,
        },
        Parameter {
            name: "secret_days_far",
            value: SECRET_DAYS_FAR,
        },
    ],
    act_on_one: "Reissue a long-lived secret for 180 days",
    act_on_many: "Reissue {} long-lived secrets for 180 days",
};

/// Secrets are issued for half a year at most.
pub(crate) struct Cred003;

impl Check for Cred003 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::CREDENTIALS,
            |identity| identity.valid_credentials().any(Held::is_secret),
            |identity| {
                identity
                    .valid_credentials()
                    .filter(|held| held.is_secret())
                    .filter_map(|held| {
                        let days = held.issued_days()?;
                        if days <= SECRET_DAYS_MAX || days > ENDLESS_DAYS {
                            return None;
                        }
                        let severity = if days > SECRET_DAYS_FAR {
                            Severity::High
                        } else {
                            INFO.severity
                        };
                        let statement = format!(
                            "{} was issued on {} for {}; {SECRET_DAYS_MAX} are allowed.",
                            held.words(),
                            date(held.started_at()),
                            days_in_words(days)
                        );
                        let fault = Fault::new(severity, statement, held.proof(false));
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
    fn severity_follows_the_days_issued() {
        let mut fixture = Fixture::healthy();
        fixture.secret(BILLING_APP, "half-year", 100, -80);
        assert_eq!(fixture.findings(&Cred003), []);
        let position = fixture.secret(BILLING_APP, "year", 100, -265);
        let finding = fixture.only(&Cred003);
        assert_eq!(finding.severity, Severity::Medium);
        assert_eq!(finding.evidence.positions(), [position]);
        fixture.secret(BILLING_APP, "two-years", 100, -630);
        assert!(
            fixture
                .findings(&Cred003)
                .iter()
                .any(|finding| finding.severity == Severity::High)
        );
    }
}
