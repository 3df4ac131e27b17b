//! CRED-001: expired credentials are removed.

use crate::calendar::{date, days_in_words};
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "CRED-001",
    area: Area::Credentials,
    title: "Expired credentials are removed",
    why: "Credentials nobody removes hide planted ones and make rotation hard to follow.",
    remediation: &[
        "Confirm by key id that no sign-in used the credential since it expired.",
        "Remove it from the application or service principal that carries it.",
    ],
    source: "Prowler entra_app_registration_credential_not_expired (0 days); NIST SP 800-53r5 IA-5",
    severity: Severity::Low,
    parameters: &[],
    act_on_one: "Remove an expired credential",
    act_on_many: "Remove {} expired credentials",
};

/// Expired credentials are removed.
pub(crate) struct Cred001;

impl Check for Cred001 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::CREDENTIALS,
            |identity| identity.kept_credentials().next().is_some(),
            |identity| {
                identity
                    .kept_credentials()
                    .filter_map(|held| {
                        let end = held
                            .credential()
                            .ends_at
                            .filter(|end| *end <= question.at)?;
                        let statement = format!(
                            "{} expired on {}, {} ago, and is still present.",
                            held.words(),
                            date(end),
                            days_in_words(question.days_since(end))
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
    use crate::fixture::{BILLING_APP, Fixture};

    #[test]
    fn an_expired_secret_still_present_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.secret(BILLING_APP, "old-secret", 200, 40);
        let finding = fixture.only(&Cred001);
        assert_eq!(finding.evidence.positions(), [position]);
        assert_eq!(finding.discriminator, "old-secret");
        assert!(
            finding.statement.contains("2026-10-15, 40 days ago"),
            "{}",
            finding.statement
        );
    }
}
