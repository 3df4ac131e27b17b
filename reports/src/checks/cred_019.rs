//! CRED-019: a leaked credential is revoked.

use crate::calendar::date;
use crate::check::{Answer, Area, Check, CheckInfo, Fault, Need, Question};
use crate::finding::Severity;

/// `riskEventType` of a credential found in public.
const LEAKED: &str = "leakedCredentials";

static INFO: CheckInfo = CheckInfo {
    id: "CRED-019",
    area: Area::Credentials,
    title: "Leaked credentials are revoked",
    why: "The credential was found in public: others have it and can sign in with it now.",
    remediation: &[
        "Remove the credential now; the workload stops, which is the lesser harm.",
        "Give the workload a new one and rotate whatever held the old one.",
        "Review its sign-ins since the detection.",
    ],
    source: "Entra ID Protection detection leakedCredentials; NIST SP 800-53r5 IR-4",
    severity: Severity::Critical,
    parameters: &[],
    act_on_one: "Revoke a leaked credential",
    act_on_many: "Revoke {} leaked credentials",
};

/// A leaked credential is revoked.
pub(crate) struct Cred019;

impl Check for Cred019 {
    fn info(&self) -> &'static CheckInfo {
        &INFO
    }

    fn assess(&self, question: &Question<'_>) -> Answer {
        question.ask(
            &INFO,
            Need::DETECTIONS,
            |identity| identity.is_service_principal() && !identity.is_managed(),
            |identity| {
                let mut faults = Vec::new();
                let leaks = identity
                    .subject
                    .detections
                    .values()
                    .filter(|(seen, detection)| {
                        detection.risk_event_type == LEAKED
                            && detection.detected_at.unwrap_or(seen.at) <= question.at
                    });
                for (seen, detection) in leaks {
                    let told = detection.detected_at.unwrap_or(seen.at);
                    // Without key ids, any credential that existed then may be the one.
                    let concerned = identity.valid_credentials().filter(|held| {
                        detection.key_ids.contains(&held.credential().key_id)
                            || (detection.key_ids.is_empty() && held.span.from <= told)
                    });
                    for held in concerned {
                        let statement = format!(
                            "{} leaked, as detected on {}, and is still valid.",
                            held.words(),
                            date(told)
                        );
                        let evidence = [held.proof(false), vec![seen.position]].concat();
                        faults.push(
                            Fault::new(INFO.severity, statement, evidence)
                                .about(&held.credential().key_id)
                                .graded(),
                        );
                    }
                }
                faults
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use ledger::event::risk::Detection;
    use projections::state::Seen;

    use super::*;
    use crate::fixture::{BILLING, Fixture, ago};

    #[test]
    fn a_leaked_certificate_that_is_still_valid_is_found_with_its_detection() {
        let mut fixture = Fixture::healthy();
        let position = fixture.next();
        let detection = Detection {
            detection_id: "d".into(),
            risk_event_type: LEAKED.into(),
            level: "high".into(),
            state: "atRisk".into(),
            detail: None,
            activity_at: None,
            detected_at: Some(ago(2)),
            key_ids: vec!["cert-billing".into()],
            ip: None,
        };
        let seen = Seen {
            at: ago(2),
            position,
        };
        let subject = fixture.get(BILLING);
        subject.detections.insert("d".into(), (seen, detection));
        let finding = fixture.only(&Cred019);
        assert!(finding.evidence.positions().contains(&position));
        assert_eq!(finding.evidence.positions().len(), 2);
    }
}
