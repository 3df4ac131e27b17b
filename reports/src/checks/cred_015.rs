//! CRED-015: Microsoft's own service principals carry no credentials.

use projections::state::IdentityClass;

use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::facts::quoted;
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "CRED-015",
    area: Area::Credentials,
    title: "Microsoft's own service principals carry no credentials",
    why: "Microsoft needs none here. One that was added signs in with the powers of a trusted app: a known way to stay hidden.",
    remediation: &[
        "Treat it as an incident: find the event that added it and its actor.",
        "Remove the credential and review sign-ins of that service principal since.",
    ],
    source: "Microsoft Zero Trust Assessment 21774; MITRE ATT&CK T1098.001",
    severity: Severity::Critical,
    parameters: &[],
    act_on_one: "Investigate a credential on a Microsoft service principal",
    act_on_many: "Investigate {} credentials on Microsoft service principals",
};

/// Microsoft's own service principals carry no credentials.
pub(crate) struct Cred015;

impl Check for Cred015 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask_all(
            &INFO,
            Need::IDENTITIES,
            |identity| identity.class == IdentityClass::Microsoft,
            |identity| {
                identity
                    .credentials
                    .iter()
                    .filter(|held| held.is_federated() || held.valid_at(question.at))
                    .map(|held| {
                        let statement = format!(
                            "{} was added to {}, an app of Microsoft.",
                            held.words(),
                            quoted(identity.name)
                        );
                        Fault::new(INFO.severity, statement, held.proof(false))
                            .about(&held.credential().key_id)
                            .graded()
                    })
                    .collect()
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, MICROSOFT};

    #[test]
    fn a_secret_on_a_microsoft_service_principal_is_critical() {
        let mut fixture = Fixture::healthy();
        let position = fixture.secret(MICROSOFT, "planted", 20, -90);
        let finding = fixture.only(&Cred015);
        assert_eq!(finding.severity, Severity::Critical);
        assert_eq!(finding.evidence.positions(), [position]);
    }
}
