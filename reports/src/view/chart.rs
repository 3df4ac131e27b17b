//! Charts as inline SVG: a line small enough for a tile, and columns of the last twelve months.
//!
//! Whole numbers only, in the units of the view box; the browser scales.

use crate::finding::Severity;
use crate::health::TrendPoint;

use super::mark::{Mark, WORST_FIRST};
use super::moment::month_ended;
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
    /// The line of a severity; `None` when two points are not there.
    pub(crate) fn new(trend: &[TrendPoint], severity: Severity) -> Option<Self> {
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
}

/// Width of one column and the gap beside it.
const COLUMN_PITCH: u64 = 10;

impl Columns {
    /// Columns of a trend; `None` when two points are not there or nothing was ever found.
    pub(crate) fn new(trend: &[TrendPoint]) -> Option<Self> {
        let top = trend.iter().map(total).max()?;
        if trend.len() < 2 || top == 0 {
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
            .map(|severity| thousands(count(point, severity)))
            .to_vec(),
        total: thousands(total(point)),
    }
}

fn month_and_year(point: &TrendPoint) -> String {
    let (month, year) = month_ended(point.at);
    format!("{month} {year}")
}

fn count(point: &TrendPoint, severity: Severity) -> u64 {
    point
        .by_severity
        .get(&severity)
        .copied()
        .map_or(0, u64::from)
}

fn total(point: &TrendPoint) -> u64 {
    point.by_severity.values().copied().map(u64::from).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trend(counts: &[u32]) -> Vec<TrendPoint> {
        (1..)
            .zip(counts)
            .map(|(month, &count)| TrendPoint {
                at: format!("2026-{month:02}-01T00:00:00Z").parse().unwrap(),
                by_severity: [(Severity::Critical, count), (Severity::Low, 1)].into(),
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
        let columns = Columns::new(&trend(&[1, 3])).unwrap();
        let heights: Vec<u64> = columns
            .months
            .iter()
            .map(|column| column.blocks.iter().map(|block| block.height).sum())
            .collect();
        assert_eq!(heights, [50, 100]);
        assert_eq!(columns.months[0].year, 2025);
        assert!(columns.months[1].year_shown);
        assert_eq!(Columns::new(&[]), None);
    }
}
