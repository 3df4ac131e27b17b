//! PRIV-012: delegated consent for everyone is narrow.

use crate::calendar::date;
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::facts::Identity;
use crate::finding::Severity;
use crate::tier::Power;

static INFO: CheckInfo = CheckInfo {
    id: "PRIV-012",
    area: Area::Privilege,
    title: "No app holds high delegated scopes for every user",
    why: "Everyone who signs in to the app lends it these rights; one stolen token of an administrator is enough.",
    remediation: &[
        "Require assignment, so that only those who need the app can use it.",
        "Revoke the high scopes and consent per user or to narrower ones.",
    ],
    source: "MSIdentityTools consent-grant permission table (MIT); CIS Microsoft 365 7.0 §5.1.5.1; MITRE ATT&CK T1528",
    severity: Severity::Medium,
    parameters: &[],
    act_on_one: "Narrow a consent given for every user",
    act_on_many: "Narrow {} consents given for every user",
};

/// Delegated consent for everyone is narrow.
pub(crate) struct Priv012;

impl Check for Priv012 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::DELEGATED,
            Identity::is_service_principal,
            |identity| {
                identity
                    .tier
                    .of(Power::Delegated)
                    .map(|ability| {
                        let since = date(ability.since);
                        let statement =
                            format!("Every user lends it {} since {since}.", ability.name);
                        Fault::new(INFO.severity, statement, ability.evidence.clone())
                            .about(&ability.key)
                    })
                    .collect()
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{BILLING, Fixture};

    #[test]
    fn consent_for_everyone_to_write_the_directory_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.delegate(BILLING, &["Directory.ReadWrite.All", "User.Read"]);
        assert_eq!(fixture.only(&Priv012).evidence.positions(), [position]);
    }
}
