//! CRED-008: no secret opens a permanent way to the directory.

use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "CRED-008",
    area: Area::Credentials,
    title: "No identity with a permanent tier-0 grant holds a client secret",
    why: "Whoever reads the secret owns the directory, at any time and without being asked again.",
    remediation: &[
        "Replace the secret by a certificate, federation or a managed identity today.",
        "Narrow the permission, or make the role assignment end.",
    ],
    source: "Maester MT.1027; Prowler entra_service_principal_no_secrets_for_permanent_tier0_roles; ISO 27001:2022 A.8.2",
    severity: Severity::Critical,
    parameters: &[],
    act_on_one: "Take the secret from an identity that can take over the directory",
    act_on_many: "Take {} secrets from identities that can take over the directory",
};

/// No secret opens a permanent way to the directory.
pub(crate) struct Cred008;

impl Check for Cred008 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::GRANTS,
            |identity| !identity.is_managed(),
            |identity| {
                let permanent = identity
                    .tier
                    .abilities
                    .iter()
                    .find(|ability| ability.power.tier() == 0 && ability.permanent);
                let Some(ability) = permanent else {
                    return Vec::new();
                };
                identity
                    .valid_credentials()
                    .filter(|held| held.is_secret())
                    .map(|held| {
                        let statement = format!(
                            "{} opens {}, which is held without an end.",
                            held.words(),
                            ability.name
                        );
                        let evidence = [held.proof(false), ability.evidence.clone()].concat();
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
    use crate::fixture::{BILLING, BILLING_APP, Fixture};

    #[test]
    fn a_secret_on_a_permanent_role_of_tier_0_is_found_with_both_events() {
        let mut fixture = Fixture::healthy();
        let secret = fixture.secret(BILLING_APP, "s", 20, -40);
        assert_eq!(fixture.findings(&Cred008), []);
        let role = fixture.role(
            BILLING,
            "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
            "Application Administrator",
        );
        assert_eq!(fixture.only(&Cred008).evidence.positions(), [secret, role]);
    }
}
