//! Events made ready for the writer on any thread: payloads written as JSON, public payloads
//! hashed, names blinded.
//!
//! What is left to the one writer is what depends on the order of events: duplicates, stream
//! numbers, the chain, encryption (its associated data holds the position) and the disk.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;
use zeroize::Zeroizing;

use crate::event::{Event, EventId, EventType, StreamName};
use crate::hash::{self, BLOCK_BYTES, Hash, KEY_PUBLIC, keyed_many};
use crate::ledger::AppendError;
use crate::payload::{PAYLOAD_BYTES_MAX, write_padded};

/// Events of one chunk: whose names are blinded once, and whose hashes fill SIMD lanes. Their buffer
/// stays below what allocators give back to the system each time.
const CHUNK_EVENTS: usize = 128;

/// Bytes kept ready for a payload, so that the buffer of a chunk seldom grows: a sign-in has 400.
const PAYLOAD_BYTES_USUAL: usize = 512;

/// Events from which on other threads are asked to help.
const PARALLEL_EVENTS_MIN: usize = 4 * CHUNK_EVENTS;

/// Prepares events for one ledger, from any thread; cheap to clone. It holds the blinding key,
/// which is never printed, and wiped with the last clone.
#[derive(Clone)]
pub struct Preparer {
    blind: Arc<Zeroizing<Hash>>,
    ledger: Hash,
}

impl std::fmt::Debug for Preparer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Preparer")
    }
}

/// Events ready to be appended to the ledger whose [`Preparer`] made them ready.
#[derive(Default)]
pub struct Prepared {
    /// Blinded name of the stream `ledger`, which tells ledgers apart by their blinding keys.
    ledger: Hash,
    chunks: Vec<Chunk>,
    events: usize,
    bytes: usize,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared")
            .field("events", &self.events)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

impl Preparer {
    pub(crate) fn new(blind: &Hash) -> Self {
        Self {
            blind: Arc::new(Zeroizing::new(*blind)),
            ledger: hash::stream_id(blind, StreamName::ledger().as_str()),
        }
    }

    /// Blinded name of the stream `ledger`.
    pub(crate) fn ledger_stream(&self) -> Hash {
        self.ledger
    }

    /// Makes events ready, in order; with many, on all cores.
    ///
    /// # Errors
    /// [`AppendError::Payload`] and [`AppendError::TooLong`]: all events are ready, or none.
    pub fn prepare(&self, events: &[Event]) -> Result<Prepared, AppendError> {
        let chunk = |events: &[Event]| Chunk::of(events, &self.blind);
        let chunks: Vec<Chunk> = if events.len() < PARALLEL_EVENTS_MIN {
            events
                .chunks(CHUNK_EVENTS)
                .map(chunk)
                .collect::<Result<_, _>>()?
        } else {
            let chunks = events.par_chunks(CHUNK_EVENTS);
            chunks.map(chunk).collect::<Result<_, _>>()?
        };
        Ok(Prepared {
            ledger: self.ledger,
            events: events.len(),
            bytes: chunks.iter().map(Chunk::bytes).sum(),
            chunks,
        })
    }
}

impl Prepared {
    /// Number of events.
    pub fn len(&self) -> usize {
        self.events
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.events == 0
    }

    /// About the bytes they will take in the book.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Whether they are for the ledger of that preparer.
    pub(crate) fn is_for(&self, preparer: &Preparer) -> bool {
        self.ledger == preparer.ledger
    }

    /// Each event, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Ready<'_>> {
        self.chunks.iter().flat_map(Chunk::iter)
    }
}

/// What an entry will say of an event.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) id: EventId,
    pub(crate) event_type: EventType,
    pub(crate) occurred_at_ms: i64,
    pub(crate) actor_id: Hash,
    pub(crate) public_hash: Hash,
    /// Index into the chunk's streams.
    stream: usize,
    /// Where the public payload lies in what was hashed.
    public: Range<usize>,
    private: Option<Range<usize>>,
}

/// One event that is ready.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ready<'a> {
    pub(crate) fact: &'a Fact,
    pub(crate) stream_id: &'a Hash,
    pub(crate) public: &'a [u8],
    pub(crate) private: Option<&'a [u8]>,
}

/// Some events, in few buffers.
#[derive(Default)]
pub(crate) struct Chunk {
    /// What is hashed for each public payload, one after the other.
    padded: Vec<u8>,
    privates: Vec<u8>,
    /// Blinded names of the streams.
    streams: Vec<Hash>,
    facts: Vec<Fact>,
}

/// What an event made about another takes from that one.
pub(crate) struct About<'a> {
    pub(crate) actor_id: Hash,
    pub(crate) private: Option<&'a [u8]>,
}

impl Chunk {
    fn of(events: &[Event], blind: &Hash) -> Result<Self, AppendError> {
        let mut chunk = Self::default();
        chunk.facts.reserve(events.len());
        chunk.padded.reserve(events.len() * PAYLOAD_BYTES_USUAL);
        let mut streams: HashMap<&str, usize> = HashMap::with_capacity(events.len());
        let mut actors: HashMap<&str, Hash> = HashMap::new();
        for event in events {
            let name = event.stream.as_str();
            let stream = *streams.entry(name).or_insert_with(|| {
                chunk.streams.push(hash::stream_id(blind, name));
                chunk.streams.len() - 1
            });
            let actor_id = event.actor.as_deref().map_or([0; 32], |name| {
                let blinded = || hash::actor_id(blind, name);
                *actors.entry(name).or_insert_with(blinded)
            });
            let start = chunk.privates.len();
            if let Some(private) = &event.private {
                serde_json::to_writer(&mut chunk.privates, private)?;
            }
            let private = start..chunk.privates.len();
            let private = event.private.as_ref().map(|_| private);
            chunk.push(event, stream, actor_id, private)?;
        }
        chunk.hash();
        Ok(chunk)
    }

    /// One event made about another, in the stream of that blinded name.
    pub(crate) fn made(
        event: &Event,
        stream_id: Hash,
        about: &About<'_>,
    ) -> Result<Self, AppendError> {
        let mut chunk = Self {
            streams: vec![stream_id],
            ..Self::default()
        };
        let private = about.private.map(|bytes| {
            chunk.privates.extend_from_slice(bytes);
            0..bytes.len()
        });
        chunk.push(event, 0, about.actor_id, private)?;
        chunk.hash();
        Ok(chunk)
    }

    fn push(
        &mut self,
        event: &Event,
        stream: usize,
        actor_id: Hash,
        private: Option<Range<usize>>,
    ) -> Result<(), AppendError> {
        let public = write_padded(event, &mut self.padded)?;
        let bytes = public.len().max(private.as_ref().map_or(0, Range::len));
        if bytes > PAYLOAD_BYTES_MAX {
            return Err(AppendError::TooLong {
                event: event.id,
                bytes,
            });
        }
        self.facts.push(Fact {
            id: event.id,
            event_type: event.body.event_type(),
            occurred_at_ms: event.occurred_at.as_millisecond(),
            actor_id,
            public_hash: [0; 32],
            stream,
            public,
            private,
        });
        Ok(())
    }

    /// Fills the public hashes in.
    fn hash(&mut self) {
        let mut start = 0;
        let mut inputs = Vec::with_capacity(self.facts.len());
        for fact in &self.facts {
            // each ends where the blocks of the payload do
            let end = fact.public.end.next_multiple_of(BLOCK_BYTES);
            inputs.push(self.padded.get(start..end).unwrap_or_default());
            start = end;
        }
        let mut hashes = Vec::new();
        keyed_many(&KEY_PUBLIC, &inputs, &mut hashes);
        for (fact, hash) in self.facts.iter_mut().zip(hashes) {
            fact.public_hash = hash;
        }
    }

    fn bytes(&self) -> usize {
        self.padded.len() + self.privates.len() + self.facts.len() * RECORD_BYTES
    }

    /// The event at that index.
    pub(crate) fn get(&self, index: usize) -> Option<Ready<'_>> {
        let fact = self.facts.get(index)?;
        Some(Ready {
            fact,
            stream_id: self.streams.get(fact.stream)?,
            public: self.padded.get(fact.public.clone())?,
            private: match &fact.private {
                Some(span) => Some(self.privates.get(span.clone())?),
                None => None,
            },
        })
    }

    fn iter(&self) -> impl Iterator<Item = Ready<'_>> {
        (0..self.facts.len()).filter_map(|index| self.get(index))
    }
}

/// Bytes of a record beside its payloads: entry and frame.
const RECORD_BYTES: usize = 256 + 12;

#[cfg(test)]
mod tests;
