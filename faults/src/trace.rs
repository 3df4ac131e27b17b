//! Reads what `strace -f -y -xx` wrote: system calls in the order in which they ended.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context as _, Result, ensure};

/// One system call.
#[derive(Debug, Clone)]
pub struct Call {
    /// Thread that made it.
    pub thread: u32,
    /// Its name.
    pub name: String,
    /// Arguments as printed.
    pub arguments: Vec<String>,
    /// What it returned; -1 for an error, and for one that never returned.
    pub returned: i64,
    /// Whether strace made it fail.
    pub injected: bool,
    /// Which call of that name of its thread it is, from 1.
    pub nth: u32,
}

impl Call {
    /// The number of a file descriptor argument.
    pub fn fd(&self, at: usize) -> Option<i64> {
        let argument = self.arguments.get(at)?;
        let digits = argument.split('<').next()?;
        digits.parse().ok()
    }

    /// The path behind a file descriptor argument.
    pub fn fd_path(&self, at: usize) -> Option<PathBuf> {
        let argument = self.arguments.get(at)?;
        let (_, rest) = argument.split_once('<')?;
        path_of(&unescape(rest.strip_suffix('>')?)?)
    }

    /// The bytes of a string argument.
    ///
    /// # Errors
    /// When it is none, or was not recorded whole.
    pub fn bytes(&self, at: usize) -> Result<Vec<u8>> {
        let argument = self.arguments.get(at).context("an argument is missing")?;
        let inner = argument
            .strip_prefix('"')
            .and_then(|rest| rest.strip_suffix('"'))
            .with_context(|| format!("no whole string: {argument:.80}"))?;
        unescape(inner).context("a string is not in hexadecimal")
    }

    /// The path of a string argument, with the folder before it when it is relative.
    pub fn path(&self, at: usize) -> Option<PathBuf> {
        let path = path_of(&self.bytes(at).ok()?)?;
        match at.checked_sub(1).and_then(|at| self.fd_path(at)) {
            Some(folder) => Some(folder.join(path)),
            None => Some(path),
        }
    }

    /// A number argument.
    pub fn number(&self, at: usize) -> Option<i64> {
        self.arguments.get(at)?.parse().ok()
    }

    /// Every path among the arguments.
    pub fn paths(&self) -> Vec<PathBuf> {
        (0..self.arguments.len())
            .filter_map(|at| self.fd_path(at).or_else(|| self.path(at)))
            .collect()
    }
}

fn path_of(bytes: &[u8]) -> Option<PathBuf> {
    std::str::from_utf8(bytes).ok().map(PathBuf::from)
}

/// The bytes of `\x..` after `\x..`.
fn unescape(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    let (groups, rest) = bytes.as_chunks::<4>();
    let digit = |byte: u8| {
        char::from(byte)
            .to_digit(16)
            .and_then(|digit| u8::try_from(digit).ok())
    };
    let decoded: Option<Vec<u8>> = groups
        .iter()
        .map(|[slash, x, high, low]| match (slash, x) {
            (b'\\', b'x') => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect();
    decoded.filter(|_| rest.is_empty())
}

/// Reads a recording.
///
/// # Errors
/// When a line is not understood: nothing may be passed over.
pub fn parse(text: &str) -> Result<Vec<Call>> {
    let mut begun: HashMap<u32, String> = HashMap::new();
    let mut counts: HashMap<(u32, String), u32> = HashMap::new();
    let mut calls = Vec::new();
    for line in text.lines() {
        let (thread, rest) = line.split_once(' ').context("a line without a thread")?;
        let thread = thread
            .parse()
            .with_context(|| format!("no thread: {line:.80}"))?;
        let rest = rest.trim_start();
        if rest.starts_with("+++") || rest.starts_with("---") {
            continue;
        }
        let whole = if let Some(start) = rest.strip_suffix(" <unfinished ...>") {
            begun.insert(thread, start.to_owned());
            continue;
        } else if rest.starts_with("<... ") {
            let (_, end) = rest.split_once(" resumed>").context("a resumed call")?;
            let start = begun.remove(&thread).context("resumed, but not begun")?;
            start + end
        } else {
            rest.to_owned()
        };
        calls.push(call(thread, &whole, &mut counts).with_context(|| format!("{line:.200}"))?);
    }
    // a call that a kill kept from returning
    for (thread, start) in begun {
        let whole = format!("{start}) = ?");
        calls.push(call(thread, &whole, &mut counts)?);
    }
    Ok(calls)
}

fn call(thread: u32, text: &str, counts: &mut HashMap<(u32, String), u32>) -> Result<Call> {
    let (name, rest) = text.split_once('(').context("no call")?;
    ensure!(!name.is_empty(), "no name");
    let (inner, end) = rest.rsplit_once(") ").context("no end of arguments")?;
    // what describes an error is in parentheses too
    let (inner, end) = match rest.find(") = ").or_else(|| rest.find(")  ")) {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (inner, end),
    };
    let end = end.trim_start().strip_prefix("= ").context("no result")?;
    let digits = end.split([' ', '<']).next().unwrap_or_default();
    let count = counts.entry((thread, name.to_owned())).or_default();
    *count += 1;
    Ok(Call {
        thread,
        name: name.to_owned(),
        arguments: split(inner),
        returned: digits.parse().unwrap_or(-1),
        injected: end.contains("(INJECTED)"),
        nth: *count,
    })
}

/// Arguments apart: at commas outside strings, brackets and paths.
fn split(text: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let (mut depth, mut quoted, mut start) = (0_u32, false, 0);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b'{' | b'[' | b'<' | b'(' if !quoted => depth += 1,
            b'}' | b']' | b'>' | b')' if !quoted => depth = depth.saturating_sub(1),
            b',' if !quoted && depth == 0 => {
                parts.push(text[start..at].trim().to_owned());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim().to_owned());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_with_their_paths_bytes_and_results() {
        let text = "7 openat(AT_FDCWD</x>, \"\\x61\", O_RDONLY) = 3<\\x2f\\x61>\n\
             7 fsync(3<\\x2f\\x61> <unfinished ...>\n\
             8 write(1<\\x2f\\x70>, \"\\x68\\x69\", 2) = 2\n\
             7 <... fsync resumed>) = -1 EIO (Input/output error) (INJECTED)\n\
             7 +++ exited with 0 +++\n";
        let calls = parse(text).unwrap();
        let names: Vec<&str> = calls.iter().map(|call| call.name.as_str()).collect();
        assert_eq!(names, ["openat", "write", "fsync"]);
        assert_eq!((calls[0].returned, calls[2].returned), (3, -1));
        assert!(calls[2].injected && calls[2].nth == 1);
        assert_eq!(calls[1].bytes(1).unwrap(), b"hi");
        assert_eq!(calls[2].fd_path(0), Some(PathBuf::from("/a")));
    }
}
