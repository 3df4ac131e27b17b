//! What the state of a ledger means in plain words, and what to do about it.
//!
//! Facts in, findings out: what is asked of the machine (the volume, the keys' modes, the time) is
//! a value, see [`Facts`]; what the folder tells is a [`Condition`]. Nothing is changed and no
//! history is read, so a fault inside a sealed segment is not found: that is [`crate::verify()`].

mod around;
mod folder;

use std::path::PathBuf;

use jiff::Timestamp;

use crate::condition::Condition;

/// How much a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// As it should be.
    Ok,
    /// Worth knowing; nothing is broken.
    Note,
    /// To be seen to.
    Problem,
}

impl Level {
    /// It in one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Problem => "problem",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, in a word or two.
    pub subject: &'static str,
    /// How much it matters.
    pub level: Level,
    /// How it is, in one line.
    pub what: String,
    /// What to do, in one line; empty when nothing is.
    pub advice: String,
}

impl Finding {
    /// As it should be.
    pub fn ok(subject: &'static str, what: impl Into<String>) -> Self {
        Self {
            subject,
            level: Level::Ok,
            what: what.into(),
            advice: String::new(),
        }
    }

    /// Worth knowing, and what could be done.
    pub fn note(subject: &'static str, what: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            subject,
            level: Level::Note,
            what: what.into(),
            advice: advice.into(),
        }
    }

    /// To be seen to, and how.
    pub fn problem(
        subject: &'static str,
        what: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            subject,
            level: Level::Problem,
            what: what.into(),
            advice: advice.into(),
        }
    }
}

/// Everything the findings are made from.
#[derive(Debug, Clone)]
pub struct Facts {
    /// What the folder tells.
    pub condition: Condition,
    /// What the system says of the folder and its volume.
    pub volume: Volume,
    /// The folder of the keys.
    pub keys: Keys,
    /// The record of the last checkpoint signed, held against the ledger.
    pub signed: Signed,
    /// The time.
    pub now: Timestamp,
    /// Name of this machine.
    pub host: Option<String>,
    /// Whether the process that holds the ledger runs; `None` when it is not of this machine or
    /// that cannot be told.
    pub writer_runs: Option<bool>,
    /// Bytes of derived files.
    pub derived_bytes: u64,
    /// The backup that was named, held against the ledger.
    pub backup: Option<Kept>,
}

/// What the system says of a ledger's folder and the volume it lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Volume {
    /// Bytes that are free for this user.
    pub free_bytes: Option<u64>,
    /// Whether the volume is mounted for reading alone.
    pub is_read_only: bool,
    /// Whether this user may write to the folder.
    pub is_writable: bool,
    /// Permissions of the blinding key, where there are such and the file is there.
    pub blind_mode: Option<u32>,
}

/// The folder of the keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Keys {
    /// Where it is, or would be.
    pub path: PathBuf,
    /// Whether it is there.
    pub exists: bool,
    /// Its permissions, where there are such.
    pub mode: Option<u32>,
    /// Names of the files in it, and their permissions.
    pub files: Vec<(String, Option<u32>)>,
}

/// The record of the last checkpoint signed, held against the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signed {
    /// Nothing was signed with these keys.
    Nothing,
    /// The ledger contains what was signed.
    Contained {
        /// Events signed.
        size: u64,
    },
    /// It does not, or that cannot be told: why, in one line.
    Refused(String),
}

/// A backup, held against the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub state: KeptState,
}

/// What a backup is to the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeptState {
    /// A beginning of it.
    Beginning {
        /// Events in the backup.
        size: u64,
        /// When the newest of them was recorded, in Unix milliseconds.
        recorded_at_ms: Option<u64>,
        /// Whether it can be continued.
        with_blind: bool,
    },
    /// It has more events than the ledger.
    Ahead {
        /// Events in the backup.
        size: u64,
    },
    /// Another history, or another ledger.
    Other,
    /// It cannot be read: why, in one line.
    Unreadable(String),
}

/// What the facts mean, in the order to read them.
pub fn findings(facts: &Facts) -> Vec<Finding> {
    let mut all = folder::findings(facts);
    all.extend(around::findings(facts));
    all
}

/// A count with its noun.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{} {many}", grouped(count)),
    }
}

/// A number with thousands separators.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in the largest unit of which there is at least one.
fn sized(bytes: u64) -> String {
    for (shift, unit) in [(40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")] {
        if bytes >> shift > 0 {
            return format!("{} {unit}", grouped(bytes >> shift));
        }
    }
    counted(bytes, "byte", "bytes")
}

/// A stretch of milliseconds in its largest unit.
pub fn lasting(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    match seconds {
        0..60 => counted(seconds, "second", "seconds"),
        60..3_600 => counted(seconds / 60, "minute", "minutes"),
        3_600..172_800 => counted(seconds / 3_600, "hour", "hours"),
        _ => counted(seconds / 86_400, "day", "days"),
    }
}

/// A time of Unix milliseconds.
fn told(milliseconds: u64) -> String {
    i64::try_from(milliseconds)
        .ok()
        .and_then(|ms| Timestamp::from_millisecond(ms).ok())
        .map_or_else(|| format!("{milliseconds} ms"), |time| time.to_string())
}

/// The time as Unix milliseconds.
fn milliseconds(time: Timestamp) -> u64 {
    u64::try_from(time.as_millisecond()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
