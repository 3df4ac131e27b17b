//! What the doctor looks at.

use std::ops::{ControlFlow, Range};

use ledger::entry::Entry;
use ledger::hash::{self, Hash};
use ledger::payload::public_hash;
use serde_json::Value;

use crate::address::{Address, Host};
use crate::discover::host_of;
use crate::error::KurrentError;
use crate::event::{self, Odd};
use crate::network::Network;
use crate::session::{Need, Session};
use crate::store::{Jitter, KurrentStore};
use crate::wire::gossip::{MemberInfo, NodeState};
use crate::wire::read::RecordedEvent;

/// Most revisions a list of a [`Scan`] holds.
const LISTED_MAX: usize = 100;

/// A node of the cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Where clients reach it.
    pub host: Host,
    /// What it is, such as `Leader`.
    pub state: String,
    /// Whether the others hear of it.
    pub alive: bool,
}

/// Who may do what with a stream; `None` where the stream does not say, and the default counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acl {
    /// Who may read.
    pub read: Option<Vec<String>>,
    /// Who may append.
    pub write: Option<Vec<String>>,
    /// Who may delete.
    pub delete: Option<Vec<String>>,
    /// Who may read the metadata.
    pub read_metadata: Option<Vec<String>>,
    /// Who may write the metadata.
    pub write_metadata: Option<Vec<String>>,
}

/// What the metadata of a stream say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StreamSettings {
    /// `$maxAge`: events older than so many seconds vanish.
    pub max_age_seconds: Option<u64>,
    /// `$maxCount`: only the newest so many events stay.
    pub max_count: Option<u64>,
    /// `$tb`: events before this revision vanished.
    pub truncate_before: Option<u64>,
    /// `$acl`.
    pub acl: Acl,
}

/// Whether metadata could be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Metadata<T> {
    /// They say this.
    Read(T),
    /// There are none.
    None,
    /// This user may not read them.
    Denied,
    /// They are there, but cannot be understood.
    Unclear,
}

/// What is seen without reading the events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sight {
    /// The server's version, when it tells.
    pub version: Option<String>,
    /// The nodes, as the gossip tells; empty when it does not.
    pub nodes: Vec<Node>,
    /// What the metadata of the stream say.
    pub settings: Metadata<StreamSettings>,
    /// Default access of user streams, from `$settings`.
    pub default_acl: Metadata<Acl>,
    /// Revision of the first event that can be read; `None` when there is none.
    pub first: Option<u64>,
    /// Revision of the newest event; `None` when there is none.
    pub head: Option<u64>,
    /// The server's clock, Unix milliseconds, when it could be seen.
    pub clock_ms: Option<i64>,
}

/// A look at a server and a stream.
#[derive(Debug)]
pub struct Look {
    /// What was seen.
    pub sight: Sight,
    session: Session,
    network: Network,
}

/// What a walk through the stream found. Lists hold the first hundred.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Scan {
    /// Events read.
    pub events: u64,
    /// Events that are records of the ledger.
    pub records: u64,
    /// Number of events that were overwritten by redaction.
    pub redacted: u64,
    /// Their revisions.
    pub redacted_at: Vec<u64>,
    /// Number of events that are not of the ledger.
    pub foreign: u64,
    /// Their revisions.
    pub foreign_at: Vec<u64>,
    /// Number of records that do not follow the one before.
    pub broken: u64,
    /// Their revisions.
    pub broken_at: Vec<u64>,
    /// Number of missing events.
    pub missing: u64,
    /// Where they are missing.
    pub gaps: Vec<Range<u64>>,
}

impl KurrentStore {
    /// Looks at the server and the stream without asking that it be a ledger.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses.
    pub fn look(address: &Address, jitter: Jitter) -> Result<Look, KurrentError> {
        let session = Session::new(address, jitter)?;
        let network = Network::start()?;
        let sight = network.wait(see(&session))?;
        Ok(Look {
            sight,
            session,
            network,
        })
    }
}

async fn see(session: &Session) -> Result<Sight, KurrentError> {
    let stream = session.address.stream();
    let link = session.link(Need::Leader).await?;
    let members = link.gossip(link.limit).await;
    let members = members.map_or_else(|_untold| Vec::new(), |told| told.members);
    let first = session.oldest(Need::Leader, stream).await?;
    let newest = session.newest(Need::Leader, stream).await?;
    let settings = metadata(session, &format!("$${stream}"), stream_settings).await?;
    let default_acl = metadata(session, "$settings", |value| {
        Some(acl(value.get("$userStreamAcl").unwrap_or(&Value::Null)))
    });
    Ok(Sight {
        version: link.version.clone(),
        clock_ms: members.iter().map(|one| one.time_stamp / 10_000).max(),
        nodes: members.iter().filter_map(node).collect(),
        settings,
        default_acl: default_acl.await?,
        first: first.map(|event| event.stream_revision),
        head: newest.map(|event| event.stream_revision),
    })
}

fn node(member: &MemberInfo) -> Option<Node> {
    Some(Node {
        host: host_of(member)?,
        state: NodeState::try_from(member.state).map_or_else(
            |_unknown| format!("state {}", member.state),
            |state| format!("{state:?}"),
        ),
        alive: member.is_alive,
    })
}

/// What the newest event of a stream of metadata says.
async fn metadata<T>(
    session: &Session,
    stream: &str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Metadata<T>, KurrentError> {
    let event = match session.newest(Need::Leader, stream).await {
        Ok(event) => event,
        Err(KurrentError::Denied { .. }) => return Ok(Metadata::Denied),
        Err(KurrentError::Deleted { .. }) => return Ok(Metadata::None),
        Err(error) => return Err(error),
    };
    let Some(event) = event else {
        return Ok(Metadata::None);
    };
    let value = serde_json::from_slice::<Value>(&event.data).ok();
    let value = value.filter(Value::is_object);
    Ok(value
        .and_then(|value| read(&value))
        .map_or(Metadata::Unclear, Metadata::Read))
}

/// Whether a stream without events was deleted, so that its revisions would not begin with 0.
pub(crate) async fn is_deleted(session: &Session) -> Result<bool, KurrentError> {
    let stream = format!("$${}", session.address.stream());
    let settings = metadata(session, &stream, stream_settings).await?;
    Ok(matches!(settings, Metadata::Read(settings) if settings.truncate_before.is_some()))
}

/// `None` when what removes events is there and cannot be understood.
fn stream_settings(value: &Value) -> Option<StreamSettings> {
    let number = |name: &str| match value.get(name) {
        None | Some(Value::Null) => Some(None),
        Some(value) => value.as_u64().map(Some),
    };
    Some(StreamSettings {
        max_age_seconds: number("$maxAge")?.filter(|age| *age > 0),
        max_count: number("$maxCount")?.filter(|count| *count > 0),
        truncate_before: number("$tb")?.filter(|before| *before > 0),
        acl: acl(value.get("$acl").unwrap_or(&Value::Null)),
    })
}

/// Names stand alone or in lists.
fn acl(value: &Value) -> Acl {
    let names = |right: &str| match value.get(right)? {
        Value::String(name) => Some(vec![name.clone()]),
        Value::Array(names) => {
            let names = names.iter().filter_map(Value::as_str);
            Some(names.map(ToOwned::to_owned).collect())
        }
        _ => None,
    };
    Acl {
        read: names("$r"),
        write: names("$w"),
        delete: names("$d"),
        read_metadata: names("$mr"),
        write_metadata: names("$mw"),
    }
}

impl Look {
    /// Walks through the whole stream without stopping at what is wrong; `each` is told how many
    /// events were seen and may stop early.
    ///
    /// # Errors
    /// When the stream cannot be read.
    pub fn scan(&self, each: &mut dyn FnMut(u64) -> ControlFlow<()>) -> Result<Scan, KurrentError> {
        let mut walked = Walked::default();
        let mut take = |event: RecordedEvent| {
            walked.take(&event);
            each(walked.scan.events)
        };
        let walk = self.session.walk(0, self.sight.head, &mut take);
        self.network.wait(walk)?;
        Ok(walked.scan)
    }
}

/// A walk, and what the next event is held against.
#[derive(Debug, Default)]
struct Walked {
    scan: Scan,
    next: u64,
    id: Option<[u8; 16]>,
    /// Chain value of the record just before; `None` when that was none.
    chain: Option<Hash>,
}

impl Walked {
    fn take(&mut self, event: &RecordedEvent) {
        let revision = event.stream_revision;
        let scan = &mut self.scan;
        scan.events += 1;
        if revision > self.next {
            scan.missing += revision - self.next;
            if scan.gaps.len() < LISTED_MAX {
                scan.gaps.push(self.next..revision);
            }
            self.chain = None;
        }
        self.next = revision.saturating_add(1);
        let note = |count: &mut u64, at: &mut Vec<u64>| {
            *count += 1;
            if at.len() < LISTED_MAX {
                at.push(revision);
            }
        };
        let record = match event::record(event) {
            Ok(record) => record,
            Err(odd) => {
                self.chain = None;
                match odd {
                    Odd::Redacted => note(&mut scan.redacted, &mut scan.redacted_at),
                    Odd::Foreign(_) => note(&mut scan.foreign, &mut scan.foreign_at),
                }
                return;
            }
        };
        let Ok(entry) = Entry::decode(&record.entry) else {
            return;
        };
        if *self.id.get_or_insert(entry.ledger_id) != entry.ledger_id {
            note(&mut scan.foreign, &mut scan.foreign_at);
            self.chain = None;
            return;
        }
        scan.records += 1;
        let is_hashed = public_hash(entry.schema, &record.public) == entry.public_hash;
        let follows = self.chain.is_none_or(|chain| chain == entry.prev_chain);
        if !is_hashed || !follows {
            note(&mut scan.broken, &mut scan.broken_at);
        }
        self.chain = Some(hash::chain(&record.entry));
    }
}
