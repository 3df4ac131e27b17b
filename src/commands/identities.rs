//! `daybook identities`.

use comfy_table::{ColumnConstraint, Table};
use jiff::Timestamp;
use projections::State;
use projections::state::{IdentityClass, Subject};
use serde::Serialize;

use super::{Globals, book};
use crate::cli::Identities;
use crate::outcome::Outcome;
use crate::terminal;

/// Narrowest terminal on which the object ids leave room for the names.
const WIDE: usize = 130;
/// Column of the object ids.
const OBJECT_ID: usize = 7;

/// One identity in the list.
#[derive(Debug, Serialize)]
struct Row<'a> {
    stream: &'a str,
    tenant: &'a str,
    object_id: &'a str,
    name: &'a str,
    class: IdentityClass,
    exists: bool,
    enabled: bool,
    credentials: usize,
    grants: usize,
    owners: usize,
    last_used: Option<Timestamp>,
}

impl<'a> Row<'a> {
    fn new(state: &State, subject: &'a Subject, at: Timestamp) -> Self {
        Self {
            stream: subject.stream.as_str(),
            tenant: &subject.tenant,
            object_id: &subject.object_id,
            name: subject.display_name(at),
            class: subject.class(at),
            exists: subject.exists_at(at),
            enabled: subject.enabled_at(at),
            credentials: state.credentials_of(subject, at).len(),
            grants: subject.app_roles_at(at).count()
                + subject.roles_at(at).count()
                + subject.delegated_at(at).count(),
            owners: subject.owners_at(at).count(),
            last_used: subject
                .activity
                .last
                .map(|seen| seen.at)
                .filter(|last| *last <= at),
        }
    }
}

/// Lists identities.
pub(crate) fn run(globals: Globals<'_>, args: &Identities) -> anyhow::Result<Outcome> {
    let book = book::read(globals, &args.as_of)?;
    let mut rows: Vec<Row<'_>> = book
        .state
        .identities
        .values()
        .map(|subject| Row::new(&book.state, subject, book.at))
        .filter(|row| args.all || (row.exists && row.class != IdentityClass::Microsoft))
        .collect();
    rows.sort_by_key(|row| (row.name.to_lowercase(), row.stream));
    if globals.json {
        let answer = serde_json::json!({
            "as_of": book.at, "size": book.state.size, "identities": rows,
        });
        terminal::line(&answer.to_string())?;
        return Ok(Outcome::Done);
    }
    let is_narrow = terminal::width().is_some_and(|width| width < WIDE);
    let mut table = table(&rows, if is_narrow { "creds" } else { "credentials" });
    // On a narrow terminal the names need the room; `identity NAME` tells the id.
    if is_narrow {
        if let Some(column) = table.column_mut(OBJECT_ID) {
            column.set_constraint(ColumnConstraint::Hidden);
        }
        terminal::keep_whole(&mut table, 2..OBJECT_ID);
    } else {
        terminal::keep_whole(&mut table, 2..OBJECT_ID + 1);
    }
    terminal::line(&table.to_string())?;
    terminal::note(
        globals.quiet,
        &format!(
            "{} identities as of {}, from {} events",
            terminal::thousands(rows.len() as u64),
            terminal::minute(book.at),
            terminal::thousands(book.state.size)
        ),
    );
    Ok(Outcome::Done)
}

fn table(rows: &[Row<'_>], credentials: &str) -> Table {
    let mut table = terminal::table(&[
        "name",
        "class",
        "state",
        credentials,
        "grants",
        "owners",
        "last used",
        "object id",
    ]);
    for row in rows {
        table.add_row([
            terminal::short(row.name, 40),
            class_words(row.class).to_owned(),
            if !row.exists {
                "deleted"
            } else if row.enabled {
                "enabled"
            } else {
                "disabled"
            }
            .to_owned(),
            row.credentials.to_string(),
            row.grants.to_string(),
            row.owners.to_string(),
            row.last_used
                .map_or_else(|| "never".to_owned(), terminal::day),
            terminal::short(row.object_id, 36),
        ]);
    }
    terminal::align_right(&mut table, 3..6);
    table
}

/// The class in words.
pub(crate) fn class_words(class: IdentityClass) -> &'static str {
    match class {
        IdentityClass::SingleTenant => "single-tenant",
        IdentityClass::MultiTenant => "multi-tenant",
        IdentityClass::ThirdParty => "third party",
        IdentityClass::Microsoft => "Microsoft",
        IdentityClass::ManagedIdentity => "managed identity",
        IdentityClass::Agent => "agent",
        IdentityClass::Unclassified => "unclassified",
    }
}
