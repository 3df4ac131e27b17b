//! `daybook checks list`.

use comfy_table::Cell;

use super::Globals;
use crate::outcome::Outcome;
use crate::style::Style;
use crate::terminal;

/// Lists every check.
pub(crate) fn list(globals: Globals<'_>) -> anyhow::Result<Outcome> {
    let catalogue = reports::catalogue();
    if globals.json {
        terminal::line(&serde_json::to_string(&catalogue)?)?;
        return Ok(Outcome::Done);
    }
    let mut table = terminal::table(&["id", "severity", "area", "what should be", "rule from"]);
    for check in &catalogue {
        table.add_row([
            Cell::new(check.id),
            Style::stdout().severity_cell(check.severity),
            Cell::new(check.area.as_str()),
            Cell::new(check.title),
            Cell::new(check.source),
        ]);
    }
    terminal::line(&table.to_string())?;
    terminal::note(globals.quiet, &format!("{} checks", catalogue.len()));
    Ok(Outcome::Done)
}
