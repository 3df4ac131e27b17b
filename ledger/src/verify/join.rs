//! Joining checked segments: what only shows between them.

use std::path::Path;

use rayon::prelude::*;

use super::fault::{Fault, FaultClass, Faults};
use super::folder::Folder;
use super::private;
use super::pruned;
use super::records::PlacedId;
use super::segment::Checked;
use super::streams::Streams;
use super::tree::Whole;
use super::{Ask, PrivateParts, VerifyReport};
use crate::event::Position;
use crate::hash;
use crate::segment::file::{is_there, name_of};
use crate::segment::temporary_path;

/// Joins the segments of a folder, in the order of their names, into one report.
pub(super) fn join(
    dir: &Path,
    folder: &Folder,
    ask: &Ask,
    mut segments: Vec<Checked>,
) -> VerifyReport {
    let mut in_tree = Faults::of(String::new());
    let (mut leaves, mut on_evidence) = (Vec::new(), Vec::new());
    for segment in &mut segments {
        leaves.push(std::mem::take(&mut segment.leaves));
        on_evidence.append(&mut segment.on_evidence);
    }
    let size = segments.last().map_or(0, |last| last.next);
    let tree = Whole::join(size, leaves, &ask.wanted, &mut in_tree);
    let mut statements = ask.statements.clone();
    tree.compare(&mut statements, &ask.wanted, &mut in_tree);
    let mut all = folder.compare(segments.first());
    let mut streams = Streams::default();
    let mut lost = false;
    let mut before: Option<&Checked> = None;
    for segment in &segments {
        let mut faults = Faults::of(segment.name.clone());
        let expected = before.map_or(0, |before| before.next);
        if segment.first > expected {
            let detail = format!("positions {expected}..{} are missing", segment.first);
            faults.add(expected, FaultClass::Gap, detail);
            lost = true;
        } else if segment.first < expected {
            let detail = format!("the segment before reaches to {expected}");
            faults.add(None, FaultClass::Header, detail);
            lost = true;
        }
        if let Some(before) = before.filter(|before| before.next == segment.first) {
            check_boundary(before, segment, &mut faults);
        }
        lost |= segment.lost;
        streams.join(&segment.spans, lost, &mut faults);
        all.extend(faults.list);
        before = Some(segment);
    }
    all.extend(check_end(dir, &segments));
    all.extend(in_tree.list);
    all.extend(ask.faults.iter().cloned());
    let (private, pruned, missing) = gone(&segments, ask);
    all.extend(missing);
    let report = VerifyReport {
        private,
        pruned,
        size,
        root: tree.root(size),
        statements,
        on_evidence,
        anchored: None,
        head_chain: segments
            .last()
            .and_then(|last| last.head_chain)
            .or(folder.origin().map(hash::genesis))
            .unwrap_or_default(),
        segments: u64::try_from(segments.len()).unwrap_or(u64::MAX),
        bytes: segments.iter().map(|segment| segment.bytes).sum(),
        faults: Vec::new(),
    };
    all.extend(repeated_ids(&segments));
    all.extend(segments.into_iter().flat_map(|segment| segment.faults));
    all.sort_by_key(|fault| (fault.position, fault.class));
    VerifyReport {
        faults: all,
        ..report
    }
}

/// What of the payloads is gone: erased or pruned as an event says, or a fault.
fn gone(segments: &[Checked], ask: &Ask) -> (PrivateParts, u64, Vec<Fault>) {
    let fault = |class: FaultClass| {
        move |position: Position, detail: &str| Fault {
            position: Some(position),
            class,
            file: file_of(segments, position),
            detail: detail.to_owned(),
        }
    };
    let privates: Vec<_> = segments.iter().map(|segment| &segment.privates).collect();
    let missing = fault(FaultClass::PrivateMissing);
    let (parts, mut faults) = private::settle(&privates, &ask.opener, &missing);
    let lacking: Vec<_> = segments.iter().map(|segment| &segment.pruned).collect();
    let (pruned, missing) = pruned::settle(&lacking, &fault(FaultClass::PayloadMissing));
    faults.extend(missing);
    (parts, pruned, faults)
}

fn check_boundary(before: &Checked, segment: &Checked, faults: &mut Faults) {
    if !before.sealed {
        let mut unsealed = Faults::of(before.name.clone());
        unsealed.add(
            None,
            FaultClass::Seal,
            "the segment is not sealed although another follows",
        );
        faults.list.extend(unsealed.list);
    }
    if let (Some(chain), Some(header)) = (before.head_chain, segment.header)
        && header.prev_chain != chain
    {
        faults.add(
            None,
            FaultClass::Header,
            "the header does not carry the chain value of the segment before",
        );
    }
    if let Some((position, time)) = segment.first_time
        && time < before.times.recorded_last
    {
        faults.add(position, FaultClass::Time, "recorded time goes back");
    }
}

/// A sealed last segment without a successor means that the successor was removed. The exception
/// is a roll-over that a crash interrupted (its file is there under another name) or that
/// happened since the folder was listed.
fn check_end(dir: &Path, segments: &[Checked]) -> Vec<Fault> {
    let Some(last) = segments.last() else {
        let mut faults = Faults::of(name_of(0));
        faults.add(0, FaultClass::Truncated, "there is no segment");
        return faults.list;
    };
    let mut faults = Faults::of(last.name.clone());
    if last.next == 0 {
        faults.add(0, FaultClass::Truncated, "there is no event");
    }
    // In this order: it has the one name until it has the other.
    let is_coming = || temporary_path(dir, last.next).exists() || is_there(dir, last.next);
    if last.sealed && !is_coming() {
        faults.add(
            last.next,
            FaultClass::Truncated,
            "the last segment is sealed, so the one after it is missing",
        );
    }
    faults.list
}

/// Name of the segment that holds a position.
fn file_of(segments: &[Checked], position: Position) -> String {
    let after = segments.partition_point(|segment| segment.first <= position);
    let holds = after.checked_sub(1).and_then(|at| segments.get(at));
    holds.map_or_else(|| name_of(0), |segment| segment.name.clone())
}

/// Event ids that occur more than once.
fn repeated_ids(segments: &[Checked]) -> Vec<Fault> {
    let total = segments.iter().map(|segment| segment.ids.len()).sum();
    let mut ids: Vec<PlacedId> = Vec::with_capacity(total);
    for segment in segments {
        ids.extend_from_slice(&segment.ids);
    }
    ids.par_sort_unstable();
    let mut found = Vec::new();
    for (one, two) in ids.iter().zip(ids.iter().skip(1)) {
        if one.0 == two.0 {
            found.push(Fault {
                position: Some(two.1),
                class: FaultClass::DupId,
                file: file_of(segments, two.1),
                detail: format!("the event id is already at position {}", one.1),
            });
        }
    }
    found
}
