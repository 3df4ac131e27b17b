#![expect(
    clippy::needless_pass_by_value,
    reason = "records are written in place with json!"
)]

use super::*;
use ledger::event::StreamName;
use ledger::event::credential::CredentialKind;
use ledger::event::grant::RoleAssignmentKind;
use ledger::event::{EventType, Source};
use serde_json::{Value, json};

mod activities;
mod records;

use activities::activities;
use records::*;

const AT: &str = "2026-10-05T08:30:00.1234567Z";
const DASHED: &str = "Update application \u{2013} Certificates and secrets management ";

#[test]
fn every_activity_makes_the_same_events_in_every_shape() {
    for (activity, targets, expected) in activities() {
        let record = graph("a-1", activity, targets, json!([]));
        let outcome = alone(&record);
        assert_eq!(
            names(&outcome),
            expected,
            "{activity}: {:?}",
            outcome.outcomes
        );
        for shape in [envelope(&record), row(&record)] {
            let same = alone(&shape);
            assert_eq!(same.outcomes, outcome.outcomes, "{activity}");
            for (one, other) in outcome.events.iter().zip(&same.events) {
                assert_eq!(
                    (one.id, &one.stream, &one.body),
                    (other.id, &other.stream, &other.body)
                );
                assert_eq!(one.occurred_at, other.occurred_at);
                assert_eq!(one.actor.as_deref(), Some("u-1"));
            }
        }
    }
}

#[test]
fn a_record_imported_twice_is_the_same_event() {
    for (activity, targets, _) in activities() {
        let record = parsed(&graph("a-1", activity, targets, json!([])));
        let mut known = Known::new();
        let first = interpret(std::slice::from_ref(&record), &ctx(), &mut known);
        let before = known.clone();
        let second = interpret(&[record], &ctx(), &mut known);
        assert_eq!(first, second, "{activity}");
        assert_eq!(before, known, "{activity}");
    }
}

#[test]
fn an_activity_is_known_whatever_its_dash_and_spaces() {
    let key = "update application - certificates and secrets management";
    assert_eq!(activity_key(DASHED), key);
    assert_eq!(
        activity_key("Update application - Certificates and secrets  management."),
        key
    );
}

#[test]
fn a_display_name_may_hold_commas_and_brackets() {
    let credential = credential::key_description(
        "[KeyIdentifier=k-9,KeyType=AsymmetricX509Cert,KeyUsage=Sign,DisplayName=CN=a, O=[b], KeyType=x]",
        ObjectKind::Application,
    )
    .unwrap();
    assert_eq!(credential.key_id, "k-9");
    assert_eq!(credential.kind, CredentialKind::Certificate);
    assert_eq!(credential.usage.as_deref(), Some("Sign"));
    assert_eq!(
        credential.display_name.as_deref(),
        Some("CN=a, O=[b], KeyType=x")
    );
}

#[test]
fn the_password_of_a_signing_key_is_not_a_secret_of_its_own() {
    let password = key("k-1", "saml");
    let signing =
        "[KeyIdentifier=k-1,KeyType=X509CertAndPassword,KeyUsage=Sign,DisplayName=saml]".to_owned();
    for list in [[password.clone(), signing.clone()], [signing, password]] {
        let targets = json!([target(
            "o-1",
            "ServicePrincipal",
            &[("KeyDescription", json!("[]"), keys(&list))]
        )]);
        let activity = "Add service principal credentials";
        let outcome = alone(&graph("a-1", activity, targets, json!([])));
        assert_eq!(outcome.events.len(), 1);
        let EventBody::CredentialAdded(body) = &outcome.events[0].body else {
            panic!("{outcome:?}")
        };
        assert_eq!(body.credential.kind, CredentialKind::Certificate);
    }
}

#[test]
fn a_list_of_keys_that_cannot_be_read_is_rejected_not_skipped() {
    let text = json!("\"Client Secret for API Access\"");
    let targets = json!([target(
        "o-1",
        "ServicePrincipal",
        &[("KeyDescription", json!(null), text)]
    )]);
    let outcome = alone(&graph(
        "a-1",
        "Add service principal credentials",
        targets,
        json!([]),
    ));
    assert!(matches!(
        outcome.outcomes[0],
        RecordOutcome::Rejected(Reason::BadValue { .. })
    ));
}

#[test]
fn a_rotation_adds_and_removes_on_the_stream_of_the_application() {
    let targets = json!([target(
        "o-1",
        "Application",
        &[(
            "KeyDescription",
            keys(&[key("k-1", "old"), key("k-0", "stays")]),
            keys(&[key("k-0", "stays"), key("k-2", "new, with comma")]),
        )]
    )]);
    let outcome = alone(&graph("a-1", DASHED, targets, json!([])));
    let mut names = names(&outcome);
    names.sort();
    assert_eq!(names, ["credential.added", "credential.removed"]);
    for event in &outcome.events {
        assert_eq!(event.stream, StreamName::application("t-1", "o-1"));
    }
}

#[test]
fn a_stub_joins_the_event_of_its_group() {
    let targets = json!([target(
        "o-1",
        "Application",
        &[("KeyDescription", json!("[]"), keys(&[key("k-1", "n")]))]
    )]);
    let stub = json!([target(
        "o-1",
        "Application",
        &[("Included Updated Properties", json!(null), json!("\"\""))]
    )]);
    let group = [
        parsed(&graph("a-2", "Update application", stub, json!([]))),
        parsed(&graph("a-1", DASHED, targets, json!([]))),
    ];
    assert_eq!(group_key(&group[0]).1, group_key(&group[1]).1);
    let outcome = interpret(&group, &ctx(), &mut Known::new());
    assert_eq!(outcome.events.len(), 1);
    assert_eq!(outcome.outcomes, vec![RecordOutcome::Events(vec![0]); 2]);
    let event = &outcome.events[0];
    assert_eq!(event.source.record.as_deref(), Some("a-1"));
    assert_eq!(event.correlation.records, ["a-2"]);
}

#[test]
fn a_policy_twin_joins_and_alone_is_skipped_by_name() {
    let policy = json!(r#"{"displayName":"Block","state":"enabled"}"#);
    let targets = json!([target(
        "p-1",
        "Policy",
        &[("ConditionalAccessPolicy", json!(null), policy)]
    )]);
    let twin = parsed(&graph(
        "a-2",
        "Add policy",
        json!([target("p-1", "Policy", &[])]),
        json!([]),
    ));
    let main = parsed(&graph(
        "a-1",
        "Add conditional access policy",
        targets,
        json!([]),
    ));
    let both = interpret(&[main, twin.clone()], &ctx(), &mut Known::new());
    assert_eq!(both.events.len(), 1);
    assert_eq!(both.outcomes[1], RecordOutcome::Events(vec![0]));
    let alone = interpret(&[twin], &ctx(), &mut Known::new());
    assert_eq!(
        alone.outcomes,
        [RecordOutcome::Skipped("Add policy".to_owned())]
    );
}

fn skipped(record: &Value) -> String {
    match alone(record).outcomes.remove(0) {
        RecordOutcome::Skipped(name) => name,
        other => panic!("not skipped: {other:?}"),
    }
}

#[test]
fn what_does_not_concern_workloads_is_skipped_by_its_trimmed_name() {
    let user = json!([target(
        "u-2",
        "User",
        &[("Role.TemplateId", json!(null), json!("\"r\""))]
    )]);
    assert_eq!(
        skipped(&graph("a", "Add member to role", user.clone(), json!([]))),
        "Add member to role"
    );
    assert_eq!(
        skipped(&graph("a", "Add user ", user.clone(), json!([]))),
        "Add user"
    );
    assert_eq!(
        skipped(&graph(
            "a",
            "Consent to application",
            user.clone(),
            json!([])
        )),
        "Consent to application"
    );
    assert_eq!(
        skipped(&graph(
            "a",
            "Add app role assignment grant to user",
            user,
            json!([])
        )),
        "Add app role assignment grant to user"
    );
    let request = json!([target("o-1", "ServicePrincipal", &[])]);
    let activity = "Add member to role in PIM requested (permanent)";
    assert_eq!(skipped(&graph("a", activity, request, json!([]))), activity);
    let names = json!([target(
        "o-1",
        "ServicePrincipal",
        &[(
            "TargetId.ServicePrincipalNames",
            json!(null),
            json!("\"x\"")
        )]
    )]);
    assert_eq!(
        skipped(&graph("a", "Update service principal", names, json!([]))),
        "Update service principal (no change that matters)"
    );
}

#[test]
fn a_failed_attempt_is_skipped_and_says_so() {
    let mut record = graph(
        "a",
        "Delete application",
        json!([target("o-1", "Application", &[])]),
        json!([]),
    );
    record["result"] = json!("failure");
    assert_eq!(skipped(&record), "Delete application (failed)");
}

#[test]
fn a_record_without_its_object_is_rejected_with_the_field() {
    let outcome = alone(&graph("a", "Delete application", json!([]), json!([])));
    let field = "targetResources.id".to_owned();
    assert_eq!(
        outcome.outcomes,
        [RecordOutcome::Rejected(Reason::Missing { field })]
    );
    let timeless = json!({"activityDisplayName": "Add application", "targetResources": []});
    assert!(AuditRecord::parse(&timeless, source()).is_err());
}

#[test]
fn details_tell_the_class_of_a_new_service_principal() {
    let details = json!([
        {"key": "AppOwnerOrganizationId", "value": "org-1"},
        {"key": "ServicePrincipalProvisioningType", "value": "managedServiceIdentity"},
        {"key": "AppId", "value": "app-1"},
    ]);
    let targets = json!([target("o-1", "ServicePrincipal", &[])]);
    let outcome = alone(&graph("a", "Add service principal", targets, details));
    let EventBody::IdentityRegistered(body) = &outcome.events[0].body else {
        panic!("{outcome:?}")
    };
    assert_eq!(body.attributes["servicePrincipalType"], "ManagedIdentity");
    assert_eq!(body.attributes["appOwnerOrganizationId"], "org-1");
    assert_eq!(body.attributes["appId"], "app-1");
    assert_eq!(body.attributes["displayName"], "o-1 name");
}

#[test]
fn a_permission_is_named_by_its_value_and_a_role_by_how_it_is_held() {
    for (activity, targets, _) in activities() {
        for event in alone(&graph("a", activity, targets.clone(), json!([]))).events {
            match event.body {
                EventBody::AppRoleGranted(body) => {
                    assert_eq!(
                        body.role_value.as_deref(),
                        Some("RoleManagement.ReadWrite.Directory")
                    );
                    assert_eq!(
                        (body.principal_id.as_str(), body.resource_id.as_str()),
                        ("o-1", "r-1")
                    );
                }
                EventBody::DelegatedGranted(body) if activity.starts_with("Add delegated") => {
                    assert_eq!(body.scopes, ["Mail.Read"]);
                    assert!(body.all_principals);
                }
                EventBody::RoleAssigned(body) if activity.contains("eligible") => {
                    assert_eq!(body.assignment, RoleAssignmentKind::Eligible);
                    assert_eq!(
                        (body.role_definition_id.as_str(), body.scope.as_str()),
                        ("role-1", "/")
                    );
                }
                EventBody::AccessPolicyCreated(body) => {
                    let policy = body.new.unwrap();
                    assert!(policy.is_for_workloads());
                    assert_eq!(policy.controls, ["block"]);
                }
                EventBody::LocationCreated(body) => {
                    let location = body.new.unwrap();
                    assert!(location.trusted);
                    assert_eq!(location.ranges, ["192.0.2.0/24"]);
                }
                _ => {}
            }
        }
    }
}

#[test]
fn people_and_the_record_are_private_and_secrets_are_nowhere() {
    let mut record = graph(
        "a",
        "Delete application",
        json!([target("o-1", "Application", &[])]),
        json!([]),
    );
    record["extra"] = json!({"secretText": "hush-hush", "text": "{\"secretText\":\"hush-hush\"}"});
    let event = alone(&record).events.remove(0);
    let public = event.body.to_json().unwrap().to_string();
    assert!(!public.contains("Ada") && !public.contains("example.com"));
    let private = event.private.unwrap();
    assert_eq!(private["actor"]["display_name"], "Ada Example");
    assert_eq!(private["record"]["id"], "a");
    assert!(!private.to_string().contains("hush-hush"));
}

#[test]
fn two_logs_of_one_role_assignment_are_one_event() {
    let targets = json!([
        target(
            "o-1",
            "ServicePrincipal",
            &[("Role.TemplateId", json!(null), json!("\"role-1\""))]
        ),
        target("role-object", "Role", &[]),
    ]);
    let core = parsed(&graph(
        "a-1",
        "Add member to role",
        targets.clone(),
        json!([]),
    ));
    let mut pim = parsed(&graph(
        "a-2",
        "Add member to role in PIM completed (permanent)",
        targets,
        json!([]),
    ));
    pim.correlation = Some("c-2".to_owned());
    pim.at = "2026-10-05T08:30:02Z".parse().unwrap();
    let mut known = Known::new();
    let first = interpret(&[core], &ctx(), &mut known);
    let second = interpret(&[pim], &ctx(), &mut known);
    assert_eq!(first.events[0].id, second.events[0].id);
    assert_eq!(known.len(), 1);
}

#[test]
#[expect(clippy::print_stdout, reason = "says why nothing was tested")]
fn the_real_samples_end_without_a_panic() {
    let Some(folder) = shared() else {
        println!("no shared data beside the workspace");
        return;
    };
    let mut known = Known::new();
    let text =
        std::fs::read_to_string(folder.join("entra-docs/loganalytics-auditlogs-otrf.ndjson"))
            .unwrap();
    let mut types: Vec<EventType> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let record = parsed(&serde_json::from_str(line).unwrap());
        for event in interpret(&[record], &ctx(), &mut known).events {
            types.push(event.body.event_type());
        }
    }
    let names: Vec<String> = types.iter().map(EventType::to_string).collect();
    assert_eq!(
        names,
        [
            "credential.added",
            "credential.added",
            "identity.updated",
            "grant.delegated_granted"
        ]
    );
    assert_eq!(known.len(), 3);
    for name in [
        "eventhub-auditlogs-ca-policy-update",
        "eventhub-auditlogs-ca-policy-delete",
        "eventhub-auditlogs-pim-role",
    ] {
        let text = std::fs::read_to_string(folder.join(format!("entra-docs/{name}.json"))).unwrap();
        let outcome = alone(&serde_json::from_str(&text).unwrap());
        assert!(
            !matches!(outcome.outcomes[0], RecordOutcome::Rejected(_)),
            "{name}: {outcome:?}"
        );
    }
}

/// The folder of real logs, when it lies beside the workspace or a folder above.
pub(crate) fn shared() -> Option<std::path::PathBuf> {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|folder| folder.join("shared/data"))
        .find(|folder| folder.is_dir())
}
