//! The health report: the catalogue asked at an instant, and what follows from the answers.
//!
//! The same state is asked again about earlier instants for the comparison and the trend, so every
//! difference has a cause in the facts: an event, or time that passed.

mod action;
mod change;
mod row;
mod score;

use std::collections::BTreeMap;

use jiff::Timestamp;
use projections::State;

use crate::calendar::{days_before, month_ends_before};
use crate::check::{Answer, Check, Question};
use crate::checks::{CHECKS, catalogue_digest};
use crate::facts::{Facts, watched_since};
use crate::finding::{Finding, Severity};
use crate::health::{
    Catalogue, CheckOutcome, HealthReport, LedgerFacts, Status, Summary, TrendPoint,
};

/// Version of the report's structure.
const SCHEMA: u32 = 1;
/// Days back the report compares with.
const COMPARED_DAYS: i64 = 30;
/// Months in the trend.
const TREND_MONTHS: usize = 12;

/// The catalogue's answers about one instant.
pub(crate) struct Assessment<'a> {
    /// What was true then.
    pub(crate) facts: Facts<'a>,
    /// Answers in order of the catalogue.
    pub(crate) answers: Vec<(&'static dyn Check, Answer)>,
}

impl<'a> Assessment<'a> {
    /// Asks every check about an instant.
    pub(crate) fn new(state: &'a State, at: Timestamp) -> Self {
        let facts = Facts::new(state, at);
        let question = Question {
            state,
            at,
            facts: &facts,
        };
        let answers = CHECKS
            .iter()
            .map(|check| (*check, check.assess(&question)))
            .collect();
        Self { facts, answers }
    }

    /// Every finding, in order of the catalogue.
    pub(crate) fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.answers
            .iter()
            .filter_map(|(_, answer)| match answer {
                Answer::Assessed(tally) => Some(&tally.findings),
                Answer::NotAssessed(_) | Answer::NotApplicable => None,
            })
            .flatten()
    }

    /// Findings by severity; every severity is there.
    fn by_severity(&self) -> BTreeMap<Severity, u32> {
        let mut counts: BTreeMap<Severity, u32> = [
            Severity::Info,
            Severity::Low,
            Severity::Medium,
            Severity::High,
            Severity::Critical,
        ]
        .into_iter()
        .map(|severity| (severity, 0))
        .collect();
        for finding in self.findings() {
            let count = counts.entry(finding.severity).or_default();
            *count = count.saturating_add(1);
        }
        counts
    }
}

/// Makes the report about an instant from what a ledger holds.
pub fn assess(state: &State, at: Timestamp, ledger: &LedgerFacts) -> HealthReport {
    let now = Assessment::new(state, at);
    let since = days_before(at, COMPARED_DAYS);
    let watched_since = watched_since(state);
    let was_watched = |at: Timestamp| watched_since.is_some_and(|first| first <= at);
    let before = was_watched(since).then(|| Assessment::new(state, since));
    let trend = month_ends_before(at, TREND_MONTHS)
        .into_iter()
        .map(|end| TrendPoint {
            at: end,
            by_severity: was_watched(end).then(|| Assessment::new(state, end).by_severity()),
        })
        .collect();
    let mut summary = summary(&now, trend, ledger.verified);
    summary.watched_since = watched_since;
    summary.by_severity_before = before.as_ref().map(Assessment::by_severity);
    let catalogue = Catalogue {
        checks: u32::try_from(CHECKS.len()).unwrap_or(u32::MAX),
        digest: catalogue_digest(),
    };
    let identities = row::rows(&now);
    let mut findings: Vec<Finding> = now.findings().cloned().collect();
    findings.sort_by(|a, b| {
        (b.severity, &a.check, &a.subject, &a.discriminator).cmp(&(
            a.severity,
            &b.check,
            &b.subject,
            &b.discriminator,
        ))
    });
    HealthReport {
        schema: SCHEMA,
        id: report_id(at, ledger, &catalogue),
        tenants: now
            .facts
            .tenants
            .iter()
            .map(|tenant| (*tenant).to_owned())
            .collect(),
        as_of: at,
        ledger: ledger.clone(),
        catalogue,
        summary,
        actions: action::actions(&now),
        changes: before.map(|before| change::changes(state, &now, &before, since)),
        checks: now
            .answers
            .iter()
            .map(|(check, answer)| outcome(*check, answer))
            .collect(),
        identities,
        findings,
    }
}

/// What the answers of one instant come to; the comparison is not among them.
fn summary(now: &Assessment<'_>, trend: Vec<TrendPoint>, verified: bool) -> Summary {
    let count = |wanted: &dyn Fn(&Answer) -> bool| {
        let found = now.answers.iter().filter(|(_, answer)| wanted(answer));
        u32::try_from(found.count()).unwrap_or(u32::MAX)
    };
    let not_assessed = count(&|answer| matches!(answer, Answer::NotAssessed(_)));
    let worst = row::worst_by_subject(now);
    let privileged: Vec<_> = now
        .facts
        .in_scope()
        .filter(|identity| identity.tier.level() <= 1)
        .collect();
    let with_finding = privileged.iter().filter(|identity| {
        worst
            .get(identity.stream.as_str())
            .is_some_and(|(severity, _)| *severity >= Severity::Medium)
    });
    Summary {
        identities: u32::try_from(now.facts.in_scope().count()).unwrap_or(u32::MAX),
        by_severity: now.by_severity(),
        watched_since: None,
        by_severity_before: None,
        trend,
        assessed: count(&|_| true).saturating_sub(not_assessed),
        not_assessed,
        privileged: u32::try_from(privileged.len()).unwrap_or(u32::MAX),
        privileged_with_finding: u32::try_from(with_finding.count()).unwrap_or(u32::MAX),
        score_tenths: score::Weights::new(now).score_tenths(verified),
    }
}

fn outcome(check: &dyn Check, answer: &Answer) -> CheckOutcome {
    let info = check.info();
    let (status, subjects, findings) = match answer {
        Answer::Assessed(tally) if tally.findings.is_empty() => (Status::Pass, tally.subjects, 0),
        Answer::Assessed(tally) => (Status::Fail, tally.subjects, tally.findings.len()),
        Answer::NotApplicable => (Status::NotApplicable, 0, 0),
        Answer::NotAssessed(gap) => {
            let status = Status::NotAssessed {
                reason: gap.reason.as_str().to_owned(),
                detail: gap.detail.clone(),
            };
            (status, 0, 0)
        }
    };
    CheckOutcome {
        id: info.id.to_owned(),
        area: info.area.as_str().to_owned(),
        title: info.title.to_owned(),
        why: info.why.to_owned(),
        remediation: info
            .remediation
            .iter()
            .map(|step| (*step).to_owned())
            .collect(),
        source: info.source.to_owned(),
        severity: info.severity,
        status,
        subjects,
        findings: u32::try_from(findings).unwrap_or(u32::MAX),
    }
}

/// `HC-` and 8 hex digits of a BLAKE3 over what the report is made from.
fn report_id(at: Timestamp, ledger: &LedgerFacts, catalogue: &Catalogue) -> String {
    let made_from = serde_json::json!({
        "as_of": at.to_string(),
        "catalogue": catalogue.digest,
        "chain": ledger.chain,
        "size": ledger.size,
    });
    let hash = blake3::hash(made_from.to_string().as_bytes()).to_hex();
    let digits: String = hash.chars().take(8).collect();
    format!("HC-{digits}")
}

#[cfg(test)]
mod tests;
