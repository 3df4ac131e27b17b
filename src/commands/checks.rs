//! `daybook checks list`.

use reports::Severity;

use super::Globals;
use crate::outcome::Outcome;
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
            check.id,
            severity_word(check.severity),
            check.area.as_str(),
            check.title,
            check.source,
        ]);
    }
    terminal::line(&table.to_string())?;
    terminal::note(globals.quiet, &format!("{} checks", catalogue.len()));
    Ok(Outcome::Done)
}

/// A severity in one word.
pub(crate) fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Info => "info",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}
