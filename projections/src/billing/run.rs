//! A billing run: every line of one tenant and month, counted, summed and identified.
//!
//! The run id is the SHA-256 of the canonical inputs. The same inputs give the same bytes; no
//! clock, no random number and no hash order takes part.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use ledger::event::billing::RunRecorded;
use ledger::event::licence::Entitlement;
use ledger::event::{Position, StreamName};
use ledger::{Event, EventBody, NaturalKey};
use serde::Serialize;

use super::calendar::Month;
use super::charge::{NotCharged, charge};
use super::counts::{Counts, Tally};
use super::exact::OutOfRange;
use super::licence::LicencePosition;
use super::line::ChargeLine;
use super::money::{Money, MoneyError};
use super::policy::{Meter, Proration};
use super::price_book::PriceBook;
use super::rate::{Terms, days_of};
use super::trial::{self, Trial};
use super::usage::Usage;
use super::{Currency, sha256_hex};
use crate::demand::ExclusionReason;
use crate::period::BillingPeriod;
use crate::state::Span;

/// Version of the rules in this module; part of the run id.
const ENGINE: u32 = 1;
/// Version of the run's JSON.
const SCHEMA: u32 = 1;

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// To look at; the month may still be running.
    Draft,
    /// To commit to.
    Final,
}

impl RunKind {
    /// The kind's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Final => "final",
        }
    }
}

/// Why a bill could not be made, in the order of the checks.
#[derive(Debug, thiserror::Error)]
pub enum BillError {
    /// Sign-ins of the period were pruned.
    #[error(
        "sign-ins of {period} were pruned (event #{position}), so its charges cannot be computed any more"
    )]
    Pruned {
        /// The period asked for.
        period: BillingPeriod,
        /// Position of the event that says so.
        position: Position,
    },
    /// The book does not hold for the whole period.
    #[error(
        "price book `{book}` holds from {effective_from}, after {period} begins; use the book that was in force"
    )]
    NotInForce {
        /// Name of the book.
        book: String,
        /// First day it holds for.
        effective_from: Date,
        /// The period asked for.
        period: BillingPeriod,
    },
    /// Days of activity are known in UTC only, or were not given.
    #[error(
        "meter `active` needs the sign-ins of the period by day, which are kept in UTC: the book's time zone is `{zone}`; write time_zone = \"UTC\" or price another meter"
    )]
    ActivityNotKnown {
        /// Zone of the book.
        zone: String,
    },
    /// One identity was given twice and would be charged twice.
    #[error("identity `{identity}` is listed twice")]
    ListedTwice {
        /// Object id.
        identity: String,
    },
    /// Usage without an event that proves it.
    #[error("usage of identity `{identity}` has no evidence in the ledger")]
    NoEvidence {
        /// Object id.
        identity: String,
    },
    /// An amount that does not fit.
    #[error("the bill cannot be computed: {0}")]
    Money(#[from] MoneyError),
    /// JSON could not be written.
    #[error("the run cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
}

impl From<OutOfRange> for BillError {
    fn from(error: OutOfRange) -> Self {
        Self::Money(error.into())
    }
}

/// Everything a bill depends on.
#[derive(Debug, Clone)]
pub struct Inputs<'a> {
    /// Tenant billed.
    pub tenant: String,
    /// Month billed.
    pub period: BillingPeriod,
    /// What the run is for.
    pub kind: RunKind,
    /// Events below this position were known; see [`super::cutoff_of`].
    pub cutoff_position: Position,
    /// Prices and rules.
    pub price_book: &'a PriceBook,
    /// Every identity of the tenant, in any order.
    pub subjects: Vec<Usage>,
    /// Trials of the tenant, in any order.
    pub trials: Vec<Trial>,
    /// Subscriptions of the tenant, for the licence position.
    pub entitlements: Vec<Span<Entitlement>>,
    /// Whether `active` of the subjects is complete, in days of the book's zone.
    pub activity_known: bool,
    /// Position of the event that says that sign-ins of the period were pruned.
    pub pruned: Option<Position>,
}

/// Identities kept out for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExcludedCount {
    /// How many.
    pub identities: u64,
    /// Why.
    pub reason: ExclusionReason,
    /// Why, in words.
    pub words: &'static str,
}

/// Which price book was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BookUsed {
    /// Its name.
    pub book: String,
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
    /// Its version.
    pub version: u32,
}

/// Sums over the lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// What is billed.
    pub amount: Money,
    /// What it would be without a trial.
    pub list_amount: Money,
    /// Discount for the trial.
    pub trial_discount: Money,
}

/// One run. Its JSON has its keys in alphabetical order.
#[expect(
    clippy::struct_field_names,
    reason = "`run_id` is its name in the recorded event and in the canonical form"
)]
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Run {
    /// Unique, peak and average by meter, without `active` when it is not known; the priced meter
    /// is `meter`.
    pub counts: BTreeMap<Meter, Counts>,
    /// Currency of every amount.
    pub currency: Currency,
    /// Events below this position were known.
    pub cutoff_position: Position,
    /// Version of the rules.
    pub engine: u32,
    /// Identities kept out, by reason.
    pub excluded: Vec<ExcludedCount>,
    /// What the run is for.
    pub kind: RunKind,
    /// Peak demand against units bought.
    pub licence: LicencePosition,
    /// The charges, by object id.
    pub lines: Vec<ChargeLine>,
    /// Which count is priced.
    pub meter: Meter,
    /// Identities without a charge, by object id.
    pub not_charged: Vec<NotCharged>,
    /// Month billed.
    pub period: BillingPeriod,
    /// Its end in the book's zone (exclusive).
    pub period_end: Timestamp,
    /// Its start in the book's zone.
    pub period_start: Timestamp,
    /// How a part of a month is priced.
    pub policy: Proration,
    /// SHA-256 of the rules, hex.
    pub policy_sha256: String,
    /// The price book.
    pub price_book: BookUsed,
    /// SHA-256 of the canonical inputs, hex.
    pub run_id: String,
    /// Version of this structure.
    pub schema: u32,
    /// Tenant billed.
    pub tenant: String,
    /// Sums over the lines.
    pub totals: Totals,
    /// Trials that count.
    pub trials: Vec<Trial>,
    /// Zone of days and months.
    pub tz: String,
}

/// The canonical inputs a run id is the hash of. Keys in alphabetical order.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct RunKey<'a> {
    pub(super) cutoff_position: Position,
    pub(super) engine: u32,
    pub(super) kind: RunKind,
    pub(super) period: BillingPeriod,
    pub(super) policy_sha256: &'a str,
    pub(super) pricebook_sha256: &'a str,
    pub(super) tenant: &'a str,
    pub(super) tz: &'a str,
}

impl RunKey<'_> {
    pub(super) fn run_id(&self) -> Result<String, serde_json::Error> {
        Ok(sha256_hex(&serde_json::to_vec(self)?))
    }
}

/// Makes the bill of one tenant and month.
///
/// # Errors
/// [`BillError`]; a bill in doubt is not made.
pub fn bill(mut inputs: Inputs<'_>) -> Result<Run, BillError> {
    let book = inputs.price_book;
    let meter = book.item.meter;
    if let Some(position) = inputs.pruned {
        return Err(BillError::Pruned {
            period: inputs.period,
            position,
        });
    }
    if book.effective_from > inputs.period.first_day() {
        return Err(BillError::NotInForce {
            book: book.book.clone(),
            effective_from: book.effective_from,
            period: inputs.period,
        });
    }
    if meter == Meter::Active && !inputs.activity_known {
        return Err(BillError::ActivityNotKnown {
            zone: book.calendar.name().to_owned(),
        });
    }
    inputs
        .subjects
        .sort_by(|left, right| left.object_id.cmp(&right.object_id));
    refuse_repeats(&inputs.subjects)?;
    let month = book.calendar.month(inputs.period);
    let trials = trial::counting(&inputs.trials, &book.item.sku);
    let trial_evidence: Vec<Position> = trials.iter().map(|trial| trial.position).collect();
    let terms = Terms {
        book,
        month: &month,
        trial_days: trial::days(&trials, &month),
        trial_evidence: &trial_evidence,
    };
    let (lines, not_charged) = charge(&inputs.subjects, &inputs.tenant, &terms)?;
    let counts = count(&inputs, &month)?;
    let covered = match counts.get(&Meter::Covered) {
        Some(covered) => covered.clone(),
        None => Tally::default().finish(&month)?,
    };
    Ok(Run {
        counts,
        currency: book.currency,
        cutoff_position: inputs.cutoff_position,
        engine: ENGINE,
        excluded: excluded(&inputs.subjects, meter),
        kind: inputs.kind,
        licence: LicencePosition::new(&covered, &inputs.entitlements, &month),
        meter,
        not_charged,
        period: inputs.period,
        period_end: month.end(),
        period_start: month.start(),
        policy: book.period.proration,
        policy_sha256: book.policy_sha256(),
        price_book: BookUsed {
            book: book.book.clone(),
            sha256: book.sha256().to_owned(),
            version: book.version,
        },
        run_id: run_id(&inputs)?,
        schema: SCHEMA,
        totals: totals(&lines, book.currency)?,
        lines,
        trials: trials.into_iter().cloned().collect(),
        tenant: inputs.tenant,
        tz: book.calendar.name().to_owned(),
    })
}

fn run_id(inputs: &Inputs<'_>) -> Result<String, serde_json::Error> {
    let book = inputs.price_book;
    RunKey {
        cutoff_position: inputs.cutoff_position,
        engine: ENGINE,
        kind: inputs.kind,
        period: inputs.period,
        policy_sha256: &book.policy_sha256(),
        pricebook_sha256: book.sha256(),
        tenant: &inputs.tenant,
        tz: book.calendar.name(),
    }
    .run_id()
}

fn refuse_repeats(sorted: &[Usage]) -> Result<(), BillError> {
    for (left, right) in sorted.iter().zip(sorted.iter().skip(1)) {
        if left.object_id == right.object_id {
            return Err(BillError::ListedTwice {
                identity: left.object_id.clone(),
            });
        }
    }
    Ok(())
}

fn count(inputs: &Inputs<'_>, month: &Month) -> Result<BTreeMap<Meter, Counts>, OutOfRange> {
    let mut counts = BTreeMap::new();
    for meter in Meter::ALL {
        if meter == Meter::Active && !inputs.activity_known {
            continue;
        }
        let mut tally = Tally::default();
        for usage in &inputs.subjects {
            tally.add(days_of(usage, meter, month));
        }
        counts.insert(meter, tally.finish(month)?);
    }
    Ok(counts)
}

fn excluded(subjects: &[Usage], meter: Meter) -> Vec<ExcludedCount> {
    let mut by_reason: BTreeMap<ExclusionReason, u64> = BTreeMap::new();
    for why in subjects.iter().filter_map(|usage| usage.exclusion.as_ref()) {
        if why.bars(meter) {
            let count = by_reason.entry(why.reason).or_default();
            *count = count.saturating_add(1);
        }
    }
    by_reason
        .into_iter()
        .map(|(reason, identities)| ExcludedCount {
            identities,
            reason,
            words: reason.words(),
        })
        .collect()
}

fn totals(lines: &[ChargeLine], currency: Currency) -> Result<Totals, MoneyError> {
    let mut totals = Totals {
        amount: Money::zero(currency),
        list_amount: Money::zero(currency),
        trial_discount: Money::zero(currency),
    };
    for line in lines {
        totals.amount = totals.amount.plus(line.amount)?;
        totals.list_amount = totals.list_amount.plus(line.list_amount)?;
        totals.trial_discount = totals.trial_discount.plus(line.trial_discount)?;
    }
    Ok(totals)
}

impl Run {
    /// The run as canonical JSON: compact, keys in alphabetical order, amounts as text.
    ///
    /// # Errors
    /// When it cannot be written as JSON, which no run here can cause.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        serde_json::to_vec(self)
    }

    /// The charges, by object id.
    pub fn lines(&self) -> &[ChargeLine] {
        &self.lines
    }

    /// Counts of the priced meter.
    pub fn priced_counts(&self) -> Option<&Counts> {
        self.counts.get(&self.meter)
    }

    /// The event that commits to this run. The same run always makes the same event, so recording
    /// it again adds nothing.
    ///
    /// # Errors
    /// When the run cannot be written as JSON.
    pub fn recorded_event(&self) -> Result<Event, serde_json::Error> {
        let result_sha256 = sha256_hex(&self.to_json()?);
        let key = NaturalKey::new("billing.run_recorded")
            .with(&self.tenant)
            .with(&self.run_id);
        let body = EventBody::RunRecorded(RunRecorded {
            run_id: self.run_id.clone(),
            tenant: self.tenant.clone(),
            period: self.period.to_string(),
            kind: self.kind.name().to_owned(),
            cutoff_position: self.cutoff_position,
            price_book_sha256: self.price_book.sha256.clone(),
            currency: self.currency.code().to_owned(),
            total_minor_units: self.totals.amount.minor,
            lines: u64::try_from(self.lines.len()).unwrap_or(u64::MAX),
            result_sha256,
        });
        let stream = StreamName::billing(&self.tenant);
        Ok(Event::own(key, stream, body, self.period_end))
    }
}
