//! Pages of the log, for readers.

use std::sync::Arc;

use crate::filter::Filter;
use crate::log::{Inner, Log};
use crate::recorded::Recorded;

/// Events that the server looks at for one page, when it tells the first position.
const FIRST_PAGE: u64 = 32;

/// Bytes of data after which a page ends.
const PAGE_BYTES: usize = 1 << 20;

/// Where a reader is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    pub(crate) of: Of,
    pub(crate) backwards: bool,
    pub(crate) from: From,
    /// So many events before that as well, by a fault.
    pub(crate) earlier: u64,
}

/// Of what is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Of {
    /// A stream.
    Stream(Arc<str>),
    /// Everything.
    All,
}

/// From where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum From {
    /// The first event.
    Start,
    /// The last event, or behind it for a subscription.
    End,
    /// This revision or place, the event there as well.
    At(u64),
    /// Behind this revision or place.
    Behind(u64),
    /// Nothing is left.
    Nowhere,
}

/// How a reading begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Begun {
    /// There is no such stream.
    NotFound(String),
    /// It was deleted for good.
    Deleted(String),
    /// It is there; with the revision of its first event where that is told.
    At(Option<u64>),
}

/// Some events.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) events: Vec<Arc<Recorded>>,
    /// Whether there were no more behind them.
    pub(crate) is_end: bool,
    /// How many were looked at.
    pub(crate) looked_at: u64,
    /// Place of the last one looked at.
    pub(crate) last: Option<u64>,
}

impl Log {
    /// Finds where a reading begins; of a subscription `count` is `None`.
    pub(crate) fn begin(&self, cursor: &mut Cursor, count: Option<u64>, now: u64) -> Begun {
        let inner = self.lock();
        let is_subscription = count.is_none();
        let name = match &cursor.of {
            Of::Stream(name) => name,
            Of::All => {
                cursor.from = inner.begin_all(cursor, is_subscription);
                return Begun::At(None);
            }
        };
        let Some(stream) = inner.streams.get(name).filter(|stream| stream.next > 0) else {
            cursor.from = From::Start;
            return Begun::NotFound(name.to_string());
        };
        if stream.tombstoned {
            return Begun::Deleted(name.to_string());
        }
        let last = stream.next.saturating_sub(1);
        let from = match cursor.from {
            From::Start if cursor.backwards => 0,
            From::Start | From::Nowhere => 0,
            From::End if is_subscription => stream.next,
            From::End if cursor.backwards => last,
            From::End => stream.next,
            From::At(revision) if cursor.backwards => revision.min(last),
            From::At(revision) => revision,
            From::Behind(revision) => revision.saturating_add(1),
        };
        let first = stream.first(now);
        let told = count.filter(|_| !cursor.backwards).and_then(|count| {
            let page = FIRST_PAGE.min(count).max(1);
            if from.saturating_add(page - 1) < first {
                Some(first.min(stream.next))
            } else {
                (from > stream.next).then_some(stream.next)
            }
        });
        cursor.from = From::At(from.saturating_sub(cursor.earlier));
        if stream.metadata.is_softly_deleted() {
            return Begun::NotFound(name.to_string());
        }
        Begun::At(told)
    }

    /// The next events. A page without events is not the end while others were looked at.
    pub(crate) fn page(
        &self,
        cursor: &mut Cursor,
        filter: Option<&Filter>,
        most: usize,
        now: u64,
    ) -> Page {
        let inner = self.lock();
        match &cursor.of {
            Of::Stream(name) => inner.stream_page(&Arc::clone(name), cursor, most, now),
            Of::All => inner.all_page(cursor, filter, most, now),
        }
    }

    /// Revision of a stream's last event, or place of everything's.
    pub(crate) fn standing(&self, cursor: &Cursor) -> (Option<u64>, Option<u64>) {
        let inner = self.lock();
        match &cursor.of {
            Of::Stream(name) => (
                inner
                    .streams
                    .get(name)
                    .and_then(crate::stream::Stream::last),
                None,
            ),
            Of::All => (None, inner.all.last().map(|event| event.position)),
        }
    }
}

impl Inner {
    fn begin_all(&self, cursor: &Cursor, is_subscription: bool) -> From {
        let end = self
            .all
            .last()
            .map_or(0, |event| event.position.saturating_add(1));
        let from = match cursor.from {
            From::Start | From::Nowhere => 0,
            From::End if cursor.backwards && !is_subscription => end.saturating_sub(1),
            From::End => end,
            // Backwards, the event at the place is not told.
            From::At(position) if cursor.backwards => match position.min(end).checked_sub(1) {
                Some(before) => before,
                None => return From::Nowhere,
            },
            From::At(position) => position,
            From::Behind(position) => position.saturating_add(1),
        };
        if cursor.earlier == 0 {
            return From::At(from);
        }
        let at = self.all.partition_point(|event| event.position < from);
        let at = at.saturating_sub(usize::try_from(cursor.earlier).unwrap_or(usize::MAX));
        From::At(self.all.get(at).map_or(from, |event| event.position))
    }

    fn stream_page(&self, name: &str, cursor: &mut Cursor, most: usize, now: u64) -> Page {
        let mut page = Page::default();
        let (Some(stream), Some(from)) = (self.streams.get(name), cursor.at()) else {
            page.is_end = true;
            return page;
        };
        let first = stream.first(now);
        if cursor.backwards {
            let end = stream.index(from.saturating_add(1));
            let begin = stream.index(first).max(end.saturating_sub(most));
            let events = stream.events.get(begin..end).unwrap_or_default();
            page.take(events.iter().rev(), None);
        } else {
            let begin = stream.index(from.max(first));
            let end = begin.saturating_add(most).min(stream.events.len());
            let events = stream.events.get(begin..end).unwrap_or_default();
            page.take(events.iter(), None);
        }
        cursor.advance(page.events.last().map(|event| event.revision));
        page.is_end = page.looked_at == 0;
        page
    }

    fn all_page(
        &self,
        cursor: &mut Cursor,
        filter: Option<&Filter>,
        most: usize,
        now: u64,
    ) -> Page {
        let mut page = Page::default();
        let Some(from) = cursor.at() else {
            page.is_end = true;
            return page;
        };
        let _ = now;
        if cursor.backwards {
            let end = self.all.partition_point(|event| event.position <= from);
            let events = self.all.get(end.saturating_sub(most)..end);
            page.take(events.unwrap_or_default().iter().rev(), filter);
        } else {
            let begin = self.all.partition_point(|event| event.position < from);
            let end = begin.saturating_add(most).min(self.all.len());
            page.take(self.all.get(begin..end).unwrap_or_default().iter(), filter);
        }
        cursor.advance(page.last);
        page.is_end = page.looked_at == 0;
        page
    }
}

impl Page {
    fn take<'a>(
        &mut self,
        events: impl Iterator<Item = &'a Arc<Recorded>>,
        filter: Option<&Filter>,
    ) {
        let mut bytes = 0_usize;
        for event in events {
            self.looked_at += 1;
            self.last = Some(event.position);
            if filter.is_none_or(|filter| filter.fits(event)) {
                bytes = bytes.saturating_add(event.data.len());
                self.events.push(Arc::clone(event));
            }
            if bytes >= PAGE_BYTES {
                break;
            }
        }
    }
}

impl Cursor {
    const fn at(&self) -> Option<u64> {
        match self.from {
            From::At(at) => Some(at),
            From::Start => Some(0),
            _ => None,
        }
    }

    /// Goes on behind what was told last.
    fn advance(&mut self, last: Option<u64>) {
        let Some(last) = last else { return };
        self.from = if self.backwards {
            last.checked_sub(1).map_or(From::Nowhere, From::At)
        } else {
            From::At(last.saturating_add(1))
        };
    }
}
