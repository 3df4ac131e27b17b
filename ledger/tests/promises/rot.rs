//! Files of a ledger changed, removed, cut short or set back, whichever they are: what was
//! acknowledged is told to be hurt, and what is derived is made again.
//!
//! The folder is walked, so that a file of a new kind is tried too. One that is not listed in
//! [`kind_of`] is taken for derived: it must not be missed and must not be believed.

use std::path::{Path, PathBuf};

use ledger::checkpoint::Checkpoint;
use ledger::note::SigningKey;
use ledger::{
    AppendError, CHECKPOINT_FILE, CreateError, Event, FaultClass, Ledger, OpenError, Outside,
    Receipt, SegmentOptions, rung, verify_against,
};

use super::book::{Folder, SMALL, create, edge, folder, options, registered, sign_in};

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Kept for ever: every change is named.
    Book,
    /// Made again from the entries, but compared while it is there.
    Tile,
    /// Says what the book must lead to.
    Note,
    /// Opens private parts.
    Keys,
    /// Read for a hint alone.
    Lock,
    /// Deletable at any time, and made again.
    Derived,
}

fn kind_of(path: &str) -> Kind {
    match path {
        "book/ledger.toml" | "book/blind.key" => Kind::Book,
        "book/LOCK" => Kind::Lock,
        "book/checkpoint" => Kind::Note,
        "book.keys/data.keys" => Kind::Keys,
        _ if is_segment(path) => Kind::Book,
        _ if path.starts_with("book/tile/") => Kind::Tile,
        _ if path.starts_with("book/checkpoints/") => Kind::Note,
        _ => Kind::Derived,
    }
}

fn is_segment(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|ending| ending == "seg")
}

/// A ledger, the events in it, and the key it is signed with.
struct Scene {
    folder: Folder,
    sizes: SegmentOptions,
    events: Vec<Event>,
    key: SigningKey,
}

impl Scene {
    /// A ledger of several segments with private parts, signed at its end.
    fn new(sign_ins: u32, sizes: SegmentOptions) -> Self {
        let folder = folder();
        let mut ledger = create(folder.path(), sizes);
        let mut events = Vec::new();
        for batch in 0..sign_ins.div_ceil(20) {
            let mut some = vec![registered(batch, "name")];
            some.extend((batch * 20..sign_ins.min(batch * 20 + 20)).map(sign_in));
            events.extend(some.iter().cloned());
            ledger.append(some).unwrap();
        }
        let key = SigningKey::new(ledger.origin(), &[9; 32]).unwrap();
        sign(&ledger, folder.path(), &key);
        drop(ledger);
        Self {
            folder,
            sizes,
            events,
            key,
        }
    }

    fn root(&self) -> &Path {
        self.folder.path().parent().unwrap()
    }

    fn files(&self) -> Vec<String> {
        let mut found = Vec::new();
        walk(self.root(), self.root(), &mut found);
        found.sort();
        found
    }

    /// What `verify` names; a refusal to read counts as one.
    fn is_named(&self) -> bool {
        let outside = Outside {
            keys: vec![self.key.verifier().clone()],
            ..Outside::default()
        };
        match verify_against(self.folder.path(), &outside, &|_, _| {}) {
            Ok(report) => !report.is_clean(),
            Err(_refused) => true,
        }
    }

    fn open(&self) -> Result<Ledger, OpenError> {
        Ledger::open_with(self.folder.path(), edge(), self.sizes)
    }

    /// A writer that opens the ledger knows every event, and what it leaves is clean.
    fn is_known(&self, case: &str) {
        let mut ledger = self.open().unwrap();
        let receipts = ledger.append(self.events.clone()).unwrap();
        for (receipt, position) in receipts.iter().zip(1..) {
            assert_eq!(*receipt, Receipt::Duplicate(position), "{case}");
        }
        drop(ledger);
        assert!(!self.is_named(), "{case}: {:?}", self.faults());
    }

    fn faults(&self) -> Vec<ledger::Fault> {
        let report = verify_against(self.folder.path(), &Outside::default(), &|_, _| {});
        report.map(|report| report.faults).unwrap_or_default()
    }

    /// What must hold after a file was changed; every file is as it was afterwards.
    fn check(&self, path: &str, bytes: &[u8], case: &str) {
        match kind_of(path) {
            Kind::Book | Kind::Keys | Kind::Note => assert!(self.is_named(), "{case}"),
            Kind::Tile => {
                assert!(self.is_named(), "{case}");
                if bytes.len() != 8_192 {
                    self.is_known(case);
                }
            }
            Kind::Lock => assert!(!self.is_named(), "{case}: {:?}", self.faults()),
            Kind::Derived => self.is_known(case),
        }
    }
}

fn sign(ledger: &Ledger, dir: &Path, key: &SigningKey) {
    let checkpoint = Checkpoint {
        origin: ledger.origin().to_owned(),
        size: ledger.size(),
        root: ledger.root(),
    };
    let note = checkpoint.sign(key).unwrap().to_string();
    std::fs::write(dir.join(CHECKPOINT_FILE), &note).unwrap();
    let rung = dir.join(rung(ledger.size()));
    std::fs::create_dir_all(rung.parent().unwrap()).unwrap();
    std::fs::write(rung, &note).unwrap();
}

fn walk(root: &Path, dir: &Path, found: &mut Vec<String>) {
    for item in std::fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            walk(root, &path, found);
        } else {
            let short = path.strip_prefix(root).unwrap();
            found.push(short.to_str().unwrap().replace('\\', "/"));
        }
    }
}

/// Flips of a file that are tried: all of a small one, about so many of another.
fn steps(length: usize, most: usize) -> usize {
    length.div_ceil(most).max(1)
}

#[test]
fn every_changed_byte_of_every_file_is_named_or_made_good() {
    let tiny = SegmentOptions {
        segment_bytes: 1_500,
        extend_bytes: 0,
        index_events: 2,
    };
    let one = SegmentOptions {
        extend_bytes: 0,
        ..SegmentOptions::default()
    };
    let (small, tiled) = (Scene::new(2, tiny), Scene::new(300, one));
    for (scene, most) in [(&small, 4_096), (&tiled, 100)] {
        for path in scene.files() {
            let place = scene.root().join(&path);
            let good = std::fs::read(&place).unwrap();
            let most = if kind_of(&path) == Kind::Derived {
                200
            } else {
                most
            };
            for at in (0..good.len()).step_by(steps(good.len(), most)) {
                let mut bad = good.clone();
                bad[at] ^= 0x15;
                std::fs::write(&place, &bad).unwrap();
                scene.check(&path, &bad, &format!("{path}, byte {at}"));
                std::fs::write(&place, &good).unwrap();
            }
        }
        scene.is_known("as it was");
    }
}

#[test]
fn every_file_cut_short_or_longer_is_named_or_made_good() {
    let scene = Scene::new(300, SMALL);
    for path in scene.files() {
        let place = scene.root().join(&path);
        let good = std::fs::read(&place).unwrap();
        let end = good.len();
        let lengths = [
            0,
            1,
            11,
            12,
            95,
            96,
            97,
            128,
            129,
            511,
            512,
            end / 2,
            end - end.min(60),
        ];
        for length in lengths
            .into_iter()
            .chain(end.checked_sub(1))
            .filter(|length| *length < end)
        {
            std::fs::write(&place, &good[..length]).unwrap();
            scene.check(&path, &good[..length], &format!("{path} cut at {length}"));
            std::fs::write(&place, &good).unwrap();
        }
        let longer = [&good[..], b"more"].concat();
        // a part of a record at the end is what a crash leaves of a key no event needs
        if kind_of(&path) != Kind::Keys {
            std::fs::write(&place, &longer).unwrap();
            scene.check(&path, &longer, &format!("{path} longer"));
            std::fs::write(&place, &good).unwrap();
        }
    }
    scene.is_known("as it was");
}

#[test]
fn every_file_removed_is_named_or_made_good() {
    let scene = Scene::new(300, SMALL);
    for path in scene.files() {
        let place = scene.root().join(&path);
        let aside = scene.root().join("aside");
        std::fs::rename(&place, &aside).unwrap();
        match path.as_str() {
            "book/ledger.toml" => {
                assert!(matches!(scene.open(), Err(OpenError::NotALedger { .. })));
                let created = Ledger::create(scene.folder.path(), &options(), edge());
                assert!(matches!(created, Err(CreateError::AlreadyThere { .. })));
                assert!(scene.is_named());
            }
            // an auditor's copy has none
            "book/blind.key" => {
                assert!(!scene.is_named());
                assert!(matches!(scene.open(), Err(OpenError::BlindMissing { .. })));
            }
            "book.keys/data.keys" => {
                assert!(scene.is_named());
                let appended = scene.open().unwrap().append(vec![registered(99, "new")]);
                assert!(matches!(appended, Err(AppendError::KeysMissing { .. })));
            }
            _ if is_segment(&path) => {
                assert!(scene.is_named(), "{path}");
                assert!(scene.open().is_err(), "{path}");
            }
            // the folder alone cannot tell; who kept a checkpoint can
            _ => scene.is_known(&format!("{path} removed")),
        }
        std::fs::rename(&aside, &place).unwrap();
    }
    scene.is_known("as it was");
}

#[test]
fn every_file_set_back_to_an_earlier_version_of_itself_is_named_or_made_good() {
    let mut scene = Scene::new(30, SMALL);
    let earlier: Vec<(String, Vec<u8>)> = scene
        .files()
        .into_iter()
        .map(|path| {
            let bytes = std::fs::read(scene.root().join(&path)).unwrap();
            (path, bytes)
        })
        .collect();
    let mut ledger = scene.open().unwrap();
    let more: Vec<Event> = [registered(50, "later"), sign_in(900), sign_in(901)].into();
    ledger.append(more.clone()).unwrap();
    scene.events.extend(more);
    sign(&ledger, scene.folder.path(), &scene.key);
    drop(ledger);
    let mut set_back = Vec::new();
    for (path, bytes) in earlier {
        let place = scene.root().join(&path);
        let good = std::fs::read(&place).unwrap();
        if good == bytes {
            continue;
        }
        std::fs::write(&place, &bytes).unwrap();
        match kind_of(&path) {
            Kind::Book | Kind::Keys => assert!(scene.is_named(), "{path}"),
            // an earlier checkpoint holds as well
            _ => scene.is_known(&path),
        }
        std::fs::write(&place, &good).unwrap();
        set_back.push(kind_of(&path));
    }
    for kind in [Kind::Book, Kind::Keys, Kind::Note] {
        assert!(set_back.contains(&kind), "{kind:?}");
    }
    scene.is_known("as it was");
}

/// Copies a folder with all in it.
pub(super) fn copy(from: &Path, to: &Path) {
    let mut found = Vec::new();
    walk(from, from, &mut found);
    for path in found.iter().map(PathBuf::from) {
        let target = to.join(&path);
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(from.join(&path), target).unwrap();
    }
}

#[test]
fn a_copy_and_its_original_written_on_are_each_sound_and_deny_each_other() {
    let scene = Scene::new(30, SMALL);
    let other = folder();
    copy(scene.root(), other.path().parent().unwrap());
    let mut notes = Vec::new();
    for (dir, n) in [(scene.folder.path(), 500), (other.path(), 600)] {
        let mut ledger = Ledger::open_with(dir, edge(), SMALL).unwrap();
        ledger.append(vec![sign_in(n), sign_in(n + 1)]).unwrap();
        sign(&ledger, dir, &scene.key);
        let path = dir.join(CHECKPOINT_FILE);
        notes.push(ledger::KeptNote::read(&path, "kept".to_owned()).unwrap());
    }
    for (dir, mine, others) in [
        (scene.folder.path(), &notes[0], &notes[1]),
        (other.path(), &notes[1], &notes[0]),
    ] {
        let against = |note: &ledger::KeptNote| {
            let outside = Outside {
                checkpoints: vec![note.clone()],
                keys: vec![scene.key.verifier().clone()],
                ..Outside::default()
            };
            verify_against(dir, &outside, &|_, _| {}).unwrap().faults
        };
        assert_eq!(against(mine), vec![]);
        let faults = against(others);
        assert!(
            faults.len() == 1 && faults[0].class == FaultClass::Root && faults[0].file == "kept",
            "{faults:?}"
        );
    }
}
