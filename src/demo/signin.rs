//! Sign-ins of service principals and managed identities, as Azure Monitor exports them.
//!
//! There are very many, so the lines are written straight into bytes.

use std::fmt::Write as _;
use std::io::{self, Write as _};

use super::moment::Moment;
use super::names::MICROSOFT_APPS;
use super::random::Random;
use super::tenant::{Class, Credential, Identity, Kind, Tenant};

/// Published error codes of the directory.
const OK: u32 = 0;
const SECRET_INVALID: u32 = 7_000_215;
const SECRET_EXPIRED: u32 = 7_000_222;
const BLOCKED_BY_ACCESS_POLICY: u32 = 53_003;

/// What a sign-in proved itself with.
enum Proof<'a> {
    Key(&'a Credential),
    Federated(&'a str),
    /// Held elsewhere: by the publisher of the app or by Azure.
    Elsewhere,
}

/// Where a sign-in came from: addresses and system numbers reserved for documentation
/// (RFC 5737, RFC 5398).
struct Network {
    prefix: &'static str,
    place: &'static str,
    country: &'static str,
    system: u32,
    trusted: bool,
}

const HOME: Network = Network {
    prefix: "198.51.100",
    place: "\"city\":\"Hamburg\",\"state\":\"Hamburg\",\"countryOrRegion\":\"DE\",\
            \"geoCoordinates\":{\"latitude\":53.55,\"longitude\":9.99}",
    country: "DE",
    system: 64_496,
    trusted: true,
};
const VENDOR: Network = Network {
    prefix: "192.0.2",
    place: "\"city\":\"Amsterdam\",\"state\":\"Noord-Holland\",\"countryOrRegion\":\"NL\",\
            \"geoCoordinates\":{\"latitude\":52.37,\"longitude\":4.89}",
    country: "NL",
    system: 64_497,
    trusted: false,
};
const ABROAD: Network = Network {
    prefix: "203.0.113",
    place: "\"city\":\"Sao Paulo\",\"state\":\"Sao Paulo\",\"countryOrRegion\":\"BR\",\
            \"geoCoordinates\":{\"latitude\":-23.55,\"longitude\":-46.63}",
    country: "BR",
    system: 64_511,
    trusted: false,
};

/// Writes one sign-in of an identity as a line, when it has anything to sign in with.
pub(super) fn write(
    tenant: &Tenant,
    number: usize,
    at: Moment,
    random: &mut Random,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let Some(identity) = tenant.identities.get(number) else {
        return Ok(());
    };
    let Some((proof, mut error)) = proof(identity, at) else {
        return Ok(());
    };
    if identity.clumsy && error == OK && random.chance(15) {
        error = SECRET_INVALID;
    }
    let network = match identity.class {
        _ if identity.abroad_from.is_some_and(|day| at.day() >= day) => &ABROAD,
        Class::ThirdParty => &VENDOR,
        _ => &HOME,
    };
    let (policies, blocked) = policies(tenant, identity, network)?;
    let error = if blocked && error == OK {
        BLOCKED_BY_ACCESS_POLICY
    } else {
        error
    };
    let access = match error {
        BLOCKED_BY_ACCESS_POLICY => "failure",
        _ => "notApplied",
    };
    let managed = identity.class == Class::Managed;
    let category = if managed {
        "ManagedIdentitySignInLogs"
    } else {
        "ServicePrincipalSignInLogs"
    };
    let correlation = random.guid();
    let host = number % 120 + 1;
    write!(
        out,
        "{{\"time\":\"{}\",\"resourceId\":\"/tenants/{tenant}/providers/Microsoft.aadiam\",\
         \"operationName\":\"Sign-in activity\",\"operationVersion\":\"1.0\",\
         \"category\":\"{category}\",\"tenantId\":\"{tenant}\",\"resultType\":\"{error}\",\
         \"resultSignature\":\"None\",\"durationMs\":0,",
        at.log(),
        tenant = tenant.id,
    )?;
    if !managed {
        let (prefix, country) = (network.prefix, network.country);
        write!(
            out,
            "\"callerIpAddress\":\"{prefix}.{host}\",\"location\":\"{country}\","
        )?;
    }
    write!(
        out,
        "\"correlationId\":\"{correlation}\",\"Level\":4,\"properties\":{{\
         \"id\":\"{id}\",\"createdDateTime\":\"{created}\",\"correlationId\":\"{correlation}\",\
         \"appId\":\"{app}\",\"servicePrincipalId\":\"{principal}\",\"servicePrincipalName\":{name},\
         \"userId\":null,\"isInteractive\":false,\"status\":{{\"errorCode\":{error}}},\
         \"conditionalAccessStatus\":\"{access}\",\"appliedConditionalAccessPolicies\":[{policies}],",
        id = random.guid(),
        created = at.offset(),
        app = identity.app_id,
        principal = identity.sp_id,
        name = serde_json::to_string(&identity.name)?,
    )?;
    write_proof(out, &proof, managed)?;
    write_place(out, managed, network, host)?;
    write_resource(out, tenant, number)
}

/// What the identity signs in with and whether that works; nothing when it has nothing.
fn proof(identity: &Identity, at: Moment) -> Option<(Proof<'_>, u32)> {
    if !identity.enabled || !identity.exists {
        return None;
    }
    let newest = |wanted: &dyn Fn(&Credential) -> bool| {
        let fitting = identity
            .credentials
            .iter()
            .filter(|credential| wanted(credential));
        if identity.clings_to_old {
            fitting.min_by_key(|credential| credential.start)
        } else {
            fitting.max_by_key(|credential| credential.start)
        }
    };
    let certificate = newest(&|held| held.is_valid(at) && held.kind == Kind::Certificate);
    if let Some(key) = certificate {
        return Some((Proof::Key(key), OK));
    }
    if let Some(federated) = identity.federated.first() {
        return Some((Proof::Federated(&federated.id), OK));
    }
    if let Some(key) = newest(&|held| held.is_valid(at)) {
        return Some((Proof::Key(key), OK));
    }
    if let Some(key) = newest(&|held| held.end <= at) {
        return Some((Proof::Key(key), SECRET_EXPIRED));
    }
    let elsewhere = matches!(identity.class, Class::ThirdParty | Class::Managed);
    elsewhere.then_some((Proof::Elsewhere, OK))
}

/// Every policy with a word on the identity and how it came out, and whether one blocked.
fn policies(tenant: &Tenant, identity: &Identity, network: &Network) -> io::Result<(String, bool)> {
    let (mut text, mut blocked) = (String::new(), false);
    for policy in tenant
        .policies
        .iter()
        .filter(|policy| policy.covers(identity))
    {
        // Block-only policies: a match is a failure, whether enforced or only reported.
        let matched = policy.risk_levels.is_empty() && !network.trusted;
        let result = match (policy.state, matched) {
            ("enabled", true) => "failure",
            ("enabled", false) => "notApplied",
            (_, true) => "reportOnlyFailure",
            (_, false) => "reportOnlyNotApplied",
        };
        blocked |= result == "failure";
        if !text.is_empty() {
            text.push(',');
        }
        let name = serde_json::to_string(&policy.name)?;
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{{\"id\":\"{}\",\"displayName\":{name},\"result\":\"{result}\",\
             \"enforcedGrantControls\":[\"Block\"],\"enforcedSessionControls\":[]}}",
            policy.id
        );
    }
    Ok((text, blocked))
}

fn write_proof(out: &mut Vec<u8>, proof: &Proof<'_>, managed: bool) -> io::Result<()> {
    match proof {
        Proof::Key(key) => {
            let kind = match key.kind {
                Kind::Secret => "clientSecret",
                Kind::Certificate => "clientAssertion",
            };
            write!(
                out,
                "\"clientCredentialType\":\"{kind}\",\"servicePrincipalCredentialKeyId\":\"{}\",\
                 \"servicePrincipalCredentialThumbprint\":\"{}\",",
                key.key_id, key.thumbprint
            )
        }
        Proof::Federated(id) => write!(
            out,
            "\"clientCredentialType\":\"federatedIdentityCredential\",\
             \"federatedCredentialId\":\"{id}\","
        ),
        Proof::Elsewhere if managed => write!(
            out,
            "\"clientCredentialType\":\"managedIdentity\",\"managedIdentityType\":\"userAssigned\","
        ),
        Proof::Elsewhere => write!(out, "\"clientCredentialType\":\"none\","),
    }
}

/// A managed identity signs in inside Azure: the log has no address and an empty place.
fn write_place(out: &mut Vec<u8>, managed: bool, network: &Network, host: usize) -> io::Result<()> {
    if managed {
        return write!(
            out,
            "\"ipAddress\":\"\",\"location\":{{\"city\":\"\",\"state\":\"\",\
             \"countryOrRegion\":\"\",\"geoCoordinates\":{{\"latitude\":0.0,\"longitude\":0.0}}}},"
        );
    }
    write!(
        out,
        "\"ipAddress\":\"{}.{host}\",\"autonomousSystemNumber\":{},\"location\":{{{}}},",
        network.prefix, network.system, network.place
    )
}

fn write_resource(out: &mut Vec<u8>, tenant: &Tenant, number: usize) -> io::Result<()> {
    // Identities ask for one of the first few services, always the same.
    let service = [0, 0, 3, 4, 5].get(number % 5).copied().unwrap_or(0);
    let (name, app_id) = MICROSOFT_APPS.get(service).copied().unwrap_or_default();
    let principal = tenant
        .identities
        .get(service)
        .map_or("", |held| held.sp_id.as_str());
    writeln!(
        out,
        "\"resourceDisplayName\":\"{name}\",\"resourceId\":\"{app_id}\",\
         \"resourceServicePrincipalId\":\"{principal}\",\"crossTenantAccessType\":\"none\",\
         \"flaggedForReview\":false,\"isTenantRestricted\":false,\"incomingTokenType\":\"none\",\
         \"processingTimeInMilliseconds\":{},\"riskDetail\":\"none\",\
         \"riskLevelAggregated\":\"none\",\"riskLevelDuringSignIn\":\"none\",\
         \"riskState\":\"none\",\"tokenIssuerType\":\"AzureAD\"}}}}",
        20 + number % 90
    )
}
