//! Promises of the report as a whole.

use super::*;
use crate::fixture::{BACKUP, BILLING, BILLING_APP, Fixture, VENDOR, ago, at};

fn ledger(fixture: &Fixture) -> LedgerFacts {
    LedgerFacts {
        origin: "daybook.example/test".to_owned(),
        size: fixture.state.size,
        chain: "00".repeat(32),
        verified: true,
    }
}

fn report(fixture: &Fixture) -> HealthReport {
    assess(&fixture.state, at(), &ledger(fixture))
}

#[test]
fn a_healthy_tenant_has_the_full_score_and_nothing_to_do() {
    let report = report(&Fixture::healthy());
    assert_eq!(report.summary.score_tenths, Some(1_000));
    assert!(report.actions.is_empty() && report.findings.is_empty());
    // Microsoft's own is out of scope.
    assert_eq!(report.summary.identities, 5);
    assert_eq!(report.identities.len(), 5);
    assert_eq!(report.summary.trend.len(), 12);
}

#[test]
fn equal_state_gives_equal_bytes() {
    let mut fixture = Fixture::healthy();
    fixture.grant(BACKUP, "Mail.Read");
    fixture.secret(BILLING_APP, "s", 20, -500);
    let write = || serde_json::to_vec(&report(&fixture)).unwrap();
    assert_eq!(write(), write());
    let id = report(&fixture).id;
    assert_eq!((id.len(), id.starts_with("HC-")), (11, true));
}

#[test]
fn a_ledger_that_was_not_verified_gets_no_score() {
    let fixture = Fixture::healthy();
    let facts = LedgerFacts {
        verified: false,
        ..ledger(&fixture)
    };
    assert_eq!(
        assess(&fixture.state, at(), &facts).summary.score_tenths,
        None
    );
}

#[test]
fn what_an_event_made_and_what_time_made_are_told_apart() {
    let mut fixture = Fixture::healthy();
    let position = fixture.secret(BILLING_APP, "new", 20, -100);
    fixture.certificate(BILLING_APP, "ending", 250, -10);
    let changes = report(&fixture).changes.unwrap();
    // CRED-007 and, for want of use, none else by the new secret; CRED-009 by both.
    assert!(changes.appeared_by_event >= 1);
    assert!(changes.appeared_by_time >= 1);
    let (first, last) = changes.positions.unwrap();
    assert!(first <= position && position <= last);
    assert_eq!(changes.fixed, 0);
}

#[test]
fn what_is_gone_is_fixed() {
    let mut fixture = Fixture::healthy();
    let closed = fixture.next();
    fixture.grant(VENDOR, "Mail.Read");
    let span = fixture.get(VENDOR).app_roles.last_mut().unwrap();
    span.to = Some(ago(5));
    span.closed = vec![closed];
    let report = report(&fixture);
    assert!(report.findings.is_empty());
    assert_eq!(report.changes.unwrap().fixed, 2, "PRIV-003 and PRIV-006");
    assert_eq!(
        report.summary.by_severity_before.unwrap()[&Severity::Critical],
        1
    );
}

#[test]
fn days_that_nobody_watched_are_not_counted_as_days_without_findings() {
    let mut fixture = Fixture::healthy();
    fixture.secret(BILLING_APP, "old", 300, -100);
    fixture.state.imports.clear();
    fixture.imported("graph/application", 300, 70);
    let report = report(&fixture);
    let watched = report.summary.watched_since.unwrap();
    assert_eq!(watched, ago(70));
    for point in &report.summary.trend {
        assert_eq!(
            point.by_severity.is_some(),
            watched <= point.at,
            "{point:?}"
        );
    }
    assert!(
        report
            .summary
            .trend
            .iter()
            .any(|point| point.by_severity.is_some())
    );
    assert!(report.changes.is_some() && report.summary.by_severity_before.is_some());
}

#[test]
fn a_ledger_younger_than_the_comparison_says_so_instead_of_comparing() {
    let mut fixture = Fixture::healthy();
    fixture.secret(BILLING_APP, "old", 300, -100);
    fixture.state.imports.clear();
    fixture.imported("graph/application", 300, 3);
    let report = report(&fixture);
    assert_eq!(report.changes, None);
    assert_eq!(report.summary.by_severity_before, None);
}

#[test]
fn the_worst_identity_comes_first_and_says_why_it_is_powerful() {
    let mut fixture = Fixture::healthy();
    let granted = fixture.grant(BILLING, "RoleManagement.ReadWrite.Directory");
    fixture.secret(BILLING_APP, "s", 20, -100);
    let report = report(&fixture);
    let first = &report.identities[0];
    assert_eq!((first.object_id.as_str(), first.tier), (BILLING, 0));
    assert_eq!(first.worst, Some(Severity::Critical));
    assert!(
        first
            .tier_reason
            .starts_with("RoleManagement.ReadWrite.Directory")
    );
    assert!(first.evidence.contains(&granted));
    assert_eq!(report.summary.privileged, 1);
    assert_eq!(report.summary.privileged_with_finding, 1);
    let action = &report.actions[0];
    assert!(action.gain_tenths > 0 && action.subjects.len() == 1);
    let score = report.summary.score_tenths.unwrap();
    assert!(score < 1_000);
}

#[test]
fn every_finding_cites_positions_of_the_ledger() {
    let mut fixture = Fixture::healthy();
    fixture.last_used(BILLING, 200);
    fixture.grant(VENDOR, "Directory.ReadWrite.All");
    let report = report(&fixture);
    assert!(!report.findings.is_empty());
    for finding in &report.findings {
        let positions = finding.evidence.positions();
        assert!(
            positions
                .iter()
                .all(|position| *position < report.ledger.size)
        );
    }
    assert!(
        report
            .findings
            .is_sorted_by(|a, b| a.severity >= b.severity)
    );
}
