//! The health report: the one structure that is written as JSON and rendered as HTML.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::finding::{Finding, Severity};

/// The whole report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HealthReport {
    /// Version of this structure.
    pub schema: u32,
    /// Report number or digest-derived name, such as `HC-9c41e0aa`.
    pub id: String,
    /// Tenants in scope.
    pub tenants: Vec<String>,
    /// The instant the checks ask about.
    pub as_of: Timestamp,
    /// What the ledger held.
    pub ledger: LedgerFacts,
    /// Catalogue: how many checks, and a digest over ids and parameters.
    pub catalogue: Catalogue,
    /// Headline figures.
    pub summary: Summary,
    /// What to do first, best first.
    pub actions: Vec<Action>,
    /// What changed since 30 days before `as_of`; `None` when nothing was watched then.
    pub changes: Option<Changes>,
    /// Every check with its outcome, in order of id.
    pub checks: Vec<CheckOutcome>,
    /// Identities with a finding, worst first, then the others by name.
    pub identities: Vec<IdentityRow>,
    /// Every finding, in order of severity (worst first), check, subject, discriminator.
    pub findings: Vec<Finding>,
}

/// The part of the ledger the report was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerFacts {
    /// Origin of the ledger.
    pub origin: String,
    /// Events below this position were read.
    pub size: u64,
    /// Chain value of the last of them, hex.
    pub chain: String,
    /// Whether the ledger was verified before the report was made.
    pub verified: bool,
}

/// Which checks were asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Catalogue {
    /// Number of checks.
    pub checks: u32,
    /// First 6 hex digits of a BLAKE3 over the ids, titles and parameters.
    pub digest: String,
}

/// Headline figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Identities in scope (existing at `as_of`, Microsoft's own left out).
    pub identities: u32,
    /// Findings by severity.
    pub by_severity: BTreeMap<Severity, u32>,
    /// The earliest moment an import speaks for; what is known of earlier days was inferred.
    pub watched_since: Option<Timestamp>,
    /// Findings by severity 30 days before `as_of`, from the same knowledge; `None` when nothing
    /// was watched then.
    pub by_severity_before: Option<BTreeMap<Severity, u32>>,
    /// Findings by severity at the end of each of the last 12 months, oldest first.
    pub trend: Vec<TrendPoint>,
    /// Checks that could be answered.
    pub assessed: u32,
    /// Checks that could not.
    pub not_assessed: u32,
    /// Identities on tier 0 or 1.
    pub privileged: u32,
    /// Of these, with a finding of medium or worse.
    pub privileged_with_finding: u32,
    /// Health in tenths of a point, 0 to 1000; `None` when a score would mislead.
    pub score_tenths: Option<u32>,
}

/// Findings by severity at one instant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrendPoint {
    /// The instant.
    pub at: Timestamp,
    /// Findings by severity; `None` when nothing was watched then.
    pub by_severity: Option<BTreeMap<Severity, u32>>,
}

/// Something to do, gathering findings that one act would fix.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Action {
    /// What to do, one sentence.
    pub title: String,
    /// Check it comes from.
    pub check: String,
    /// Worst severity among its findings.
    pub severity: Severity,
    /// One line of fact.
    pub detail: String,
    /// Subjects concerned.
    pub subjects: Vec<String>,
    /// Gain in tenths of a point.
    pub gain_tenths: u32,
    /// Positions that prove it, ascending.
    pub evidence: Vec<u64>,
}

/// What changed, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changes {
    /// Since when.
    pub since: Timestamp,
    /// Findings that appeared because an event happened since.
    pub appeared_by_event: u32,
    /// Findings that appeared because time passed.
    pub appeared_by_time: u32,
    /// Findings that are gone.
    pub fixed: u32,
    /// First and last position among the events that made findings appear.
    pub positions: Option<(u64, u64)>,
}

/// How a check came out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckOutcome {
    /// Id.
    pub id: String,
    /// Area, such as `credentials`.
    pub area: String,
    /// The desired state, one sentence.
    pub title: String,
    /// Why it matters, one or two sentences.
    pub why: String,
    /// Steps that put it right.
    pub remediation: Vec<String>,
    /// Where the rule and its threshold come from.
    pub source: String,
    /// Base severity.
    pub severity: Severity,
    /// What came out.
    pub status: Status,
    /// Subjects looked at.
    pub subjects: u32,
    /// Findings.
    pub findings: u32,
}

/// Status of a check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum Status {
    /// Looked, found nothing.
    Pass,
    /// Looked, found something.
    Fail,
    /// Nothing of the kind exists.
    NotApplicable,
    /// Could not look.
    NotAssessed {
        /// `no_source`, `stale_source`, `no_licence`, `hidden`.
        reason: String,
        /// One sentence: what is missing and how to supply it.
        detail: String,
    },
}

/// One identity in the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdentityRow {
    /// Stream.
    pub stream: String,
    /// Object id.
    pub object_id: String,
    /// Display name, as the tenant wrote it: untrusted text.
    pub name: String,
    /// Class, such as `single_tenant`.
    pub class: String,
    /// Tier 0 to 2 of what it can do.
    pub tier: u8,
    /// Why it has that tier, one phrase.
    pub tier_reason: String,
    /// Worst finding.
    pub worst: Option<Severity>,
    /// Number of findings.
    pub findings: u32,
    /// Directory owners (object ids).
    pub owners: Vec<String>,
    /// Last successful sign-in.
    pub last_used: Option<Timestamp>,
    /// Whether it can sign in.
    pub enabled: bool,
    /// Credentials held at `as_of`.
    pub credentials: Vec<CredentialRow>,
    /// Powers held at `as_of`: permissions and roles in words.
    pub grants: Vec<String>,
    /// Positions that prove what the row says, ascending.
    pub evidence: Vec<u64>,
}

/// One credential in the report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialRow {
    /// Key id.
    pub key_id: String,
    /// Kind, such as `secret`.
    pub kind: String,
    /// `application` or `service_principal`.
    pub origin: String,
    /// Start of validity.
    pub starts_at: Option<Timestamp>,
    /// End of validity.
    pub ends_at: Option<Timestamp>,
    /// Last successful sign-in with it.
    pub last_used: Option<Timestamp>,
}
