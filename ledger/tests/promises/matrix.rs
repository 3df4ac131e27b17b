//! The tamper matrix: what an insider can do to a ledger of a thousand events, and what is said
//! of it with no help, with a signed checkpoint, and with anchors kept elsewhere.

use std::path::{Path, PathBuf};

use ledger::checkpoint::Checkpoint;
use ledger::note::SigningKey;
use ledger::tree::{Tile, leaf_hash};
use ledger::{
    CHECKPOINT_FILE, FaultClass as C, KeptNote, Outside, Reader, SegmentOptions, VerifyReport,
    chain_path, hash, verify_against,
};

use super::book::{create, options, registered, sign_in};

/// The event that is tampered with.
const AT: usize = 437;

type Found = Vec<(Option<u64>, C)>;

/// A stored record an insider can change at will.
#[derive(Clone)]
struct Record {
    entry: Vec<u8>,
    public: Vec<u8>,
    private: Vec<u8>,
}

/// A ledger of 1,000 events in one segment with a signed checkpoint, and anchors beside it.
struct Scene {
    _keep: tempfile::TempDir,
    dir: PathBuf,
    anchors: PathBuf,
    key: SigningKey,
}

fn frame(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let mut frame = kind.to_vec();
    frame.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
    let mut crc = crc32fast::Hasher::new();
    crc.update(&frame);
    crc.update(body);
    frame.extend(crc.finalize().to_be_bytes());
    frame.extend(body);
    frame
}

impl Scene {
    fn new() -> Self {
        let keep = tempfile::tempdir().unwrap();
        let (dir, anchors) = (keep.path().join("ledger"), keep.path().join("anchors"));
        let sizes = SegmentOptions {
            extend_bytes: 0,
            ..SegmentOptions::default()
        };
        let mut ledger = create(&dir, sizes);
        let mut events: Vec<_> = (0..997).map(sign_in).collect();
        events.insert(AT - 1, registered(77, "seventy-seven"));
        events.push(registered(78, "seventy-eight"));
        ledger.append(events).unwrap();
        assert_eq!(ledger.size(), 1_000);
        let key = SigningKey::new(ledger.origin(), &[9; 32]).unwrap();
        let checkpoint = Checkpoint {
            origin: ledger.origin().to_owned(),
            size: ledger.size(),
            root: ledger.root(),
        };
        let note = checkpoint.sign(&key).unwrap();
        std::fs::write(dir.join(CHECKPOINT_FILE), note.to_string()).unwrap();
        let scene = Self {
            _keep: keep,
            dir,
            anchors,
            key,
        };
        scene.anchor();
        scene
    }

    /// Writes the anchors of the ledger as it is, from its entries.
    fn anchor(&self) {
        let records = self.records();
        for (index, entries) in (0..).zip(records.chunks(256)) {
            let leaves: Vec<[u8; 32]> = entries.iter().map(|one| leaf_hash(&one.entry)).collect();
            let tile = Tile {
                level: 0,
                index,
                width: u16::try_from(leaves.len()).unwrap(),
            };
            write(&self.anchors.join(tile.path()), &leaves.concat());
        }
        let chains: Vec<[u8; 32]> = records
            .chunks_exact(256)
            .map(|entries| chain_of(entries.last().unwrap()))
            .collect();
        let path = chain_path(0, u16::try_from(chains.len()).unwrap());
        write(&self.anchors.join(path), &chains.concat());
    }

    fn segment(&self) -> PathBuf {
        self.dir.join(format!("{:020}.seg", 0))
    }

    fn records(&self) -> Vec<Record> {
        let reader = Reader::open(&self.dir).unwrap();
        (0..reader.size())
            .map(|position| {
                let stored = reader.get_stored(position).unwrap().unwrap();
                Record {
                    entry: stored.entry.to_vec(),
                    public: stored.public,
                    private: stored.private,
                }
            })
            .collect()
    }

    /// Writes the segment anew with other records, every CRC and commit as it should be.
    fn put(&self, records: &[Record]) {
        let mut bytes = std::fs::read(self.segment()).unwrap()[..96].to_vec();
        for record in records {
            let body = [&record.entry[..], &record.public, &record.private].concat();
            bytes.extend(frame(*b"RECD", &body));
        }
        let mut commit = vec![0; 8];
        commit.extend(u64::try_from(records.len()).unwrap().to_be_bytes());
        commit.extend(chain_of(records.last().unwrap()));
        bytes.extend(frame(*b"CMIT", &commit));
        std::fs::write(self.segment(), bytes).unwrap();
    }

    fn change(&self, change: impl FnOnce(&mut Vec<Record>)) {
        let mut records = self.records();
        change(&mut records);
        self.put(&records);
    }

    /// Writes every full tile anew, as the entries now lead to.
    fn rewrite_tiles(&self) {
        let records = self.records();
        for (index, entries) in (0..).zip(records.chunks_exact(256)) {
            let leaves: Vec<[u8; 32]> = entries.iter().map(|one| leaf_hash(&one.entry)).collect();
            write(
                &self.dir.join(Tile::full(0, index).path()),
                &leaves.concat(),
            );
        }
    }

    fn verify(&self, outside: &Outside) -> VerifyReport {
        verify_against(&self.dir, outside, &|_, _| {}).unwrap()
    }

    fn found(&self) -> Found {
        classes(&self.verify(&Outside {
            keys: vec![self.key.verifier().clone()],
            ..Outside::default()
        }))
    }

    fn found_with_anchors(&self) -> Found {
        let mut found = classes(&self.verify(&Outside {
            anchors: Some(self.anchors.clone()),
            ..Outside::default()
        }));
        found.retain(|(_, class)| *class == C::Anchor || *class == C::Size);
        found
    }
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

fn chain_of(record: &Record) -> [u8; 32] {
    hash::chain(record.entry.as_slice().try_into().unwrap())
}

/// Makes the chain fit again from a position on.
fn rehash(records: &mut [Record], from: usize) {
    for at in from..records.len() {
        let before = chain_of(&records[at - 1]);
        records[at].entry[224..].copy_from_slice(&before);
    }
}

fn classes(report: &VerifyReport) -> Found {
    report
        .faults
        .iter()
        .map(|fault| (fault.position, fault.class))
        .collect()
}

fn at(position: u64, class: C) -> (Option<u64>, C) {
    (Some(position), class)
}

const ID: usize = 25;

#[test]
fn nothing_is_said_of_an_untouched_ledger() {
    let scene = Scene::new();
    assert_eq!(scene.found(), []);
    let report = scene.verify(&Outside {
        keys: vec![scene.key.verifier().clone()],
        anchors: Some(scene.anchors.clone()),
        ..Outside::default()
    });
    assert_eq!(report.faults, []);
    assert_eq!(report.anchored, Some(1_000));
    assert!(report.statements[0].holds && report.statements[0].signed_by.len() == 1);
}

#[test]
fn a_changed_entry_shows_in_its_leaf_the_link_behind_it_and_the_root() {
    let scene = Scene::new();
    scene.change(|records| records[AT].entry[ID] ^= 1);
    assert_eq!(
        scene.found(),
        [at(0, C::Root), at(437, C::Leaf), at(438, C::Link)]
    );
    assert_eq!(scene.found_with_anchors()[0], at(437, C::Anchor));
}

#[test]
fn a_changed_link_is_told_apart() {
    let scene = Scene::new();
    scene.change(|records| records[AT].entry[230] ^= 1);
    let wanted = [
        at(0, C::Root),
        at(437, C::Link),
        at(437, C::Leaf),
        at(438, C::Link),
    ];
    assert_eq!(scene.found(), wanted);
}

#[test]
fn changed_and_missing_payloads_leave_the_tree_alone() {
    let scene = Scene::new();
    scene.change(|records| *records[AT - 1].public.last_mut().unwrap() ^= 1);
    assert_eq!(scene.found(), [at(436, C::Public)]);
    let scene = Scene::new();
    scene.change(|records| *records[AT].private.last_mut().unwrap() ^= 1);
    assert_eq!(scene.found(), [at(437, C::Private)]);
    let scene = Scene::new();
    scene.change(|records| records[AT].private.clear());
    assert_eq!(scene.found(), [at(437, C::PrivateMissing)]);
}

#[test]
fn every_changed_byte_of_a_tile_is_told_from_a_changed_record() {
    let scene = Scene::new();
    for index in 0..3 {
        let path = scene.dir.join(Tile::full(0, index).path());
        let good = std::fs::read(&path).unwrap();
        for offset in (0..good.len()).step_by(61).chain([8_191]) {
            let mut bad = good.clone();
            bad[offset] ^= 0x40;
            std::fs::write(&path, &bad).unwrap();
            let hit = index * 256 + u64::try_from(offset / 32).unwrap();
            assert_eq!(scene.found(), [at(hit, C::Leaf)], "byte {offset}");
        }
        std::fs::write(&path, &good[..8_190]).unwrap();
        assert_eq!(scene.found(), [at(index * 256, C::Tile)]);
        std::fs::remove_file(&path).unwrap();
        assert_eq!(scene.found(), [], "a missing tile follows from the entries");
        std::fs::write(&path, &good).unwrap();
    }
}

#[test]
fn deleted_inserted_swapped_and_foreign_records_are_named() {
    let scene = Scene::new();
    scene.change(|records| drop(records.remove(AT)));
    let found = scene.found();
    assert_eq!(found[0], at(0, C::Root));
    assert!(found.contains(&at(437, C::Gap)), "{found:?}");
    assert!(
        !found
            .iter()
            .any(|(hit, _)| hit.is_some_and(|hit| hit > 438))
    );

    let scene = Scene::new();
    scene.change(|records| records.insert(AT, records[AT].clone()));
    let found = scene.found();
    assert!(found.contains(&at(437, C::Seq)), "{found:?}");
    assert!(
        !found
            .iter()
            .any(|(hit, _)| hit.is_some_and(|hit| hit > 438 && hit < 1_000))
    );

    let scene = Scene::new();
    scene.change(|records| records.swap(AT, AT + 1));
    let found = scene.found();
    assert!(found.contains(&at(437, C::Seq)), "{found:?}");
    assert!(
        !found
            .iter()
            .any(|(hit, _)| hit.is_some_and(|hit| hit > 439))
    );

    let scene = Scene::new();
    let other = tempfile::tempdir().unwrap();
    let mut foreign = options();
    foreign.origin = "ledger.example/t/other".to_owned();
    let mut ledger = ledger::Ledger::create(other.path(), &foreign, super::book::edge()).unwrap();
    ledger.append((0..999).map(sign_in).collect()).unwrap();
    let stored = ledger.reader().unwrap().get_stored(437).unwrap().unwrap();
    scene.change(|records| {
        records[AT] = Record {
            entry: stored.entry.to_vec(),
            public: stored.public,
            private: stored.private,
        };
    });
    let found = scene.found();
    assert!(found.contains(&at(437, C::Ledger)), "{found:?}");
    assert!(found.contains(&at(437, C::Leaf)) && found.contains(&at(438, C::Link)));
}

#[test]
fn a_ledger_cut_behind_a_commit_ends_before_its_checkpoint() {
    let scene = Scene::new();
    scene.change(|records| records.truncate(990));
    assert_eq!(scene.found(), [at(990, C::Size)]);
    let twice = [at(990, C::Size); 2];
    assert_eq!(
        scene.found_with_anchors(),
        twice,
        "by checkpoint and anchors"
    );
    std::fs::remove_file(scene.dir.join(CHECKPOINT_FILE)).unwrap();
    assert_eq!(scene.found(), [], "the folder alone cannot tell");
}

#[test]
fn a_chain_hashed_again_shows_against_the_tiles_and_exactly_against_anchors() {
    let scene = Scene::new();
    scene.change(|records| {
        for changed in [AT, 700] {
            records[changed].entry[ID] ^= 1;
        }
        rehash(records, AT + 1);
    });
    let found = scene.found();
    assert!(!found.iter().any(|(_, class)| *class == C::Link));
    let leaves: Vec<u64> = found
        .iter()
        .filter(|(_, class)| *class == C::Leaf)
        .filter_map(|(hit, _)| *hit)
        .collect();
    // the last tile is not full and so not on disk
    assert_eq!(leaves, (437..768).collect::<Vec<u64>>());
    assert!(found.contains(&at(0, C::Root)));
    let exact = [
        at(437, C::Anchor),
        at(438, C::Anchor),
        at(512, C::Anchor),
        at(700, C::Anchor),
        at(701, C::Anchor),
    ];
    assert_eq!(scene.found_with_anchors(), exact);
    // tiles written anew as well: only what is kept elsewhere tells
    scene.rewrite_tiles();
    assert_eq!(scene.found(), [at(0, C::Root)]);
    assert_eq!(scene.found_with_anchors(), exact);
    std::fs::remove_file(scene.dir.join(CHECKPOINT_FILE)).unwrap();
    assert_eq!(scene.found(), [], "the folder alone cannot tell");
}

#[test]
fn an_auditors_checkpoint_outside_the_folder_counts_like_one_inside() {
    let scene = Scene::new();
    let kept = scene.dir.join(CHECKPOINT_FILE);
    let note = KeptNote::read(&kept, "mine".to_owned()).unwrap();
    std::fs::remove_file(kept).unwrap();
    scene.change(|records| {
        records[AT].entry[ID] ^= 1;
        rehash(records, AT + 1);
    });
    scene.rewrite_tiles();
    let outside = Outside {
        checkpoints: vec![note],
        keys: vec![scene.key.verifier().clone()],
        ..Outside::default()
    };
    let report = scene.verify(&outside);
    assert_eq!(classes(&report), [at(0, C::Root)]);
    assert_eq!(report.faults[0].file, "mine");
}

#[test]
fn every_changed_byte_of_a_checkpoint_is_found() {
    let scene = Scene::new();
    let path = scene.dir.join(CHECKPOINT_FILE);
    let good = std::fs::read(&path).unwrap();
    for offset in 0..good.len() {
        for change in [0x01, 0x20, 0x80] {
            let mut bad = good.clone();
            bad[offset] ^= change;
            std::fs::write(&path, &bad).unwrap();
            let found = scene.found();
            assert!(!found.is_empty(), "byte {offset}: {change}");
            assert!(
                found
                    .iter()
                    .all(|(_, class)| [C::Sig, C::Ledger, C::Root, C::Size].contains(class)),
                "byte {offset}: {found:?}"
            );
        }
    }
    std::fs::write(&path, [good, vec![b'x'; 70_000]].concat()).unwrap();
    assert_eq!(scene.found(), [(None, C::Sig)]);
}

#[test]
fn a_checkpoint_in_the_ladder_is_named_as_its_size() {
    let scene = Scene::new();
    let ladder = scene.dir.join(ledger::LADDER_FOLDER);
    std::fs::create_dir_all(&ladder).unwrap();
    let kept = scene.dir.join(CHECKPOINT_FILE);
    std::fs::copy(&kept, scene.dir.join(ledger::rung(1_000))).unwrap();
    assert_eq!(scene.found(), []);
    std::fs::copy(&kept, scene.dir.join(ledger::rung(999))).unwrap();
    assert_eq!(scene.found(), [(None, C::Sig)]);
}

#[test]
fn a_parent_tile_must_hold_the_roots_of_its_children() {
    let dir = tempfile::tempdir().unwrap();
    let mut ledger = create(dir.path(), SegmentOptions::default());
    for batch in 0..66 {
        let events = (batch * 1_000..batch * 1_000 + 1_000).map(sign_in);
        ledger.append(events.collect()).unwrap();
    }
    let path = dir.path().join(Tile::full(1, 0).path());
    let good = std::fs::read(&path).unwrap();
    let check = || classes(&verify_against(dir.path(), &Outside::default(), &|_, _| {}).unwrap());
    assert_eq!(check(), []);
    let mut bad = good;
    bad[100 * 32] ^= 1;
    std::fs::write(&path, bad).unwrap();
    assert_eq!(check(), [at(25_600, C::Tile)]);
}
