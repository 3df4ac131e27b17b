//! Names of places within the page, and what a subject is called.
//!
//! Places are named after identifiers only when these are plain, so that a link from outside
//! stays right from report to report and no tenant can write into an attribute.

use std::collections::{BTreeMap, BTreeSet};

use crate::health::{HealthReport, IdentityRow};

use super::shown::Shown;
use super::{IDENTITIES_TOLD_MAX, NAME_LETTERS_MAX};

/// Tier up to which an identity is told in detail even when nothing was found.
const PRIVILEGED_TIER_MAX: u8 = 1;
/// Letters of a check's id; ours have 8.
const ID_LETTERS_MAX: usize = 20;
/// Letters an identifier in a place name may have; object ids have 36.
const PLACE_LETTERS_MAX: usize = 40;

/// Where things are in the page.
#[derive(Debug)]
pub(crate) struct Links<'a> {
    identities: BTreeMap<&'a str, Option<String>>,
    names: BTreeMap<&'a str, &'a str>,
    checks: BTreeMap<&'a str, String>,
    titles: BTreeMap<&'a str, &'a str>,
}

/// A subject by name, with its place when it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SubjectLink {
    /// What it is called, cut.
    pub(crate) name: Shown,
    /// Place of its details.
    pub(crate) place: Option<String>,
}

/// A check by id, with its place when it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CheckLink {
    /// Id.
    pub(crate) id: Shown,
    /// Title; empty when the check is unknown.
    pub(crate) title: Shown,
    /// Place of its section.
    pub(crate) place: Option<String>,
}

impl<'a> Links<'a> {
    /// The places of a report.
    pub(crate) fn new(report: &'a HealthReport) -> Self {
        let mut taken = BTreeSet::new();
        let mut identities = BTreeMap::new();
        let mut told = 0;
        for row in &report.identities {
            let worth = row.findings > 0 || row.tier <= PRIVILEGED_TIER_MAX;
            let place = (worth
                && told < IDENTITIES_TOLD_MAX
                && !identities.contains_key(row.stream.as_str()))
            .then(|| place("i", &row.object_id, &mut taken));
            told += usize::from(place.is_some());
            identities.entry(row.stream.as_str()).or_insert(place);
        }
        let mut checks = BTreeMap::new();
        for check in &report.checks {
            let place = place("check", &check.id, &mut taken);
            checks.entry(check.id.as_str()).or_insert(place);
        }
        Self {
            identities,
            names: names(&report.identities),
            checks,
            titles: report
                .checks
                .iter()
                .map(|check| (check.id.as_str(), check.title.as_str()))
                .collect(),
        }
    }

    /// Place of the details of an identity, when it has any.
    pub(crate) fn identity(&self, stream: &str) -> Option<String> {
        self.identities.get(stream).cloned().flatten()
    }

    /// How to speak of a subject.
    pub(crate) fn subject(&self, stream: &str) -> SubjectLink {
        let name = match self.names.get(stream) {
            Some(name) => Shown::name_cut(name, NAME_LETTERS_MAX),
            None => Shown::cut(&subject_in_words(stream), NAME_LETTERS_MAX),
        };
        SubjectLink {
            name,
            place: self.identity(stream),
        }
    }

    /// How to speak of a check.
    pub(crate) fn check(&self, id: &str) -> CheckLink {
        CheckLink {
            id: Shown::cut(id, ID_LETTERS_MAX),
            title: Shown::whole(self.titles.get(id).copied().unwrap_or_default()),
            place: self.checks.get(id).cloned(),
        }
    }
}

fn names(rows: &[IdentityRow]) -> BTreeMap<&str, &str> {
    rows.iter()
        .map(|row| (row.stream.as_str(), row.name.as_str()))
        .collect()
}

/// A subject that is no identity: `entra:<tenant>:app:<id>` reads `application <id>`.
fn subject_in_words(stream: &str) -> String {
    let mut parts = stream.splitn(4, ':').skip(2);
    match (parts.next(), parts.next()) {
        (Some("sp"), Some(id)) => format!("identity {id}"),
        (Some("app"), Some(id)) => format!("application {id}"),
        (Some("policy"), Some(id)) => format!("policy {id}"),
        (Some("location"), Some(id)) => format!("named location {id}"),
        (None, None) => "the tenant".to_owned(),
        _ => stream.to_owned(),
    }
}

/// A free place name; the identifier is part of it when it is plain and not taken.
fn place(prefix: &str, identifier: &str, taken: &mut BTreeSet<String>) -> String {
    let plain = !identifier.is_empty()
        && identifier.len() <= PLACE_LETTERS_MAX
        && identifier
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    let wanted = if plain {
        format!("{prefix}-{identifier}")
    } else {
        format!("{prefix}-n{}", taken.len())
    };
    if taken.insert(wanted.clone()) {
        return wanted;
    }
    let numbered = format!("{wanted}-n{}", taken.len());
    taken.insert(numbered.clone());
    numbered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_plain_and_free() {
        let mut taken = BTreeSet::new();
        assert_eq!(place("i", "0a-b", &mut taken), "i-0a-b");
        assert_eq!(place("i", "0a-b", &mut taken), "i-0a-b-n1");
        assert_eq!(place("i", "\"><script>", &mut taken), "i-n2");
        assert_eq!(place("i", "", &mut taken), "i-n3");
    }

    #[test]
    fn a_subject_that_is_no_identity_has_words() {
        assert_eq!(subject_in_words("entra:t:app:1"), "application 1");
        assert_eq!(subject_in_words("entra:t:policy:1"), "policy 1");
        assert_eq!(subject_in_words("entra:t"), "the tenant");
        assert_eq!(subject_in_words("spiffe:x:y:z"), "spiffe:x:y:z");
    }
}
