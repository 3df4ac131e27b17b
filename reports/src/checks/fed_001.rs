//! FED-001: trust in another issuer names one workload.

use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "FED-001",
    area: Area::Federation,
    title: "Federated credentials trust one branch, environment or service account",
    why: "A broad subject lets any branch, pull request or pod of the other side sign in as this identity.",
    remediation: &[
        "Name the environment or the branch in the subject; for clusters, the service account.",
        "Remove the broad credential once the narrow one signs in.",
    ],
    source: "OWASP NHI6; subject formats of GitHub Actions and Kubernetes tokens; NIST SP 800-53r5 IA-9",
    severity: Severity::High,
    parameters: &[],
    act_on_one: "Narrow a federated credential to one workload",
    act_on_many: "Narrow {} federated credentials to one workload each",
};

/// Trust in another issuer names one workload.
pub(crate) struct Fed001;

/// What makes a trusted subject broad, if anything.
fn breadth(issuer: &str, subject: &str) -> Option<&'static str> {
    if subject.contains('*') {
        return Some("it holds a wildcard");
    }
    if subject.ends_with(":pull_request") {
        return Some("every pull request matches");
    }
    let names_a_workload = [":ref:", ":environment:", "job_workflow_ref:"]
        .iter()
        .any(|part| subject.contains(part));
    let is_actions = issuer.contains("token.actions.githubusercontent.com");
    (is_actions && subject.starts_with("repo:") && !names_a_workload)
        .then_some("it names neither branch nor environment")
}

impl Check for Fed001 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::CREDENTIALS,
            |identity| identity.federated().next().is_some(),
            |identity| {
                identity
                    .federated()
                    .filter_map(|held| {
                        let credential = held.credential();
                        let subject = credential.subject.as_deref()?;
                        let issuer = credential.issuer.as_deref().unwrap_or_default();
                        let why = breadth(issuer, subject)?;
                        let statement = format!("{} is broad: {why}.", held.words());
                        let fault = Fault::new(INFO.severity, statement, held.proof(false));
                        Some(fault.about(&credential.key_id))
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
    fn a_subject_that_matches_every_pull_request_is_found() {
        let mut fixture = Fixture::healthy();
        let issuer = "https://token.actions.githubusercontent.com";
        let position = fixture.federated(BILLING_APP, issuer, "repo:contoso/billing:pull_request");
        assert_eq!(fixture.only(&Fed001).evidence.positions(), [position]);
    }

    #[test]
    fn broad_and_narrow_subjects_are_told_apart() {
        let actions = "https://token.actions.githubusercontent.com";
        assert!(breadth(actions, "repo:contoso/billing").is_some());
        assert!(breadth(actions, "repo:contoso/*").is_some());
        assert!(breadth("https://oidc.example", "system:serviceaccount:*").is_some());
        assert!(breadth(actions, "repo:contoso/billing:ref:refs/heads/main").is_none());
        assert!(breadth("https://oidc.example", "system:serviceaccount:shop:cart").is_none());
    }
}
