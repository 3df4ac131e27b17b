//! How a command ends: exit codes, the one error line and its hint.

use std::io::{ErrorKind, Write as _};
use std::process::ExitCode;

use ledger_kurrentdb::KurrentError;

use crate::style::{Style, Tone};
use crate::terminal;

/// How a command that ran to its end came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Done (0).
    Done,
    /// Done in part: some input could not be read (1).
    Failed,
    /// The ledger does not verify (3).
    Unverified,
    /// Findings at or above `--fail-on` (4).
    Findings,
    /// Fewer checks assessed than `--coverage-min` asks (5).
    Coverage,
}

impl Outcome {
    /// The process's exit code.
    pub(crate) fn exit_code(self) -> ExitCode {
        ExitCode::from(match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Unverified => 3,
            Self::Findings => 4,
            Self::Coverage => 5,
        })
    }
}

/// An error with a hint of what to do.
#[derive(Debug)]
pub(crate) struct Hinted {
    message: String,
    hint: String,
}

impl Hinted {
    /// An error line and its hint line.
    pub(crate) fn error(message: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        anyhow::Error::new(Self {
            message: message.into(),
            hint: hint.into(),
        })
    }
}

impl std::fmt::Display for Hinted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Hinted {}

/// Prints an error in one line with a `hint:` line where there is one; exit code 1.
pub(crate) fn failed(error: &anyhow::Error) -> ExitCode {
    if is_broken_pipe(error) {
        return ExitCode::SUCCESS;
    }
    let mut stderr = std::io::stderr().lock();
    let line = terminal::clean(&format!("{error:#}")).into_owned();
    let style = Style::stderr();
    let head = style.paint(Tone::Alarm, "error:");
    let mut written = writeln!(stderr, "{head} {line}");
    if let Some(hint) = hint_for(error) {
        let head = style.paint(Tone::Heading, "hint:");
        written = written.and_then(|()| writeln!(stderr, "{head} {}", terminal::clean(&hint)));
    }
    drop(written);
    ExitCode::from(1)
}

/// The reader of our output went away (`daybook log | head`): not an error of ours.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|io| io.kind() == ErrorKind::BrokenPipe)
    })
}

fn hint_for(error: &anyhow::Error) -> Option<String> {
    if let Some(hinted) = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<Hinted>())
    {
        return Some(hinted.hint.clone());
    }
    let of_server = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<KurrentError>())
        .map(KurrentError::hint)
        .filter(|hint| !hint.is_empty());
    if let Some(hint) = of_server {
        return Some(hint.to_owned());
    }
    let kind = error
        .chain()
        .find_map(|cause| cause.downcast_ref::<std::io::Error>())
        .map(std::io::Error::kind)?;
    let hint = match kind {
        ErrorKind::PermissionDenied => "check who owns the file and run as that user",
        ErrorKind::ReadOnlyFilesystem => {
            "the volume is mounted for reading alone: questions are answered, nothing is written; remount it, or restore a backup elsewhere"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "make room and run the same command again; what was acknowledged is there"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

/// Prints a usage error, or the help that was asked for.
pub(crate) fn usage(error: &clap::Error) -> ExitCode {
    let code = if error.use_stderr() { 2 } else { 0 };
    drop(error.print());
    ExitCode::from(code)
}
