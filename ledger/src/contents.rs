//! Which files belong to a ledger's folder: the one place that knows, for backups, restores and
//! whoever looks at a folder.
//!
//! What follows from these files (`derived/`, `index/`), what is of one process (`LOCK`), what a
//! crash left (`*.torn`, `*.tmp`) and the keys, which lie in a folder of their own, do not.

use std::path::Path;

use crate::event::Position;
use crate::note::NOTE_BYTES_MAX;
use crate::segment::file::{name_of, packed_name_of, position_of};
use crate::settings::{BLIND_FILE, SETTINGS_FILE};
use crate::tiles;
use crate::tree::Tile;
use crate::verify::{CHECKPOINT_FILE, LADDER_FOLDER};

/// Folder of the timestamps of checkpoints.
const TIMESTAMPS_FOLDER: &str = "timestamps";

/// Folder of the proofs that checkpoints stand in a super-log.
const SUPER_FOLDER: &str = "super";

/// Longest segment, in bytes: what the header of a ustar archive can tell (POSIX.1-1988, eleven
/// octal digits). Segments are begun anew at 64 MiB; only one batch of that length makes one.
const SEGMENT_BYTES_MAX: u64 = (1 << 33) - 1;

/// Longest settings, timestamp or proof, in bytes; all are of a few kilobytes.
const SMALL_BYTES_MAX: u64 = 256 << 10;

/// Longest name of a timestamp, in bytes.
const NAME_BYTES_MAX: usize = 64;

/// A file of a ledger's folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// `ledger.toml`.
    Settings,
    /// `blind.key`.
    Blind,
    /// `<position>.seg`, or `<position>.seg.zst` when it is packed.
    Segment { first: Position, packed: bool },
    /// A full tile.
    Tile(Tile),
    /// A checkpoint of the ladder, by its size.
    Rung(u64),
    /// `checkpoint`.
    Checkpoint,
    /// A timestamp, or what was stamped.
    Timestamp,
    /// A proof from a super-log.
    Super,
}

impl Part {
    /// The part a path in the folder is, written with `/`; `None` when it is none. No path but
    /// those a ledger writes is one, so none leads out of the folder.
    pub(crate) fn of(path: &str) -> Option<Self> {
        match path {
            SETTINGS_FILE => return Some(Self::Settings),
            BLIND_FILE => return Some(Self::Blind),
            CHECKPOINT_FILE => return Some(Self::Checkpoint),
            _ => {}
        }
        match path.split_once('/') {
            None => position_of(path).map(|first| Self::Segment {
                first,
                packed: path == packed_name_of(first),
            }),
            Some((tiles::FOLDER, _)) => {
                Tile::parse(path).ok().filter(Tile::is_full).map(Self::Tile)
            }
            Some((LADDER_FOLDER, digits)) => rung_of(digits).map(Self::Rung),
            Some((TIMESTAMPS_FOLDER, name)) => {
                is_plain(name, &["tsr", "checkpoint"]).then_some(Self::Timestamp)
            }
            Some((SUPER_FOLDER, name)) => is_plain(name, &["tlog-proof"]).then_some(Self::Super),
            Some(_) => None,
        }
    }

    /// Most bytes it may have.
    pub(crate) fn bytes_max(self) -> u64 {
        match self {
            Self::Segment { .. } => SEGMENT_BYTES_MAX,
            Self::Blind => 32,
            Self::Tile(_) => tiles::TILE_BYTES,
            Self::Rung(_) | Self::Checkpoint => u64::try_from(NOTE_BYTES_MAX).unwrap_or(u64::MAX),
            Self::Settings | Self::Timestamp | Self::Super => SMALL_BYTES_MAX,
        }
    }

    /// Whether only its owner may read it.
    pub(crate) fn is_secret(self) -> bool {
        self == Self::Blind
    }
}

fn rung_of(digits: &str) -> Option<u64> {
    let plain = digits.len() == 20 && digits.bytes().all(|digit| digit.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

/// Letters, digits, `-`, `_` and `.`, not beginning with a dot, with one of some endings.
fn is_plain(name: &str, endings: &[&str]) -> bool {
    name.len() <= NAME_BYTES_MAX
        && name
            .rsplit_once('.')
            .is_some_and(|(_, ending)| endings.contains(&ending))
        && !name.starts_with('.')
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}

/// Whether a folder is one that parts lie in.
pub(crate) fn is_folder(path: &str) -> bool {
    let top = path.split('/').next().unwrap_or_default();
    match top {
        tiles::FOLDER => path
            .split('/')
            .skip(1)
            .all(|name| !name.is_empty() && name.bytes().all(|b| b == b'x' || b.is_ascii_digit())),
        LADDER_FOLDER | TIMESTAMPS_FOLDER | SUPER_FOLDER => path == top,
        _ => false,
    }
}

/// Folders whose files are few and small, and are copied by what is in them.
pub(crate) const NOTE_FOLDERS: [&str; 3] = [LADDER_FOLDER, TIMESTAMPS_FOLDER, SUPER_FOLDER];

/// Whether a name at the top of a folder is of what a ledger's folder may hold beside its parts:
/// nothing of it is ever copied.
pub(crate) fn is_beside(name: &str) -> bool {
    name == crate::lock::LOCK_FILE
        || matches!(name, "derived" | "index")
        || Path::new(name)
            .extension()
            .is_some_and(|ending| ending == "tmp" || ending == "torn")
}

/// Name of a segment in one of its two forms.
pub(crate) fn segment_name(first: Position, packed: bool) -> String {
    if packed {
        packed_name_of(first)
    } else {
        name_of(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_a_ledger_writes_are_parts_of_it() {
        for (path, part) in [
            ("ledger.toml", Part::Settings),
            ("blind.key", Part::Blind),
            ("checkpoint", Part::Checkpoint),
            ("checkpoints/00000000000000000300", Part::Rung(300)),
            ("tile/0/x001/067", Part::Tile(Tile::full(0, 1_067))),
            ("timestamps/300.tsr", Part::Timestamp),
            ("super/300.tlog-proof", Part::Super),
        ] {
            assert_eq!(Part::of(path), Some(part), "{path}");
        }
        for packed in [false, true] {
            let part = Part::Segment { first: 7, packed };
            assert_eq!(Part::of(&segment_name(7, packed)), Some(part));
        }
        for path in [
            "",
            "/ledger.toml",
            "./ledger.toml",
            "../ledger.toml",
            "LOCK",
            "derived/x",
            "index/ids",
            "00000000000000000000.seg.tmp",
            "00000000000000000000.seg.12.torn",
            "7.seg",
            "tile/0/001.p/7",
            "tile/0/../001",
            "tile/0/001.tmp",
            "checkpoints/300",
            "timestamps/.tsr",
            "timestamps/../x.tsr",
            "timestamps/a/b.tsr",
            "super/x.tlog-proof/..",
            "ledger.toml\0",
        ] {
            assert_eq!(Part::of(path), None, "{path}");
        }
    }

    #[test]
    fn folders_are_those_that_parts_lie_in() {
        for path in ["tile", "tile/0", "tile/12/x001", "checkpoints", "super"] {
            assert!(is_folder(path), "{path}");
        }
        for path in ["", "tile/..", "tile//", "derived", "checkpoints/x", "a"] {
            assert!(!is_folder(path), "{path}");
        }
    }
}
