//! FED-006: no secret is left beside federation.

use crate::calendar::date;
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Parameter, Question};
use crate::facts::LastUse;
use crate::finding::Severity;

/// Days in which federation must have signed in and the secret must not.
const MOVED_DAYS: i64 = 30;

static INFO: CheckInfo = CheckInfo {
    id: "FED-006",
    area: Area::Federation,
    title: "Secrets are removed once federation works",
    why: "The move to federation removes the shared secret only when the secret is removed.",
    remediation: &["Remove the secret: sign-ins show that the workload no longer needs it."],
    source: "Our threshold; it takes sign-ins by credential. NIST SP 800-53r5 IA-5; OWASP NHI7",
    severity: Severity::Medium,
    parameters: &[Parameter {
        name: "moved_days",
        value: MOVED_DAYS,
    }],
    act_on_one: "Remove a secret that federation replaced",
    act_on_many: "Remove {} secrets that federation replaced",
};

/// No secret is left beside federation.
pub(crate) struct Fed006;

impl Check for Fed006 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::SignIns { days: MOVED_DAYS },
            |identity| !identity.is_managed() && identity.federated().next().is_some(),
            |identity| {
                let used = identity
                    .federated()
                    .find(|held| held.last_use.within(MOVED_DAYS, question.at));
                let Some(federated) = used else {
                    return Vec::new();
                };
                identity
                    .valid_credentials()
                    .filter(|held| held.is_secret())
                    .filter(|held| question.days_since(held.started_at()) >= MOVED_DAYS)
                    .filter(|held| !held.last_use.within(MOVED_DAYS, question.at))
                    .map(|held| {
                        let last = match (held.last_use, held.last_use.time()) {
                            (_, Some(last)) => format!("was last used on {}", date(last)),
                            (LastUse::Pruned, None) => "was not used since".to_owned(),
                            (_, None) => "was never used".to_owned(),
                        };
                        let statement = format!("{} {last}; federation signs in.", held.words());
                        let evidence = [held.proof(true), federated.proof(true)].concat();
                        Fault::new(INFO.severity, statement, evidence)
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
    use crate::fixture::{DEPLOYER_APP, Fixture};

    #[test]
    fn an_idle_secret_beside_federation_in_use_is_found() {
        let mut fixture = Fixture::healthy();
        let secret = fixture.secret(DEPLOYER_APP, "left", 100, -70);
        let finding = fixture.only(&Fed006);
        assert!(finding.evidence.positions().contains(&secret));
        assert_eq!(finding.evidence.positions().len(), 3);
    }
}
