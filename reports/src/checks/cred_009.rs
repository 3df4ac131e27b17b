//! CRED-009: an identity has as many credentials as rotation needs.

use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Parameter, Question};
use crate::finding::Severity;

/// Valid credentials that rotation needs: the old and the new one.
const VALID_MAX: usize = 2;

static INFO: CheckInfo = CheckInfo {
    id: "CRED-009",
    area: Area::Credentials,
    title: "Identities hold two valid credentials at most",
    why: "Rotation needs two; every further one is another key to lose and a place to hide.",
    remediation: &[
        "Find out by key id which credentials sign in.",
        "Remove the others.",
    ],
    source: "Two is what rotation needs and what AWS allows per user; ScubaGear risk score for credential volume",
    severity: Severity::Medium,
    parameters: &[Parameter {
        name: "valid_credentials_max",
        value: 2,
    }],
    act_on_one: "Cut the valid credentials of an identity to two",
    act_on_many: "Cut the valid credentials of {} identities to two",
};

/// An identity has as many credentials as rotation needs.
pub(crate) struct Cred009;

impl Check for Cred009 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::CREDENTIALS,
            |identity| identity.valid_credentials().next().is_some(),
            |identity| {
                let count = identity.valid_credentials().count();
                if count <= VALID_MAX {
                    return Vec::new();
                }
                let evidence = identity
                    .valid_credentials()
                    .flat_map(|held| held.proof(false));
                let statement = format!("{count} secrets and certificates are valid at once.");
                vec![Fault::new(INFO.severity, statement, evidence.collect())]
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BILLING, BILLING_APP, Fixture};

    #[test]
    fn a_third_valid_credential_is_found_whoever_carries_it() {
        let mut fixture = Fixture::healthy();
        fixture.certificate(BILLING_APP, "second", 20, -90);
        assert_eq!(fixture.findings(&Cred009), []);
        fixture.certificate(BILLING, "third", 20, -90);
        let finding = fixture.only(&Cred009);
        assert_eq!(finding.evidence.positions().len(), 3);
    }
}
