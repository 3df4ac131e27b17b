//! POL-001: workloads may sign in from known places only.

use ledger::event::policy::AccessPolicy;
use projections::state::{IdentityClass, Span};

use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::finding::Severity;
use crate::policy::{ENABLED, is_assigned};

static INFO: CheckInfo = CheckInfo {
    id: "POL-001",
    area: Area::Policy,
    title: "Own workloads with a credential are under an enforced access policy",
    why: "Without a policy a stolen key works from anywhere.",
    remediation: &[
        "Block sign-in from outside of named locations, first in report-only state.",
        "Enforce the policy once its report shows no surprise.",
    ],
    source: "Microsoft Zero Trust Assessment 21884; NIST SP 800-53r5 AC-2(11), AC-3. Needs Workload ID Premium",
    severity: Severity::Medium,
    parameters: &[],
    act_on_one: "Put a workload under an enforced access policy",
    act_on_many: "Put {} workloads under an enforced access policy",
};

/// Workloads may sign in from known places only.
pub(crate) struct Pol001;

impl Check for Pol001 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        if let Some(gap) = question.licence_gap() {
            return Answer::NotAssessed(gap);
        }
        let policies: Vec<(&str, &Span<AccessPolicy>)> = question
            .policies()
            .into_iter()
            .filter(|(_, span)| span.value.state == ENABLED && span.value.is_for_workloads())
            .collect();
        question.ask(
            &INFO,
            Need::POLICIES,
            |identity| {
                identity.class == IdentityClass::SingleTenant
                    && identity.is_service_principal()
                    && identity.enabled
                    && (identity.valid_credentials().next().is_some()
                        || identity.federated().next().is_some())
            },
            |identity| {
                let tenant = identity.subject.tenant.as_str();
                let covered = policies
                    .iter()
                    .any(|(of, span)| *of == tenant && is_assigned(&span.value, identity));
                if covered {
                    return Vec::new();
                }
                let severity =
                    identity.severity_by_tier(Severity::High, Severity::High, INFO.severity);
                let held = identity.valid_credentials().chain(identity.federated());
                let mut evidence: Vec<u64> = held.flat_map(|held| held.proof(false)).collect();
                evidence.push(identity.registered());
                let statement = "No enforced access policy for workloads names it.";
                vec![Fault::new(severity, statement.to_owned(), evidence).graded()]
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Reason;
    use crate::fixture::{BILLING, Fixture, TENANT};

    #[test]
    fn an_excluded_workload_is_found() {
        let mut fixture = Fixture::healthy();
        let stream = ledger::event::StreamName::policy(TENANT, "policy-1");
        let spans = fixture.state.policies.get_mut(&stream).unwrap();
        let policy = &mut spans.last_mut().unwrap().value;
        policy.exclude_service_principals.push(BILLING.to_owned());
        assert_eq!(fixture.only(&Pol001).severity, Severity::Medium);
    }

    #[test]
    fn without_the_licence_nothing_is_said() {
        let mut fixture = Fixture::healthy();
        fixture.state.entitlements.clear();
        let Answer::NotAssessed(gap) = fixture.answer(&Pol001) else {
            panic!("assessed")
        };
        assert_eq!(gap.reason, Reason::NoLicence);
    }
}
