//! `daybook prune`.

use std::collections::BTreeSet;

use anyhow::Context as _;
use evidence::head::Head;
use ledger::checkpoint::Checkpoint;
use ledger::note::Note;
use ledger::{Bound, EventBody, EventType, KeptNote, PruneDone, PruneError, PruneSurvey, Pruning};
use projections::derived;
use serde_json::json;

use super::{Globals, book};
use crate::cli::Prune;
use crate::edge;
use crate::moment::Moment;
use crate::outcome::{Hinted, Outcome};
use crate::terminal;

/// What everybody must do after a pruning.
const COPIES: &str = "Backups and copies made before still hold what was deleted.";

/// Deletes payloads of old activity, or shows what would be deleted.
pub(crate) fn run(globals: Globals<'_>, args: &Prune) -> anyhow::Result<Outcome> {
    let pruning = Pruning {
        bound: match args.before {
            Moment::At(time) => Bound::Occurred(time),
            Moment::Now => Bound::Occurred(edge::now()),
            Moment::Position(position) => Bound::Position(position),
        },
        types: types(&args.types)?,
        signed: signed(globals)?,
        reason: args.reason.clone(),
        legal_basis: args.legal_basis.clone(),
        approved_by: args.approved_by.clone(),
    };
    pruning.check()?;
    let survey = ledger::survey_pruning(&globals.place(), pruning.bound, &pruning.types)
        .map_err(|error| book::open_error(globals.ledger, error))?;
    pruning.is_signed(&survey).map_err(hinted)?;
    let done = if args.yes {
        let done = book::writer(globals)?.prune(&pruning).map_err(hinted)?;
        if done.position.is_some() {
            forget_derived(globals)?;
        }
        Some(done)
    } else {
        None
    };
    if globals.json {
        terminal::line(&object(&survey, done.as_ref()).to_string())?;
    } else {
        show(&survey, done.as_ref())?;
    }
    Ok(Outcome::Done)
}

/// The types that begin with one of the texts.
fn types(prefixes: &[String]) -> anyhow::Result<BTreeSet<EventType>> {
    let mut found = BTreeSet::new();
    for prefix in prefixes {
        let known = EventBody::TYPES.iter();
        let fit: Vec<EventType> = known
            .filter(|(_, name)| name.starts_with(prefix.as_str()))
            .map(|(of, _)| *of)
            .collect();
        if fit.is_empty() {
            return Err(Hinted::error(
                format!("no type of event begins with `{}`", terminal::clean(prefix)),
                "the types are in docs/events.md; payloads of `activity.` can be pruned",
            ));
        }
        found.extend(fit);
    }
    Ok(found)
}

/// Size of the newest checkpoint signed, when any was.
fn signed(globals: Globals<'_>) -> anyhow::Result<Option<u64>> {
    if let Some(head) = Head::read(&globals.key_folder()).map_err(book::head_error)? {
        return Ok(Some(head.checkpoint.size));
    }
    let path = globals.ledger.join(ledger::CHECKPOINT_FILE);
    if !path.exists() {
        return Ok(None);
    }
    let reading = || format!("reading {}", path.display());
    let kept = KeptNote::read(&path, ledger::CHECKPOINT_FILE.to_owned()).with_context(reading)?;
    let note = Note::parse(&kept.bytes).with_context(reading)?;
    let checkpoint = Checkpoint::parse(note.text()).with_context(reading)?;
    Ok(Some(checkpoint.size))
}

/// Derived files hold counts of what was deleted; they are made again without it.
fn forget_derived(globals: Globals<'_>) -> anyhow::Result<()> {
    let folder = globals.ledger.join(derived::FOLDER);
    match std::fs::remove_dir_all(&folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn hinted(error: PruneError) -> anyhow::Error {
    match &error {
        PruneError::Unsigned { .. } => Hinted::error(
            error.to_string(),
            "`daybook checkpoint` signs what there is, so that what is pruned stays provable",
        ),
        _ => error.into(),
    }
}

fn object(survey: &PruneSurvey, done: Option<&PruneDone>) -> serde_json::Value {
    json!({
        "done": done.is_some(), "below": survey.below, "segments": survey.segments.len(),
        "events": survey.events, "bytes": survey.bytes, "months": survey.months,
        "pruned_before": survey.pruned, "note": COPIES,
        "position": done.map_or(survey.ordered, |done| done.position),
        "finished": done.is_some_and(|done| done.finished),
    })
}

fn show(survey: &PruneSurvey, done: Option<&PruneDone>) -> anyhow::Result<()> {
    if survey.events == 0 {
        let before = terminal::thousands(survey.pruned);
        terminal::line(&format!(
            "There is nothing to prune; {before} payloads were before."
        ))?;
        return Ok(());
    }
    let mut table = terminal::table(&["month", "payloads"]);
    for (month, events) in &survey.months {
        table.add_row([month.clone(), terminal::thousands(*events)]);
    }
    terminal::align_right(&mut table, 1..2);
    terminal::line(&table.to_string())?;
    let what = format!(
        "{} payloads ({} bytes) below #{} in {} sealed segments",
        terminal::thousands(survey.events),
        terminal::thousands(survey.bytes),
        terminal::thousands(survey.below),
        terminal::thousands(survey.segments.len() as u64),
    );
    let text = match done.and_then(|done| done.position) {
        Some(position) => format!(
            "Deleted {what}; event #{} says so. Their entries stay and prove what they proved. {COPIES}",
            terminal::thousands(position)
        ),
        None => format!(
            "Nothing is deleted yet. With --yes {what} are deleted for good, and usage and bills of these months cannot be computed any more. {COPIES}"
        ),
    };
    terminal::line(&text)?;
    Ok(())
}
