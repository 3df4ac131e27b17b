//! CRED-017: every identity has its own key.

use std::collections::{BTreeMap, BTreeSet};

use crate::calendar::count_in_words;
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "CRED-017",
    area: Area::Credentials,
    title: "No two identities share a certificate",
    why: "Whoever holds the one key is every one of these identities, and none can be revoked alone.",
    remediation: &[
        "Issue a certificate of its own to each identity.",
        "Switch the workloads, then remove the shared one everywhere.",
    ],
    source: "OWASP NHI9 (reuse); NIST SP 800-53r5 IA-5, IA-9",
    severity: Severity::High,
    parameters: &[],
    act_on_one: "Give an identity a certificate of its own",
    act_on_many: "Give {} identities certificates of their own",
};

/// Every identity has its own key.
pub(crate) struct Cred017;

impl Check for Cred017 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        let mut holders: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for identity in question.facts.in_scope() {
            for held in identity.valid_credentials() {
                if let Some(thumbprint) = held.credential().thumbprint.as_deref() {
                    let streams = holders.entry(thumbprint).or_default();
                    streams.insert(identity.stream.as_str());
                }
            }
        }
        let others = |thumbprint: &str| {
            let count = holders.get(thumbprint).map_or(0, BTreeSet::len);
            i64::try_from(count.saturating_sub(1)).unwrap_or(i64::MAX)
        };
        question.ask(
            &INFO,
            Need::CREDENTIALS,
            |identity| {
                let mut valid = identity.valid_credentials();
                valid.any(|held| held.credential().thumbprint.is_some())
            },
            |identity| {
                identity
                    .valid_credentials()
                    .filter_map(|held| {
                        let thumbprint = held.credential().thumbprint.as_deref()?;
                        let count = others(thumbprint);
                        if count == 0 {
                            return None;
                        }
                        let statement = format!(
                            "{} is also held by {}.",
                            held.words(),
                            count_in_words(count, "other identity", "other identities")
                        );
                        let fault = Fault::new(INFO.severity, statement, held.proof(false));
                        Some(fault.about(thumbprint))
                    })
                    .collect()
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BILLING_APP, Fixture, PORTAL_APP};

    #[test]
    fn a_thumbprint_on_two_identities_is_found_on_both() {
        let mut fixture = Fixture::healthy();
        for (application, thumbprint) in [(BILLING_APP, "AB"), (PORTAL_APP, "CD")] {
            let credential = fixture.get(application).credentials.last_mut().unwrap();
            credential.value.thumbprint = Some(thumbprint.to_owned());
        }
        assert_eq!(fixture.findings(&Cred017), []);
        let credential = fixture.get(PORTAL_APP).credentials.last_mut().unwrap();
        credential.value.thumbprint = Some("AB".to_owned());
        assert_eq!(fixture.findings(&Cred017).len(), 2);
    }
}
