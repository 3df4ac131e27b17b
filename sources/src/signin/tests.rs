use jiff::Timestamp;

use super::*;

fn read(json: &str, shape: Shape, private_network: bool) -> Result<Event, Reason> {
    let outer = Fields::parse(json).unwrap();
    let text = outer.inner("properties");
    let inner = text.as_deref().map(|text| Fields::parse(text).unwrap());
    let record = Enveloped {
        outer: &outer,
        inner: inner.as_ref().unwrap_or(&outer),
    };
    let origin = Origin {
        tenant: "t",
        shape,
        digest: "d",
        observed_at: Timestamp::UNIX_EPOCH,
        private_network,
    };
    interpret(record, &origin)
}

fn envelope(properties: &str) -> String {
    format!(
        r#"{{"category":"ServicePrincipalSignInLogs","time":"2026-10-01T00:00:01Z","resultType":"0",
        "callerIpAddress":"192.0.2.7","location":"de","properties":{{"id":"s1","servicePrincipalId":"o1",
        "createdDateTime":"2026-10-01T00:00:00.1234567+00:00"{properties}}}}}"#
    )
}

fn body(event: &Event) -> &SignIn {
    match &event.body {
        EventBody::SignedIn(body)
        | EventBody::SignInFailed(body)
        | EventBody::SignInBlocked(body) => body,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_envelope_and_the_graph_record_of_one_sign_in_are_one_event() {
    let enveloped = read(
        &envelope(r#","appId":"a","status":{"errorCode":0}"#),
        Shape::ServicePrincipalSignIn,
        false,
    )
    .unwrap();
    let graph = read(
        r#"{"id":"s1","servicePrincipalId":"o1","createdDateTime":"2026-10-01T00:00:00.1234567Z","appId":"a",
            "status":{"errorCode":0},"ipAddress":"192.0.2.7","location":{"countryOrRegion":"DE"}}"#,
        Shape::ServicePrincipalSignIn,
        false,
    )
    .unwrap();
    assert_eq!(enveloped.id, graph.id);
    assert_eq!(enveloped.body, graph.body);
    assert_eq!(enveloped.occurred_at, graph.occurred_at);
    assert_eq!(enveloped.stream.as_str(), "entra:t:sp:o1");
}

#[test]
fn the_outcome_follows_the_error_code_wherever_it_is() {
    let outcome = |properties: &str| {
        let event = read(&envelope(properties), Shape::ServicePrincipalSignIn, false).unwrap();
        event.body.event_type().name().unwrap()
    };
    assert_eq!(outcome(""), "activity.signed_in");
    assert_eq!(
        outcome(r#","status":{"errorCode":"0"}"#),
        "activity.signed_in"
    );
    assert_eq!(
        outcome(r#","status":{"errorCode":7000222}"#),
        "activity.sign_in_failed"
    );
    assert_eq!(
        outcome(r#","status":{"errorCode":53003}"#),
        "activity.sign_in_blocked"
    );
    assert_eq!(
        outcome(r#","status":{"errorCode":530032},"conditionalAccessStatus":"failure""#),
        "activity.sign_in_blocked"
    );
}

#[test]
fn empty_texts_zero_ids_and_nowhere_are_nothing() {
    let event = read(
        r#"{"category":"ManagedIdentitySignInLogs","properties":{"id":"s","servicePrincipalId":"o","ipAddress":"",
            "createdDateTime":"2026-10-01T00:00:00Z","servicePrincipalCredentialKeyId":"00000000-0000-0000-0000-000000000000",
            "location":{"city":"","countryOrRegion":"","geoCoordinates":{"latitude":0,"longitude":0}},"userAgent":""}}"#,
        Shape::ManagedIdentitySignIn,
        false,
    )
    .unwrap();
    let expected = SignIn {
        sign_in_id: "s".to_owned(),
        managed_identity: true,
        ..SignIn::default()
    };
    assert_eq!(body(&event), &expected);
    assert_eq!(event.source.name, "graph/managedIdentitySignIn");
}

#[test]
fn texts_that_are_no_addresses_are_left_out() {
    for address in [
        "<Redacted>",
        "<null>",
        "5f9e-guid",
        "::2a02:cf40:add:4002:91f2:a9b2:e09a:6fc6",
    ] {
        let event = read(
            &envelope(&format!(r#","ipAddress":"{address}""#)),
            Shape::ServicePrincipalSignIn,
            false,
        )
        .unwrap();
        assert_eq!(body(&event).ip, None, "{address}");
    }
}

#[test]
fn a_private_network_keeps_network_facts_out_of_the_body() {
    let json = envelope(r#","userAgent":"u","autonomousSystemNumber":64500"#);
    let event = read(&json, Shape::ServicePrincipalSignIn, true).unwrap();
    let found = body(&event);
    assert_eq!(
        (&found.ip, &found.country, &found.user_agent, found.asn),
        (&None, &None, &None, None)
    );
    assert_eq!(
        event.private,
        Some(serde_json::json!({"ip":"192.0.2.7","country":"DE","user_agent":"u","asn":64500}))
    );
}

#[test]
fn a_log_analytics_row_with_json_in_strings_is_read() {
    let event = read(
        r#"{"TimeGenerated":"2026-10-01T00:00:00Z","Id":"s","ServicePrincipalId":"o","AppId":"a","ResultType":"7000215",
            "ResourceId":"/tenants/x/providers/Microsoft.aadiam","ResourceIdentity":"r","IPAddress":"2001:db8::1",
            "LocationDetails":"{\"countryOrRegion\":\"FR\"}","ConditionalAccessPolicies":"[{\"id\":\"p\",\"result\":\"notApplied\"}]"}"#,
        Shape::ServicePrincipalSignIn,
        false,
    )
    .unwrap();
    let found = body(&event);
    assert_eq!(found.resource_id.as_deref(), Some("r"));
    assert_eq!(found.country.as_deref(), Some("FR"));
    assert_eq!(found.ip.as_deref(), Some("2001:db8::1"));
    assert_eq!(found.policies, ["p notApplied"]);
    assert_eq!(found.error_code, 7_000_215);
}

#[test]
fn what_is_needed_and_missing_or_malformed_is_named() {
    let shape = Shape::ServicePrincipalSignIn;
    let reason = |json: &str| read(json, shape, false).unwrap_err().to_string();
    assert_eq!(
        reason(r#"{"servicePrincipalId":"o"}"#),
        "field `id` is missing"
    );
    assert_eq!(
        reason(r#"{"id":"s"}"#),
        "field `servicePrincipalId` is missing"
    );
    assert_eq!(
        reason(r#"{"id":"s","servicePrincipalId":"o"}"#),
        "field `createdDateTime` is missing"
    );
    assert_eq!(
        reason(r#"{"id":"s","servicePrincipalId":"o","createdDateTime":"redacted"}"#),
        "field `createdDateTime` has the value `redacted`, which is not a time"
    );
}
