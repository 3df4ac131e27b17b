//! EXT-001: apps open to other tenants are locked.

use projections::state::IdentityClass;

use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::finding::Severity;

static INFO: CheckInfo = CheckInfo {
    id: "EXT-001",
    area: Area::ThirdParty,
    title: "Apps open to other tenants lock the properties of their instances",
    why: "Without the lock, an administrator of any tenant that uses the app can add a credential to it there.",
    remediation: &["Turn on the app instance property lock for all properties."],
    source: "Microsoft Zero Trust Assessment 21777; MITRE ATT&CK T1098.001",
    severity: Severity::High,
    parameters: &[],
    act_on_one: "Lock the instances of an app open to other tenants",
    act_on_many: "Lock the instances of {} apps open to other tenants",
};

/// Apps open to other tenants are locked.
pub(crate) struct Ext001;

impl Check for Ext001 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        // Only a snapshot of applications says whether the lock is absent.
        question.ask(
            &INFO,
            Need::AnyOf(&["graph/application"]),
            |identity| {
                identity.class == IdentityClass::MultiTenant && identity.registration().is_some()
            },
            |identity| {
                let lock = identity.application_attribute("servicePrincipalLockConfiguration");
                let enabled = lock.and_then(|span| span.value.get("isEnabled"));
                if enabled.and_then(serde_json::Value::as_bool) == Some(true) {
                    return Vec::new();
                }
                let mut evidence = vec![identity.registered()];
                evidence.extend(lock.into_iter().flat_map(|span| &span.opened));
                evidence.extend(
                    identity
                        .application_attribute("signInAudience")
                        .into_iter()
                        .flat_map(|span| &span.opened),
                );
                let statement = "Open to other tenants, and its instances are not locked.";
                vec![Fault::new(INFO.severity, statement.to_owned(), evidence)]
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::{Fixture, PORTAL_APP};

    #[test]
    fn a_lock_that_is_off_or_absent_is_found() {
        let mut fixture = Fixture::healthy();
        let lock = "servicePrincipalLockConfiguration";
        let position = fixture.set(PORTAL_APP, lock, serde_json::json!({"isEnabled": false}));
        assert!(
            fixture
                .only(&Ext001)
                .evidence
                .positions()
                .contains(&position)
        );
        fixture.get(PORTAL_APP).attributes.remove(lock);
        fixture.only(&Ext001);
    }
}
