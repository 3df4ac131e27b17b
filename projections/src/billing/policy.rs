//! Policies: the named rules by which a price book turns days into amounts.

use serde::{Deserialize, Serialize};

use super::money::Mode;

/// Which count is priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Meter {
    /// Days with a sign-in.
    Active,
    /// Days on which a licence is assigned to the identity.
    Assigned,
    /// Days on which a premium feature covers an eligible identity.
    Covered,
    /// Days on which the identity could be covered.
    Eligible,
}

impl Meter {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Active, Self::Assigned, Self::Covered, Self::Eligible];

    /// The name in price books.
    pub fn name(self) -> &'static str {
        match self {
            Self::Covered => "covered",
            Self::Assigned => "assigned",
            Self::Active => "active",
            Self::Eligible => "eligible",
        }
    }
}

/// How a month that is not wholly covered is priced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Proration {
    /// One unit when at least `min_days` days count.
    FullMonth,
    /// Days over days in the month.
    CalendarDay,
    /// Days over 30, at most 1; a whole month is 1.
    ThirtyDay,
    /// Time over the real length of the local month.
    Second,
    /// From the first day that counts to the end of the month.
    Sticky,
}

impl Proration {
    /// The name in price books.
    pub fn name(self) -> &'static str {
        match self {
            Self::FullMonth => "full-month",
            Self::CalendarDay => "calendar-day",
            Self::ThirtyDay => "thirty-day",
            Self::Second => "second",
            Self::Sticky => "sticky",
        }
    }
}

/// When a day counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DayRule {
    /// At any instant of it.
    AnyTouch,
}

/// What is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoundAt {
    /// The total, which is then shared over the lines.
    Group,
    /// Every line; the total is their sum.
    Line,
}

/// How a rounded total is shared over its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Allocate {
    /// The largest remainders get the odd minor units; ties by identity id, ascending.
    LargestRemainder,
}

/// How the price depends on the quantity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Model {
    /// It does not.
    PerUnit,
}

/// `[rounding]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rounding {
    /// How a rounded total is shared.
    #[serde(default = "largest_remainder")]
    pub allocate: Allocate,
    /// What is rounded.
    pub at: RoundAt,
    /// How.
    pub mode: Mode,
}

fn largest_remainder() -> Allocate {
    Allocate::LargestRemainder
}

/// `[period]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodRules {
    /// When a day counts.
    #[serde(default = "any_touch")]
    pub day_rule: DayRule,
    /// Days that must count before `full-month` charges a unit, 1 to 28.
    #[serde(default = "one_day")]
    pub min_days: u8,
    /// How a part of a month is priced.
    pub proration: Proration,
}

fn any_touch() -> DayRule {
    DayRule::AnyTouch
}

fn one_day() -> u8 {
    1
}
