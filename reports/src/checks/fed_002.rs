//! FED-002: trusted issuers are known ones.

use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::facts::quoted;
use crate::finding::Severity;

/// Hosts of issuers that many tenants trust; a leading dot stands for any host below. Issuers of
/// the tenant itself are known too.
const KNOWN_ISSUER_HOSTS: &[&str] = &[
    "token.actions.githubusercontent.com",
    "vstoken.dev.azure.com",
    ".oic.prod-aks.azure.com",
    "accounts.google.com",
    "container.googleapis.com",
    ".eks.amazonaws.com",
    "sts.amazonaws.com",
    "gitlab.com",
    "app.terraform.io",
    "oidc.circleci.com",
];

static INFO: CheckInfo = CheckInfo {
    id: "FED-002",
    area: Area::Federation,
    title: "Federated credentials trust known issuers only",
    why: "Whoever runs the issuer can sign in as this identity; an issuer of one's own is a known way to plant a back door.",
    remediation: &[
        "Find out who added it and whose the issuer is.",
        "Remove it when nobody knows; review sign-ins with it.",
    ],
    source: "Attack path of federated credentials on identities (Azure privileged IAM, MIT); MITRE ATT&CK T1098.001; the list of hosts is ours",
    severity: Severity::High,
    parameters: &[],
    act_on_one: "Confirm or remove trust in an unknown issuer",
    act_on_many: "Confirm or remove trust in {} unknown issuers",
};

/// Trusted issuers are known ones.
pub(crate) struct Fed002;

fn host(issuer: &str) -> &str {
    let rest = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host)
}

fn is_known(issuer: &str, tenant: &str) -> bool {
    let host = host(issuer).to_ascii_lowercase();
    let own = matches!(
        host.as_str(),
        "login.microsoftonline.com" | "sts.windows.net"
    );
    (own && issuer.split('/').any(|part| part == tenant))
        || KNOWN_ISSUER_HOSTS
            .iter()
            .any(|known| host == *known || (known.starts_with('.') && host.ends_with(known)))
}

impl Check for Fed002 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::CREDENTIALS,
            |identity| identity.federated().next().is_some(),
            |identity| {
                identity
                    .federated()
                    .filter_map(|held| {
                        let issuer = held.credential().issuer.as_deref()?;
                        if is_known(issuer, &identity.subject.tenant) {
                            return None;
                        }
                        let statement =
                            format!("{} trusts the issuer {}.", held.words(), quoted(issuer));
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
    fn an_issuer_of_ones_own_is_found() {
        let mut fixture = Fixture::healthy();
        let position = fixture.federated(BILLING_APP, "https://idp.attacker.example/", "me");
        assert_eq!(fixture.only(&Fed002).evidence.positions(), [position]);
    }

    #[test]
    fn a_host_that_only_looks_known_is_not() {
        assert!(is_known("https://gitlab.com", "t"));
        assert!(is_known("https://weu.oic.prod-aks.azure.com/x/y/", "t"));
        assert!(is_known("https://login.microsoftonline.com/t/v2.0", "t"));
        assert!(!is_known(
            "https://login.microsoftonline.com/other/v2.0",
            "t"
        ));
        assert!(!is_known("https://gitlab.com.attacker.example", "t"));
        assert!(!is_known("https://gitlab.com@attacker.example", "t"));
    }
}
