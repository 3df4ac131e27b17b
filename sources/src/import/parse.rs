//! One record parsed by itself, on any core: everything that needs no other record.

use std::borrow::Cow;

use jiff::Timestamp;
use ledger::{Event, Source};
use serde_json::Value;

use super::Format;
use crate::audit::AuditRecord;
use crate::licence;
use crate::origin::{Enveloped, Origin};
use crate::outcome::{Outcome, Reason};
use crate::record::excerpt::missing;
use crate::record::fields::Fields;
use crate::record::row;
use crate::risk;
use crate::shape::{self, Recognised, Shape};
use crate::signin;
use crate::snapshot::SnapshotKind;

/// Wrappers within wrappers that are opened.
const WRAPPERS_MAX: usize = 4;

/// What every record of a file is read with.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading<'a> {
    /// Tenant whatever the records say.
    pub tenant: Option<&'a str>,
    /// Tenant of records that name none.
    pub fallback: &'a str,
    pub observed_at: Timestamp,
    pub private_network: bool,
    pub format: Format,
}

/// One parsed record.
#[derive(Debug)]
pub(super) struct Entry {
    /// 1-based line where it starts.
    pub line: u64,
    /// Its length.
    pub bytes: usize,
    /// What it was recognised as.
    pub shape: Option<Shape>,
    pub parsed: Parsed,
}

/// What a record says by itself.
#[derive(Debug)]
pub(super) enum Parsed {
    /// This fact, whatever else is known.
    Event(Box<Event>),
    /// This entitlement, if it is not already known.
    Entitlement(Box<Event>),
    /// Part of a change that other records may report too.
    Audit {
        tenant: String,
        record: Box<AuditRecord>,
    },
    /// How an object is, to be compared with what is known of it.
    Snapshot {
        tenant: String,
        kind: SnapshotKind,
        value: Box<Value>,
        source: Source,
    },
    /// Not about workload identities: name of its activity.
    Skipped(String),
    /// Cannot be read.
    Rejected(Reason),
}

/// A record as it was read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Raw<'a> {
    /// 1-based line where it starts.
    pub line: u64,
    pub bytes: &'a [u8],
    /// `@odata.context` of its page.
    pub context: Option<&'a str>,
    /// Columns of the table it is a row of.
    pub columns: Option<&'a [String]>,
}

/// Parses one record.
pub(super) fn parse(raw: Raw<'_>, reading: &Reading<'_>) -> Entry {
    let (shape, parsed) = match text(raw) {
        Ok(text) => unwrap(&text, raw, reading),
        Err(reason) => (None, Parsed::Rejected(reason)),
    };
    Entry {
        line: raw.line,
        bytes: raw.bytes.len(),
        shape,
        parsed,
    }
}

fn text(raw: Raw<'_>) -> Result<Cow<'_, str>, Reason> {
    let text = std::str::from_utf8(raw.bytes).map_err(|error| Reason::NotUtf8 {
        byte: error.valid_up_to(),
    })?;
    match raw.columns {
        Some(columns) => row::object(text, columns),
        None => Ok(Cow::Borrowed(text)),
    }
}

/// Recognises the record, or the one it wraps.
fn unwrap(text: &str, raw: Raw<'_>, reading: &Reading<'_>) -> (Option<Shape>, Parsed) {
    let mut text = Cow::Borrowed(text);
    // What the outermost object looks like, when it wraps another.
    let mut outermost = None;
    for level in 0..=WRAPPERS_MAX {
        let fields = match Fields::parse(&text) {
            Ok(fields) => fields,
            Err(error) => {
                let reason = outermost.unwrap_or_else(|| not_json(&text, &error));
                return (None, Parsed::Rejected(reason));
            }
        };
        match shape::recognise(&fields, raw.context) {
            Recognised::Shape(shape) => {
                return match reading.format {
                    Format::Only(wanted) if shape != wanted => (None, not_of(shape, wanted)),
                    _ => read(shape, &fields, &text, (raw, reading)),
                };
            }
            Recognised::Skip(name) => return (None, Parsed::Skipped(name)),
            Recognised::Unknown => {}
        }
        let inner = shape::unwrapped(&fields).filter(|_| level < WRAPPERS_MAX);
        if inner.is_none()
            && level == 0
            && let Format::Only(shape) = reading.format
        {
            return read(shape, &fields, &text, (raw, reading));
        }
        let detail = shape::describe(&fields);
        let reason = outermost.take().unwrap_or(Reason::UnknownShape { detail });
        let Some(inner) = inner.map(Cow::into_owned) else {
            return (None, Parsed::Rejected(reason));
        };
        outermost = Some(reason);
        text = Cow::Owned(inner);
    }
    (None, Parsed::Rejected(outermost.unwrap_or(Reason::CutOff)))
}

fn not_of(shape: Shape, wanted: Shape) -> Parsed {
    let detail = format!(
        "a record of `{}`, not of `{}`",
        shape.source(),
        wanted.source()
    );
    Parsed::Rejected(Reason::UnknownShape { detail })
}

fn not_json(text: &str, error: &serde_json::Error) -> Reason {
    if error.is_eof() {
        return Reason::CutOff;
    }
    if text.starts_with('[') {
        let detail = "an array element that is not an object".to_owned();
        return Reason::UnknownShape { detail };
    }
    Reason::NotJson {
        detail: error.to_string(),
    }
}

/// Reads a record of a known shape.
fn read(
    shape: Shape,
    outer: &Fields<'_>,
    text: &str,
    (raw, reading): (Raw<'_>, &Reading<'_>),
) -> (Option<Shape>, Parsed) {
    let properties = outer.inner("properties");
    let inner = match properties.as_deref().map(Fields::parse) {
        Some(Ok(inner)) => Some(inner),
        Some(Err(error)) => return (None, Parsed::Rejected(not_json("", &error))),
        None => None,
    };
    let record = Enveloped {
        outer,
        inner: inner.as_ref().unwrap_or(outer),
    };
    let tenant = tenant(record, reading);
    let digest = blake3::hash(raw.bytes).to_hex();
    let origin = Origin {
        tenant: &tenant,
        shape,
        digest: &digest,
        observed_at: reading.observed_at,
        private_network: reading.private_network,
    };
    let parsed = read_as(record, text, &origin, raw.context).unwrap_or_else(Parsed::Rejected);
    (Some(shape), parsed)
}

fn read_as(
    record: Enveloped<'_, '_>,
    text: &str,
    origin: &Origin<'_>,
    context: Option<&str>,
) -> Result<Parsed, Reason> {
    let event = |event: Event| Parsed::Event(Box::new(event));
    let snapshot = |kind: SnapshotKind| {
        Ok::<_, Reason>(Parsed::Snapshot {
            tenant: origin.tenant.to_owned(),
            kind,
            value: Box::new(value(text)?),
            source: origin.source(record.inner.owned("id")),
        })
    };
    Ok(match origin.shape {
        Shape::ServicePrincipalSignIn | Shape::ManagedIdentitySignIn => {
            event(signin::interpret(record, origin)?)
        }
        Shape::RiskDetection => event(risk::detection(record, origin)?),
        Shape::RiskyServicePrincipal => event(risk::level(record, origin)?),
        Shape::SubscribedSku => {
            Parsed::Entitlement(Box::new(licence::entitlement(record, origin)?))
        }
        Shape::Subscription => match licence::subscription(record, origin)? {
            Outcome::Events(events) => match events.into_iter().next() {
                Some(trial) => event(trial),
                None => Parsed::Skipped("subscription".to_owned()),
            },
            Outcome::Skipped(name) => Parsed::Skipped(name),
            Outcome::Rejected(reason) => Parsed::Rejected(reason),
            Outcome::Unchanged => Parsed::Skipped("subscription".to_owned()),
        },
        Shape::Audit => {
            let value = value(text)?;
            let mut audit = AuditRecord::parse(&value, origin.source(None))?;
            audit.tenant = Some(origin.tenant.to_owned());
            Parsed::Audit {
                tenant: origin.tenant.to_owned(),
                record: Box::new(audit),
            }
        }
        Shape::ServicePrincipal => snapshot(SnapshotKind::ServicePrincipal)?,
        Shape::Application => snapshot(SnapshotKind::Application)?,
        Shape::AppRoleAssignment => snapshot(SnapshotKind::AppRoleAssignment)?,
        Shape::Oauth2PermissionGrant => snapshot(SnapshotKind::OAuth2PermissionGrant)?,
        Shape::RoleAssignment => snapshot(SnapshotKind::RoleAssignment)?,
        Shape::AccessPolicy => snapshot(SnapshotKind::ConditionalAccessPolicy)?,
        Shape::NamedLocation => snapshot(SnapshotKind::NamedLocation)?,
        Shape::FederatedCredential => {
            let own = record.outer.text("@odata.context");
            let application_id = context
                .and_then(shape::application_of)
                .or_else(|| own.as_deref().and_then(shape::application_of))
                .ok_or_else(|| missing("@odata.context"))?
                .to_owned();
            snapshot(SnapshotKind::FederatedCredential { application_id })?
        }
    })
}

fn value(text: &str) -> Result<Value, Reason> {
    serde_json::from_str(text).map_err(|error| not_json("", &error))
}

/// Tenant of a record: as told, else as the record says, else the ledger's.
fn tenant(record: Enveloped<'_, '_>, reading: &Reading<'_>) -> String {
    if let Some(tenant) = reading.tenant {
        return tenant.to_owned();
    }
    let outer = record.outer;
    // In a Log Analytics row `TenantId` is the workspace.
    let direct = outer.text("AADTenantId").or_else(|| {
        if shape::is_row(outer) {
            None
        } else {
            outer
                .text("tenantId")
                .or_else(|| record.inner.text("tenantId"))
        }
    });
    let tenant = direct
        .map(Cow::into_owned)
        .or_else(|| tenant_of_path(&outer.text("resourceId")?));
    tenant.map_or_else(
        || reading.fallback.to_owned(),
        |tenant| tenant.trim().to_ascii_lowercase(),
    )
}

/// `/tenants/<tenant>/providers/Microsoft.aadiam`
fn tenant_of_path(path: &str) -> Option<String> {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let first = parts.next()?;
    let tenant = parts.next()?;
    first
        .eq_ignore_ascii_case("tenants")
        .then(|| tenant.to_owned())
}
