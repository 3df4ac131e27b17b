//! Shapes of Microsoft Graph: v1.0 and beta resources by the fields only they have.

use super::{Recognised, Shape};
use crate::record::fields::Fields;

/// Recognises a Graph resource by its fields.
pub(super) fn by_fields(fields: &Fields<'_>) -> Option<Recognised> {
    let has = |name: &str| fields.has(name);
    // A field that is written, if only as null.
    let names = |name: &str| fields.names().any(|known| known.eq_ignore_ascii_case(name));
    if let Some(kind) = fields.text("@odata.type")
        && let Some(found) = by_type(&kind, fields)
    {
        return Some(found);
    }
    if has("activityDisplayName") && (has("activityDateTime") || names("initiatedBy")) {
        return Some(Recognised::Shape(Shape::Audit));
    }
    if let Some(found) = sign_in(fields) {
        return Some(found);
    }
    if has("riskEventType") || (has("riskLastUpdatedDateTime") && has("riskState")) {
        return Some(risk(fields));
    }
    if has("skuPartNumber") || has("skuId") {
        if has("isTrial") || names("nextLifecycleDateTime") || has("totalLicenses") {
            return Some(Recognised::Shape(Shape::Subscription));
        }
        if has("prepaidUnits") || has("capabilityStatus") || has("consumedUnits") {
            return Some(Recognised::Shape(Shape::SubscribedSku));
        }
    }
    let shape = if has("appRoleId") && (has("principalId") || has("resourceId")) {
        Shape::AppRoleAssignment
    } else if has("clientId") && has("resourceId") && (names("scope") || has("consentType")) {
        Shape::Oauth2PermissionGrant
    } else if has("roleDefinitionId") && has("principalId") {
        Shape::RoleAssignment
    } else if has("conditions") && (names("grantControls") || names("sessionControls")) {
        Shape::AccessPolicy
    } else if has("issuer")
        && has("audiences")
        && (has("subject") || has("claimsMatchingExpression"))
    {
        Shape::FederatedCredential
    } else if has("ipRanges") || has("countriesAndRegions") {
        Shape::NamedLocation
    } else if names("servicePrincipalType")
        || names("appOwnerOrganizationId")
        || has("servicePrincipalNames")
    {
        Shape::ServicePrincipal
    } else if has("appId")
        && [
            "signInAudience",
            "publisherDomain",
            "requiredResourceAccess",
            "identifierUris",
        ]
        .iter()
        .any(|name| names(name))
    {
        Shape::Application
    } else if has("recommendationType") {
        return Some(Recognised::skip("recommendation"));
    } else if has("provisioningAction") || has("provisioningSteps") {
        return Some(Recognised::skip("provisioning"));
    } else if has("lastSignInActivity") || has("signInActivity") && has("appId") {
        return Some(Recognised::skip("sign-in activity report"));
    } else {
        return None;
    };
    Some(Recognised::Shape(shape))
}

/// A sign-in, by its event types or by what only a sign-in has.
fn sign_in(fields: &Fields<'_>) -> Option<Recognised> {
    let kinds = fields.texts("signInEventTypes");
    let is = |kind: &str| kinds.iter().any(|known| known.eq_ignore_ascii_case(kind));
    if is("managedIdentity") {
        return Some(Recognised::Shape(Shape::ManagedIdentitySignIn));
    }
    if is("servicePrincipal") {
        return Some(Recognised::Shape(Shape::ServicePrincipalSignIn));
    }
    if let Some(kind) = kinds.first() {
        return Some(Recognised::skip(&format!("{kind} sign-in")));
    }
    if !fields.has("createdDateTime")
        || !(fields.has("status") || fields.has("resourceDisplayName"))
    {
        return None;
    }
    let of_user = fields.has("userPrincipalName") || fields.has("userId");
    if fields.has("servicePrincipalId") && !of_user {
        return Some(Recognised::Shape(Shape::ServicePrincipalSignIn));
    }
    (of_user && fields.has("appId")).then(|| Recognised::skip("user sign-in"))
}

/// Risk on a service principal or, skipped, on a user.
fn risk(fields: &Fields<'_>) -> Recognised {
    if fields.has("userPrincipalName") || fields.has("userId") {
        return Recognised::skip("user risk");
    }
    Recognised::Shape(if fields.has("riskEventType") {
        Shape::RiskDetection
    } else {
        Shape::RiskyServicePrincipal
    })
}

/// Recognises a resource by `@odata.type`, such as `#microsoft.graph.servicePrincipal`.
fn by_type(kind: &str, fields: &Fields<'_>) -> Option<Recognised> {
    let kind = kind.rsplit('.').next()?;
    let shape = match kind {
        "directoryAudit" => Shape::Audit,
        "signIn" => return sign_in(fields),
        "servicePrincipalRiskDetection" => Shape::RiskDetection,
        "riskyServicePrincipal" | "riskyServicePrincipalHistoryItem" => {
            Shape::RiskyServicePrincipal
        }
        "servicePrincipal" => Shape::ServicePrincipal,
        "application" => Shape::Application,
        "federatedIdentityCredential" => Shape::FederatedCredential,
        "appRoleAssignment" => Shape::AppRoleAssignment,
        "oAuth2PermissionGrant" => Shape::Oauth2PermissionGrant,
        "unifiedRoleAssignment" => Shape::RoleAssignment,
        "conditionalAccessPolicy" => Shape::AccessPolicy,
        "ipNamedLocation" | "countryNamedLocation" | "namedLocation" => Shape::NamedLocation,
        "subscribedSku" => Shape::SubscribedSku,
        "companySubscription" => Shape::Subscription,
        "user"
        | "group"
        | "device"
        | "organization"
        | "directoryRole"
        | "administrativeUnit"
        | "riskyUser"
        | "riskDetection"
        | "provisioningObjectSummary"
        | "recommendation"
        | "appCredentialSignInActivity"
        | "servicePrincipalSignInActivity" => {
            return Some(Recognised::skip(kind));
        }
        _ => return None,
    };
    Some(Recognised::Shape(shape))
}

/// Recognises a resource by `@odata.context` of its page: what follows `$metadata#`.
pub(super) fn by_context(context: &str, fields: &Fields<'_>) -> Option<Recognised> {
    let path = context.rsplit_once('#')?.1;
    let path = path.strip_suffix("/$entity").unwrap_or(path);
    // `servicePrincipals(id,displayName)` selects fields; `servicePrincipals('…')/x` goes on.
    let path = if path.ends_with(')') {
        path.rfind('(')
            .and_then(|at| path.get(..at))
            .unwrap_or(path)
    } else {
        path
    };
    let shape = match path.rsplit('/').next()? {
        "directoryAudits" => Shape::Audit,
        "signIns" => return sign_in(fields),
        "servicePrincipalRiskDetections" | "servicePrincipalRiskDetection" => Shape::RiskDetection,
        "riskyServicePrincipals" | "riskyServicePrincipal" => Shape::RiskyServicePrincipal,
        "servicePrincipals" if fields.has("id") => Shape::ServicePrincipal,
        "applications" if fields.has("id") => Shape::Application,
        "federatedIdentityCredentials" => Shape::FederatedCredential,
        "appRoleAssignments" | "appRoleAssignedTo" => Shape::AppRoleAssignment,
        "oauth2PermissionGrants" => Shape::Oauth2PermissionGrant,
        "roleAssignments" => Shape::RoleAssignment,
        "policies" => Shape::AccessPolicy,
        "namedLocations" => Shape::NamedLocation,
        "subscribedSkus" => Shape::SubscribedSku,
        "subscriptions" => Shape::Subscription,
        name @ ("users" | "groups" | "devices" | "organization" | "riskyUsers"
        | "riskDetections") => {
            return Some(Recognised::skip(name));
        }
        _ => return None,
    };
    Some(Recognised::Shape(shape))
}

/// Object id of the application in the context of a page below it, such as
/// `…#applications('<id>')/federatedIdentityCredentials`.
pub(crate) fn application_of(context: &str) -> Option<&str> {
    let (_, after) = context.split_once("applications('")?;
    after
        .split_once("')")
        .map(|(id, _)| id)
        .filter(|id| !id.is_empty())
}
