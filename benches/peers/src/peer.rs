//! What each store is asked to do.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::work::Rows;

/// A store that events are appended to, durably, each id once.
pub(crate) trait Peer {
    fn name(&self) -> &'static str;

    /// Appends batch after batch to a new store in a folder, each one durable commit.
    fn append(&self, folder: &Path, batches: &[Rows]) -> Duration;

    /// Appends with one caller for each of these, all at once, every row a durable commit; `None`
    /// for a store that has no answer to several callers but a lock around it.
    fn together(&self, folder: &Path, callers: &[Rows]) -> Duration;

    /// Reads every payload of a store that [`Peer::append`] made, in order: how many there were.
    fn scan(&self, folder: &Path) -> Option<(u64, Duration)>;
}

/// Times callers that begin together.
pub(crate) fn all_at_once(callers: &[Rows], call: impl Fn(&Rows) + Sync) -> Duration {
    let start = Instant::now();
    std::thread::scope(|scope| {
        for rows in callers {
            scope.spawn(|| call(rows));
        }
    });
    start.elapsed()
}
