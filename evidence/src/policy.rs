//! Whom to believe (C2SP tlog-policy): the logs that are accepted, the witnesses that are known,
//! and how many of them must have cosigned a checkpoint.
//!
//! ```text
//! log <vkey> [<url>]
//! witness <name> <vkey> [<url>]
//! group <name> any|all|<number> <member>...
//! quorum <name>|none
//! ```
//!
//! Pure. Narrower than the specification: the file is UTF-8, log keys are Ed25519 (0x01), witness
//! keys `cosignature/v1` (0x04).

mod parse;

use ledger::checkpoint::{Checkpoint, CheckpointError};
use ledger::note::{Note, NoteError, VerifierKey};

pub use parse::{LineFault, PolicyError};

/// Longest policy that is read, in bytes.
pub const POLICY_BYTES_MAX: usize = 65_536;

/// Most lines of a policy, comments included.
pub const POLICY_LINES_MAX: usize = 512;

/// Most logs of a policy, and most groups; the specification asks for 32 at least.
pub const POLICY_ITEMS_MAX: usize = 64;

/// Most witnesses of a policy: a note has 64 signatures at most, and one is the log's.
pub const POLICY_WITNESSES_MAX: usize = 63;

/// Whom to believe.
///
/// ```
/// # use evidence::policy::Policy;
/// let text = "log example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k\nquorum none\n";
/// let policy = Policy::parse(text)?;
/// assert_eq!(policy.logs().count(), 1);
/// assert_eq!(policy.to_string(), text);
/// # Ok::<(), evidence::policy::PolicyError>(())
/// ```
///
/// INVARIANT: members and quorum point to witnesses there are and to groups further ahead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Log>,
    witnesses: Vec<Witness>,
    groups: Vec<Group>,
    quorum: Quorum,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Log {
    key: VerifierKey,
    url: Option<String>,
}

/// A witness of a policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// Its name in the policy; that of its key may be another.
    pub name: String,
    /// The key it cosigns with.
    pub key: VerifierKey,
    /// Where it is asked: the submission prefix of C2SP tlog-witness.
    pub url: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    name: String,
    threshold: usize,
    members: Vec<Member>,
}

/// What a group or a quorum asks for, by its index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Member {
    Witness(usize),
    Group(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quorum {
    Nobody,
    Of(Member),
}

/// A checkpoint that a policy accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// Name of the log's key, which is the checkpoint's origin.
    pub log: String,
    /// Every witness of the policy that cosigned, also beyond the quorum: its name in the policy
    /// and when it said it did, in seconds since 1970. In the order of the policy.
    pub cosignatures: Vec<(String, u64)>,
}

/// Why a policy does not accept a note. Listed in the order the causes are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JudgeError {
    /// The text is not that of a checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The policy has no key for the origin.
    #[error("the policy has no log `{origin}`")]
    UnknownLog {
        /// Origin of the checkpoint.
        origin: String,
    },
    /// A signature by a key of the policy does not hold.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// No signature by a key of the log it claims to be of.
    #[error("the checkpoint is not signed by its log `{origin}`")]
    Unsigned {
        /// Origin of the checkpoint.
        origin: String,
    },
    /// Too few witnesses cosigned.
    #[error(
        "the quorum `{quorum}` is not met: no cosignature by {}",
        listed(missing)
    )]
    Quorum {
        /// Name of the group or witness.
        quorum: String,
        /// Witnesses of the quorum that did not cosign.
        missing: Vec<String>,
    },
}

impl Policy {
    /// Reads a policy.
    ///
    /// # Errors
    /// [`PolicyError`], with the line.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        parse::policy(text)
    }

    /// Keys of the logs that are accepted.
    pub fn logs(&self) -> impl Iterator<Item = &VerifierKey> {
        self.logs.iter().map(|log| &log.key)
    }

    /// The witnesses, in the order of the policy.
    pub fn witnesses(&self) -> &[Witness] {
        &self.witnesses
    }

    /// Whether any witness must have cosigned.
    pub fn wants_witnesses(&self) -> bool {
        self.quorum != Quorum::Nobody
    }

    /// Accepts a checkpoint or says why not: it is signed by a log of the policy whose name is its
    /// origin, every signature by a key of the policy holds, and the quorum cosigned. Signatures
    /// by other keys are passed over. How old cosignatures may be is for the caller to say.
    ///
    /// # Errors
    /// [`JudgeError`].
    pub fn judge(&self, note: &Note) -> Result<Judged, JudgeError> {
        let checkpoint = Checkpoint::parse(note.text())?;
        let origin = &checkpoint.origin;
        if !self.logs().any(|key| key.name() == origin) {
            let origin = origin.clone();
            return Err(JudgeError::UnknownLog { origin });
        }
        let witnesses = self.witnesses.iter().map(|witness| &witness.key);
        let keys: Vec<VerifierKey> = self.logs().chain(witnesses).cloned().collect();
        let signed = match note.verify(&keys) {
            Err(NoteError::Unsigned) => Vec::new(),
            signed => signed?,
        };
        let by_log = |key: &VerifierKey| key.name() == origin && self.logs().any(|log| log == key);
        if !signed.iter().any(|signed| by_log(signed.key)) {
            let origin = origin.clone();
            return Err(JudgeError::Unsigned { origin });
        }
        let time = |witness: &Witness| {
            let signed = signed.iter().find(|signed| *signed.key == witness.key)?;
            signed.time
        };
        let times: Vec<Option<u64>> = self.witnesses.iter().map(time).collect();
        self.expect_quorum(&times)?;
        let named = |(witness, time): (&Witness, &Option<u64>)| {
            time.map(|time| (witness.name.clone(), time))
        };
        Ok(Judged {
            log: origin.clone(),
            cosignatures: self
                .witnesses
                .iter()
                .zip(&times)
                .filter_map(named)
                .collect(),
            checkpoint,
        })
    }

    fn expect_quorum(&self, times: &[Option<u64>]) -> Result<(), JudgeError> {
        let Quorum::Of(quorum) = self.quorum else {
            return Ok(());
        };
        let signed: Vec<bool> = times.iter().map(Option::is_some).collect();
        if self.holds(quorum, &signed) {
            return Ok(());
        }
        let missing = self.below(quorum).into_iter().filter_map(|index| {
            let is_missing = signed.get(index) == Some(&false);
            let witness = self.witnesses.get(index).filter(|_| is_missing)?;
            Some(witness.name.clone())
        });
        Err(JudgeError::Quorum {
            quorum: self.name_of(quorum).to_owned(),
            missing: missing.collect(),
        })
    }

    /// Whether a member is met when these witnesses signed. Groups know only groups ahead of them,
    /// so one pass in their order answers all.
    fn holds(&self, wanted: Member, signed: &[bool]) -> bool {
        let mut met: Vec<bool> = Vec::with_capacity(self.groups.len());
        let is_met = |met: &[bool], member: Member| match member {
            Member::Witness(index) => signed.get(index) == Some(&true),
            Member::Group(index) => met.get(index) == Some(&true),
        };
        for group in &self.groups {
            let members = group.members.iter();
            let count = members.filter(|member| is_met(&met, **member)).count();
            met.push(count >= group.threshold);
        }
        is_met(&met, wanted)
    }

    /// Indices of the witnesses below a member, ascending.
    fn below(&self, member: Member) -> Vec<usize> {
        let mut wanted = vec![member];
        let mut found = Vec::new();
        // a name is a member once, so each is met once
        while let Some(member) = wanted.pop() {
            match member {
                Member::Witness(index) => found.push(index),
                Member::Group(index) => {
                    let members = self.groups.get(index).map(|group| &group.members);
                    wanted.extend(members.into_iter().flatten());
                }
            }
        }
        found.sort_unstable();
        found
    }

    fn name_of(&self, member: Member) -> &str {
        match member {
            Member::Witness(index) => self.witnesses.get(index).map(|one| one.name.as_str()),
            Member::Group(index) => self.groups.get(index).map(|one| one.name.as_str()),
        }
        .unwrap_or_default()
    }
}

/// The policy as text, without comments: logs, witnesses, groups, quorum.
impl std::fmt::Display for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let url = |url: &Option<String>| match url {
            Some(url) => format!(" {url}"),
            None => String::new(),
        };
        for log in &self.logs {
            writeln!(f, "log {}{}", log.key, url(&log.url))?;
        }
        for witness in &self.witnesses {
            let Witness { name, key, .. } = witness;
            writeln!(f, "witness {name} {key}{}", url(&witness.url))?;
        }
        for group in &self.groups {
            write!(f, "group {} ", group.name)?;
            match group.threshold {
                1 => write!(f, "any")?,
                all if all == group.members.len() => write!(f, "all")?,
                number => write!(f, "{number}")?,
            }
            for member in &group.members {
                write!(f, " {}", self.name_of(*member))?;
            }
            writeln!(f)?;
        }
        let quorum = match self.quorum {
            Quorum::Nobody => "none",
            Quorum::Of(member) => self.name_of(member),
        };
        writeln!(f, "quorum {quorum}")
    }
}

fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}
