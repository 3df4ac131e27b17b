//! Changing what is stored, and being found out.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::book::{SMALL, create, folder, registered, sign_in};
use ledger::{Fault, FaultClass, SegmentOptions, VerifyReport, verify};

fn check(dir: &Path) -> VerifyReport {
    verify(dir, &|_, _| {}).unwrap()
}

/// A ledger of several segments, in several batches, with private parts.
fn several(dir: &Path, sizes: SegmentOptions) {
    let mut ledger = create(dir, sizes);
    for batch in 0..6 {
        let mut events = vec![registered(batch, "name")];
        events.extend((0..3).map(|n| sign_in(batch * 3 + n)));
        ledger.append(events).unwrap();
    }
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(dir)
        .unwrap()
        .map(|item| item.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "seg"))
        .collect();
    paths.sort();
    paths
}

/// Where each record's frame lies in a segment, by a walk of its own: start to (end, position).
fn records(bytes: &[u8]) -> BTreeMap<usize, (usize, u64)> {
    let number = |at: usize| u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
    let mut found = BTreeMap::new();
    let mut at = 96;
    while at + 12 <= bytes.len() && bytes[at..at + 4] != [0; 4] {
        let end = at + 12 + number(at + 4);
        if &bytes[at..at + 4] == b"RECD" {
            let position = u64::from_be_bytes(bytes[at + 20..at + 28].try_into().unwrap());
            found.insert(at, (end, position));
        }
        at = end;
    }
    found
}

fn record_at(records: &BTreeMap<usize, (usize, u64)>, offset: usize) -> Option<u64> {
    let (_, (end, position)) = records.range(..=offset).next_back()?;
    (offset < *end).then_some(*position)
}

#[test]
fn an_untouched_ledger_is_clean() {
    let dir = folder();
    several(dir.path(), SMALL);
    let report = check(dir.path());
    assert_eq!(report.faults, vec![]);
    assert_eq!(report.size, 25);
    assert!(report.segments > 3);
}

#[test]
fn every_changed_byte_of_a_segment_is_found_where_it_is() {
    let dir = folder();
    let sizes = SegmentOptions {
        index_events: 4,
        segment_bytes: 2_000,
        extend_bytes: 0,
    };
    let mut ledger = create(dir.path(), sizes);
    ledger.append(vec![sign_in(0)]).unwrap();
    ledger.append(vec![registered(1, "x"), sign_in(1)]).unwrap();
    drop(ledger);
    assert_eq!(segments(dir.path()).len(), 2);
    for path in segments(dir.path()) {
        let good = std::fs::read(&path).unwrap();
        let records = records(&good);
        for offset in 0..good.len() {
            let mut bad = good.clone();
            bad[offset] ^= 0x55;
            std::fs::write(&path, &bad).unwrap();
            let report = check(dir.path());
            let place = format!("{} byte {offset}", path.display());
            assert!(!report.is_clean(), "{place}");
            if let Some(position) = record_at(&records, offset) {
                let first = report.faults.iter().find_map(|fault| fault.position);
                assert_eq!(first, Some(position), "{place}: {:?}", report.faults);
            }
        }
        std::fs::write(&path, &good).unwrap();
    }
}

#[test]
fn every_changed_byte_of_the_settings_and_the_key_is_found() {
    let dir = folder();
    several(dir.path(), SMALL);
    for (name, class) in [
        ("ledger.toml", FaultClass::Settings),
        ("blind.key", FaultClass::Blind),
    ] {
        let path = dir.path().join(name);
        let good = std::fs::read(&path).unwrap();
        for offset in 0..good.len() {
            for change in [0x01, 0x20, 0x80] {
                let mut bad = good.clone();
                bad[offset] ^= change;
                std::fs::write(&path, &bad).unwrap();
                let faults = check(dir.path()).faults;
                assert!(
                    faults.iter().any(|fault| fault.class == class),
                    "{name} byte {offset}: {faults:?}"
                );
            }
        }
        std::fs::write(&path, &good).unwrap();
    }
}

#[test]
fn a_changed_byte_of_the_zeros_ahead_is_found() {
    let dir = folder();
    let sizes = SegmentOptions {
        extend_bytes: 1 << 20,
        ..SegmentOptions::default()
    };
    several(dir.path(), sizes);
    let path = &segments(dir.path())[0];
    let good = std::fs::read(path).unwrap();
    assert!(good.len() > 1 << 20);
    assert_eq!(check(dir.path()).faults, vec![]);
    for offset in [good.len() - 1, good.len() - 700_000, good.len() / 2] {
        let mut bad = good.clone();
        bad[offset] = b'R';
        std::fs::write(path, &bad).unwrap();
        assert_eq!(
            classes(&check(dir.path()).faults),
            [(None, FaultClass::Tail)]
        );
    }
}

fn classes(faults: &[Fault]) -> Vec<(Option<u64>, FaultClass)> {
    faults
        .iter()
        .map(|fault| (fault.position, fault.class))
        .collect()
}

/// Changes a record's body and makes its CRC match again, as an insider would.
fn forge(dir: &Path, position: u64, change: impl Fn(&mut [u8])) -> VerifyReport {
    for path in segments(dir) {
        let mut bytes = std::fs::read(&path).unwrap();
        let found = records(&bytes);
        let Some((start, (end, _))) = found.into_iter().find(|(_, (_, at))| *at == position) else {
            continue;
        };
        change(&mut bytes[start + 12..end]);
        let mut crc = crc32fast::Hasher::new();
        crc.update(&bytes[start..start + 8]);
        crc.update(&bytes[start + 12..end]);
        bytes[start + 8..start + 12].copy_from_slice(&crc.finalize().to_be_bytes());
        std::fs::write(path, bytes).unwrap();
    }
    check(dir)
}

/// One large segment, so that no footer is in the way.
fn one_segment() -> super::book::Folder {
    let dir = folder();
    let sizes = SegmentOptions {
        extend_bytes: 0,
        ..SegmentOptions::default()
    };
    several(dir.path(), sizes);
    dir
}

#[test]
fn a_forged_record_is_named_by_what_was_forged() {
    use FaultClass as C;
    let cases: [(usize, &[(u64, C)]); 12] = [
        (0, &[(5, C::Format), (6, C::Link)]),
        (4, &[(6, C::Link)]),
        (15, &[(5, C::Seq), (6, C::Link)]),
        (18, &[(5, C::Time), (6, C::Link)]),
        (24, &[(6, C::Link)]),
        (40, &[(5, C::Ledger), (6, C::Link)]),
        (63, &[(5, C::Stream), (6, C::Link)]),
        (71, &[(5, C::Stream), (6, C::Link)]),
        (96, &[(5, C::Stream), (6, C::Link)]),
        (160, &[(5, C::Public), (6, C::Link)]),
        (192, &[(5, C::Private), (6, C::Link)]),
        (224, &[(5, C::Link), (6, C::Link)]),
    ];
    for (offset, expected) in cases {
        let dir = one_segment();
        let report = forge(dir.path(), 5, |body| body[offset] ^= 1);
        let found = classes(&report.faults);
        for (position, class) in expected {
            assert!(
                found.contains(&(Some(*position), *class)),
                "byte {offset}: {found:?}"
            );
        }
    }
}

#[test]
fn forged_payloads_are_found_and_nothing_else_is_accused() {
    let dir = one_segment();
    let report = forge(dir.path(), 5, |body| body[300] ^= 1);
    assert_eq!(classes(&report.faults), [(Some(5), FaultClass::Public)]);
    let dir = one_segment();
    let report = forge(dir.path(), 5, |body| *body.last_mut().unwrap() ^= 1);
    assert_eq!(classes(&report.faults), [(Some(5), FaultClass::Private)]);
}

#[test]
fn erased_private_bytes_without_an_order_are_reported() {
    let dir = one_segment();
    let path = &segments(dir.path())[0];
    let mut bytes = std::fs::read(path).unwrap();
    let found = records(&bytes);
    let (start, (end, _)) = found.into_iter().find(|(_, (_, at))| *at == 5).unwrap();
    let public = u32::from_be_bytes(bytes[start + 88..start + 92].try_into().unwrap()) as usize;
    let kept = 256 + public;
    bytes.drain(start + 12 + kept..end);
    let length = u32::try_from(kept).unwrap();
    bytes[start + 4..start + 8].copy_from_slice(&length.to_be_bytes());
    std::fs::write(path, bytes).unwrap();
    let report = forge(dir.path(), 5, |_| {});
    assert_eq!(
        classes(&report.faults),
        [(Some(5), FaultClass::PrivateMissing)]
    );
}

#[test]
fn two_changes_are_both_reported() {
    let dir = one_segment();
    forge(dir.path(), 5, |body| body[300] ^= 1);
    let report = forge(dir.path(), 17, |body| body[300] ^= 1);
    assert_eq!(
        classes(&report.faults),
        [
            (Some(5), FaultClass::Public),
            (Some(17), FaultClass::Public)
        ]
    );
}

#[test]
fn a_removed_record_is_a_gap_at_its_position() {
    let dir = one_segment();
    let path = &segments(dir.path())[0];
    let mut bytes = std::fs::read(path).unwrap();
    let found = records(&bytes);
    let (start, (end, _)) = found.into_iter().find(|(_, (_, at))| *at == 6).unwrap();
    bytes.drain(start..end);
    std::fs::write(path, bytes).unwrap();
    assert_eq!(
        classes(&check(dir.path()).faults),
        [(Some(6), FaultClass::Gap)]
    );
}

#[test]
fn a_removed_segment_is_a_gap() {
    let dir = folder();
    several(dir.path(), SMALL);
    let paths = segments(dir.path());
    std::fs::remove_file(&paths[1]).unwrap();
    let faults = check(dir.path()).faults;
    let first: u64 = paths[1]
        .file_stem()
        .unwrap()
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(classes(&faults), [(Some(first), FaultClass::Gap)]);
}

#[test]
fn a_removed_last_segment_is_a_truncation() {
    let dir = folder();
    several(dir.path(), SMALL);
    let paths = segments(dir.path());
    let last = paths.last().unwrap();
    let first: u64 = last.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    std::fs::remove_file(last).unwrap();
    assert_eq!(
        classes(&check(dir.path()).faults),
        [(Some(first), FaultClass::Truncated)]
    );
}

#[test]
fn swapped_segments_are_found() {
    let dir = folder();
    several(dir.path(), SMALL);
    let paths = segments(dir.path());
    let (one, two) = (
        std::fs::read(&paths[1]).unwrap(),
        std::fs::read(&paths[2]).unwrap(),
    );
    std::fs::write(&paths[1], two).unwrap();
    std::fs::write(&paths[2], one).unwrap();
    let faults = check(dir.path()).faults;
    let headers = faults
        .iter()
        .filter(|fault| fault.class == FaultClass::Header);
    assert!(headers.count() >= 2, "{faults:?}");
}

#[test]
fn a_segment_of_another_ledger_is_found() {
    let dir = folder();
    several(dir.path(), SMALL);
    let other = folder();
    let options = ledger::CreateOptions {
        origin: "ledger.example/t/other".to_owned(),
        private_network: false,
    };
    drop(ledger::Ledger::create(other.path(), &options, super::book::edge()).unwrap());
    std::fs::copy(&segments(other.path())[0], &segments(dir.path())[0]).unwrap();
    let faults = check(dir.path()).faults;
    assert!(faults.iter().any(|fault| fault.class == FaultClass::Ledger));
}
