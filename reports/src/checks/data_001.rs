//! DATA-001: sources keep telling.

use crate::calendar::{date, days_in_words};
use crate::check::{
    Answer, Area, Check, CheckInfo, Fault, Parameter, Question, SIGN_IN_AGE_DAYS_MAX,
    SNAPSHOT_AGE_DAYS_MAX, Tally,
};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "DATA-001",
    area: Area::Evidence,
    title: "Every source that once told keeps telling",
    why: "A source that stopped looks like a tenant in which nothing happens.",
    remediation: &["Import a newer export; see that whatever exports it still runs."],
    source: "Ours; Entra keeps sign-in logs for 7 or 30 days only, so a gap cannot be filled later",
    severity: Severity::High,
    parameters: &[
        Parameter {
            name: "sign_in_age_days_max",
            value: SIGN_IN_AGE_DAYS_MAX,
        },
        Parameter {
            name: "snapshot_age_days_max",
            value: SNAPSHOT_AGE_DAYS_MAX,
        },
    ],
    act_on_one: "Bring the sources of a tenant up to date",
    act_on_many: "Bring {} sources up to date",
};

/// Sources keep telling.
pub(crate) struct Data001;

/// The longest silence of a category that is not suspicious, in days; `None` when it only speaks
/// when something happens.
fn age_days_max(name: &str) -> Option<i64> {
    match name {
        "graph/servicePrincipalSignIn" | "graph/managedIdentitySignIn" => {
            Some(SIGN_IN_AGE_DAYS_MAX)
        }
        "graph/riskyServicePrincipal" | "graph/servicePrincipalRiskDetection" => None,
        name if name.starts_with("graph/") => Some(SNAPSHOT_AGE_DAYS_MAX),
        _ => None,
    }
}

impl Check for Data001 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        let mut tally = Tally::default();
        for tenant in &question.facts.tenants {
            let mut faults = Vec::new();
            for (name, feed) in question.facts.feeds.of_tenant(tenant) {
                let Some(most) = age_days_max(name) else {
                    continue;
                };
                let days = question.days_since(feed.last);
                if days > most {
                    let statement = format!(
                        "{name} last told something on {}, {} ago.",
                        date(feed.last),
                        days_in_words(days)
                    );
                    let fault = Fault::new(INFO.severity, statement, vec![feed.position]);
                    faults.push(fault.about(name));
                }
            }
            let stream = ledger::event::StreamName::tenant(tenant);
            tally.subject(&INFO, stream.as_str(), 1, faults);
        }
        tally.answer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::Fixture;

    #[test]
    fn a_sign_in_log_that_ended_two_days_ago_is_found() {
        let mut fixture = Fixture::healthy();
        fixture.source_ended("graph/application", 7);
        assert_eq!(fixture.findings(&Data001), []);
        fixture.source_ended("graph/servicePrincipalSignIn", 2);
        assert_eq!(
            fixture.only(&Data001).discriminator,
            "graph/servicePrincipalSignIn"
        );
    }
}
