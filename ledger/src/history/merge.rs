//! Making one run of several that follow each other.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io;
use std::path::Path;

use super::FAN;
use super::places::Places;
use super::run::{ID_BYTES, Lookup, Mark, Run, RunWriter, STREAM_BYTES, id_row, relative};
use super::table::{Rows, Table, key_of};
use crate::hash::Hash;

/// Size of a run in steps of [`FAN`].
fn level(lookup: &Lookup, run_events: usize) -> u32 {
    let events = lookup.run.mark.next - lookup.run.mark.first;
    let smallest = u64::try_from(run_events).unwrap_or(u64::MAX);
    (events / smallest.max(1)).max(1).ilog(FAN)
}

/// The first of the runs to be made into one, when it is time: the last ones that are no larger
/// than a size of which there are [`FAN`] among them.
pub(super) fn due(runs: &[Lookup], run_events: usize) -> Option<usize> {
    let level = |lookup: &Lookup| level(lookup, run_events);
    let largest = runs.iter().map(level).max()?;
    (0..=largest).find_map(|size| {
        let trailing = runs.iter().rev().take_while(|run| level(run) <= size);
        let (mut count, mut of_size, mut events) = (0, 0, 0_u64);
        for run in trailing {
            count += 1;
            of_size += u64::from(level(run) == size);
            events += run.run.mark.next - run.run.mark.first;
        }
        let fits = u32::try_from(events).is_ok();
        (of_size >= FAN && fits).then(|| runs.len() - count)
    })
}

/// Writes the run that holds what these hold.
pub(super) fn merge(dir: &Path, ledger_id: [u8; 16], parts: &[Lookup]) -> io::Result<Lookup> {
    let (Some(oldest), Some(newest)) = (parts.first(), parts.last()) else {
        return Err(io::ErrorKind::InvalidInput.into());
    };
    let mark = Mark {
        first: oldest.run.mark.first,
        encrypted: parts.iter().any(|part| part.run.mark.encrypted),
        ..newest.run.mark
    };
    let mut places = Places::default();
    for part in parts {
        places.extend(part.run.places()?);
    }
    let rows =
        |table: fn(&Lookup) -> &Table| -> u64 { parts.iter().map(|part| table(part).len()).sum() };
    let mut out = RunWriter::create(dir, mark.first, mark.next)?;
    let ids = out.table(
        ID_BYTES,
        rows(|part| &part.ids),
        &mut ids_of(parts, mark.first)?,
    )?;
    let streams = out.table(
        STREAM_BYTES,
        rows(|part| &part.streams),
        &mut streams_of(parts)?,
    )?;
    let path = out.finish(ledger_id, &mark, (ids, streams), &places)?;
    Run::open(&path, ledger_id)?.tables()
}

/// The ids of all, sorted; positions counted from `first`.
fn ids_of<'p>(
    parts: &'p [Lookup],
    first: u64,
) -> io::Result<impl FnMut(&mut Vec<u8>) -> io::Result<bool> + 'p> {
    let mut rows: Vec<(Rows<'p>, u64)> = parts
        .iter()
        .map(|part| (part.ids.rows(part.file()), part.run.mark.first - first))
        .collect();
    // key, position, part
    let mut next = BinaryHeap::new();
    for (number, (rows, shift)) in rows.iter_mut().enumerate() {
        if let Some(row) = rows.next()? {
            next.push(Reverse((
                key_of(row),
                relative(row).saturating_add(*shift),
                number,
            )));
        }
    }
    Ok(move |out: &mut Vec<u8>| {
        out.clear();
        let Some(mut top) = next.peek_mut() else {
            return Ok(false);
        };
        let Reverse((key, position, number)) = *top;
        let row = id_row(key, position).ok_or(io::ErrorKind::InvalidData)?;
        out.extend_from_slice(&row);
        let Some((rows, shift)) = rows.get_mut(number) else {
            return Ok(false);
        };
        if let Some(row) = rows.next()? {
            *top = Reverse((key_of(row), relative(row).saturating_add(*shift), number));
        } else {
            std::collections::binary_heap::PeekMut::pop(top);
        }
        Ok(true)
    })
}

/// Name, newest part first, row.
type StreamItem = Reverse<(Hash, Reverse<usize>, [u8; STREAM_BYTES])>;

/// The streams of all, sorted; of one that several know, what the newest says.
fn streams_of(parts: &[Lookup]) -> io::Result<impl FnMut(&mut Vec<u8>) -> io::Result<bool>> {
    let mut rows: Vec<Rows<'_>> = parts
        .iter()
        .map(|part| part.streams.rows(part.file()))
        .collect();
    let mut next: BinaryHeap<StreamItem> = BinaryHeap::new();
    for (number, rows) in rows.iter_mut().enumerate() {
        if let Some(row) = rows.next()? {
            next.extend(item(row, number));
        }
    }
    let mut last: Option<Hash> = None;
    Ok(move |out: &mut Vec<u8>| {
        while let Some(Reverse((name, Reverse(number), row))) = next.pop() {
            if let Some(rows) = rows.get_mut(number)
                && let Some(row) = rows.next()?
            {
                next.extend(item(row, number));
            }
            if last != Some(name) {
                last = Some(name);
                out.clear();
                out.extend_from_slice(&row);
                return Ok(true);
            }
        }
        Ok(false)
    })
}

fn item(row: &[u8], number: usize) -> Option<StreamItem> {
    let name = row.first_chunk()?;
    let row = row.first_chunk()?;
    Some(Reverse((*name, Reverse(number), *row)))
}
