//! Opening the store: by its edge, from what is known of the rest.

use std::io;
use std::path::Path;

use super::file::{SegmentFile, list, name_of};
use super::frame::Header;
use super::index::Index;
use super::recover::{Extent, Met, Rest, Visit, cut_torn, footer, walk};
use super::{SegmentOptions, SegmentStore, damaged, io_error, sync_dir};
use crate::hash::Hash;
use crate::store::StoreError;

/// What is known of a store before it is opened: the indexes of its segments up to some commit,
/// and how far that reaches in the last of them.
#[derive(Debug, Default)]
pub(crate) struct Known {
    pub(crate) indexes: Vec<Index>,
    pub(crate) extent: Option<Extent>,
}

/// Is shown the records of a store that is opened, in order.
pub(crate) trait Follow {
    fn record(&mut self, met: &Met<'_>);

    /// The end of a batch, and the indexes up to here.
    fn commit(&mut self, extent: &Extent, indexes: &[Index]);
}

/// Follows nothing.
pub(super) struct NoOne;

impl Follow for NoOne {
    fn record(&mut self, _met: &Met<'_>) {}

    fn commit(&mut self, _extent: &Extent, _indexes: &[Index]) {}
}

/// Walks segments and makes their indexes.
struct Walker<'f> {
    indexes: Vec<Index>,
    follow: &'f mut dyn Follow,
}

impl Visit for Walker<'_> {
    fn record(&mut self, met: &Met<'_>) {
        if let Some(index) = self.indexes.last_mut() {
            index.push(met.offset);
        }
        self.follow.record(met);
    }

    fn commit(&mut self, extent: &Extent) {
        if let Some(index) = self.indexes.last_mut() {
            index.set_end(extent.end);
        }
        self.follow.commit(extent, &self.indexes);
    }
}

impl Walker<'_> {
    /// Begins a segment of which nothing is known.
    fn begin(&mut self, header: &Header) -> Extent {
        let extent = Extent::of_header(header);
        self.indexes.push(Index::new(header.first, extent.end));
        extent
    }

    /// Walks the rest of a segment.
    fn walk(
        &mut self,
        dir: &Path,
        segment: &SegmentFile,
        mut extent: Extent,
        is_last: bool,
    ) -> Result<Extent, StoreError> {
        let fail = |source| io_error(segment.first, source);
        match walk(segment, &mut extent, self).map_err(fail)? {
            Rest::Clean if extent.seal.is_some() => {}
            Rest::Clean if is_last && !segment.is_packed() => {}
            Rest::Torn if is_last && !segment.is_packed() => {
                cut_torn(dir, segment, extent.end).map_err(fail)?;
            }
            Rest::Clean | Rest::Torn | Rest::Damaged => {
                return Err(damaged(segment, extent.end, extent.next));
            }
        }
        Ok(extent)
    }
}

/// What the header of the next segment must say, by the footer of one.
fn after(segment: &SegmentFile, header: &Header) -> Result<Header, StoreError> {
    let seal = footer(segment).map_err(|source| io_error(segment.first, source))?;
    let seal = seal.filter(|seal| seal.first == segment.first);
    let next = seal.and_then(|seal| Some((seal.first.checked_add(seal.count)?, seal.head_chain)));
    match next {
        Some((first, prev_chain)) => Ok(Header {
            first,
            prev_chain,
            ..*header
        }),
        None => Err(damaged(segment, 0, segment.first)),
    }
}

impl SegmentStore {
    /// Opens the store, cutting a torn tail off and finishing an interrupted roll-over. Records
    /// behind what is known are shown to `follow`; of what is known only headers and footers are
    /// read. Nothing is hashed.
    pub(crate) fn open(
        dir: &Path,
        (ledger_id, genesis): ([u8; 16], Hash),
        options: SegmentOptions,
        known: Known,
        follow: &mut dyn Follow,
    ) -> Result<Self, StoreError> {
        let firsts = list(dir).map_err(|source| io_error(0, source))?;
        let Some((last, sealed)) = firsts.split_last() else {
            return Err(StoreError::Io {
                file: name_of(0),
                source: io::ErrorKind::NotFound.into(),
            });
        };
        let mut expected = Header {
            ledger_id,
            first: 0,
            prev_chain: genesis,
            pruned: false,
        };
        let Known { indexes, extent } = known;
        let mut begin = extent.zip(indexes.last().map(Index::first));
        let mut walker = Walker { indexes, follow };
        for first in sealed.iter().chain([last]) {
            let fail = |source| io_error(*first, source);
            let segment = SegmentFile::open_for_writing(dir, *first).map_err(fail)?;
            let header = segment.header().map_err(fail)?.map(Header::unpruned);
            if header != Some(expected) || *first != expected.first {
                return Err(damaged(&segment, 0, expected.first));
            }
            let is_last = first == last;
            if is_last {
                // What a writer that was killed left in the memory of the machine only is from here
                // on taken for durable, by `follow` as well: the end of the ledger, and the names.
                segment.file.sync_all().map_err(fail)?;
                sync_dir(dir).map_err(fail)?;
            }
            if begin.as_ref().is_some_and(|(_, at)| first < at) {
                expected = after(&segment, &expected)?;
                continue;
            }
            let extent = match begin.take() {
                Some((extent, _)) => extent,
                None => walker.begin(&expected),
            };
            let extent = walker.walk(dir, &segment, extent, is_last)?;
            expected.first = extent.next;
            expected.prev_chain = extent.head_chain;
            if is_last {
                return Self::at(dir, segment, extent, walker.indexes, (ledger_id, options));
            }
        }
        Err(StoreError::Expected {
            expected: *last,
            actual: expected.first,
        })
    }
}
