//! Checking a bundle with nothing but a policy. All faults are listed, each with the file it is in.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ledger::checkpoint::Checkpoint;
use ledger::note::{NOTE_BYTES_MAX, Note};
use ledger::tree::{Tile, TreeHash, WIDTH, leaf_hash};
use ledger::{Entry, hash};

use super::about::{About, Kind};
use super::claims::{Watch, check_document, cited};
use super::hashes::{Bound, needed};
use super::manifest::{Listed, Manifest, hash_limited, read_limited};
use super::{
    ABOUT_FILE, DOCUMENT_BYTES_MAX, MANIFEST_FILE, PAYLOAD_FOLDER, PRIVATE_FOLDER, TIMESTAMP_FOLDER,
};
use crate::policy::{Judged, Policy};
use crate::proof::Opened;

/// Something in a bundle that is not as it should be.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct BundleFault {
    /// Path of the file, within the bundle.
    pub file: String,
    /// What was found, for people.
    pub detail: String,
}

/// What was found in a bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Every fault, by file; none when the bundle proves what it says.
    pub faults: Vec<BundleFault>,
    /// What the bundle says it is about, when that can be read.
    pub about: Option<About>,
    /// The checkpoint and who signed it, when the policy accepts it.
    pub judged: Option<Judged>,
    /// Files, and bytes of them.
    pub files: u64,
    /// Entries the checkpoint binds.
    pub entries: u64,
    /// Events whose payloads are bound to their entries.
    pub events: u64,
    /// Events of the identity or month, of those.
    pub matched: u64,
}

/// Collects faults.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<BundleFault>);

impl Faults {
    pub(super) fn add(&mut self, file: String, detail: impl Into<String>) {
        self.0.push(BundleFault {
            file,
            detail: detail.into(),
        });
    }
}

/// Longest `bundle.json` that is read, in bytes: a range of positions takes some twenty.
const ABOUT_BYTES_MAX: u64 = 64 << 20;

/// Longest payload, and a salt before it, in bytes.
const PAYLOAD_BYTES_MAX: u64 = (16 << 20) + 32;

/// Checks everything in a bundle. It may come from anyone: nothing in it is believed that the
/// policy's keys do not bind, and no file is read beyond what it may be long.
///
/// # Errors
/// When the folder cannot be read at all.
pub fn check(dir: &Path, policy: &Policy) -> std::io::Result<Verdict> {
    let mut reading = Reading {
        dir: dir.to_owned(),
        manifest: Manifest::default(),
        faults: Faults::default(),
        entries: 0,
        events: 0,
    };
    reading.read_manifest()?;
    let judged = reading.judge(policy);
    let about = reading.about(judged.as_ref());
    let mut watch = Watch::default();
    if let Some(judged) = &judged {
        let bound = reading.tiles(&judged.checkpoint);
        if let Some(about) = &about {
            reading.entries(&judged.checkpoint, &bound, about, &mut watch);
            reading.documents(about);
        }
    }
    let mut faults = reading.faults.0;
    faults.sort();
    faults.dedup();
    Ok(Verdict {
        faults,
        about,
        judged,
        files: u64::try_from(reading.manifest.files.len()).unwrap_or(u64::MAX),
        entries: reading.entries,
        events: reading.events,
        matched: watch.matched,
    })
}

/// A bundle while it is read.
struct Reading {
    dir: PathBuf,
    manifest: Manifest,
    faults: Faults,
    entries: u64,
    events: u64,
}

impl Reading {
    /// Compares what is there with the manifest, byte by byte.
    fn read_manifest(&mut self) -> std::io::Result<()> {
        let there: BTreeSet<String> = Manifest::walk(&self.dir)?.into_iter().collect();
        match Manifest::parse(&Manifest::read(&self.dir)?) {
            Ok(manifest) => self.manifest = manifest,
            Err(error) => self.faults.add(MANIFEST_FILE.to_owned(), error.to_string()),
        }
        for path in &there {
            if path != MANIFEST_FILE && !self.manifest.files.contains_key(path) {
                self.faults
                    .add(path.clone(), "the manifest does not list it");
            }
        }
        for (path, listed) in &self.manifest.files {
            if !there.contains(path) {
                self.faults.add(path.clone(), "the file is missing");
            } else if let Some(detail) = differs(&self.dir.join(path), *listed) {
                self.faults.add(path.clone(), detail);
            }
        }
        Ok(())
    }

    /// Reads a file; a fault when that cannot be, or it is longer than it may be.
    fn read(&mut self, path: &str, limit: u64) -> Option<Vec<u8>> {
        match read_limited(&self.dir.join(path), limit) {
            Ok(bytes) if u64::try_from(bytes.len()).is_ok_and(|length| length <= limit) => {
                Some(bytes)
            }
            Ok(_) => {
                let detail = format!("longer than the {limit} bytes it may have");
                self.faults.add(path.to_owned(), detail);
                None
            }
            Err(error) => {
                self.faults.add(path.to_owned(), error.to_string());
                None
            }
        }
    }

    fn judge(&mut self, policy: &Policy) -> Option<Judged> {
        let limit = u64::try_from(NOTE_BYTES_MAX).unwrap_or(u64::MAX);
        let bytes = self.read("checkpoint", limit)?;
        let judged = Note::parse(&bytes)
            .map_err(|error| error.to_string())
            .and_then(|note| policy.judge(&note).map_err(|error| error.to_string()));
        match judged {
            Ok(judged) => Some(judged),
            Err(detail) => {
                self.faults.add("checkpoint".to_owned(), detail);
                None
            }
        }
    }

    fn about(&mut self, judged: Option<&Judged>) -> Option<About> {
        let bytes = self.read(ABOUT_FILE, ABOUT_BYTES_MAX)?;
        let about: About = match serde_json::from_slice(&bytes) {
            Ok(about) => about,
            Err(error) => {
                self.faults.add(ABOUT_FILE.to_owned(), error.to_string());
                return None;
            }
        };
        let detail = if about.bundle != 1 {
            "the bundle has a layout this version does not read"
        } else if judged.is_some_and(|judged| {
            judged.checkpoint.origin != about.origin || judged.checkpoint.size != about.size
        }) {
            "origin and size are not those of the checkpoint"
        } else if matches!(about.about, Kind::Period { .. }) && !about.complete {
            "a month is proven only with every entry, and `complete` is false"
        } else if !about.ranges_are_sound() {
            "the ranges of positions are not in order, or beyond the checkpoint"
        } else {
            return Some(about);
        };
        self.faults.add(ABOUT_FILE.to_owned(), detail);
        None
    }

    fn tiles(&mut self, checkpoint: &Checkpoint) -> Bound {
        let paths: Vec<String> = self
            .manifest
            .files
            .keys()
            .filter(|path| path.starts_with("tile/") && !path.starts_with("tile/entries/"))
            .cloned()
            .collect();
        let mut tiles = BTreeMap::new();
        for path in paths {
            let Ok(tile) = Tile::parse(&path) else {
                self.faults.add(path, "not the path of a tile");
                continue;
            };
            let limit = u64::from(tile.width) * 32;
            let Some(bytes) = self.read(&path, limit) else {
                continue;
            };
            let (hashes, rest) = bytes.as_chunks::<32>();
            let hashes: Vec<TreeHash> = hashes.to_vec();
            if rest.is_empty() && hashes.len() == usize::from(tile.width) {
                tiles.insert(tile, hashes);
            } else {
                self.faults.add(path, "not as many hashes as its path says");
            }
        }
        Bound::of(checkpoint, tiles, &mut self.faults)
    }

    /// Binds the entries to the tiles, the payloads to the entries, and shows them in order.
    fn entries(
        &mut self,
        checkpoint: &Checkpoint,
        bound: &Bound,
        about: &About,
        watch: &mut Watch,
    ) {
        let wanted: BTreeSet<u64> = if about.complete {
            (0..checkpoint.size.div_ceil(WIDTH)).collect()
        } else {
            let ranges = about.positions.iter();
            ranges
                .flat_map(|(start, end)| start / WIDTH..end.div_ceil(WIDTH))
                .collect()
        };
        let mut chain = Some((0, hash::genesis(&checkpoint.origin)));
        for index in wanted.iter().copied() {
            let Some(tile) = Tile::holding(0, index.saturating_mul(WIDTH), checkpoint.size) else {
                continue;
            };
            let path = tile.entries_path();
            let Some(bytes) = self.read(&path, u64::from(tile.width) * 258) else {
                continue;
            };
            let (records, rest) = bytes.as_chunks::<258>();
            if !rest.is_empty() || records.len() != usize::from(tile.width) {
                self.faults
                    .add(path, "not as many entries as its path says");
                continue;
            }
            for (position, record) in (index * WIDTH..).zip(records) {
                let Some(entry) = self.entry(&path, position, record, bound) else {
                    chain = None;
                    continue;
                };
                self.entries += 1;
                let decoded = Entry::decode(&entry).ok().filter(|decoded| {
                    decoded.position == position
                        && decoded.ledger_id == hash::ledger_id(&checkpoint.origin)
                });
                let Some(decoded) = decoded else {
                    let detail = format!("entry {position} is not one of this ledger's");
                    self.faults.add(path.clone(), detail);
                    continue;
                };
                if chain.is_some_and(|(at, value)| at == position && value != decoded.prev_chain) {
                    let detail = format!("entry {position} is not linked to the one before");
                    self.faults.add(path.clone(), detail);
                }
                chain = Some((position.saturating_add(1), hash::chain(&entry)));
                if about.has(position) {
                    self.payload(position, entry, &checkpoint.origin);
                }
                watch.entry(about, &decoded, &mut self.faults);
            }
        }
        self.unknown(&wanted, about, checkpoint);
    }

    /// An entry that is the one its tile says.
    fn entry(
        &mut self,
        path: &str,
        position: u64,
        record: &[u8; 258],
        bound: &Bound,
    ) -> Option<[u8; 256]> {
        let entry = record
            .strip_prefix(&256_u16.to_be_bytes())
            .and_then(|entry| <[u8; 256]>::try_from(entry).ok());
        let leaf = entry.map(|entry| leaf_hash(&entry));
        if leaf.is_some() && leaf == bound.hash(0, position) {
            return entry;
        }
        let detail = format!("entry {position} is not the one in the tree");
        self.faults.add(path.to_owned(), detail);
        None
    }

    fn payload(&mut self, position: u64, entry: [u8; 256], origin: &str) {
        let path = format!("{PAYLOAD_FOLDER}/{position}");
        let Some(public) = self.read(&path, PAYLOAD_BYTES_MAX) else {
            return;
        };
        let mut event = Opened {
            entry,
            public,
            private: None,
        };
        if let Err(error) = event.check(position, origin) {
            self.faults.add(path, error.to_string());
            return;
        }
        self.events += 1;
        let path = format!("{PRIVATE_FOLDER}/{position}");
        if self.manifest.files.contains_key(&path)
            && let Some(bytes) = self.read(&path, PAYLOAD_BYTES_MAX)
        {
            let opened = bytes.split_first_chunk::<32>();
            event.private = opened.map(|(salt, private)| (*salt, private.to_vec()));
            let checked = event.check(position, origin);
            if event.private.is_none() || checked.is_err() {
                let detail = "the private payload is not the one committed to";
                self.faults.add(path, detail);
            }
        }
    }

    /// Timestamps beside what was stamped: each token has its checkpoint, of the bundle's own text.
    fn stamped(&mut self, checkpoint: &Checkpoint) -> BTreeSet<String> {
        let folder = format!("{TIMESTAMP_FOLDER}/");
        let beside = |path: &str, ending: &str, other: &str| {
            let name = path.strip_prefix(&folder)?.strip_suffix(ending)?;
            Some(format!("{folder}{name}{other}"))
        };
        let mut found = BTreeSet::new();
        let paths: Vec<String> = self.manifest.files.keys().cloned().collect();
        for token in paths {
            let Some(stamped) = beside(&token, ".tsr", ".checkpoint") else {
                continue;
            };
            if !self.manifest.files.contains_key(&stamped) {
                continue;
            }
            let limit = u64::try_from(NOTE_BYTES_MAX).unwrap_or(u64::MAX);
            let note = self.read(&stamped, limit);
            let note = note.and_then(|bytes| Note::parse(&bytes).ok());
            if note.is_some_and(|note| note.text() == checkpoint.text()) {
                found.extend([token, stamped]);
            }
        }
        found
    }

    /// Files that nothing of this bundle asks for prove nothing, and could be taken for proof.
    fn unknown(&mut self, wanted: &BTreeSet<u64>, about: &About, checkpoint: &Checkpoint) {
        let entries: BTreeSet<String> = wanted
            .iter()
            .filter_map(|index| Tile::holding(0, index.saturating_mul(WIDTH), checkpoint.size))
            .map(|tile| tile.entries_path())
            .collect();
        let document = match &about.about {
            Kind::Invoice { document, .. } | Kind::Report { document, .. } => document.as_str(),
            Kind::Identity { .. } | Kind::Period { .. } => "",
        };
        let stamped = self.stamped(checkpoint);
        let tiles: BTreeSet<String> = needed(checkpoint.size, wanted)
            .iter()
            .map(Tile::path)
            .collect();
        for path in self.manifest.files.keys() {
            let of = |folder: &str| {
                let position = path.strip_prefix(folder)?.strip_prefix('/')?;
                let number: u64 = position.parse().ok()?;
                (number.to_string() == position).then_some(number)
            };
            let payload = of(PAYLOAD_FOLDER).or(of(PRIVATE_FOLDER));
            let is_known = ["checkpoint", ABOUT_FILE, document].contains(&path.as_str())
                || payload.is_some_and(|position| about.has(position))
                || entries.contains(path)
                || stamped.contains(path)
                || tiles.contains(path);
            if !is_known {
                self.faults
                    .add(path.clone(), "nothing in the bundle asks for it");
            }
        }
    }

    /// Checks the document against its event, and that all it cites is here.
    fn documents(&mut self, about: &About) {
        let (Kind::Invoice {
            event, document, ..
        }
        | Kind::Report {
            event, document, ..
        }) = &about.about
        else {
            return;
        };
        if !self.manifest.files.contains_key(document) {
            self.faults.add(document.clone(), "the document is missing");
            return;
        }
        let Some(bytes) = self.read(document, DOCUMENT_BYTES_MAX) else {
            return;
        };
        let payload = self.read(&format!("{PAYLOAD_FOLDER}/{event}"), PAYLOAD_BYTES_MAX);
        let event_type = self.event_type(*event, about.size);
        if let (Some(payload), Some(event_type)) = (payload, event_type) {
            let checked = check_document(&about.about, event_type, &payload, &bytes);
            if let Err(detail) = checked {
                self.faults.add(document.clone(), detail);
            }
        }
        match cited(&bytes) {
            Ok(positions) => {
                let left_out = positions.iter().filter(|position| !about.has(**position));
                for position in left_out {
                    let detail = format!("it cites event {position}, which is not here");
                    self.faults.add(document.clone(), detail);
                }
            }
            Err(error) => self.faults.add(document.clone(), error.to_string()),
        }
    }

    /// Type of the event at a position, by its entry, which was bound before.
    fn event_type(&mut self, position: u64, size: u64) -> Option<ledger::EventType> {
        let tile = Tile::holding(0, position, size)?;
        let bytes = self.read(&tile.entries_path(), u64::from(tile.width) * 258)?;
        let (records, _) = bytes.as_chunks::<258>();
        let record = records.get(usize::try_from(position % WIDTH).ok()?)?;
        let entry = record.split_first_chunk::<2>()?.1.try_into().ok()?;
        Entry::decode(entry).ok().map(|entry| entry.event_type)
    }
}

/// How a file differs from what the manifest says.
fn differs(path: &Path, listed: Listed) -> Option<String> {
    match hash_limited(path, listed.bytes) {
        Ok((bytes, _)) if bytes != listed.bytes => {
            Some(format!("it has not the {} bytes it had", listed.bytes))
        }
        Ok((_, hash)) if hash != listed.hash => {
            Some("its bytes are not those the manifest lists".to_owned())
        }
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    }
}
