//! Checks of records, many at a time so that their hashes share SIMD lanes.

use rayon::prelude::*;

use super::fault::{FaultClass, Faults};
use super::leaves::Leaves;
use super::on_evidence::OnEvidence;
use super::private::{Found, Opener, Privates};
use super::pruned::Pruned;
use super::streams::Spans;
use crate::entry::{Entry, EntryError};
use crate::event::{EventType, Position};
use crate::hash::{Hash, KEY_CHAIN, KEY_PRIVATE, KEY_PUBLIC, keyed_many};
use crate::payload::{pad_private, pad_public};
use crate::segment::frame::Commit;
use crate::segment::seal::Times;
use crate::tree::{TreeHash, leaf_hash};

/// Records hashed together: enough to fill the lanes, few enough to stay in the cache.
const TOGETHER: usize = 64;

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
pub(super) struct Records {
    ledger_id: [u8; 16],
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
    pub(super) leaves: Leaves,
    pub(super) on_evidence: Vec<OnEvidence>,
    pub(super) privates: Privates,
    pub(super) pruned: Pruned,
}

/// The records among some items, each read and hashed on its own.
#[derive(Debug, Default)]
pub(super) struct Hashes {
    /// What each entry says.
    entries: Vec<Result<Entry, EntryError>>,
    chains: Vec<Hash>,
    leaves: Vec<TreeHash>,
    publics: Vec<Hash>,
    privates: Vec<Found>,
}

/// What is hashed, with the zeros that fill blocks.
#[derive(Debug, Default)]
struct Padded {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Records {
    /// Begins with the chain value before the first record, when known.
    pub(super) fn new(ledger_id: [u8; 16], chain: Option<Hash>) -> Self {
        Self {
            ledger_id,
            chain,
            suspect: false,
            committed_chain: chain,
            lost: false,
            times: Times::NONE,
            ids: Vec::new(),
            spans: Spans::default(),
            first_time: None,
            leaves: Leaves::default(),
            on_evidence: Vec::new(),
            privates: Privates::default(),
            pruned: Pruned::default(),
        }
    }

    /// Checks the next items, whose hashes are at hand.
    pub(super) fn check(&mut self, items: &[Item<'_>], hashes: &[Hashes], faults: &mut Faults) {
        let mut ours = hashes.iter().flat_map(|some| {
            let payloads = some.publics.iter().zip(&some.privates);
            some.entries
                .iter()
                .zip(&some.leaves)
                .zip(some.chains.iter().zip(payloads))
        });
        for item in items {
            match item {
                Item::Record { position, .. } => {
                    if let Some(((entry, leaf), (chain, (public, private)))) = ours.next() {
                        self.leaves.push(*position, *leaf);
                        self.record(item, entry, (chain, public, private), faults);
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
    }

    fn record(
        &mut self,
        item: &Item<'_>,
        entry: &Result<Entry, EntryError>,
        (chain, public_hash, private): (&Hash, &Hash, &Found),
        faults: &mut Faults,
    ) {
        let Item::Record {
            position, intact, ..
        } = *item
        else {
            return;
        };
        let expected_chain = self.chain.replace(*chain);
        self.suspect = !intact;
        let entry = match entry {
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
        self.payloads(item, entry, (public_hash, private), faults);
        if intact {
            self.in_order(position, entry, faults);
        } else {
            self.lost = true;
        }
    }

    /// Checks the payloads, and takes note of what they say of others.
    fn payloads(
        &mut self,
        item: &Item<'_>,
        entry: &Entry,
        (public_hash, private): (&Hash, &Found),
        faults: &mut Faults,
    ) {
        let Item::Record {
            position,
            public,
            intact,
            ..
        } = *item
        else {
            return;
        };
        if public.is_empty() && entry.public_length > 0 {
            self.pruned.lacks(entry, intact);
            return;
        }
        if entry.public_hash == *public_hash {
            if entry.is_redaction() {
                self.privates.redaction(position, public, faults);
            }
            if entry.event_type == EventType::PRUNED {
                self.pruned.order(position, public, faults);
            }
            if OnEvidence::is_one(entry.event_type) {
                self.on_evidence.push(OnEvidence {
                    position,
                    event_type: entry.event_type,
                    public: public.to_vec(),
                });
            }
        } else {
            faults.add(
                position,
                FaultClass::Public,
                "the public payload is not the one hashed",
            );
        }
        self.privates
            .check(entry, public, private, (intact, faults));
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

impl Hashes {
    /// Hashes the records among some items, on all cores; encrypted private parts are opened first
    /// where their keys are at hand.
    pub(super) fn of(items: &[Item<'_>], opener: &Opener) -> Vec<Self> {
        items
            .par_chunks(TOGETHER)
            .map_init(Padded::default, |padded, items| {
                Self::of_some(items, padded, opener)
            })
            .collect()
    }

    fn of_some(items: &[Item<'_>], padded: &mut Padded, opener: &Opener) -> Self {
        let entries: Vec<&[u8]> = items
            .iter()
            .filter_map(|item| match item {
                Item::Record { entry, .. } => Some(entry.as_slice()),
                _ => None,
            })
            .collect();
        let mut hashes = Self::default();
        keyed_many(&KEY_CHAIN, &entries, &mut hashes.chains);
        hashes.leaves = entries.iter().map(|entry| leaf_hash(entry)).collect();
        hashes.entries = items
            .iter()
            .filter_map(|item| match item {
                Item::Record { entry, .. } => Some(Entry::decode(entry)),
                _ => None,
            })
            .collect();
        padded.fill(items, &mut |item, out| {
            if let Item::Record { entry, public, .. } = item {
                pad_public(schema_of(entry), public, out);
            }
        });
        keyed_many(&KEY_PUBLIC, &padded.slices(), &mut hashes.publics);
        hashes.open(items, padded, opener);
        hashes
    }

    /// Opens and hashes the private parts.
    fn open(&mut self, items: &[Item<'_>], padded: &mut Padded, opener: &Opener) {
        let mut entries = self.entries.iter();
        let privates = &mut self.privates;
        let mut content = Vec::new();
        padded.fill(items, &mut |item, out| {
            let Item::Record {
                public, private, ..
            } = item
            else {
                return;
            };
            let Some(Ok(entry)) = entries.next() else {
                privates.push(Found::None);
                return;
            };
            content.clear();
            let found = opener.open(entry, public, private, &mut content);
            if let Some((salt, bytes)) = found.content(private, &content) {
                pad_private(salt, entry.schema, bytes, out);
            }
            privates.push(found);
        });
        let mut commits = Vec::new();
        keyed_many(&KEY_PRIVATE, &padded.slices(), &mut commits);
        let hashed = self.privates.iter_mut().filter(|found| found.is_hashed());
        for (found, commit) in hashed.zip(commits) {
            found.set_commit(commit);
        }
    }
}

impl Padded {
    /// Fills the buffer with what `write` appends for each item, nothing where it appends nothing.
    fn fill(&mut self, items: &[Item<'_>], write: &mut dyn FnMut(&Item<'_>, &mut Vec<u8>)) {
        self.bytes.clear();
        self.ends.clear();
        for item in items {
            let start = self.bytes.len();
            write(item, &mut self.bytes);
            if self.bytes.len() > start {
                self.ends.push(self.bytes.len());
            }
        }
    }

    fn slices(&self) -> Vec<&[u8]> {
        let mut start = 0;
        self.ends
            .iter()
            .map(|end| {
                let slice = self.bytes.get(start..*end).unwrap_or_default();
                start = *end;
                slice
            })
            .collect()
    }
}

fn schema_of(entry: &[u8; 256]) -> u32 {
    let mut fields = crate::entry::Fields(entry.split_at(72).1);
    u32::from_be_bytes(fields.take())
}
