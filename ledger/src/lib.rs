//! The book itself: events, entries, the hash chain, the store and its verification.
//!
//! An [`Event`] is a fact in the past tense about one subject. The store turns it into a 256-byte
//! [`Entry`] (`LGE1`) that carries the hash of its payloads and of the entry before it, and
//! returns only when the bytes are durable. Everything else in Daybook reads what is written here.
//!
//! ```
//! use ledger::{CreateOptions, Edge, Ledger};
//!
//! # let dir = tempfile::tempdir()?;
//! let edge = Edge {
//!     clock: Box::new(|| jiff::Timestamp::UNIX_EPOCH),
//!     entropy: Box::new(|bytes| bytes.fill(7)), // a program passes the system's randomness
//! };
//! let options = CreateOptions {
//!     origin: "ledger.example/t/acme".to_owned(),
//!     private_network: false,
//! };
//! let ledger = Ledger::create(dir.path(), &options, edge)?;
//! assert_eq!(ledger.size(), 1); // `ledger.created`
//! assert!(ledger::verify(dir.path(), &|_, _| {})?.is_clean());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Deliberately not here: source formats, projections, money, output. No polars, no tokio.

mod backup;
pub mod checkpoint;
mod condition;
mod contents;
mod data_keys;
mod decide;
pub mod doctor;
pub mod entry;
pub mod event;
mod group;
pub mod hash;
mod history;
mod ledger;
mod lock;
pub mod note;
mod pack;
pub mod payload;
mod place;
mod prepared;
mod private;
mod prune;
mod reader;
mod redact;
mod replica;
mod restore;
mod segment;
pub mod settings;
pub mod statements;
mod store;
mod streams;
mod tiles;
pub mod tree;
mod ustar;
mod vault;
mod verify;

pub use backup::{Backup, BackupError, BackupOptions, Target, backup};
pub use condition::{Condition, RollOver, Tail, Writer, condition};
pub use data_keys::{DataKeys, MissingKey, data_keys};
pub use decide::Receipt;
pub use entry::{Entry, EntryError};
pub use event::{
    BlindedId, Correlation, Event, EventBody, EventId, EventType, NaturalKey, Position, Precision,
    PrivateState, PublicPayload, Recorded, Source, StreamName,
};
pub use group::{Appender, Group, GroupError, Pending};
pub use history::IndexError;
pub use ledger::{
    APPROVALS_MIN, AppendError, Clock, CreateError, CreateOptions, Edge, Entropy, Erased, Erasure,
    Ledger, OpenError, PruneDone, PruneError, Pruning, RedactError,
};
pub use lock::Holder;
pub use pack::{Form, PACK_LEVEL, PackError, PackReport, pack};
pub use place::Place;
pub use prepared::{Prepared, Preparer};
pub use prune::{Bound, PruneSurvey, survey_pruning};
pub use reader::{PrunedMark, ReadError, Reader};
pub use redact::{Concern, Survey, survey};
pub use replica::Replica;
pub use restore::{RestoreError, Restored, restore};
pub use segment::SegmentOptions;
pub use settings::{Settings, SettingsError};
pub use store::{RecordRef, Store, StoreError, StoredRecord};
pub use tiles::{TileError, Tree};
pub use ustar::ArchiveError;
pub use vault::{DATA_KEYS_FILE, VaultError, make_folder as make_keys_folder};
pub use verify::{
    CHAIN_FOLDER, CHECKPOINT_FILE, Fault, FaultClass, KeptNote, LADDER_FOLDER, OnEvidence, Outside,
    PrivateParts, ReplacedKey, Statement, VerifyReport, chain_path, rung, verify, verify_against,
};
