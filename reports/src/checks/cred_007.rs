//! CRED-007: identities prove themselves without a shared secret.

use crate::calendar::date;
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "CRED-007",
    area: Area::Credentials,
    title: "Identities sign in without client secrets",
    why: "A secret is copied into configuration and can be read and used by anyone who sees it.",
    remediation: &[
        "Where the workload runs in Azure, use a managed identity.",
        "Where it runs in a pipeline or cluster, use a federated credential.",
        "Else use a certificate whose key does not leave its vault; then remove the secret.",
    ],
    source: "CISA SCuBA MS.AAD.5.5; CIS Microsoft 365 7.0 §5.1.5.3; Microsoft Zero Trust Assessment 21772; OWASP NHI4",
    severity: Severity::Medium,
    parameters: &[],
    act_on_one: "Replace a client secret by federation, a managed identity or a certificate",
    act_on_many: "Replace {} client secrets by federation, managed identities or certificates",
};

/// Identities prove themselves without a shared secret.
pub(crate) struct Cred007;

impl Check for Cred007 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::CREDENTIALS,
            |identity| !identity.is_managed() && !identity.credentials.is_empty(),
            |identity| {
                identity
                    .valid_credentials()
                    .filter(|held| held.is_secret())
                    .map(|held| {
                        let until = held
                            .credential()
                            .ends_at
                            .map_or_else(String::new, |end| format!(" until {}", date(end)));
                        let statement = format!("{} signs in{until}.", held.words());
                        Fault::new(INFO.severity, statement, held.proof(false))
                            .about(&held.credential().key_id)
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
    fn a_valid_secret_is_found_and_an_expired_one_is_not() {
        let mut fixture = Fixture::healthy();
        fixture.secret(BILLING_APP, "expired", 200, 40);
        assert_eq!(fixture.findings(&Cred007), []);
        let position = fixture.secret(BILLING_APP, "valid", 20, -40);
        assert_eq!(fixture.only(&Cred007).evidence.positions(), [position]);
    }
}
