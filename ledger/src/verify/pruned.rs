//! Payloads that are gone: pruned as an event says, or lost.
//!
//! The event that says so comes later than what it is about, so both are gathered by segment and
//! joined at the end.

use super::fault::{Fault, FaultClass, Faults};
use crate::entry::Entry;
use crate::event::evidence::Pruned as Order;
use crate::event::{EventType, Position};
use crate::prune::pruning_of;

/// The payloads that one segment lacks, and the prunings on record in it.
#[derive(Debug, Default)]
pub(super) struct Pruned {
    lacking: Vec<(Position, EventType)>,
    orders: Vec<(Position, Order)>,
}

impl Pruned {
    /// Takes note of an entry without payload; from a damaged one nothing is concluded.
    pub(super) fn lacks(&mut self, entry: &Entry, intact: bool) {
        if intact {
            self.lacking.push((entry.position, entry.event_type));
        }
    }

    /// Takes note of a pruning.
    pub(super) fn order(&mut self, position: Position, public: &[u8], faults: &mut Faults) {
        match pruning_of(public) {
            Some(order) if order.below <= position => self.orders.push((position, order)),
            Some(order) => {
                let detail = format!("the pruning says it holds below {}", order.below);
                faults.add(position, FaultClass::Format, detail);
            }
            None => faults.add(position, FaultClass::Format, "the pruning cannot be read"),
        }
    }
}

/// Joins all segments: how many payloads were pruned, and a fault for each that was not.
pub(super) fn settle(
    segments: &[&Pruned],
    fault: &dyn Fn(Position, &str) -> Fault,
) -> (u64, Vec<Fault>) {
    let orders: Vec<_> = segments.iter().flat_map(|some| &some.orders).collect();
    let mut pruned = 0;
    let mut faults = Vec::new();
    for (position, event_type) in segments.iter().flat_map(|some| &some.lacking) {
        let mut orders = orders.iter();
        // Whatever an order says: of other types payloads are never pruned.
        if event_type.is_activity()
            && orders.any(|(by, order)| by > position && order.covers(*event_type, *position))
        {
            pruned += 1;
        } else {
            let detail = "the payload is gone and no pruning is on record";
            faults.push(fault(*position, detail));
        }
    }
    (pruned, faults)
}
