//! One finding as it is shown, below its check or below its identity.

use std::collections::BTreeMap;

use crate::finding::Finding;

use super::POSITIONS_MAX;
use super::links::{CheckLink, Links, SubjectLink};
use super::mark::Mark;
use super::positions::Positions;
use super::shown::Shown;

/// A finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FindingView {
    /// Severity.
    pub(crate) mark: Mark,
    /// The check it answers.
    pub(crate) check: CheckLink,
    /// What it is about.
    pub(crate) subject: SubjectLink,
    /// The fact.
    pub(crate) statement: Shown,
    /// What proves it.
    pub(crate) evidence: Positions,
}

impl FindingView {
    /// The view of a finding.
    pub(crate) fn new(finding: &Finding, links: &Links<'_>) -> Self {
        Self {
            mark: finding.severity.into(),
            check: links.check(&finding.check),
            subject: links.subject(&finding.subject),
            statement: Shown::whole(&finding.statement),
            evidence: Positions::first(finding.evidence.positions(), POSITIONS_MAX),
        }
    }
}

/// Findings by some key, each group in the order of the report.
pub(crate) fn grouped<'a>(
    findings: &'a [Finding],
    key: impl Fn(&'a Finding) -> &'a str,
) -> BTreeMap<&'a str, Vec<&'a Finding>> {
    let mut groups: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
    for finding in findings {
        groups.entry(key(finding)).or_default().push(finding);
    }
    groups
}
