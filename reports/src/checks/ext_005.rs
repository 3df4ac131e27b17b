//! EXT-005: no app is one that Microsoft disabled.

use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::facts::quoted;
use crate::finding::Severity;

/// What the attribute says when nothing is wrong.
const NOT_DISABLED: &str = "NotDisabled";

static INFO: CheckInfo = CheckInfo {
    id: "EXT-005",
    area: Area::ThirdParty,
    title: "No app was disabled by Microsoft",
    why: "Microsoft disables apps for malice or grave breaches of its terms: what it did here before counts.",
    remediation: &[
        "Treat it as an incident: who consented, what did it read?",
        "Remove the app and its grants.",
    ],
    source: "Microsoft Graph disabledByMicrosoftStatus; NIST SP 800-53r5 IR-4",
    severity: Severity::Critical,
    parameters: &[],
    act_on_one: "Investigate an app that Microsoft disabled",
    act_on_many: "Investigate {} apps that Microsoft disabled",
};

/// No app is one that Microsoft disabled.
pub(crate) struct Ext005;

impl Check for Ext005 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::IDENTITIES,
            |_| true,
            |identity| {
                let status = identity
                    .attribute("disabledByMicrosoftStatus")
                    .or_else(|| identity.application_attribute("disabledByMicrosoftStatus"));
                let told = status.and_then(|span| Some((span.value.as_str()?, span)));
                match told {
                    Some((text, span)) if !text.is_empty() && text != NOT_DISABLED => {
                        let statement = format!("Microsoft disabled it: {}.", quoted(text));
                        vec![Fault::new(INFO.severity, statement, span.opened.clone()).graded()]
                    }
                    _ => Vec::new(),
                }
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, VENDOR};

    #[test]
    fn an_app_microsoft_disabled_is_found() {
        let mut fixture = Fixture::healthy();
        let name = "disabledByMicrosoftStatus";
        fixture.set(VENDOR, name, serde_json::json!(NOT_DISABLED));
        assert_eq!(fixture.findings(&Ext005), []);
        let status = serde_json::json!("DisabledDueToViolationOfServicesAgreement");
        let position = fixture.set(VENDOR, name, status);
        assert_eq!(fixture.only(&Ext005).evidence.positions(), [position]);
    }
}
