//! A fault at every system call of the writer, one run each: an error, or the end of the process.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use crate::check::{Book, Found};
use crate::script::{self, Ack};
use crate::table::Table;
use crate::trace::{Call, parse};

/// Exit code of a writer that stopped because of an error.
const STOPPED: i32 = 3;

/// What is run: where, and with which writer.
#[derive(Debug, Clone)]
pub struct Bench {
    /// Folder for everything made; a folder in memory makes it fast.
    pub work: PathBuf,
    /// The program `scribe`.
    pub scribe: PathBuf,
    /// Runs at a time.
    pub workers: usize,
    /// Begins nothing new after this.
    pub until: Instant,
}

/// A fault to try.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Case {
    /// As `strace -e inject` takes it.
    Inject {
        /// The system call.
        call: String,
        /// What happens: `error=EIO`, `signal=KILL`.
        fault: String,
        /// Which calls of a thread: `7`, `7+`.
        when: String,
    },
    /// No file may grow beyond so many bytes: the write that would is cut short, the next fails or
    /// ends the process.
    Limit {
        /// Bytes.
        bytes: u64,
        /// Whether it ends the process.
        kills: bool,
    },
}

impl Case {
    fn row(&self) -> String {
        match self {
            Self::Inject { call, fault, when } => {
                let (_, fault) = fault.split_once('=').unwrap_or_default();
                let for_good = if when.ends_with('+') {
                    ", from then on"
                } else {
                    ""
                };
                format!("{call} {fault}{for_good}")
            }
            Self::Limit { kills: false, .. } => "short write, then EFBIG".to_owned(),
            Self::Limit { kills: true, .. } => "short write, then killed".to_owned(),
        }
    }

    fn is_kill(&self) -> bool {
        match self {
            Self::Inject { fault, .. } => fault == "signal=KILL",
            Self::Limit { kills, .. } => *kills,
        }
    }

    /// Whether nothing can be written any more, not even why.
    fn is_mute(&self) -> bool {
        matches!(self, Self::Inject { call, when, .. } if call == "write" && when.ends_with('+'))
    }

    fn command(&self, bench: &Bench, folder: &Path, log: &Path) -> Command {
        let mut command;
        match self {
            Self::Inject { call, fault, when } => {
                command = Command::new("strace");
                command.arg("-f").arg("-o").arg(log);
                command.args(["-e", &format!("trace={call}")]);
                command.args(["-e", &format!("inject={call}:{fault}:when={when}")]);
                command.arg(&bench.scribe);
            }
            Self::Limit { bytes, kills } => {
                command = Command::new("sh");
                let trap = if *kills { "" } else { "trap '' XFSZ; " };
                let script = format!("ulimit -c 0; {trap}exec \"$@\"");
                command.args(["-c", &script, "sh", "prlimit"]);
                command
                    .arg(format!("--fsize={bytes}:{bytes}"))
                    .arg(&bench.scribe);
            }
        }
        command.arg(folder).arg("1");
        if matches!(self, Self::Limit { .. }) {
            command.arg("plain");
        }
        command
    }
}

/// Runs every case; what came of them.
///
/// # Errors
/// When the machinery fails, not the writer.
pub fn run(bench: &Bench, book: &Book) -> Result<Table> {
    let calls = record(bench)?;
    let cases = cases(&calls);
    let next = AtomicUsize::new(0);
    let table = Mutex::new(Table::default());
    std::thread::scope(|scope| {
        let work = |worker: usize| -> Result<()> {
            while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                if Instant::now() > bench.until {
                    let mut table = table
                        .lock()
                        .map_err(|_| anyhow::anyhow!("a worker panicked"))?;
                    table.count("no time left", "not tried");
                    continue;
                }
                let (row, outcome) = (case.row(), one(bench, book, case, worker)?);
                let mut table = table
                    .lock()
                    .map_err(|_| anyhow::anyhow!("a worker panicked"))?;
                match outcome {
                    Ok(outcome) => table.count(&row, &outcome),
                    Err(error) => table.broke(&row, format!("{case:?}: {error:#}")),
                }
            }
            Ok(())
        };
        let workers: Vec<_> = (0..bench.workers)
            .map(|at| scope.spawn(move || work(at)))
            .collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| anyhow::anyhow!("panicked"))?)
    })?;
    table.into_inner().context("a worker panicked")
}

/// The system calls of an undisturbed writer that concern its files, or its standard output.
fn record(bench: &Bench) -> Result<Vec<Call>> {
    let dir = bench.work.join("recorded");
    std::fs::create_dir_all(&dir)?;
    let log = dir.join("log");
    let output = Command::new("strace")
        .args(["-f", "-y", "-xx", "-s", "1000000", "-o"])
        .arg(&log)
        .arg(&bench.scribe)
        .args([&dir.join("book"), Path::new("1")])
        .output()
        .context("strace")?;
    ensure!(output.status.success(), "the writer alone fails");
    let mut calls = parse(&std::fs::read_to_string(&log)?)?;
    calls.retain(|call| {
        let is_ours = |path: &PathBuf| path.starts_with(&dir);
        call.paths().iter().any(is_ours) || (call.name == "write" && call.fd(0) == Some(1))
    });
    std::fs::remove_dir_all(&dir)?;
    Ok(calls)
}

/// Errors worth trying at a system call.
fn errors(call: &Call) -> &'static [&'static str] {
    match call.name.as_str() {
        "openat" if call.arguments.iter().any(|flags| flags.contains("O_CREAT")) => {
            &["EIO", "ENOSPC", "EINTR"]
        }
        "openat" => &["EIO", "EINTR"],
        "write" | "pwrite64" | "writev" | "pwritev" | "fsync" | "fdatasync" | "ftruncate" => {
            &["EIO", "ENOSPC", "EINTR"]
        }
        "rename" | "renameat" | "renameat2" | "mkdir" | "mkdirat" => &["EIO", "ENOSPC"],
        "read" | "pread64" => &["EIO", "EINTR"],
        "flock" => &["EIO", "ENOLCK", "EINTR"],
        _ => &["EIO"],
    }
}

/// Calls after which a lasting fault is tried as well.
const LASTING_EACH: u32 = 5;

fn cases(calls: &[Call]) -> Vec<Case> {
    let mut cases = BTreeSet::new();
    for call in calls {
        let mut add = |fault: &str, when: String| {
            cases.insert(Case::Inject {
                call: call.name.clone(),
                fault: fault.to_owned(),
                when,
            });
        };
        add("signal=KILL", call.nth.to_string());
        // an acknowledgement that cannot be told is no fault of the store
        if call.name == "write" && call.fd(0) == Some(1) {
            continue;
        }
        for error in errors(call) {
            add(&format!("error={error}"), call.nth.to_string());
        }
        let lasts = [
            "write",
            "pwrite64",
            "fsync",
            "fdatasync",
            "rename",
            "ftruncate",
        ];
        if lasts.contains(&call.name.as_str()) && call.nth % LASTING_EACH == 0 {
            add("error=ENOSPC", format!("{}+", call.nth));
            add("error=EIO", format!("{}+", call.nth));
        }
    }
    let segment = script::SIZES.segment_bytes;
    for bytes in (0..segment).step_by(149).chain((0..segment).step_by(1_024)) {
        cases.insert(Case::Limit {
            bytes,
            kills: false,
        });
        cases.insert(Case::Limit {
            bytes,
            kills: bytes % 3 == 0,
        });
    }
    cases.into_iter().collect()
}

/// Runs one case: the outcome in a word, or what was broken.
fn one(bench: &Bench, book: &Book, case: &Case, worker: usize) -> Result<Result<String>> {
    let dir = bench.work.join(format!("worker-{worker}"));
    if dir.exists() {
        std::fs::remove_dir_all(&dir)?;
    }
    std::fs::create_dir_all(&dir)?;
    let (folder, log) = (dir.join("book"), dir.join("log"));
    let output = case
        .command(bench, &folder, &log)
        .output()
        .context("starting the writer")?;
    if let Case::Inject { .. } = case {
        let log = std::fs::read_to_string(&log)?;
        if !log.contains("(INJECTED)") && !log.contains("killed by SIGKILL") {
            return Ok(Err(anyhow::anyhow!("the fault was not reached")));
        }
    }
    Ok(judge(book, case, &output, &folder))
}

fn judge(book: &Book, case: &Case, output: &Output, folder: &Path) -> Result<String> {
    let claims = Ack::all(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    let word = match output.status.code() {
        Some(0) => {
            let size = claims.last().map_or(0, |ack| ack.size);
            ensure!(size == book.size(), "success was claimed at {size} events");
            "unharmed"
        }
        Some(STOPPED) => {
            ensure!(
                said.contains("scribe: ") || case.is_mute(),
                "it stopped without a word"
            );
            "stopped"
        }
        // the standard library panics when a folder that was read cannot be closed
        Some(101) if said.contains("unexpected error during closedir") => "stopped by std",
        code => {
            ensure!(
                case.is_kill() && code.is_none_or(|code| code > 128),
                "exit {code:?}: {said}"
            );
            "killed"
        }
    };
    let outcome = book.check(folder, &claims)?;
    match outcome.found {
        Found::Refused(words) => anyhow::bail!("{word}, then refused: {words}"),
        Found::Nothing => Ok(format!("{word} (none yet)")),
        _ if outcome.torn => Ok(format!("{word} (torn)")),
        Found::OneMore => Ok(format!("{word} (one more)")),
        Found::Exact => Ok(word.to_owned()),
    }
}
