//! Appending: what the requests of a group become, and writing them.

use super::plan::{Plan, Planner};
use super::{AppendError, Ledger, OpenError, opening};
use crate::decide::Receipt;
use crate::entry::{ENTRY_BYTES, Entry};
use crate::event::Event;
use crate::payload::SALT_BYTES;
use crate::prepared::{Prepared, Preparer};
use crate::store::{RecordRef, Store as _, StoreError};
use crate::tree::{TreeHash, leaf_hash};

/// Receipts of a request, or why it was refused.
pub(crate) type Answer = Result<Vec<Receipt>, AppendError>;

impl Ledger {
    /// Appends events in order, all or none, and returns when they are on disk: one receipt per
    /// event. An event whose id is already in the book, or earlier in the batch, is compared with
    /// the first of that id and appends what it adds or claims, or nothing.
    ///
    /// # Errors
    /// When an event cannot be written. After a failed write no append succeeds until the ledger
    /// is opened again.
    pub fn append(&mut self, events: Vec<Event>) -> Result<Vec<Receipt>, AppendError> {
        if self.failed {
            return Err(StoreError::Poisoned.into());
        }
        let prepared = self.head.preparer.prepare(&events)?;
        drop(events);
        self.append_prepared(&prepared)
    }

    /// Makes events ready for [`Ledger::append_prepared`], on any thread.
    pub fn preparer(&self) -> Preparer {
        self.head.preparer.clone()
    }

    /// As [`Ledger::append`], with events that were made ready before.
    ///
    /// # Errors
    /// As [`Ledger::append`]; [`AppendError::Foreign`] when they were prepared for another ledger.
    pub fn append_prepared(&mut self, prepared: &Prepared) -> Result<Vec<Receipt>, AppendError> {
        let mut answers = self.append_group(std::slice::from_ref(prepared))?;
        answers.pop().unwrap_or_else(|| Ok(Vec::new()))
    }

    /// Appends the requests of a group, each all or none, in one write: an answer to each.
    ///
    /// # Errors
    /// When the write failed, or an earlier one: then nothing is known to be appended.
    pub(crate) fn append_group(
        &mut self,
        requests: &[Prepared],
    ) -> Result<Vec<Answer>, AppendError> {
        if self.failed {
            return Err(StoreError::Poisoned.into());
        }
        let planned = match self.plan(requests) {
            // what the index lost can be made again from the entries
            Err(AppendError::Index(_)) => {
                self.learn_anew()?;
                self.plan(requests)
            }
            planned => planned,
        };
        let (plan, answers) = planned?;
        if plan.len() > 0 {
            let now_ms = match self.now_ms() {
                Ok(now_ms) => now_ms,
                Err(error) => return Ok(refused(answers, &error)),
            };
            let written = self.write(&plan, now_ms);
            self.failed = written.is_err();
            written?;
        }
        Ok(answers)
    }

    /// Makes the index again from the entries.
    fn learn_anew(&mut self) -> Result<(), AppendError> {
        self.history.clear();
        let opened = opening::open(self.place.folder(), &mut self.head, self.store.options());
        self.failed = opened.is_err();
        (self.history, self.store) = opened.map_err(|error| match error {
            OpenError::Store(error) => AppendError::Store(error),
            OpenError::Index(error) => AppendError::Index(error),
            _ => AppendError::Store(StoreError::Poisoned),
        })?;
        Ok(())
    }

    /// Plans each request by itself, and makes the streams of what is planned known.
    ///
    /// # Errors
    /// When the index cannot be read: nothing is planned.
    fn plan<'a>(
        &mut self,
        requests: &'a [Prepared],
    ) -> Result<(Plan<'a>, Vec<Answer>), AppendError> {
        let mut plan = Plan::of(requests.iter().map(Prepared::len).sum());
        let mut answers = Vec::with_capacity(requests.len());
        for request in requests {
            let start = plan.len();
            let answer = self.plan_one(request, &mut plan);
            if let Err(AppendError::Index(error)) = answer {
                return Err(error.into());
            }
            if answer.is_err() {
                plan.truncate(start);
            }
            answers.push(answer);
        }
        let Self { head, history, .. } = self;
        for ready in plan.from(0) {
            head.streams
                .meet(ready.stream_id, |id| history.stream(id))?;
        }
        Ok((plan, answers))
    }

    fn plan_one<'a>(&mut self, request: &'a Prepared, plan: &mut Plan<'a>) -> Answer {
        if !request.is_for(&self.head.preparer) {
            return Err(AppendError::Foreign);
        }
        let start = plan.len();
        let mut planner = Planner {
            size: self.head.size,
            ledger_stream: self.head.preparer.ledger_stream(),
            store: &self.store,
            history: &self.history,
            plan,
        };
        let receipts = planner.request(request)?;
        if plan.from(start).any(|ready| ready.private.is_some()) {
            self.keyring.ready()?;
        }
        Ok(receipts)
    }

    fn now_ms(&mut self) -> Result<u64, AppendError> {
        let time = (self.edge.clock)();
        u64::try_from(time.as_millisecond()).map_err(|_negative| AppendError::Clock { time })
    }

    /// Makes the entries of a plan and stores them, the keys they need before them.
    fn write(&mut self, plan: &Plan<'_>, now_ms: u64) -> Result<(), AppendError> {
        let expected = self.head.size;
        let made = self.records(plan, now_ms)?;
        let records: Vec<RecordRef<'_>> = made
            .iter()
            .zip(plan.from(0))
            .map(|((entry, private), ready)| RecordRef {
                entry,
                public: ready.public,
                private,
            })
            .collect();
        let Self {
            store,
            upstream,
            head,
            ..
        } = self;
        let hash = || -> Vec<TreeHash> { made.iter().map(|(entry, _)| leaf_hash(entry)).collect() };
        let mut append = || {
            if let Some(upstream) = upstream {
                upstream.append(expected, &records, &head.chain)?;
            }
            store.append(expected, &records, &head.chain)
        };
        let (stored, leaves) = if records.len() < PARALLEL_MIN {
            (append(), hash())
        } else {
            // while the disk is waited for
            std::thread::scope(|scope| {
                let hashing = scope.spawn(hash);
                let stored = append();
                (stored, hashing.join().unwrap_or_else(|_panicked| hash()))
            })
        };
        stored?;
        for (position, (ready, (entry, _))) in (expected..).zip(plan.from(0).zip(&made)) {
            let flags = Entry::peek_flags(entry);
            self.history.learn(ready.fact.id, position, flags);
        }
        if self.history.is_due() {
            let (extent, indexes) = self.store.edge();
            opening::keep(&mut self.head, &mut self.history, extent, indexes);
        }
        Ok(self.tiles.push(&leaves)?)
    }

    /// Moves the head over a plan: the entries and private parts to store, whose keys are durable.
    fn records(&mut self, plan: &Plan<'_>, now_ms: u64) -> Result<Vec<Made>, AppendError> {
        let Self {
            head,
            edge,
            keyring,
            ..
        } = self;
        let mut records = Vec::with_capacity(plan.len());
        for ready in plan.from(0) {
            let mut salt = [0; SALT_BYTES];
            if ready.private.is_some() {
                (edge.entropy)(&mut salt);
            }
            let (entry, bytes) = head.push(&ready, &salt, now_ms);
            let private = match ready.private {
                Some(private) => {
                    keyring.seal(&entry, ready.public, (&salt, private), &mut edge.entropy)?
                }
                None => Vec::new(),
            };
            records.push((bytes, private));
        }
        keyring.keep()?;
        Ok(records)
    }
}

/// What is made for a record: its entry, and its private part as stored.
type Made = ([u8; ENTRY_BYTES], Vec<u8>);

/// Events below this many are not worth handing to another thread.
const PARALLEL_MIN: usize = 256;

/// Answers when the clock tells no time that can be recorded: nothing was appended.
fn refused(answers: Vec<Answer>, error: &AppendError) -> Vec<Answer> {
    let AppendError::Clock { time } = *error else {
        return answers;
    };
    let refused = |answer: Answer| answer.and(Err(AppendError::Clock { time }));
    answers.into_iter().map(refused).collect()
}
