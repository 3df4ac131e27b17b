//! Opening a ledger for writing: by its edge, from what the index tells of the rest.

use std::path::Path;

use super::OpenError;
use crate::decide::Head;
use crate::entry::Entry;
use crate::event::Position;
use crate::hash;
use crate::history::{History, Mark};
use crate::segment::index::Index;
use crate::segment::recover::{Extent, Met};
use crate::segment::{Follow, Known, SegmentOptions, SegmentStore};
use crate::store::Store as _;
use crate::streams::{StreamHead, Streams};

/// Opens the store and what is known of its history, and moves the head to its end. What the
/// index does not tell is read from the entries.
pub(crate) fn open(
    dir: &Path,
    head: &mut Head,
    sizes: SegmentOptions,
) -> Result<(History, SegmentStore), OpenError> {
    let of = (head.ledger_id, hash::genesis(&head.origin));
    let (mut history, places) = History::open(dir, of.0, sizes.index_events)?;
    let known = history.known(places).unwrap_or_else(|| {
        history.clear();
        Known::default()
    });
    head.recorded_at_ms = 0;
    head.streams = Streams::default();
    if let Some(mark) = history.mark() {
        head.recorded_at_ms = mark.recorded_at_ms;
        head.streams = Streams::of(mark.streams);
    }
    let mut learning = Learning {
        head: &mut *head,
        history: &mut history,
        misfit: None,
    };
    let store = SegmentStore::open(dir, of, sizes, known, &mut learning)?;
    if let Some(position) = learning.misfit {
        return Err(OpenError::Entry { position });
    }
    head.size = store.size();
    head.chain = store.head_chain();
    Ok((history, store))
}

/// Writes a run of what came since the last one. One that cannot be written is tried again later:
/// nothing is lost, the index follows from the entries.
pub(crate) fn keep(head: &mut Head, history: &mut History, extent: &Extent, indexes: &[Index]) {
    let from = history.next();
    let behind = indexes.partition_point(|index| index.next() <= from);
    let behind = indexes.get(behind..).unwrap_or_default();
    let Some(last) = behind.last() else {
        return;
    };
    let mark = Mark {
        first: from,
        next: extent.next,
        segment: last.first(),
        end: extent.end,
        chain: extent.head_chain,
        times: extent.times,
        recorded_at_ms: head.recorded_at_ms,
        streams: head.streams.count(),
        encrypted: false,
    };
    let pieces = behind
        .iter()
        .filter_map(|index| index.piece(from))
        .collect();
    let written = history.write_run(mark, pieces, head.streams.known());
    if written.is_ok() && head.streams.known().len() > STREAMS_KEPT {
        head.streams.forget();
    }
}

/// Newest events of streams that are kept in memory when a run has them too: some 30 MB.
const STREAMS_KEPT: usize = 1 << 18;

/// Learns from the entries behind the runs.
struct Learning<'a> {
    head: &'a mut Head,
    history: &'a mut History,
    /// Position of the first entry that does not fit its ledger.
    misfit: Option<Position>,
}

impl Follow for Learning<'_> {
    fn record(&mut self, met: &Met<'_>) {
        let entry = Entry::decode(met.entry).ok();
        let entry = entry.filter(|entry| entry.ledger_id == self.head.ledger_id);
        let Some(entry) = entry else {
            self.misfit.get_or_insert(met.position);
            return;
        };
        self.history
            .learn(entry.event_id, entry.position, entry.flags);
        let stream = StreamHead {
            no: entry.stream_no,
            revision: entry.revision,
            position: entry.position,
        };
        if !self.head.streams.learn(entry.stream_id, stream) {
            self.misfit.get_or_insert(met.position);
        }
        self.head.recorded_at_ms = self.head.recorded_at_ms.max(entry.recorded_at_ms);
    }

    fn commit(&mut self, extent: &Extent, indexes: &[Index]) {
        if self.history.is_due() {
            keep(self.head, self.history, extent, indexes);
        }
    }
}
