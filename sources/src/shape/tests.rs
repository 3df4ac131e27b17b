use super::*;

fn seen(json: &str) -> Recognised {
    recognise(&Fields::parse(json).unwrap(), None)
}

fn is(json: &str, shape: Shape) {
    assert_eq!(seen(json), Recognised::Shape(shape), "{json}");
}

fn skips(json: &str, name: &str) {
    assert_eq!(seen(json), Recognised::Skip(name.to_owned()), "{json}");
}

#[test]
fn envelopes_are_recognised_by_category_whatever_the_case_of_keys() {
    is(
        r#"{"category":"ServicePrincipalSignInLogs","properties":{}}"#,
        Shape::ServicePrincipalSignIn,
    );
    is(
        r#"{"CATEGORY":"managedidentitysigninlogs","Properties":{}}"#,
        Shape::ManagedIdentitySignIn,
    );
    is(
        r#"{"category":"AuditLogs","properties":"{}"}"#,
        Shape::Audit,
    );
    is(
        r#"{"category":"Policy","operationName":"x","properties":{"activityDisplayName":"x"}}"#,
        Shape::Audit,
    );
    is(
        r#"{"category":"RiskyServicePrincipals","properties":{}}"#,
        Shape::RiskyServicePrincipal,
    );
    is(
        r#"{"category":"ServicePrincipalRiskEvents","properties":{}}"#,
        Shape::RiskDetection,
    );
}

#[test]
fn logs_of_other_things_are_skipped_by_name() {
    skips(
        r#"{"category":"NonInteractiveUserSignInLogs","operationName":"Sign-in activity","properties":{}}"#,
        "NonInteractiveUserSignInLogs",
    );
    skips(
        r#"{"category":"MicrosoftServicePrincipalSignInLogs","operationName":"Sign-in activity","properties":{}}"#,
        "MicrosoftServicePrincipalSignInLogs",
    );
    skips(
        r#"{"category":"RiskyUsers","operationName":"Risky user","properties":{}}"#,
        "RiskyUsers",
    );
    skips(
        r#"{"category":"Administrative","resourceId":"/subscriptions/x","operationName":"x/write"}"#,
        "Administrative",
    );
    skips(
        r#"{"resourceId":"/subscriptions/x","operationName":"x/write"}"#,
        "x/write",
    );
    skips(
        r#"{"eventSource":"ec2.amazonaws.com","eventName":"RunInstances"}"#,
        "RunInstances",
    );
    skips(
        r#"{"protoPayload":{"methodName":"SetIamPolicy"},"logName":"x"}"#,
        "SetIamPolicy",
    );
    skips(
        r#"{"kind":"Event","verb":"list","user":{},"objectRef":{"resource":"pods"}}"#,
        "list pods",
    );
    skips(
        r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1"}"#,
        "Kubernetes audit",
    );
    skips(
        r#"{"TimeGenerated [UTC]":"6/3/2021, 4:11:48.323 PM","Type":"GCP_IAM_CL"}"#,
        "GCP_IAM_CL",
    );
    skips(
        r#"{"signInEventTypes":["interactiveUser"],"createdDateTime":"x"}"#,
        "interactiveUser sign-in",
    );
    skips(
        r#"{"riskEventType":"x","userPrincipalName":"a@b"}"#,
        "user risk",
    );
}

#[test]
fn graph_resources_are_recognised_by_their_fields() {
    is(
        r#"{"activityDisplayName":"Add service principal","activityDateTime":"x"}"#,
        Shape::Audit,
    );
    is(
        r#"{"TimeGenerated":"x","OperationName":"y","TargetResources":"[]","Category":"ApplicationManagement"}"#,
        Shape::Audit,
    );
    is(
        r#"{"signInEventTypes":["servicePrincipal"]}"#,
        Shape::ServicePrincipalSignIn,
    );
    is(
        r#"{"signInEventTypes":["managedIdentity"]}"#,
        Shape::ManagedIdentitySignIn,
    );
    is(
        r#"{"TimeGenerated":"x","Type":"AADManagedIdentitySignInLogs"}"#,
        Shape::ManagedIdentitySignIn,
    );
    is(
        r#"{"riskEventType":"leakedCredentials","servicePrincipalId":"x"}"#,
        Shape::RiskDetection,
    );
    is(
        r#"{"riskLastUpdatedDateTime":"x","riskState":"atRisk","servicePrincipalType":"Application"}"#,
        Shape::RiskyServicePrincipal,
    );
    is(
        r#"{"skuId":"x","skuPartNumber":"y","isTrial":true}"#,
        Shape::Subscription,
    );
    is(
        r#"{"skuId":"x","skuPartNumber":"y","prepaidUnits":{}}"#,
        Shape::SubscribedSku,
    );
    is(
        r#"{"appRoleId":"x","principalId":"y"}"#,
        Shape::AppRoleAssignment,
    );
    is(
        r#"{"clientId":"x","resourceId":"y","scope":""}"#,
        Shape::Oauth2PermissionGrant,
    );
    is(
        r#"{"roleDefinitionId":"x","principalId":"y"}"#,
        Shape::RoleAssignment,
    );
    is(
        r#"{"conditions":{},"grantControls":null}"#,
        Shape::AccessPolicy,
    );
    is(r#"{"id":"x","ipRanges":[]}"#, Shape::NamedLocation);
    is(
        r#"{"id":"x","servicePrincipalType":null}"#,
        Shape::ServicePrincipal,
    );
    is(
        r#"{"id":"x","appId":"y","signInAudience":"z"}"#,
        Shape::Application,
    );
    assert_eq!(seen(r#"{"a":1}"#), Recognised::Unknown);
}

#[test]
fn the_context_of_the_page_decides_where_fields_do_not() {
    let fields = Fields::parse(r#"{"id":"x","displayName":"y"}"#).unwrap();
    let page = "https://graph.microsoft.com/v1.0/$metadata#servicePrincipals(id,displayName)";
    assert_eq!(
        recognise(&fields, Some(page)),
        Recognised::Shape(Shape::ServicePrincipal)
    );
    let page = "https://graph.microsoft.com/v1.0/$metadata#applications/$entity";
    assert_eq!(
        recognise(&fields, Some(page)),
        Recognised::Shape(Shape::Application)
    );
    let page =
        "https://graph.microsoft.com/v1.0/$metadata#applications('x')/federatedIdentityCredentials";
    assert_eq!(
        recognise(&fields, Some(page)),
        Recognised::Shape(Shape::FederatedCredential)
    );
    assert_eq!(application_of(page), Some("x"));
    assert_eq!(application_of("…#applications"), None);
    assert_eq!(recognise(&fields, Some("nonsense")), Recognised::Unknown);
}

#[test]
fn shape_names_are_those_of_the_sources() {
    for (shape, name) in Shape::ALL {
        assert_eq!(shape.source(), name);
        assert_eq!(Shape::from_name(name), Some(shape));
    }
    assert_eq!(Shape::from_name("x"), None);
}
