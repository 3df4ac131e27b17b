//! The identities: a table of all, worst first, and the details of those worth telling.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::finding::Finding;
use crate::health::{CredentialRow, HealthReport, IdentityRow};

use super::finding::{FindingView, grouped};
use super::links::Links;
use super::mark::Mark;
use super::moment::Moment;
use super::number::{counted, length, thousands};
use super::positions::Positions;
use super::shown::Shown;
use super::{
    DETAILS_PER_IDENTITY_MAX, IDENTITIES_LISTED_MAX, IDENTITIES_OPEN_MAX, IDENTITIES_TOLD_MAX,
    NAME_LETTERS_MAX, PHRASE_LETTERS_MAX, POSITIONS_MAX,
};

/// All identities of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Roster {
    /// The worst: the part of the table that is open.
    pub(crate) open: Vec<RosterRow>,
    /// The others: the part that is folded.
    pub(crate) folded: Vec<RosterRow>,
    /// `the other 362 identities`, as the fold is called.
    pub(crate) folded_count: String,
    /// Details, in the order of the table.
    pub(crate) details: Vec<IdentityView>,
    /// What is left out and where it is, when something is.
    pub(crate) left_out: Option<String>,
    /// What has no details, when something has none.
    pub(crate) untold: Option<String>,
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RosterRow {
    /// Name, cut.
    pub(crate) name: Shown,
    /// Place of the details.
    pub(crate) place: Option<String>,
    /// Class, in words.
    pub(crate) class: Shown,
    /// Whether it can sign in.
    pub(crate) enabled: bool,
    /// Tier.
    pub(crate) tier: u8,
    /// Why it has the tier, cut.
    pub(crate) tier_reason: Shown,
    /// Severity of the worst finding.
    pub(crate) mark: Option<Mark>,
    /// The worst finding, cut.
    pub(crate) worst: Shown,
    /// `and 3 more`.
    pub(crate) more: Option<String>,
    /// `nobody`, `1 owner`.
    pub(crate) owners: String,
    /// Whether nobody owns it.
    pub(crate) orphan: bool,
    /// Last use.
    pub(crate) last_used: Option<Moment>,
    /// What proves the worst finding, or the line.
    pub(crate) evidence: Positions,
}

/// The details of one identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IdentityView {
    /// Place.
    pub(crate) place: String,
    /// Whether it is opened on paper.
    pub(crate) on_paper: bool,
    /// Name, cut, for the heading.
    pub(crate) heading: Shown,
    /// Name, whole.
    pub(crate) name: Shown,
    /// Object id.
    pub(crate) object_id: Shown,
    /// Stream.
    pub(crate) stream: Shown,
    /// Class, in words.
    pub(crate) class: Shown,
    /// Tier.
    pub(crate) tier: u8,
    /// Why it has the tier.
    pub(crate) tier_reason: Shown,
    /// Whether it can sign in.
    pub(crate) enabled: bool,
    /// Severity of the worst finding.
    pub(crate) mark: Option<Mark>,
    /// `3 findings`.
    pub(crate) count: String,
    /// Last use.
    pub(crate) last_used: Option<Moment>,
    /// Owners.
    pub(crate) owners: Listed<Shown>,
    /// Findings.
    pub(crate) findings: Listed<FindingView>,
    /// Credentials.
    pub(crate) credentials: Listed<CredentialView>,
    /// Powers.
    pub(crate) grants: Listed<Shown>,
    /// What proves it.
    pub(crate) evidence: Positions,
}

/// The first items of a list, and how many follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed<T> {
    /// Items.
    pub(crate) items: Vec<T>,
    /// `12 more are in the JSON form of this report`.
    pub(crate) more: Option<String>,
}

impl<T> Listed<T> {
    /// The first `most` of some things, as they are shown.
    pub(crate) fn new<S>(things: &[S], most: usize, show: impl FnMut(&S) -> T) -> Self {
        let more = things.len().saturating_sub(most);
        Self {
            items: things.iter().take(most).map(show).collect(),
            more: (more > 0).then(|| {
                let more = thousands(u64::try_from(more).unwrap_or(u64::MAX));
                format!("{more} more in the JSON form of this report.")
            }),
        }
    }
}

/// One credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CredentialView {
    /// Kind, in words.
    pub(crate) kind: Shown,
    /// Key id.
    pub(crate) key_id: Shown,
    /// Where it is held, in words.
    pub(crate) origin: Shown,
    /// Start of validity.
    pub(crate) starts_at: Option<Moment>,
    /// End of validity.
    pub(crate) ends_at: Option<Moment>,
    /// Last use.
    pub(crate) last_used: Option<Moment>,
}

impl Roster {
    /// The identities of a report.
    pub(crate) fn new(report: &HealthReport, links: &Links<'_>) -> Self {
        let findings = grouped(&report.findings, |finding| finding.subject.as_str());
        let rows: Vec<RosterRow> = report
            .identities
            .iter()
            .take(IDENTITIES_LISTED_MAX)
            .map(|row| RosterRow::new(row, report.as_of, &findings, links))
            .collect();
        let details: Vec<IdentityView> = report
            .identities
            .iter()
            .take(IDENTITIES_LISTED_MAX)
            .enumerate()
            .filter_map(|(index, row)| {
                let place = links.identity(&row.stream)?;
                let mut view = IdentityView::new(row, place, report.as_of, &findings, links);
                view.on_paper = index < IDENTITIES_OPEN_MAX;
                Some(view)
            })
            .collect();
        let mut open = rows;
        let folded = open.split_off(open.len().min(IDENTITIES_OPEN_MAX));
        Self {
            folded_count: counted(length(&folded), "other identity", "other identities"),
            left_out: left_out(report.identities.len()),
            untold: untold(open.len() + folded.len(), details.len()),
            open,
            folded,
            details,
        }
    }
}

fn left_out(identities: usize) -> Option<String> {
    (identities > IDENTITIES_LISTED_MAX).then(|| {
        let listed = thousands(u64::try_from(IDENTITIES_LISTED_MAX).unwrap_or(u64::MAX));
        let all = thousands(u64::try_from(identities).unwrap_or(u64::MAX));
        format!(
            "This page lists {listed} of {all} identities, worst first; \
             the JSON form of this report has all of them."
        )
    })
}

/// Says which of the listed identities have no details, and why.
fn untold(listed: usize, told: usize) -> Option<String> {
    let count = u64::try_from(listed.saturating_sub(told)).unwrap_or(u64::MAX);
    let count = (count > 0).then(|| counted(count, "identity", "identities"))?;
    Some(if told < IDENTITIES_TOLD_MAX {
        format!("Without details: {count} on tier 2 in which nothing was found.")
    } else {
        format!("Without details here, but in the JSON form of this report: {count}.")
    })
}

type Findings<'a> = BTreeMap<&'a str, Vec<&'a Finding>>;

fn of<'a, 'b>(findings: &'b Findings<'a>, stream: &str) -> &'b [&'a Finding] {
    findings.get(stream).map_or(&[], Vec::as_slice)
}

impl RosterRow {
    fn new(
        row: &IdentityRow,
        as_of: Timestamp,
        findings: &Findings<'_>,
        links: &Links<'_>,
    ) -> Self {
        let worst = of(findings, &row.stream).first();
        let evidence = worst.map_or(row.evidence.as_slice(), |finding| {
            finding.evidence.positions()
        });
        let more = u64::from(row.findings).saturating_sub(1);
        Self {
            name: Shown::name_cut(&row.name, NAME_LETTERS_MAX),
            place: links.identity(&row.stream),
            class: class_in_words(&row.class),
            enabled: row.enabled,
            tier: row.tier,
            tier_reason: Shown::cut(&row.tier_reason, PHRASE_LETTERS_MAX),
            mark: row.worst.map(Mark::from),
            worst: Shown::cut(
                worst.map_or("", |finding| &finding.statement),
                PHRASE_LETTERS_MAX,
            ),
            more: (more > 0 && worst.is_some()).then(|| format!("and {} more", thousands(more))),
            owners: owners_in_words(&row.owners),
            orphan: row.owners.is_empty(),
            last_used: row.last_used.map(|at| Moment::new(at, as_of)),
            evidence: Positions::first(evidence, 2),
        }
    }
}

impl IdentityView {
    fn new(
        row: &IdentityRow,
        place: String,
        as_of: Timestamp,
        findings: &Findings<'_>,
        links: &Links<'_>,
    ) -> Self {
        let most = DETAILS_PER_IDENTITY_MAX;
        Self {
            place,
            on_paper: false,
            heading: Shown::name_cut(&row.name, NAME_LETTERS_MAX),
            name: Shown::name(&row.name),
            object_id: Shown::whole(&row.object_id),
            stream: Shown::whole(&row.stream),
            class: class_in_words(&row.class),
            tier: row.tier,
            tier_reason: Shown::whole(&row.tier_reason),
            enabled: row.enabled,
            mark: row.worst.map(Mark::from),
            count: counted(u64::from(row.findings), "finding", "findings"),
            last_used: row.last_used.map(|at| Moment::new(at, as_of)),
            owners: Listed::new(&row.owners, most, |owner| Shown::whole(owner)),
            findings: Listed::new(of(findings, &row.stream), most, |finding| {
                FindingView::new(finding, links)
            }),
            credentials: Listed::new(&row.credentials, most, |credential| {
                CredentialView::new(credential, as_of)
            }),
            grants: Listed::new(&row.grants, most, |grant| Shown::whole(grant)),
            evidence: Positions::first(&row.evidence, POSITIONS_MAX * 3),
        }
    }
}

impl CredentialView {
    fn new(row: &CredentialRow, as_of: Timestamp) -> Self {
        let moment = |at: Option<Timestamp>| at.map(|at| Moment::new(at, as_of));
        Self {
            kind: Shown::words(&row.kind).capital(),
            key_id: Shown::whole(&row.key_id),
            origin: Shown::words(&row.origin),
            starts_at: moment(row.starts_at),
            ends_at: moment(row.ends_at),
            last_used: moment(row.last_used),
        }
    }
}

fn owners_in_words(owners: &[String]) -> String {
    if owners.is_empty() {
        "nobody".to_owned()
    } else {
        counted(length(owners), "owner", "owners")
    }
}

fn class_in_words(class: &str) -> Shown {
    match class {
        "single_tenant" => Shown::whole("own app, this tenant only"),
        "multi_tenant" => Shown::whole("own app, open to other tenants"),
        "third_party" => Shown::whole("another organisation’s app"),
        "microsoft" => Shown::whole("Microsoft app"),
        "agent" => Shown::whole("agent identity"),
        other => Shown::cut(&other.replace('_', " "), PHRASE_LETTERS_MAX),
    }
}
