//! One identity at one instant.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::event::credential::Credential;
use ledger::event::grant::{AppRole, Delegated, Role};
use ledger::event::identity::{ObjectKind, Owner};
use ledger::event::risk::Level;
use ledger::event::{Position, StreamName};
use projections::state::{IdentityClass, Span, Subject};
use serde_json::Value;

use super::UNUSED_DAYS;
use super::held::{Held, LastUse};
use crate::calendar::days_between;
use crate::finding::Severity;
use crate::tier::Tier;

/// What was true of one identity at one instant.
#[derive(Debug)]
pub struct Identity<'a> {
    /// Its stream.
    pub stream: &'a StreamName,
    /// All that is known of it.
    pub subject: &'a Subject,
    /// The application behind it, in its tenant.
    pub application: Option<&'a Subject>,
    /// Whether that application existed.
    pub application_exists: bool,
    /// Whose it is.
    pub class: IdentityClass,
    /// Display name, else the name its sign-ins or application gave, else the object id.
    pub name: &'a str,
    /// Whether it may sign in.
    pub enabled: bool,
    /// Credentials, its own and its application's.
    pub credentials: Vec<Held<'a>>,
    /// Directory owners, its own and its application's.
    pub owners: Vec<&'a Span<Owner>>,
    /// Application permissions.
    pub app_roles: Vec<&'a Span<AppRole>>,
    /// Delegated grants.
    pub delegated: Vec<&'a Span<Delegated>>,
    /// Directory roles.
    pub roles: Vec<&'a Span<Role>>,
    /// Risk.
    pub risk: Option<&'a Span<Level>>,
    /// What it can take over.
    pub tier: Tier,
    /// Last successful sign-in.
    pub last_use: LastUse,
    /// Whether it signs people in with SAML.
    saml: bool,
    at: Timestamp,
}

/// Spans that hold at an instant.
fn holding<T>(spans: &[Span<T>], at: Timestamp) -> impl Iterator<Item = &Span<T>> {
    spans.iter().filter(move |span| span.holds_at(at))
}

/// An attribute of an object at an instant and the events that set it; `null` is absent.
fn attribute<'a>(subject: &'a Subject, name: &str, at: Timestamp) -> Option<&'a Span<Value>> {
    subject
        .attribute_span(name, at)
        .filter(|span| !span.value.is_null())
}

/// Whose an object is; an application is of this tenant, and its audience tells the rest.
fn class_of(subject: &Subject, at: Timestamp) -> IdentityClass {
    if subject.kind == ObjectKind::ServicePrincipal {
        return subject.class(at);
    }
    match subject.attribute_text("signInAudience", at) {
        Some("AzureADMyOrg") => IdentityClass::SingleTenant,
        Some(_) => IdentityClass::MultiTenant,
        None => IdentityClass::Unclassified,
    }
}

impl<'a> Identity<'a> {
    /// Gathers what was true of one object.
    pub(super) fn new(
        subject: &'a Subject,
        application: Option<&'a Subject>,
        app_ids: &BTreeMap<(&str, &str), &'a str>,
        at: Timestamp,
        pruned_until: Option<Timestamp>,
    ) -> Self {
        let began = subject.created_at.unwrap_or(subject.registered.at);
        let application_exists = application.is_some_and(|application| application.exists_at(at));
        let carriers: Vec<&'a Subject> =
            [Some(subject), application.filter(|_| application_exists)]
                .into_iter()
                .flatten()
                .collect();
        let app_roles: Vec<_> = holding(&subject.app_roles, at).collect();
        let delegated: Vec<_> = holding(&subject.delegated, at).collect();
        let roles: Vec<_> = subject.roles_at(at).collect();
        let tier = Tier::from_grants(
            app_roles.iter().map(|span| {
                let key = (subject.tenant.as_str(), span.value.resource_id.as_str());
                (*span, app_ids.get(&key).copied())
            }),
            delegated.iter().copied(),
            roles.iter().copied(),
        );
        let activity = &subject.activity;
        Self {
            stream: &subject.stream,
            subject,
            application,
            application_exists,
            class: class_of(subject, at),
            name: name_of(subject, application, at),
            enabled: subject.enabled_at(at),
            credentials: carriers
                .iter()
                .flat_map(|carrier| {
                    holding(&carrier.credentials, at).map(|span| Held {
                        span,
                        carrier,
                        last_use: credential_use(subject, &span.value, at)
                            .or_pruned(began, pruned_until),
                    })
                })
                .collect(),
            owners: carriers
                .iter()
                .flat_map(|carrier| holding(&carrier.owners, at))
                .collect(),
            app_roles,
            delegated,
            roles,
            risk: holding(&subject.risk, at).last(),
            tier,
            last_use: LastUse::new(activity.first, activity.last, activity.woke, at)
                .or_pruned(began, pruned_until),
            saml: subject.attribute_text("preferredSingleSignOnMode", at) == Some("saml"),
            at,
        }
    }

    /// Whether it is looked at: everything but Microsoft's own.
    pub fn in_scope(&self) -> bool {
        self.class != IdentityClass::Microsoft
    }

    /// Whether it is a managed identity: its keys are made and rotated by the platform.
    pub fn is_managed(&self) -> bool {
        self.class == IdentityClass::ManagedIdentity
    }

    /// Whether its application is registered in this tenant.
    pub fn is_own(&self) -> bool {
        matches!(
            self.class,
            IdentityClass::SingleTenant | IdentityClass::MultiTenant
        )
    }

    /// Whether it can sign in at all: an application alone cannot.
    pub fn is_service_principal(&self) -> bool {
        self.subject.kind == ObjectKind::ServicePrincipal
    }

    /// Secrets, certificates and keys people have to look after, valid or not. Exempt: managed
    /// identities, and what belongs to SAML single sign-on.
    pub fn kept_credentials(&self) -> impl Iterator<Item = &Held<'a>> {
        let (exempt, saml) = (self.is_managed(), self.saml);
        self.credentials.iter().filter(move |held| {
            let is_saml = saml && held.credential().origin == ObjectKind::ServicePrincipal;
            !exempt && !is_saml && held.is_login() && !held.is_federated()
        })
    }

    /// The kept credentials that are in force.
    pub fn valid_credentials(&self) -> impl Iterator<Item = &Held<'a>> {
        let at = self.at;
        self.kept_credentials()
            .filter(move |held| held.valid_at(at))
    }

    /// Federated credentials.
    pub fn federated(&self) -> impl Iterator<Item = &Held<'a>> {
        self.credentials.iter().filter(|held| held.is_federated())
    }

    /// A text attribute of it.
    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.subject.attribute_text(name, self.at)
    }

    /// An attribute of it, with the events that set it.
    pub fn attribute(&self, name: &str) -> Option<&'a Span<Value>> {
        attribute(self.subject, name, self.at)
    }

    /// An attribute of its application, or of itself when it is one.
    pub fn application_attribute(&self, name: &str) -> Option<&'a Span<Value>> {
        let object = self.registration()?;
        attribute(object, name, self.at)
    }

    /// The application object: the one behind it, or itself.
    pub fn registration(&self) -> Option<&'a Subject> {
        if self.is_service_principal() {
            self.application.filter(|_| self.application_exists)
        } else {
            Some(self.subject)
        }
    }

    /// Addresses tokens may be sent to, with the events that set them.
    pub fn reply_urls(&self) -> Vec<(&'a str, &'a Span<Value>)> {
        let from_application = self.application_attribute("replyUrls");
        let Some(span) = from_application.or_else(|| self.attribute("replyUrls")) else {
            return Vec::new();
        };
        span.value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|url| Some((url.as_str()?, span)))
            .collect()
    }

    /// When it was created, as far as known.
    pub fn created_at(&self) -> Timestamp {
        self.subject
            .created_at
            .unwrap_or(self.subject.registered.at)
    }

    /// Whole days since it was created.
    pub fn age_days(&self) -> i64 {
        days_between(self.created_at(), self.at)
    }

    /// The event that first told of it.
    pub fn registered(&self) -> Position {
        self.subject.registered.position
    }

    /// Events that opened every grant it holds.
    pub fn grant_evidence(&self) -> Vec<Position> {
        let app_roles = self.app_roles.iter().flat_map(|span| &span.opened);
        let delegated = self.delegated.iter().flat_map(|span| &span.opened);
        let roles = self.roles.iter().flat_map(|span| &span.opened);
        app_roles.chain(delegated).chain(roles).copied().collect()
    }

    /// Events that allowed or forbade sign-in last.
    pub fn enabled_evidence(&self) -> Vec<Position> {
        holding(&self.subject.enabled, self.at)
            .last()
            .map_or_else(|| vec![self.registered()], |span| span.opened.clone())
    }

    /// Severity adjusted to it: a step worse on tier 0, a step better when it is neither used nor
    /// able to prove itself. Without a history of sign-ins nothing counts as unused.
    pub fn severity_for(&self, base: Severity, use_known: bool) -> Severity {
        let idle = use_known
            && !self.is_managed()
            && !self.last_use.within(UNUSED_DAYS, self.at)
            && self.valid_credentials().next().is_none()
            && self.federated().next().is_none();
        match (self.tier.level(), idle) {
            (0, false) => base.raised(),
            (1.., true) => base.lowered(),
            (0, true) | (1.., false) => base,
        }
    }

    /// One of three severities by tier.
    pub fn severity_by_tier(
        &self,
        tier_0: Severity,
        tier_1: Severity,
        other: Severity,
    ) -> Severity {
        match self.tier.level() {
            0 => tier_0,
            1 => tier_1,
            _ => other,
        }
    }
}

fn name_of<'a>(subject: &'a Subject, application: Option<&'a Subject>, at: Timestamp) -> &'a str {
    let own = subject.display_name(at);
    match application.map(|application| application.display_name(at)) {
        Some(of_application) if own == subject.object_id => of_application,
        _ => own,
    }
}

/// When an identity last used one of its credentials; sign-ins are on the service principal.
fn credential_use(subject: &Subject, credential: &Credential, at: Timestamp) -> LastUse {
    let used = match &credential.federated_id {
        Some(id) => subject.activity.credentials.get(&format!("federated:{id}")),
        None => subject.activity.credentials.get(&credential.key_id),
    };
    LastUse::new(
        used.map(|used| used.first),
        used.map(|used| used.last),
        None,
        at,
    )
}
