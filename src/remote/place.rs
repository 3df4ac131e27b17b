//! Where the replica of a stream and its keys are when no folder is named.

use std::path::{Path, PathBuf};

use ledger::hash;

use crate::edge;
use crate::outcome::Hinted;

/// The state folder: the one named, or one under the XDG base directory for state.
pub(super) fn state(stream: &str, named: Option<&Path>) -> anyhow::Result<PathBuf> {
    match named {
        Some(named) => Ok(named.to_owned()),
        None => Ok(base("XDG_STATE_HOME", ".local/state", "--state")?.join(file_name(stream))),
    }
}

/// The folder of keys: the one named, or one under the XDG base directory for data. Not beside the
/// state folder, which may be deleted.
pub(super) fn keys(stream: &str, named: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let name = format!("{}.keys", file_name(stream));
    Ok(base("XDG_DATA_HOME", ".local/share", "--keys")?.join(name))
}

fn base(variable: &str, below_home: &str, flag: &str) -> anyhow::Result<PathBuf> {
    let absolute = |name: &str| {
        edge::variable(name)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute())
    };
    let base = absolute(variable).or_else(|| absolute("HOME").map(|home| home.join(below_home)));
    match base {
        Some(base) => Ok(base.join("daybook")),
        None => Err(Hinted::error(
            format!("neither {variable} nor HOME says where to keep files"),
            format!("name a folder with {flag}"),
        )),
    }
}

/// Longest name of a file made from a stream's, in bytes; file systems take 255.
const NAME_BYTES_MAX: usize = 200;

/// A stream's name as one name of a file: what is not a letter, digit, `-`, `_` or inner `.` is
/// written as `%` and two hexadecimal digits; of a long one a beginning and a hash.
fn file_name(stream: &str) -> String {
    let mut name = String::with_capacity(stream.len());
    for (at, byte) in stream.bytes().enumerate() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || (byte == b'.' && at > 0) {
            name.push(char::from(byte));
        } else {
            name.push('%');
            name.push_str(&hash::hex(&[byte]));
        }
    }
    if name.len() > NAME_BYTES_MAX {
        name.truncate(NAME_BYTES_MAX);
        name.push('~');
        name.push_str(&hash::hex(&hash::ledger_id(stream)));
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_streams_name_is_one_name_of_a_file() {
        assert_eq!(file_name("contoso"), "contoso");
        assert_eq!(file_name("a/../b"), "a%2f..%2fb");
        assert_eq!(file_name(".."), "%2e.");
        assert_eq!(file_name("ä b%"), "%c3%a4%20b%25");
        let (one, two) = ("ä".repeat(100), format!("{}b", "ä".repeat(100)));
        assert!(file_name(&one).len() < 250);
        assert_ne!(file_name(&one), file_name(&two));
    }

    #[test]
    fn a_named_folder_is_taken_as_it_is() {
        let named = Path::new("some/where");
        assert_eq!(state("contoso", Some(named)).unwrap(), named);
        assert_eq!(keys("contoso", Some(named)).unwrap(), named);
    }
}
