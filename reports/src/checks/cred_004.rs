//! CRED-004: certificates are issued for a year at most.

use ledger::event::credential::CredentialKind;

use crate::calendar::{date, days_in_words};
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Parameter, Question};
use crate::checks::cred_005::ENDLESS_DAYS;
use crate::finding::Severity;

/// Longest validity of a certificate, in days. Source: CISA MS.AAD.5.7v1. CIS Microsoft 365 7.0
/// §5.1.5.6 asks for 180; the laxer of the two is taken so that a finding is beyond dispute.
const CERTIFICATE_DAYS_MAX: i64 = 365;

static INFO: CheckInfo = CheckInfo {
    id: "CRED-004",
    area: Area::Credentials,
    title: "Certificates are issued for a year at most",
    why: "A stolen private key can be used until its certificate expires.",
    remediation: &[
        "Issue a certificate for a year or less from a vault that rotates it.",
        "Switch the workload, then remove the old certificate.",
    ],
    source: "CISA SCuBA MS.AAD.5.7v1 (365 days); CIS Microsoft 365 7.0 §5.1.5.6; NIST SP 800-53r5 SC-12",
    severity: Severity::Medium,
    parameters: &[Parameter {
        name: "certificate_days_max",
        value: CERTIFICATE_DAYS_MAX,
    }],
    act_on_one: "Reissue a long-lived certificate for a year",
    act_on_many: "Reissue {} long-lived certificates for a year",
};

/// Certificates are issued for a year at most.
pub(crate) struct Cred004;

impl Check for Cred004 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        let is_certificate = CredentialKind::Certificate;
        question.ask(
            &INFO,
            Need::CREDENTIALS,
            |identity| {
                identity
                    .valid_credentials()
                    .any(|held| held.kind() == is_certificate)
            },
            |identity| {
                identity
                    .valid_credentials()
                    .filter(|held| held.kind() == is_certificate)
                    .filter_map(|held| {
                        let days = held.issued_days()?;
                        // 366 days are what a year takes when it holds a leap day.
                        if days <= CERTIFICATE_DAYS_MAX + 1 || days > ENDLESS_DAYS {
                            return None;
                        }
                        let statement = format!(
                            "{} was issued on {} for {}; {CERTIFICATE_DAYS_MAX} are allowed.",
                            held.words(),
                            date(held.started_at()),
                            days_in_words(days)
                        );
                        let fault = Fault::new(INFO.severity, statement, held.proof(false));
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
    use crate::fixture::{BILLING_APP, Fixture};

    #[test]
    fn a_certificate_for_two_years_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.certificate(BILLING_APP, "long", 10, -720);
        let finding = fixture.only(&Cred004);
        assert_eq!(finding.evidence.positions(), [position]);
        assert!(finding.statement.contains("for 730 days"));
    }
}
