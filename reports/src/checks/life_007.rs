//! LIFE-007: no service principal outlives its application.

use jiff::Timestamp;
use projections::state::Subject;

use crate::calendar::date;
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::facts::Identity;
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "LIFE-007",
    area: Area::Lifecycle,
    title: "Service principals have the application they belong to",
    why: "What is left of a deleted application keeps its grants, and restoring the application brings its credentials back.",
    remediation: &["Revoke its grants and delete the service principal."],
    source: "Ours; NIST SP 800-53r5 CM-8, AC-2",
    severity: Severity::Medium,
    parameters: &[],
    act_on_one: "Delete a service principal whose application is gone",
    act_on_many: "Delete {} service principals whose applications are gone",
};

/// No service principal outlives its application.
pub(crate) struct Life007;

fn fault(identity: &Identity<'_>, application: &Subject, at: Timestamp) -> Option<Fault> {
    let ended = application.existence.iter().rev();
    let (to, closed) = ended
        .filter_map(|span| Some((span.to?, &span.closed)))
        .find(|(to, _)| *to <= at)?;
    let statement = format!("Its application was deleted on {}.", date(to));
    let evidence = [&[identity.registered()], closed.as_slice()].concat();
    Some(Fault::new(INFO.severity, statement, evidence))
}

impl Check for Life007 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::APPLICATIONS,
            |identity| identity.is_service_principal() && identity.application.is_some(),
            |identity| match identity.application {
                Some(application) if !identity.application_exists => {
                    fault(identity, application, question.at)
                        .into_iter()
                        .collect()
                }
                _ => Vec::new(),
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BILLING_APP, Fixture, ago};

    #[test]
    fn a_service_principal_whose_application_was_deleted_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.next();
        let existence = fixture.get(BILLING_APP).existence.last_mut().unwrap();
        existence.to = Some(ago(10));
        existence.closed = vec![position];
        let finding = fixture.only(&Life007);
        assert!(finding.evidence.positions().contains(&position));
        assert!(finding.statement.contains("2026-11-14"));
    }
}
