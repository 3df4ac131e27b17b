//! `daybook pack`.

use ledger::{Form, PackError, PackReport};
use serde_json::json;

use super::{Globals, book};
use crate::cli::Pack;
use crate::outcome::Outcome;
use crate::terminal;

/// Packs or unpacks every sealed segment.
pub(crate) fn run(globals: Globals<'_>, args: &Pack) -> anyhow::Result<Outcome> {
    let form = if args.unpack {
        Form::Plain
    } else {
        Form::Packed(args.level)
    };
    let bar = terminal::progress(0, globals.quiet || globals.json, "packing");
    let packed = ledger::pack(globals.place(), form, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    let report = packed.map_err(|error| match error {
        PackError::Open(error) => book::open_error(globals.ledger, error),
        other => other.into(),
    })?;
    if globals.json {
        let object = json!({
            "sealed": report.sealed, "changed": report.changed, "too_long": report.too_long,
            "content_bytes": report.content_bytes, "file_bytes": report.file_bytes,
        });
        terminal::line(&object.to_string())?;
    } else {
        show(&report, form)?;
    }
    Ok(Outcome::Done)
}

fn show(report: &PackReport, form: Form) -> anyhow::Result<()> {
    let verb = match form {
        Form::Packed(_) => "Packed",
        Form::Plain => "Unpacked",
    };
    terminal::line(&format!(
        "{verb} {} of {} sealed segments: {} bytes in {} on disk.",
        terminal::thousands(report.changed),
        terminal::thousands(report.sealed),
        terminal::thousands(report.content_bytes),
        terminal::thousands(report.file_bytes),
    ))?;
    if report.too_long > 0 {
        terminal::line(&format!(
            "{} are longer than 256 MiB and stay as written.",
            terminal::thousands(report.too_long)
        ))?;
    }
    Ok(())
}
