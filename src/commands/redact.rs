//! `daybook redact`.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use anyhow::Context as _;
use ledger::event::book::Role;
use ledger::{Concern, DATA_KEYS_FILE, Erased, Erasure, RedactError, StreamName, Survey};
use serde_json::{Value, json};

use super::{Globals, book};
use crate::cli::{AsOf, Redact};
use crate::outcome::{Hinted, Outcome};
use crate::style::{Style, Tone};
use crate::terminal;

/// Longest written order that is read, in bytes.
const ORDER_BYTES_MAX: u64 = 16 << 20;

/// What everybody must do after an erasure.
const COPIES: &str =
    "Destroy every copy and backup of the data keys made before: they open what was erased.";

/// Erases private data, or shows what would be erased.
pub(crate) fn run(globals: Globals<'_>, args: &Redact) -> anyhow::Result<Outcome> {
    let named = named(globals, args)?;
    let erasure = Erasure {
        concerns: named.iter().map(|(_, concern)| concern.clone()).collect(),
        reason: args.reason.clone(),
        legal_basis: args.legal_basis.clone(),
        approved_by: args.approved_by.clone(),
        order: args.order.as_deref().map(written_order).transpose()?,
    };
    erasure.check()?;
    let public = [Some(&args.reason), args.legal_basis.as_ref()];
    for (name, _) in &named {
        let name = name.to_lowercase();
        let tells = |text: &&String| text.to_lowercase().contains(&name);
        if public.into_iter().flatten().any(|text| tells(&text)) {
            return Err(RedactError::NamesSubject.into());
        }
    }
    let place = globals.place();
    let surveys = ledger::survey(&place, &erasure.concerns)
        .map_err(|error| book::open_error(globals.ledger, error))?;
    known(&named, &surveys)?;
    let done = if args.yes {
        Some(book::writer(globals)?.redact(&erasure)?)
    } else {
        None
    };
    if globals.json {
        terminal::line(&object(globals, &named, &surveys, done.as_deref()).to_string())?;
    } else {
        show(globals, &named, &surveys, done.as_deref())?;
    }
    Ok(Outcome::Done)
}

/// A name as given, and what it stands for.
type Named = (String, Concern);

/// What the names stand for: an identity is its own stream and its application's.
fn named(globals: Globals<'_>, args: &Redact) -> anyhow::Result<Vec<Named>> {
    let mut named = Vec::new();
    let mut read = None;
    for text in &args.subject {
        if is_stream(text) {
            named.push((text.clone(), Concern::Stream(StreamName(text.clone()))));
            continue;
        }
        let book = match &read {
            Some(book) => book,
            None => read.insert(book::read(globals, &AsOf { as_of: None })?),
        };
        let subject = book::identity(&book.state, text)?;
        let application = book.state.application_for(subject, book.at);
        let streams = std::iter::once(&subject.stream);
        let streams = streams.chain(application.map(|found| &found.stream));
        named.extend(streams.map(|stream| (text.clone(), Concern::Stream(stream.clone()))));
    }
    let actors = args.actor.iter();
    named.extend(actors.map(|actor| (actor.clone(), Concern::Actor(actor.clone()))));
    Ok(named)
}

/// Whether a text is the name of a stream rather than of an identity.
fn is_stream(text: &str) -> bool {
    text == "ledger" || text.starts_with("entra:") || text.starts_with("billing:")
}

fn written_order(path: &Path) -> anyhow::Result<Vec<u8>> {
    let reading = || format!("reading the order {}", path.display());
    let file = File::open(path).with_context(reading)?;
    let mut text = Vec::new();
    file.take(ORDER_BYTES_MAX + 1)
        .read_to_end(&mut text)
        .with_context(reading)?;
    if text.len() as u64 > ORDER_BYTES_MAX {
        return Err(Hinted::error(
            format!("the order {} is longer than 16 MiB", path.display()),
            "give the order itself, not its attachments",
        ));
    }
    Ok(text)
}

/// Each name must be one that some event knows: a misspelt one erases nothing.
fn known(named: &[Named], surveys: &[Survey]) -> anyhow::Result<()> {
    for (name, concern) in named {
        let of_name = named.iter().zip(surveys);
        let mut of_name = of_name.filter(|((other, _), _)| other == name);
        if of_name.all(|(_, survey)| survey.events == 0) {
            let (what, hint) = match concern {
                Concern::Stream(_) => ("subject", "`daybook identities` lists them"),
                Concern::Actor(_) => (
                    "actor",
                    "actors are known by the object id or application id of their source, exactly as written there",
                ),
            };
            return Err(Hinted::error(
                format!("no event has the {what} `{}`", terminal::clean(name)),
                hint,
            ));
        }
    }
    Ok(())
}

fn role_words(role: Role) -> &'static str {
    match role {
        Role::Subject => "subject",
        Role::Actor => "actor",
    }
}

fn object(
    globals: Globals<'_>,
    named: &[Named],
    surveys: &[Survey],
    done: Option<&[Erased]>,
) -> Value {
    let concerns: Vec<Value> = named
        .iter()
        .zip(surveys)
        .enumerate()
        .map(|(at, ((name, concern), survey))| {
            let erased = done.and_then(|done| done.get(at));
            json!({
                "name": name,
                "stream": match concern { Concern::Stream(stream) => Some(stream), Concern::Actor(_) => None },
                "role": role_words(survey.role), "id": survey.id,
                "events": survey.events, "private": survey.readable, "clear": survey.clear,
                "erased_before": survey.erased, "last_redaction": survey.last,
                "key_still_here": survey.is_due && erased.is_none_or(|erased| !erased.destroyed),
                "position": erased.and_then(|erased| erased.position),
                "key_destroyed": erased.is_some_and(|erased| erased.destroyed),
            })
        })
        .collect();
    json!({
        "done": done.is_some(), "concerns": concerns,
        "data_keys": globals.place().keys().join(DATA_KEYS_FILE), "note": COPIES,
    })
}

fn show(
    globals: Globals<'_>,
    named: &[Named],
    surveys: &[Survey],
    done: Option<&[Erased]>,
) -> anyhow::Result<()> {
    let mut table = terminal::table(&["whose", "as", "events", "to erase", "erased before", ""]);
    for (at, ((name, concern), survey)) in named.iter().zip(surveys).enumerate() {
        let whose = match concern {
            Concern::Stream(stream) if stream.as_str() != name => {
                format!("{name} ({stream})")
            }
            _ => name.clone(),
        };
        table.add_row([
            terminal::clean(&whose).into_owned(),
            role_words(survey.role).to_owned(),
            terminal::thousands(survey.events),
            terminal::thousands(survey.readable),
            terminal::thousands(survey.erased),
            outcome(survey, done.and_then(|done| done.get(at))),
        ]);
    }
    terminal::align_right(&mut table, 2..5);
    terminal::line(&table.to_string())?;
    let erasable: u64 = surveys.iter().map(|survey| survey.readable).sum();
    if done.is_some() {
        terminal::line("Entries, public payloads, bills and reports stay as they are.")?;
        terminal::line(&Style::stdout().paint(Tone::Heading, COPIES))?;
    } else if erasable > 0 || surveys.iter().any(|survey| survey.is_due) {
        terminal::line(&format!(
            "Nothing is erased yet. With --yes the keys in {} are destroyed for good. {COPIES}",
            globals.place().keys().join(DATA_KEYS_FILE).display()
        ))?;
    } else {
        terminal::line("There is nothing to erase.")?;
    }
    Ok(())
}

/// What became of one of them, in words.
fn outcome(survey: &Survey, erased: Option<&Erased>) -> String {
    match erased {
        Some(Erased {
            position: Some(position),
            destroyed,
            ..
        }) => {
            let key = if *destroyed {
                "key destroyed"
            } else {
                "its key was gone already"
            };
            format!("recorded at #{}, {key}", terminal::thousands(*position))
        }
        Some(Erased {
            destroyed: true, ..
        }) => "key destroyed, as ordered before".to_owned(),
        Some(_) => "nothing to erase".to_owned(),
        None if survey.clear > 0 => format!(
            "{} in clear from an early version: cannot be erased",
            terminal::thousands(survey.clear)
        ),
        None if survey.is_due => "ordered before, key still here".to_owned(),
        None => String::new(),
    }
}
