//! EXT-006: tokens are not sent over plain http.

use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::facts::quoted;
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "EXT-006",
    area: Area::ThirdParty,
    title: "Reply addresses use https",
    why: "A code or token sent over plain http can be read and used on its way.",
    remediation: &["Serve the address over https and replace the reply address."],
    source: "Microsoft Zero Trust Assessment 21885, 23183; NIST SP 800-53r5 SC-8. Exempt: loopback, which RFC 8252 §7.3 allows",
    severity: Severity::High,
    parameters: &[],
    act_on_one: "Move a reply address to https",
    act_on_many: "Move {} reply addresses to https",
};

/// Tokens are not sent over plain http.
pub(crate) struct Ext006;

fn is_plain(url: &str) -> bool {
    let lower = url.to_ascii_lowercase();
    let Some(rest) = lower.strip_prefix("http://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    !matches!(host, "localhost" | "127.0.0.1" | "::1")
}

impl Check for Ext006 {
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
                    .filter(|(url, _)| is_plain(url))
                    .map(|(url, span)| {
                        let statement = format!("Tokens may be sent to {}.", quoted(url));
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
    fn a_plain_http_address_is_found() {
        let mut fixture = Fixture::healthy();
        let urls = serde_json::json!(["http://localhost:8080/", "http://billing.contoso.example/"]);
        let position = fixture.set(BILLING_APP, "replyUrls", urls);
        assert_eq!(fixture.only(&Ext006).evidence.positions(), [position]);
    }

    #[test]
    fn loopback_is_exempt_and_its_imitations_are_not() {
        assert!(!is_plain("http://127.0.0.1:80/x") && !is_plain("http://[::1]:80/"));
        assert!(is_plain("http://localhost.attacker.example/") && is_plain("HTTP://x"));
        assert!(!is_plain("https://x"));
    }
}
