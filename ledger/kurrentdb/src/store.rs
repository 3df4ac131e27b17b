//! A ledger's records in a stream.

use std::ops::ControlFlow;

use ledger::entry::Entry;
use ledger::hash::{self, Hash};
use ledger::{Position, RecordRef, Store, StoreError, StoredRecord};

use crate::address::Address;
use crate::append::Appending;
use crate::error::KurrentError;
use crate::event::{self, Odd, Proposed};
use crate::look;
use crate::network::Network;
use crate::read::Told;
use crate::session::{Need, Session};
use crate::wire::read::RecordedEvent;

/// Fills a buffer with random bytes, for the jitter of pauses and the order of hosts.
pub type Jitter = Box<dyn FnMut(&mut [u8]) + Send>;

/// What a follower is told.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all are records, which a box would allocate one by one"
)]
pub enum Followed {
    /// The next record.
    Record(StoredRecord),
    /// What was there is told; what comes is told as it comes.
    CaughtUp,
    /// Nothing came for a moment.
    Waiting,
}

/// A ledger's records in a stream of KurrentDB.
#[derive(Debug)]
pub struct KurrentStore {
    session: Session,
    network: Network,
    size: u64,
    /// Zero while the stream is empty: which genesis it will have is told by its first record.
    head_chain: Hash,
    first: Option<StoredRecord>,
    poisoned: bool,
}

impl KurrentStore {
    /// Finds the leader and reads where the stream is.
    ///
    /// # Errors
    /// When the server cannot be reached, refuses, or the stream is no Daybook ledger. A later
    /// call may succeed.
    pub fn connect(address: &Address, jitter: Jitter) -> Result<Self, KurrentError> {
        let mut store = Self {
            session: Session::new(address, jitter)?,
            network: Network::start()?,
            size: 0,
            head_chain: [0; 32],
            first: None,
            poisoned: false,
        };
        store.refresh()?;
        Ok(store)
    }

    /// Reads again where the stream is; after it a poisoned store can be appended to.
    ///
    /// # Errors
    /// When the head cannot be read, or the stream is shorter than it was.
    pub fn refresh(&mut self) -> Result<(), KurrentError> {
        let stream = self.session.address.stream();
        let (first, newest) = self.network.wait(async {
            let first = match self.first {
                Some(_) => None,
                None => self.session.oldest(Need::Leader, stream).await?,
            };
            let newest = self.session.newest(Need::Leader, stream).await?;
            if newest.is_none() && look::is_deleted(&self.session).await? {
                return Err(KurrentError::Deleted {
                    stream: stream.to_owned(),
                });
            }
            Ok::<_, KurrentError>((first, newest))
        })?;
        if let Some(first) = first {
            if first.stream_revision > 0 {
                return Err(self.gap(0, first.stream_revision));
            }
            let first = event::record(&first).map_err(|odd| self.not_ours(0, odd))?;
            self.first = Some(first);
        }
        let size = newest
            .as_ref()
            .map_or(0, |event| event.stream_revision.saturating_add(1));
        if size < self.size {
            return Err(KurrentError::Shorter {
                stream: stream.to_owned(),
                expected: self.size,
                found: size,
            });
        }
        self.head_chain = match newest {
            Some(event) => hash::chain(&self.record(&event)?.entry),
            None => [0; 32],
        };
        self.size = size;
        self.poisoned = false;
        Ok(())
    }

    /// Id of the ledger; `None` while the stream is empty.
    fn ledger_id(&self) -> Option<[u8; 16]> {
        self.first.as_ref().and_then(event::ledger_id)
    }

    /// Name of the stream.
    fn stream(&self) -> &str {
        self.session.address.stream()
    }

    /// Shows the records from a position to the end of the stream as it is now. Goes on behind the
    /// last record shown when a node is lost. `each` may stop early, and sets the pace.
    ///
    /// # Errors
    /// When the stream cannot be read, or holds what a ledger does not.
    pub fn read(
        &self,
        from: Position,
        each: &mut dyn FnMut(StoredRecord) -> ControlFlow<()>,
    ) -> Result<(), KurrentError> {
        let mut line = Line::from(from);
        let mut failed = None;
        let mut take = |event: RecordedEvent| match line.next(self, &event) {
            Ok(record) => each(record),
            Err(error) => {
                failed = Some(error);
                ControlFlow::Break(())
            }
        };
        let known = self.size.checked_sub(1);
        self.network
            .wait(self.session.walk(from, known, &mut take))?;
        failed.map_or(Ok(()), Err)
    }

    /// Shows the records from a position on as they come, without end: only `each` stops it. It is
    /// told [`Followed::Waiting`] as soon as no more is there, and then about every 100 ms.
    ///
    /// # Errors
    /// When the stream holds what a ledger does not, may not be read, or no node was found for a
    /// minute (six times `defaultDeadline`).
    pub fn follow(
        &self,
        from: Position,
        each: &mut dyn FnMut(Followed) -> ControlFlow<()>,
    ) -> Result<(), KurrentError> {
        let mut line = Line::from(from);
        let mut failed = None;
        let mut take = |told: Told| match told {
            Told::CaughtUp => each(Followed::CaughtUp),
            Told::Nothing => each(Followed::Waiting),
            Told::Event(event) => match line.next(self, &event) {
                Ok(record) => each(Followed::Record(record)),
                Err(error) => {
                    failed = Some(error);
                    ControlFlow::Break(())
                }
            },
        };
        self.network.wait(self.session.subscribe(from, &mut take))?;
        failed.map_or(Ok(()), Err)
    }

    /// The record of an event, when it is one of this ledger.
    fn record(&self, event: &RecordedEvent) -> Result<StoredRecord, KurrentError> {
        let revision = event.stream_revision;
        let record = event::record(event).map_err(|odd| self.odd(revision, odd))?;
        let found = event::ledger_id(&record);
        match (self.ledger_id(), found) {
            (Some(expected), Some(found)) if expected != found => Err(KurrentError::OtherLedger {
                stream: self.stream().to_owned(),
                revision,
                expected,
                found,
            }),
            _ => Ok(record),
        }
    }

    fn odd(&self, revision: u64, odd: Odd) -> KurrentError {
        let stream = self.stream().to_owned();
        match odd {
            Odd::Redacted => KurrentError::Redacted { stream, revision },
            Odd::Foreign(found) => KurrentError::Foreign {
                stream,
                revision,
                found,
            },
        }
    }

    fn not_ours(&self, revision: u64, odd: Odd) -> KurrentError {
        match odd {
            Odd::Redacted => self.odd(revision, odd),
            Odd::Foreign(found) => KurrentError::NotOurs {
                stream: self.stream().to_owned(),
                revision,
                found,
            },
        }
    }

    fn gap(&self, expected: u64, found: u64) -> KurrentError {
        KurrentError::Gap {
            stream: self.stream().to_owned(),
            expected,
            found,
        }
    }

    /// Why records are not the next ones; `None` when they are.
    fn misfit(&self, records: &[RecordRef<'_>], head_chain: &Hash) -> Option<StoreError> {
        let mut chain = self.head_chain;
        let mut id = self.ledger_id();
        for (position, record) in (self.size..).zip(records) {
            let misfit = |what| Some(StoreError::Misfit { position, what });
            let Ok(entry) = Entry::decode(record.entry) else {
                return misfit("its entry is not one of this version");
            };
            if record.is_pruned() {
                return misfit("its payload was pruned");
            }
            if *id.get_or_insert(entry.ledger_id) != entry.ledger_id {
                return misfit("it belongs to another ledger");
            }
            if entry.position != position {
                return misfit("its entry says another position");
            }
            // the first record carries the genesis, which nobody need have told
            if entry.prev_chain != chain && (position > 0 || chain != [0; 32]) {
                return misfit("it does not carry the chain value of the one before");
            }
            chain = hash::chain(record.entry);
        }
        (chain != *head_chain).then_some(StoreError::Misfit {
            position: self.size,
            what: "the records do not lead to the chain value that was told",
        })
    }

    /// Whether these very records are stored at a position.
    fn holds(&self, from: Position, records: &[RecordRef<'_>]) -> Result<bool, KurrentError> {
        let count = records.len() as u64;
        if from.saturating_add(count) > self.size {
            return Ok(false);
        }
        let page = self.session.page(Need::Leader, self.stream(), from, count);
        let there = self.network.wait(page)?;
        let mut line = Line::from(from);
        if there.len() != records.len() {
            return Ok(false);
        }
        for (event, record) in there.iter().zip(records) {
            if line.next(self, event)?.as_ref() != *record {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Records that must follow each other. Their payloads are held against their hashes by whoever
/// keeps them, a replica, which would be twice the work here.
struct Line {
    next: u64,
    chain: Option<Hash>,
}

impl Line {
    fn from(position: Position) -> Self {
        Self {
            next: position,
            chain: None,
        }
    }

    /// The next record, when the event is it.
    fn next(
        &mut self,
        store: &KurrentStore,
        event: &RecordedEvent,
    ) -> Result<StoredRecord, KurrentError> {
        let revision = event.stream_revision;
        if revision != self.next {
            return Err(store.gap(self.next, revision));
        }
        let record = store.record(event)?;
        let follows = Entry::decode(&record.entry)
            .is_ok_and(|entry| self.chain.is_none_or(|chain| chain == entry.prev_chain));
        if !follows {
            return Err(KurrentError::Broken {
                stream: store.stream().to_owned(),
                revision,
            });
        }
        self.next = revision.saturating_add(1);
        self.chain = Some(hash::chain(&record.entry));
        Ok(record)
    }
}

fn remote(error: KurrentError) -> StoreError {
    StoreError::Remote {
        source: Box::new(error),
    }
}

impl Store for KurrentStore {
    fn size(&self) -> u64 {
        self.size
    }

    fn head_chain(&self) -> Hash {
        self.head_chain
    }

    fn append(
        &mut self,
        expected: Position,
        records: &[RecordRef<'_>],
        head_chain: &Hash,
    ) -> Result<(), StoreError> {
        if self.poisoned {
            return Err(StoreError::Poisoned);
        }
        if expected != self.size {
            if self.holds(expected, records).map_err(remote)? {
                return Ok(());
            }
            return Err(StoreError::Expected {
                expected,
                actual: self.size,
            });
        }
        let Some(first) = records.first() else {
            return Ok(());
        };
        if let Some(misfit) = self.misfit(records, head_chain) {
            return Err(misfit);
        }
        let events: Vec<Proposed> = records.iter().map(Proposed::of).collect();
        let count = events.len() as u64;
        let id = self.ledger_id();
        let appending = Appending::new(
            &self.session,
            self.session.address.stream(),
            id,
            expected,
            events,
        );
        if let Err(error) = self.network.wait(appending.run()) {
            self.poisoned = true;
            return Err(remote(error));
        }
        if expected == 0 {
            self.first = Some(StoredRecord {
                entry: *first.entry,
                public: first.public.to_vec(),
                private: first.private.to_vec(),
            });
        }
        self.size = expected.saturating_add(count);
        self.head_chain = *head_chain;
        Ok(())
    }

    fn get(&self, position: Position) -> Result<Option<StoredRecord>, StoreError> {
        if position >= self.size {
            return Ok(None);
        }
        let page = self.session.page(Need::Leader, self.stream(), position, 1);
        let events = self.network.wait(page).map_err(remote)?;
        let event = events
            .first()
            .ok_or_else(|| remote(self.gap(position, self.size)))?;
        let record = Line::from(position).next(self, event).map_err(remote)?;
        Ok(Some(record))
    }
}
