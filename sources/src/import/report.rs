//! What became of a file's records.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::event::book::RecordCounts;
use ledger::{Event, Precision};

use super::propose::Ending;
use crate::outcome::Rejection;
use crate::shape::Shape;

/// Distinct names of skipped activities that are told apart; the names are the file's own words.
const NAMES_MAX: usize = 500;
/// Name under which further activities are counted together.
const OTHER_NAMES: &str = "(other activities)";

/// What became of a file's records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileReport {
    /// Counts of its records: they add up.
    pub counts: RecordCounts,
    /// Events appended to the ledger, `ledger.imported` included.
    pub events: u64,
    /// Records skipped, by activity or category.
    pub skipped: BTreeMap<String, u64>,
    /// Records read, by source, such as `graph/directoryAudit`.
    pub categories: BTreeMap<String, u64>,
    /// Earliest and latest time its records give.
    pub window: Option<(Timestamp, Timestamp)>,
    /// Its length in bytes.
    pub bytes: u64,
    /// BLAKE3 of its bytes, hex.
    pub digest: String,
}

/// The counts so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    report: FileReport,
}

impl Tally {
    /// Takes the time of an event into the window, when the source gave it.
    pub(super) fn see(&mut self, event: &Event) {
        if event.precision != Precision::Exact {
            return;
        }
        let at = event.occurred_at;
        let (first, last) = self.report.window.unwrap_or((at, at));
        self.report.window = Some((first.min(at), last.max(at)));
    }

    /// Counts the events that are new in the ledger.
    pub(super) fn appended(&mut self, news: &[bool]) {
        let count = news.iter().filter(|is_news| **is_news).count();
        self.report.events += u64::try_from(count).unwrap_or(u64::MAX);
    }

    /// Counts one record.
    pub(super) fn count(
        &mut self,
        (line, shape): (u64, Option<Shape>),
        ending: Ending,
        news: &[bool],
        reject: &mut dyn FnMut(Rejection),
    ) {
        let counts = &mut self.report.counts;
        counts.records += 1;
        if let Some(shape) = shape.filter(|_| !matches!(ending, Ending::Rejected(_))) {
            *self
                .report
                .categories
                .entry(shape.source().to_owned())
                .or_default() += 1;
        }
        match ending {
            Ending::Events(events) => {
                let mut events = events.iter();
                if events.any(|event| news.get(*event).copied().unwrap_or(false)) {
                    counts.imported += 1;
                } else {
                    counts.duplicates += 1;
                }
            }
            Ending::Unchanged => counts.duplicates += 1,
            Ending::Skipped(name) => {
                counts.skipped += 1;
                self.skip(name);
            }
            Ending::Rejected(reason) => {
                counts.rejections += 1;
                reject(Rejection {
                    line,
                    reason: reason.to_string(),
                });
            }
        }
    }

    fn skip(&mut self, name: String) {
        let skipped = &mut self.report.skipped;
        let is_full = skipped.len() >= NAMES_MAX && !skipped.contains_key(&name);
        let name = if is_full {
            OTHER_NAMES.to_owned()
        } else {
            name
        };
        *skipped.entry(name).or_default() += 1;
    }

    pub(super) fn report(self, bytes: u64, digest: String) -> FileReport {
        FileReport {
            bytes,
            digest,
            ..self.report
        }
    }
}
