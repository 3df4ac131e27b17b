//! Why a ledger was not created, opened or appended to.

use std::path::PathBuf;

use jiff::Timestamp;

use crate::event::{EventId, Position};
use crate::history::IndexError;
use crate::lock::Holder;
use crate::payload::PAYLOAD_BYTES_MAX;
use crate::reader::ReadError;
use crate::settings::{self, SettingsError};
use crate::store::StoreError;
use crate::tiles::TileError;
use crate::vault::VaultError;

/// Why a ledger could not be created. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The origin breaks a rule, or the settings could not be written.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The folder could not be used.
    #[error("`{path}` could not be used")]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Another process is creating a ledger there.
    #[error("`{dir}` is locked by another writer: {holder}; wait for it, or ask `daybook doctor`")]
    Locked {
        /// The folder.
        dir: PathBuf,
        /// The other, as far as it is known.
        holder: Box<Holder>,
    },
    /// Without a lock two writers could fork the ledger.
    #[error(
        "`{dir}` lies on a file system that gives no file locks; keep the ledger on a local disk"
    )]
    NoLocks {
        /// The folder.
        dir: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The folder already holds a ledger, or what is left of one.
    #[error("`{dir}` already holds a ledger")]
    AlreadyThere {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder of keys holds data keys already, which a new ledger must not take for its own.
    #[error("`{path}` holds data keys already; move it away, or name another folder with --keys")]
    KeysThere {
        /// The file.
        path: PathBuf,
    },
    /// A replica was to begin with a record that is not `ledger.created`.
    #[error("the first record is not the beginning of a ledger")]
    NotTheFirst,
    /// The first segment could not be written.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The first event could not be appended.
    #[error(transparent)]
    Append(#[from] AppendError),
}

/// Why a ledger could not be opened. Listed in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The settings are not those of a ledger this version reads.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The folder holds no ledger.
    #[error("`{dir}` holds no ledger")]
    NotALedger {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder could not be used.
    #[error("`{path}` could not be used")]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Another writer is at work.
    #[error("`{dir}` is locked by another writer: {holder}; wait for it, or ask `daybook doctor`")]
    Locked {
        /// The folder.
        dir: PathBuf,
        /// The other, as far as it is known.
        holder: Box<Holder>,
    },
    /// Without a lock two writers could fork the ledger.
    #[error(
        "`{dir}` lies on a file system that gives no file locks; keep the ledger on a local disk"
    )]
    NoLocks {
        /// The folder.
        dir: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The blinding key is missing, so new events could not be tied to their streams.
    #[error("`{dir}` lacks its blinding key `{}`", settings::BLIND_FILE)]
    BlindMissing {
        /// The folder.
        dir: PathBuf,
    },
    /// The records are damaged or cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The folder of the index cannot be read.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The end of the ledger is damaged or cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// The tiles beside the segments are not those of its entries.
    #[error(transparent)]
    Tiles(#[from] TileError),
    /// An entry or its place in its stream is not what this version writes.
    #[error("the entry at position {position} does not fit its ledger")]
    Entry {
        /// Position of the entry.
        position: Position,
    },
    /// There are settings but no events: the segments were removed.
    #[error("`{dir}` has settings but no events")]
    Empty {
        /// The folder.
        dir: PathBuf,
    },
    /// The data keys cannot be read, or one that was to be destroyed could not be.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The blinding key is another ledger's.
    #[error("the blinding key of `{dir}` is not the one its events were written with")]
    BlindForeign {
        /// The folder.
        dir: PathBuf,
    },
}

/// Why events were not appended. Nothing of the call was, unless the write itself failed. Listed
/// in the order the causes are checked.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// A payload cannot be written as JSON.
    #[error("a payload cannot be written")]
    Payload(#[from] serde_json::Error),
    /// A payload is too long.
    #[error("event {event} has a payload of {bytes} bytes; at most {PAYLOAD_BYTES_MAX} are kept")]
    TooLong {
        /// The event.
        event: EventId,
        /// Length of the payload.
        bytes: usize,
    },
    /// The events were prepared for another ledger: their names are blinded under its key.
    #[error("the events were prepared for another ledger; prepare them again for this one")]
    Foreign,
    /// The index cannot be read, not even after it was made again.
    #[error(transparent)]
    Index(#[from] IndexError),
    /// The original of a repeated event cannot be read.
    #[error("the original of event {event} at position {position} cannot be read")]
    Original {
        /// The event.
        event: EventId,
        /// Where the original is.
        position: Position,
        /// The cause.
        #[source]
        source: serde_json::Error,
    },
    /// The clock tells a time before 1970.
    #[error("the clock tells {time}, before 1970")]
    Clock {
        /// The time told.
        time: Timestamp,
    },
    /// Earlier private parts were encrypted, but their data keys are not here: new ones beside
    /// them would hide the loss.
    #[error(
        "`{path}` is missing, though events were encrypted under its keys; name its folder with --keys or restore its backup"
    )]
    KeysMissing {
        /// Where the keys were looked for.
        path: PathBuf,
    },
    /// The data keys could not be kept.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The events were written, but the tiles in the folder belong to other entries.
    #[error(transparent)]
    Tiles(#[from] TileError),
}
