//! Exact fractions: what every amount is until the one rounding.
//!
//! 128-bit numerator and denominator, always reduced, denominator positive. Every operation is
//! checked: an amount too large is an error, never a wrong amount.

use std::fmt;

use num_rational::Ratio;
use serde::{Serialize, Serializer};

/// A result does not fit in 128 bits, or a denominator is not positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the amount is out of range")]
pub struct OutOfRange;

/// An exact fraction. Written `48/31`, or `3` when it is whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Exact(
    // INVARIANT: reduced, denominator positive.
    Ratio<i128>,
);

impl Exact {
    /// Nothing.
    pub const ZERO: Self = Self(Ratio::new_raw(0, 1));
    /// One whole.
    pub const ONE: Self = Self(Ratio::new_raw(1, 1));

    /// `numer / denom`, reduced.
    ///
    /// # Errors
    /// [`OutOfRange`] when `denom` is not positive.
    pub fn new(numer: i128, denom: i128) -> Result<Self, OutOfRange> {
        if denom <= 0 || numer == i128::MIN {
            return Err(OutOfRange);
        }
        Ok(Self(Ratio::new(numer, denom)))
    }

    /// A whole number.
    pub const fn whole(number: i128) -> Self {
        Self(Ratio::new_raw(number, 1))
    }

    /// The numerator; carries the sign.
    pub fn numer(self) -> i128 {
        *self.0.numer()
    }

    /// The denominator; positive.
    pub fn denom(self) -> i128 {
        *self.0.denom()
    }

    /// Whether it is zero.
    pub fn is_zero(self) -> bool {
        self.numer() == 0
    }

    /// The sum.
    ///
    /// # Errors
    /// [`OutOfRange`].
    pub fn plus(self, other: Self) -> Result<Self, OutOfRange> {
        let common = gcd(self.denom(), other.denom());
        let left_scale = other.denom().checked_div(common).ok_or(OutOfRange)?;
        let right_scale = self.denom().checked_div(common).ok_or(OutOfRange)?;
        let left = self.numer().checked_mul(left_scale).ok_or(OutOfRange)?;
        let right = other.numer().checked_mul(right_scale).ok_or(OutOfRange)?;
        let denom = self.denom().checked_mul(left_scale).ok_or(OutOfRange)?;
        Self::new(left.checked_add(right).ok_or(OutOfRange)?, denom)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`OutOfRange`].
    pub fn minus(self, other: Self) -> Result<Self, OutOfRange> {
        let negated = other.numer().checked_neg().ok_or(OutOfRange)?;
        self.plus(Self::new(negated, other.denom())?)
    }

    /// The product.
    ///
    /// # Errors
    /// [`OutOfRange`].
    pub fn times(self, other: Self) -> Result<Self, OutOfRange> {
        let numer = self.numer().checked_mul(other.numer()).ok_or(OutOfRange)?;
        let denom = self.denom().checked_mul(other.denom()).ok_or(OutOfRange)?;
        Self::new(numer, denom)
    }
}

/// Greatest common divisor of two positive numbers.
fn gcd(mut left: i128, mut right: i128) -> i128 {
    while let Some(rest) = left.checked_rem(right) {
        left = right;
        right = rest;
    }
    left
}

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.denom() == 1 {
            write!(f, "{}", self.numer())
        } else {
            write!(f, "{}/{}", self.numer(), self.denom())
        }
    }
}

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_reduced_and_written_plainly() {
        assert_eq!(Exact::new(480, 310).unwrap().to_string(), "48/31");
        assert_eq!(Exact::new(-6, 3).unwrap().to_string(), "-2");
        assert_eq!(Exact::new(0, 7).unwrap(), Exact::ZERO);
    }

    #[test]
    fn a_denominator_that_is_not_positive_is_refused() {
        assert_eq!(Exact::new(1, 0), Err(OutOfRange));
        assert_eq!(Exact::new(1, -2), Err(OutOfRange));
    }

    #[test]
    fn sums_use_the_least_common_denominator() {
        let nanosecond = Exact::new(1, 2_678_400_000_000_000).unwrap();
        let mut sum = Exact::ZERO;
        for _ in 0..1_000 {
            sum = sum.plus(nanosecond).unwrap();
        }
        assert_eq!(sum, Exact::new(1_000, 2_678_400_000_000_000).unwrap());
    }

    #[test]
    fn overflow_is_an_error() {
        let large = Exact::whole(i128::MAX);
        assert_eq!(large.plus(Exact::ONE), Err(OutOfRange));
        assert_eq!(large.times(Exact::whole(2)), Err(OutOfRange));
        assert_eq!(Exact::whole(i128::MIN).minus(Exact::ONE), Err(OutOfRange));
    }

    #[test]
    fn order_is_by_value() {
        assert!(Exact::new(1, 3).unwrap() < Exact::new(1, 2).unwrap());
        assert!(Exact::new(-1, 2).unwrap() < Exact::ZERO);
    }
}
