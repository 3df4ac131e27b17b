//! Requests from any number of callers to one receiver, and an answer back to each.
//!
//! A queue with a bound, and a cell for each answer. Requests are received in the order they were
//! accepted, every accepted one is answered exactly once, and none is left waiting: one that the
//! receiver drops without an answer, be it because its thread ended or panicked, is answered
//! with `None`. `loom/` runs this file through every interleaving of small cases.

use std::collections::VecDeque;
use std::sync::PoisonError;

use super::sync::{Arc, Condvar, Mutex, MutexGuard};

/// The callers' end.
pub(crate) struct Sender<Q, A>(Arc<Queue<Q, A>>);

/// The receiver's end; there is one. When it is dropped, everything is answered with `None` that
/// was not answered before, and nothing is accepted any more.
pub(crate) struct Receiver<Q, A>(Arc<Queue<Q, A>>);

/// A request that was accepted, and its weight.
struct Accepted<Q, A> {
    request: Q,
    weight: usize,
    reply: Reply<A>,
}

struct Queue<Q, A> {
    /// Weight from which on callers wait before their requests are accepted.
    weight_max: usize,
    state: Mutex<State<Q, A>>,
    /// A request came, or the queue was closed: what the receiver waits for.
    filled: Condvar,
    /// Requests went, or the queue was closed: what callers wait for.
    emptied: Condvar,
}

struct State<Q, A> {
    waiting: VecDeque<Accepted<Q, A>>,
    weight: usize,
    is_closed: bool,
}

/// The two ends of a queue that takes requests while those in it weigh less than `weight_max`.
pub(crate) fn handoff<Q, A>(weight_max: usize) -> (Sender<Q, A>, Receiver<Q, A>) {
    let queue = Arc::new(Queue {
        weight_max,
        state: Mutex::new(State {
            waiting: VecDeque::new(),
            weight: 0,
            is_closed: false,
        }),
        filled: Condvar::new(),
        emptied: Condvar::new(),
    });
    (Sender(Arc::clone(&queue)), Receiver(queue))
}

impl<Q, A> Clone for Sender<Q, A> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<Q, A> Sender<Q, A> {
    /// Hands a request over, waiting while the queue is full; gives it back when the queue is
    /// closed.
    pub(crate) fn send(&self, request: Q, weight: usize) -> Result<Pending<A>, Q> {
        let Queue {
            weight_max,
            state,
            filled,
            emptied,
        } = &*self.0;
        let mut state = lock(state);
        while !state.is_closed && state.weight >= *weight_max {
            state = wait(emptied, state);
        }
        if state.is_closed {
            return Err(request);
        }
        let (reply, pending) = cell();
        // The receiver waits only while there is none.
        let is_first = state.waiting.is_empty();
        state.weight = state.weight.saturating_add(weight);
        state.waiting.push_back(Accepted {
            request,
            weight,
            reply,
        });
        drop(state);
        if is_first {
            filled.notify_one();
        }
        Ok(pending)
    }

    /// Accepts nothing any more. What was accepted is still received.
    pub(crate) fn close(&self) {
        self.0.close();
    }
}

impl<Q, A> Queue<Q, A> {
    fn close(&self) {
        lock(&self.state).is_closed = true;
        self.filled.notify_all();
        self.emptied.notify_all();
    }
}

impl<Q, A> Receiver<Q, A> {
    /// Waits for requests and takes them, the oldest first: as many as weigh no more than
    /// `weight_max` together and are no more than `count_max`, and at least one. Empty when the
    /// queue is closed and nothing is left in it.
    pub(crate) fn take(&self, weight_max: usize, count_max: usize) -> Vec<(Q, Reply<A>)> {
        let mut state = lock(&self.0.state);
        while state.waiting.is_empty() && !state.is_closed {
            state = wait(&self.0.filled, state);
        }
        let was_full = state.weight >= self.0.weight_max;
        let mut taken = Vec::new();
        let mut weight: usize = 0;
        while let Some(next) = state.waiting.front()
            && (taken.is_empty()
                || taken.len() < count_max && weight.saturating_add(next.weight) <= weight_max)
            && let Some(next) = state.waiting.pop_front()
        {
            weight = weight.saturating_add(next.weight);
            taken.push((next.request, next.reply));
        }
        state.weight = state.weight.saturating_sub(weight);
        drop(state);
        if was_full {
            self.0.emptied.notify_all();
        }
        taken
    }
}

impl<Q, A> Drop for Receiver<Q, A> {
    fn drop(&mut self) {
        self.0.close();
        let left = std::mem::take(&mut lock(&self.0.state).waiting);
        // Each reply wakes its caller; the queue is not locked meanwhile.
        drop(left);
    }
}

/// Where an answer goes. Dropped without one, it answers `None`.
pub(crate) struct Reply<A>(Option<Arc<Cell<A>>>);

/// An answer to come.
pub(crate) struct Pending<A>(Arc<Cell<A>>);

struct Cell<A> {
    answer: Mutex<Answer<A>>,
    answered: Condvar,
}

enum Answer<A> {
    ToCome,
    Here(Option<A>),
}

fn cell<A>() -> (Reply<A>, Pending<A>) {
    let cell = Arc::new(Cell {
        answer: Mutex::new(Answer::ToCome),
        answered: Condvar::new(),
    });
    (Reply(Some(Arc::clone(&cell))), Pending(cell))
}

impl<A> Reply<A> {
    /// Answers.
    pub(crate) fn send(mut self, answer: A) {
        if let Some(cell) = self.0.take() {
            cell.put(Some(answer));
        }
    }
}

impl<A> Drop for Reply<A> {
    fn drop(&mut self) {
        if let Some(cell) = self.0.take() {
            cell.put(None);
        }
    }
}

impl<A> Cell<A> {
    fn put(&self, answer: Option<A>) {
        *lock(&self.answer) = Answer::Here(answer);
        self.answered.notify_one();
    }
}

impl<A> Pending<A> {
    /// Waits for the answer; `None` when the receiver went away without one.
    pub(crate) fn wait(self) -> Option<A> {
        let mut answer = lock(&self.0.answer);
        loop {
            if let Answer::Here(here) = &mut *answer {
                return here.take();
            }
            answer = wait(&self.0.answered, answer);
        }
    }
}

/// Locks. Nothing here panics while it holds a lock, so what a panic left is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn wait<'a, T>(condvar: &Condvar, guard: MutexGuard<'a, T>) -> MutexGuard<'a, T> {
    condvar.wait(guard).unwrap_or_else(PoisonError::into_inner)
}
