//! CRED-014: credentials are kept on the application.

use ledger::event::identity::ObjectKind;

use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "CRED-014",
    area: Area::Credentials,
    title: "Credentials are kept on the application, not on its service principal",
    why: "The portal does not show credentials of a service principal, so planted ones stay there.",
    remediation: &[
        "Find out who added it; treat one nobody knows as an incident.",
        "Add a credential to the application, switch the workload, remove the hidden one.",
    ],
    source: "Microsoft Zero Trust Assessment 21896; exempt: SAML single sign-on",
    severity: Severity::Medium,
    parameters: &[],
    act_on_one: "Move a credential from a service principal to its application",
    act_on_many: "Move {} credentials from service principals to their applications",
};

/// Credentials are kept on the application.
pub(crate) struct Cred014;

impl Check for Cred014 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::CREDENTIALS,
            |identity| identity.is_own() && identity.is_service_principal(),
            |identity| {
                identity
                    .valid_credentials()
                    .filter(|held| held.credential().origin == ObjectKind::ServicePrincipal)
                    .map(|held| {
                        let statement =
                            format!("{} sits on the service principal itself.", held.words());
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
    use crate::fixture::{BILLING, Fixture};

    #[test]
    fn a_certificate_on_the_service_principal_is_found_unless_it_serves_saml() {
        let mut fixture = Fixture::healthy();
        let position = fixture.certificate(BILLING, "hidden", 20, -90);
        assert_eq!(fixture.only(&Cred014).evidence.positions(), [position]);
        fixture.set(
            BILLING,
            "preferredSingleSignOnMode",
            serde_json::json!("saml"),
        );
        assert_eq!(fixture.findings(&Cred014), []);
    }
}
