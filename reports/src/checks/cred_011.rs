//! CRED-011: credentials that were made are used.

use crate::calendar::{date, days_in_words};
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Parameter, Question};
use crate::facts::LastUse;
use crate::finding::Severity;

/// Days after which a credential that never signed in is not needed. Source: Entra recommendation
/// `staleAppCreds`.
const NEVER_USED_DAYS: i64 = 30;

static INFO: CheckInfo = CheckInfo {
    id: "CRED-011",
    area: Area::Credentials,
    title: "Credentials are used within a month of being made",
    why: "A key that no workload uses protects nothing and opens the identity to whoever finds it.",
    remediation: &[
        "Ask whoever made it what it was for.",
        "Remove it when no workload needs it.",
    ],
    source: "Entra recommendation staleAppCreds (30 days); NIST SP 800-53r5 AC-2(3)",
    severity: Severity::Medium,
    parameters: &[Parameter {
        name: "never_used_days",
        value: NEVER_USED_DAYS,
    }],
    act_on_one: "Remove a credential that was never used",
    act_on_many: "Remove {} credentials that were never used",
};

/// Credentials that were made are used.
pub(crate) struct Cred011;

impl Check for Cred011 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::SignIns {
                days: NEVER_USED_DAYS,
            },
            |identity| {
                identity.is_service_principal() && identity.valid_credentials().next().is_some()
            },
            |identity| {
                identity
                    .valid_credentials()
                    .filter(|held| held.last_use == LastUse::Never)
                    .filter_map(|held| {
                        let age = question.days_since(held.started_at().max(held.span.from));
                        if age < NEVER_USED_DAYS {
                            return None;
                        }
                        let statement = format!(
                            "{} exists since {}, {}, and no known sign-in used it.",
                            held.words(),
                            date(held.started_at().max(held.span.from)),
                            days_in_words(age)
                        );
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
    use crate::check::Reason;
    use crate::fixture::{BILLING_APP, Fixture};

    #[test]
    fn a_credential_that_never_signed_in_is_found_after_a_month() {
        let mut fixture = Fixture::healthy();
        fixture.secret(BILLING_APP, "young", 29, -90);
        assert_eq!(fixture.findings(&Cred011), []);
        let position = fixture.secret(BILLING_APP, "idle", 30, -90);
        assert_eq!(fixture.only(&Cred011).evidence.positions(), [position]);
    }

    #[test]
    fn without_sign_ins_of_the_last_day_nothing_is_said() {
        let mut fixture = Fixture::healthy();
        fixture.secret(BILLING_APP, "idle", 60, -90);
        fixture.source_ended("graph/servicePrincipalSignIn", 3);
        let Answer::NotAssessed(gap) = fixture.answer(&Cred011) else {
            panic!("assessed")
        };
        assert_eq!(gap.reason, Reason::StaleSource);
    }
}
