//! Faults: what they are called and where they lie.

use crate::event::Position;

/// What kind of fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FaultClass {
    /// The settings file is not as written or does not belong to the entries.
    Settings,
    /// The blinding key is not the one the entries were written with.
    Blind,
    /// A segment's header is damaged or belongs elsewhere.
    Header,
    /// Bytes of a segment are no intact frame.
    Frame,
    /// An entry is not in the format.
    Format,
    /// An entry carries another position than its place.
    Seq,
    /// An entry belongs to another ledger.
    Ledger,
    /// An entry does not carry the chain value of the one before.
    Link,
    /// A tile has another hash for an entry than the entry leads to.
    Leaf,
    /// A tile is not whole, or does not hold the roots of those below it.
    Tile,
    /// The entries do not lead to the root a checkpoint names.
    Root,
    /// The ledger ends before the size a checkpoint counts.
    Size,
    /// A checkpoint is no signed note, or not signed by the ledger's key.
    Sig,
    /// A witness's signature on a checkpoint does not hold.
    Cosig,
    /// An epoch was not ended as it should be, or its seal does not hold.
    Epoch,
    /// An entry is not the one whose hash was kept elsewhere.
    Anchor,
    /// A public payload is not the one hashed.
    Public,
    /// A private payload is not the one committed to.
    Private,
    /// A private payload is gone without an erasure on record.
    PrivateMissing,
    /// A payload is gone without a pruning on record.
    PayloadMissing,
    /// Recorded time went back.
    Time,
    /// A stream's numbering is broken.
    Stream,
    /// An event id occurs twice.
    DupId,
    /// A sealed segment's footer does not fit it.
    Seal,
    /// A commit frame does not fit its batch.
    Commit,
    /// Positions are missing between segments.
    Gap,
    /// The end of the ledger is missing.
    Truncated,
    /// Bytes follow the last commit.
    Tail,
    /// The store elsewhere has another record than its replica here, or none.
    Remote,
}

impl FaultClass {
    /// The class in capitals, as reports print it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settings => "SETTINGS",
            Self::Blind => "BLIND",
            Self::Header => "HEADER",
            Self::Frame => "FRAME",
            Self::Format => "FORMAT",
            Self::Seq => "SEQ",
            Self::Ledger => "LEDGER",
            Self::Link => "LINK",
            Self::Leaf => "LEAF",
            Self::Tile => "TILE",
            Self::Root => "ROOT",
            Self::Size => "SIZE",
            Self::Sig => "SIG",
            Self::Cosig => "COSIG",
            Self::Epoch => "EPOCH",
            Self::Anchor => "ANCHOR",
            Self::Public => "PUBLIC",
            Self::Private => "PRIVATE",
            Self::PrivateMissing => "PRIVATE_MISSING",
            Self::PayloadMissing => "PAYLOAD_MISSING",
            Self::Time => "TIME",
            Self::Stream => "STREAM",
            Self::DupId => "DUP_ID",
            Self::Seal => "SEAL",
            Self::Commit => "COMMIT",
            Self::Gap => "GAP",
            Self::Truncated => "TRUNCATED",
            Self::Tail => "TAIL",
            Self::Remote => "REMOTE",
        }
    }
}

impl std::fmt::Display for FaultClass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One fault.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Position of the record hit; `None` when no record is.
    pub position: Option<Position>,
    /// What kind it is.
    pub class: FaultClass,
    /// Name of the file.
    pub file: String,
    /// What was found, for people.
    pub detail: String,
}

/// Collects the faults of one file.
#[derive(Debug)]
pub(super) struct Faults {
    file: String,
    pub(super) list: Vec<Fault>,
}

impl Faults {
    pub(super) fn of(file: String) -> Self {
        Self {
            file,
            list: Vec::new(),
        }
    }

    pub(super) fn add(
        &mut self,
        position: impl Into<Option<Position>>,
        class: FaultClass,
        detail: impl Into<String>,
    ) {
        self.list.push(Fault {
            position: position.into(),
            class,
            file: self.file.clone(),
            detail: detail.into(),
        });
    }
}
