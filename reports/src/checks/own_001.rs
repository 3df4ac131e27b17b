//! OWN-001: somebody answers for every identity.

use projections::state::IdentityClass;

use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "OWN-001",
    area: Area::Ownership,
    title: "Every identity has somebody who answers for it",
    why: "Nobody renews, reviews or retires what belongs to nobody.",
    remediation: &[
        "Find the team from its sign-ins and grants.",
        "Add an owner, or fill in its service management reference; else retire it.",
    ],
    source: "Microsoft Zero Trust Assessment 24518; NIST SP 800-53r5 AC-2; ISO 27001:2022 A.5.9. Exempt: managed identities, which cannot have owners",
    severity: Severity::Medium,
    parameters: &[],
    act_on_one: "Find somebody who answers for an identity",
    act_on_many: "Find somebody who answers for {} identities",
};

/// Somebody answers for every identity.
pub(crate) struct Own001;

impl Check for Own001 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        if let Some(gap) = question.owners_gap() {
            return Answer::NotAssessed(gap);
        }
        let exempt = [IdentityClass::ManagedIdentity, IdentityClass::Agent];
        question.ask(
            &INFO,
            Need::CREDENTIALS,
            |identity| !exempt.contains(&identity.class),
            |identity| {
                let is_referenced = identity.text("serviceManagementReference").is_some()
                    || identity
                        .application_attribute("serviceManagementReference")
                        .is_some();
                if !identity.owners.is_empty() || is_referenced {
                    return Vec::new();
                }
                let severity =
                    identity.severity_by_tier(Severity::Critical, Severity::High, INFO.severity);
                let statement =
                    "Neither a directory owner nor a service management reference is known.";
                let evidence = vec![identity.registered()];
                vec![Fault::new(severity, statement.to_owned(), evidence).graded()]
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Reason;
    use crate::fixture::{BILLING, BILLING_APP, Fixture};

    #[test]
    fn an_identity_without_owner_or_reference_is_found() {
        let mut fixture = Fixture::healthy();
        fixture.get(BILLING).owners.clear();
        let registered = fixture.get(BILLING).registered.position;
        assert_eq!(fixture.only(&Own001).evidence.positions(), [registered]);
        fixture.set(
            BILLING_APP,
            "serviceManagementReference",
            serde_json::json!("CMDB-7"),
        );
        assert_eq!(fixture.findings(&Own001), []);
    }

    #[test]
    fn exports_that_name_no_owner_at_all_say_nothing() {
        let mut fixture = Fixture::healthy();
        for subject in fixture.state.identities.values_mut() {
            subject.owners.clear();
        }
        let Answer::NotAssessed(gap) = fixture.answer(&Own001) else {
            panic!("assessed")
        };
        assert_eq!(gap.reason, Reason::NoSource);
    }
}
