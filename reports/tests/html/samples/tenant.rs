//! A tenant of some size, as a reader would meet it.

use std::cmp::Reverse;

use reports::finding::{Finding, Severity};
use reports::health::{Action, CheckOutcome, HealthReport, IdentityRow, Status};

use super::{TENANT, check, counted, finding, identity, not_assessed, object_id, small, stream};

const NAMES: [&str; 5] = [
    "payments-api",
    "ledger-sync",
    "web-preview",
    "backup-runner",
    "mail-relay",
];
const SEVERITIES: [Severity; 5] = [
    Severity::Critical,
    Severity::High,
    Severity::Medium,
    Severity::Low,
    Severity::Info,
];
const ACTIONS: [(&str, &str, Severity, u32); 4] = [
    (
        "Remove 6 unused secrets of team payments",
        "last used 94 to 211 days ago",
        Severity::High,
        24,
    ),
    (
        "Give ledger-sync-001 a time limit on Application Administrator",
        "secret on a permanent tier 0 role",
        Severity::Critical,
        19,
    ),
    (
        "Confirm or undo the owner added to web-preview-002 on 14 October",
        "by an actor never seen before",
        Severity::High,
        11,
    ),
    (
        "Replace 11 secrets by federated credentials",
        "the workloads run on a platform that issues tokens",
        Severity::High,
        7,
    ),
];

/// The report.
pub(crate) fn rich() -> HealthReport {
    let mut report = small();
    report.summary.by_severity.clear();
    report.identities = (0..112).zip(NAMES.into_iter().cycle()).map(row).collect();
    report.findings = SEVERITIES.into_iter().zip(0..).flat_map(found).collect();
    let exclusion = "The policy excludes every workload identity";
    report.findings.push(Finding {
        subject: format!("entra:{TENANT}:policy:{}", object_id(7)),
        ..finding("OWN-001", 0, Severity::High, exclusion)
    });
    report.checks.extend(more_checks());
    report.actions = ACTIONS.into_iter().zip(0..).map(action).collect();
    let mut report = counted(report);
    report
        .identities
        .sort_by_key(|row| (Reverse(row.worst), row.name.clone()));
    report
        .findings
        .sort_by_key(|finding| Reverse(finding.severity));
    report
}

fn row((number, word): (u32, &str)) -> IdentityRow {
    let (tier, reason) = match number / 12 {
        0 => (
            0,
            "holds Application Administrator, which can become any app",
        ),
        1 => (1, "may read the mail of everyone (Mail.Read)"),
        _ => (2, "no power over others"),
    };
    let mut row = identity(number, &format!("{word}-{number:03}"), tier);
    row.tier_reason = reason.into();
    if number % 7 == 3 {
        row.owners.clear();
        row.last_used = None;
        row.class = "managed_identity".into();
    }
    row
}

/// The milder, the more.
fn found((severity, index): (Severity, u32)) -> Vec<Finding> {
    let one = |number: u32| {
        let id = if number.is_multiple_of(2) {
            "CRED-008"
        } else {
            "LIFE-002"
        };
        let (age, unused) = (180 + number, 94 + number);
        let statement = format!(
            "Secret 6f1d1c1e of {age} days, last used {unused} days ago, opens more than it needs"
        );
        finding(id, index * 5 + number, severity, &statement)
    };
    (0..3 + index * 6).map(one).collect()
}

fn more_checks() -> Vec<CheckOutcome> {
    let passed = (0..8).map(|number| {
        let title = "Nobody may grant permissions to themselves";
        check(
            &format!("PRIV-{number:03}"),
            "privilege",
            title,
            Status::Pass,
        )
    });
    let detail = "The last managed identity sign-in is of 19 October; import the export since.";
    let stale = not_assessed("stale_source", detail);
    passed
        .chain([check("DATA-001", "evidence", "Sign-ins are fresh", stale)])
        .collect()
}

fn action(
    ((title, detail, severity, gain_tenths), number): ((&str, &str, Severity, u32), u32),
) -> Action {
    Action {
        title: title.to_owned(),
        check: "CRED-008".to_owned(),
        severity,
        detail: detail.to_owned(),
        subjects: (0..=number * 2).map(stream).collect(),
        gain_tenths,
        evidence: vec![9_114, 152_007],
    }
}
