//! EXT-008: reply addresses are exact.

use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::facts::quoted;
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "EXT-008",
    area: Area::ThirdParty,
    title: "Reply addresses hold no wildcard",
    why: "Whoever gets any address that matches receives codes and tokens of the app's users.",
    remediation: &["List each address in full; carry what varies in `state`."],
    source: "M365-Assess ENTRA-APPREG-004; RFC 9700 §2.1 (exact matching); OWASP NHI4",
    severity: Severity::High,
    parameters: &[],
    act_on_one: "Replace a reply address with a wildcard",
    act_on_many: "Replace {} reply addresses with wildcards",
};

/// Reply addresses are exact.
pub(crate) struct Ext008;

impl Check for Ext008 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::CREDENTIALS,
            |identity| identity.is_own() && !identity.reply_urls().is_empty(),
            |identity| {
                identity
                    .reply_urls()
                    .into_iter()
                    .filter(|(url, _)| url.contains('*'))
                    .map(|(url, span)| {
                        let statement = format!("Any address like {} is accepted.", quoted(url));
                        Fault::new(INFO.severity, statement, span.opened.clone()).about(url)
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
    fn a_wildcard_is_found() {
        let mut fixture = Fixture::healthy();
        let urls = serde_json::json!(["https://*.contoso.example/callback"]);
        let position = fixture.set(BILLING_APP, "replyUrls", urls);
        assert_eq!(fixture.only(&Ext008).evidence.positions(), [position]);
    }
}
