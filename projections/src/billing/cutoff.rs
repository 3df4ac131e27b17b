//! The cutoff: which events a bill knows.
//!
//! Recording a run, a report, an import, an erasure, a pruning or what is done with keys appends an event that says nothing about what is
//! billed. Such bookkeeping does not move the cutoff, so the same bill asked again has the same
//! run id although the first one was recorded.

use std::ops::ControlFlow;

use ledger::{EventType, Position, ReadError, Reader};
use serde::{Deserialize, Serialize};

/// Family of billing events (`docs/events.md`).
const FAMILY_BILLING: u16 = 0x09;
/// Family of report events.
const FAMILY_REPORT: u16 = 0x0a;
/// `ledger.imported`, and what is done with keys and private payloads: `ledger.key_rotated`,
/// `ledger.epoch_sealed`, `ledger.redacted`, `ledger.pruned`, `ledger.anchored`.
const BOOKKEEPING: [EventType; 6] = [
    EventType(0x0b02),
    EventType(0x0b07),
    EventType(0x0b08),
    EventType(0x0b09),
    EventType(0x0b0a),
    EventType(0x0b0b),
];

/// Whether an event of this type can matter to a bill.
pub fn matters(event_type: EventType) -> bool {
    let family = event_type.0 >> 8;
    family != FAMILY_BILLING && family != FAMILY_REPORT && !BOOKKEEPING.contains(&event_type)
}

/// Finds the cutoff while events pass by, in any order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cutoff {
    position: Position,
}

impl Cutoff {
    /// Sees one event.
    pub fn see(&mut self, position: Position, event_type: EventType) {
        if matters(event_type) {
            self.position = self.position.max(position.saturating_add(1));
        }
    }

    /// Takes in what was seen of another part of the same ledger.
    pub fn join(&mut self, other: Self) {
        self.position = self.position.max(other.position);
    }

    /// Events below this position can matter; those at or above it cannot.
    pub fn position(self) -> Position {
        self.position
    }
}

/// The position after the last event that can matter; 0 when none does.
pub fn cutoff(events: impl IntoIterator<Item = (Position, EventType)>) -> Position {
    let mut cutoff = Cutoff::default();
    for (position, event_type) in events {
        cutoff.see(position, event_type);
    }
    cutoff.position()
}

/// Events looked at in one step from the end; the last that matters is almost always among the
/// first few.
const STEP: u64 = 256;

/// The cutoff among the events below `size` of a ledger, found from its end.
///
/// # Errors
/// [`ReadError`] when the ledger cannot be read.
pub fn cutoff_of(reader: &Reader, size: Position) -> Result<Position, ReadError> {
    let mut cutoff = Cutoff::default();
    let mut end = size.min(reader.size());
    while end > 0 && cutoff.position() == 0 {
        let start = end.saturating_sub(STEP);
        reader.scan(start..end, &matters, &mut |recorded| {
            cutoff.see(recorded.position, recorded.event.body.event_type());
            ControlFlow::Continue(())
        })?;
        end = start;
    }
    Ok(cutoff.position())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> EventType {
        EventType::from_name(name).unwrap()
    }

    #[test]
    fn bookkeeping_does_not_move_the_cutoff() {
        let facts = vec![
            (0, named("ledger.created")),
            (1, named("identity.registered")),
            (2, named("ledger.imported")),
        ];
        assert_eq!(cutoff(facts.clone()), 2);
        let mut later = facts;
        later.push((3, named("billing.run_recorded")));
        later.push((4, named("report.report_issued")));
        assert_eq!(cutoff(later.clone()), 2);
        later.push((5, named("ledger.corroborated")));
        assert_eq!(cutoff(later), 6);
    }

    #[test]
    fn an_unknown_event_matters() {
        assert!(matters(EventType(0x0799)));
        assert!(matters(named("activity.signed_in")));
    }

    #[test]
    fn nothing_matters_in_an_empty_ledger() {
        assert_eq!(cutoff([]), 0);
    }

    #[test]
    fn the_cutoff_of_a_ledger_is_found_from_its_end() {
        use crate::billing::known_answers::{inputs, span, usage};
        use crate::billing::{PriceBook, bill};
        use crate::sample::{at, event, own, sp};
        use ledger::{CreateOptions, Edge, Ledger, NaturalKey};

        let dir = tempfile::tempdir().unwrap();
        let edge = Edge {
            clock: Box::new(|| jiff::Timestamp::UNIX_EPOCH),
            entropy: Box::new(|bytes| bytes.fill(7)),
        };
        let options = CreateOptions {
            origin: "ledger.example/t/acme".to_owned(),
            private_network: false,
        };
        let mut ledger = Ledger::create(dir.path(), &options, edge).unwrap();
        let fact = event(0, &sp("a"), at("2026-11-01T00:00:00Z"), own("alpha")).event;
        let book = PriceBook::default_book().unwrap();
        let subjects = vec![usage("a", vec![span("2026-11-01T00:00:00Z", None)])];
        let run = bill(inputs(&book, "2026-11", subjects)).unwrap();
        let mut events = vec![fact];
        for n in 0..STEP + 9 {
            let mut recorded = run.recorded_event().unwrap();
            recorded.id = NaturalKey::new("test").with(&n.to_string()).id();
            events.push(recorded);
        }
        ledger.append(events).unwrap();
        let reader = ledger.reader().unwrap();
        // `ledger.created`, the fact, and then bookkeeping for more than one step.
        assert_eq!(reader.size(), STEP + 11);
        assert_eq!(cutoff_of(&reader, reader.size()).unwrap(), 2);
        assert_eq!(cutoff_of(&reader, 1).unwrap(), 1);
        assert_eq!(cutoff_of(&reader, 0).unwrap(), 0);
    }
}
