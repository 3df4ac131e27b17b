//! What kind of record an object is, recognised by its own fields.
//!
//! Field names are those of Microsoft Graph v1.0 and beta, of the Azure Monitor envelope
//! (`category` + `properties`) and of Log Analytics rows (Pascal case, `TimeGenerated`), matched
//! without regard to case. Logs of other things are recognised too, so that they are skipped by
//! name and not reported as damage.

mod foreign;
mod graph;

use std::borrow::Cow;

use crate::record::excerpt::excerpt_of;
use crate::record::fields::Fields;

pub(crate) use graph::application_of;

/// Longest name of a skipped activity, in characters.
const ACTIVITY_CHARACTERS_MAX: usize = 120;
/// Names shown of an object of unknown shape.
const NAMES_SHOWN_MAX: usize = 6;

/// Kinds of records that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Shape {
    /// Directory audit record.
    Audit,
    /// Sign-in of a service principal.
    ServicePrincipalSignIn,
    /// Sign-in of a managed identity.
    ManagedIdentitySignIn,
    /// Risk detection on a service principal.
    RiskDetection,
    /// Risk state of a service principal.
    RiskyServicePrincipal,
    /// Service principal as it is.
    ServicePrincipal,
    /// Application as it is.
    Application,
    /// Federated credential of an application, as it is.
    FederatedCredential,
    /// Application permission as granted.
    AppRoleAssignment,
    /// Delegated permission as granted.
    Oauth2PermissionGrant,
    /// Directory role as assigned.
    RoleAssignment,
    /// Conditional Access policy as it is.
    AccessPolicy,
    /// Named location as it is.
    NamedLocation,
    /// SKU the tenant has.
    SubscribedSku,
    /// Subscription of the tenant.
    Subscription,
}

impl Shape {
    /// Every shape, and the name of the source it speaks for.
    pub const ALL: [(Self, &'static str); 15] = [
        (Self::Audit, "graph/directoryAudit"),
        (Self::ServicePrincipalSignIn, "graph/servicePrincipalSignIn"),
        (Self::ManagedIdentitySignIn, "graph/managedIdentitySignIn"),
        (Self::RiskDetection, "graph/servicePrincipalRiskDetection"),
        (Self::RiskyServicePrincipal, "graph/riskyServicePrincipal"),
        (Self::ServicePrincipal, "graph/servicePrincipal"),
        (Self::Application, "graph/application"),
        (
            Self::FederatedCredential,
            "graph/federatedIdentityCredential",
        ),
        (Self::AppRoleAssignment, "graph/appRoleAssignment"),
        (Self::Oauth2PermissionGrant, "graph/oauth2PermissionGrant"),
        (Self::RoleAssignment, "graph/roleAssignment"),
        (Self::AccessPolicy, "graph/conditionalAccessPolicy"),
        (Self::NamedLocation, "graph/namedLocation"),
        (Self::SubscribedSku, "graph/subscribedSku"),
        (Self::Subscription, "graph/subscription"),
    ];

    /// Name of the source, such as `graph/directoryAudit`.
    pub fn source(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(shape, _)| *shape == self)
            .map_or("", |(_, name)| name)
    }

    /// The shape whose source has that name, with or without `graph/`.
    pub fn from_name(name: &str) -> Option<Self> {
        let name = name.strip_prefix("graph/").unwrap_or(name);
        Self::ALL
            .iter()
            .find(|(_, known)| known.strip_prefix("graph/") == Some(name))
            .map(|(shape, _)| *shape)
    }
}

/// What an object was recognised as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Recognised {
    /// A record of this shape.
    Shape(Shape),
    /// A record that does not concern workload identities: name of its activity or category.
    Skip(String),
    /// No shape this version reads.
    Unknown,
}

impl Recognised {
    pub(crate) fn skip(name: &str) -> Self {
        Self::Skip(excerpt_of(name.trim(), ACTIVITY_CHARACTERS_MAX))
    }
}

/// Recognises an object by its fields, with the context of the page it is on as a hint.
pub(crate) fn recognise(fields: &Fields<'_>, context: Option<&str>) -> Recognised {
    if let Some(found) = envelope(fields) {
        return found;
    }
    if let Some(found) = row(fields) {
        return found;
    }
    if let Some(found) = graph::by_fields(fields) {
        return found;
    }
    let own = fields.text("@odata.context");
    if let Some(found) = context
        .or(own.as_deref())
        .and_then(|context| graph::by_context(context, fields))
    {
        return found;
    }
    foreign::recognise(fields).unwrap_or(Recognised::Unknown)
}

/// Diagnostic category of a log that is read, and its shape.
fn shape_of_category(category: &str) -> Option<Shape> {
    const CATEGORIES: [(&str, Shape); 6] = [
        ("ServicePrincipalSignInLogs", Shape::ServicePrincipalSignIn),
        ("ManagedIdentitySignInLogs", Shape::ManagedIdentitySignIn),
        ("AuditLogs", Shape::Audit),
        ("CustomSecurityAttributeAuditLogs", Shape::Audit),
        ("RiskyServicePrincipals", Shape::RiskyServicePrincipal),
        ("ServicePrincipalRiskEvents", Shape::RiskDetection),
    ];
    let category = category.strip_prefix("AAD").unwrap_or(category);
    CATEGORIES
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(category))
        .map(|(_, shape)| *shape)
}

/// Azure Monitor envelope: `category` and `properties`. Some tools write the category of the audit
/// record itself there.
fn envelope(fields: &Fields<'_>) -> Option<Recognised> {
    let category = fields.text("category")?;
    let inner = fields.inner("properties")?;
    if let Some(shape) = shape_of_category(&category) {
        return Some(Recognised::Shape(shape));
    }
    let properties = Fields::parse(&inner).ok();
    if properties.is_some_and(|inner| inner.has("activityDisplayName")) {
        return Some(Recognised::Shape(Shape::Audit));
    }
    (fields.has("operationName") || fields.has("resourceId")).then(|| Recognised::skip(&category))
}

/// Log Analytics row: `Type` names the table. Query results may have lost either column.
fn row(fields: &Fields<'_>) -> Option<Recognised> {
    let is_row = is_row(fields);
    if fields.has("targetResources")
        && (fields.has("activityDisplayName") || fields.has("operationName"))
    {
        return Some(Recognised::Shape(Shape::Audit));
    }
    if !is_row {
        return None;
    }
    let named = fields
        .text("category")
        .filter(|name| shape_of_category(name).is_some());
    let table = named.or_else(|| fields.text("type"))?;
    Some(match shape_of_category(&table) {
        Some(shape) => Recognised::Shape(shape),
        None => Recognised::skip(&table),
    })
}

/// Whether the object is a Log Analytics row, in which `TenantId` is the workspace.
pub(crate) fn is_row(fields: &Fields<'_>) -> bool {
    fields.names().any(|name| {
        name.get(..13)
            .is_some_and(|start| start.eq_ignore_ascii_case("TimeGenerated"))
    })
}

/// What wraps a single record: pipelines put the original under one of these names, some as text.
const WRAPPING_NAMES: [&str; 9] = [
    "input",
    "message",
    "log",
    "event",
    "detail",
    "record",
    "_raw",
    "original",
    "o365audit",
];

/// JSON of the object this object wraps, if it does.
pub(crate) fn unwrapped<'a>(fields: &Fields<'a>) -> Option<Cow<'a, str>> {
    WRAPPING_NAMES.iter().find_map(|name| {
        fields
            .inner(name)
            .filter(|inner| inner.trim_start().starts_with('{'))
    })
}

/// What an object of unknown shape looks like.
pub(crate) fn describe(fields: &Fields<'_>) -> String {
    let names: Vec<String> = fields
        .names()
        .take(NAMES_SHOWN_MAX)
        .map(|name| format!("`{}`", excerpt_of(name, 30)))
        .collect();
    if names.is_empty() {
        return "an empty object".to_owned();
    }
    let more = if fields.names().nth(NAMES_SHOWN_MAX).is_some() {
        ", …"
    } else {
        ""
    };
    format!("an object with the fields {}{more}", names.join(", "))
}

#[cfg(test)]
mod tests;
