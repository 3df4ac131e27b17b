//! The log: every event of every stream, in memory, and who waits for the next.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use bytes::Bytes;

use crate::metadata::StreamMetadata;
use crate::recorded::{Proposed, Recorded};
use crate::stream::{Stream, Tail};
use crate::time::ticks;

/// Where a stream is expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Revision of its newest event.
    Revision(u64),
    /// There is none.
    NoStream,
    /// Anywhere.
    Any,
    /// Anywhere, but there.
    StreamExists,
}

impl Expected {
    /// The number the server has for it.
    pub(crate) fn number(self) -> i64 {
        match self {
            Self::Revision(revision) => i64::try_from(revision).unwrap_or(i64::MAX),
            Self::NoStream => -1,
            Self::Any => -2,
            Self::StreamExists => -4,
        }
    }
}

/// What came of an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is there, now or since an earlier try.
    Written {
        /// Revision of its last event; `None` when the stream has none.
        revision: Option<u64>,
        /// Place of its last event; `None` when it has none.
        position: Option<u64>,
    },
    /// The stream is elsewhere; nothing was appended.
    Elsewhere {
        /// Revision of the stream's newest event.
        current: Option<u64>,
    },
    /// The stream was deleted for good.
    Deleted,
}

/// The log: every event of every stream, in memory. Nodes of a cluster share one.
#[derive(Debug, Default)]
pub struct Log {
    inner: Mutex<Inner>,
    waiting: Mutex<Vec<Waker>>,
}

#[derive(Debug, Default)]
pub(crate) struct Inner {
    pub(crate) all: Vec<Arc<Recorded>>,
    pub(crate) streams: HashMap<Arc<str>, Stream>,
    kinds: HashMap<String, Arc<str>>,
    end: u64,
}

/// Bytes of the log before the first event.
const BEFORE: u64 = 1_000;

/// Bytes of an event's record beside its data.
const AROUND: u64 = 100;

impl Log {
    /// An empty one.
    pub fn new() -> Arc<Self> {
        Arc::new(Self::default())
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends, or finds that it is there already.
    pub fn append(
        &self,
        stream: &str,
        expected: Expected,
        events: Vec<Proposed>,
        now: u64,
    ) -> Outcome {
        let outcome = self.lock().append(stream, expected, events, now);
        self.wake();
        outcome
    }

    /// Deletes a stream softly: it can be begun again, where it ended.
    pub(crate) fn delete(&self, stream: &str, expected: Expected, now: u64) -> Outcome {
        let mut inner = self.lock();
        let outcome = match inner.may_delete(stream, expected) {
            Err(refused) => refused,
            Ok(()) => inner.truncate(stream, crate::metadata::SOFTLY_DELETED, now),
        };
        drop(inner);
        self.wake();
        outcome
    }

    /// Deletes a stream for good.
    pub(crate) fn tombstone(&self, stream: &str, expected: Expected, now: u64) -> Outcome {
        let mut inner = self.lock();
        if let Err(refused) = inner.may_delete(stream, expected) {
            return refused;
        }
        let end = Proposed {
            id: [0; 16],
            kind: "$streamDeleted".to_owned(),
            json: true,
            custom: Bytes::new(),
            data: Bytes::new(),
        };
        let outcome = inner.write(stream, vec![end], now);
        inner.stream_mut(stream).tombstoned = true;
        drop(inner);
        self.wake();
        outcome
    }

    /// Deletes a stream for good, whoever asks.
    pub fn delete_for_good(&self, name: &str) {
        let _deleted = self.tombstone(name, Expected::Any, ticks());
    }

    /// Keeps a waker until the next event is appended.
    pub(crate) fn wait(&self, waker: &Waker) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if !waiting.iter().any(|other| other.will_wake(waker)) {
            waiting.push(waker.clone());
        }
    }

    fn wake(&self) {
        let waiting =
            std::mem::take(&mut *self.waiting.lock().unwrap_or_else(PoisonError::into_inner));
        for waker in waiting {
            waker.wake();
        }
    }
}

/// Looking at the log, and tampering with it, as somebody could who has the server's files.
impl Log {
    /// Every event of a stream, truncated ones as well.
    pub fn stream(&self, name: &str) -> Vec<Recorded> {
        let inner = self.lock();
        let Some(stream) = inner.streams.get(name) else {
            return Vec::new();
        };
        stream
            .events
            .iter()
            .map(|event| (**event).clone())
            .collect()
    }

    /// Number of events in a stream, truncated ones as well.
    pub fn count(&self, name: &str) -> usize {
        self.lock()
            .streams
            .get(name)
            .map_or(0, |stream| stream.events.len())
    }

    /// Sets the metadata of a stream, as JSON: `$tb`, `$maxCount`, `$maxAge`, `$acl`.
    pub fn set_metadata(&self, name: &str, json: &str) {
        self.lock()
            .write_metadata(name, json.as_bytes().to_vec(), 0);
        self.wake();
    }

    /// Sets `$tb` of a stream: events before this revision are gone for readers.
    pub fn truncate_before(&self, name: &str, revision: u64) {
        self.lock().truncate(name, revision, 0);
        self.wake();
    }

    /// Fills the data of an event with 0xFF. False when there is no such event.
    pub fn redact(&self, name: &str, revision: u64) -> bool {
        self.change(name, revision, |event| {
            event.data = Bytes::from(vec![0xFF; event.data.len()]);
        })
    }

    /// Puts other data in place of an event's. False when there is no such event.
    pub fn replace(&self, name: &str, revision: u64, data: impl Into<Bytes>) -> bool {
        let data = data.into();
        self.change(name, revision, |event| event.data = data)
    }

    /// Changes whatever of an event. False when there is no such event.
    pub fn change(&self, name: &str, revision: u64, change: impl FnOnce(&mut Recorded)) -> bool {
        let mut inner = self.lock();
        let Some(event) = inner
            .streams
            .get(name)
            .and_then(|stream| stream.get(revision))
        else {
            return false;
        };
        let mut changed = (**event).clone();
        let position = changed.position;
        change(&mut changed);
        let changed = Arc::new(changed);
        if let Some(stream) = inner.streams.get_mut(name) {
            stream.put(revision, Arc::clone(&changed));
        }
        if let Ok(at) = inner
            .all
            .binary_search_by_key(&position, |event| event.position)
            && let Some(slot) = inner.all.get_mut(at)
        {
            *slot = changed;
        }
        true
    }

    /// Takes an event out and leaves a gap. False when there is no such event.
    pub fn drop_event(&self, name: &str, revision: u64) -> bool {
        let mut inner = self.lock();
        let Some(taken) = inner
            .streams
            .get_mut(name)
            .and_then(|stream| stream.take(revision))
        else {
            return false;
        };
        inner.all.retain(|event| event.position != taken.position);
        true
    }

    /// Appends an event of some other writer; returns its revision.
    pub fn write_foreign(&self, name: &str, data: impl Into<Bytes>) -> u64 {
        let mut inner = self.lock();
        let end = inner.end;
        let mut id = [0xF0; 16];
        for (to, byte) in id.iter_mut().zip(end.to_be_bytes()) {
            *to = byte;
        }
        let event = Proposed {
            id,
            kind: "foreign".to_owned(),
            json: false,
            custom: Bytes::new(),
            data: data.into(),
        };
        let outcome = inner.write(name, vec![event], 0);
        drop(inner);
        self.wake();
        match outcome {
            Outcome::Written {
                revision: Some(revision),
                ..
            } => revision,
            _ => 0,
        }
    }
}

impl Inner {
    pub(crate) fn stream_mut(&mut self, name: &str) -> &mut Stream {
        if !self.streams.contains_key(name) {
            let name: Arc<str> = Arc::from(name);
            self.streams.insert(Arc::clone(&name), Stream::new(name));
        }
        self.streams
            .entry(Arc::from(name))
            .or_insert_with(|| Stream::new(Arc::from(name)))
    }

    pub(crate) fn metadata(&self, name: &str) -> StreamMetadata {
        self.streams
            .get(name)
            .map(|stream| stream.metadata.clone())
            .unwrap_or_default()
    }

    fn append(
        &mut self,
        name: &str,
        expected: Expected,
        events: Vec<Proposed>,
        now: u64,
    ) -> Outcome {
        let has_metadata = self.has_metadata(name);
        let tail = match self.streams.get(name) {
            Some(stream) => stream.decide(expected, &events, has_metadata),
            None => Stream::new(Arc::from(name)).decide(expected, &events, has_metadata),
        };
        match tail {
            Tail::Refused(outcome) | Tail::Known(outcome) => outcome,
            Tail::Write => {
                let begins_again = self
                    .streams
                    .get(name)
                    .is_some_and(|stream| stream.metadata.is_softly_deleted());
                if begins_again && !events.is_empty() {
                    let next = self.stream_mut(name).next;
                    self.truncate(name, next, now);
                }
                self.write(name, events, now)
            }
        }
    }

    /// Writes at the end, whatever is expected.
    fn write(&mut self, name: &str, events: Vec<Proposed>, now: u64) -> Outcome {
        let mut end = self.end.max(BEFORE);
        let named = Arc::clone(&self.stream_mut(name).name);
        let mut next = self.stream_mut(name).next;
        let mut recorded = Vec::with_capacity(events.len());
        for event in events {
            let bytes = event.data.len().saturating_add(event.custom.len());
            recorded.push(Arc::new(Recorded {
                id: event.id,
                stream: Arc::clone(&named),
                revision: next,
                position: end,
                kind: self.kind(event.kind),
                json: event.json,
                created: now,
                custom: event.custom,
                data: event.data,
            }));
            next = next.saturating_add(1);
            end = end.saturating_add(AROUND).saturating_add(bytes as u64);
        }
        self.end = end;
        self.all.extend(recorded.iter().map(Arc::clone));
        let position = recorded.last().map(|event| event.position);
        if let Some(last) = recorded.last()
            && let Some(of) = name.strip_prefix("$$")
        {
            let metadata = StreamMetadata::parse(&last.data);
            self.stream_mut(of).metadata = metadata;
        }
        let stream = self.stream_mut(name);
        stream.events.append(&mut recorded);
        stream.next = next;
        Outcome::Written {
            revision: stream.last(),
            position,
        }
    }

    /// The type, kept once.
    fn kind(&mut self, kind: String) -> Arc<str> {
        if let Some(known) = self.kinds.get(&kind) {
            return Arc::clone(known);
        }
        let known: Arc<str> = Arc::from(kind.as_str());
        self.kinds.insert(kind, Arc::clone(&known));
        known
    }

    fn has_metadata(&self, name: &str) -> bool {
        self.streams
            .get(format!("$${name}").as_str())
            .is_some_and(|stream| stream.next > 0)
    }

    fn may_delete(&self, name: &str, expected: Expected) -> Result<(), Outcome> {
        let stream = self.streams.get(name);
        if stream.is_some_and(|stream| stream.tombstoned) {
            return Err(Outcome::Deleted);
        }
        let current = stream.and_then(Stream::last);
        let is_there = match expected {
            Expected::Any => true,
            Expected::StreamExists => current.is_some(),
            Expected::NoStream => current.is_none(),
            Expected::Revision(revision) => current == Some(revision),
        };
        if is_there {
            Ok(())
        } else {
            Err(Outcome::Elsewhere { current })
        }
    }

    fn truncate(&mut self, name: &str, revision: u64, now: u64) -> Outcome {
        let kept = self
            .streams
            .get(format!("$${name}").as_str())
            .and_then(|stream| stream.events.last())
            .map(|event| event.data.clone())
            .unwrap_or_default();
        let data = StreamMetadata::with_truncate_before(&kept, revision);
        self.write_metadata(name, data, now)
    }

    fn write_metadata(&mut self, name: &str, data: Vec<u8>, now: u64) -> Outcome {
        let mut id = [0xF1; 16];
        for (to, byte) in id.iter_mut().zip(self.end.to_be_bytes()) {
            *to = byte;
        }
        let event = Proposed {
            id,
            kind: "$metadata".to_owned(),
            json: true,
            custom: Bytes::new(),
            data: data.into(),
        };
        self.write(&format!("$${name}"), vec![event], now)
    }
}
