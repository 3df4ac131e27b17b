//! What the health page says, in words and in order, before any markup.
//!
//! The view decides what is shown, what is cut and what is left out; the templates only lay it
//! out. Text of the tenant goes through [`shown::Shown`]. Deliberately not here: any question the
//! checks have not already answered.

mod catalogue;
mod chart;
mod expiry;
mod finding;
mod identity;
mod links;
mod mark;
mod moment;
mod number;
mod outline;
mod positions;
mod shown;

use crate::health::HealthReport;

use catalogue::Catalogue;
use chart::Columns;
use expiry::Expiry;
use identity::{Listed, Roster};
use links::Links;
use outline::{ActionView, ChangesView, Coverage, Spread, Strip, Tiles};

/// Identities in the open part of the table; enough for a first look, short enough to print.
const IDENTITIES_OPEN_MAX: usize = 50;
/// Identities listed at all. A row takes 1 kB, so that the table stays below 2 MB.
const IDENTITIES_LISTED_MAX: usize = 2_000;
/// Identities told in detail. Details take 3 kB each, so that the page stays below 6 MB, which a
/// telephone still opens.
const IDENTITIES_TOLD_MAX: usize = 1_000;
/// Findings listed below one check.
const FINDINGS_PER_CHECK_MAX: usize = 200;
/// Findings, credentials and powers listed for one identity.
const DETAILS_PER_IDENTITY_MAX: usize = 60;
/// Actions in the open list.
const ACTIONS_MAX: usize = 10;
/// Subjects named in one action.
const SUBJECTS_PER_ACTION_MAX: usize = 3;
/// Positions named beside one fact.
const POSITIONS_MAX: usize = 4;
/// Letters of a name in a table.
const NAME_LETTERS_MAX: usize = 48;
/// Letters of a phrase in a table.
const PHRASE_LETTERS_MAX: usize = 90;

/// The whole page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HealthView {
    /// What the report is about and made from.
    pub(crate) strip: Strip,
    /// What was looked at.
    pub(crate) coverage: Coverage,
    /// Headline figures.
    pub(crate) tiles: Tiles,
    /// What to do first.
    pub(crate) actions: Listed<ActionView>,
    /// What changed.
    pub(crate) changes: Option<ChangesView>,
    /// Why nothing is compared, when it is not.
    pub(crate) uncompared: String,
    /// Findings by severity, now and before.
    pub(crate) spread: Spread,
    /// Findings over the last months.
    pub(crate) columns: Option<Columns>,
    /// Credentials by the end of their validity.
    pub(crate) expiry: Option<Expiry>,
    /// The identities.
    pub(crate) roster: Roster,
    /// The checks.
    pub(crate) catalogue: Catalogue,
}

impl HealthView {
    /// The view of a report.
    pub(crate) fn new(report: &HealthReport) -> Self {
        let links = Links::new(report);
        Self {
            strip: Strip::new(report),
            coverage: Coverage::new(report),
            tiles: Tiles::new(report),
            actions: Listed::new(&report.actions, ACTIONS_MAX, |action| {
                ActionView::new(action, &links)
            }),
            changes: report.changes.as_ref().map(ChangesView::new),
            uncompared: outline::uncompared(report),
            spread: Spread::new(report),
            columns: Columns::new(&report.summary.trend, report.summary.watched_since),
            expiry: Expiry::new(report),
            roster: Roster::new(report, &links),
            catalogue: Catalogue::new(report, &links),
        }
    }
}
