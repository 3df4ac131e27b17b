//! The first screen: what it is about, how bad it is, what to do, what changed.

use std::collections::BTreeMap;

use crate::finding::Severity;
use crate::health::{Action, Changes, HealthReport, Status, Summary};

use super::chart::Line;
use super::links::{CheckLink, Links, SubjectLink};
use super::mark::{Mark, WORST_FIRST};
use super::moment::{day, day_and_time};
use super::number::{counted, length, tenths, thousands};
use super::positions::{Positions, position};
use super::shown::Shown;
use super::{POSITIONS_MAX, SUBJECTS_PER_ACTION_MAX};

/// Digits of the chain value in the strip; the whole value is at the end of the page.
const CHAIN_DIGITS: usize = 12;
/// Tenants named in the strip.
const TENANTS_MAX: usize = 3;

/// What the report is about and made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Strip {
    /// Tenants.
    pub(crate) tenants: Vec<Shown>,
    /// Tenants that are not named.
    pub(crate) tenants_more: Option<String>,
    /// As of, RFC 3339.
    pub(crate) as_of: String,
    /// As of, in words.
    pub(crate) as_of_day: String,
    /// As of, in words with the time of day.
    pub(crate) as_of_words: String,
    /// Name of the ledger.
    pub(crate) origin: Shown,
    /// Events the report was made from.
    pub(crate) size: String,
    /// Start of the chain value.
    pub(crate) chain: Shown,
    /// The whole chain value.
    pub(crate) chain_whole: Shown,
    /// Position of the last event, when there is one; as digits for the command line.
    pub(crate) last: Option<String>,
    /// Checks asked.
    pub(crate) checks: String,
    /// Digest of the catalogue.
    pub(crate) digest: Shown,
    /// Id of the report.
    pub(crate) id: Shown,
    /// Whether the ledger was verified.
    pub(crate) verified: bool,
}

impl Strip {
    /// The strip of a report.
    pub(crate) fn new(report: &HealthReport) -> Self {
        let more = report.tenants.len().saturating_sub(TENANTS_MAX);
        Self {
            tenants: report
                .tenants
                .iter()
                .take(TENANTS_MAX)
                .map(|tenant| Shown::name_cut(tenant, super::NAME_LETTERS_MAX))
                .collect(),
            tenants_more: (more > 0).then(|| format!("and {more} more")),
            as_of: report.as_of.to_string(),
            as_of_day: day(report.as_of),
            as_of_words: day_and_time(report.as_of),
            origin: Shown::whole(&report.ledger.origin),
            size: thousands(report.ledger.size),
            chain: Shown::cut(&report.ledger.chain, CHAIN_DIGITS),
            chain_whole: Shown::whole(&report.ledger.chain),
            last: report
                .ledger
                .size
                .checked_sub(1)
                .map(|last| last.to_string()),
            checks: counted(u64::from(report.catalogue.checks), "check", "checks"),
            digest: Shown::whole(&report.catalogue.digest),
            id: Shown::whole(&report.id),
            verified: report.ledger.verified,
        }
    }
}

/// What was looked at, as one sentence in pieces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Coverage {
    /// `412 identities`.
    pub(crate) identities: String,
    /// `71 of 78 checks`.
    pub(crate) assessed: String,
    /// `7 not assessed`, when there are any.
    pub(crate) not_assessed: Option<String>,
    /// `4 without licence, 2 without source`.
    pub(crate) reasons: String,
    /// Whether nothing at all could be assessed.
    pub(crate) blind: bool,
}

impl Coverage {
    /// The coverage of a report.
    pub(crate) fn new(report: &HealthReport) -> Self {
        let summary = &report.summary;
        let asked = u64::from(summary.assessed) + u64::from(summary.not_assessed);
        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        for check in &report.checks {
            if let Status::NotAssessed { reason, .. } = &check.status {
                *reasons.entry(reason).or_default() += 1;
            }
        }
        let mut reasons: Vec<(&str, u64)> = reasons.into_iter().collect();
        reasons.sort_by_key(|&(reason, count)| (std::cmp::Reverse(count), reason));
        let told: Vec<String> = reasons
            .iter()
            .map(|(reason, count)| {
                let reason = Shown::cut(&reason_in_words(reason), super::NAME_LETTERS_MAX);
                format!("{} {reason}", thousands(*count))
            })
            .collect();
        Self {
            identities: counted(u64::from(summary.identities), "identity", "identities"),
            assessed: format!(
                "{} of {}",
                thousands(u64::from(summary.assessed)),
                counted(asked, "check", "checks")
            ),
            not_assessed: (summary.not_assessed > 0).then(|| {
                format!(
                    "{} not assessed",
                    thousands(u64::from(summary.not_assessed))
                )
            }),
            reasons: told.join(", "),
            blind: summary.assessed == 0,
        }
    }
}

/// Why a check was not assessed, as it follows a number.
pub(crate) fn reason_in_words(reason: &str) -> String {
    match reason {
        "no_source" => "without source".to_owned(),
        "stale_source" => "with a stale source".to_owned(),
        "no_licence" => "without licence".to_owned(),
        "hidden" => "hidden by the source".to_owned(),
        other => other.replace('_', " "),
    }
}

/// Headline figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tiles {
    /// Critical and high.
    pub(crate) severities: Vec<SeverityTile>,
    /// Privileged identities with a finding.
    pub(crate) privileged: String,
    /// `of 32 on tier 0 or 1`.
    pub(crate) privileged_of: String,
    /// Health, when there is a score.
    pub(crate) score: Option<String>,
    /// Why there is no score.
    pub(crate) score_missing: String,
}

/// Figure of one severity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SeverityTile {
    /// Severity.
    pub(crate) mark: Mark,
    /// Findings.
    pub(crate) count: String,
    /// `1 fewer than on 2 October 2026`.
    pub(crate) change: String,
    /// The last months.
    pub(crate) line: Option<Line>,
}

impl Tiles {
    /// The tiles of a report.
    pub(crate) fn new(report: &HealthReport) -> Self {
        let summary = &report.summary;
        let since = report.changes.as_ref().map(|changes| day(changes.since));
        // Nothing assessed is not the same as nothing found: a zero would say so.
        let blind = summary.assessed == 0;
        let seen = |count: u64| {
            if blind {
                "–".to_owned()
            } else {
                thousands(count)
            }
        };
        let severities = [Severity::Critical, Severity::High]
            .into_iter()
            .map(|severity| {
                let (now, before) = now_and_before(summary, severity);
                SeverityTile {
                    mark: severity.into(),
                    count: seen(now),
                    change: if blind {
                        "no check could be assessed".to_owned()
                    } else {
                        match (before, &since) {
                            (Some(before), Some(since)) => change_in_words(now, before, since),
                            _ => "nothing to compare with yet".to_owned(),
                        }
                    },
                    line: Line::new(&summary.trend, severity),
                }
            })
            .collect();
        Self {
            severities,
            privileged: seen(u64::from(summary.privileged_with_finding)),
            privileged_of: format!(
                "of {} on tier 0 or 1",
                thousands(u64::from(summary.privileged))
            ),
            score: summary.score_tenths.map(tenths),
            score_missing: score_missing(report),
        }
    }
}

/// The first reason that applies, in the order in which the score asks for them.
fn score_missing(report: &HealthReport) -> String {
    let summary = &report.summary;
    let asked = summary.assessed.saturating_add(summary.not_assessed);
    if summary.identities == 0 {
        "No score: no identity is in scope.".to_owned()
    } else if summary.assessed == 0 {
        "No score: no check could be assessed.".to_owned()
    } else if !report.ledger.verified {
        "No score: the ledger was not verified.".to_owned()
    } else {
        format!(
            "No score: {} of {asked} checks assessed is too little for a number to be fair.",
            summary.assessed
        )
    }
}

fn change_in_words(now: u64, before: u64, since: &str) -> String {
    match now.cmp(&before) {
        std::cmp::Ordering::Less => format!("{} fewer than on {since}", thousands(before - now)),
        std::cmp::Ordering::Equal => format!("as many as on {since}"),
        std::cmp::Ordering::Greater => format!("{} more than on {since}", thousands(now - before)),
    }
}

fn now_and_before(summary: &Summary, severity: Severity) -> (u64, Option<u64>) {
    let of = |counts: &BTreeMap<Severity, u32>| counts.get(&severity).copied().map_or(0, u64::from);
    let before = summary.by_severity_before.as_ref();
    (of(&summary.by_severity), before.map(of))
}

/// Why nothing is compared: the ledger is younger than the comparison.
pub(crate) fn uncompared(report: &HealthReport) -> String {
    match report.summary.watched_since {
        Some(since) => format!(
            "Nothing to compare with yet: no source speaks for the days before {}.",
            day(since)
        ),
        None => "Nothing to compare with: nothing was imported.".to_owned(),
    }
}

/// Findings by severity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Spread {
    /// All findings.
    pub(crate) total: String,
    /// Whether there are none.
    pub(crate) none: bool,
    /// Worst first, without those that never occur.
    pub(crate) rows: Vec<SpreadRow>,
}

/// Findings of one severity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SpreadRow {
    /// Severity.
    pub(crate) mark: Mark,
    /// Findings now.
    pub(crate) now: String,
    /// Findings before, when anyone looked.
    pub(crate) before: Option<String>,
    /// Left edge in the bar, in thousandths.
    pub(crate) left: u64,
    /// Width in the bar, in thousandths.
    pub(crate) width: u64,
}

impl Spread {
    /// The spread of a report.
    pub(crate) fn new(report: &HealthReport) -> Self {
        let counts =
            WORST_FIRST.map(|severity| (severity, now_and_before(&report.summary, severity)));
        let total: u64 = counts.iter().map(|(_, (now, _))| now).sum();
        let mut below = 0;
        let mut rows = Vec::new();
        for (severity, (now, before)) in counts {
            let left = 1000 * below / total.max(1);
            below += now;
            if now > 0 || before > Some(0) {
                rows.push(SpreadRow {
                    mark: severity.into(),
                    now: thousands(now),
                    before: before.map(thousands),
                    left,
                    width: 1000 * below / total.max(1) - left,
                });
            }
        }
        Self {
            total: counted(total, "finding", "findings"),
            none: total == 0,
            rows,
        }
    }
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ActionView {
    /// What to do.
    pub(crate) title: Shown,
    /// The check it comes from.
    pub(crate) check: CheckLink,
    /// Severity.
    pub(crate) mark: Mark,
    /// The fact.
    pub(crate) detail: Shown,
    /// Some of the subjects.
    pub(crate) subjects: Vec<SubjectLink>,
    /// How many more there are.
    pub(crate) subjects_more: Option<String>,
    /// `+2.4`, when something is gained.
    pub(crate) gain: Option<String>,
    /// What proves it.
    pub(crate) evidence: Positions,
}

impl ActionView {
    /// The view of an action.
    pub(crate) fn new(action: &Action, links: &Links<'_>) -> Self {
        let more = length(&action.subjects)
            .saturating_sub(u64::try_from(SUBJECTS_PER_ACTION_MAX).unwrap_or(u64::MAX));
        Self {
            title: Shown::whole(&action.title),
            check: links.check(&action.check),
            mark: action.severity.into(),
            detail: Shown::whole(&action.detail),
            subjects: action
                .subjects
                .iter()
                .take(SUBJECTS_PER_ACTION_MAX)
                .map(|subject| links.subject(subject))
                .collect(),
            subjects_more: (more > 0).then(|| format!("{} more", thousands(more))),
            gain: (action.gain_tenths > 0).then(|| format!("+{}", tenths(action.gain_tenths))),
            evidence: Positions::first(&action.evidence, POSITIONS_MAX),
        }
    }
}

/// What changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ChangesView {
    /// Since when.
    pub(crate) since: String,
    /// Appeared because something happened.
    pub(crate) by_event: String,
    /// Which events.
    pub(crate) positions: Option<String>,
    /// Appeared because time passed.
    pub(crate) by_time: String,
    /// Gone.
    pub(crate) fixed: String,
    /// Whether nothing changed.
    pub(crate) none: bool,
}

impl ChangesView {
    /// The view of changes.
    pub(crate) fn new(changes: &Changes) -> Self {
        Self {
            since: day(changes.since),
            by_event: thousands(u64::from(changes.appeared_by_event)),
            positions: changes.positions.map(|(first, last)| {
                if first == last {
                    format!("event {}", position(first))
                } else {
                    format!("events {} to {}", position(first), position(last))
                }
            }),
            by_time: thousands(u64::from(changes.appeared_by_time)),
            fixed: thousands(u64::from(changes.fixed)),
            none: changes.appeared_by_event == 0
                && changes.appeared_by_time == 0
                && changes.fixed == 0,
        }
    }
}
