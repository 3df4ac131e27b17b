//! Questions to state: what held at an instant.

use jiff::Timestamp;
use ledger::event::StreamName;
use ledger::event::credential::Credential;
use ledger::event::grant::{AppRole, Delegated, Role};
use ledger::event::identity::Owner;
use ledger::event::policy::AccessPolicy;
use ledger::event::risk::Level;
use serde_json::Value;

use super::class::text;
use super::{Coverage, IdentityClass, Span, State, Subject};

/// The spans that hold at an instant.
fn held<T>(spans: &[Span<T>], at: Timestamp) -> impl Iterator<Item = &Span<T>> {
    spans.iter().filter(move |span| span.holds_at(at))
}

impl Subject {
    /// The span of an attribute at an instant. Before the attribute was first told, the first
    /// value told: snapshots come later than what they show.
    pub fn attribute_span(&self, name: &str, at: Timestamp) -> Option<&Span<Value>> {
        let spans = self.attributes.get(name)?;
        held(spans, at)
            .next()
            .or_else(|| spans.first().filter(|first| at < first.from))
    }

    /// An attribute's value at an instant, as [`Subject::attribute_span`].
    pub fn attribute(&self, name: &str, at: Timestamp) -> Option<&Value> {
        self.attribute_span(name, at).map(|span| &span.value)
    }

    /// An attribute's text at an instant, if it is text and not empty.
    pub fn attribute_text(&self, name: &str, at: Timestamp) -> Option<&str> {
        self.attribute(name, at).and_then(text)
    }

    /// Display name at an instant; else the name its sign-ins gave; else the object id.
    pub fn display_name(&self, at: Timestamp) -> &str {
        self.attribute_text("displayName", at)
            .or_else(|| self.attribute_text("appDisplayName", at))
            .or(self.activity.name.as_deref())
            .unwrap_or(&self.object_id)
    }

    /// Application id at an instant; else the one its sign-ins gave.
    pub fn app_id(&self, at: Timestamp) -> Option<&str> {
        self.attribute_text("appId", at)
            .or(self.activity.app_id.as_deref())
    }

    /// Whether it existed, not deleted, at an instant.
    pub fn exists_at(&self, at: Timestamp) -> bool {
        held(&self.existence, at).next().is_some()
    }

    /// Whether it was allowed to sign in at an instant; true unless the contrary is known.
    pub fn enabled_at(&self, at: Timestamp) -> bool {
        held(&self.enabled, at)
            .next()
            .or_else(|| self.enabled.first())
            .is_none_or(|span| span.value)
    }

    /// Credentials it carried itself at an instant, expired ones included.
    pub fn credentials_at(&self, at: Timestamp) -> impl Iterator<Item = &Span<Credential>> {
        held(&self.credentials, at)
    }

    /// Directory owners at an instant.
    pub fn owners_at(&self, at: Timestamp) -> impl Iterator<Item = &Span<Owner>> {
        held(&self.owners, at)
    }

    /// Application permissions at an instant.
    pub fn app_roles_at(&self, at: Timestamp) -> impl Iterator<Item = &Span<AppRole>> {
        held(&self.app_roles, at)
    }

    /// Delegated grants at an instant.
    pub fn delegated_at(&self, at: Timestamp) -> impl Iterator<Item = &Span<Delegated>> {
        held(&self.delegated, at)
    }

    /// Directory roles at an instant, without those whose end had passed.
    pub fn roles_at(&self, at: Timestamp) -> impl Iterator<Item = &Span<Role>> {
        held(&self.roles, at).filter(move |span| span.value.ends_at.is_none_or(|end| at < end))
    }

    /// Risk at an instant.
    pub fn risk_at(&self, at: Timestamp) -> Option<&Span<Level>> {
        held(&self.risk, at).next()
    }

    /// Whose it was at an instant; before its first existence, the first class.
    pub fn class(&self, at: Timestamp) -> IdentityClass {
        self.class_span(at)
            .map_or(IdentityClass::Unclassified, |span| span.value)
    }

    /// The span of its class at an instant, as [`Subject::class`].
    pub fn class_span(&self, at: Timestamp) -> Option<&Span<IdentityClass>> {
        held(&self.classes, at)
            .next()
            .or_else(|| self.classes.first())
    }
}

impl IdentityClass {
    /// The class's name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SingleTenant => "single_tenant",
            Self::MultiTenant => "multi_tenant",
            Self::ThirdParty => "third_party",
            Self::Microsoft => "microsoft",
            Self::ManagedIdentity => "managed_identity",
            Self::Agent => "agent",
            Self::Unclassified => "unclassified",
        }
    }
}

impl State {
    /// The application in this tenant that an identity is of, by application id. One that was
    /// deleted since is returned too; ask it whether it exists.
    pub fn application_for(&self, identity: &Subject, at: Timestamp) -> Option<&Subject> {
        let app_id = identity.app_id(at)?;
        let key = (identity.tenant.clone(), app_id.to_owned());
        self.applications.get(self.application_of.get(&key)?)
    }

    /// Credentials that prove an identity at an instant: its own and its application's.
    pub fn credentials_of<'a>(
        &'a self,
        identity: &'a Subject,
        at: Timestamp,
    ) -> Vec<&'a Span<Credential>> {
        let application = self
            .application_for(identity, at)
            .filter(|application| application.exists_at(at));
        let of_application = application
            .into_iter()
            .flat_map(|one| one.credentials_at(at));
        identity.credentials_at(at).chain(of_application).collect()
    }

    /// Identities by object id, application id, stream name or exact display name (letter case
    /// aside), names as last known. In order of stream.
    pub fn find(&self, wanted: &str) -> Vec<&Subject> {
        let latest = self.latest.unwrap_or(Timestamp::MAX);
        let name = wanted.to_lowercase();
        self.identities
            .values()
            .filter(|subject| {
                subject.object_id.eq_ignore_ascii_case(wanted)
                    || subject.stream.as_str() == wanted
                    || subject
                        .app_id(latest)
                        .is_some_and(|app_id| app_id.eq_ignore_ascii_case(wanted))
                    || subject.display_name(latest).to_lowercase() == name
            })
            .collect()
    }

    /// An identity or application by stream.
    pub fn subject(&self, stream: &StreamName) -> Option<&Subject> {
        self.identities
            .get(stream)
            .or_else(|| self.applications.get(stream))
    }

    /// Conditional Access policies in force or not at an instant, with their streams.
    pub fn policies_at(
        &self,
        at: Timestamp,
    ) -> impl Iterator<Item = (&StreamName, &Span<AccessPolicy>)> {
        self.policies
            .iter()
            .flat_map(move |(stream, spans)| held(spans, at).map(move |span| (stream, span)))
    }

    /// What a source has told of a tenant, files without a tenant included.
    pub fn covered_by(&self, tenant: &str, source: &str) -> Option<&Coverage> {
        let of = |tenant: &str| self.coverage.get(&(tenant.to_owned(), source.to_owned()));
        of(tenant).or_else(|| of(""))
    }

    /// Tenants that any fact is about, in order.
    pub fn tenants(&self) -> Vec<&str> {
        let mut tenants: Vec<&str> = self
            .coverage
            .keys()
            .map(|(tenant, _)| tenant.as_str())
            .filter(|tenant| !tenant.is_empty())
            .collect();
        tenants.dedup();
        tenants
    }
}
