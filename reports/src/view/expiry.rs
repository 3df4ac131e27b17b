//! Credentials by how long they are still valid.

use jiff::Timestamp;

use crate::health::{CredentialRow, HealthReport};

use super::number::{counted, thousands};

/// Seconds of a day.
const DAY_SECONDS: i64 = 86_400;
/// Width of the longest bar.
const BAR_WIDTH: u64 = 100;
/// Ends of the bands in days: a month, a quarter and half a year ahead, the usual rhythm of
/// renewals.
const BAND_DAYS_MAX: [i64; 3] = [30, 90, 180];

/// Credentials of all identities by the end of their validity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Expiry {
    /// `24 credentials in all`.
    pub(crate) total: String,
    /// Bands, from the past to no end.
    pub(crate) bands: Vec<Band>,
}

/// Credentials that end within the same stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Band {
    /// When they end, in words.
    pub(crate) name: &'static str,
    /// How many.
    pub(crate) count: String,
    /// Length of the bar, up to 100.
    pub(crate) width: u64,
    /// Whether they should not be there any more.
    pub(crate) over: bool,
}

impl Expiry {
    /// The bands of a report; `None` when no credential is known.
    pub(crate) fn new(report: &HealthReport) -> Option<Self> {
        let credentials = || report.identities.iter().flat_map(|row| &row.credentials);
        let counts = [0, 1, 2, 3, 4, 5].map(|band| {
            let within = credentials().filter(|row| band_of(row, report.as_of) == band);
            u64::try_from(within.count()).unwrap_or(u64::MAX)
        });
        let names = [
            "expired, still there",
            "within 30 days",
            "in 31 to 90 days",
            "in 91 to 180 days",
            "later",
            "no end known",
        ];
        let top = counts.into_iter().max().filter(|&top| top > 0)?;
        let bands = names.into_iter().zip(counts).map(|(name, count)| Band {
            name,
            count: thousands(count),
            // A single credential beside thousands is still seen.
            width: (BAR_WIDTH * count / top).max(u64::from(count > 0)),
            over: name == names[0],
        });
        Some(Self {
            total: counted(counts.iter().sum(), "credential", "credentials"),
            bands: bands.collect(),
        })
    }
}

fn band_of(row: &CredentialRow, as_of: Timestamp) -> usize {
    let Some(end) = row.ends_at else { return 5 };
    let seconds = end.as_second().saturating_sub(as_of.as_second());
    if end <= as_of {
        return 0;
    }
    let ahead = |days: &&i64| seconds > **days * DAY_SECONDS;
    1 + BAND_DAYS_MAX.iter().filter(ahead).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edges_of_the_bands_belong_to_the_earlier() {
        let as_of: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
        let band = |end: Option<&str>| {
            let row = CredentialRow {
                key_id: String::new(),
                kind: String::new(),
                origin: String::new(),
                starts_at: None,
                ends_at: end.map(|text| text.parse().unwrap()),
                last_used: None,
            };
            band_of(&row, as_of)
        };
        assert_eq!(band(Some("2026-11-01T00:00:00Z")), 0);
        assert_eq!(band(Some("2026-11-01T00:00:01Z")), 1);
        assert_eq!(band(Some("2026-12-01T00:00:00Z")), 1);
        assert_eq!(band(Some("2026-12-01T00:00:01Z")), 2);
        assert_eq!(band(Some("2027-01-30T00:00:01Z")), 3);
        assert_eq!(band(Some("2028-01-01T00:00:00Z")), 4);
        assert_eq!(band(None), 5);
    }
}
