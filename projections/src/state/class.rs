//! Whose an identity is, over time.
//!
//! Classes follow Microsoft's rules for what Conditional Access and Identity Protection cover:
//! apps registered in the tenant and open to this tenant only, those open to others, other
//! organisations' apps, Microsoft's own, managed identities, agent identities.

use jiff::Timestamp;
use ledger::event::identity::ObjectKind;
use serde_json::Value;

use super::spans::cite;
use super::{IdentityClass, Span, State, Subject};

/// Tenants in which Microsoft registers its own apps: Microsoft Services and Microsoft.
pub const MICROSOFT_TENANTS: [&str; 2] = [
    "f8cdef31-a31e-4b4a-93e4-5f571e91255a",
    "72f988bf-86f1-41af-91ab-2d7cd011db47",
];

/// Attributes that decide the class.
const DECIDING: [&str; 5] = [
    "appId",
    "appOwnerOrganizationId",
    "odataType",
    "servicePrincipalType",
    "signInAudience",
];

/// The classes of an identity, contiguous from its first existence. Empty for an application.
pub(crate) fn over_time(state: &State, subject: &Subject) -> Vec<Span<IdentityClass>> {
    if subject.kind == ObjectKind::Application {
        return Vec::new();
    }
    let Some(start) = subject.existence.first() else {
        return Vec::new();
    };
    let mut instants = vec![start.from];
    let application = state.application_for(subject, Timestamp::MAX);
    for of in std::iter::once(subject).chain(application) {
        for name in DECIDING {
            for span in of.attributes.get(name).into_iter().flatten() {
                instants.push(span.from);
                instants.extend(span.to);
            }
        }
    }
    instants.retain(|at| *at >= start.from);
    instants.sort_unstable();
    instants.dedup();
    let mut classes: Vec<Span<IdentityClass>> = Vec::new();
    for at in instants {
        let mut reading = Reading::new(at);
        let value = reading.class(subject, application);
        if reading.evidence.is_empty() {
            cite(&mut reading.evidence, &start.opened);
        }
        match classes.last_mut() {
            Some(last) if last.value == value => {}
            last => {
                if let Some(last) = last {
                    last.to = Some(at);
                    cite(&mut last.closed, &reading.evidence);
                }
                classes.push(Span {
                    value,
                    from: at,
                    to: None,
                    opened: reading.evidence,
                    closed: Vec::new(),
                });
            }
        }
    }
    classes
}

/// Reads attributes at one instant and remembers what was read.
struct Reading {
    at: Timestamp,
    evidence: Vec<u64>,
}

impl Reading {
    fn new(at: Timestamp) -> Self {
        Self {
            at,
            evidence: Vec::new(),
        }
    }

    fn text<'a>(&mut self, subject: &'a Subject, name: &str) -> Option<&'a str> {
        let span = subject.attribute_span(name, self.at)?;
        cite(&mut self.evidence, &span.opened);
        span.value.as_str().filter(|text| !text.is_empty())
    }

    fn class(&mut self, subject: &Subject, application: Option<&Subject>) -> IdentityClass {
        let odata = self.text(subject, "odataType").unwrap_or("");
        let kind = self.text(subject, "servicePrincipalType").unwrap_or("");
        let agent = odata
            .rsplit('.')
            .next()
            .is_some_and(|name| name.starts_with("agentIdentity"));
        if agent || kind == "ServiceIdentity" {
            return IdentityClass::Agent;
        }
        if kind == "ManagedIdentity" {
            return IdentityClass::ManagedIdentity;
        }
        if kind.is_empty() && subject.activity.managed_identity {
            let seen = subject.activity.earliest.map(|seen| seen.position);
            cite(&mut self.evidence, seen.as_slice());
            return IdentityClass::ManagedIdentity;
        }
        if !kind.is_empty() && kind != "Application" {
            return IdentityClass::Unclassified;
        }
        let owner = self.text(subject, "appOwnerOrganizationId");
        let own = owner.is_some_and(|owner| owner.eq_ignore_ascii_case(&subject.tenant))
            || application.is_some();
        if own {
            return self.own(subject, application);
        }
        match owner {
            Some(owner) if is_microsoft(owner) => IdentityClass::Microsoft,
            Some(_) => IdentityClass::ThirdParty,
            None => IdentityClass::Unclassified,
        }
    }

    /// An app registered here is single-tenant when its audience says so. An unknown audience is
    /// not guessed: single-tenant is what costs money.
    fn own(&mut self, subject: &Subject, application: Option<&Subject>) -> IdentityClass {
        if let Some(application) = application {
            for one in [subject, application] {
                self.text(one, "appId");
            }
        }
        let audience = self.text(subject, "signInAudience").or_else(|| {
            application.and_then(|application| self.text(application, "signInAudience"))
        });
        match audience {
            Some("AzureADMyOrg") => IdentityClass::SingleTenant,
            Some(_) => IdentityClass::MultiTenant,
            None => IdentityClass::Unclassified,
        }
    }
}

/// Whether a tenant is one of Microsoft's own.
pub fn is_microsoft(tenant: &str) -> bool {
    MICROSOFT_TENANTS
        .iter()
        .any(|known| known.eq_ignore_ascii_case(tenant))
}

/// Text of an attribute value.
pub(crate) fn text(value: &Value) -> Option<&str> {
    value.as_str().filter(|text| !text.is_empty())
}
