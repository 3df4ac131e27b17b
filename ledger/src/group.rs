//! Group commit: any number of callers, one writer thread, one write and one sync for all that
//! is waiting.
//!
//! The thread owns the [`Ledger`]. It takes what is queued, plans each request by itself, writes
//! one batch and answers each caller once its events are durable. Nothing waits for company: a
//! single caller is served at once, and while the disk is waited for the next group gathers.

mod handoff;
mod sync;

use std::sync::Arc;
use std::thread::JoinHandle;

use crate::decide::Receipt;
use crate::event::Event;
use crate::ledger::{AppendError, Ledger};
use crate::prepared::{Prepared, Preparer};
use handoff::{Receiver, Reply, Sender, handoff};

/// Bytes of a group, unless one request alone has more: what a disk syncs at its best rate
/// (measured: 1 MiB in 0.4 to 0.9 ms, but 8 MiB beyond the end of a file in 30 ms).
const GROUP_BYTES_MAX: usize = 1 << 20;

/// Requests of a group.
const GROUP_REQUESTS_MAX: usize = 4_096;

/// Bytes waiting from which on callers are kept waiting before their request is accepted.
const QUEUE_BYTES_MAX: usize = 4 * GROUP_BYTES_MAX;

type Answer = Result<Vec<Receipt>, GroupError>;

/// A ledger in the hands of its writer thread. Dropping it finishes what was accepted.
pub struct Group {
    appender: Appender,
    /// Gone once joined.
    thread: Option<JoinHandle<Ledger>>,
}

/// Appends to a ledger in a [`Group`], from any thread; cheap to clone.
#[derive(Clone)]
pub struct Appender {
    preparer: Preparer,
    requests: Sender<Prepared, Answer>,
}

/// Events on their way to the disk.
pub struct Pending(handoff::Pending<Answer>);

/// Why events of a group were not appended. Listed in the order the causes are checked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum GroupError {
    /// The group was closed before.
    #[error("the ledger was closed, so nothing more is appended")]
    Closed,
    /// The events were refused for their own sake: nothing of this request was appended.
    #[error(transparent)]
    Refused(Arc<AppendError>),
    /// The write of this group, or an earlier one, failed: what is on disk is unknown until the
    /// ledger is opened again.
    #[error("a write failed, so the ledger must be opened again before appending")]
    Failed(#[source] Arc<AppendError>),
    /// The writer thread ended without an answer.
    #[error("the writer ended without an answer, so the ledger must be opened again")]
    Lost,
}

impl From<AppendError> for GroupError {
    fn from(error: AppendError) -> Self {
        Self::Refused(Arc::new(error))
    }
}

impl std::fmt::Debug for Group {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Group")
    }
}

impl std::fmt::Debug for Appender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Appender")
    }
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pending")
    }
}

impl Group {
    /// Hands a ledger to a writer thread.
    ///
    /// # Errors
    /// When the operating system gives no thread; the ledger is closed then.
    pub fn start(ledger: Ledger) -> std::io::Result<Self> {
        let preparer = ledger.preparer();
        let (requests, receiver) = handoff(QUEUE_BYTES_MAX);
        let thread = std::thread::Builder::new().name("ledger writer".to_owned());
        let thread = thread.spawn(move || serve(ledger, &receiver))?;
        Ok(Self {
            appender: Appender { preparer, requests },
            thread: Some(thread),
        })
    }

    /// What appends to it.
    pub fn appender(&self) -> Appender {
        self.appender.clone()
    }

    /// Finishes what was accepted, accepts nothing more, and gives the ledger back.
    ///
    /// # Errors
    /// [`GroupError::Lost`] when the writer thread panicked.
    pub fn close(mut self) -> Result<Ledger, GroupError> {
        self.finish().ok_or(GroupError::Lost)
    }

    fn finish(&mut self) -> Option<Ledger> {
        self.appender.requests.close();
        self.thread.take()?.join().ok()
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        drop(self.finish());
    }
}

impl Appender {
    /// Makes events ready for [`Appender::submit`].
    pub fn preparer(&self) -> &Preparer {
        &self.preparer
    }

    /// Appends events in order, all or none, and returns when they are on disk: as
    /// [`Ledger::append`], beside any number of other callers.
    ///
    /// # Errors
    /// When the events were refused, the group was closed or a write failed.
    pub fn append(&self, events: &[Event]) -> Result<Vec<Receipt>, GroupError> {
        self.submit(self.preparer.prepare(events)?)?.wait()
    }

    /// Hands events over without waiting for the disk; waits while the queue is full. Requests of
    /// one thread are appended in the order they are handed over.
    ///
    /// # Errors
    /// [`GroupError::Closed`].
    pub fn submit(&self, prepared: Prepared) -> Result<Pending, GroupError> {
        let bytes = prepared.bytes();
        match self.requests.send(prepared, bytes) {
            Ok(pending) => Ok(Pending(pending)),
            Err(_given_back) => Err(GroupError::Closed),
        }
    }
}

impl Pending {
    /// Waits until the events are on disk.
    ///
    /// # Errors
    /// When they were refused or a write failed.
    pub fn wait(self) -> Result<Vec<Receipt>, GroupError> {
        self.0.wait().unwrap_or(Err(GroupError::Lost))
    }
}

/// The writer thread: until the queue is closed and empty.
fn serve(mut ledger: Ledger, requests: &Receiver<Prepared, Answer>) -> Ledger {
    let mut failure: Option<GroupError> = None;
    loop {
        let taken = requests.take(GROUP_BYTES_MAX, GROUP_REQUESTS_MAX);
        if taken.is_empty() {
            return ledger;
        }
        let (group, replies): (Vec<Prepared>, Vec<Reply<Answer>>) = taken.into_iter().unzip();
        if failure.is_none() {
            match ledger.append_group(&group) {
                Ok(answers) => {
                    for (reply, answer) in replies.into_iter().zip(answers) {
                        reply.send(answer.map_err(GroupError::from));
                    }
                    continue;
                }
                Err(cause) => failure = Some(GroupError::Failed(Arc::new(cause))),
            }
        }
        for reply in replies {
            reply.send(Err(failure.clone().unwrap_or(GroupError::Lost)));
        }
    }
}
