//! `daybook import`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Context as _;
use jiff::Timestamp;
use ledger::Ledger;
use ledger::event::book::RecordCounts;
use serde::Serialize;
use sources::{FileReport, Format, ImportError, ImportOptions, Importer, Rejection, Shape};

use super::{Globals, book};
use crate::cli::Import;
use crate::inputs::{self, Input};
use crate::outcome::{Hinted, Outcome};
use crate::{edge, terminal};

/// What one file came to.
#[derive(Debug, Serialize)]
pub(crate) struct FileRow {
    /// Name as given.
    pub file: String,
    /// Counts, in records.
    #[serde(flatten)]
    pub counts: RecordCounts,
    /// Events appended.
    pub events: u64,
    /// Skipped records by activity name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub skipped_by_activity: BTreeMap<String, u64>,
    /// Why the file could not be read, or not to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// All files together.
#[derive(Debug, Serialize)]
pub(crate) struct Imported {
    /// One row a file.
    pub files: Vec<FileRow>,
    /// Their sums.
    pub total: Total,
}

/// Sums over files.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Total {
    /// Counts, in records.
    #[serde(flatten)]
    pub counts: RecordCounts,
    /// Events appended.
    pub events: u64,
}

/// What every file is read with.
pub(crate) struct Reading<'a> {
    /// `--tenant`.
    pub tenant: Option<&'a str>,
    /// `--observed-at`.
    pub observed_at: Option<Timestamp>,
    /// `--format`.
    pub format: Format,
    /// Wall clock, for snapshots that nothing else dates.
    pub now: Timestamp,
}

/// Imports files into the ledger.
pub(crate) fn run(globals: Globals<'_>, args: &Import) -> anyhow::Result<Outcome> {
    let format = format(&args.format)?;
    let mut ledger = book::writer(globals)?;
    let inputs = inputs::expand(&args.files);
    let reading = Reading {
        tenant: args.tenant.as_deref(),
        observed_at: args.observed_at,
        format,
        now: edge::now(),
    };
    let mut rejections = RejectionFile::new(&args.rejections);
    let known = ledger.size();
    let imported = import(&mut ledger, &inputs, &reading, &mut rejections, globals)
        .map_err(|error| stopped(&error, known, ledger.size()))?;
    let rejected = rejections.finish()?;
    if globals.json {
        terminal::line(&serde_json::to_string(&imported)?)?;
    } else {
        show(&imported, globals.quiet)?;
        if rejected > 0 {
            terminal::line(&format!(
                "Rejections, with line and reason: {}",
                args.rejections.display()
            ))?;
        }
    }
    let failed = imported.files.iter().any(|row| row.error.is_some());
    Ok(if failed || rejected > 0 {
        Outcome::Failed
    } else {
        Outcome::Done
    })
}

/// What to say of an import that ended before its files did: nothing that was acknowledged is
/// lost, and nothing is imported twice.
fn stopped(error: &anyhow::Error, before: u64, size: u64) -> anyhow::Error {
    Hinted::error(
        format!("{error:#}"),
        format!(
            "{} events were appended and are durable, the ledger has {}; once the cause is gone the same command goes on from there",
            terminal::thousands(size.saturating_sub(before)),
            terminal::thousands(size),
        ),
    )
}

/// `auto`, or the name of one shape.
fn format(name: &str) -> anyhow::Result<Format> {
    if name == "auto" {
        return Ok(Format::Auto);
    }
    Shape::from_name(name).map(Format::Only).ok_or_else(|| {
        let known: Vec<&str> = Shape::ALL.iter().map(|(_, name)| *name).collect();
        Hinted::error(
            format!("no format `{}`", terminal::clean(name)),
            format!("auto, or one of {}", known.join(", ")),
        )
    })
}

/// Reads every input in order; a file that cannot be read is a row with an error, not the end.
pub(crate) fn import(
    ledger: &mut Ledger,
    inputs: &[Input],
    reading: &Reading<'_>,
    rejections: &mut RejectionFile<'_>,
    globals: Globals<'_>,
) -> anyhow::Result<Imported> {
    let total_bytes = inputs.iter().map(Input::bytes).sum();
    let bar = terminal::progress(total_bytes, globals.quiet || globals.json, "importing");
    let mut importer = Importer::new(ledger).context("reading what the ledger already says")?;
    let mut files = Vec::with_capacity(inputs.len());
    let mut total = Total::default();
    let mut before = 0;
    for input in inputs {
        let name = input.name();
        bar.set_message(terminal::short(&name, 40));
        let options = ImportOptions {
            tenant: reading.tenant,
            observed_at: reading
                .observed_at
                .unwrap_or_else(|| input.observed_at(reading.now)),
            dated: reading.observed_at.is_some() || input.is_dated(),
            format: reading.format,
        };
        let row = match input.open() {
            Ok(mut bytes) => {
                let report = importer.import(
                    &mut bytes,
                    &options,
                    &mut |read| bar.set_position(before + read.min(input.bytes())),
                    &mut |rejection| rejections.write(&name, &rejection),
                );
                file_row(name, report)?
            }
            Err(error) => unread(name, &error),
        };
        before += input.bytes();
        bar.set_position(before);
        add(&mut total, &row);
        files.push(row);
    }
    bar.finish_and_clear();
    Ok(Imported { files, total })
}

/// A file that cannot be read is a row; a ledger that cannot be written is the end.
fn file_row(name: String, report: Result<FileReport, ImportError>) -> anyhow::Result<FileRow> {
    match report {
        Ok(report) => Ok(FileRow {
            file: name,
            counts: report.counts,
            events: report.events,
            skipped_by_activity: report.skipped,
            error: None,
        }),
        Err(ImportError::Input(error)) => Ok(unread(name, &error)),
        Err(error) => Err(error).with_context(|| format!("importing `{name}`")),
    }
}

fn unread(name: String, error: &std::io::Error) -> FileRow {
    FileRow {
        file: name,
        counts: RecordCounts::default(),
        events: 0,
        skipped_by_activity: BTreeMap::new(),
        error: Some(error.to_string()),
    }
}

fn add(total: &mut Total, row: &FileRow) {
    total.counts.records += row.counts.records;
    total.counts.imported += row.counts.imported;
    total.counts.duplicates += row.counts.duplicates;
    total.counts.skipped += row.counts.skipped;
    total.counts.rejections += row.counts.rejections;
    total.events += row.events;
}

/// Files listed one by one; more are summed up in one row.
const FILES_SHOWN: usize = 40;

fn show(imported: &Imported, quiet: bool) -> anyhow::Result<()> {
    let mut table = terminal::table(&[
        "file",
        "records",
        "imported",
        "duplicates",
        "skipped",
        "rejected",
        "events",
    ]);
    for row in imported.files.iter().take(FILES_SHOWN) {
        table.add_row(cells(
            &terminal::short(&row.file, 60),
            &row.counts,
            row.events,
        ));
    }
    let left = imported.files.len().saturating_sub(FILES_SHOWN);
    if left > 0 {
        table.add_row([format!("… and {left} more files")]);
    }
    if imported.files.len() > 1 {
        table.add_row(cells(
            "total",
            &imported.total.counts,
            imported.total.events,
        ));
    }
    terminal::align_right(&mut table, 1..7);
    terminal::line(&table.to_string())?;
    for row in &imported.files {
        if let Some(error) = &row.error {
            terminal::line(&format!(
                "error: `{}`: {}",
                terminal::clean(&row.file),
                terminal::clean(error)
            ))?;
        }
    }
    if !quiet {
        show_skipped(imported)?;
    }
    Ok(())
}

fn show_skipped(imported: &Imported) -> anyhow::Result<()> {
    let mut skipped: BTreeMap<&str, u64> = BTreeMap::new();
    for (activity, count) in imported
        .files
        .iter()
        .flat_map(|row| &row.skipped_by_activity)
    {
        *skipped.entry(activity).or_default() += count;
    }
    if skipped.is_empty() {
        return Ok(());
    }
    let mut skipped: Vec<(&str, u64)> = skipped.into_iter().collect();
    skipped.sort_by_key(|(activity, count)| (std::cmp::Reverse(*count), *activity));
    terminal::line("\nSkipped, not about workload identities or nothing that matters changed:")?;
    for (activity, count) in skipped.iter().take(12) {
        terminal::line(&format!(
            "  {:>9}  {}",
            terminal::thousands(*count),
            terminal::short(activity, 90)
        ))?;
    }
    if skipped.len() > 12 {
        terminal::line(&format!(
            "  … and {} more activities; --json lists them all",
            skipped.len() - 12
        ))?;
    }
    Ok(())
}

fn cells(name: &str, counts: &RecordCounts, events: u64) -> Vec<String> {
    let mut cells = vec![name.to_owned()];
    cells.extend(
        [
            counts.records,
            counts.imported,
            counts.duplicates,
            counts.skipped,
            counts.rejections,
            events,
        ]
        .map(terminal::thousands),
    );
    cells
}

/// The file rejections go to; made with the first one.
pub(crate) struct RejectionFile<'a> {
    path: &'a Path,
    writer: Option<BufWriter<File>>,
    error: Option<std::io::Error>,
    count: u64,
}

#[derive(Serialize)]
struct RejectionLine<'a> {
    file: &'a str,
    #[serde(flatten)]
    rejection: &'a Rejection,
}

impl<'a> RejectionFile<'a> {
    /// A file that does not exist yet.
    pub(crate) fn new(path: &'a Path) -> Self {
        Self {
            path,
            writer: None,
            error: None,
            count: 0,
        }
    }

    /// Adds one line. A failure to write is kept for [`Self::finish`].
    pub(crate) fn write(&mut self, file: &str, rejection: &Rejection) {
        self.count += 1;
        if self.error.is_none()
            && let Err(error) = self.try_write(&RejectionLine { file, rejection })
        {
            self.error = Some(error);
        }
    }

    fn try_write(&mut self, line: &RejectionLine<'_>) -> std::io::Result<()> {
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => self.writer.insert(BufWriter::new(File::create(self.path)?)),
        };
        serde_json::to_writer(&mut *writer, line)?;
        writer.write_all(b"\n")
    }

    /// How many were written.
    ///
    /// # Errors
    /// When the file could not be written: nothing may be lost in silence.
    pub(crate) fn finish(mut self) -> anyhow::Result<u64> {
        let flushed = self.writer.as_mut().map_or(Ok(()), BufWriter::flush);
        match self.error.take().map_or(flushed, Err) {
            Ok(()) => Ok(self.count),
            Err(error) => {
                Err(error).with_context(|| format!("writing rejections to {}", self.path.display()))
            }
        }
    }
}
