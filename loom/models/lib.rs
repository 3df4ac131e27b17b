//! Every interleaving of small cases of the hand-off between callers and the writer thread.
//!
//! loom runs the ledger's own file with its mutexes, and fails on a wake-up that is lost (no thread
//! can go on) and on an assertion that any interleaving breaks. `.ci/loom` runs it.

#![cfg(test)]

#[path = "../../ledger/src/group/handoff.rs"]
mod handoff;

/// loom's in the place of the standard library's.
mod sync {
    pub(super) use loom::sync::{Arc, Condvar, Mutex, MutexGuard};
}

use handoff::{Receiver, Sender, handoff};
use loom::thread;

/// Bytes of what a writer may take at once: all there is.
const ANY: usize = usize::MAX;

/// Runs a model with so many preemptions a run. Two find nearly every such fault (M. Musuvathi and
/// S. Qadeer, "Iterative context bounding", 2007), and three are too many for four threads.
fn model(preemptions: usize, each: impl Fn() + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.check(each);
}

/// A writer that gives each request the next position, until the queue is closed and empty; what
/// it was asked, in order.
fn write(requests: &Receiver<u32, (u32, usize)>, count_max: usize) -> Vec<u32> {
    let mut book = Vec::new();
    loop {
        let taken = requests.take(ANY, count_max);
        if taken.is_empty() {
            return book;
        }
        let mut replies = Vec::new();
        for (request, reply) in taken {
            book.push(request);
            replies.push((reply, (request, book.len() - 1)));
        }
        for (reply, answer) in replies {
            reply.send(answer);
        }
    }
}

/// Appends as a caller does: the position of the request.
fn append(requests: &Sender<u32, (u32, usize)>, request: u32) -> usize {
    let pending = requests.send(request, 1).expect("the queue is open");
    let (answered, position) = pending.wait().expect("the writer answers");
    assert_eq!(answered, request, "the answer is another's");
    position
}

#[test]
fn every_caller_gets_its_own_position() {
    model(2, || {
        let (requests, receiver) = handoff(ANY);
        let writer = thread::spawn(move || write(&receiver, 2));
        let callers: Vec<_> = [1, 2]
            .map(|request| {
                let requests = requests.clone();
                thread::spawn(move || append(&requests, request))
            })
            .into_iter()
            .collect();
        let positions = callers.into_iter().map(|caller| caller.join().unwrap());
        let positions: Vec<usize> = positions.collect();
        requests.close();
        let book = writer.join().unwrap();
        assert_eq!(book.len(), 2);
        for (request, position) in [1, 2].into_iter().zip(positions) {
            assert_eq!(
                book[position], request,
                "a position that is not in the book"
            );
        }
    });
}

#[test]
fn requests_are_written_in_the_order_they_were_accepted() {
    model(2, || {
        let (requests, receiver) = handoff(ANY);
        let writer = thread::spawn(move || write(&receiver, 2));
        let other = {
            let requests = requests.clone();
            thread::spawn(move || append(&requests, 9))
        };
        let first = requests.send(1, 1).ok().unwrap();
        let second = requests.send(2, 1).ok().unwrap();
        let (_, second) = second.wait().unwrap();
        let (_, first) = first.wait().unwrap();
        assert!(first < second);
        other.join().unwrap();
        requests.close();
        assert_eq!(writer.join().unwrap().len(), 3);
    });
}

#[test]
fn callers_kept_waiting_by_a_full_queue_go_on() {
    model(2, || {
        let (requests, receiver) = handoff(1);
        let writer = thread::spawn(move || write(&receiver, 1));
        let callers = [1, 2].map(|request| {
            let requests = requests.clone();
            thread::spawn(move || append(&requests, request))
        });
        let mine = append(&requests, 3);
        let mut positions = vec![mine];
        for caller in callers {
            positions.push(caller.join().unwrap());
        }
        positions.sort_unstable();
        assert_eq!(positions, [0, 1, 2]);
        requests.close();
        assert_eq!(writer.join().unwrap().len(), 3);
    });
}

#[test]
fn closing_finishes_what_was_accepted_and_gives_back_the_rest() {
    model(2, || {
        let (requests, receiver) = handoff(1);
        let writer = thread::spawn(move || write(&receiver, 1));
        let callers = [1, 2].map(|request| {
            let requests = requests.clone();
            thread::spawn(move || match requests.send(request, 1) {
                Ok(pending) => Some(pending.wait().expect("accepted, so it is answered")),
                Err(given_back) => {
                    assert_eq!(given_back, request);
                    None
                }
            })
        });
        requests.close();
        let answers = callers.map(|caller| caller.join().unwrap());
        let book = writer.join().unwrap();
        let answered: Vec<_> = answers.into_iter().flatten().collect();
        assert_eq!(answered.len(), book.len());
        for (request, position) in answered {
            assert_eq!(book[position], request);
        }
    });
}

#[test]
fn a_writer_that_ends_leaves_no_caller_waiting() {
    model(2, || {
        let (requests, receiver) = handoff::<u32, (u32, usize)>(1);
        // takes one and goes away without a word, as a thread that panics does
        let writer = thread::spawn(move || drop(receiver.take(ANY, 1)));
        let ask = |requests: &Sender<u32, (u32, usize)>, request| match requests.send(request, 1) {
            Ok(pending) => assert_eq!(pending.wait(), None),
            Err(given_back) => assert_eq!(given_back, request),
        };
        // one in hand, one in the queue, one kept waiting by it
        let callers = [1, 2].map(|request| {
            let requests = requests.clone();
            thread::spawn(move || ask(&requests, request))
        });
        ask(&requests, 3);
        for caller in callers {
            caller.join().unwrap();
        }
        writer.join().unwrap();
        assert!(requests.send(4, 1).is_err());
    });
}

#[test]
fn a_failed_write_is_told_to_every_caller_of_it_and_after_it() {
    model(2, || {
        let (requests, receiver) = handoff::<u32, Result<u32, &'static str>>(ANY);
        let writer = thread::spawn(move || {
            let mut written = 0;
            loop {
                let taken = receiver.take(ANY, 2);
                if taken.is_empty() {
                    return;
                }
                // the first write is well, every later one is not
                let answer = if written == 0 {
                    Ok(written)
                } else {
                    Err("poisoned")
                };
                written += 1;
                for (_, reply) in taken {
                    reply.send(answer);
                }
            }
        });
        let caller = {
            let requests = requests.clone();
            thread::spawn(move || {
                let pending = requests.send(1, 1).ok().unwrap();
                pending.wait().expect("answered")
            })
        };
        let first = requests.send(2, 1).ok().unwrap().wait().expect("answered");
        let second = requests.send(3, 1).ok().unwrap().wait().expect("answered");
        let others = caller.join().unwrap();
        assert!(first.is_ok() || others.is_ok());
        assert!(second.is_err(), "behind a write that was answered");
        requests.close();
        writer.join().unwrap();
    });
}
