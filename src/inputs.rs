//! Files named on the command line: folders walked in order, `.gz` unpacked, `-` standard input.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Bytes of the read buffer.
const BUFFER_BYTES: usize = 1 << 20;

/// One input: a file, or standard input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// Standard input.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl Input {
    /// The name to show.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }

    /// Size in bytes as stored, 0 when not known.
    pub(crate) fn bytes(&self) -> u64 {
        match self {
            Self::Stdin => 0,
            Self::File(path) => std::fs::metadata(path).map_or(0, |data| data.len()),
        }
    }

    /// Opens it for reading, unpacking `.gz` (several members too).
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub(crate) fn open(&self) -> io::Result<Box<dyn BufRead>> {
        match self {
            Self::Stdin => Ok(Box::new(BufReader::with_capacity(
                BUFFER_BYTES,
                io::stdin(),
            ))),
            Self::File(path) => {
                let file = File::open(path)?;
                if has_extension(path, "gz") {
                    let unpacked = flate2::read::MultiGzDecoder::new(BufReader::new(file));
                    return Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, unpacked)));
                }
                Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, file)))
            }
        }
    }

    /// Whether its path says when it was taken.
    pub(crate) fn is_dated(&self) -> bool {
        self.date().is_some()
    }

    /// The moment its path names.
    fn date(&self) -> Option<Timestamp> {
        let Self::File(path) = self else { return None };
        path.components().rev().find_map(|part| {
            let text = part.as_os_str().to_str()?;
            let day = text.get(..10)?.parse::<Date>().ok()?;
            let (hour, minute) = time_of_day(text.get(10..)?).unwrap_or((0, 0));
            let zoned = day.at(hour, minute, 0, 0).to_zoned_datetime(TimeZone::UTC);
            zoned.ok().map(|zoned| zoned.timestamp())
        })
    }

    /// When a snapshot in it was taken: a `YYYY-MM-DD` part of the path (that day's first instant,
    /// UTC) or `YYYY-MM-DDTHHMMZ`, else the file's modification time, else `now`.
    pub(crate) fn observed_at(&self, now: Timestamp) -> Timestamp {
        if let Some(told) = self.date() {
            return told;
        }
        let Self::File(path) = self else { return now };
        std::fs::metadata(path)
            .and_then(|data| data.modified())
            .ok()
            .and_then(|modified| Timestamp::try_from(modified).ok())
            .unwrap_or(now)
    }
}

/// Reads `THHMMZ`.
fn time_of_day(text: &str) -> Option<(i8, i8)> {
    let digits = text.strip_prefix('T')?;
    let (hour, minute) = (digits.get(..2)?, digits.get(2..4)?);
    if digits.get(4..5)? != "Z" {
        return None;
    }
    let (hour, minute) = (hour.parse().ok()?, minute.parse().ok()?);
    ((0..24).contains(&hour) && (0..60).contains(&minute)).then_some((hour, minute))
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension()
        .is_some_and(|found| found.eq_ignore_ascii_case(extension))
}

/// What was named: files in order, folders walked depth first in order of name. A name that does
/// not exist is kept as a file, so that opening it says so and the others are still read.
pub(crate) fn expand(named: &[PathBuf]) -> Vec<Input> {
    let mut inputs = Vec::new();
    for path in named {
        if path.as_os_str() == "-" {
            inputs.push(Input::Stdin);
        } else {
            walk(path, &mut inputs);
        }
    }
    inputs
}

fn walk(path: &Path, inputs: &mut Vec<Input>) {
    let Ok(entries) = std::fs::read_dir(path) else {
        inputs.push(Input::File(path.to_owned()));
        return;
    };
    let mut inside: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    inside.sort();
    for entry in inside {
        let hidden = entry
            .file_name()
            .and_then(|name| name.to_str())
            .is_some_and(|name| name.starts_with('.'));
        let link = std::fs::symlink_metadata(&entry).is_ok_and(|data| data.is_symlink());
        if hidden || (link && entry.is_dir()) {
            continue;
        }
        walk(&entry, inputs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_in_the_path_says_when_a_snapshot_was_taken() {
        let now = Timestamp::UNIX_EPOCH;
        let input = Input::File("exports/2026-10-01/servicePrincipals.json".into());
        assert_eq!(
            input.observed_at(now),
            "2026-10-01T00:00:00Z".parse().unwrap()
        );
        let input = Input::File("exports/2026-10-01T0630Z/servicePrincipals.json".into());
        assert_eq!(
            input.observed_at(now),
            "2026-10-01T06:30:00Z".parse().unwrap()
        );
        let input = Input::File("exports/2026-10-02-audit.json".into());
        assert_eq!(
            input.observed_at(now),
            "2026-10-02T00:00:00Z".parse().unwrap()
        );
    }

    #[test]
    fn a_missing_file_is_kept_so_that_it_is_reported() {
        let inputs = expand(&["does-not-exist.json".into()]);
        assert_eq!(inputs, [Input::File("does-not-exist.json".into())]);
    }
}
