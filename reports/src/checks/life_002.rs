//! LIFE-002: identities that were created are used.

use crate::calendar::{date, days_in_words};
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Parameter, Question};
use crate::facts::{LastUse, UNUSED_DAYS};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "LIFE-002",
    area: Area::Lifecycle,
    title: "Identities are used within a quarter of their creation",
    why: "What was set up and never used is forgotten, not finished.",
    remediation: &[
        "Ask its owner whether the workload will come.",
        "Else disable it for 30 days, then delete it.",
    ],
    source: "Entra recommendation staleApps, which exempts apps younger than 90 days; NIST SP 800-53r5 AC-2(3)",
    severity: Severity::Medium,
    parameters: &[Parameter {
        name: "never_used_days",
        value: UNUSED_DAYS,
    }],
    act_on_one: "Disable, then delete an identity that was never used",
    act_on_many: "Disable, then delete {} identities that were never used",
};

/// Identities that were created are used.
pub(crate) struct Life002;

impl Check for Life002 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::SignIns { days: UNUSED_DAYS },
            |identity| identity.is_service_principal() && identity.age_days() >= UNUSED_DAYS,
            |identity| {
                if identity.last_use != LastUse::Never {
                    return Vec::new();
                }
                let severity =
                    identity.severity_by_tier(Severity::Critical, Severity::High, INFO.severity);
                let statement = format!(
                    "Created on {}, {} ago; no known sign-in since.",
                    date(identity.created_at()),
                    days_in_words(identity.age_days())
                );
                vec![Fault::new(severity, statement, vec![identity.registered()]).graded()]
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BILLING, Fixture, ago};

    #[test]
    fn an_identity_that_never_signed_in_is_found_once_it_is_old_enough() {
        let mut fixture = Fixture::healthy();
        let subject = fixture.get(BILLING);
        subject.activity = projections::state::Activity::default();
        subject.created_at = Some(ago(89));
        let registered = subject.registered.position;
        assert_eq!(fixture.findings(&Life002), []);
        fixture.get(BILLING).created_at = Some(ago(90));
        assert_eq!(fixture.only(&Life002).evidence.positions(), [registered]);
    }

    #[test]
    fn an_identity_whose_use_may_have_been_pruned_is_not_called_unused() {
        let mut fixture = Fixture::healthy();
        let subject = fixture.get(BILLING);
        subject.activity = projections::state::Activity::default();
        subject.created_at = Some(ago(700));
        fixture.only(&Life002);
        let month = &ago(600).to_string()[..7];
        let pruned = ledger::event::evidence::Pruned {
            below: 9,
            types: vec!["activity.signed_in".to_owned()],
            events: 1,
            bytes: 1,
            months: [(month.to_owned(), 1)].into(),
            reason: "kept for a year".to_owned(),
            legal_basis: None,
            approved_by: vec!["dpo".to_owned(), "ciso".to_owned()],
        };
        let seen = fixture.get(BILLING).registered;
        fixture.state.prunings = vec![(seen, pruned)];
        assert_eq!(fixture.findings(&Life002), []);
        fixture.get(BILLING).created_at = Some(ago(300));
        fixture.only(&Life002);
    }
}
