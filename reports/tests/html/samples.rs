//! Reports to render: one as a tenant would have it, and the extremes.

#[path = "samples/tenant.rs"]
mod tenant;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use reports::finding::{Evidence, Finding, Severity};
use reports::health::{
    Action, Catalogue, Changes, CheckOutcome, CredentialRow, HealthReport, IdentityRow,
    LedgerFacts, Status, Summary, TrendPoint,
};

pub(crate) use tenant::rich;

pub(crate) const AS_OF: &str = "2026-11-01T00:00:00Z";
const TENANT: &str = "contoso.onmicrosoft.com";

pub(crate) fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn days_ago(days: i64) -> Timestamp {
    instant(AS_OF) - SignedDuration::from_hours(days * 24)
}

fn object_id(number: u32) -> String {
    format!("{number:08x}-5d1c-4c52-9a53-0242ac120002")
}

fn stream(number: u32) -> String {
    format!("entra:{TENANT}:sp:{}", object_id(number))
}

/// A report about a tenant in which nothing exists and nothing was found.
pub(crate) fn empty() -> HealthReport {
    HealthReport {
        schema: 1,
        id: "HC-00000000".to_owned(),
        tenants: vec![TENANT.to_owned()],
        as_of: instant(AS_OF),
        ledger: LedgerFacts {
            origin: "daybook/example".to_owned(),
            size: 0,
            chain: "0".repeat(64),
            verified: true,
        },
        catalogue: Catalogue {
            checks: 0,
            digest: "9c41e0".to_owned(),
        },
        summary: Summary {
            identities: 0,
            by_severity: BTreeMap::new(),
            watched_since: Some(instant("2025-11-03T00:00:00Z")),
            by_severity_before: Some(BTreeMap::new()),
            trend: Vec::new(),
            assessed: 0,
            not_assessed: 0,
            privileged: 0,
            privileged_with_finding: 0,
            score_tenths: None,
        },
        actions: Vec::new(),
        changes: Some(Changes {
            since: instant("2026-10-02T00:00:00Z"),
            appeared_by_event: 0,
            appeared_by_time: 0,
            fixed: 0,
            positions: None,
        }),
        checks: Vec::new(),
        identities: Vec::new(),
        findings: Vec::new(),
    }
}

pub(crate) fn check(id: &str, area: &str, title: &str, status: Status) -> CheckOutcome {
    CheckOutcome {
        id: id.to_owned(),
        area: area.to_owned(),
        title: title.to_owned(),
        why: "A secret that lives long is copied often, and nobody can tell by whom.".to_owned(),
        remediation: vec![
            "Add a federated credential or a certificate.".to_owned(),
            "Move the workload over and watch its sign-ins for a week.".to_owned(),
            "Remove the secret.".to_owned(),
        ],
        source: "Microsoft cloud security benchmark IM-3; limit of 180 days".to_owned(),
        severity: Severity::Medium,
        status,
        subjects: 412,
        findings: 0,
    }
}

pub(crate) fn finding(check: &str, number: u32, severity: Severity, statement: &str) -> Finding {
    Finding {
        check: check.to_owned(),
        subject: stream(number),
        discriminator: String::new(),
        severity,
        statement: statement.to_owned(),
        evidence: Evidence::new([9_114, 152_007 + u64::from(number)]).unwrap(),
    }
}

pub(crate) fn identity(number: u32, name: &str, tier: u8) -> IdentityRow {
    IdentityRow {
        stream: stream(number),
        object_id: object_id(number),
        name: name.to_owned(),
        class: "single_tenant".to_owned(),
        tier,
        tier_reason: "no power over others".to_owned(),
        worst: None,
        findings: 0,
        owners: vec![object_id(900 + number)],
        last_used: Some(days_ago(i64::from(number))),
        enabled: true,
        credentials: vec![
            credential("secret", 200, -165),
            credential("certificate", 400, 35),
        ],
        grants: vec!["Application permission User.Read.All on Microsoft Graph".to_owned()],
        evidence: vec![u64::from(number), 40_233],
    }
}

fn credential(kind: &str, started: i64, ended: i64) -> CredentialRow {
    CredentialRow {
        key_id: "6f1d1c1e-3d6a-4f3e-9a5c-0242ac120002".to_owned(),
        kind: kind.to_owned(),
        origin: "application".to_owned(),
        starts_at: Some(days_ago(started)),
        ends_at: Some(days_ago(ended)),
        last_used: Some(days_ago(94)),
    }
}

/// Sets the counts that follow from the findings.
pub(crate) fn counted(mut report: HealthReport) -> HealthReport {
    for finding in &report.findings {
        *report
            .summary
            .by_severity
            .entry(finding.severity)
            .or_default() += 1;
        for row in report
            .identities
            .iter_mut()
            .filter(|row| row.stream == finding.subject)
        {
            row.findings += 1;
            row.worst = row.worst.max(Some(finding.severity));
        }
        for check in report
            .checks
            .iter_mut()
            .filter(|check| check.id == finding.check)
        {
            check.findings += 1;
            check.status = Status::Fail;
        }
    }
    let unassessed = |check: &&CheckOutcome| matches!(check.status, Status::NotAssessed { .. });
    let not_assessed = report.checks.iter().filter(unassessed).count();
    report.summary.not_assessed = u32::try_from(not_assessed).unwrap();
    report.summary.assessed = u32::try_from(report.checks.len() - not_assessed).unwrap();
    report.summary.identities = u32::try_from(report.identities.len()).unwrap();
    report.catalogue.checks = u32::try_from(report.checks.len()).unwrap();
    report
}

pub(crate) fn not_assessed(reason: &str, detail: &str) -> Status {
    Status::NotAssessed {
        reason: reason.to_owned(),
        detail: detail.to_owned(),
    }
}

/// Every check without its source.
pub(crate) fn blind() -> HealthReport {
    let mut report = empty();
    report.ledger.size = 12;
    report.ledger.verified = false;
    report.identities = vec![identity(1, "lonely", 2)];
    report.checks = ["CRED-001", "LIFE-001", "RISK-001"]
        .map(|id| {
            let detail = "No sign-in was ever imported; export the service principal sign-in log.";
            check(
                id,
                "credentials",
                "It is as it should be",
                not_assessed("no_source", detail),
            )
        })
        .to_vec();
    counted(report)
}

fn trend() -> Vec<TrendPoint> {
    let critical = [6, 6, 5, 5, 5, 4, 4, 4, 4, 4, 3, 3];
    let high = [16, 16, 17, 17, 18, 19, 19, 21, 22, 24, 26, 27];
    (0..12)
        .map(|index: usize| {
            let (year, month) = if index == 0 {
                (2025, 12)
            } else {
                (2026, index)
            };
            TrendPoint {
                at: instant(&format!("{year}-{month:02}-01T00:00:00Z")),
                by_severity: Some(BTreeMap::from([
                    (Severity::Critical, critical[index]),
                    (Severity::High, high[index]),
                    (Severity::Medium, 30 - high[index] / 2),
                    (Severity::Low, 14),
                    (Severity::Info, 3),
                ])),
            }
        })
        .collect()
}

/// The golden report: every part of the page once, and short.
pub(crate) fn small() -> HealthReport {
    let mut report = empty();
    report.id = "HC-9c41e0aa".into();
    report.ledger.size = 184_233;
    report.ledger.chain = "2b9f3a7c".repeat(8);
    report.summary.trend = trend();
    report.summary.by_severity_before =
        Some([(Severity::Critical, 2), (Severity::Medium, 1)].into());
    report.summary.privileged = 2;
    report.summary.privileged_with_finding = 1;
    report.summary.score_tenths = Some(831);
    report.changes = Some(Changes {
        since: instant("2026-10-02T00:00:00Z"),
        appeared_by_event: 11,
        appeared_by_time: 5,
        fixed: 9,
        positions: Some((160_118, 184_020)),
    });
    report.identities = small_identities();
    let secret = "A secret opens a permanent tier 0 role";
    let unused = "Unused for 133 days, secret valid until 2027";
    report.findings = vec![
        finding("CRED-008", 0, Severity::Critical, secret),
        finding("LIFE-002", 133, Severity::Medium, unused),
    ];
    report.checks = small_checks();
    report.actions = vec![Action {
        title: "Give ci-deployer a certificate and remove its secret".to_owned(),
        check: "CRED-008".to_owned(),
        severity: Severity::Critical,
        detail: "last used 94 days ago".to_owned(),
        subjects: vec![stream(0)],
        gain_tenths: 24,
        evidence: vec![9_114, 152_007],
    }];
    counted(report)
}

fn small_identities() -> Vec<IdentityRow> {
    let mut deployer = identity(0, "ci-deployer", 0);
    deployer.tier_reason = "holds Application Administrator".into();
    let role = "Directory role Application Administrator, permanent";
    deployer.grants.push(role.to_owned());
    let mut old = identity(133, "old-reporting", 2);
    old.owners.clear();
    old.enabled = false;
    vec![deployer, old, identity(2, "hr-sync", 1)]
}

fn small_checks() -> Vec<CheckOutcome> {
    let licence = "Risk needs Workload ID Premium; import risky identities.";
    [
        (
            "CRED-008",
            "credentials",
            "No secret opens a tier 0 role",
            Status::Pass,
        ),
        (
            "LIFE-002",
            "lifecycle",
            "Every identity is used",
            Status::Pass,
        ),
        (
            "OWN-001",
            "ownership",
            "Every identity has an owner",
            Status::Pass,
        ),
        (
            "EXT-004",
            "third_party",
            "No app of a stranger",
            Status::NotApplicable,
        ),
        (
            "RISK-001",
            "risk",
            "No identity is at risk",
            not_assessed("no_licence", licence),
        ),
    ]
    .map(|(id, area, title, status)| check(id, area, title, status))
    .to_vec()
}

/// Names that attack the page, the reader and the terminal.
pub(crate) const HOSTILE: [&str; 9] = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>",
    "</style><script>alert(1)</script>",
    "{{ view.strip.id }}{% include \"health.css\" %}",
    "payroll\u{202E}gpj.exe",
    "\u{1b}[2J\u{1b}]0;owned\u{7}",
    "zero\u{200B}width\u{FEFF}\u{2066}\u{E0041}",
    "javascript:alert(1)' onmouseover='alert(1)",
    "\u{0}\n\r\t\u{85}\u{2028}",
];

/// Every text of the tenant is hostile, ids and all.
pub(crate) fn hostile() -> HealthReport {
    let mut report = small();
    let long = "very long name ".repeat(40);
    let right_to_left = "حساب الخدمة الرئيسي";
    report.findings.clear();
    report.identities.clear();
    report.summary.by_severity.clear();
    for (text, number) in HOSTILE
        .into_iter()
        .chain([long.as_str(), right_to_left])
        .zip(0..)
    {
        let mut row = identity(number, text, 0);
        row.stream = text.into();
        row.object_id = text.into();
        row.class = text.into();
        row.tier_reason = text.into();
        row.owners = vec![text.to_owned()];
        row.grants = vec![text.to_owned()];
        row.credentials[0].key_id = text.into();
        row.credentials[0].kind = text.into();
        row.credentials[0].origin = text.into();
        report.identities.push(row);
        let mut found = finding("CRED-008", 0, Severity::High, text);
        found.subject = text.into();
        report.findings.push(found);
        report.tenants.push(text.to_owned());
        report.actions.push(Action {
            title: text.to_owned(),
            check: text.to_owned(),
            detail: text.to_owned(),
            subjects: vec![text.to_owned()],
            ..report.actions[0].clone()
        });
        let mut odd = check(text, text, text, not_assessed(text, text));
        odd.source = text.into();
        report.checks.push(odd);
    }
    report.tenants.reverse();
    report.id = HOSTILE[0].into();
    report.ledger.origin = HOSTILE[1].into();
    report.ledger.chain = HOSTILE[2].into();
    report.catalogue.digest = HOSTILE[4].into();
    counted(report)
}

/// More identities than the page lists, each with a finding.
pub(crate) fn large() -> HealthReport {
    let mut report = small();
    report.identities.clear();
    report.findings.clear();
    report.summary.by_severity.clear();
    for number in 0..3_000 {
        let mut row = identity(number, &format!("workload-{number:04}"), 2);
        row.findings = 1;
        row.worst = Some(Severity::Medium);
        report.identities.push(row);
        report.findings.push(finding(
            "CRED-008",
            number,
            Severity::Medium,
            "Secret of 200 days",
        ));
    }
    report.summary.by_severity = [(Severity::Medium, 3_000)].into();
    report.checks[0].status = Status::Fail;
    report.checks[0].findings = 3_000;
    report.summary.identities = 3_000;
    report
}
