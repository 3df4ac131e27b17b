//! Charts as inline SVG: a line small enough for a tile, and columns of the last twelve months.
//!
//! Whole numbers only, in the units of the view box; the browser scales.

use jiff::Timestamp;

use crate::finding::Severity;
use crate::health::TrendPoint;

use super::mark::{Mark, WORST_FIRST};
use super::moment::{day, month_ended};
use super::number::thousands;

/// Width of the line's view box.
const LINE_WIDTH: u64 = 120;
/// Height of the line's view box.
const LINE_HEIGHT: u64 = 28;
/// Room for half the line's thickness and for the dot at its end.
const LINE_MARGIN: u64 = 3;
/// Height of the columns' view box.
const COLUMN_HEIGHT: u64 = 100;

/// A line of one severity over time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Points of the polyline.
    pub(crate) points: String,
    /// Points of the area below it.
    pub(crate) area: String,
    /// Where the line ends.
    pub(crate) end: (u64, u64),
    /// The same in words.
    pub(crate) label: String,
    /// First month.
    pub(crate) from: String,
    /// Last month.
    pub(crate) to: String,
}

impl Line {
    /// The line of a severity over the months that were watched; `None` when two are not there.
    pub(crate) fn new(trend: &[TrendPoint], severity: Severity) -> Option<Self> {
        let trend: Vec<&TrendPoint> = trend.iter().filter(|point| is_watched(point)).collect();
        let (first, last) = (trend.first()?, trend.last()?);
        let counts: Vec<u64> = trend.iter().map(|point| count(point, severity)).collect();
        let steps = u64::try_from(counts.len().checked_sub(1)?).ok()?;
        let top = counts.iter().copied().max()?.max(1);
        if steps == 0 {
            return None;
        }
        let span = LINE_WIDTH - 2 * LINE_MARGIN;
        let rise = LINE_HEIGHT - 2 * LINE_MARGIN;
        let base = LINE_HEIGHT - LINE_MARGIN;
        let places: Vec<(u64, u64)> = (0..)
            .zip(&counts)
            .map(|(step, count)| (LINE_MARGIN + span * step / steps, base - rise * count / top))
            .collect();
        let points = places
            .iter()
            .map(|(x, y)| format!("{x},{y}"))
            .collect::<Vec<_>>()
            .join(" ");
        let end = *places.last()?;
        let told: Vec<String> = counts.iter().map(|&count| thousands(count)).collect();
        Some(Self {
            area: format!(
                "{LINE_MARGIN},{LINE_HEIGHT} {points} {},{LINE_HEIGHT}",
                end.0
            ),
            points,
            end,
            label: format!(
                "{} findings at the end of each of the last {} months, oldest first: {}",
                Mark::from(severity).word,
                counts.len(),
                told.join(", ")
            ),
            from: month_and_year(first),
            to: month_and_year(last),
        })
    }
}

/// One month as a column, worst severity at the bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    /// Month, such as `Oct`.
    pub(crate) month: String,
    /// Year of the month.
    pub(crate) year: i16,
    /// Whether the year is worth writing: the first column, and each January.
    pub(crate) year_shown: bool,
    /// Left edge.
    pub(crate) x: u64,
    /// Blocks of the column: severity, top edge, height.
    pub(crate) blocks: Vec<Block>,
    /// Findings by severity, worst first.
    pub(crate) counts: Vec<String>,
    /// All findings.
    pub(crate) total: String,
}

/// Part of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Block {
    /// Severity.
    pub(crate) mark: Mark,
    /// Top edge.
    pub(crate) y: u64,
    /// Height.
    pub(crate) height: u64,
}

/// Columns of the last months.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Columns {
    /// The columns, oldest first.
    pub(crate) months: Vec<Column>,
    /// Width of the view box.
    pub(crate) width: u64,
    /// The highest column.
    pub(crate) top: String,
    /// Why the first months are empty, when they are.
    pub(crate) unwatched: Option<String>,
}

/// Width of one column and the gap beside it.
const COLUMN_PITCH: u64 = 10;

impl Columns {
    /// Columns of a trend; `None` when two months were not watched or nothing was ever found.
    /// A month that was not watched has an empty column: to count there would look like a fact.
    pub(crate) fn new(trend: &[TrendPoint], watched_since: Option<Timestamp>) -> Option<Self> {
        let watched = trend.iter().filter(|point| is_watched(point)).count();
        let top = trend.iter().map(total).max()?;
        if watched < 2 || top == 0 {
            return None;
        }
        let months: Vec<Column> = (0..)
            .zip(trend)
            .map(|(index, point)| column(index, point, top))
            .collect();
        let places = u64::try_from(months.len()).ok()?;
        Some(Self {
            width: places * COLUMN_PITCH,
            top: thousands(top),
            unwatched: watched_since
                .filter(|_| watched < trend.len())
                .map(|since| {
                    format!(
                        "Not assessed before {}: no source speaks for those days.",
                        day(since)
                    )
                }),
            months,
        })
    }
}

fn column(index: u64, point: &TrendPoint, top: u64) -> Column {
    let (month, year) = month_ended(point.at);
    let mut below = 0;
    let mut blocks = Vec::new();
    for severity in WORST_FIRST {
        let found = count(point, severity);
        // Edges are rounded, not heights, so that blocks meet and the sum is right.
        let (low, high) = (
            COLUMN_HEIGHT * below / top,
            COLUMN_HEIGHT * (below + found) / top,
        );
        if high > low {
            blocks.push(Block {
                mark: severity.into(),
                y: COLUMN_HEIGHT - high,
                height: high - low,
            });
        }
        below += found;
    }
    Column {
        year_shown: index == 0 || month == "Jan",
        month,
        year,
        x: index * COLUMN_PITCH + 1,
        blocks,
        counts: WORST_FIRST
            .map(|severity| told(point, count(point, severity)))
            .to_vec(),
        total: told(point, total(point)),
    }
}

fn month_and_year(point: &TrendPoint) -> String {
    let (month, year) = month_ended(point.at);
    format!("{month} {year}")
}

fn is_watched(point: &TrendPoint) -> bool {
    point.by_severity.is_some()
}

/// A number of a month, or a dash when nobody looked.
fn told(point: &TrendPoint, number: u64) -> String {
    if is_watched(point) {
        thousands(number)
    } else {
        "–".to_owned()
    }
}

fn count(point: &TrendPoint, severity: Severity) -> u64 {
    let counts = point.by_severity.as_ref();
    let found = counts.and_then(|counts| counts.get(&severity));
    found.copied().map_or(0, u64::from)
}

fn total(point: &TrendPoint) -> u64 {
    let counts = point.by_severity.iter().flat_map(|counts| counts.values());
    counts.copied().map(u64::from).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trend(counts: &[u32]) -> Vec<TrendPoint> {
        (1..)
            .zip(counts)
            .map(|(month, &count)| TrendPoint {
                at: format!("2026-{month:02}-01T00:00:00Z").parse().unwrap(),
                by_severity: Some([(Severity::Critical, count), (Severity::Low, 1)].into()),
            })
            .collect()
    }

    #[test]
    fn the_line_runs_from_edge_to_edge_and_starts_at_zero() {
        let line = Line::new(&trend(&[0, 2, 4]), Severity::Critical).unwrap();
        assert_eq!(line.points, "3,25 60,14 117,3");
        assert_eq!(line.end, (117, 3));
        assert_eq!(line.from, "Dec 2025");
        assert_eq!(
            line.label,
            "critical findings at the end of each of the last 3 months, oldest first: 0, 2, 4"
        );
    }

    #[test]
    fn a_line_of_nothing_lies_on_the_ground() {
        let line = Line::new(&trend(&[0, 0]), Severity::High).unwrap();
        assert_eq!(line.points, "3,25 117,25");
        assert_eq!(Line::new(&trend(&[5]), Severity::High), None);
        assert_eq!(Line::new(&[], Severity::High), None);
    }

    #[test]
    fn the_highest_column_fills_the_height() {
        let columns = Columns::new(&trend(&[1, 3]), None).unwrap();
        let heights: Vec<u64> = columns
            .months
            .iter()
            .map(|column| column.blocks.iter().map(|block| block.height).sum())
            .collect();
        assert_eq!(heights, [50, 100]);
        assert_eq!(columns.months[0].year, 2025);
        assert!(columns.months[1].year_shown);
        assert_eq!(Columns::new(&[], None), None);
    }

    #[test]
    fn months_that_nobody_watched_are_empty_and_the_page_says_why() {
        let mut trend = trend(&[9, 1, 3]);
        trend[0].by_severity = None;
        let since = Some("2026-01-20T00:00:00Z".parse().unwrap());
        let columns = Columns::new(&trend, since).unwrap();
        assert!(columns.months[0].blocks.is_empty());
        assert_eq!(
            (columns.months[0].total.as_str(), columns.top.as_str()),
            ("–", "4")
        );
        let why = columns.unwatched.unwrap();
        assert!(why.contains("before 20 January 2026"), "{why}");
        let line = Line::new(&trend, Severity::Critical).unwrap();
        assert_eq!(
            (line.from.as_str(), line.points.as_str()),
            ("Jan 2026", "3,18 117,3")
        );
        trend[1].by_severity = None;
        assert_eq!(Columns::new(&trend, since), None);
        assert_eq!(Line::new(&trend, Severity::Critical), None);
    }
}
