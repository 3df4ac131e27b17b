//! The checks: failing ones by area, those that could not look, and those that found nothing.

use std::collections::BTreeMap;

use crate::finding::Finding;
use crate::health::{CheckOutcome, HealthReport, Status};

use super::FINDINGS_PER_CHECK_MAX;
use super::finding::{FindingView, grouped};
use super::identity::Listed;
use super::links::{CheckLink, Links};
use super::mark::Mark;
use super::number::{counted, length, thousands};
use super::outline::reason_in_words;
use super::shown::Shown;

/// All checks of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Catalogue {
    /// Areas with a failing check, in the order of the report.
    pub(crate) areas: Vec<Area>,
    /// Checks that could not look, by reason.
    pub(crate) not_assessed: Vec<Unassessed>,
    /// Checks that found nothing, and those without a subject.
    pub(crate) passed: Vec<Passed>,
    /// `44 checks found nothing`.
    pub(crate) passed_count: String,
}

/// Checks of one area.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Area {
    /// Name.
    pub(crate) name: Shown,
    /// `3 of 9 checks found something`.
    pub(crate) count: String,
    /// The failing checks, worst first.
    pub(crate) failing: Vec<CheckView>,
}

/// A failing check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckView {
    /// Where it is.
    pub(crate) link: CheckLink,
    /// Severity of its worst finding.
    pub(crate) mark: Mark,
    /// `6 findings`.
    pub(crate) count: String,
    /// `of 412 looked at`.
    pub(crate) subjects: String,
    /// Why it matters.
    pub(crate) why: Shown,
    /// Steps that put it right.
    pub(crate) remediation: Vec<Shown>,
    /// Where the rule comes from.
    pub(crate) source: Shown,
    /// Findings.
    pub(crate) findings: Listed<FindingView>,
}

/// A check that could not look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unassessed {
    /// The check.
    pub(crate) link: CheckLink,
    /// `without source`.
    pub(crate) reason: Shown,
    /// What is missing and how to supply it.
    pub(crate) detail: Shown,
}

/// A check that found nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Passed {
    /// The check.
    pub(crate) link: CheckLink,
    /// `412 looked at`, or that there is nothing of the kind.
    pub(crate) outcome: String,
}

impl Catalogue {
    /// The checks of a report.
    pub(crate) fn new(report: &HealthReport, links: &Links<'_>) -> Self {
        let findings = grouped(&report.findings, |finding| finding.check.as_str());
        let passed: Vec<Passed> = report
            .checks
            .iter()
            .filter_map(|check| Passed::new(check, links))
            .collect();
        Self {
            areas: areas(report, &findings, links),
            not_assessed: not_assessed(report, links),
            passed_count: counted(
                length(&passed),
                "check found nothing",
                "checks found nothing",
            ),
            passed,
        }
    }
}

fn areas(
    report: &HealthReport,
    findings: &BTreeMap<&str, Vec<&Finding>>,
    links: &Links<'_>,
) -> Vec<Area> {
    let mut order: Vec<&str> = Vec::new();
    let mut by_area: BTreeMap<&str, Vec<&CheckOutcome>> = BTreeMap::new();
    for check in &report.checks {
        if !by_area.contains_key(check.area.as_str()) {
            order.push(&check.area);
        }
        by_area.entry(&check.area).or_default().push(check);
    }
    order
        .into_iter()
        .filter_map(|area| {
            let checks = by_area.get(area)?;
            let mut failing: Vec<CheckView> = checks
                .iter()
                .filter(|check| check.status == Status::Fail)
                .map(|check| {
                    let found = findings
                        .get(check.id.as_str())
                        .map_or(&[][..], Vec::as_slice);
                    CheckView::new(check, found, links)
                })
                .collect();
            if failing.is_empty() {
                return None;
            }
            failing.sort_by_key(|check| severity_order(check.mark));
            Some(Area {
                name: Shown::words(area).capital(),
                count: format!(
                    "{} of {} found something",
                    thousands(length(&failing)),
                    counted(length(checks), "check", "checks")
                ),
                failing,
            })
        })
        .collect()
}

fn severity_order(mark: Mark) -> Option<usize> {
    super::mark::WORST_FIRST
        .iter()
        .position(|&severity| Mark::from(severity) == mark)
}

fn not_assessed(report: &HealthReport, links: &Links<'_>) -> Vec<Unassessed> {
    report
        .checks
        .iter()
        .filter_map(|check| match &check.status {
            Status::NotAssessed { reason, detail } => Some(Unassessed {
                link: links.check(&check.id),
                reason: Shown::whole(&reason_in_words(reason)).capital(),
                detail: Shown::whole(detail),
            }),
            _ => None,
        })
        .collect()
}

impl CheckView {
    fn new(check: &CheckOutcome, findings: &[&Finding], links: &Links<'_>) -> Self {
        let worst = findings.iter().map(|finding| finding.severity).max();
        Self {
            link: links.check(&check.id),
            mark: worst.unwrap_or(check.severity).into(),
            count: counted(u64::from(check.findings), "finding", "findings"),
            subjects: format!("{} looked at", thousands(u64::from(check.subjects))),
            why: Shown::whole(&check.why),
            remediation: check
                .remediation
                .iter()
                .map(|step| Shown::whole(step))
                .collect(),
            source: Shown::whole(&check.source),
            findings: Listed::new(findings, FINDINGS_PER_CHECK_MAX, |finding| {
                FindingView::new(finding, links)
            }),
        }
    }
}

impl Passed {
    fn new(check: &CheckOutcome, links: &Links<'_>) -> Option<Self> {
        let outcome = match check.status {
            Status::Pass => format!("{} looked at", thousands(u64::from(check.subjects))),
            Status::NotApplicable => "nothing of the kind exists".to_owned(),
            Status::Fail | Status::NotAssessed { .. } => return None,
        };
        Some(Self {
            link: links.check(&check.id),
            outcome,
        })
    }
}
