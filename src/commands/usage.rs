//! `daybook usage`.

use std::fs::File;
use std::io::{BufWriter, Write};

use anyhow::Context as _;
use projections::usage::{self, UsageRow};

use super::{Globals, book};
use crate::cli::{Usage, UsageFormat};
use crate::outcome::{Hinted, Outcome};
use crate::terminal;

/// Rows listed on a terminal.
const ROWS_SHOWN: usize = 60;

/// Shows the usage of one month.
pub(crate) fn run(globals: Globals<'_>, args: &Usage) -> anyhow::Result<Outcome> {
    let (licensing, _) = book::licensing(globals, &args.as_of)?;
    let rows = usage::usage(&licensing, args.period).context("computing usage")?;
    let format = if globals.json {
        UsageFormat::Json
    } else {
        args.format
    };
    match &args.output {
        Some(path) => {
            let file = File::create(path).with_context(|| format!("writing {}", path.display()))?;
            let mut writer = BufWriter::new(file);
            write(&rows, format, &mut writer)?;
            writer
                .flush()
                .with_context(|| format!("writing {}", path.display()))?;
            terminal::note(
                globals.quiet,
                &format!("{} rows written to {}", rows.len(), path.display()),
            );
        }
        None if format == UsageFormat::Parquet => {
            return Err(Hinted::error(
                "parquet is not for a terminal",
                "name a file: --output usage.parquet",
            ));
        }
        None => write(&rows, format, &mut std::io::stdout().lock())?,
    }
    if format == UsageFormat::Table && args.output.is_none() {
        summary(&rows, args, globals.quiet);
    }
    Ok(Outcome::Done)
}

fn write(rows: &[UsageRow], format: UsageFormat, out: &mut impl Write) -> anyhow::Result<()> {
    match format {
        UsageFormat::Table => writeln!(out, "{}", table(rows))?,
        UsageFormat::Csv => usage::write_csv(rows, out).context("writing CSV")?,
        UsageFormat::Json => usage::write_json(rows, out).context("writing JSON")?,
        UsageFormat::Parquet => usage::write_parquet(rows, out).context("writing Parquet")?,
    }
    Ok(())
}

fn table(rows: &[UsageRow]) -> comfy_table::Table {
    let mut table = terminal::table(&[
        "name", "class", "ok", "failed", "blocked", "last use", "covered", "assigned", "active",
        "billable", "why",
    ]);
    for row in rows.iter().take(ROWS_SHOWN) {
        table.add_row([
            terminal::short(&row.name, 32),
            super::identities::class_words(row.class).to_owned(),
            terminal::thousands(row.sign_ins_ok),
            terminal::thousands(row.sign_ins_failed),
            terminal::thousands(row.sign_ins_blocked),
            row.last_use.map_or_else(|| "–".to_owned(), terminal::day),
            row.covered_days.to_string(),
            row.assigned_days.to_string(),
            row.active_days.to_string(),
            if row.billable { "yes" } else { "no" }.to_owned(),
            terminal::short(&row.why, 60),
        ]);
    }
    terminal::align_right(&mut table, 2..5);
    terminal::align_right(&mut table, 6..9);
    table
}

fn summary(rows: &[UsageRow], args: &Usage, quiet: bool) {
    let billable = rows.iter().filter(|row| row.billable).count();
    let left = rows.len().saturating_sub(ROWS_SHOWN);
    let more = if left > 0 {
        format!("{left} more rows: --format csv or json. ")
    } else {
        String::new()
    };
    terminal::note(
        quiet,
        &format!(
            "{more}{} identities in {}, {billable} billable",
            rows.len(),
            args.period
        ),
    );
}
