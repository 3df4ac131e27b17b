//! `daybook identity ID`.

use std::collections::VecDeque;
use std::ops::ControlFlow;

use anyhow::Context as _;
use comfy_table::ColumnConstraint;
use jiff::Timestamp;
use ledger::StreamName;
use ledger::event::Recorded;
use ledger::event::credential::Credential;
use projections::State;
use projections::state::{Span, Subject};
use serde::Serialize;
use serde_json::Value;

use super::{Globals, book, log};
use crate::cli::Identity;
use crate::outcome::Outcome;
use crate::style::{Style, Tone};
use crate::terminal;

/// Narrowest terminal on which a whole key id leaves room for the other columns.
const WIDE: usize = 120;

/// Narrowest terminal on which the start of validity fits beside its end.
const NARROW: usize = 100;
/// Column of the start of validity.
const FROM: usize = 3;

/// A credential and its last use.
#[derive(Debug, Serialize)]
struct CredentialRow<'a> {
    #[serde(flatten)]
    credential: &'a Credential,
    last_used: Option<Timestamp>,
    sign_ins: u64,
    evidence: Vec<u64>,
}

/// Something held, in words, and what proves it.
#[derive(Debug, Serialize)]
struct Held {
    what: String,
    since: Timestamp,
    evidence: Vec<u64>,
}

/// Everything known of one identity.
#[derive(Debug, Serialize)]
struct Card<'a> {
    as_of: Timestamp,
    size: u64,
    stream: &'a str,
    tenant: &'a str,
    object_id: &'a str,
    app_id: Option<&'a str>,
    application: Option<&'a str>,
    name: &'a str,
    class: projections::state::IdentityClass,
    created_at: Option<Timestamp>,
    exists: bool,
    enabled: bool,
    risk: Option<Held>,
    sign_ins: SignIns,
    credentials: Vec<CredentialRow<'a>>,
    grants: Vec<Held>,
    owners: Vec<Held>,
    history: Vec<Value>,
}

/// Sign-ins over the whole history known.
#[derive(Debug, Serialize)]
struct SignIns {
    ok: u64,
    failed: u64,
    blocked: u64,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    evidence: Vec<u64>,
}

/// Shows one identity.
pub(crate) fn run(globals: Globals<'_>, args: &Identity) -> anyhow::Result<Outcome> {
    let book = book::read(globals, &args.as_of)?;
    let subject = book::identity(&book.state, &args.id)?;
    let history = history(&book, subject, args.history)?;
    let card = card(&book, subject, &history)?;
    if globals.json {
        terminal::line(&serde_json::to_string(&card)?)?;
    } else {
        show(&card, &history)?;
    }
    Ok(Outcome::Done)
}

/// The last events about it, its application included, up to the moment asked about.
fn history(book: &book::Book, subject: &Subject, most: usize) -> anyhow::Result<Vec<Recorded>> {
    let mut streams: Vec<StreamName> = vec![subject.stream.clone()];
    streams.extend(
        book.state
            .application_for(subject, book.at)
            .map(|found| found.stream.clone()),
    );
    let mut last = VecDeque::new();
    book.reader
        .scan(
            0..book.state.size,
            &|event_type| !event_type.is_activity(),
            &mut |recorded| {
                if streams.contains(&recorded.event.stream) && recorded.event.occurred_at <= book.at
                {
                    last.push_back(recorded);
                    if last.len() > most {
                        last.pop_front();
                    }
                }
                ControlFlow::Continue(())
            },
        )
        .context("reading the ledger")?;
    Ok(last.into())
}

fn card<'a>(
    book: &'a book::Book,
    subject: &'a Subject,
    history: &[Recorded],
) -> anyhow::Result<Card<'a>> {
    let (state, at) = (&book.state, book.at);
    let activity = &subject.activity;
    let seen = |seen: Option<projections::state::Seen>| seen.map(|seen| seen.at);
    Ok(Card {
        as_of: at,
        size: state.size,
        stream: subject.stream.as_str(),
        tenant: &subject.tenant,
        object_id: &subject.object_id,
        app_id: subject.app_id(at),
        application: state
            .application_for(subject, at)
            .map(|found| found.stream.as_str()),
        name: subject.display_name(at),
        class: subject.class(at),
        created_at: subject.created_at,
        exists: subject.exists_at(at),
        enabled: subject.enabled_at(at),
        risk: subject
            .risk_at(at)
            .map(|span| held(span, |level| format!("{} ({})", level.level, level.state))),
        sign_ins: SignIns {
            ok: activity.ok,
            failed: activity.failed,
            blocked: activity.blocked,
            first: seen(activity.first),
            last: seen(activity.last),
            evidence: activity
                .first
                .iter()
                .chain(&activity.last)
                .map(|seen| seen.position)
                .collect(),
        },
        credentials: credentials(state, subject, at),
        grants: grants(subject, at),
        owners: subject
            .owners_at(at)
            .map(|span| {
                held(span, |owner| {
                    format!(
                        "{} {}",
                        if owner.kind.is_empty() {
                            "owner"
                        } else {
                            &owner.kind
                        },
                        owner.id
                    )
                })
            })
            .collect(),
        history: history
            .iter()
            .map(log::object)
            .collect::<anyhow::Result<_>>()?,
    })
}

fn credentials<'a>(
    state: &'a State,
    subject: &'a Subject,
    at: Timestamp,
) -> Vec<CredentialRow<'a>> {
    state
        .credentials_of(subject, at)
        .into_iter()
        .map(|span| {
            let used = subject.activity.credentials.get(&use_key(&span.value));
            CredentialRow {
                credential: &span.value,
                last_used: used.map(|found| found.last.at),
                sign_ins: used.map_or(0, |found| found.count),
                evidence: span.evidence(),
            }
        })
        .collect()
}

/// The name sign-ins know a credential by.
fn use_key(credential: &Credential) -> String {
    match &credential.federated_id {
        Some(id) => format!("federated:{id}"),
        None => credential.key_id.clone(),
    }
}

fn grants(subject: &Subject, at: Timestamp) -> Vec<Held> {
    let roles = subject.roles_at(at).map(|span| {
        held(span, |role| {
            let name = role
                .role_name
                .as_deref()
                .unwrap_or(&role.role_definition_id);
            format!("directory role {name} on {}", role.scope)
        })
    });
    let app_roles = subject.app_roles_at(at).map(|span| {
        held(span, |role| {
            let value = role.role_value.as_deref().unwrap_or(&role.role_id);
            let on = role.resource_name.as_deref().unwrap_or(&role.resource_id);
            format!("application permission {value} on {on}")
        })
    });
    let delegated = subject.delegated_at(at).map(|span| {
        held(span, |grant| {
            let whom = if grant.all_principals {
                "every user"
            } else {
                "one user"
            };
            format!("delegated {} for {whom}", grant.scopes.join(" "))
        })
    });
    roles.chain(app_roles).chain(delegated).collect()
}

fn held<T>(span: &Span<T>, what: impl Fn(&T) -> String) -> Held {
    Held {
        what: what(&span.value),
        since: span.from,
        evidence: span.evidence(),
    }
}

fn show(card: &Card<'_>, history: &[Recorded]) -> anyhow::Result<()> {
    let state = if !card.exists {
        "deleted"
    } else if card.enabled {
        "enabled"
    } else {
        "disabled"
    };
    terminal::line(&format!(
        "{}  ({state}, {})",
        Style::stdout().paint(Tone::Heading, terminal::clean(card.name)),
        super::identities::class_words(card.class)
    ))?;
    let facts = [
        ("Object id", Some(card.object_id.to_owned())),
        ("Application id", card.app_id.map(str::to_owned)),
        ("Tenant", Some(card.tenant.to_owned())),
        ("Created", card.created_at.map(terminal::minute)),
        (
            "Risk",
            card.risk
                .as_ref()
                .map(|risk| format!("{} since {}", risk.what, terminal::minute(risk.since))),
        ),
        ("Sign-ins", Some(sign_ins(&card.sign_ins))),
        (
            "As of",
            Some(format!(
                "{}, from {} events",
                terminal::minute(card.as_of),
                terminal::thousands(card.size)
            )),
        ),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            terminal::line(&format!("  {name:<15} {}", terminal::clean(&value)))?;
        }
    }
    show_credentials(&card.credentials)?;
    show_held("Grants", &card.grants)?;
    show_held("Owners", &card.owners)?;
    heading("History")?;
    let room = terminal::width().map(|width| width.saturating_sub(2));
    for recorded in history {
        terminal::line(&format!("  {}", log::sentence(recorded, room)?))?;
    }
    Ok(())
}

fn heading(title: &str) -> anyhow::Result<()> {
    let title = Style::stdout().paint(Tone::Heading, title);
    terminal::line(&format!("\n{title}"))?;
    Ok(())
}

fn sign_ins(sign_ins: &SignIns) -> String {
    let last = sign_ins
        .last
        .map_or_else(|| "never".to_owned(), terminal::minute);
    format!(
        "{} ok, {} failed, {} blocked; last {last} {}",
        terminal::thousands(sign_ins.ok),
        terminal::thousands(sign_ins.failed),
        terminal::thousands(sign_ins.blocked),
        terminal::positions(&sign_ins.evidence, 2)
    )
}

fn show_credentials(credentials: &[CredentialRow<'_>]) -> anyhow::Result<()> {
    heading("Credentials")?;
    if credentials.is_empty() {
        terminal::line("  none")?;
        return Ok(());
    }
    let mut table = terminal::table(&[
        "kind",
        "on",
        "key id",
        "from",
        "to",
        "last used",
        "sign-ins",
        "evidence",
    ]);
    let is_below = |least: usize| terminal::width().is_some_and(|width| width < least);
    let key_letters = if is_below(WIDE) { 9 } else { 60 };
    for row in credentials {
        let day = |at: Option<Timestamp>| at.map_or_else(|| "–".to_owned(), terminal::day);
        table.add_row([
            word(&row.credential.kind),
            word(&row.credential.origin),
            terminal::short(&row.credential.key_id, key_letters),
            day(row.credential.starts_at),
            day(row.credential.ends_at),
            row.last_used
                .map_or_else(|| "never".to_owned(), terminal::day),
            terminal::thousands(row.sign_ins),
            terminal::positions(&row.evidence, 3),
        ]);
    }
    terminal::keep_whole(&mut table, 0..7);
    if is_below(NARROW)
        && let Some(column) = table.column_mut(FROM)
    {
        column.set_constraint(ColumnConstraint::Hidden);
    }
    terminal::line(&table.to_string())?;
    Ok(())
}

fn show_held(title: &str, held: &[Held]) -> anyhow::Result<()> {
    heading(title)?;
    if held.is_empty() {
        terminal::line("  none")?;
    }
    for one in held {
        terminal::line(&format!(
            "  {}  since {}  {}",
            terminal::short(&one.what, 90),
            terminal::day(one.since),
            terminal::positions(&one.evidence, 3)
        ))?;
    }
    Ok(())
}

/// A value's name as JSON writes it, with spaces: `service principal`.
fn word(value: &impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(text)) => text.replace('_', " "),
        _ => String::new(),
    }
}
