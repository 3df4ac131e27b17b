//! CRED-006: certificates in use are rotated.

use ledger::event::credential::CredentialKind;

use crate::calendar::{date, days_in_words};
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Parameter, Question};
use crate::finding::Severity;

/// Age from which a certificate in use wants rotation, in days. Source: Zero Trust Assessment 21992.
const ROTATED_DAYS_MAX: i64 = 180;
/// Days in which it must have signed in to count as in use.
const IN_USE_DAYS: i64 = 30;

static INFO: CheckInfo = CheckInfo {
    id: "CRED-006",
    area: Area::Credentials,
    title: "Certificates in use are rotated twice a year",
    why: "The longer one key is in use, the more places hold a copy of it.",
    remediation: &[
        "Let a vault rotate the certificate automatically.",
        "Switch the workload to the new certificate, then remove the old one.",
    ],
    source: "Microsoft Zero Trust Assessment 21992 (180 days); NIST SP 800-53r5 IA-5",
    severity: Severity::Low,
    parameters: &[
        Parameter {
            name: "rotated_days_max",
            value: ROTATED_DAYS_MAX,
        },
        Parameter {
            name: "in_use_days",
            value: IN_USE_DAYS,
        },
    ],
    act_on_one: "Rotate a certificate older than 180 days",
    act_on_many: "Rotate {} certificates older than 180 days",
};

/// Certificates in use are rotated.
pub(crate) struct Cred006;

impl Check for Cred006 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        let certificate = CredentialKind::Certificate;
        question.ask(
            &INFO,
            Need::SignIns { days: 0 },
            |identity| {
                identity
                    .valid_credentials()
                    .any(|held| held.kind() == certificate)
            },
            |identity| {
                identity
                    .valid_credentials()
                    .filter(|held| held.kind() == certificate)
                    .filter(|held| held.last_use.within(IN_USE_DAYS, question.at))
                    .filter_map(|held| {
                        let age = question.days_since(held.started_at());
                        if age <= ROTATED_DAYS_MAX {
                            return None;
                        }
                        let statement = format!(
                            "{} is in use since {}, {}.",
                            held.words(),
                            date(held.started_at()),
                            days_in_words(age)
                        );
                        let fault = Fault::new(INFO.severity, statement, held.proof(true));
                        Some(fault.about(&held.credential().key_id))
                    })
                    .collect()
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BILLING, BILLING_APP, Fixture};

    #[test]
    fn an_old_certificate_still_in_use_is_found_with_its_use() {
        let mut fixture = Fixture::healthy();
        let made = fixture.certificate(BILLING_APP, "old", 190, -100);
        let used = fixture.used(BILLING, Some("old"), 2);
        assert_eq!(fixture.only(&Cred006).evidence.positions(), [made, used]);
    }
}
