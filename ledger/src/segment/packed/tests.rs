//! Packing by itself: any bytes come back, at any offset, and no changed byte goes unnoticed.

use std::io::{Seek as _, SeekFrom, Write as _};

use proptest::prelude::*;

use super::*;

fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    file
}

/// Bytes that pack to about a half, the same for a seed.
fn content(bytes: usize, seed: u8) -> Vec<u8> {
    let mut random = vec![0; bytes];
    blake3::Hasher::new()
        .update(&[seed])
        .finalize_xof()
        .fill(&mut random);
    for (at, byte) in random.iter_mut().enumerate() {
        if at % 3 != 0 {
            *byte = 7;
        }
    }
    random
}

fn read(file: &File) -> (Vec<u8>, Option<Damage>) {
    let packed = Packed::open(file).unwrap();
    let mut bytes = vec![0; usize::try_from(packed.len()).unwrap()];
    let read = packed.read_at(file, &mut bytes, 0).unwrap();
    assert_eq!(read, bytes.len());
    (bytes, packed.damage())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_range_reads_as_in_the_plain_file(
        bytes in 1_usize..1_500_000,
        ranges in prop::collection::vec((0_usize..1_600_000, 0_usize..700_000), 1..8),
    ) {
        let content = content(bytes, 1);
        let file = file_of(&pack(&content, 1).unwrap());
        let packed = Packed::open(&file).unwrap();
        prop_assert_eq!(packed.len(), bytes as u64);
        for (start, length) in ranges {
            let mut buffer = vec![0; length];
            let read = packed.read_at(&file, &mut buffer, start as u64).unwrap();
            let expected = content.get(start..(start + length).min(bytes)).unwrap_or_default();
            prop_assert_eq!(&buffer[..read], expected);
        }
        prop_assert_eq!(packed.damage(), None);
    }
}

#[test]
fn every_changed_byte_and_every_cut_is_noticed() {
    let content = content(700, 2);
    let good = pack(&content, 3).unwrap();
    assert_eq!(read(&file_of(&good)), (content, None));
    for at in 0..good.len() {
        for change in [1, 0x80, 0xFF] {
            let mut bad = good.clone();
            bad[at] ^= change;
            assert!(read(&file_of(&bad)).1.is_some(), "byte {at}");
        }
        assert!(read(&file_of(&good[..at])).1.is_some(), "cut at {at}");
    }
    let longer = [good.as_slice(), b"\0"].concat();
    assert!(read(&file_of(&longer)).1.is_some());
}

#[test]
fn a_damaged_frame_costs_what_it_held_and_a_damaged_table_nothing() {
    let content = content(3 * CONTENT_BYTES + 100, 3);
    let good = pack(&content, 3).unwrap();
    let mut bad = good.clone();
    bad[good.len() / 3 + 1_000] ^= 1;
    let (found, damage) = read(&file_of(&bad));
    let hole = CONTENT_BYTES..2 * CONTENT_BYTES;
    assert_eq!(damage.unwrap().unreadable, [CONTENT_BYTES as u64]);
    assert!(found[hole.clone()].iter().all(|byte| *byte == FILLER));
    assert_eq!(found[..hole.start], content[..hole.start]);
    assert_eq!(found[hole.end..], content[hole.end..]);
    let mut bad = good.clone();
    let last = bad.len() - 30;
    bad[last] ^= 1;
    let (found, damage) = read(&file_of(&bad));
    assert_eq!(found, content);
    assert!(damage.is_some_and(|damage| damage.table.is_some() && damage.unreadable.is_empty()));
}

#[test]
fn a_table_that_asks_for_much_is_not_believed() {
    let frame = pack(&[7; 9], 3).unwrap();
    let made = |bytes| Made::of(&frame, &vec![0; bytes]);
    let table_of = |made: &[Made]| {
        let mut bytes = Vec::new();
        for _ in made {
            bytes.extend_from_slice(&frame);
        }
        Table::write(made, &mut bytes).unwrap();
        Table::of(&file_of(&bytes)).unwrap()
    };
    assert_eq!(table_of(&[made(CONTENT_BYTES_MAX)]).damage, None);
    assert!(table_of(&[made(CONTENT_BYTES_MAX + 1)]).damage.is_some());
    assert!(table_of(&[made(0)]).damage.is_some());
    let many = usize::try_from(UNPACKED_BYTES_MAX).unwrap() / CONTENT_BYTES_MAX;
    let many = vec![made(CONTENT_BYTES_MAX); many + 1];
    assert!(table_of(&many).damage.is_some());
    assert_eq!(table_of(&many[1..]).damage, None);
    assert!(pack(&[], 3).is_err());
}
