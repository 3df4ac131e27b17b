//! Checks of records, many at a time so that their hashes share SIMD lanes.

use super::fault::{FaultClass, Faults};
use super::streams::Spans;
use crate::entry::Entry;
use crate::event::Position;
use crate::hash::{Hash, KEY_CHAIN, KEY_PRIVATE, KEY_PUBLIC, keyed_many};
use crate::payload::{SALT_BYTES, pad_private, pad_public};
use crate::segment::frame::Commit;
use crate::segment::seal::Times;

/// Items checked together: enough to fill the lanes, few enough to stay in the cache.
const TOGETHER: usize = 256;

/// What a walk over a segment meets.
#[derive(Debug, Clone, Copy)]
pub(super) enum Item<'b> {
    /// A record at its place.
    Record {
        position: Position,
        entry: &'b [u8; 256],
        public: &'b [u8],
        private: &'b [u8],
        /// Whether the frame's CRC matches. Otherwise the content is checked to say what was hit,
        /// but nothing is concluded from it about other records.
        intact: bool,
    },
    /// The end of a batch; `whole` when every record of it was met.
    Commit { commit: Commit, whole: bool },
    /// Records are missing here.
    Lost,
}

/// An event's id, and where it is.
pub(super) type PlacedId = ([u64; 2], Position);

/// Checks the records of one segment in order.
#[derive(Debug)]
pub(super) struct Records<'b> {
    ledger_id: [u8; 16],
    waiting: Vec<Item<'b>>,
    /// Chain value the next entry must carry, when known.
    chain: Option<Hash>,
    /// Whether the last record's bytes are damaged, so that its chain value means little.
    suspect: bool,
    /// Chain value of the last committed record, when known.
    pub(super) committed_chain: Option<Hash>,
    pub(super) lost: bool,
    pub(super) times: Times,
    pub(super) ids: Vec<PlacedId>,
    pub(super) spans: Spans,
    pub(super) first_time: Option<(Position, u64)>,
    buffers: Buffers,
}

#[derive(Debug, Default)]
struct Buffers {
    padded: Vec<u8>,
    ends: Vec<usize>,
    chains: Vec<Hash>,
    publics: Vec<Hash>,
    privates: Vec<Hash>,
}

impl<'b> Records<'b> {
    /// Begins with the chain value before the first record, when known.
    pub(super) fn new(ledger_id: [u8; 16], chain: Option<Hash>) -> Self {
        Self {
            ledger_id,
            waiting: Vec::with_capacity(TOGETHER),
            chain,
            suspect: false,
            committed_chain: chain,
            lost: false,
            times: Times::NONE,
            ids: Vec::new(),
            spans: Spans::default(),
            first_time: None,
            buffers: Buffers::default(),
        }
    }

    /// Adds the next item.
    pub(super) fn push(&mut self, item: Item<'b>, faults: &mut Faults) {
        self.waiting.push(item);
        if self.waiting.len() >= TOGETHER {
            self.flush(faults);
        }
    }

    /// Checks what is waiting.
    pub(super) fn flush(&mut self, faults: &mut Faults) {
        let waiting = std::mem::take(&mut self.waiting);
        let mut buffers = std::mem::take(&mut self.buffers);
        buffers.hash(&waiting);
        let mut hashes = buffers.chains.iter().zip(&buffers.publics);
        let mut privates = buffers.privates.iter();
        for item in &waiting {
            match item {
                Item::Record { private, .. } => {
                    let has_salt = private.len() >= SALT_BYTES;
                    let private = if has_salt { privates.next() } else { None };
                    if let Some((chain, public)) = hashes.next() {
                        self.record(item, (chain, public, private), faults);
                    }
                }
                Item::Commit { commit, whole } => {
                    let known = self.chain.filter(|_| *whole && !self.suspect);
                    if known.is_some_and(|chain| chain != commit.head_chain) {
                        faults.add(
                            commit.first.saturating_add(commit.count).checked_sub(1),
                            FaultClass::Commit,
                            "the batch ends with another chain value than its commit names",
                        );
                    }
                    self.committed_chain = Some(known.unwrap_or(commit.head_chain));
                }
                Item::Lost => {
                    self.lost = true;
                    self.chain = None;
                }
            }
        }
        self.buffers = buffers;
        self.waiting = waiting;
        self.waiting.clear();
    }

    fn record(
        &mut self,
        item: &Item<'b>,
        (chain, public_hash, private_hash): (&Hash, &Hash, Option<&Hash>),
        faults: &mut Faults,
    ) {
        let Item::Record {
            position,
            entry: bytes,
            private,
            intact,
            ..
        } = *item
        else {
            return;
        };
        let expected_chain = self.chain.replace(*chain);
        self.suspect = !intact;
        let entry = match Entry::decode(bytes) {
            Ok(entry) => entry,
            Err(error) => {
                faults.add(position, FaultClass::Format, error.to_string());
                self.lost = true;
                return;
            }
        };
        if entry.position != position {
            faults.add(
                position,
                FaultClass::Seq,
                format!("the entry says position {}", entry.position),
            );
        }
        if entry.ledger_id != self.ledger_id {
            faults.add(
                position,
                FaultClass::Ledger,
                "the entry is another ledger's",
            );
        }
        if expected_chain.is_some_and(|expected| expected != entry.prev_chain) {
            faults.add(
                position,
                FaultClass::Link,
                "the entry does not carry the chain value of the one before",
            );
        }
        if entry.public_hash != *public_hash {
            faults.add(
                position,
                FaultClass::Public,
                "the public payload is not the one hashed",
            );
        }
        check_private(position, &entry, private, private_hash, faults);
        if intact {
            self.in_order(position, &entry, faults);
        } else {
            self.lost = true;
        }
    }

    /// Checks that depend on the records before.
    fn in_order(&mut self, position: Position, entry: &Entry, faults: &mut Faults) {
        if self.first_time.is_none() {
            self.first_time = Some((position, entry.recorded_at_ms));
        } else if entry.recorded_at_ms < self.times.recorded_last {
            faults.add(position, FaultClass::Time, "recorded time goes back");
        }
        self.times.add(entry.recorded_at_ms, entry.occurred_at_ms);
        self.spans.push(position, entry, self.lost, faults);
        let (halves, _) = entry.event_id.0.as_chunks::<8>();
        if let [high, low] = halves {
            let id = [u64::from_be_bytes(*high), u64::from_be_bytes(*low)];
            self.ids.push((id, position));
        }
    }
}

fn check_private(
    position: Position,
    entry: &Entry,
    private: &[u8],
    hash: Option<&Hash>,
    faults: &mut Faults,
) {
    if !entry.has_private() {
        if !private.is_empty() {
            faults.add(
                position,
                FaultClass::Private,
                "there is a private payload the entry denies",
            );
        }
    } else if private.is_empty() {
        faults.add(
            position,
            FaultClass::PrivateMissing,
            "the private payload is gone and no erasure is on record",
        );
    } else if hash != Some(&entry.private_commit) {
        faults.add(
            position,
            FaultClass::Private,
            "the private payload is not the one committed to",
        );
    }
}

impl Buffers {
    /// Hashes every waiting record: its entry, its public payload and its private one when there
    /// are bytes of it.
    fn hash(&mut self, items: &[Item<'_>]) {
        let entries: Vec<&[u8]> = items
            .iter()
            .filter_map(|item| match item {
                Item::Record { entry, .. } => Some(entry.as_slice()),
                _ => None,
            })
            .collect();
        keyed_many(&KEY_CHAIN, &entries, &mut self.chains);
        self.pad(items, &|item, out| {
            if let Item::Record { entry, public, .. } = item {
                pad_public(schema_of(entry), public, out);
            }
        });
        keyed_many(
            &KEY_PUBLIC,
            &slices(&self.padded, &self.ends),
            &mut self.publics,
        );
        self.pad(items, &|item, out| {
            if let Item::Record { entry, private, .. } = item
                && let Some((salt, bytes)) = private.split_at_checked(SALT_BYTES)
            {
                pad_private(salt, schema_of(entry), bytes, out);
            }
        });
        keyed_many(
            &KEY_PRIVATE,
            &slices(&self.padded, &self.ends),
            &mut self.privates,
        );
    }

    /// Fills the buffer with what `write` appends for each record, nothing where it appends
    /// nothing.
    fn pad(&mut self, items: &[Item<'_>], write: &dyn Fn(&Item<'_>, &mut Vec<u8>)) {
        self.padded.clear();
        self.ends.clear();
        for item in items {
            let start = self.padded.len();
            write(item, &mut self.padded);
            if self.padded.len() > start {
                self.ends.push(self.padded.len());
            }
        }
    }
}

/// The pieces of a buffer that end there.
fn slices<'p>(padded: &'p [u8], ends: &[usize]) -> Vec<&'p [u8]> {
    let mut start = 0;
    ends.iter()
        .map(|end| {
            let slice = padded.get(start..*end).unwrap_or_default();
            start = *end;
            slice
        })
        .collect()
}

fn schema_of(entry: &[u8; 256]) -> u32 {
    let mut fields = crate::entry::Fields(entry.split_at(72).1);
    u32::from_be_bytes(fields.take())
}
