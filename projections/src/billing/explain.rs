//! Explanations: why an identity costs what it costs, or nothing, in words and numbers.

use std::fmt;

use super::charge::NotCharged;
use super::line::ChargeLine;
use super::policy::Proration;
use super::rate::Interval;
use super::run::Run;
use crate::state::IdentityClass;

/// Why one identity is charged, or not.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Explanation {
    /// Whether there is a charge line (which may be 0).
    pub charged: bool,
    /// What was asked for: object id, stream or name.
    pub identity: String,
    /// The reasons, in order, one sentence each, no markup.
    pub sentences: Vec<String>,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for sentence in &self.sentences {
            writeln!(f, "{sentence}")?;
        }
        Ok(())
    }
}

/// Explains one identity of a run, named by object id, stream name or (when only one has it)
/// display name.
pub fn explain(run: &Run, identity: &str) -> Explanation {
    let id = match resolve(run, identity) {
        Ok(id) => id,
        Err(sentence) => {
            return Explanation {
                charged: false,
                identity: identity.to_owned(),
                sentences: vec![sentence],
            };
        }
    };
    let line = run
        .lines
        .binary_search_by(|line| line.identity.as_str().cmp(id))
        .ok()
        .and_then(|index| run.lines.get(index));
    let mut sentences = match line {
        Some(line) => charge_sentences(run, line),
        None => absent_sentences(run, id),
    };
    sentences.push(format!(
        "Run {} ({}) knew the events below position {}; price book `{}` version {}, SHA-256 {}.",
        run.run_id,
        run.kind.name(),
        run.cutoff_position,
        run.price_book.book,
        run.price_book.version,
        run.price_book.sha256
    ));
    Explanation {
        charged: line.is_some(),
        identity: identity.to_owned(),
        sentences,
    }
}

/// The object id that is meant, or a sentence that says why none is.
fn resolve<'a>(run: &'a Run, wanted: &str) -> Result<&'a str, String> {
    let all = || {
        let lines = run.lines.iter().map(|line| {
            (
                line.identity.as_str(),
                line.stream.as_str(),
                line.name.as_str(),
            )
        });
        lines.chain(run.not_charged.iter().map(|other| {
            (
                other.identity.as_str(),
                other.stream.as_str(),
                other.name.as_str(),
            )
        }))
    };
    if let Some((id, _, _)) = all().find(|(id, stream, _)| *id == wanted || *stream == wanted) {
        return Ok(id);
    }
    let named: Vec<&str> = all()
        .filter(|(_, _, name)| *name == wanted)
        .map(|(id, _, _)| id)
        .collect();
    match named.as_slice() {
        [one] => Ok(one),
        [] => Err(format!(
            "`{wanted}` is not an identity of tenant {} below position {}: there is nothing to charge.",
            run.tenant, run.cutoff_position
        )),
        several => Err(format!(
            "`{wanted}` is the name of {} identities; ask for one of: {}.",
            several.len(),
            several.join(", ")
        )),
    }
}

fn absent_sentences(run: &Run, id: &str) -> Vec<String> {
    let Some(other) = run
        .not_charged
        .binary_search_by(|other| other.identity.as_str().cmp(id))
        .ok()
        .and_then(|index| run.not_charged.get(index))
    else {
        return Vec::new();
    };
    let NotCharged {
        class,
        evidence,
        name,
        reason,
        ..
    } = other;
    let mut sentences = vec![format!(
        "There is no charge for `{name}` ({id}, {}) in {}: {reason}.",
        class_words(*class),
        run.period
    )];
    if evidence.is_empty() {
        sentences.push(format!(
            "No event below position {} says otherwise.",
            run.cutoff_position
        ));
    } else {
        sentences.push(format!("Evidence: {}.", positions(evidence)));
    }
    sentences
}

fn charge_sentences(run: &Run, line: &ChargeLine) -> Vec<String> {
    let code = run.currency.code();
    let mut sentences = vec![
        format!(
            "`{}` ({}, {}) is charged {} {code} for {}.",
            line.name,
            line.identity,
            class_words(line.class),
            line.amount,
            run.period
        ),
        format!(
            "It counts on {} ({}) by meter `{}`; a day counts when any instant of it in {} does.",
            days(line.day_count),
            list(&line.days),
            line.meter.name(),
            run.tz
        ),
    ];
    sentences.extend(line.intervals.iter().map(interval_sentence));
    sentences.push(policy_sentence(run, line));
    sentences.push(format!(
        "List: {} {code} × {} = {} {code}.",
        line.unit_price, line.list_factor, line.list_amount
    ));
    if !line.trial_days.is_empty() {
        let trials: Vec<String> = run
            .trials
            .iter()
            .map(|trial| {
                format!(
                    "{} from {} to before {} (position {})",
                    trial.sku_part_number, trial.start, trial.end, trial.position
                )
            })
            .collect();
        sentences.push(format!(
            "Inside a trial: {}; {}. Outside it the factor is {}, so the trial discount is {} {code}.",
            list(&line.trial_days),
            trials.join(", "),
            line.billed_factor,
            line.trial_discount
        ));
    }
    sentences.push(format!(
        "Exact amount {} {code}; rounding added {}; billed {} {code}.",
        line.exact_amount, line.rounding_adjustment, line.amount
    ));
    sentences.push(format!(
        "Evidence: {}; line {}.",
        positions(line.evidence.positions()),
        line.line_id
    ));
    sentences
}

fn interval_sentence(interval: &Interval) -> String {
    let until = match interval.to {
        Some(to) if interval.closed.is_empty() => format!("to {to}"),
        Some(to) => format!("to {to} (closed by {})", positions(&interval.closed)),
        None => "and still holds, as far as known".to_owned(),
    };
    format!(
        "`{}` since {} (opened by {}) {until}.",
        interval.reason,
        interval.from,
        positions(&interval.opened)
    )
}

fn policy_sentence(run: &Run, line: &ChargeLine) -> String {
    let rule = match line.policy {
        Proration::FullMonth => "a month with enough days that count is one unit",
        Proration::CalendarDay => "days that count over days in the month",
        Proration::ThirtyDay => "days that count over 30, and one unit for a whole month",
        Proration::Second => "time that counts over the length of the month",
        Proration::Sticky => "from the first day that counts to the end of the month",
    };
    format!(
        "Policy `{}` ({rule}) makes {} units of {}.",
        line.policy.name(),
        line.list_factor,
        run.price_book.book
    )
}

fn days(count: u32) -> String {
    if count == 1 {
        "1 day".to_owned()
    } else {
        format!("{count} days")
    }
}

fn list(ranges: &[super::calendar::DayRange]) -> String {
    let texts: Vec<String> = ranges.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

fn positions(positions: &[u64]) -> String {
    let texts: Vec<String> = positions.iter().map(ToString::to_string).collect();
    match positions.len() {
        0 => "no event".to_owned(),
        1 => format!("position {}", texts.join("")),
        _ => format!("positions {}", texts.join(", ")),
    }
}

/// A class in words.
pub(super) fn class_words(class: IdentityClass) -> &'static str {
    match class {
        IdentityClass::SingleTenant => "single-tenant service principal",
        IdentityClass::MultiTenant => "multi-tenant service principal",
        IdentityClass::ThirdParty => "third-party service principal",
        IdentityClass::Microsoft => "Microsoft service principal",
        IdentityClass::ManagedIdentity => "managed identity",
        IdentityClass::Agent => "agent identity",
        IdentityClass::Unclassified => "identity of unknown class",
    }
}
