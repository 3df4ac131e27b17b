//! OWN-005: nobody owns a way to the directory.

use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "OWN-005",
    area: Area::Ownership,
    title: "Identities of tier 0 have no directory owner",
    why: "An owner may add a credential and sign in as the identity: ownership is its power without its protection.",
    remediation: &[
        "Remove the directory owner; note who answers for it in its service management reference.",
        "Let administrators work with a role scoped to the object, activated when needed.",
    ],
    source: "Maester MT.1077, MT.1078; Prowler entra_service_principals privileged_role_no_owners; NIST SP 800-53r5 AC-6(5)",
    severity: Severity::Critical,
    parameters: &[],
    act_on_one: "Remove the directory owner of an identity of tier 0",
    act_on_many: "Remove {} directory owners of identities of tier 0",
};

/// Nobody owns a way to the directory.
pub(crate) struct Own005;

impl Check for Own005 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        if let Some(gap) = question.owners_gap() {
            return Answer::NotAssessed(gap);
        }
        question.ask(
            &INFO,
            Need::GRANTS,
            |identity| !identity.is_managed(),
            |identity| {
                if identity.tier.level() > 0 {
                    return Vec::new();
                }
                identity
                    .owners
                    .iter()
                    .map(|span| {
                        let statement = format!(
                            "Owner {} can sign in as it; it holds {}.",
                            span.value.id,
                            identity.tier.reason()
                        );
                        let evidence = [span.opened.clone(), identity.tier.evidence()].concat();
                        Fault::new(INFO.severity, statement, evidence).about(&span.value.id)
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
    fn an_owner_of_an_identity_of_tier_0_is_found_with_grant_and_ownership() {
        let mut fixture = Fixture::healthy();
        let owned = fixture.get(BILLING).owners[0].opened[0];
        let granted = fixture.grant(BILLING, "RoleManagement.ReadWrite.Directory");
        assert_eq!(fixture.only(&Own005).evidence.positions(), [owned, granted]);
    }

    #[test]
    fn an_owner_of_application_and_service_principal_is_one_owner() {
        let mut fixture = Fixture::healthy();
        fixture.grant(BILLING, "RoleManagement.ReadWrite.Directory");
        let owner = fixture.get(BILLING).owners[0].clone();
        let position = fixture.next();
        let again = crate::fixture::open(owner.value, owner.from, position);
        fixture.get(BILLING_APP).owners.push(again);
        assert_eq!(fixture.only(&Own005).evidence.positions().len(), 3);
    }
}
