//! A file system as a power cut may leave it, after ALICE (Pillai et al., OSDI 2014): what was
//! synced is there; of what was not, any part may be.
//!
//! The model is as weak as POSIX lets a file system be. A sync of a file makes its bytes durable,
//! not its name; a sync of a folder makes the names in it durable. Writes reach the disk in pieces
//! and in any order, the length of a file with or without them. What a failed sync of a file did
//! not write stays unwritten whatever is synced later (Rebello et al., USENIX ATC 2020), but is read
//! back as if it were there until the power goes. Names are another matter: file systems keep them
//! in a journal, which a later sync writes, or which ends all writing when it cannot be written.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context as _, Result, bail, ensure};

use crate::trace::Call;

/// A file or folder, whatever its name.
pub(crate) type Node = usize;

/// How far a change got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// It will be there.
    Durable,
    /// It may be there.
    Pending,
    /// It may be there, and no later sync will change that: one failed.
    Orphan,
}

/// A change of a file's content.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// Bytes at an offset.
    Write(u64, Rc<[u8]>),
    /// Another length.
    Length(u64),
}

/// A change of a folder.
#[derive(Debug, Clone)]
pub(crate) enum Naming {
    /// A name for a node, in place of what had it.
    Link(String, Node),
    /// The name goes.
    Unlink(String),
    /// A node gets another name in the same folder.
    Rename(String, String, Node),
}

/// A node's changes, oldest first.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    /// Of a file, after the bytes all earlier ones led to.
    File(Vec<u8>, Vec<(State, Change)>),
    /// Of a folder, after the names all earlier ones led to.
    Folder(BTreeMap<String, Node>, Vec<(State, Naming)>),
}

/// The disk under one folder.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    pub(crate) nodes: Vec<Content>,
    /// Open files: node and offset, by number.
    open: HashMap<i64, (Node, u64)>,
    /// Bytes written to the standard output.
    pub output: Vec<u8>,
}

impl Disk {
    /// An empty folder, which itself is durable.
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            nodes: vec![Content::Folder(BTreeMap::new(), Vec::new())],
            open: HashMap::new(),
            output: Vec::new(),
        }
    }

    /// Another process begins.
    pub fn begin(&mut self) {
        self.open.clear();
    }

    /// Changes there are that are not durable.
    pub fn pending(&self) -> usize {
        let of = |content: &Content| match content {
            Content::File(_, changes) => {
                changes.iter().filter(|(state, _)| !state.is_safe()).count()
            }
            Content::Folder(_, changes) => {
                changes.iter().filter(|(state, _)| !state.is_safe()).count()
            }
        };
        self.nodes.iter().map(of).sum()
    }

    /// Takes in a system call. `true` when it changed anything here.
    ///
    /// # Errors
    /// When it changes files in a way this does not know: nothing may be passed over.
    pub fn apply(&mut self, call: &Call) -> Result<bool> {
        let is_sync = matches!(call.name.as_str(), "fsync" | "fdatasync");
        if call.returned < 0 && !(is_sync && call.injected) {
            return Ok(false);
        }
        match call.name.as_str() {
            "openat" => self.opened(call),
            "close" => {
                self.open.remove(&call.fd(0).unwrap_or(-1));
                Ok(false)
            }
            "lseek" => {
                if let Some((_, offset)) = self.open.get_mut(&call.fd(0).unwrap_or(-1)) {
                    *offset = u64::try_from(call.returned)?;
                }
                Ok(false)
            }
            "read" => {
                if let Some((_, offset)) = self.open.get_mut(&call.fd(0).unwrap_or(-1)) {
                    *offset += u64::try_from(call.returned)?;
                }
                Ok(false)
            }
            "write" | "pwrite64" => self.written(call),
            "ftruncate" => {
                let length = u64::try_from(call.number(1).context("a length")?)?;
                self.change(call, Change::Length(length))
            }
            "fsync" | "fdatasync" => Ok(self.synced(call)),
            "mkdir" => self.made(call),
            "rename" => self.renamed(call, (0, 1)),
            "renameat" | "renameat2" => self.renamed(call, (1, 3)),
            "unlink" => self.unlinked(call, 0),
            "unlinkat" => self.unlinked(call, 1),
            name if READS.contains(&name) => Ok(false),
            name => {
                let is_ours = call.paths().iter().any(|path| path.starts_with(&self.root));
                ensure!(!is_ours, "the model does not know `{name}`");
                Ok(false)
            }
        }
    }

    fn opened(&mut self, call: &Call) -> Result<bool> {
        let Some(path) = call.path(1).filter(|path| path.starts_with(&self.root)) else {
            self.open.remove(&call.returned);
            return Ok(false);
        };
        let flags = call.arguments.get(2).context("flags")?;
        ensure!(
            !flags.contains("O_APPEND"),
            "the model does not know O_APPEND"
        );
        let mut changed = false;
        let node = match self.find(&path) {
            Some(node) => node,
            None => {
                ensure!(
                    flags.contains("O_CREAT"),
                    "{} was opened unknown",
                    path.display()
                );
                changed = true;
                self.link(&path, Content::File(Vec::new(), Vec::new()))?
            }
        };
        self.open.insert(call.returned, (node, 0));
        if flags.contains("O_TRUNC") && self.length(node) > 0 {
            self.push(node, Change::Length(0))?;
            changed = true;
        }
        Ok(changed)
    }

    fn written(&mut self, call: &Call) -> Result<bool> {
        let fd = call.fd(0).context("a file")?;
        let count = usize::try_from(call.returned)?;
        if fd == 1 {
            self.output.extend_from_slice(&call.bytes(1)?[..count]);
            return Ok(false);
        }
        let Some((node, offset)) = self.open.get(&fd).copied() else {
            return Ok(false);
        };
        let bytes = call.bytes(1)?;
        ensure!(bytes.len() >= count, "a write was not recorded whole");
        let at = match call.number(3) {
            Some(at) if call.name == "pwrite64" => u64::try_from(at)?,
            _ => {
                self.open.insert(fd, (node, offset + u64::try_from(count)?));
                offset
            }
        };
        self.push(node, Change::Write(at, bytes[..count].into()))?;
        Ok(true)
    }

    fn change(&mut self, call: &Call, change: Change) -> Result<bool> {
        let Some((node, _)) = self.open.get(&call.fd(0).unwrap_or(-1)).copied() else {
            return Ok(false);
        };
        self.push(node, change)?;
        Ok(true)
    }

    fn synced(&mut self, call: &Call) -> bool {
        let Some((node, _)) = self.open.get(&call.fd(0).unwrap_or(-1)).copied() else {
            return false;
        };
        let becomes = if call.returned < 0 {
            State::Orphan
        } else {
            State::Durable
        };
        match &mut self.nodes[node] {
            Content::File(bytes, changes) => {
                settle(changes, becomes);
                let safe = changes
                    .iter()
                    .take_while(|(state, _)| state.is_safe())
                    .count();
                for (_, change) in changes.drain(..safe) {
                    change.apply(bytes);
                }
            }
            Content::Folder(names, changes) => {
                if becomes == State::Durable {
                    for (_, naming) in changes.drain(..) {
                        naming.apply(names);
                    }
                }
            }
        }
        true
    }

    fn made(&mut self, call: &Call) -> Result<bool> {
        let Some(path) = call.path(0).filter(|path| path.starts_with(&self.root)) else {
            return Ok(false);
        };
        self.link(&path, Content::Folder(BTreeMap::new(), Vec::new()))?;
        Ok(true)
    }

    fn renamed(&mut self, call: &Call, (from, to): (usize, usize)) -> Result<bool> {
        let (from, to) = (
            call.path(from).context("a name")?,
            call.path(to).context("a name")?,
        );
        if !from.starts_with(&self.root) {
            return Ok(false);
        }
        ensure!(
            from.parent() == to.parent(),
            "the model does not know moves between folders"
        );
        let node = self.find(&from).context("renamed unknown")?;
        let (old, new) = (name_of(&from)?, name_of(&to)?);
        self.name(&from, Naming::Rename(old, new, node))
    }

    fn unlinked(&mut self, call: &Call, at: usize) -> Result<bool> {
        match call.path(at).filter(|path| path.starts_with(&self.root)) {
            Some(path) => self.name(&path, Naming::Unlink(name_of(&path)?)),
            None => Ok(false),
        }
    }

    fn link(&mut self, path: &Path, content: Content) -> Result<Node> {
        self.nodes.push(content);
        let node = self.nodes.len() - 1;
        self.name(path, Naming::Link(name_of(path)?, node))?;
        Ok(node)
    }

    fn name(&mut self, path: &Path, naming: Naming) -> Result<bool> {
        let folder = path
            .parent()
            .and_then(|folder| self.find(folder))
            .context("no such folder")?;
        match &mut self.nodes[folder] {
            Content::Folder(_, changes) => changes.push((State::Pending, naming)),
            Content::File(..) => bail!("{} is a file", path.display()),
        }
        Ok(true)
    }

    fn push(&mut self, node: Node, change: Change) -> Result<()> {
        match &mut self.nodes[node] {
            Content::File(_, changes) => changes.push((State::Pending, change)),
            Content::Folder(..) => bail!("a folder was written to"),
        }
        Ok(())
    }

    fn length(&self, node: Node) -> usize {
        match &self.nodes[node] {
            Content::File(bytes, changes) => {
                let mut length = bytes.len();
                for (_, change) in changes {
                    length = match change {
                        Change::Write(at, bytes) => length.max(index(*at) + bytes.len()),
                        Change::Length(new) => index(*new),
                    };
                }
                length
            }
            Content::Folder(..) => 0,
        }
    }

    /// The node behind a path, as the running system sees it.
    fn find(&self, path: &Path) -> Option<Node> {
        let mut node = 0;
        for name in path.strip_prefix(&self.root).ok()?.components() {
            let Content::Folder(names, changes) = &self.nodes[node] else {
                return None;
            };
            let mut names = names.clone();
            changes
                .iter()
                .for_each(|(_, naming)| naming.apply(&mut names));
            node = *names.get(name.as_os_str().to_str()?)?;
        }
        Some(node)
    }
}

/// System calls that change no file.
const READS: [&str; 14] = [
    "pread64",
    "newfstatat",
    "fstat",
    "stat",
    "statx",
    "getdents64",
    "flock",
    "fcntl",
    "execve",
    "access",
    "readlink",
    "getcwd",
    "mmap",
    "ioctl",
];

impl State {
    fn is_safe(self) -> bool {
        self == Self::Durable
    }
}

/// What was pending becomes durable, or is given up.
fn settle<T>(changes: &mut [(State, T)], becomes: State) {
    for (state, _) in changes {
        if *state == State::Pending {
            *state = becomes;
        }
    }
}

impl Change {
    /// Makes the change.
    pub(crate) fn apply(&self, file: &mut Vec<u8>) {
        match self {
            Self::Write(at, bytes) => put(file, index(*at), bytes),
            Self::Length(length) => file.resize(index(*length), 0),
        }
    }
}

/// Puts bytes into a file, zeros before them where it ends earlier.
pub(crate) fn put(file: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    let end = at + bytes.len();
    if file.len() < end {
        file.resize(end, 0);
    }
    file[at..end].copy_from_slice(bytes);
}

impl Naming {
    /// Makes the change.
    pub(crate) fn apply(&self, names: &mut BTreeMap<String, Node>) {
        match self {
            Self::Link(name, node) => {
                names.insert(name.clone(), *node);
            }
            Self::Unlink(name) => {
                names.remove(name);
            }
            Self::Rename(from, to, node) => {
                names.remove(from);
                names.insert(to.clone(), *node);
            }
        }
    }
}

fn name_of(path: &Path) -> Result<String> {
    let name = path.file_name().and_then(|name| name.to_str());
    Ok(name.context("a name")?.to_owned())
}

/// An offset of a file that is held in memory.
pub(crate) fn index(at: u64) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX)
}
