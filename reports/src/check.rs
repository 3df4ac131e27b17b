//! A check: one question asked of the facts, its sources, and the answers there are.

mod holding;
mod need;
mod question;

use serde::Serialize;

use ledger::Position;

use crate::finding::{Finding, Severity};

pub use need::{Gap, Need, SIGN_IN_AGE_DAYS_MAX, SNAPSHOT_AGE_DAYS_MAX};
pub use question::Question;

/// What a check is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// Secrets, certificates, keys.
    Credentials,
    /// Trust in tokens of other issuers.
    Federation,
    /// From creation to deletion.
    Lifecycle,
    /// Who answers for it.
    Ownership,
    /// What it may do.
    Privilege,
    /// Other organisations and exposed addresses.
    ThirdParty,
    /// Conditional Access and settings.
    Policy,
    /// Risk raised by the platform.
    Risk,
    /// Whether the facts are there.
    Evidence,
    /// Whether what is used is paid for.
    Licence,
}

impl Area {
    /// The area's name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Credentials => "credentials",
            Self::Federation => "federation",
            Self::Lifecycle => "lifecycle",
            Self::Ownership => "ownership",
            Self::Privilege => "privilege",
            Self::ThirdParty => "third_party",
            Self::Policy => "policy",
            Self::Risk => "risk",
            Self::Evidence => "evidence",
            Self::Licence => "licence",
        }
    }
}

/// A threshold of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Parameter {
    /// Name, unit last.
    pub name: &'static str,
    /// Value.
    pub value: i64,
}

/// What a check is, apart from its logic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CheckInfo {
    /// Id, such as `CRED-001`.
    pub id: &'static str,
    /// Area.
    pub area: Area,
    /// The desired state, one sentence.
    pub title: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// Steps that put it right.
    pub remediation: &'static [&'static str],
    /// Where the rule and its thresholds come from.
    pub source: &'static str,
    /// Severity before it is adjusted to the subject.
    pub severity: Severity,
    /// Thresholds.
    pub parameters: &'static [Parameter],
    /// What fixing one finding is called, imperative.
    pub act_on_one: &'static str,
    /// What fixing several is called; `{}` stands for their number.
    pub act_on_many: &'static str,
}

/// One question asked of the facts.
pub trait Check: Sync {
    /// What the check is.
    fn info(&self) -> &'static CheckInfo;

    /// Answers for the instant the question names.
    fn assess(&self, question: &Question<'_>) -> Answer;
}

/// Why a check could not be answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The category was never imported, or not long enough ago.
    NoSource,
    /// The last fact of the category is too old.
    StaleSource,
    /// The tenant does not own the feature.
    NoLicence,
    /// The platform withholds the value.
    Hidden,
}

impl Reason {
    /// The reason's name in reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoSource => "no_source",
            Self::StaleSource => "stale_source",
            Self::NoLicence => "no_licence",
            Self::Hidden => "hidden",
        }
    }
}

/// How a check came out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Subjects were looked at.
    Assessed(Tally),
    /// Facts are missing: neither good nor bad.
    NotAssessed(Gap),
    /// Nothing of the kind exists.
    NotApplicable,
}

/// What was wrong with one subject, before it becomes a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Tells faults of one check on one subject apart; may be empty.
    pub discriminator: String,
    /// Severity.
    pub severity: Severity,
    /// Whether the severity follows the subject's tier and use.
    pub stepped: bool,
    /// The fact, one sentence.
    pub statement: String,
    /// What proves it.
    pub evidence: Vec<Position>,
}

impl Fault {
    /// A fault whose severity is raised on tier 0 and lowered on what is neither used nor credentialed.
    pub fn new(severity: Severity, statement: String, evidence: Vec<Position>) -> Self {
        Self {
            discriminator: String::new(),
            severity,
            stepped: true,
            statement,
            evidence,
        }
    }

    /// Tells it apart from other faults of the same subject.
    #[must_use]
    pub fn about(mut self, discriminator: impl Into<String>) -> Self {
        self.discriminator = discriminator.into();
        self
    }

    /// Takes the severity as it is.
    #[must_use]
    pub fn graded(mut self) -> Self {
        self.stepped = false;
        self
    }
}

/// Subjects looked at and what was found, with the weights a score needs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Subjects looked at.
    pub subjects: u32,
    /// Sum of their weights.
    pub weight: u64,
    /// Sum of the weights of those with a finding.
    pub failing: u64,
    /// Findings.
    pub findings: Vec<Finding>,
}

impl Tally {
    /// Counts one subject and its faults. A fault without evidence cannot become a finding.
    pub fn subject(&mut self, info: &CheckInfo, name: &str, weight: u64, faults: Vec<Fault>) {
        self.subjects = self.subjects.saturating_add(1);
        self.weight = self.weight.saturating_add(weight);
        let before = self.findings.len();
        self.findings
            .extend(merged(faults).into_iter().filter_map(|fault| {
                Some(Finding {
                    check: info.id.to_owned(),
                    subject: name.to_owned(),
                    discriminator: fault.discriminator,
                    severity: fault.severity,
                    statement: fault.statement,
                    evidence: crate::finding::Evidence::new(fault.evidence)?,
                })
            }));
        if self.findings.len() > before {
            self.failing = self.failing.saturating_add(weight);
        }
    }

    /// The answer: not applicable when nothing was looked at.
    pub fn answer(self) -> Answer {
        if self.subjects == 0 {
            Answer::NotApplicable
        } else {
            Answer::Assessed(self)
        }
    }
}

/// Faults with the same discriminator are one fault, told by the events of all: an owner of both
/// application and service principal is one owner.
fn merged(faults: Vec<Fault>) -> Vec<Fault> {
    let mut merged: Vec<Fault> = Vec::with_capacity(faults.len());
    for fault in faults {
        let same = merged
            .iter_mut()
            .find(|known| known.discriminator == fault.discriminator);
        match same {
            Some(known) => {
                known.severity = known.severity.max(fault.severity);
                known.evidence.extend(fault.evidence);
            }
            None => merged.push(fault),
        }
    }
    merged
}

impl Severity {
    /// One step worse.
    #[must_use]
    pub fn raised(self) -> Self {
        match self {
            Self::Info => Self::Low,
            Self::Low => Self::Medium,
            Self::Medium => Self::High,
            Self::High | Self::Critical => Self::Critical,
        }
    }

    /// One step better.
    #[must_use]
    pub fn lowered(self) -> Self {
        match self {
            Self::Critical => Self::High,
            Self::High => Self::Medium,
            Self::Medium => Self::Low,
            Self::Low | Self::Info => Self::Info,
        }
    }
}
