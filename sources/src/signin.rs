//! Sign-ins of service principals and managed identities.
//!
//! Microsoft Graph beta `signIn` (v1.0 has no sign-ins of workloads), the Azure Monitor envelope of
//! the same, and rows of the Log Analytics tables `AADServicePrincipalSignInLogs` and
//! `AADManagedIdentitySignInLogs`. All fields but the ids and the time are optional: older records
//! lack most of them, and managed identities have neither address nor place.

use std::net::IpAddr;

use ledger::event::activity::SignIn;
use ledger::{Correlation, Event, EventBody, NaturalKey, Precision, StreamName};
use serde_json::value::RawValue;

use crate::origin::{Enveloped, Origin};
use crate::outcome::Reason;
use crate::record::excerpt::bad_value;
use crate::record::fields::Fields;
use crate::shape::Shape;

/// `AADSTS53003`: blocked by Conditional Access.
const BLOCKED_BY_ACCESS_POLICY: i64 = 53_003;
/// How an absent id is written where the field is always there.
const ZERO_ID: &str = "00000000-0000-0000-0000-000000000000";

/// The event a sign-in record states.
pub(crate) fn interpret(record: Enveloped<'_, '_>, origin: &Origin<'_>) -> Result<Event, Reason> {
    let inner = record.inner;
    let sign_in_id = record.needed("id")?;
    let object_id = record.needed("servicePrincipalId")?;
    let occurred_at = record.time(&["createdDateTime", "TimeGenerated", "time"])?;
    let mut body = SignIn {
        app_id: inner.owned("appId").unwrap_or_default(),
        name: inner.owned("servicePrincipalName"),
        managed_identity: origin.shape == Shape::ManagedIdentitySignIn,
        credential_key_id: id(inner, "servicePrincipalCredentialKeyId"),
        federated_credential_id: id(inner, "federatedCredentialId"),
        credential_type: inner.owned("clientCredentialType"),
        resource_id: id(inner, "resourceIdentity").or_else(|| resource_id(inner)),
        resource_name: inner.owned("resourceDisplayName"),
        ip: address(&record),
        country: country(&record),
        asn: inner
            .text("autonomousSystemNumber")
            .and_then(|number| number.parse().ok())
            .filter(|number| *number != 0),
        user_agent: inner.owned("userAgent"),
        error_code: error_code(&record)?,
        conditional_access: inner.owned("conditionalAccessStatus"),
        policies: policies(inner),
        sign_in_id,
    };
    let private = if origin.private_network {
        take_network(&mut body)
    } else {
        None
    };
    let key = NaturalKey::new("activity")
        .with(origin.tenant)
        .with(&body.sign_in_id);
    Ok(Event {
        id: key.id(),
        stream: StreamName::service_principal(origin.tenant, &object_id),
        occurred_at,
        precision: Precision::Exact,
        source: origin.source(Some(body.sign_in_id.clone())),
        correlation: Correlation {
            id: record
                .either("correlationId", "correlationId")
                .map(std::borrow::Cow::into_owned),
            records: Vec::new(),
        },
        actor: None,
        private,
        body: with_outcome(body),
    })
}

fn with_outcome(body: SignIn) -> EventBody {
    let failed_policy = body
        .conditional_access
        .as_deref()
        .is_some_and(|status| status.eq_ignore_ascii_case("failure"));
    if body.error_code == 0 {
        EventBody::SignedIn(body)
    } else if body.error_code == BLOCKED_BY_ACCESS_POLICY || failed_policy {
        EventBody::SignInBlocked(body)
    } else {
        EventBody::SignInFailed(body)
    }
}

/// `status.errorCode`, else `resultType` of the envelope, which is `"0"`, `0`, null or absent for
/// success.
fn error_code(record: &Enveloped<'_, '_>) -> Result<i64, Reason> {
    let status = record.inner.inner("status");
    let told = status
        .as_deref()
        .and_then(|status| Fields::parse(status).ok()?.owned("errorCode"));
    let (field, text) = match told {
        Some(text) => ("status.errorCode", text),
        None => match record.outer.owned("resultType") {
            Some(text) => ("resultType", text),
            None => return Ok(0),
        },
    };
    if text.eq_ignore_ascii_case("success") {
        return Ok(0);
    }
    text.trim()
        .parse()
        .map_err(|_error| bad_value(field, &text, "an error code"))
}

fn id(fields: &Fields<'_>, name: &str) -> Option<String> {
    fields.owned(name).filter(|id| id != ZERO_ID)
}

/// In a row, `ResourceId` is the path of the log's own resource.
fn resource_id(inner: &Fields<'_>) -> Option<String> {
    id(inner, "resourceId").filter(|id| !id.starts_with('/'))
}

/// The address as written, if it is one: scrubbers and placeholders leave texts that are not.
fn address(record: &Enveloped<'_, '_>) -> Option<String> {
    let text = record.either("ipAddress", "callerIpAddress")?;
    let text = text.trim();
    text.parse::<IpAddr>().is_ok().then(|| text.to_owned())
}

/// Two-letter country: `location.countryOrRegion`, `LocationDetails`, or `location` itself.
fn country(record: &Enveloped<'_, '_>) -> Option<String> {
    let place = ["location", "locationDetails"].iter().find_map(|name| {
        let place = record.inner.inner(name)?;
        Fields::parse(&place).ok()?.owned("countryOrRegion")
    });
    place
        .or_else(|| record.outer.owned("location"))
        .map(|country| country.trim().to_ascii_uppercase())
        .filter(|country| country.len() == 2 && country.bytes().all(|b| b.is_ascii_uppercase()))
}

/// `<policy id> <result>` of each policy that was considered.
fn policies(inner: &Fields<'_>) -> Vec<String> {
    let list = inner
        .inner("appliedConditionalAccessPolicies")
        .or_else(|| inner.inner("conditionalAccessPolicies"));
    let Some(list) = list.filter(|list| list.len() > 2) else {
        return Vec::new();
    };
    let list: Vec<&RawValue> = serde_json::from_str(&list).unwrap_or_default();
    list.into_iter()
        .filter_map(|policy| {
            let policy = Fields::parse(policy.get()).ok()?;
            let result = policy.text("result").unwrap_or_default();
            Some(format!("{} {result}", policy.text("id")?))
        })
        .collect()
}

/// Moves the network facts out of the body.
fn take_network(body: &mut SignIn) -> Option<serde_json::Value> {
    let mut private = serde_json::Map::new();
    let texts = [
        ("ip", body.ip.take()),
        ("country", body.country.take()),
        ("user_agent", body.user_agent.take()),
    ];
    for (name, text) in texts {
        if let Some(text) = text {
            private.insert(name.to_owned(), text.into());
        }
    }
    if let Some(number) = body.asn.take() {
        private.insert("asn".to_owned(), number.into());
    }
    (!private.is_empty()).then_some(serde_json::Value::Object(private))
}

#[cfg(test)]
mod tests;
