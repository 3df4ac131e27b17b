//! What is wrong with the packing of a segment, beside what that did to its content.

use super::fault::{Fault, FaultClass, Faults};
use crate::event::Position;
use crate::segment::file::SegmentFile;
use crate::segment::frame::{HEADER_BYTES, Parsed, outline};

/// Faults of a packed file whose content was read; none for a plain one.
pub(super) fn faults(segment: &SegmentFile, content: &[u8]) -> Vec<Fault> {
    let mut faults = Faults::of(segment.name());
    let Some(damage) = segment.damage() else {
        return faults.list;
    };
    if let Some(why) = damage.table {
        let detail = format!("{why}, so its frames were looked for one after another");
        faults.add(None, FaultClass::Seal, detail);
    }
    for offset in damage.unreadable {
        let position = position_at(segment.first, content, offset);
        let detail = format!("the packed frame of the bytes from {offset} on is damaged");
        faults.add(position, FaultClass::Frame, detail);
    }
    faults.list
}

/// Position of the record that lies at an offset, or of the first after it, as far as frames lead
/// to it from the beginning.
fn position_at(first: Position, content: &[u8], offset: u64) -> Option<Position> {
    let offset = usize::try_from(offset).ok()?;
    let (mut at, mut position) = (HEADER_BYTES, first);
    while let Parsed::Frame(frame) = outline(content.get(at..)?) {
        let end = at.checked_add(frame.bytes())?;
        if end > offset {
            break;
        }
        if frame.is_record() {
            position = position.checked_add(1)?;
        }
        at = end;
    }
    Some(position)
}
