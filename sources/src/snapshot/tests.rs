use super::*;
use ledger::event::{EventBody, EventType, StreamName};
use serde_json::json;

fn source(name: &str) -> Source {
    Source {
        name: name.to_owned(),
        record: None,
        digest: "d2".to_owned(),
    }
}

fn at(day: u8) -> Timestamp {
    format!("2026-10-{day:02}T00:00:00Z").parse().unwrap()
}

fn import(known: &mut Known, day: u8, kind: &SnapshotKind, record: &Value) -> Vec<Event> {
    let ctx = Context {
        tenant: "t-1",
        observed_at: at(day),
        private_network: false,
    };
    interpret(record, kind, source("graph/servicePrincipal"), &ctx, known).unwrap()
}

fn names(events: &[Event]) -> Vec<String> {
    events
        .iter()
        .map(|event| event.body.event_type().to_string())
        .collect()
}

fn stream() -> StreamName {
    StreamName::service_principal("t-1", "o-1")
}

fn principal(name: &str) -> Value {
    json!({
        "id": "o-1", "appId": "app-1", "displayName": name, "accountEnabled": true,
        "createdDateTime": "2026-09-01T10:00:00Z", "servicePrincipalType": "Application",
        "tags": ["b", "a"], "replyUrls": [], "signInAudience": null,
    })
}

const SP: SnapshotKind = SnapshotKind::ServicePrincipal;

#[test]
fn a_new_object_is_registered_when_it_was_created() {
    let mut known = Known::new();
    let events = import(&mut known, 5, &SP, &principal("One"));
    assert_eq!(names(&events), ["identity.registered"]);
    assert_eq!(
        events[0].occurred_at,
        "2026-09-01T10:00:00Z".parse().unwrap()
    );
    assert_eq!(events[0].precision, Precision::Exact);
    let EventBody::IdentityRegistered(body) = &events[0].body else {
        panic!()
    };
    assert_eq!(body.attributes["tags"], json!(["a", "b"]));
    assert!(!body.attributes.contains_key("replyUrls"));
}

#[test]
fn without_a_time_of_creation_it_is_registered_as_observed() {
    let mut record = principal("One");
    record.as_object_mut().unwrap().remove("createdDateTime");
    let mut known = Known::new();
    let events = import(&mut known, 5, &SP, &record);
    assert_eq!(
        (events[0].occurred_at, events[0].precision),
        (at(5), Precision::Observed)
    );
    // The same object seen earlier adds nothing but what differs.
    assert!(import(&mut known, 3, &SP, &record).is_empty());
}

#[test]
fn older_and_newer_snapshots_add_nothing_the_second_time() {
    for days in [[5, 9], [9, 5]] {
        let record = |day| principal(if day == 5 { "One" } else { "Two" });
        let mut known = Known::new();
        for day in days {
            assert!(!import(&mut known, day, &SP, &record(day)).is_empty());
        }
        for day in [5, 9, 9, 5] {
            let again = import(&mut known, day, &SP, &record(day));
            assert!(again.is_empty(), "{days:?} {day} {again:#?}");
        }
        assert_eq!(
            known.view(&stream(), at(6)).attributes["displayName"],
            "One"
        );
        assert_eq!(
            known.view(&stream(), at(9)).attributes["displayName"],
            "Two"
        );
    }
}

#[test]
fn the_account_switch_is_told_by_its_own_events() {
    let mut known = Known::new();
    import(&mut known, 5, &SP, &principal("One"));
    let mut off = principal("One");
    off["accountEnabled"] = json!(false);
    assert_eq!(
        names(&import(&mut known, 6, &SP, &off)),
        ["identity.disabled"]
    );
    assert_eq!(
        names(&import(&mut known, 7, &SP, &principal("One"))),
        ["identity.enabled"]
    );
    assert!(import(&mut known, 6, &SP, &off).is_empty());
}

fn with_secret(key_id: &str) -> Value {
    let mut record = principal("One");
    record["keyCredentials"] = json!([]);
    record["passwordCredentials"] = json!([{
        "customKeyIdentifier": null, "displayName": "n", "keyId": key_id, "hint": "abc",
        "startDateTime": "2026-10-02T00:00:00Z", "endDateTime": "2027-10-02T00:00:00Z",
        "secretText": "abc-do-not-keep",
    }]);
    record
}

#[test]
fn a_credential_begins_with_its_validity_and_ends_when_it_is_no_longer_listed() {
    let mut known = Known::new();
    let first = import(&mut known, 5, &SP, &with_secret("k-1"));
    assert_eq!(names(&first), ["identity.registered", "credential.added"]);
    assert_eq!(
        (first[1].occurred_at, first[1].precision),
        (at(2), Precision::Observed)
    );
    let second = import(&mut known, 6, &SP, &with_secret("k-2"));
    assert_eq!(names(&second), ["credential.added", "credential.removed"]);
    assert!(import(&mut known, 6, &SP, &with_secret("k-2")).is_empty());
    assert!(import(&mut known, 5, &SP, &with_secret("k-1")).is_empty());
    // A record that does not tell its credentials removes none.
    assert!(import(&mut known, 7, &SP, &principal("One")).is_empty());
}

#[test]
#[expect(clippy::print_stdout, reason = "says why nothing was tested")]
fn no_secret_text_reaches_an_event() {
    let mut known = Known::new();
    for event in import(&mut known, 5, &SP, &with_secret("k-1")) {
        let text = format!("{event:?}");
        assert!(
            !text.contains("do-not-keep") && !text.contains("secretText"),
            "{text}"
        );
    }
    let Some(folder) = crate::audit::tests::shared() else {
        println!("no shared data beside the workspace");
        return;
    };
    let file = folder.join("entra-docs/graph-application-addpassword-response.json");
    let password: Value = serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    let record = json!({"id": "o-2", "passwordCredentials": [password]});
    let events = import(&mut known, 5, &SnapshotKind::Application, &record);
    assert_eq!(names(&events), ["identity.registered", "credential.added"]);
    assert!(!format!("{events:?}").contains("6gyXA5S20"));
}

#[test]
fn what_an_audit_record_left_out_is_added_to_the_same_event() {
    let mut known = Known::new();
    let added = json!({
        "id": "a-1", "correlationId": "c-1", "result": "success",
        "activityDisplayName": "Add service principal credentials",
        "activityDateTime": "2026-10-02T00:00:01Z",
        "targetResources": [{"id": "o-1", "type": "ServicePrincipal", "modifiedProperties": [{
            "displayName": "KeyDescription", "oldValue": "[]",
            "newValue": "[\"[KeyIdentifier=k-1,KeyType=Password,KeyUsage=Verify,DisplayName=n]\"]",
        }]}],
    });
    let record = crate::audit::AuditRecord::parse(&added, source("graph/directoryAudit")).unwrap();
    let ctx = Context {
        tenant: "t-1",
        observed_at: at(30),
        private_network: false,
    };
    let audited = crate::audit::interpret(std::slice::from_ref(&record), &ctx, &mut known);
    let seen = import(&mut known, 5, &SP, &with_secret("k-1"));
    assert_eq!(names(&seen), ["identity.registered", "credential.added"]);
    assert_eq!(seen[1].id, audited.events[0].id);
    let EventBody::CredentialAdded(body) = &seen[1].body else {
        panic!()
    };
    assert_eq!(body.credential.usage.as_deref(), Some("Verify"));
    assert!(body.credential.ends_at.is_some());
    assert!(import(&mut known, 5, &SP, &with_secret("k-1")).is_empty());
    let again = crate::audit::interpret(&[record], &ctx, &mut known);
    assert_eq!(again.events[0].id, seen[1].id);
    let fact = known.fact(seen[1].id).unwrap();
    assert_eq!(fact.precision, Precision::Exact);
}

#[test]
fn owners_come_change_and_go_and_their_names_stay_private() {
    let owner = |enabled: bool| {
        json!([{"@odata.type": "#microsoft.graph.user", "id": "u-1", "displayName": "Ada Example",
            "userPrincipalName": "ada@example.com", "accountEnabled": enabled, "userType": "Guest"}])
    };
    let mut known = Known::new();
    let mut record = principal("One");
    record["owners"] = owner(true);
    let events = import(&mut known, 5, &SP, &record);
    assert_eq!(
        names(&events),
        ["identity.registered", "identity.owner_added"]
    );
    assert!(
        !events[1]
            .body
            .to_json()
            .unwrap()
            .to_string()
            .contains("Ada")
    );
    assert!(
        events[1]
            .private
            .as_ref()
            .unwrap()
            .to_string()
            .contains("Ada Example")
    );
    record["owners"] = owner(false);
    assert_eq!(
        names(&import(&mut known, 6, &SP, &record)),
        ["identity.owner_updated"]
    );
    record["owners"] = json!([]);
    assert_eq!(
        names(&import(&mut known, 7, &SP, &record)),
        ["identity.owner_removed"]
    );
    assert!(import(&mut known, 7, &SP, &record).is_empty());
}

#[test]
fn grants_are_told_once_and_named_by_the_roles_of_their_resource() {
    let mut known = Known::new();
    let resource = json!({"id": "r-1", "appRoles": [{"id": "role-1", "value": "Things.Read"}]});
    import(&mut known, 5, &SP, &resource);
    let grant = json!({"id": "g-1", "principalId": "o-1", "principalType": "ServicePrincipal",
        "resourceId": "r-1", "resourceDisplayName": "Things", "appRoleId": "role-1",
        "createdDateTime": "2026-09-03T00:00:00Z"});
    let events = import(&mut known, 5, &SnapshotKind::AppRoleAssignment, &grant);
    let EventBody::AppRoleGranted(body) = &events[0].body else {
        panic!()
    };
    assert_eq!(body.role_value.as_deref(), Some("Things.Read"));
    assert!(import(&mut known, 6, &SnapshotKind::AppRoleAssignment, &grant).is_empty());
    let scopes = |scope: &str| {
        json!({"id": "d-1", "clientId": "o-1", "resourceId": "r-1",
        "consentType": "AllPrincipals", "scope": scope})
    };
    let kind = SnapshotKind::OAuth2PermissionGrant;
    let events = import(&mut known, 5, &kind, &scopes(" User.Read Mail.Read"));
    assert_eq!(names(&events), ["grant.delegated_granted"]);
    let events = import(&mut known, 6, &kind, &scopes("User.Read Files.Read"));
    assert_eq!(
        names(&events),
        ["grant.delegated_granted", "grant.delegated_revoked"]
    );
    assert!(import(&mut known, 6, &kind, &scopes("User.Read Files.Read")).is_empty());
    let role = json!({"id": "ra-1", "principalId": "o-1", "roleDefinitionId": "def-1", "directoryScopeId": "/"});
    assert_eq!(
        names(&import(&mut known, 5, &SnapshotKind::RoleAssignment, &role)),
        ["grant.role_assigned"]
    );
    assert!(import(&mut known, 5, &SnapshotKind::RoleAssignment, &role).is_empty());
}

#[test]
fn assignments_of_people_are_skipped_by_name() {
    let mut known = Known::new();
    let ctx = Context {
        tenant: "t-1",
        observed_at: at(5),
        private_network: false,
    };
    let grant = json!({"id": "g-1", "principalId": "u-1", "principalType": "User", "resourceId": "r", "appRoleId": "x"});
    let name = source("graph/appRoleAssignment");
    let outcome = outcome(
        &grant,
        &SnapshotKind::AppRoleAssignment,
        name,
        &ctx,
        &mut known,
    );
    assert_eq!(
        outcome,
        Outcome::Skipped("appRoleAssignment of a User".to_owned())
    );
}

#[test]
fn policies_and_locations_are_created_updated_and_not_repeated() {
    let policy = |state: &str| {
        json!({"id": "p-1", "displayName": "Block", "state": state,
        "createdDateTime": "2026-09-01T00:00:00Z", "modifiedDateTime": "2026-10-04T00:00:00Z",
        "conditions": {"clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"],
            "servicePrincipalFilter": {"mode": "exclude", "rule": "x"}}}})
    };
    let mut known = Known::new();
    let kind = SnapshotKind::ConditionalAccessPolicy;
    assert_eq!(
        names(&import(&mut known, 5, &kind, &policy("enabled"))),
        ["policy.access_policy_created"]
    );
    assert_eq!(
        names(&import(&mut known, 6, &kind, &policy("disabled"))),
        ["policy.access_policy_updated"]
    );
    assert!(import(&mut known, 6, &kind, &policy("disabled")).is_empty());
    let place = json!({"@odata.type": "#microsoft.graph.countryNamedLocation", "id": "l-1",
        "displayName": "Home", "countriesAndRegions": ["CH"]});
    assert_eq!(
        names(&import(&mut known, 5, &SnapshotKind::NamedLocation, &place)),
        ["policy.location_created"]
    );
    assert!(import(&mut known, 5, &SnapshotKind::NamedLocation, &place).is_empty());
}

#[test]
fn a_deleted_object_is_deleted_once_and_may_come_back() {
    let mut known = Known::new();
    let mut gone = principal("One");
    gone["deletedDateTime"] = json!("2026-10-04T00:00:00Z");
    assert_eq!(
        names(&import(&mut known, 5, &SP, &gone)),
        ["identity.registered", "identity.deleted"]
    );
    assert!(import(&mut known, 6, &SP, &gone).is_empty());
    assert_eq!(
        names(&import(&mut known, 7, &SP, &principal("One"))),
        ["identity.restored"]
    );
}

#[test]
fn an_application_tells_what_the_checks_need() {
    let record = json!({
        "id": "o-9", "appId": "app-1", "displayName": "App",
        "web": {"redirectUris": ["https://b.example"], "implicitGrantSettings": {"enableIdTokenIssuance": true}},
        "spa": {"redirectUris": ["https://a.example"]},
        "verifiedPublisher": {"verifiedPublisherId": "99"},
        "notificationEmailAddresses": ["ada@example.com"],
        "requiredResourceAccess": [{"resourceAppId": "r", "x": 1, "resourceAccess": [{"id": "i", "type": "Role", "y": 2}]}],
        "@odata.type": "#microsoft.graph.agentIdentityBlueprint",
        "federatedIdentityCredentials": [{"id": "f-1", "name": "ci", "issuer": "https://i", "subject": "s", "audiences": ["a"]}],
    });
    let mut known = Known::new();
    let events = import(&mut known, 5, &SnapshotKind::Application, &record);
    assert_eq!(names(&events), ["identity.registered", "credential.added"]);
    let EventBody::IdentityRegistered(body) = &events[0].body else {
        panic!()
    };
    assert_eq!(
        json!(body.attributes),
        json!({
            "appId": "app-1", "displayName": "App", "notificationEmailCount": 1,
            "implicitGrantSettings": {"enableIdTokenIssuance": true},
            "odataType": "#microsoft.graph.agentIdentityBlueprint",
            "replyUrls": ["https://a.example", "https://b.example"],
            "requiredResourceAccess": [{"resourceAppId": "r", "resourceAccess": [{"id": "i", "type": "Role"}]}],
            "verifiedPublisherId": "99",
        })
    );
    let federated = json!({"id": "f-1", "name": "ci", "issuer": "https://i", "subject": "s", "audiences": ["a"]});
    let kind = SnapshotKind::FederatedCredential {
        application_id: "o-9".to_owned(),
    };
    assert!(import(&mut known, 6, &kind, &federated).is_empty());
    assert!(EventType::from_name("credential.added").is_some());
}

#[test]
#[expect(clippy::print_stdout, reason = "says why nothing was tested")]
fn the_real_samples_are_read() {
    let Some(folder) = crate::audit::tests::shared() else {
        println!("no shared data beside the workspace");
        return;
    };
    let mut known = Known::new();
    for (name, kind) in [
        ("graph-serviceprincipal", SP),
        ("graph-application", SnapshotKind::Application),
    ] {
        let text = std::fs::read_to_string(folder.join(format!("entra-docs/{name}.json"))).unwrap();
        let record: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            names(&import(&mut known, 5, &kind, &record)),
            ["identity.registered"],
            "{name}"
        );
        assert!(import(&mut known, 6, &kind, &record).is_empty());
    }
}
