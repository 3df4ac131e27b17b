//! A charge line: one identity, one price, one month, and everything that explains the amount.

use jiff::Timestamp;
use ledger::StreamName;
use serde::Serialize;

use super::calendar::DayRange;
use super::exact::Exact;
use super::money::Money;
use super::policy::{Meter, Proration};
use super::rate::Interval;
use super::sha256_hex;
use super::usage::Evidence;
use crate::state::IdentityClass;

/// One charge. `list_amount + trial_discount = amount` and
/// `exact_amount + rounding_adjustment = amount`, always.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChargeLine {
    /// What is billed.
    pub amount: Money,
    /// Units billed: days outside a trial, by the policy.
    pub billed_factor: Exact,
    /// Class of the identity.
    pub class: IdentityClass,
    /// How many days count.
    pub day_count: u32,
    /// Days that count, trial days included.
    pub days: Vec<DayRange>,
    /// Events that prove the line; never empty.
    pub evidence: Evidence,
    /// What is billed, before rounding.
    pub exact_amount: Exact,
    /// Object id of the identity.
    pub identity: String,
    /// Spans that touch the month, as recorded.
    pub intervals: Vec<Interval>,
    /// First 32 hex digits of the SHA-256 of the charge key: tenant, price, identity, segment, kind.
    pub line_id: String,
    /// What it would be without a trial.
    pub list_amount: Money,
    /// Units by the policy, trial days included.
    pub list_factor: Exact,
    /// Which count is priced.
    pub meter: Meter,
    /// Name of the identity, for people.
    pub name: String,
    /// How a part of a month is priced.
    pub policy: Proration,
    /// Why it counts, in single words, ascending.
    pub reasons: Vec<String>,
    /// What rounding added, exactly.
    pub rounding_adjustment: Exact,
    /// End of the service segment (exclusive).
    pub segment_end: Timestamp,
    /// Start of the service segment.
    pub segment_start: Timestamp,
    /// What is sold.
    pub sku: String,
    /// At which price.
    pub sku_price: String,
    /// Stream of the identity.
    pub stream: StreamName,
    /// Tenant billed.
    pub tenant: String,
    /// Of the days, those inside a trial.
    pub trial_days: Vec<DayRange>,
    /// Discount for the trial; not positive.
    pub trial_discount: Money,
    /// Price of one unit.
    pub unit_price: Money,
}

/// What makes a charge itself and no other. Keys in alphabetical order.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ChargeKey<'a> {
    /// Line it corrects; this version corrects none.
    pub corrects: Option<&'a str>,
    /// Object id.
    pub identity: &'a str,
    /// `usage`.
    pub kind: &'a str,
    /// End of the service segment (exclusive).
    pub segment_end: Timestamp,
    /// Start of the service segment.
    pub segment_start: Timestamp,
    /// Price id.
    pub sku_price: &'a str,
    /// Tenant.
    pub tenant: &'a str,
}

impl ChargeKey<'_> {
    /// The line id.
    ///
    /// # Errors
    /// When the key cannot be written as JSON, which no key here can cause.
    pub fn line_id(&self) -> Result<String, serde_json::Error> {
        let mut hex = sha256_hex(&serde_json::to_vec(self)?);
        hex.truncate(32);
        Ok(hex)
    }
}
