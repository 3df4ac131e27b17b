//! Usage rows as CSV, JSON, Parquet.

use std::io::Write;

use polars::prelude::{DataFrame, df};
use polars_io::parquet::write::ParquetWriter;

use super::{UsageError, UsageRow};
use crate::schema::{
    ACTIVE_DAYS, APP_ID, ASSIGNED_DAYS, BILLABLE, CLASS, COVERED_DAYS, CREDENTIALS, ELIGIBLE_DAYS,
    EVIDENCE, FIRST_USE, LAST_USE, NAME, OBJECT_ID, PERIOD, RESOURCES, SIGN_INS_BLOCKED,
    SIGN_INS_FAILED, SIGN_INS_OK, TENANT, WHY,
};

const COLUMNS: [&str; 20] = [
    PERIOD,
    TENANT,
    OBJECT_ID,
    APP_ID,
    NAME,
    CLASS,
    SIGN_INS_OK,
    SIGN_INS_FAILED,
    SIGN_INS_BLOCKED,
    FIRST_USE,
    LAST_USE,
    CREDENTIALS,
    RESOURCES,
    COVERED_DAYS,
    ASSIGNED_DAYS,
    ACTIVE_DAYS,
    ELIGIBLE_DAYS,
    BILLABLE,
    WHY,
    EVIDENCE,
];

/// The rows as a table, columns in the order of the CSV.
///
/// # Errors
/// [`UsageError::Query`].
pub fn frame(rows: &[UsageRow]) -> Result<DataFrame, UsageError> {
    let text = |of: &dyn Fn(&UsageRow) -> String| -> Vec<String> { rows.iter().map(of).collect() };
    let wide = |of: fn(&UsageRow) -> u64| -> Vec<u64> { rows.iter().map(of).collect() };
    let narrow = |of: fn(&UsageRow) -> u32| -> Vec<u32> { rows.iter().map(of).collect() };
    let time = |of: fn(&UsageRow) -> Option<jiff::Timestamp>| -> Vec<Option<String>> {
        rows.iter()
            .map(|row| of(row).map(|at| at.to_string()))
            .collect()
    };
    let billable: Vec<bool> = rows.iter().map(|row| row.billable).collect();
    Ok(df!(
        PERIOD => text(&|row| row.period.to_string()),
        TENANT => text(&|row| row.tenant.clone()),
        OBJECT_ID => text(&|row| row.object_id.clone()),
        APP_ID => text(&|row| row.app_id.clone()),
        NAME => text(&|row| row.name.clone()),
        CLASS => text(&|row| row.class.as_str().to_owned()),
        SIGN_INS_OK => wide(|row| row.sign_ins_ok),
        SIGN_INS_FAILED => wide(|row| row.sign_ins_failed),
        SIGN_INS_BLOCKED => wide(|row| row.sign_ins_blocked),
        FIRST_USE => time(|row| row.first_use),
        LAST_USE => time(|row| row.last_use),
        CREDENTIALS => text(&|row| row.credentials.join(" ")),
        RESOURCES => text(&|row| row.resources.join(" ")),
        COVERED_DAYS => narrow(|row| row.covered_days),
        ASSIGNED_DAYS => narrow(|row| row.assigned_days),
        ACTIVE_DAYS => narrow(|row| row.active_days),
        ELIGIBLE_DAYS => narrow(|row| row.eligible_days),
        BILLABLE => billable,
        WHY => text(&|row| row.why.clone()),
        EVIDENCE => text(&|row| positions(row)),
    )?)
}

/// Writes the rows as Parquet.
///
/// # Errors
/// Any [`UsageError`].
pub fn write_parquet(rows: &[UsageRow], out: impl Write) -> Result<(), UsageError> {
    let mut frame = frame(rows)?;
    ParquetWriter::new(out).finish(&mut frame)?;
    Ok(())
}

/// Writes the rows as one JSON array.
///
/// # Errors
/// [`UsageError::Json`], [`UsageError::Write`].
pub fn write_json(rows: &[UsageRow], mut out: impl Write) -> Result<(), UsageError> {
    serde_json::to_writer_pretty(&mut out, rows)?;
    writeln!(out)?;
    Ok(())
}

/// Writes the rows as CSV (RFC 4180, header first). A text that a spreadsheet would take for a
/// formula gets a `'` before it.
///
/// # Errors
/// [`UsageError::Write`].
pub fn write_csv(rows: &[UsageRow], mut out: impl Write) -> Result<(), UsageError> {
    write!(out, "{}\r\n", COLUMNS.join(","))?;
    for row in rows {
        let time = |at: Option<jiff::Timestamp>| at.map_or_else(String::new, |at| at.to_string());
        let cells = [
            row.period.to_string(),
            text(&row.tenant),
            text(&row.object_id),
            text(&row.app_id),
            text(&row.name),
            row.class.as_str().to_owned(),
            row.sign_ins_ok.to_string(),
            row.sign_ins_failed.to_string(),
            row.sign_ins_blocked.to_string(),
            time(row.first_use),
            time(row.last_use),
            text(&row.credentials.join(" ")),
            text(&row.resources.join(" ")),
            row.covered_days.to_string(),
            row.assigned_days.to_string(),
            row.active_days.to_string(),
            row.eligible_days.to_string(),
            row.billable.to_string(),
            text(&row.why),
            positions(row),
        ];
        write!(out, "{}\r\n", cells.join(","))?;
    }
    Ok(())
}

fn positions(row: &UsageRow) -> String {
    let texts: Vec<String> = row.evidence.iter().map(ToString::to_string).collect();
    texts.join(" ")
}

/// A text as a cell: no formula, quoted where it must be.
fn text(raw: &str) -> String {
    let guard = if raw.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        "'"
    } else {
        ""
    };
    if raw.contains([',', '"', '\n', '\r', '\t', '\'']) {
        format!("\"{guard}{}\"", raw.replace('"', "\"\""))
    } else {
        format!("{guard}{raw}")
    }
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn a_name_never_becomes_a_formula_or_another_cell() {
        assert_eq!(text("=1+1"), "'=1+1");
        assert_eq!(text("@x,\"y\""), "\"'@x,\"\"y\"\"\"");
        assert_eq!(text("\tx"), "\"'\tx\"");
        assert_eq!(text("-x"), "'-x");
        assert_eq!(text("plain x"), "plain x");
        assert_eq!(text("a\r\nb"), "\"a\r\nb\"");
    }
}
