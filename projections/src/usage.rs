//! Usage: what each identity did in a month and which meters it touched.
//!
//! Days and months are UTC. A day counts for a meter when the meter held at any instant of it.

mod export;
mod query;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use ledger::event::Position;
use polars::error::PolarsError;
use serde::Serialize;

pub use export::{frame, write_csv, write_json, write_parquet};
pub use query::{Tables, summary_frame, usage_frame};

use crate::demand::{Demand, Predicate};
use crate::licensing::Licensing;
use crate::period::BillingPeriod;
use crate::rollup::{Cell, MonthlyActivity};
use crate::state::{IdentityClass, Span, Subject};

/// Why usage could not be told.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// Sign-ins of the month were pruned.
    #[error(
        "sign-ins of {period} were pruned (event #{position}), so its usage cannot be told any more"
    )]
    Pruned {
        /// The month.
        period: BillingPeriod,
        /// Position of the event that says so.
        position: Position,
    },
    /// The query engine refused.
    #[error("usage cannot be computed")]
    Query(#[from] PolarsError),
    /// The output cannot be written.
    #[error("usage cannot be written")]
    Write(#[from] std::io::Error),
    /// The output cannot be written as JSON.
    #[error("usage cannot be written as JSON")]
    Json(#[from] serde_json::Error),
}

/// One identity in one month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsageRow {
    /// The month, UTC.
    pub period: BillingPeriod,
    /// Tenant id.
    pub tenant: String,
    /// Object id.
    pub object_id: String,
    /// Application id; empty when not known.
    pub app_id: String,
    /// Display name at the end of the month. Untrusted text.
    pub name: String,
    /// Class at the end of the month.
    pub class: IdentityClass,
    /// Successful sign-ins.
    pub sign_ins_ok: u64,
    /// Failed sign-ins.
    pub sign_ins_failed: u64,
    /// Sign-ins blocked by Conditional Access.
    pub sign_ins_blocked: u64,
    /// First successful sign-in.
    pub first_use: Option<Timestamp>,
    /// Last successful sign-in.
    pub last_use: Option<Timestamp>,
    /// Credentials that signed in: key ids, `federated:<id>`.
    pub credentials: Vec<String>,
    /// Resources a token was got for, by id.
    pub resources: Vec<String>,
    /// Days touched by a premium predicate.
    pub covered_days: u32,
    /// Days touched by an assignment.
    pub assigned_days: u32,
    /// Days with a successful sign-in.
    pub active_days: u32,
    /// Days of existing in a class that can need a licence.
    pub eligible_days: u32,
    /// Whether it counts under the meter `covered`.
    pub billable: bool,
    /// Why it counts or not, in words.
    pub why: String,
    /// Positions that prove the row, ascending.
    pub evidence: Vec<Position>,
}

/// One class of identities in one month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct UsageSummary {
    /// The class.
    pub class: String,
    /// Identities that existed or signed in.
    pub identities: u32,
    /// Of them billable.
    pub billable: u32,
    /// Identity-days covered.
    pub covered_days: u64,
    /// Successful sign-ins.
    pub sign_ins_ok: u64,
}

/// Usage of a month by identity, in order of stream: every identity that existed in it or tried
/// to sign in.
///
/// # Errors
/// [`UsageError::Pruned`], [`UsageError::Query`].
pub fn usage(licensing: &Licensing, period: BillingPeriod) -> Result<Vec<UsageRow>, UsageError> {
    let (start, end) = period.instants(&TimeZone::UTC);
    if let Some(position) = licensing.state.pruned_in(start, end) {
        return Err(UsageError::Pruned { period, position });
    }
    let activity = &licensing.activity;
    let subjects = inputs(licensing, period);
    let tables = Tables::of(&subjects, activity, period)?;
    let measured = query::collect(tables)?;
    Ok(subjects
        .into_iter()
        .zip(measured)
        .map(|(input, measured)| input.row(activity, period, &measured))
        .collect())
}

/// Totals of usage by class, in order of class.
///
/// # Errors
/// [`UsageError::Query`].
pub fn summary(rows: &[UsageRow]) -> Result<Vec<UsageSummary>, UsageError> {
    query::summarise(&frame(rows)?)
}

/// One identity with all that is known of its month.
pub(crate) struct Input<'a> {
    pub(crate) subject: &'a Subject,
    pub(crate) demand: Demand,
    pub(crate) cell: Option<&'a Cell>,
    end: Timestamp,
}

/// Every identity that existed in a month or tried to sign in, in order of stream.
fn inputs(licensing: &Licensing, period: BillingPeriod) -> Vec<Input<'_>> {
    let (_, end) = period.instants(&TimeZone::UTC);
    let end = end
        .checked_sub(SignedDuration::from_nanos(1))
        .unwrap_or(end);
    let mut rows = Vec::new();
    for (stream, subject) in &licensing.state.identities {
        let cell = licensing.activity.get(subject.stream_no, period);
        if cell.is_none() && days(&subject.existence, period) == 0 {
            continue;
        }
        rows.push(Input {
            subject,
            demand: licensing.demand.get(stream).cloned().unwrap_or_default(),
            cell,
            end,
        });
    }
    rows
}

impl Input<'_> {
    fn row(
        self,
        activity: &MonthlyActivity,
        period: BillingPeriod,
        measured: &query::Measured,
    ) -> UsageRow {
        let owned = |texts: Vec<&str>| texts.into_iter().map(str::to_owned).collect();
        let texts = |numbers: Option<&Vec<u32>>| {
            owned(numbers.map_or_else(Vec::new, |numbers| activity.texts(numbers)))
        };
        UsageRow {
            period,
            tenant: self.subject.tenant.clone(),
            object_id: self.subject.object_id.clone(),
            app_id: self.subject.app_id(self.end).unwrap_or("").to_owned(),
            name: self.subject.display_name(self.end).to_owned(),
            class: self.subject.class(self.end),
            sign_ins_ok: measured.ok,
            sign_ins_failed: measured.failed,
            sign_ins_blocked: measured.blocked,
            first_use: self.cell.and_then(|cell| cell.first).map(|seen| seen.at),
            last_use: self.cell.and_then(|cell| cell.last).map(|seen| seen.at),
            credentials: texts(self.cell.map(|cell| &cell.credentials)),
            resources: texts(self.cell.map(|cell| &cell.resources)),
            covered_days: measured.covered,
            assigned_days: measured.assigned,
            active_days: measured.active,
            eligible_days: measured.eligible,
            billable: measured.billable,
            why: self.why(period, measured),
            evidence: self.evidence(period),
        }
    }

    fn why(&self, period: BillingPeriod, measured: &query::Measured) -> String {
        if measured.billable {
            let by = |predicate: Predicate| {
                self.demand
                    .covered
                    .iter()
                    .filter(|span| span.value == predicate)
                    .fold(0, |mask, span| mask | touched(span, period))
                    .count_ones()
            };
            let ca = by(Predicate::Ca);
            let risk = by(Predicate::Risk);
            let mut parts = Vec::new();
            if ca > 0 {
                parts.push(format!("Conditional Access on {}", days_in_words(ca)));
            }
            if risk > 0 {
                parts.push(format!("risk detail on {}", days_in_words(risk)));
            }
            return format!("covered by {}", parts.join(" and "));
        }
        if measured.eligible > 0 {
            return "eligible, but no premium feature covered it".to_owned();
        }
        match &self.demand.exclusion {
            Some(exclusion) => exclusion.reason.words().to_owned(),
            None => "not in a class that can need a licence this month".to_owned(),
        }
    }

    /// What covered it, assigned it, classed it; and its sign-ins by their first and last.
    fn evidence(&self, period: BillingPeriod) -> Vec<Position> {
        let mut positions: Vec<Position> = Vec::new();
        for span in &self.demand.covered {
            if touched(span, period) != 0 {
                positions.extend(span.evidence());
            }
        }
        for span in &self.demand.assigned {
            if touched(span, period) != 0 {
                positions.extend(span.evidence());
            }
        }
        if let Some(class) = self.subject.class_span(self.end) {
            positions.extend(&class.opened);
        }
        if let Some(cell) = self.cell {
            positions.extend([cell.position_first, cell.position_last]);
            let seen = cell.first.into_iter().chain(cell.last);
            positions.extend(seen.map(|seen| seen.position));
        }
        positions.sort_unstable();
        positions.dedup();
        positions
    }
}

fn days_in_words(days: u32) -> String {
    if days == 1 {
        "1 day".to_owned()
    } else {
        format!("{days} days")
    }
}

/// Days of a UTC month touched by any span: bit 0 is the first.
pub fn days<T>(spans: &[Span<T>], period: BillingPeriod) -> u32 {
    spans
        .iter()
        .fold(0, |mask, span| mask | touched(span, period))
}

/// Days of a UTC month touched by a span. The end is exclusive: ending at midnight does not touch
/// the day that begins there.
fn touched<T>(span: &Span<T>, period: BillingPeriod) -> u32 {
    let (start, end) = period.instants(&TimeZone::UTC);
    let from = span.from.max(start);
    let until = span.to.unwrap_or(end).min(end);
    if from >= until {
        return 0;
    }
    let last = until
        .checked_sub(SignedDuration::from_nanos(1))
        .unwrap_or(until);
    // Unix time has 86 400 seconds in every UTC day
    let day = |at: Timestamp| (at.as_second() - start.as_second()).div_euclid(86_400);
    (day(from)..=day(last))
        .filter_map(|day| u32::try_from(day).ok())
        .fold(0, |mask, day| mask | (1_u32 << day.min(31)))
}

#[cfg(test)]
mod tests;
