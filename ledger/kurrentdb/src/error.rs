//! Why KurrentDB did not do what was asked, and what to do about it.

use std::path::PathBuf;

use crate::address::{AddressError, Host};

/// Why a host could not be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// The name is not known.
    #[error("no host of that name is known")]
    UnknownHost,
    /// Nothing listens there.
    #[error("nothing listens there: the connection was refused")]
    Refused,
    /// No answer came in time.
    #[error("no answer within {milliseconds} ms")]
    TimedOut {
        /// How long was waited.
        milliseconds: u128,
    },
    /// We speak TLS, the server does not.
    #[error("the server does not speak TLS")]
    NoTls,
    /// The server speaks TLS, we do not.
    #[error("the server speaks TLS only")]
    TlsOnly,
    /// The server's certificate is not trusted.
    #[error("the server's certificate is not trusted: {reason}")]
    Untrusted {
        /// What TLS says.
        reason: String,
    },
    /// TLS failed otherwise.
    #[error("TLS failed: {reason}")]
    Tls {
        /// What TLS says.
        reason: String,
    },
    /// The connection ended.
    #[error("the connection was lost: {reason}")]
    Lost {
        /// What the system says.
        reason: String,
    },
    /// It speaks, but not as KurrentDB does.
    #[error("the server does not answer as KurrentDB does: {reason}")]
    NotKurrent {
        /// What it said.
        reason: String,
    },
    /// It is a node, but not the one that was looked for.
    #[error("it knows of no {wanted} that is alive")]
    NoSuchNode {
        /// What was looked for.
        wanted: &'static str,
    },
    /// It is not ready.
    #[error("the server is not ready: {reason}")]
    NotReady {
        /// What it said.
        reason: String,
    },
}

/// A host that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    /// The host.
    pub host: Host,
    /// Why it could not be used.
    pub why: Why,
}

/// `db1:2113: nothing listens there: the connection was refused`.
impl std::fmt::Display for Tried {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.host, self.why)
    }
}

/// Who else wrote to the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rival {
    /// Another Daybook writer, of the same ledger.
    SameLedger,
    /// A Daybook writer of another ledger.
    OtherLedger,
    /// Something that is not Daybook.
    Foreign,
    /// It can no longer be read.
    Unreadable,
}

impl std::fmt::Display for Rival {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::SameLedger => "another writer of this ledger",
            Self::OtherLedger => "a writer of another ledger",
            Self::Foreign => "something that is not Daybook",
            Self::Unreadable => "somebody whose event can no longer be read",
        })
    }
}

/// Why KurrentDB did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum KurrentError {
    /// The address lacks something.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// A file that the address names could not be used.
    #[error("`{path}`, which {option} names, could not be used: {reason}")]
    File {
        /// The option that names it.
        option: &'static str,
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The system gave no thread or no randomness for the network.
    #[error("the network could not be set up: {reason}")]
    Setup {
        /// Why not.
        reason: String,
    },
    /// No host could be used.
    #[error("KurrentDB could not be reached; {}", list(.tried))]
    Unreachable {
        /// Which hosts were tried, and why each failed.
        tried: Vec<Tried>,
    },
    /// Hosts answer, but none knows the node that is needed.
    #[error("KurrentDB has no {wanted} at the moment; {}", list(.tried))]
    NoNode {
        /// Which kind of node is needed.
        wanted: &'static str,
        /// Which hosts were tried, and why each failed.
        tried: Vec<Tried>,
    },
    /// Wrong user or password, or none.
    #[error("KurrentDB at {host} does not accept {what}")]
    Unauthenticated {
        /// The host that refused.
        host: Host,
        /// What it was given: never the secret itself.
        what: String,
    },
    /// The user may not do this.
    #[error("{what} may not {doing} `{stream}`")]
    Denied {
        /// Who asked.
        what: String,
        /// What was to be done.
        doing: &'static str,
        /// The stream.
        stream: String,
    },
    /// The stream was deleted, for good or so that its revisions go on where they were.
    #[error("the stream `{stream}` was deleted from KurrentDB")]
    Deleted {
        /// The stream.
        stream: String,
    },
    /// No answer came in time.
    #[error("KurrentDB did not {doing} `{stream}` within {milliseconds} ms: {last}")]
    TimedOut {
        /// What was to be done.
        doing: &'static str,
        /// The stream.
        stream: String,
        /// How long was waited and tried.
        milliseconds: u128,
        /// What the last try said.
        last: String,
    },
    /// Nobody knows whether the records were appended.
    #[error(
        "it is unknown whether the records from position {revision} on reached `{stream}`: {last}"
    )]
    Unknown {
        /// The stream.
        stream: String,
        /// The first of the records.
        revision: u64,
        /// What the last try said.
        last: String,
    },
    /// A record is larger than the server takes.
    #[error(
        "the record at position {revision} takes {bytes} bytes, more than KurrentDB accepts{}",
        limit_of(.limit.as_ref())
    )]
    TooLarge {
        /// Position of the record.
        revision: u64,
        /// Its size.
        bytes: usize,
        /// The server's limit, when it told.
        limit: Option<u64>,
    },
    /// Somebody else wrote where we wanted to.
    #[error("at revision {revision} of `{stream}` {rival} wrote first")]
    Elsewhere {
        /// The stream.
        stream: String,
        /// The first revision that is not ours.
        revision: u64,
        /// Who.
        rival: Rival,
    },
    /// The stream is shorter than it was.
    #[error("`{stream}` holds {found} events where {expected} were before")]
    Shorter {
        /// The stream.
        stream: String,
        /// How many there were.
        expected: u64,
        /// How many there are.
        found: u64,
    },
    /// The stream is no Daybook ledger.
    #[error("`{stream}` is not a Daybook ledger: revision {revision} is {found}")]
    NotOurs {
        /// The stream.
        stream: String,
        /// The revision.
        revision: u64,
        /// What is there.
        found: String,
    },
    /// An event among ours is not ours.
    #[error("revision {revision} of `{stream}` is not a record of the ledger: {found}")]
    Foreign {
        /// The stream.
        stream: String,
        /// The revision.
        revision: u64,
        /// What is there.
        found: String,
    },
    /// A record of another ledger.
    #[error(
        "revision {revision} of `{stream}` belongs to ledger {}, not to {}",
        ledger::hash::hex(.found), ledger::hash::hex(.expected)
    )]
    OtherLedger {
        /// The stream.
        stream: String,
        /// The revision.
        revision: u64,
        /// Id of our ledger.
        expected: [u8; 16],
        /// Id of the other.
        found: [u8; 16],
    },
    /// The server's redaction overwrote the event.
    #[error("revision {revision} of `{stream}` was overwritten by KurrentDB's redaction")]
    Redacted {
        /// The stream.
        stream: String,
        /// The revision.
        revision: u64,
    },
    /// Events are missing.
    #[error(
        "`{stream}` goes on with revision {found} where {expected} is due: events were removed"
    )]
    Gap {
        /// The stream.
        stream: String,
        /// The revision that is missing.
        expected: u64,
        /// The one that came.
        found: u64,
    },
    /// A record does not follow the one before it.
    #[error("revision {revision} of `{stream}` does not follow the record before it")]
    Broken {
        /// The stream.
        stream: String,
        /// The revision.
        revision: u64,
    },
    /// The server answered what nobody can make sense of.
    #[error("KurrentDB answered what cannot be understood: {what}")]
    Protocol {
        /// What.
        what: String,
    },
    /// The server refused for a reason of its own.
    #[error("KurrentDB refused to {doing} `{stream}`: {message}")]
    Refused {
        /// What was to be done.
        doing: &'static str,
        /// The stream.
        stream: String,
        /// What it says.
        message: String,
    },
}

/// Most hosts that an error names.
const HOSTS_SHOWN: usize = 8;

/// `; `-separated.
fn list(tried: &[Tried]) -> String {
    if tried.is_empty() {
        return "no host was tried".to_owned();
    }
    let shown = tried.iter().take(HOSTS_SHOWN).map(ToString::to_string);
    let text = shown.collect::<Vec<_>>().join("; ");
    if let Some(more) = tried
        .len()
        .checked_sub(HOSTS_SHOWN)
        .filter(|more| *more > 0)
    {
        return format!("{text}; and {more} more");
    }
    text
}

fn limit_of(limit: Option<&u64>) -> String {
    limit.map_or_else(String::new, |limit| format!(" (at most {limit})"))
}

impl KurrentError {
    /// What to do about it, in one sentence.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Address(_) => {
                "such as kurrentdb://user@host:2113/contoso?tls=true; docs/kurrentdb.md lists the options"
            }
            Self::File { .. } => "name a file that can be read, or leave the option out",
            Self::Setup { .. } => "see that the system has room for another thread",
            Self::Unreachable { tried } | Self::NoNode { tried, .. } => reach(tried),
            Self::Unauthenticated { .. } => {
                "give a user and the password (kurrentdb://USER@HOST/STREAM and DAYBOOK_KURRENTDB_PASSWORD, or passwordFile=), or a token (DAYBOOK_KURRENTDB_TOKEN, or tokenFile=)"
            }
            Self::Denied { .. } => {
                "ask an administrator for access: docs/kurrentdb.md, \"Access\", has what to set"
            }
            Self::Deleted { .. } => {
                "bring a replica or a backup into a new stream: daybook copy FOLDER ADDRESS"
            }
            Self::TimedOut { .. } => {
                "see whether the cluster has a leader (daybook doctor), and run the command again"
            }
            Self::Unknown { .. } => {
                "run the command again: it finds out, and nothing is appended twice"
            }
            Self::TooLarge { .. } => {
                "raise MaxAppendSize (and MaxAppendEventSize) on the server; the record cannot be split"
            }
            Self::Elsewhere { rival, .. } => match rival {
                Rival::SameLedger => {
                    "a ledger has one writer at a time; run the command again when the other has ended"
                }
                Rival::OtherLedger | Rival::Foreign | Rival::Unreadable => {
                    "see who else may append: daybook doctor; set the stream's $acl"
                }
            },
            Self::NotOurs { .. } => {
                "name the stream of a ledger, or one that is empty: kurrentdb://HOST/STREAM"
            }
            Self::Foreign { .. } | Self::OtherLedger { .. } => {
                "see who else may append: daybook doctor; the replica still answers (--ledger STATE-FOLDER), and daybook copy brings it into a new stream"
            }
            Self::Shorter { .. }
            | Self::Redacted { .. }
            | Self::Gap { .. }
            | Self::Broken { .. } => {
                "history was changed on the server: keep it and the replica as they are; daybook doctor says more"
            }
            Self::Protocol { .. } | Self::Refused { .. } => {
                "see the server's own log; docs/kurrentdb.md says which servers are known to work"
            }
        }
    }

    /// The revision it is about, if it is about one.
    pub fn position(&self) -> Option<u64> {
        match self {
            Self::Elsewhere { revision, .. }
            | Self::NotOurs { revision, .. }
            | Self::Foreign { revision, .. }
            | Self::OtherLedger { revision, .. }
            | Self::Redacted { revision, .. }
            | Self::Broken { revision, .. } => Some(*revision),
            Self::Gap { expected, .. } => Some(*expected),
            Self::Shorter { found, .. } => Some(*found),
            Self::Deleted { .. } => Some(0),
            _ => None,
        }
    }
}

/// What to do when no host could be used: by the first of the reasons.
fn reach(tried: &[Tried]) -> &'static str {
    match tried.first().map(|one| &one.why) {
        Some(Why::UnknownHost) => "see that the host is spelt right and known here",
        Some(Why::NoTls) => "add tls=false to the address, or give the server a certificate",
        Some(Why::TlsOnly) => "leave tls=false out of the address",
        Some(Why::Untrusted { .. }) => {
            "name the certificate of the server's authority: tlsCaFile=FILE"
        }
        Some(Why::Tls { .. }) => "see that the server's certificate and TLS version are right",
        Some(Why::NotKurrent { .. }) => "name the port of KurrentDB, 2113 unless it was changed",
        Some(Why::NoSuchNode { .. } | Why::NotReady { .. }) => {
            "wait until the cluster has elected a leader, and run the command again"
        }
        _ => "see that the server runs and that its port can be reached from here",
    }
}
