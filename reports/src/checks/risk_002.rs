//! RISK-002: what is compromised cannot sign in.

use crate::calendar::date;
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "RISK-002",
    area: Area::Risk,
    title: "Identities confirmed as compromised can no longer sign in",
    why: "The compromise is known and the door is open.",
    remediation: &[
        "Disable the identity.",
        "Revoke every credential on the application and on the service principal.",
        "Rotate what it could read, then dismiss the risk.",
    ],
    source: "Entra ID Protection state confirmedCompromised; NIST SP 800-53r5 IR-4",
    severity: Severity::Critical,
    parameters: &[],
    act_on_one: "Disable a compromised identity and revoke its credentials",
    act_on_many: "Disable {} compromised identities and revoke their credentials",
};

/// What is compromised cannot sign in.
pub(crate) struct Risk002;

impl Check for Risk002 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::RISK,
            |identity| identity.is_service_principal() && !identity.is_managed(),
            |identity| {
                let confirmed = identity
                    .risk
                    .filter(|span| span.value.state == "confirmedCompromised");
                let Some(span) = confirmed else {
                    return Vec::new();
                };
                let credentials: Vec<u64> = identity
                    .valid_credentials()
                    .chain(identity.federated())
                    .flat_map(|held| held.proof(false))
                    .collect();
                let how = match (identity.enabled, credentials.is_empty()) {
                    (true, _) => "it may still sign in",
                    (false, false) => "it is disabled, but its credentials are in force",
                    (false, true) => return Vec::new(),
                };
                let statement = format!("Confirmed as compromised on {}; {how}.", date(span.from));
                let evidence = [span.opened.clone(), credentials].concat();
                vec![Fault::new(INFO.severity, statement, evidence).graded()]
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, VENDOR};

    #[test]
    fn a_compromised_identity_that_is_enabled_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.risk(VENDOR, "high", "confirmedCompromised", 1);
        assert_eq!(fixture.only(&Risk002).evidence.positions(), [position]);
    }
}
