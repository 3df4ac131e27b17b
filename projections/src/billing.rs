//! Charges: what each identity costs in a month, by a price book, provable from the ledger.
//!
//! Half-open intervals and one zone per book, exact fractions until one rounding, and evidence on
//! every line. [`bill`] is a pure function: equal inputs give equal bytes. Not here: tiers,
//! discounts, pools, corrections after a period is closed.

#![cfg_attr(
    not(test),
    warn(
        clippy::indexing_slicing,
        clippy::string_slice,
        clippy::as_conversions,
        clippy::integer_division,
        clippy::arithmetic_side_effects
    )
)]

pub mod calendar;
pub mod charge;
pub mod counts;
pub mod csv;
pub mod cutoff;
pub mod exact;
pub mod explain;
pub mod inputs;
pub mod licence;
pub mod line;
pub mod money;
pub mod policy;
pub mod price_book;
pub mod rate;
pub mod run;
pub mod trial;
pub mod usage;

#[cfg(test)]
mod known_answers;
#[cfg(test)]
mod promises;
#[cfg(test)]
mod shared_vectors;

pub use calendar::{Calendar, DayRange, DaySet, Month};
pub use charge::NotCharged;
pub use counts::Counts;
pub use csv::lines_csv;
pub use cutoff::{Cutoff, cutoff, cutoff_of, matters};
pub use exact::Exact;
pub use explain::{Explanation, explain};
pub use inputs::{Request, inputs_from};
pub use licence::LicencePosition;
pub use line::ChargeLine;
pub use money::{Currency, Mode, Money, MoneyError};
pub use policy::{Meter, Proration};
pub use price_book::{PriceBook, PriceBookError};
pub use run::{BillError, Inputs, Run, RunKind, bill};
pub use trial::Trial;
pub use usage::{Evidence, Excluded, Usage};

/// SHA-256 as lower-case hex.
fn sha256_hex(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    use std::fmt::Write as _;

    let mut hex = String::with_capacity(64);
    for byte in sha2::Sha256::digest(bytes) {
        // Writing to a string cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}
