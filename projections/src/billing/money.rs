//! Money: minor units of one currency, the one rounding function, and allocation.
//!
//! Minor digits are those of ISO 4217. Deliberately not here: conversion between currencies;
//! another currency is another price book.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

use super::exact::{Exact, OutOfRange};

/// Code and minor digits by ISO 4217 (list one), the currencies a book may use.
const CURRENCIES: [(&str, u8); 37] = [
    ("AED", 2),
    ("AUD", 2),
    ("BHD", 3),
    ("BRL", 2),
    ("CAD", 2),
    ("CHF", 2),
    ("CLP", 0),
    ("CNY", 2),
    ("CZK", 2),
    ("DKK", 2),
    ("EUR", 2),
    ("GBP", 2),
    ("HKD", 2),
    ("HUF", 2),
    ("IDR", 2),
    ("ILS", 2),
    ("INR", 2),
    ("ISK", 0),
    ("JOD", 3),
    ("JPY", 0),
    ("KRW", 0),
    ("KWD", 3),
    ("MXN", 2),
    ("NOK", 2),
    ("NZD", 2),
    ("OMR", 3),
    ("PLN", 2),
    ("RON", 2),
    ("SAR", 2),
    ("SEK", 2),
    ("SGD", 2),
    ("THB", 2),
    ("TND", 3),
    ("TRY", 2),
    ("TWD", 2),
    ("USD", 2),
    ("ZAR", 2),
];

/// Why an amount cannot be read or computed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not a currency this version knows the minor digits of.
    #[error("`{code}` is not a known currency; use an ISO 4217 code such as USD, EUR or JPY")]
    UnknownCurrency {
        /// What was given.
        code: String,
    },
    /// Not a decimal amount of the currency.
    #[error(
        "`{text}` is not an amount in {code}; write digits with at most {digits} after the point"
    )]
    NotAnAmount {
        /// What was given.
        text: String,
        /// The currency.
        code: &'static str,
        /// Its minor digits.
        digits: u8,
    },
    /// Two currencies in one sum.
    #[error("amounts in {left} and {right} cannot be added")]
    MixedCurrencies {
        /// Currency of the first amount.
        left: &'static str,
        /// Currency of the second.
        right: &'static str,
    },
    /// Larger than an amount can be.
    #[error(transparent)]
    OutOfRange(#[from] OutOfRange),
}

/// A currency and how many digits its minor unit has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Currency {
    // INVARIANT: a row of `CURRENCIES`.
    code: &'static str,
    digits: u8,
}

impl Currency {
    /// The currency of an ISO 4217 code.
    ///
    /// # Errors
    /// [`MoneyError::UnknownCurrency`].
    pub fn from_code(code: &str) -> Result<Self, MoneyError> {
        CURRENCIES
            .iter()
            .find(|(known, _)| *known == code)
            .map(|(code, digits)| Self {
                code,
                digits: *digits,
            })
            .ok_or_else(|| MoneyError::UnknownCurrency {
                code: code.to_owned(),
            })
    }

    /// Its code.
    pub fn code(self) -> &'static str {
        self.code
    }

    /// Digits after the point: 2 for USD, 0 for JPY, 3 for KWD.
    pub fn digits(self) -> u8 {
        self.digits
    }

    /// Minor units in one unit: 100 for USD.
    pub fn minor_per_unit(self) -> i64 {
        10_i64.saturating_pow(u32::from(self.digits))
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.code)
    }
}

/// An amount in minor units. Written with exactly the currency's digits, without its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Money {
    /// Minor units, such as cents.
    pub minor: i64,
    /// The currency.
    pub currency: Currency,
}

impl Money {
    /// Nothing, in a currency.
    pub fn zero(currency: Currency) -> Self {
        Self { minor: 0, currency }
    }

    /// Reads a plain decimal: an optional `-`, digits, and at most the currency's digits after a
    /// point. No `+`, exponent, space or thousands mark.
    ///
    /// # Errors
    /// [`MoneyError::NotAnAmount`].
    pub fn parse(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        let error = || MoneyError::NotAnAmount {
            text: text.to_owned(),
            code: currency.code,
            digits: currency.digits,
        };
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((_, "")) => return Err(error()),
            Some(parts) => parts,
            None => (unsigned, ""),
        };
        let digits = usize::from(currency.digits);
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !plain(whole) || !plain(fraction) || fraction.len() > digits {
            return Err(error());
        }
        let minor: i64 = format!("{whole}{fraction:0<digits$}")
            .parse()
            .ok()
            .ok_or_else(error)?;
        Ok(Self {
            minor: if negative {
                minor.saturating_neg()
            } else {
                minor
            },
            currency,
        })
    }

    /// The amount as an exact number of whole units.
    pub fn exact(self) -> Exact {
        Exact::new(
            i128::from(self.minor),
            i128::from(self.currency.minor_per_unit()),
        )
        .unwrap_or(Exact::ZERO)
    }

    /// The sum.
    ///
    /// # Errors
    /// [`MoneyError::MixedCurrencies`], [`MoneyError::OutOfRange`].
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.with(other, i64::checked_add)
    }

    /// The difference.
    ///
    /// # Errors
    /// [`MoneyError::MixedCurrencies`], [`MoneyError::OutOfRange`].
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.with(other, i64::checked_sub)
    }

    fn with(self, other: Self, op: fn(i64, i64) -> Option<i64>) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::MixedCurrencies {
                left: self.currency.code,
                right: other.currency.code,
            });
        }
        Ok(Self {
            minor: op(self.minor, other.minor).ok_or(OutOfRange)?,
            currency: self.currency,
        })
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.minor < 0 { "-" } else { "" };
        let minor = self.minor.unsigned_abs();
        let per_unit = self.currency.minor_per_unit().unsigned_abs();
        let whole = minor.checked_div(per_unit).unwrap_or(0);
        let digits = usize::from(self.currency.digits);
        if digits == 0 {
            return write!(f, "{sign}{whole}");
        }
        let fraction = minor.checked_rem(per_unit).unwrap_or(0);
        write!(f, "{sign}{whole}.{fraction:0>digits$}")
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// How a fraction of a minor unit is rounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Half and more goes away from zero, so that a credit of the same amount cancels.
    HalfUp,
    /// Half goes to the even neighbour.
    HalfEven,
    /// Toward zero.
    Down,
}

/// The one rounding: an exact number of whole units to minor units, by the named rule.
///
/// # Errors
/// [`MoneyError::OutOfRange`].
pub fn round(exact: Exact, currency: Currency, mode: Mode) -> Result<Money, MoneyError> {
    let scaled = exact.times(Exact::whole(i128::from(currency.minor_per_unit())))?;
    let (numer, denom) = (scaled.numer(), scaled.denom());
    let toward_zero = numer.checked_div(denom).ok_or(OutOfRange)?;
    let rest = numer.checked_rem(denom).ok_or(OutOfRange)?;
    let twice = rest
        .checked_abs()
        .and_then(|rest| rest.checked_mul(2))
        .ok_or(OutOfRange)?;
    let away = match mode {
        Mode::HalfUp => twice >= denom,
        Mode::HalfEven => twice > denom || (twice == denom && toward_zero & 1 == 1),
        Mode::Down => false,
    };
    let step = if away { numer.signum() } else { 0 };
    let minor = toward_zero.checked_add(step).ok_or(OutOfRange)?;
    Ok(Money {
        minor: i64::try_from(minor).ok().ok_or(OutOfRange)?,
        currency,
    })
}

/// Shares a rounded total over its exact parts by largest remainder: each part gets its floor,
/// then the largest remainders get one minor unit more; of equal remainders the earlier part
/// first. The caller orders the parts by identity id.
///
/// # Errors
/// [`MoneyError::OutOfRange`], also when the total is not the rounded sum of the parts.
pub fn allocate(total: Money, parts: &[Exact]) -> Result<Vec<Money>, MoneyError> {
    let currency = total.currency;
    let scale = Exact::whole(i128::from(currency.minor_per_unit()));
    let mut shares = Vec::with_capacity(parts.len());
    let mut remainders = Vec::with_capacity(parts.len());
    let mut left = i128::from(total.minor);
    for (index, part) in parts.iter().enumerate() {
        let scaled = part.times(scale)?;
        let floor = scaled.numer().div_euclid(scaled.denom());
        left = left.checked_sub(floor).ok_or(OutOfRange)?;
        remainders.push((scaled.minus(Exact::whole(floor))?, index));
        shares.push(Money {
            minor: i64::try_from(floor).ok().ok_or(OutOfRange)?,
            currency,
        });
    }
    let extra = usize::try_from(left).ok().ok_or(OutOfRange)?;
    if extra > shares.len() {
        return Err(OutOfRange.into());
    }
    remainders.sort_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(&right.1)));
    for (_, index) in remainders.into_iter().take(extra) {
        if let Some(share) = shares.get_mut(index) {
            share.minor = share.minor.checked_add(1).ok_or(OutOfRange)?;
        }
    }
    Ok(shares)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn currency(code: &str) -> Currency {
        Currency::from_code(code).unwrap()
    }

    fn money(text: &str, code: &str) -> Money {
        Money::parse(text, currency(code)).unwrap()
    }

    fn rounded(numer: i128, denom: i128, code: &str, mode: Mode) -> String {
        round(Exact::new(numer, denom).unwrap(), currency(code), mode)
            .unwrap()
            .to_string()
    }

    #[test]
    fn amounts_are_written_with_the_digits_of_their_currency() {
        for (text, code, minor) in [
            ("3.00", "USD", 300),
            ("-1.40", "EUR", -140),
            ("0.05", "GBP", 5),
            ("-0.05", "GBP", -5),
            ("232", "JPY", 232),
            ("0.477", "KWD", 477),
        ] {
            let amount = money(text, code);
            assert_eq!(amount.minor, minor);
            assert_eq!(amount.to_string(), text);
        }
        assert_eq!(money("3", "USD").to_string(), "3.00");
        assert_eq!(money("3.5", "USD").to_string(), "3.50");
    }

    #[test]
    fn anything_but_a_plain_decimal_is_refused() {
        for text in [
            "",
            "-",
            ".",
            "3.",
            ".5",
            "+3",
            "3,00",
            " 3",
            "3e2",
            "3.001",
            "--3",
            "3.-1",
            "99999999999999999999",
        ] {
            assert!(
                Money::parse(text, currency("USD")).is_err(),
                "`{text}` was read"
            );
        }
        assert!(Money::parse("1.0", currency("JPY")).is_err());
    }

    #[test]
    fn an_unknown_currency_is_an_error_that_says_what_to_write() {
        let error = Currency::from_code("ZZZ").unwrap_err();
        assert!(error.to_string().contains("ISO 4217"), "{error}");
    }

    #[test]
    fn sums_are_checked() {
        let large = Money {
            minor: i64::MAX,
            currency: currency("USD"),
        };
        assert_eq!(
            large.plus(money("0.01", "USD")),
            Err(MoneyError::OutOfRange(OutOfRange))
        );
        assert!(matches!(
            large.minus(money("1", "JPY")),
            Err(MoneyError::MixedCurrencies { .. })
        ));
    }

    #[test]
    fn half_a_cent_goes_where_the_mode_says() {
        assert_eq!(rounded(1, 8, "USD", Mode::HalfUp), "0.13");
        assert_eq!(rounded(-1, 8, "USD", Mode::HalfUp), "-0.13");
        assert_eq!(rounded(1, 8, "USD", Mode::HalfEven), "0.12");
        assert_eq!(rounded(3, 8, "USD", Mode::HalfEven), "0.38");
        assert_eq!(rounded(-1, 8, "USD", Mode::HalfEven), "-0.12");
        assert_eq!(rounded(1, 8, "USD", Mode::Down), "0.12");
        assert_eq!(rounded(-1, 8, "USD", Mode::Down), "-0.12");
    }

    #[test]
    fn currencies_without_and_with_three_digits_round_to_their_own_unit() {
        assert_eq!(rounded(450 * 16, 31, "JPY", Mode::HalfUp), "232");
        assert_eq!(rounded(925 * 16, 31 * 1000, "KWD", Mode::HalfUp), "0.477");
    }

    #[test]
    fn every_small_fraction_rounds_like_a_plain_oracle() {
        for numer in -700_i128..=700 {
            let cents = |numer: i128| numer * 100;
            for (mode, expected) in [
                (Mode::Down, cents(numer) / 7),
                (
                    Mode::HalfUp,
                    (cents(numer).abs() * 2 + 7) / 14 * numer.signum(),
                ),
            ] {
                let got = round(Exact::new(numer, 7).unwrap(), currency("USD"), mode).unwrap();
                assert_eq!(i128::from(got.minor), expected, "{numer}/7 {mode:?}");
            }
        }
    }

    #[test]
    fn thirds_of_a_hundred_give_the_odd_cent_to_the_first() {
        let third = Exact::new(100, 3).unwrap();
        let shares = allocate(money("100.00", "USD"), &[third; 3]).unwrap();
        let texts: Vec<String> = shares.iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["33.34", "33.33", "33.33"]);
    }

    #[test]
    fn a_negative_total_is_shared_too() {
        let third = Exact::new(-1, 3).unwrap();
        let shares = allocate(money("-1.00", "USD"), &[third; 3]).unwrap();
        assert_eq!(shares.iter().map(|share| share.minor).sum::<i64>(), -100);
    }

    #[test]
    fn a_total_that_is_not_the_sum_is_refused() {
        assert!(allocate(money("1.00", "USD"), &[Exact::new(1, 3).unwrap()]).is_err());
        assert!(allocate(money("0.01", "USD"), &[]).is_err());
        assert_eq!(allocate(money("0", "USD"), &[]).unwrap(), []);
    }
}
