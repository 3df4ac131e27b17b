//! Charging: every identity is rated, the amounts are rounded once, and lines are made.

use ledger::event::{Position, StreamName};
use serde::Serialize;

use super::exact::Exact;
use super::line::{ChargeKey, ChargeLine};
use super::money::{Money, MoneyError, allocate, round};
use super::policy::{Meter, RoundAt};
use super::price_book::PriceBook;
use super::rate::{Rated, Terms, rate};
use super::run::BillError;
use super::usage::Usage;
use crate::state::IdentityClass;

/// An identity without a charge, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NotCharged {
    /// Its class.
    pub class: IdentityClass,
    /// Events that say so; empty when the absence of events is the reason.
    pub evidence: Vec<Position>,
    /// Object id.
    pub identity: String,
    /// Its name, for people.
    pub name: String,
    /// Why, in words.
    pub reason: String,
    /// Its stream.
    pub stream: StreamName,
}

/// Rates every identity, rounds once, and makes the lines; `subjects` in order of object id.
pub(super) fn charge(
    subjects: &[Usage],
    tenant: &str,
    terms: &Terms<'_>,
) -> Result<(Vec<ChargeLine>, Vec<NotCharged>), BillError> {
    let mut rated = Vec::new();
    let mut not_charged = Vec::new();
    for usage in subjects {
        match rate(usage, terms)? {
            Some(one) => rated.push((usage, one)),
            None => not_charged.push(no_charge(usage, terms)),
        }
    }
    let exact: Vec<Exact> = rated.iter().map(|(_, one)| one.billed).collect();
    let amounts = amounts(&exact, terms.book)?;
    let lines = rated
        .into_iter()
        .zip(amounts)
        .map(|((usage, one), amount)| line(usage, &one, amount, tenant, terms))
        .collect::<Result<_, _>>()?;
    Ok((lines, not_charged))
}

/// The one rounding of a run: of the total, shared over the lines, or of each line.
fn amounts(exact: &[Exact], book: &PriceBook) -> Result<Vec<Money>, MoneyError> {
    let mode = book.rounding.mode;
    match book.rounding.at {
        RoundAt::Line => exact
            .iter()
            .map(|one| round(*one, book.currency, mode))
            .collect(),
        RoundAt::Group => {
            let mut sum = Exact::ZERO;
            for one in exact {
                sum = sum.plus(*one)?;
            }
            allocate(round(sum, book.currency, mode)?, exact)
        }
    }
}

fn line(
    usage: &Usage,
    rated: &Rated,
    amount: Money,
    tenant: &str,
    terms: &Terms<'_>,
) -> Result<ChargeLine, BillError> {
    let book = terms.book;
    let evidence = rated.evidence(terms).ok_or_else(|| BillError::NoEvidence {
        identity: usage.object_id.clone(),
    })?;
    // Without a discount the line shows none, and a discount never turns into a surcharge, even
    // where sharing the total moved a minor unit.
    let list_amount = if rated.list == rated.billed {
        amount
    } else {
        let rounded = round(rated.list, book.currency, book.rounding.mode)?;
        if rounded.minor < amount.minor {
            amount
        } else {
            rounded
        }
    };
    let mut reasons: Vec<String> = rated
        .intervals
        .iter()
        .map(|interval| interval.reason.clone())
        .collect();
    reasons.sort_unstable();
    reasons.dedup();
    let key = ChargeKey {
        corrects: None,
        identity: &usage.object_id,
        kind: "usage",
        segment_end: terms.month.end(),
        segment_start: terms.month.start(),
        sku_price: &book.item.sku_price,
        tenant,
    };
    Ok(ChargeLine {
        amount,
        billed_factor: rated.billed_factor,
        class: usage.class,
        day_count: rated.days.len(),
        days: terms.month.ranges(rated.days),
        evidence,
        exact_amount: rated.billed,
        identity: usage.object_id.clone(),
        intervals: rated.intervals.clone(),
        line_id: key.line_id()?,
        list_amount,
        list_factor: rated.list_factor,
        meter: book.item.meter,
        name: usage.name.clone(),
        policy: book.period.proration,
        reasons,
        rounding_adjustment: amount.exact().minus(rated.billed)?,
        segment_end: key.segment_end,
        segment_start: key.segment_start,
        sku: book.item.sku.clone(),
        sku_price: book.item.sku_price.clone(),
        stream: usage.stream.clone(),
        tenant: tenant.to_owned(),
        trial_days: terms.month.ranges(rated.trial_days),
        trial_discount: amount.minus(list_amount)?,
        unit_price: book.item.price,
    })
}

/// Why an identity has no line.
fn no_charge(usage: &Usage, terms: &Terms<'_>) -> NotCharged {
    let meter = terms.book.item.meter;
    let barred = usage.exclusion.as_ref().filter(|why| why.bars(meter));
    let (reason, evidence) = match barred {
        Some(why) => (why.reason.words().to_owned(), why.evidence.clone()),
        None => outside(usage, terms).unwrap_or_else(|| {
            let never = match meter {
                Meter::Covered if usage.spans(Meter::Eligible).is_empty() => NEVER_ELIGIBLE,
                Meter::Covered => "no premium feature covered it",
                Meter::Assigned => "no licence was assigned to it",
                Meter::Active => "it did not sign in in this period",
                Meter::Eligible => NEVER_ELIGIBLE,
            };
            (never.to_owned(), Vec::new())
        }),
    };
    NotCharged {
        class: usage.class,
        evidence,
        identity: usage.object_id.clone(),
        name: usage.name.clone(),
        reason,
        stream: usage.stream.clone(),
    }
}

/// Said of an identity that no licence could be for.
const NEVER_ELIGIBLE: &str = "it never existed in a class that can need a licence";

/// The coverage nearest to the period when there is some, but all outside it.
fn outside(usage: &Usage, terms: &Terms<'_>) -> Option<(String, Vec<Position>)> {
    let meter = terms.book.item.meter;
    let spans = usage.spans(meter);
    let before = spans
        .iter()
        .filter(|span| span.to.is_some_and(|to| to <= terms.month.start()))
        .max_by_key(|span| span.to);
    let after = spans
        .iter()
        .filter(|span| terms.month.end() <= span.from)
        .min_by_key(|span| span.from);
    let name = meter.name();
    match (before, after) {
        (Some(before), _) => {
            let ended = before.to.map_or_else(String::new, |to| to.to_string());
            let reason = format!("it was last `{name}` until {ended}, before this period");
            Some((reason, before.evidence()))
        }
        (None, Some(after)) => {
            let reason = format!(
                "it was first `{name}` from {}, after this period",
                after.from
            );
            Some((reason, after.evidence()))
        }
        (None, None) => None,
    }
}
