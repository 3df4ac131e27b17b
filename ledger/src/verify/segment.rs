//! Checks of one segment file, byte by byte.

use super::Ask;
use super::fault::{Fault, FaultClass, Faults};
use super::leaves::Leaves;
use super::on_evidence::OnEvidence;
use super::private::Privates;
use super::pruned::Pruned;
use super::records::{Hashes, Item, PlacedId, Records};
use super::streams::Span;
use crate::entry::Entry;
use crate::event::Position;
use crate::hash::Hash;
use crate::segment::file::SegmentFile;
use crate::segment::frame::{
    Commit, FRAME_HEAD_BYTES, Frame, HEADER_BYTES, Header, Kind, Parsed, find_intact, parse,
};
use crate::segment::seal::{SEAL_BYTES, Seal, Times};

/// What the bytes of one segment told.
#[derive(Debug)]
pub(super) struct Checked {
    pub(super) name: String,
    pub(super) header: Option<Header>,
    /// Position of the first record.
    pub(super) first: Position,
    /// Position after the last committed record.
    pub(super) next: Position,
    /// Chain value of the last committed record, when known.
    pub(super) head_chain: Option<Hash>,
    pub(super) sealed: bool,
    /// Whether records are lost or cannot be relied on.
    pub(super) lost: bool,
    pub(super) times: Times,
    /// Position and recorded time of the first record.
    pub(super) first_time: Option<(Position, u64)>,
    /// Entry and public payload of the first record.
    pub(super) first_record: Option<([u8; 256], Vec<u8>)>,
    pub(super) ids: Vec<PlacedId>,
    pub(super) spans: Vec<Span>,
    pub(super) leaves: Leaves,
    pub(super) pruned: Pruned,
    pub(super) privates: Privates,
    pub(super) on_evidence: Vec<OnEvidence>,
    pub(super) bytes: u64,
    pub(super) faults: Vec<Fault>,
}

/// Checks the bytes of a segment.
pub(super) fn check(bytes: &[u8], segment: &SegmentFile, ask: &Ask) -> Checked {
    let (name, first) = (segment.name(), segment.first);
    let mut faults = Faults::of(name.clone());
    let header = Header::decode(bytes);
    let ledger_id = ask.ledger_id.or(header.map(|header| header.ledger_id));
    match header {
        None => faults.add(None, FaultClass::Header, "the header is damaged"),
        Some(header) => {
            if header.first != first {
                let detail = format!("the header says first position {}", header.first);
                faults.add(None, FaultClass::Header, detail);
            }
            if Some(header.ledger_id) != ledger_id {
                faults.add(None, FaultClass::Header, "the header is another ledger's");
            }
        }
    }
    let first = header.map_or(first, |header| header.first);
    let mut walk = Walk::of(bytes, first, faults);
    walk.may_lack = header.is_none_or(|header| header.pruned);
    let records = Records::new(
        ledger_id.unwrap_or_default(),
        header.map(|header| header.prev_chain),
    );
    let (digest, records) = rayon::join(
        || Digest::of(bytes),
        || check_records(&mut walk, records, ask, name.clone()),
    );
    let (records, found) = records;
    let Walk {
        mut faults,
        seal,
        committed,
        first_record,
        ..
    } = walk;
    faults.list.extend(found.list);
    let mut checked = Checked {
        name,
        header,
        first,
        next: committed,
        head_chain: records.committed_chain,
        sealed: seal.is_some(),
        lost: records.lost,
        times: records.times,
        first_time: records.first_time,
        first_record,
        ids: records.ids,
        spans: records.spans.into_sorted(),
        leaves: records.leaves,
        pruned: records.pruned,
        privates: records.privates,
        on_evidence: records.on_evidence,
        bytes: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        faults: Vec::new(),
    };
    if let Some((at, seal)) = seal {
        let digest = digest.filter(|digest| digest.end == at);
        let content = bytes.get(..at).unwrap_or_default();
        let digest = digest.map_or_else(|| blake3::hash(content), |digest| digest.hash);
        check_seal(digest, &seal, &checked, &mut faults);
    }
    checked.faults = faults.list;
    checked
}

/// Walks a segment and checks its records: the next ones are found while these are hashed.
fn check_records(
    walk: &mut Walk<'_>,
    mut records: Records,
    ask: &Ask,
    name: String,
) -> (Records, Faults) {
    let mut faults = Faults::of(name);
    let mut items = walk.take();
    while !items.is_empty() {
        let (next, hashes) = rayon::join(|| walk.take(), || Hashes::of(&items, &ask.opener));
        records.check(&items, &hashes, &mut faults);
        records.leaves.settle(&ask.wanted, &mut faults);
        items = next;
    }
    records.leaves.finish();
    records.leaves.settle(&ask.wanted, &mut faults);
    (records, faults)
}

/// The digest of all that stands before what looks like a footer at the end.
struct Digest {
    end: usize,
    hash: blake3::Hash,
}

impl Digest {
    fn of(bytes: &[u8]) -> Option<Self> {
        let end = bytes.len().checked_sub(FRAME_HEAD_BYTES + SEAL_BYTES)?;
        let (content, footer) = bytes.split_at_checked(end)?;
        let is_footer = matches!(parse(footer), Parsed::Frame(frame) if frame.kind == Kind::Seal);
        is_footer.then(|| Self {
            end,
            hash: blake3::hash(content),
        })
    }
}

/// Items found in one go: enough for all cores, few enough to be forgotten soon.
const TOGETHER: usize = 8192;

/// A walk over the frames of a segment.
struct Walk<'b> {
    bytes: &'b [u8],
    at: usize,
    /// Whether its payloads may be pruned, by its header.
    may_lack: bool,
    /// Position of the next record.
    expected: Position,
    batch_first: Position,
    /// Whether every record of the batch was met.
    whole: bool,
    /// Position after the last committed record.
    committed: Position,
    seal: Option<(usize, Seal)>,
    first_record: Option<([u8; 256], Vec<u8>)>,
    /// What was met and not taken yet.
    items: Vec<Item<'b>>,
    ended: bool,
    faults: Faults,
}

impl<'b> Walk<'b> {
    fn of(bytes: &'b [u8], first: Position, faults: Faults) -> Self {
        Self {
            bytes,
            at: HEADER_BYTES,
            may_lack: false,
            expected: first,
            batch_first: first,
            whole: true,
            committed: first,
            seal: None,
            first_record: None,
            items: Vec::new(),
            ended: false,
            faults,
        }
    }

    /// The next items; none at the end.
    fn take(&mut self) -> Vec<Item<'b>> {
        while !self.ended && self.items.len() < TOGETHER {
            self.ended = !self.step();
        }
        std::mem::take(&mut self.items)
    }

    /// Takes one frame, or one stretch of damage; `false` at the end.
    fn step(&mut self) -> bool {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if let Some((seal_end, _)) = self.seal.filter(|_| !rest.is_empty()) {
            let detail = format!("{} bytes follow the footer at {seal_end}", rest.len());
            self.faults.add(None, FaultClass::Tail, detail);
            return false;
        }
        match parse(rest) {
            Parsed::Frame(frame) if frame.intact => self.frame(&frame),
            Parsed::Frame(frame) if self.leads_on(frame.bytes()) => self.frame(&frame),
            Parsed::Blank if rest.iter().all(|byte| *byte == 0) => {
                if self.expected != self.batch_first {
                    self.faults.add(
                        self.batch_first,
                        FaultClass::Commit,
                        "the last batch has no commit",
                    );
                }
                return false;
            }
            _ => return self.resynchronise(),
        }
        true
    }

    /// Whether a sound frame, or the end, follows after that many bytes.
    fn leads_on(&self, bytes: usize) -> bool {
        let rest = self.bytes.get(self.at + bytes..).unwrap_or_default();
        match parse(rest) {
            Parsed::Frame(frame) => frame.intact,
            Parsed::Blank => rest.iter().all(|byte| *byte == 0),
            Parsed::More(_) | Parsed::Foreign => false,
        }
    }

    fn frame(&mut self, frame: &Frame<'b>) {
        let at = self.at;
        self.at += frame.bytes();
        match frame.kind {
            Kind::Record | Kind::Pruned => self.record(frame),
            Kind::Commit => {
                if !frame.intact {
                    self.faults.add(
                        self.batch_first,
                        FaultClass::Commit,
                        "the commit frame is damaged",
                    );
                }
                self.commit(Commit::decode(frame.body).filter(|_| frame.intact));
            }
            Kind::Seal => match Seal::decode(frame.body).filter(|_| frame.intact) {
                Some(seal) => self.seal = Some((at, seal)),
                None => self
                    .faults
                    .add(None, FaultClass::Seal, "the footer is damaged"),
            },
        }
    }

    fn record(&mut self, frame: &Frame<'b>) {
        if !frame.intact {
            self.faults.add(
                self.expected,
                FaultClass::Frame,
                "the record's bytes do not match their CRC",
            );
        }
        if frame.kind == Kind::Pruned && !self.may_lack {
            let detail = "a pruned record stands in a segment of version 1";
            self.faults.add(self.expected, FaultClass::Header, detail);
        }
        let Some((entry, public, private)) = frame.record() else {
            if frame.intact {
                self.faults.add(
                    self.expected,
                    FaultClass::Format,
                    "the record's lengths do not fit together",
                );
            }
            self.lose();
            self.expected += 1;
            return;
        };
        let said = Entry::peek_position(entry);
        let mut position = self.expected;
        // When the next frame goes on as if this record were in its place, it is, whatever it
        // says; otherwise records before it are gone, or it was moved here.
        let in_place = !frame.intact
            || said == self.expected
            || self.position_at(self.at) == self.expected.checked_add(1);
        if !in_place && said > self.expected && said - self.expected < LOST_MAX {
            self.gap_until(said);
            position = said;
        } else if !in_place && said < self.expected {
            let detail = format!("position {said} stands where {} is due", self.expected);
            self.faults.add(said, FaultClass::Seq, detail);
            self.lose();
            return;
        }
        if position == 0 {
            self.first_record = Some((*entry, public.to_vec()));
        }
        let item = Item::Record {
            position,
            entry,
            public,
            private,
            intact: frame.intact,
        };
        self.items.push(item);
        self.expected = position.saturating_add(1);
    }

    fn commit(&mut self, commit: Option<Commit>) {
        if let Some(commit) = commit {
            let end = commit.first.saturating_add(commit.count);
            if end > self.expected && end - self.expected < LOST_MAX {
                self.gap_until(end);
            }
            if commit.first != self.batch_first || end != self.expected {
                let detail = format!(
                    "the commit names {} records from {}, but {}..{} are there",
                    commit.count, commit.first, self.batch_first, self.expected
                );
                self.faults
                    .add(self.batch_first, FaultClass::Commit, detail);
            }
            let whole = self.whole;
            self.items.push(Item::Commit { commit, whole });
        }
        self.committed = self.expected;
        self.batch_first = self.expected;
        self.whole = true;
    }

    /// Reports the positions up to `next` as missing.
    fn gap_until(&mut self, next: Position) {
        let detail = format!("positions {}..{next} are missing", self.expected);
        self.faults.add(self.expected, FaultClass::Gap, detail);
        self.lose();
        self.expected = next;
    }

    fn lose(&mut self) {
        self.whole = false;
        self.items.push(Item::Lost);
    }

    /// Goes on at the next intact frame; what lies between is damage.
    fn resynchronise(&mut self) -> bool {
        let Some(found) = find_intact(self.bytes, self.at + 1, &|_| true) else {
            if self.expected == self.batch_first {
                let detail = format!("bytes from {} on are neither a frame nor zero", self.at);
                self.faults.add(None, FaultClass::Tail, detail);
            } else {
                let detail = format!("the last batch is damaged at byte {}", self.at);
                self.faults
                    .add(self.batch_first, FaultClass::Commit, detail);
            }
            return false;
        };
        let next = self.position_at(found).unwrap_or(self.expected);
        let place = format!("bytes {}..{found} are no frame", self.at);
        if next > self.expected && next - self.expected < LOST_MAX {
            for position in self.expected..next {
                self.faults.add(position, FaultClass::Frame, place.clone());
            }
            self.lose();
            self.expected = next;
        } else if self.expected == self.batch_first {
            self.faults.add(None, FaultClass::Frame, place);
        } else {
            // No record is missing, so it was the commit of the batch before.
            self.faults.add(self.batch_first, FaultClass::Commit, place);
            self.commit(None);
        }
        self.at = found;
        true
    }

    /// Position that an intact frame says comes next.
    fn position_at(&self, at: usize) -> Option<Position> {
        let Parsed::Frame(frame) = parse(self.bytes.get(at..)?) else {
            return None;
        };
        match frame.kind {
            Kind::Record | Kind::Pruned => {
                (frame.record()).map(|(entry, ..)| Entry::peek_position(entry))
            }
            Kind::Commit => {
                Commit::decode(frame.body).map(|commit| commit.first.saturating_add(commit.count))
            }
            Kind::Seal => {
                Seal::decode(frame.body).map(|seal| seal.first.saturating_add(seal.count))
            }
        }
    }
}

/// Most positions believed missing within one segment; a larger jump is a wrong number.
const LOST_MAX: u64 = 1 << 24;

fn check_seal(digest: blake3::Hash, seal: &Seal, checked: &Checked, faults: &mut Faults) {
    if *digest.as_bytes() != seal.digest {
        faults.add(None, FaultClass::Seal, "the segment is not the one sealed");
    }
    let (first, next) = (checked.first, checked.next);
    if seal.first != first || seal.first.checked_add(seal.count) != Some(next) {
        let detail = format!(
            "the footer names {} records from {}, but {first}..{next} are there",
            seal.count, seal.first
        );
        faults.add(None, FaultClass::Seal, detail);
    }
    if checked.lost {
        return;
    }
    if seal.times != checked.times {
        faults.add(None, FaultClass::Seal, "the footer names other times");
    }
    if checked.head_chain != Some(seal.head_chain) {
        faults.add(
            None,
            FaultClass::Seal,
            "the footer names another chain value",
        );
    }
}
