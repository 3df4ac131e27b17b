//! The connections to a cluster: which node is asked, and what happens when one is lost.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustls::ClientConfig;
use tokio::time::Instant;
use tonic::metadata::MetadataValue;

use crate::address::{Address, Host, NodePreference};
use crate::error::KurrentError;
use crate::link::{Calling, Link};
use crate::login::Login;
use crate::refusal::Refusal;
use crate::store::Jitter;
use crate::tls;

/// How long a call may take when the address does not say: the official clients' default.
const LIMIT: Duration = Duration::from_secs(10);

/// How often in a row, in times of one call, it is tried to go on after a node was lost: as long
/// as an election may take, and a while.
const PATIENCE: u32 = 6;

/// Shortest and longest pause between tries.
const PAUSE_MIN: Duration = Duration::from_millis(20);
const PAUSE_MAX: Duration = Duration::from_secs(2);

/// What a node is needed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// Appending, and where the stream is.
    Leader,
    /// Reading, as the address prefers.
    Preferred,
}

/// The connections to a cluster.
pub(crate) struct Session {
    pub(crate) address: Address,
    pub(crate) config: Option<Arc<ClientConfig>>,
    pub(crate) calling: Calling,
    jitter: Mutex<Jitter>,
    links: Mutex<Links>,
}

#[derive(Debug, Default)]
struct Links {
    leader: Option<Arc<Link>>,
    preferred: Option<Arc<Link>>,
    /// The node that leads, as another one told.
    hint: Option<Host>,
    /// The nodes, as the gossip told last.
    members: Vec<Host>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("address", &self.address.to_string())
            .finish_non_exhaustive()
    }
}

impl Session {
    /// Reads the files that the address names; connects to nothing yet.
    pub(crate) fn new(address: &Address, jitter: Jitter) -> Result<Self, KurrentError> {
        let options = &address.options;
        let name = options.connection_name.as_ref();
        Ok(Self {
            address: address.clone(),
            config: tls::config(options)?,
            calling: Calling {
                login: Arc::new(Login::of(address)?),
                // it was checked when the address was read
                name: name.and_then(|name| MetadataValue::try_from(name.as_str()).ok()),
                limit: options.deadline.unwrap_or(LIMIT),
            },
            jitter: Mutex::new(jitter),
            links: Mutex::default(),
        })
    }

    fn links(&self) -> MutexGuard<'_, Links> {
        self.links.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a need comes to: the leader is what is preferred by default.
    fn wanted(&self, need: Need) -> NodePreference {
        match need {
            Need::Leader => NodePreference::Leader,
            Need::Preferred => self.address.options.preference,
        }
    }

    /// Whether only the leader's answer will do.
    pub(crate) fn asks_leader(&self, need: Need) -> bool {
        self.wanted(need) == NodePreference::Leader
    }

    /// A connection to a node that fits; the one there is, or a new one.
    pub(crate) async fn link(&self, need: Need) -> Result<Arc<Link>, KurrentError> {
        let for_leader = self.asks_leader(need);
        let (there, hint, members) = {
            let links = self.links();
            let there = if for_leader {
                &links.leader
            } else {
                &links.preferred
            };
            (there.clone(), links.hint.clone(), links.members.clone())
        };
        if let Some(link) = there {
            return Ok(link);
        }
        let hint = hint.filter(|_| for_leader);
        let found = self.find(self.wanted(need), hint, members).await;
        let mut links = self.links();
        links.hint = None;
        let (link, members) = found?;
        let link = Arc::new(link);
        if !members.is_empty() {
            links.members = members;
        }
        if for_leader {
            links.leader = Some(Arc::clone(&link));
        } else {
            links.preferred = Some(Arc::clone(&link));
        }
        Ok(link)
    }

    /// Uses a connection no more, after a call over it failed.
    pub(crate) fn leave(&self, link: &Arc<Link>, refusal: &Refusal) {
        let mut links = self.links();
        if let Refusal::NotLeader(Some(host)) = refusal {
            links.hint = Some(host.clone());
        }
        let is_it = |there: &Option<Arc<Link>>| {
            there.as_ref().is_some_and(|there| Arc::ptr_eq(there, link))
        };
        if is_it(&links.leader) {
            links.leader = None;
        }
        if is_it(&links.preferred) {
            links.preferred = None;
        }
    }

    /// A number below a bound; zero when the bound is.
    pub(crate) fn random(&self, below: u64) -> u64 {
        let mut bytes = [0; 8];
        let mut jitter = self.jitter.lock().unwrap_or_else(PoisonError::into_inner);
        jitter(&mut bytes);
        u64::from_le_bytes(bytes).checked_rem(below).unwrap_or(0)
    }

    /// Tries that begin now.
    pub(crate) fn tries(&self) -> Tries {
        Tries {
            since: Instant::now(),
            limit: self.calling.limit.saturating_mul(PATIENCE),
            count: 0,
        }
    }

    /// Waits before another try: full jitter, growing. False when it was tried for long enough.
    pub(crate) async fn pause(&self, tries: &mut Tries) -> bool {
        if tries.since.elapsed() >= tries.limit {
            return false;
        }
        let most = PAUSE_MIN
            .saturating_mul(1 << tries.count.min(16))
            .min(PAUSE_MAX);
        tries.count += 1;
        let micros = u64::try_from(most.as_micros()).unwrap_or(u64::MAX);
        tokio::time::sleep(Duration::from_micros(self.random(micros))).await;
        true
    }
}

/// How long and how often something was tried without getting on.
#[derive(Debug)]
pub(crate) struct Tries {
    since: Instant,
    limit: Duration,
    count: u32,
}

impl Tries {
    /// It got on.
    pub(crate) fn begin_again(&mut self) {
        self.since = Instant::now();
        self.count = 0;
    }

    /// How often it was tried since it got on.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// For how long it was tried.
    pub(crate) fn milliseconds(&self) -> u128 {
        self.since.elapsed().as_millis()
    }
}
