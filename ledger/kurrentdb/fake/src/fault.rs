//! Faults on demand.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Which calls a fault strikes, counted from when it was put in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// The next so many.
    Next(u64),
    /// The one with this number, counted from 1.
    Nth(u64),
    /// Every one whose number is a multiple of this.
    Every(u64),
}

/// What goes wrong with an append.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AppendFault {
    /// The connection is cut; nothing was appended.
    DropBeforeCommit,
    /// The connection is cut, and all was appended.
    DropAfterCommit,
    /// "Operation timed out"; nothing was appended, nor will be.
    AbortedBeforeCommit,
    /// "Operation timed out", and all was appended.
    AbortedAfterCommit,
    /// "Operation timed out", and all is appended so much later.
    AbortedCommitLater(Duration),
    /// The server is not ready.
    Unavailable,
    /// Another node leads: the leader of the cluster, or the one given.
    NotLeader(Option<SocketAddr>),
    /// The append, then the answer, takes so long.
    Delay(Duration),
}

/// What goes wrong with a read or a subscription.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFault {
    /// The server is not ready.
    Unavailable,
    /// Another node leads: the leader of the cluster, or the one given.
    NotLeader(Option<SocketAddr>),
    /// The first answer takes so long.
    Delay(Duration),
    /// The connection is cut after so many events.
    CutAfter(u64),
    /// The read ends as if all were told after so many events.
    EndAfter(u64),
    /// So many events before the first one asked for are told (again) as well.
    Duplicate(u64),
}

/// Faults of one kind of call.
#[derive(Debug)]
pub(crate) struct Faults<F> {
    rules: Mutex<Vec<Rule<F>>>,
}

#[derive(Debug)]
struct Rule<F> {
    when: When,
    fault: F,
    seen: u64,
}

impl<F: Copy> Faults<F> {
    /// None.
    pub(crate) const fn none() -> Self {
        Self {
            rules: Mutex::new(Vec::new()),
        }
    }

    /// Puts one in, behind those that are there.
    pub(crate) fn put(&self, when: When, fault: F) {
        self.lock().push(Rule {
            when,
            fault,
            seen: 0,
        });
    }

    /// Takes all of them out.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// What goes wrong with this call: the first fault that strikes it. Every fault counts it.
    pub(crate) fn strike(&self) -> Option<F> {
        let mut rules = self.lock();
        let mut struck = None;
        for rule in rules.iter_mut() {
            rule.seen = rule.seen.saturating_add(1);
            let strikes = match rule.when {
                When::Next(count) => rule.seen <= count,
                When::Nth(number) => rule.seen == number,
                When::Every(number) => rule.seen.checked_rem(number) == Some(0),
            };
            if strikes && struck.is_none() {
                struck = Some(rule.fault);
            }
        }
        rules.retain(|rule| match rule.when {
            When::Next(count) => rule.seen < count,
            When::Nth(number) => rule.seen < number,
            When::Every(_) => true,
        });
        struck
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Rule<F>>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_strike_when_they_are_told_to() {
        let faults = Faults::none();
        faults.put(When::Next(2), 'a');
        faults.put(When::Every(3), 'b');
        faults.put(When::Nth(4), 'c');
        let struck: String = (0..7).map(|_| faults.strike().unwrap_or('.')).collect();
        assert_eq!(struck, "aabc.b.");
        faults.clear();
        assert_eq!(faults.strike(), None);
        faults.put(When::Every(0), 'd');
        assert_eq!(faults.strike(), None);
    }
}
