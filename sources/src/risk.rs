//! Risk on workload identities: detections and the risk state of service principals.
//!
//! Both are exported again whenever they change; each version is one event, told apart by when it
//! was last updated (`servicePrincipalRiskDetection`, `riskyServicePrincipal`, Graph v1.0).

use ledger::event::risk::{Detection, Level};
use ledger::{Correlation, Event, EventBody, NaturalKey, Precision, StreamName};

use crate::origin::{Enveloped, Origin};
use crate::outcome::Reason;

/// The event one version of a detection states.
pub(crate) fn detection(record: Enveloped<'_, '_>, origin: &Origin<'_>) -> Result<Event, Reason> {
    let inner = record.inner;
    let detection_id = record.needed("id")?;
    let object_id = record.needed("servicePrincipalId")?;
    let updated_at = record.time(&[
        "lastUpdatedDateTime",
        "detectedDateTime",
        "activityDateTime",
    ])?;
    let mut body = Detection {
        risk_event_type: record.needed("riskEventType")?,
        level: inner.owned("riskLevel").unwrap_or_else(none),
        state: inner.owned("riskState").unwrap_or_else(none),
        detail: detail(record),
        activity_at: record.time_if_given("activityDateTime")?,
        detected_at: record.time_if_given("detectedDateTime")?,
        key_ids: inner.texts("keyIds"),
        ip: inner
            .owned("ipAddress")
            .filter(|ip| ip.parse::<std::net::IpAddr>().is_ok()),
        detection_id,
    };
    let private = if origin.private_network {
        body.ip.take().map(|ip| serde_json::json!({ "ip": ip }))
    } else {
        None
    };
    let key = NaturalKey::new("risk.detected")
        .with(origin.tenant)
        .with(&body.detection_id)
        .with(&updated_at.to_string());
    Ok(Event {
        id: key.id(),
        stream: StreamName::service_principal(origin.tenant, &object_id),
        occurred_at: updated_at,
        precision: Precision::Exact,
        source: origin.source(Some(body.detection_id.clone())),
        correlation: correlation(record),
        actor: None,
        private,
        body: EventBody::RiskDetected(body),
    })
}

/// The event one version of a service principal's risk state states.
pub(crate) fn level(record: Enveloped<'_, '_>, origin: &Origin<'_>) -> Result<Event, Reason> {
    let inner = record.inner;
    // A history item has its own id and names the service principal besides.
    let object_id = match inner.owned("servicePrincipalId") {
        Some(id) => id,
        None => record.needed("id")?,
    };
    let updated_at = record.time(&["riskLastUpdatedDateTime"])?;
    let body = Level {
        level: inner.owned("riskLevel").unwrap_or_else(none),
        state: record.needed("riskState")?,
        detail: detail(record),
    };
    let key = NaturalKey::new("risk.level")
        .with(origin.tenant)
        .with(&object_id)
        .with(&updated_at.to_string());
    Ok(Event {
        id: key.id(),
        stream: StreamName::service_principal(origin.tenant, &object_id),
        occurred_at: updated_at,
        precision: Precision::Exact,
        source: origin.source(inner.owned("id")),
        correlation: correlation(record),
        actor: None,
        private: None,
        body: match body.state.as_str() {
            "confirmedCompromised" => EventBody::RiskConfirmed(body),
            "dismissed" => EventBody::RiskDismissed(body),
            "remediated" => EventBody::RiskRemediated(body),
            _ => EventBody::RiskLevelChanged(body),
        },
    })
}

fn none() -> String {
    "none".to_owned()
}

fn detail(record: Enveloped<'_, '_>) -> Option<String> {
    record
        .inner
        .owned("riskDetail")
        .filter(|detail| detail != "none")
}

/// In a risk record, only its own correlation id ties it to a sign-in.
fn correlation(record: Enveloped<'_, '_>) -> Correlation {
    Correlation {
        id: record.inner.owned("correlationId"),
        records: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::record::fields::Fields;
    use crate::shape::Shape;

    fn origin(shape: Shape) -> Origin<'static> {
        Origin {
            tenant: "t",
            shape,
            digest: "d",
            observed_at: Timestamp::UNIX_EPOCH,
            private_network: false,
        }
    }

    fn risky(state: &str, updated: &str) -> Event {
        let json = format!(
            r#"{{"id":"o","riskLevel":"high","riskState":"{state}","riskDetail":"none","riskLastUpdatedDateTime":"{updated}"}}"#
        );
        let fields = Fields::parse(&json).unwrap();
        let record = Enveloped {
            outer: &fields,
            inner: &fields,
        };
        level(record, &origin(Shape::RiskyServicePrincipal)).unwrap()
    }

    #[test]
    fn each_state_has_its_event_and_each_version_its_id() {
        let day = "2026-10-01T00:00:00Z";
        let name = |state| risky(state, day).body.event_type().name().unwrap();
        assert_eq!(name("atRisk"), "risk.level_changed");
        assert_eq!(name("dismissed"), "risk.dismissed");
        assert_eq!(name("confirmedCompromised"), "risk.confirmed");
        assert_eq!(name("remediated"), "risk.remediated");
        assert_eq!(
            risky("atRisk", day).id,
            risky("atRisk", "2026-10-01T00:00:00.000+00:00").id
        );
        assert_ne!(
            risky("atRisk", day).id,
            risky("atRisk", "2026-10-02T00:00:00Z").id
        );
    }

    #[test]
    fn a_detection_keeps_its_times_and_key_ids() {
        let read = |updated: &str| {
            let json = format!(
                r#"{{"id":"x","servicePrincipalId":"o","riskEventType":"leakedCredentials","riskLevel":"high",
                "riskState":"atRisk","activityDateTime":"2026-10-01T00:00:00Z","detectedDateTime":"2026-10-02T00:00:00Z",
                "lastUpdatedDateTime":"{updated}","keyIds":["k"],"ipAddress":null}}"#
            );
            let fields = Fields::parse(&json).unwrap();
            detection(
                Enveloped {
                    outer: &fields,
                    inner: &fields,
                },
                &origin(Shape::RiskDetection),
            )
        };
        let event = read("2026-10-03T00:00:00Z").unwrap();
        let EventBody::RiskDetected(body) = &event.body else {
            panic!("{event:?}")
        };
        assert_eq!(body.key_ids, ["k"]);
        assert_eq!(body.detected_at, "2026-10-02T00:00:00Z".parse().ok());
        assert_eq!(event.occurred_at, "2026-10-03T00:00:00Z".parse().unwrap());
        assert!(matches!(
            read("2026-10-03T00:00:00Z)"),
            Err(Reason::BadValue { .. })
        ));
    }
}
