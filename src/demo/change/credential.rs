//! Changes of what proves an identity: secrets, certificates, federated credentials.

use serde_json::Value;

use super::super::audit::{Activity, Scribe, included, property};
use super::super::inventory::federated_audit;
use super::super::tenant::{Carrier, Federated, Identity, Kind};
use super::{application, names, service_principal};

/// The whole list of secrets and certificates of an object, as the log prints it: an array of
/// strings in brackets.
pub(super) fn key_description(identity: &Identity, carrier: Carrier) -> Value {
    let entries = identity.credentials_on(carrier).map(|credential| {
        let kind = match credential.kind {
            Kind::Secret => "Password",
            Kind::Certificate => "AsymmetricX509Cert",
        };
        format!(
            "[KeyIdentifier={},KeyType={kind},KeyUsage=Verify,DisplayName={}]",
            credential.key_id, credential.name
        )
    });
    Value::Array(entries.map(Value::String).collect())
}

/// The record of a change of credentials, with the two empty ones that come along.
pub(super) fn credentials_changed(
    identity: &Identity,
    scribe: &mut Scribe,
    carrier: Carrier,
    (before, added): (&Value, bool),
) {
    let after = key_description(identity, carrier);
    let properties = [
        property("KeyDescription", Some(before), Some(&after)),
        included("KeyDescription"),
    ];
    let details = [
        ("User-Agent", "Mozilla/5.0"),
        ("AppId", identity.app_id.as_str()),
    ];
    let stub = service_principal(identity, &[names(identity)]);
    let object = application(identity, &properties);
    if let (Carrier::Application, Some(object)) = (carrier, object) {
        // The dash is an en dash and the space at the end belongs to the name.
        let name = "Update application \u{2013} Certificates and secrets management ";
        scribe.write(Activity::application(name, "Update"), &[object], &details);
        if let Some(empty) = application(identity, &[included("")]) {
            let activity = Activity::application("Update application", "Update");
            scribe.write(activity, &[empty], &details);
        }
    } else {
        let (name, operation) = if added {
            ("Add service principal credentials", "Add")
        } else {
            ("Remove service principal credentials", "Remove")
        };
        let mut properties = properties.to_vec();
        properties.push(names(identity));
        let object = service_principal(identity, &properties);
        scribe.write(Activity::application(name, operation), &[object], &details);
    }
    scribe.write(
        Activity::application("Update service principal", "Update"),
        &[stub],
        &details,
    );
}

pub(super) fn remove_credential(identity: &mut Identity, scribe: &mut Scribe, key_id: &str) {
    let Some(carrier) = identity
        .credentials
        .iter()
        .find(|c| c.key_id == key_id)
        .map(|c| c.carrier)
    else {
        return;
    };
    let before = key_description(identity, carrier);
    identity
        .credentials
        .retain(|credential| credential.key_id != key_id);
    credentials_changed(identity, scribe, carrier, (&before, false));
}

pub(super) fn add_federated(identity: &mut Identity, scribe: &mut Scribe, federated: Federated) {
    let before = federated_audit(&identity.federated);
    identity.federated.push(federated);
    let after = federated_audit(&identity.federated);
    let details = [("AppId", identity.app_id.as_str())];
    if let Some(object) = application(
        identity,
        &[
            property("FederatedIdentityCredentials", Some(&before), Some(&after)),
            included("FederatedIdentityCredentials"),
        ],
    ) {
        let activity = Activity::application("Update application", "Update");
        scribe.write(activity, &[object], &details);
    }
}
