//! The price book: what one identity-month costs and by which rules, as a TOML file.
//!
//! A book is immutable and pinned by the SHA-256 of its bytes. Keys that later versions may know
//! (tiers, discounts, minimum, pools) are refused, because a bill that ignores them is wrong.

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::calendar::Calendar;
use super::money::{Currency, Money, MoneyError};
use super::policy::{Meter, Model, PeriodRules, Proration, Rounding};
use super::sha256_hex;

/// The built-in book, as a file anybody can start from.
const DEFAULT_BOOK: &str = include_str!("default-book.toml");

/// The one schema this version reads.
const SCHEMA: u32 = 1;

/// Keys of the price book format that this version does not know, with what to do instead.
const LATER: [(&str, &str, &str); 11] = [
    ("", "discount", "the only discount is the trial"),
    ("", "pool", "every identity is priced per unit"),
    ("", "tax", "amounts are without tax"),
    ("", "fx", "write one book per currency"),
    ("rounding", "group_by", "all lines of a run are one group"),
    ("period", "price_at", "one price holds for the whole month"),
    (
        "period",
        "grace_days",
        "run the bill when the month is complete",
    ),
    (
        "period",
        "adjust_horizon_months",
        "run the month again instead",
    ),
    ("item", "tiers", "one price holds for every quantity"),
    ("item", "minimum", "there is no minimum"),
    ("item", "pool", "every identity is priced per unit"),
];

/// Why a price book was refused, in the order of the checks.
#[derive(Debug, thiserror::Error)]
pub enum PriceBookError {
    /// Not UTF-8.
    #[error("the price book is not UTF-8 text")]
    NotText(#[source] std::str::Utf8Error),
    /// Not TOML, or a key is unknown, missing or of the wrong type.
    #[error("the price book cannot be read: {0}")]
    Toml(#[source] Box<toml::de::Error>),
    /// A key of the format that this version does not know.
    #[error("`{key}` is not supported by this version: {instead}; remove the key")]
    Unsupported {
        /// The key, with its table.
        key: String,
        /// What holds instead.
        instead: &'static str,
    },
    /// A value that is not allowed.
    #[error("`{key}` is `{value}`; write {expected}")]
    Value {
        /// The key, with its table.
        key: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        expected: String,
    },
    /// An amount or currency that cannot be read.
    #[error("`{key}`: {source}")]
    Money {
        /// The key, with its table.
        key: &'static str,
        /// Why.
        source: MoneyError,
    },
}

/// `[[item]]`: the one thing this book sells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// SKU.
    pub sku: String,
    /// Stable id of the price; never used for another price.
    pub sku_price: String,
    /// Which count is priced.
    pub meter: Meter,
    /// What the quantity is, in words.
    pub unit: String,
    /// How the price depends on the quantity.
    pub model: Model,
    /// Price of one unit; not negative.
    pub price: Money,
    /// Usual length of a trial in days; a recorded trial carries its own.
    pub trial_days: u16,
}

/// A price book that was read and checked.
#[derive(Debug, Clone, PartialEq)]
pub struct PriceBook {
    /// Name of the book.
    pub book: String,
    /// Its version.
    pub version: u32,
    /// Its currency.
    pub currency: Currency,
    /// First local day it holds for.
    pub effective_from: Date,
    /// Days and months by its zone.
    pub calendar: Calendar,
    /// Rounding rules.
    pub rounding: Rounding,
    /// Period rules.
    pub period: PeriodRules,
    /// What it sells.
    pub item: Item,
    // INVARIANT: of the bytes the other fields were read from.
    sha256: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct BookToml {
    schema: u32,
    book: String,
    version: u32,
    currency: String,
    effective_from: String,
    time_zone: String,
    rounding: Rounding,
    period: PeriodRules,
    item: Vec<ItemToml>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ItemToml {
    sku: String,
    sku_price: String,
    meter: Meter,
    unit: String,
    model: Model,
    price: String,
    #[serde(default)]
    trial_days: u16,
}

/// Canonical form of the rules: keys in alphabetical order.
#[derive(Serialize)]
struct PolicyJson {
    meter: Meter,
    model: Model,
    period: PeriodRules,
    rounding: Rounding,
}

impl PriceBook {
    /// The built-in book: 3.00 USD per identity-month, whole months, UTC.
    ///
    /// # Errors
    /// None in practice: a test reads it.
    pub fn default_book() -> Result<Self, PriceBookError> {
        Self::parse(DEFAULT_BOOK.as_bytes())
    }

    /// The built-in book as text, to start another from.
    pub fn default_text() -> &'static str {
        DEFAULT_BOOK
    }

    /// Reads and checks a book.
    ///
    /// # Errors
    /// [`PriceBookError`], which names the key and what to write.
    pub fn parse(bytes: &[u8]) -> Result<Self, PriceBookError> {
        let text = std::str::from_utf8(bytes).map_err(PriceBookError::NotText)?;
        let toml_error = |error| PriceBookError::Toml(Box::new(error));
        refuse_later_keys(&toml::from_str(text).map_err(toml_error)?)?;
        let read: BookToml = toml::from_str(text).map_err(toml_error)?;
        if read.schema != SCHEMA {
            return Err(value("schema", read.schema, &SCHEMA.to_string()));
        }
        let currency =
            Currency::from_code(&read.currency).map_err(|source| PriceBookError::Money {
                key: "currency",
                source,
            })?;
        let effective_from = read.effective_from.parse().ok().ok_or_else(|| {
            value(
                "effective_from",
                &read.effective_from,
                "a date as YYYY-MM-DD",
            )
        })?;
        let calendar = Calendar::new(&read.time_zone).ok().ok_or_else(|| {
            let expected = "an IANA time zone such as UTC or Europe/Berlin";
            value("time_zone", &read.time_zone, expected)
        })?;
        check_min_days(read.period)?;
        Ok(Self {
            book: read.book,
            version: read.version,
            currency,
            effective_from,
            calendar,
            rounding: read.rounding,
            period: read.period,
            item: one_item(read.item, currency)?,
            sha256: sha256_hex(bytes),
        })
    }

    /// SHA-256 of the book's bytes, hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// SHA-256 of the rules that turn days into amounts, hex: two books with other names or prices
    /// and the same rules agree on it.
    pub fn policy_sha256(&self) -> String {
        let policy = PolicyJson {
            meter: self.item.meter,
            model: self.item.model,
            period: self.period,
            rounding: self.rounding,
        };
        // Plain names and numbers: writing them as JSON cannot fail.
        sha256_hex(&serde_json::to_vec(&policy).unwrap_or_default())
    }
}

fn value(key: &'static str, value: impl std::fmt::Display, expected: &str) -> PriceBookError {
    PriceBookError::Value {
        key,
        value: value.to_string(),
        expected: expected.to_owned(),
    }
}

fn refuse_later_keys(book: &toml::Table) -> Result<(), PriceBookError> {
    for (table, key, instead) in LATER {
        let holds = |table: &toml::Value| table.get(key).is_some();
        let found = match book.get(table) {
            _ if table.is_empty() => book.contains_key(key),
            Some(toml::Value::Array(tables)) => tables.iter().any(holds),
            Some(one) => holds(one),
            None => false,
        };
        if found {
            let dot = if table.is_empty() { "" } else { "." };
            return Err(PriceBookError::Unsupported {
                key: format!("{table}{dot}{key}"),
                instead,
            });
        }
    }
    Ok(())
}

fn check_min_days(period: PeriodRules) -> Result<(), PriceBookError> {
    const KEY: &str = "period.min_days";
    if !(1..=28).contains(&period.min_days) {
        return Err(value(KEY, period.min_days, "1 to 28"));
    }
    if period.min_days > 1 && period.proration != Proration::FullMonth {
        let expected = "1, because only proration \"full-month\" asks for a number of days";
        return Err(value(KEY, period.min_days, expected));
    }
    Ok(())
}

fn one_item(items: Vec<ItemToml>, currency: Currency) -> Result<Item, PriceBookError> {
    let count = items.len();
    let mut items = items.into_iter();
    let (Some(item), None) = (items.next(), items.next()) else {
        let expected = "exactly one [[item]]; several are not supported by this version";
        return Err(value("item", format!("{count} items"), expected));
    };
    let price = Money::parse(&item.price, currency).map_err(|source| PriceBookError::Money {
        key: "item.price",
        source,
    })?;
    if price.minor < 0 {
        return Err(value(
            "item.price",
            item.price,
            "an amount that is not negative",
        ));
    }
    for (key, text) in [("item.sku", &item.sku), ("item.sku_price", &item.sku_price)] {
        if text.trim().is_empty() {
            return Err(value(key, text, "a name that is not empty"));
        }
    }
    Ok(Item {
        sku: item.sku,
        sku_price: item.sku_price,
        meter: item.meter,
        unit: item.unit,
        model: item.model,
        price,
        trial_days: item.trial_days,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(from: &str, to: &str) -> String {
        assert!(DEFAULT_BOOK.contains(from), "`{from}` is not in the book");
        PriceBook::parse(DEFAULT_BOOK.replace(from, to).as_bytes())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_built_in_book_is_the_published_list_price() {
        let book = PriceBook::default_book().unwrap();
        assert_eq!(book.item.price.to_string(), "3.00");
        assert_eq!(book.currency.code(), "USD");
        assert_eq!(book.period.proration, Proration::FullMonth);
        assert_eq!(book.calendar.name(), "UTC");
        assert_eq!(book.item.trial_days, 90);
        assert_eq!(book.sha256(), sha256_hex(DEFAULT_BOOK.as_bytes()));
    }

    #[test]
    fn every_refusal_names_the_key() {
        for (from, to, key) in [
            ("schema = 1", "schema = 2", "schema"),
            ("\"USD\"", "\"ZZZ\"", "currency"),
            ("\"2023-01-01\"", "\"January\"", "effective_from"),
            ("\"UTC\"", "\"Mars/Olympus\"", "time_zone"),
            ("\"3.00\"", "\"3.001\"", "item.price"),
            ("\"3.00\"", "\"-3.00\"", "item.price"),
            ("\"3.00\"", "3.00", "price"),
            ("min_days = 1", "min_days = 0", "period.min_days"),
            (
                "\"full-month\"\nmin_days = 1",
                "\"sticky\"\nmin_days = 3",
                "period.min_days",
            ),
            ("\"workload-id-premium\"", "\"\"", "item.sku"),
            ("model = \"per-unit\"", "model = \"graduated\"", "graduated"),
            ("\"any-touch\"", "\"at-start\"", "at-start"),
            ("version = 1", "version = 1\nvresion = 2", "vresion"),
            ("version = 1", "", "version"),
        ] {
            let message = error(from, to);
            assert!(message.contains(key), "`{key}` is not named in: {message}");
        }
    }

    #[test]
    fn keys_of_later_versions_are_refused_with_what_holds_instead() {
        for (from, to, key) in [
            (
                "trial_days = 90",
                "trial_days = 90\ntiers = []",
                "item.tiers",
            ),
            (
                "trial_days = 90",
                "trial_days = 90\nminimum = \"5\"",
                "item.minimum",
            ),
            (
                "schema = 1",
                "schema = 1\ntax = { mode = \"exclusive\" }",
                "tax",
            ),
            (
                "trial_days = 90",
                "[[discount]]\nid = \"ea-15\"",
                "discount",
            ),
            ("trial_days = 90", "[[pool]]\nquantity = 5", "pool"),
            (
                "at = \"group\"",
                "at = \"group\"\ngroup_by = []",
                "rounding.group_by",
            ),
        ] {
            let message = error(from, to);
            let expected = format!("`{key}` is not supported by this version");
            assert!(message.contains(&expected), "{message}");
        }
    }

    #[test]
    fn two_items_are_refused() {
        let item = DEFAULT_BOOK.split_once("[[item]]").unwrap().1;
        let text = format!("{DEFAULT_BOOK}\n[[item]]{item}");
        let error = PriceBook::parse(text.as_bytes()).unwrap_err();
        assert!(error.to_string().contains("2 items"), "{error}");
    }

    #[test]
    fn bytes_that_are_not_text_are_refused() {
        assert!(matches!(
            PriceBook::parse(&[0xff, 0xfe]),
            Err(PriceBookError::NotText(_))
        ));
    }

    #[test]
    fn a_comment_changes_the_book_and_not_the_policy() {
        let plain = PriceBook::default_book().unwrap();
        let commented = PriceBook::parse(format!("# mine\n{DEFAULT_BOOK}").as_bytes()).unwrap();
        assert_ne!(plain.sha256(), commented.sha256());
        assert_eq!(plain.policy_sha256(), commented.policy_sha256());
    }
}
