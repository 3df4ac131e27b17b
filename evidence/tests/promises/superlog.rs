//! The super-log: one tiled log over the checkpoints of many ledgers.

mod crash;

use std::collections::BTreeMap;
use std::path::Path;

use evidence::superlog::{
    AppendError, Blind, CreateError, FolderError, LEAF_BYTES, Leaf, OpenError, Placed,
    PublishError, Statement, SuperLog,
};
use ledger::checkpoint::Checkpoint;
use ledger::note::{Note, SigningKey};
use ledger::tree::{Tile, TreeHash, verify_consistency, verify_inclusion};
use proptest::prelude::*;
use tempfile::TempDir;
use zeroize::Zeroizing;

use super::cosigner::Cosigner;
use super::grown::root;

pub(crate) const SUPER: &str = "ledger.example/super";

pub(crate) fn key() -> SigningKey {
    SigningKey::new(SUPER, &[3; 32]).unwrap()
}

pub(crate) fn blind(byte: u8) -> Blind {
    Blind::new(Zeroizing::new([byte; 32]))
}

pub(crate) fn create(dir: &Path) -> SuperLog {
    SuperLog::create(dir, key(), blind(4)).unwrap()
}

fn reopen(dir: &Path) -> Result<SuperLog, OpenError> {
    SuperLog::open(dir, key(), blind(4))
}

/// What a tenant's ledger says at a size; its root and chain value follow from both.
pub(crate) fn statement(tenant: u8, size: u64) -> Statement {
    let [low, ..] = size.to_le_bytes();
    Statement {
        checkpoint: Checkpoint {
            origin: format!("ledger.example/t/{tenant}"),
            size,
            root: [tenant ^ low; 32],
        },
        chain_head: [low; 32],
    }
}

pub(crate) fn statements(from: u64, count: u64) -> Vec<Statement> {
    let of = |number: u64| statement(u8::try_from(number % 7).unwrap(), number);
    (from..from + count).map(of).collect()
}

fn added(index: u64) -> Placed {
    Placed {
        index,
        is_new: true,
    }
}

/// Every file of a folder but the lock, by its path.
pub(crate) fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![dir.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("LOCK") {
                let name = path.strip_prefix(dir).unwrap().to_str().unwrap();
                found.insert(name.to_owned(), std::fs::read(&path).unwrap());
            }
        }
    }
    found
}

fn write(dir: &Path, files: &BTreeMap<String, Vec<u8>>) {
    for (path, bytes) in files {
        let path = dir.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

#[test]
fn a_leaf_has_the_bytes_of_the_format() {
    let statement = statement(2, 300);
    let opening = blind(4).opening("ledger.example/t/2");
    let leaf = Leaf::of(&statement, &opening);
    let bytes = leaf.bytes();
    assert_eq!(bytes.len(), LEAF_BYTES);
    assert_eq!(&bytes[..4], b"LGS1");
    let domain = blake3::derive_key("daybook 2026-11 super-log origin v1", b"");
    let named = [domain.as_slice(), &[0, 0, 0, 18], b"ledger.example/t/2"].concat();
    let blinded = blake3::keyed_hash(&opening, &named);
    assert_eq!(&bytes[4..36], blinded.as_bytes());
    assert_eq!(&bytes[36..44], &[0, 0, 0, 0, 0, 0, 1, 44]);
    assert_eq!(&bytes[44..76], &statement.checkpoint.root);
    assert_eq!(&bytes[76..], &statement.chain_head);
    assert_eq!(Leaf::parse(&bytes), Ok(leaf));
    for end in 0..LEAF_BYTES {
        Leaf::parse(&bytes[..end]).unwrap_err();
    }
    Leaf::parse(&[bytes.as_slice(), &[0]].concat()).unwrap_err();
    Leaf::parse(&[b"LGS2", &bytes[4..]].concat()).unwrap_err();

    assert!(leaf.states(&statement, &opening));
    let other = blind(5).opening("ledger.example/t/2");
    assert!(!leaf.states(&statement, &other));
    // another origin's opening opens nothing here
    let foreign = blind(4).opening("ledger.example/t/3");
    assert!(!leaf.states(&statement, &foreign));
    assert!(!format!("{:?}", blind(4)).contains('4'));
}

#[test]
fn the_same_is_stated_once_and_nothing_goes_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = create(dir.path());
    let three = [statement(1, 5), statement(2, 9), statement(1, 8)];
    assert_eq!(log.append(&three).unwrap(), [added(0), added(1), added(2)]);
    let note = log.note().clone();
    let again = log.append(&three).unwrap();
    assert!(again.iter().all(|placed| !placed.is_new));
    assert_eq!(log.note(), &note);
    // within one append too
    let twice = log.append(&[statement(3, 1), statement(3, 1)]).unwrap();
    assert_eq!(
        twice,
        [
            added(3),
            Placed {
                index: 3,
                is_new: false
            }
        ]
    );

    let before = files(dir.path());
    let refused = log.append(&[statement(4, 1), statement(1, 7)]);
    assert!(matches!(
        refused,
        Err(AppendError::Backwards {
            last: 8,
            size: 7,
            ..
        })
    ));
    for changed in [
        |statement: &mut Statement| statement.checkpoint.root[0] ^= 1,
        |statement: &mut Statement| statement.chain_head[31] ^= 1,
    ] {
        for size in [5, 8] {
            let mut other = statement(1, size);
            changed(&mut other);
            let refused = log.append(&[statement(4, 1), other]);
            assert!(matches!(refused, Err(AppendError::Forked { .. })));
        }
    }
    let many = statements(100, 257);
    let refused = log.append(&many);
    assert!(matches!(refused, Err(AppendError::TooMany { count: 257 })));
    assert_eq!(files(dir.path()), before);
    // of what was refused as a whole, nothing is remembered
    assert_eq!(log.append(&[statement(4, 1)]).unwrap(), [added(4)]);
    assert_eq!(log.append(&[]).unwrap(), []);
    let (index, leaf) = log.newest("ledger.example/t/1").unwrap();
    assert_eq!((index, leaf.size), (2, 8));
    assert_eq!(log.newest("ledger.example/t/9"), None);
}

#[test]
fn it_is_a_tiled_log_at_every_size() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = create(dir.path());
    let mut leaves: Vec<TreeHash> = Vec::new();
    let mut roots = vec![(0, root(&[]))];
    let mut next = 0;
    for count in [1, 2, 3, 100, 149, 1, 1, 255, 256, 200] {
        let batch = statements(next, count);
        log.append(&batch).unwrap();
        next += count;
        for one in &batch {
            let opening = log.opening(&one.checkpoint.origin);
            leaves.push(Leaf::of(one, &opening).hash());
        }
        let signed = Checkpoint::parse(log.note().text()).unwrap();
        log.note().verify(&[key().verifier().clone()]).unwrap();
        assert_eq!((signed.size, signed.root), (next, root(&leaves)));
        let stored = std::fs::read(dir.path().join("checkpoint")).unwrap();
        assert_eq!(Note::parse(&stored).unwrap(), *log.note());
        for level in 0..3 {
            let hashes = next >> (8 * u32::from(level));
            let Some(last) = hashes.checked_sub(1) else {
                continue;
            };
            let tile = Tile::holding(level, last, next).unwrap();
            let bytes = std::fs::read(dir.path().join(tile.path())).unwrap();
            assert_eq!(bytes.len(), usize::from(tile.width) * 32);
            if level == 0 {
                let path = dir.path().join(tile.entries_path());
                let bundle = std::fs::read(path).unwrap();
                assert_eq!(bundle.len(), usize::from(tile.width) * 110);
            }
        }
        for (old, old_root) in &roots {
            let proof = log.consistency(*old).unwrap();
            verify_consistency(*old, next, old_root, &signed.root, &proof).unwrap();
        }
        roots.push((next, signed.root));
    }
    let signed = Checkpoint::parse(log.note().text()).unwrap();
    for (hash, index) in leaves.iter().zip(0..) {
        let included = log.inclusion(index).unwrap().unwrap();
        assert_eq!(included.leaf.hash(), *hash);
        verify_inclusion(index, signed.size, hash, &included.proof, &signed.root).unwrap();
    }
    assert_eq!(log.inclusion(next).unwrap(), None);
    // superseded partial tiles are gone, those of the edge are there
    assert!(!dir.path().join("tile/0/000.p").exists());
    assert!(!dir.path().join("tile/entries/001.p").exists());
    assert!(dir.path().join("tile/entries/003.p/200").exists());
    drop(log);
    let log = reopen(dir.path()).unwrap();
    assert_eq!(log.size(), 968);
    assert_eq!(log.note().text(), signed.text());
}

#[test]
fn one_writer_at_a_time_with_the_key_and_secret_it_was_made_with() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(reopen(dir.path()), Err(OpenError::Absent)));
    let log = create(dir.path());
    assert!(matches!(reopen(dir.path()), Err(OpenError::Locked)));
    let again = SuperLog::create(dir.path(), key(), blind(4));
    assert!(matches!(again, Err(CreateError::Exists)));
    drop(log);
    let again = SuperLog::create(dir.path(), key(), blind(4));
    assert!(matches!(again, Err(CreateError::Exists)));
    let other = SuperLog::open(dir.path(), key(), blind(5));
    assert!(matches!(other, Err(OpenError::OtherBlind)));
    let named = SigningKey::new("other.example", &[3; 32]).unwrap();
    let other = SuperLog::open(dir.path(), named, blind(4));
    assert!(matches!(other, Err(OpenError::OtherKey { .. })));
    let same_name = SigningKey::new(SUPER, &[9; 32]).unwrap();
    let other = SuperLog::open(dir.path(), same_name, blind(4));
    assert!(matches!(other, Err(OpenError::Note(_))));
    reopen(dir.path()).unwrap();
    let lengthy = SigningKey::new(&"a".repeat(256), &[3; 32]).unwrap();
    let new = tempfile::tempdir().unwrap();
    let refused = SuperLog::create(new.path(), lengthy, blind(4));
    assert!(matches!(refused, Err(CreateError::Origin { bytes: 256 })));
}

#[test]
fn any_changed_byte_or_missing_file_keeps_it_closed() {
    let dir = tempfile::tempdir().unwrap();
    create(dir.path()).append(&statements(0, 5)).unwrap();
    let whole = files(dir.path());
    assert_eq!(
        whole.keys().map(String::as_str).collect::<Vec<_>>(),
        [
            "checkpoint",
            "superlog",
            "tile/0/000.p/5",
            "tile/entries/000.p/5"
        ]
    );
    for (path, bytes) in &whole {
        let file = dir.path().join(path);
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1 << (index % 8);
            std::fs::write(&file, &changed).unwrap();
            assert!(reopen(dir.path()).is_err(), "{path} byte {index}");
        }
        for other in [
            &bytes[..bytes.len() - 1],
            &[bytes.as_slice(), b"\0"].concat(),
            b"",
        ] {
            std::fs::write(&file, other).unwrap();
            assert!(reopen(dir.path()).is_err(), "{path}: {} bytes", other.len());
        }
        std::fs::remove_file(&file).unwrap();
        assert!(reopen(dir.path()).is_err(), "{path} is missing");
        std::fs::write(&file, bytes).unwrap();
    }
    assert_eq!(reopen(dir.path()).unwrap().size(), 5);
}

#[test]
fn a_rewritten_leaf_is_found_though_its_tiles_fit() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    create(dir.path()).append(&statements(0, 5)).unwrap();
    create(other.path()).append(&statements(1, 5)).unwrap();
    let mut mixed = files(other.path());
    mixed.remove("checkpoint");
    write(dir.path(), &mixed);
    assert!(matches!(reopen(dir.path()), Err(OpenError::Root)));
}

#[test]
fn cosignatures_are_kept_with_the_newest_checkpoint_alone() {
    let dir = tempfile::tempdir().unwrap();
    let mut log = create(dir.path());
    log.append(&statements(0, 3)).unwrap();
    let witness = Cosigner::new("w.example", 9);
    let mut cosigned = log.note().clone();
    cosigned
        .push(witness.cosign(cosigned.text(), 1_000))
        .unwrap();
    log.publish(&cosigned).unwrap();
    drop(log);
    let mut log = reopen(dir.path()).unwrap();
    assert_eq!(log.note(), &cosigned);
    // the same statements again sign nothing new
    log.append(&statements(0, 3)).unwrap();
    assert_eq!(log.note(), &cosigned);

    let unsigned = Note::new(cosigned.text()).unwrap();
    assert!(matches!(log.publish(&unsigned), Err(PublishError::Note(_))));
    log.append(&statements(3, 1)).unwrap();
    assert!(matches!(log.publish(&cosigned), Err(PublishError::Other)));
    assert_eq!(log.note().signatures().len(), 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn any_order_of_statements_leaves_each_origin_growing(
        said in prop::collection::vec(prop::collection::vec((0..3_u8, 0..6_u64), 0..4), 0..8),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let mut log = create(dir.path());
        // the oracle: a plain list of what was accepted
        let mut known: Vec<Statement> = Vec::new();
        for batch in said {
            let batch: Vec<Statement> = batch
                .iter()
                .map(|(tenant, size)| statement(*tenant, *size))
                .collect();
            let mut next = known.clone();
            let mut is_fine = true;
            for one in &batch {
                let of_origin =
                    |other: &&Statement| other.checkpoint.origin == one.checkpoint.origin;
                let last = next.iter().filter(of_origin).map(|other| other.checkpoint.size).max();
                if !next.contains(one) {
                    is_fine &= last.is_none_or(|last| last < one.checkpoint.size);
                    next.push(one.clone());
                }
            }
            let placed = log.append(&batch);
            prop_assert_eq!(placed.is_ok(), is_fine);
            if let Ok(placed) = placed {
                known = next;
                for (placed, one) in placed.iter().zip(&batch) {
                    let at = known.iter().position(|other| other == one).unwrap();
                    prop_assert_eq!(placed.index, u64::try_from(at).unwrap());
                }
            }
            prop_assert_eq!(log.size(), u64::try_from(known.len()).unwrap());
        }
        drop(log);
        let log = reopen(dir.path()).unwrap();
        for (one, index) in known.iter().zip(0..) {
            let included = log.inclusion(index).unwrap().unwrap();
            let opening = log.opening(&one.checkpoint.origin);
            prop_assert!(included.leaf.states(one, &opening));
        }
    }
}
