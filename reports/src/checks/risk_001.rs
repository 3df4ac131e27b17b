//! RISK-001: risk is looked into.

use jiff::Timestamp;

use crate::calendar::{date, days_in_words};
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Gap, Need, Parameter, Question, Reason};
use crate::facts::Identity;
use crate::finding::Severity;

/// Days within which a risk of each level is to be looked into. Ours; others allow none.
const HIGH_DAYS_MAX: i64 = 1;
/// Medium level.
const MEDIUM_DAYS_MAX: i64 = 7;
/// Low level.
const LOW_DAYS_MAX: i64 = 30;

static INFO: CheckInfo = CheckInfo {
    id: "RISK-001",
    area: Area::Risk,
    title: "Risk on identities is confirmed or dismissed in time",
    why: "A risk nobody looked into is an incident that may be running.",
    remediation: &[
        "Look at the detections and the sign-ins around them.",
        "Confirm the compromise and revoke, or dismiss the risk with a reason.",
    ],
    source: "Microsoft Zero Trust Assessment 21862, 22659; NIST SP 800-53r5 IR-4, IR-5. Needs Workload ID Premium for levels",
    severity: Severity::High,
    parameters: &[
        Parameter {
            name: "high_days_max",
            value: HIGH_DAYS_MAX,
        },
        Parameter {
            name: "medium_days_max",
            value: MEDIUM_DAYS_MAX,
        },
        Parameter {
            name: "low_days_max",
            value: LOW_DAYS_MAX,
        },
    ],
    act_on_one: "Look into the risk of an identity",
    act_on_many: "Look into the risk of {} identities",
};

/// Risk is looked into.
pub(crate) struct Risk001;

fn fault(identity: &Identity<'_>, question: &Question<'_>) -> Option<Fault> {
    let span = identity.risk.filter(|span| span.value.state == "atRisk")?;
    let most = match span.value.level.as_str() {
        "high" => HIGH_DAYS_MAX,
        "medium" => MEDIUM_DAYS_MAX,
        "low" => LOW_DAYS_MAX,
        _ => return None,
    };
    let since = unbroken_since(identity, question.at).unwrap_or(span.from);
    let days = question.days_since(since);
    (days > most).then(|| {
        let statement = format!(
            "At {} risk since {}, {}; {} allowed.",
            span.value.level,
            date(since),
            days_in_words(days),
            days_in_words(most)
        );
        Fault::new(INFO.severity, statement, span.opened.clone())
    })
}

/// Since when it has been at risk without a break, whatever the level.
fn unbroken_since(identity: &Identity<'_>, at: Timestamp) -> Option<Timestamp> {
    let past = identity
        .subject
        .risk
        .iter()
        .rev()
        .filter(|span| span.from <= at);
    past.take_while(|span| span.value.state == "atRisk")
        .last()
        .map(|span| span.from)
}

impl Check for Risk001 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        let levels: Vec<&str> = question
            .facts
            .in_scope()
            .filter_map(|identity| identity.risk)
            .filter(|span| span.value.state == "atRisk")
            .map(|span| span.value.level.as_str())
            .collect();
        if !levels.is_empty() && levels.iter().all(|level| *level == "hidden") {
            return Answer::NotAssessed(Gap {
                reason: Reason::Hidden,
                detail: "Risk levels are withheld without Workload ID Premium.".to_owned(),
            });
        }
        question.ask(
            &INFO,
            Need::RISK,
            |identity| identity.is_service_principal() && !identity.is_managed(),
            |identity| fault(identity, question).into_iter().collect(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BILLING, Fixture, VENDOR};

    #[test]
    fn a_medium_risk_older_than_a_week_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.risk(BILLING, "medium", "atRisk", 8);
        fixture.risk(VENDOR, "low", "atRisk", 8);
        assert_eq!(fixture.only(&Risk001).evidence.positions(), [position]);
    }

    #[test]
    fn hidden_levels_say_nothing() {
        let mut fixture = Fixture::healthy();
        fixture.risk(BILLING, "hidden", "atRisk", 8);
        let Answer::NotAssessed(gap) = fixture.answer(&Risk001) else {
            panic!("assessed")
        };
        assert_eq!(gap.reason, Reason::Hidden);
    }
}
