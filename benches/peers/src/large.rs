//! A large ledger: how long it takes to open, and each read and proof after that.

use std::path::Path;
use std::time::Instant;

use ledger::tree::{leaf_hash, verify_consistency, verify_inclusion};
use ledger::{Ledger, Reader};

use crate::daybook::create;
use crate::work::{BATCH, edge, event, median, rate};

/// Proofs made of each kind.
const PROOFS: u64 = 1_000;

pub(crate) fn measure(events: u64, root: &Path) {
    let folder = tempfile::tempdir_in(root).unwrap();
    let dir = folder.path().join("ledger");
    let mut ledger = create(&dir);
    let mut next = 0;
    let mut millions = vec![];
    while next < events {
        let (start, first) = (Instant::now(), next);
        while next < events.min(first + 1_000_000) {
            let end = events.min(next + u64::try_from(BATCH).unwrap());
            ledger.append((next..end).map(event).collect()).unwrap();
            next = end;
        }
        millions.push(rate(next - first, start.elapsed()));
    }
    let (first, last) = (millions.first().unwrap(), millions.last().unwrap());
    println!("{events} events appended: {first} events/s in the first million, {last} in the last");
    drop(ledger);

    let mut opened = vec![];
    let before = resident();
    for _ in 0..5 {
        let start = Instant::now();
        let ledger = Ledger::open(&dir, edge()).unwrap();
        opened.push(u64::try_from(start.elapsed().as_micros()).unwrap());
        assert_eq!(ledger.size(), events + 1);
        if opened.len() == 1 {
            let more = resident().saturating_sub(before);
            println!("memory of an open ledger  {:>9} bytes for a million events", more * 1_000_000 / events);
        }
    }
    println!("open for writing         {:>10} us median", median(&mut opened));
    let start = Instant::now();
    let reader = Reader::open(&dir).unwrap();
    println!("open a reader            {:>10} us", start.elapsed().as_micros());
    let size = reader.size();
    let root = reader.tree().root(size).unwrap();
    let (mut first, mut inclusion, mut consistency) = (vec![], vec![], vec![]);
    for number in 1..=PROOFS {
        // spread over the ledger, and the same in every run
        let position = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) % (size - 1) + 1;
        let start = Instant::now();
        let tree = reader.tree();
        let proof = tree.inclusion(position, size).unwrap().unwrap();
        inclusion.push(u64::try_from(start.elapsed().as_micros()).unwrap());
        let start = Instant::now();
        let growth = reader.tree().consistency(position, size).unwrap().unwrap();
        consistency.push(u64::try_from(start.elapsed().as_micros()).unwrap());
        let old = reader.tree().root(position).unwrap();
        verify_consistency(position, size, &old, &root, &growth).unwrap();
        if number <= 20 {
            let start = Instant::now();
            let stored = reader.get_stored(position).unwrap().unwrap();
            first.push(u64::try_from(start.elapsed().as_micros()).unwrap());
            verify_inclusion(position, size, &leaf_hash(&stored.entry), &proof, &root).unwrap();
        }
    }
    let most = |values: &[u64]| values.iter().max().copied().unwrap_or(0);
    println!("inclusion proof          {:>10} us median, {} us at most", median(&mut inclusion), most(&inclusion));
    println!("consistency proof        {:>10} us median, {} us at most", median(&mut consistency), most(&consistency));
    println!("first read in a segment  {:>10} us median, {} us at most", median(&mut first), most(&first));
}

/// Bytes of the process that are in memory, where the system tells (Linux).
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kilobytes.unwrap_or(0) * 1_024
}
