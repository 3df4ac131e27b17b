//! CRED-002: credentials are renewed before they expire.

use crate::calendar::{date, days_in_words};
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Parameter, Question};
use crate::finding::Severity;

/// Days before the end from which a credential expires soon. Source: Entra recommendations
/// `applicationCredentialExpiry` and `servicePrincipalKeyExpiry`.
const EXPIRES_SOON_DAYS: i64 = 30;
/// Days in which an identity must have signed in for its last credential's end to mean an outage.
const IN_USE_DAYS: i64 = 30;

static INFO: CheckInfo = CheckInfo {
    id: "CRED-002",
    area: Area::Credentials,
    title: "Credentials are renewed a month before they expire",
    why: "When the only credential of a workload expires, the workload stops.",
    remediation: &[
        "Add a new credential, or move to federation or a managed identity.",
        "Switch the workload and see the new key id in its sign-ins.",
        "Remove the old credential.",
    ],
    source: "Entra recommendations applicationCredentialExpiry, servicePrincipalKeyExpiry (30 days); NIST SP 800-53r5 IA-5",
    severity: Severity::Medium,
    parameters: &[
        Parameter {
            name: "expires_soon_days",
            value: EXPIRES_SOON_DAYS,
        },
        Parameter {
            name: "in_use_days",
            value: IN_USE_DAYS,
        },
    ],
    act_on_one: "Renew a credential that is about to expire",
    act_on_many: "Renew {} credentials that are about to expire",
};

/// Credentials are renewed before they expire.
pub(crate) struct Cred002;

impl Check for Cred002 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::CREDENTIALS,
            |identity| identity.valid_credentials().next().is_some(),
            |identity| {
                let only_one = identity.valid_credentials().nth(1).is_none()
                    && identity.federated().next().is_none();
                let outage = only_one && identity.last_use.within(IN_USE_DAYS, question.at);
                identity
                    .valid_credentials()
                    .filter_map(|held| {
                        let end = held.credential().ends_at?;
                        let days = question.days_until(end);
                        if days > EXPIRES_SOON_DAYS {
                            return None;
                        }
                        let (severity, consequence) = if outage {
                            (Severity::High, "; it is the only one of an identity in use")
                        } else {
                            (INFO.severity, "")
                        };
                        let statement = format!(
                            "{} expires on {}, in {}{consequence}.",
                            held.words(),
                            date(end),
                            days_in_words(days)
                        );
                        let fault = Fault::new(severity, statement, held.proof(outage));
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
    use crate::fixture::{BILLING_APP, Fixture, VENDOR};

    #[test]
    fn a_second_credential_about_to_expire_is_of_medium_severity() {
        let mut fixture = Fixture::healthy();
        let position = fixture.certificate(BILLING_APP, "ending", 100, -20);
        let finding = fixture.only(&Cred002);
        assert_eq!(finding.severity, Severity::Medium);
        assert_eq!(finding.evidence.positions(), [position]);
    }

    #[test]
    fn the_only_credential_of_an_identity_in_use_is_of_high_severity() {
        let mut fixture = Fixture::healthy();
        fixture.certificate(VENDOR, "ending", 100, -20);
        assert_eq!(fixture.only(&Cred002).severity, Severity::High);
    }

    #[test]
    fn the_threshold_itself_is_soon_and_a_day_later_is_not() {
        let mut fixture = Fixture::healthy();
        fixture.certificate(BILLING_APP, "ending", 100, -EXPIRES_SOON_DAYS - 1);
        assert_eq!(fixture.findings(&Cred002), []);
        fixture.certificate(BILLING_APP, "ending-too", 100, -EXPIRES_SOON_DAYS);
        assert_eq!(fixture.only(&Cred002).discriminator, "ending-too");
    }
}
