//! POL-004: protection is not weakened unnoticed.

use ledger::event::policy::AccessPolicy;
use projections::state::Span;

use crate::calendar::date;
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Parameter, Question, Tally};
use crate::facts::quoted;
use crate::finding::Severity;
use crate::policy::ENABLED;

/// Days for which a weakened policy is worth confirming.
const RECENT_DAYS: i64 = 30;

static INFO: CheckInfo = CheckInfo {
    id: "POL-004",
    area: Area::Policy,
    title: "Access policies for workloads are not weakened",
    why: "Turning a policy off or adding an exclusion is what an attacker does before using a stolen key.",
    remediation: &[
        "Confirm the change with whoever made it.",
        "Else undo it and review sign-ins since.",
    ],
    source: "Detection rules on Conditional Access changes (Azure Sentinel, Microsoft Entra ID solution); MITRE ATT&CK T1556.009; NIST SP 800-53r5 CM-3",
    severity: Severity::High,
    parameters: &[Parameter {
        name: "recent_days",
        value: RECENT_DAYS,
    }],
    act_on_one: "Confirm or undo a change that weakened a policy",
    act_on_many: "Confirm or undo changes that weakened {} policies",
};

/// Protection is not weakened unnoticed.
pub(crate) struct Pol004;

/// How the end of one version weakened protection, given the version after it.
fn weakening(before: &AccessPolicy, after: Option<&AccessPolicy>) -> Option<&'static str> {
    if before.state != ENABLED || !before.is_for_workloads() {
        return None;
    }
    let Some(after) = after else {
        return Some("was deleted");
    };
    if after.state != ENABLED {
        return Some("is no longer enforced");
    }
    if !after.is_for_workloads() {
        return Some("is no longer about workloads");
    }
    let added = |old: &[String], new: &[String]| new.iter().any(|item| !old.contains(item));
    if added(
        &before.exclude_service_principals,
        &after.exclude_service_principals,
    ) {
        return Some("excludes a further identity");
    }
    if added(&before.exclude_locations, &after.exclude_locations) {
        return Some("excludes a further location");
    }
    None
}

fn faults(spans: &[Span<AccessPolicy>], question: &Question<'_>) -> Vec<Fault> {
    let recent = |span: &Span<AccessPolicy>| {
        span.to
            .filter(|to| *to <= question.at && question.days_since(*to) <= RECENT_DAYS)
    };
    let mut faults = Vec::new();
    for (index, before) in spans.iter().enumerate() {
        let Some(to) = recent(before) else { continue };
        let after = spans
            .get(index.saturating_add(1))
            .filter(|after| after.from <= question.at);
        if let Some(how) = weakening(&before.value, after.map(|span| &span.value)) {
            let mut evidence = before.closed.clone();
            evidence.extend(after.into_iter().flat_map(|span| &span.opened));
            let statement = format!(
                "Policy {} {how} since {}.",
                quoted(&before.value.display_name),
                date(to)
            );
            let fault = Fault::new(INFO.severity, statement, evidence);
            faults.push(fault.about(to.to_string()));
        }
    }
    faults
}

impl Check for Pol004 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        if let Some(gap) = question.gap_everywhere(Need::POLICIES) {
            return Answer::NotAssessed(gap);
        }
        let mut tally = Tally::default();
        for (stream, spans) in &question.state.policies {
            let mut known = spans.iter().filter(|span| span.from <= question.at);
            if known.any(|span| span.value.is_for_workloads()) {
                tally.subject(&INFO, stream.as_str(), 1, faults(spans, question));
            }
        }
        tally.answer()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, TENANT, ago};

    #[test]
    fn a_policy_switched_to_report_only_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.policy("policy-1", crate::policy::REPORT_ONLY, 10);
        assert_eq!(fixture.only(&Pol004).evidence.positions(), [position]);
    }

    #[test]
    fn a_deleted_policy_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.next();
        let stream = ledger::event::StreamName::policy(TENANT, "policy-1");
        let span = fixture
            .state
            .policies
            .get_mut(&stream)
            .unwrap()
            .last_mut()
            .unwrap();
        span.to = Some(ago(3));
        span.closed = vec![position];
        assert_eq!(fixture.only(&Pol004).evidence.positions(), [position]);
    }
}
