//! The nodes of a cluster: who leads, and what the others say of it.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ledger_kurrentdb::wire::Uuid;
use ledger_kurrentdb::wire::gossip::{EndPoint, MemberInfo, NodeState};
use tokio::time::Instant;

use crate::fake::{Fake, Options};
use crate::log::Log;
use crate::time::ticks;

/// The nodes of a cluster.
#[derive(Debug, Default)]
pub(crate) struct Membership {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    members: Vec<Member>,
    /// What gossip told before the last change, and until when it still does.
    before: Option<(Vec<Member>, Instant)>,
    /// Told in place of the truth.
    set: Option<Vec<MemberInfo>>,
}

/// A node, as gossip tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Member {
    address: SocketAddr,
    leads: bool,
    is_alive: bool,
}

impl Membership {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a node; the first leads.
    pub(crate) fn join(&self, address: SocketAddr) {
        let mut inner = self.lock();
        let leads = inner.members.is_empty();
        inner.members.push(Member {
            address,
            leads,
            is_alive: true,
        });
    }

    /// Whether a node leads.
    pub(crate) fn leads(&self, number: usize) -> bool {
        self.lock()
            .members
            .get(number)
            .is_some_and(|member| member.leads)
    }

    /// The address of the leader.
    pub(crate) fn leader(&self) -> Option<SocketAddr> {
        self.lock()
            .members
            .iter()
            .find(|member| member.leads)
            .map(|member| member.address)
    }

    fn change(&self, gossip_after: Duration, change: impl Fn(usize, &mut Member)) {
        let mut inner = self.lock();
        let before = inner.told().to_vec();
        inner.before = Some((before, Instant::now() + gossip_after));
        for (number, member) in inner.members.iter_mut().enumerate() {
            change(number, member);
        }
    }

    fn set(&self, members: Option<Vec<MemberInfo>>) {
        self.lock().set = members;
    }

    /// What a node says of the cluster.
    pub(crate) fn gossip(&self) -> Vec<MemberInfo> {
        let inner = self.lock();
        if let Some(set) = &inner.set {
            return set.clone();
        }
        let told = inner.told();
        told.iter()
            .zip(0_u8..)
            .map(|(member, number)| MemberInfo {
                instance_id: Some(Uuid::structured([number.wrapping_add(1); 16])),
                time_stamp: i64::try_from(ticks()).unwrap_or(i64::MAX),
                state: if member.leads {
                    NodeState::Leader
                } else {
                    NodeState::Follower
                }
                .into(),
                is_alive: member.is_alive,
                http_end_point: Some(EndPoint {
                    address: member.address.ip().to_string(),
                    port: u32::from(member.address.port()),
                }),
            })
            .collect()
    }
}

impl Inner {
    fn told(&self) -> &[Member] {
        match &self.before {
            Some((before, until)) if Instant::now() < *until => before,
            _ => &self.members,
        }
    }
}

/// Two nodes that share one log: a leader and a follower.
#[derive(Debug)]
pub struct Cluster {
    membership: Arc<Membership>,
    nodes: [Fake; 2],
    leader: usize,
    gossip_after: Duration,
}

impl Cluster {
    /// Two nodes with the same options.
    ///
    /// # Errors
    /// When a node cannot be started.
    pub fn two(options: &Options) -> io::Result<Self> {
        let membership = Arc::new(Membership::default());
        let log = Log::new();
        let start = |number| {
            Fake::join(
                options.clone(),
                Arc::clone(&log),
                Arc::clone(&membership),
                number,
            )
        };
        Ok(Self {
            nodes: [start(0)?, start(1)?],
            membership,
            leader: 0,
            gossip_after: Duration::ZERO,
        })
    }

    /// How long gossip tells what was, when the leader changes.
    #[must_use]
    pub const fn gossip_after(mut self, time: Duration) -> Self {
        self.gossip_after = time;
        self
    }

    /// The node that leads.
    pub const fn leader(&self) -> &Fake {
        let [first, second] = &self.nodes;
        if self.leader == 0 { first } else { second }
    }

    /// The node that follows.
    pub const fn follower(&self) -> &Fake {
        let [first, second] = &self.nodes;
        if self.leader == 0 { second } else { first }
    }

    /// Both nodes, in the order they were started.
    pub const fn nodes(&self) -> &[Fake; 2] {
        &self.nodes
    }

    /// The log they share.
    pub fn log(&self) -> &Arc<Log> {
        self.leader().log()
    }

    /// Cuts the leader off; the other leads at once, and gossip follows.
    pub fn kill_leader(&mut self) {
        let dead = self.leader;
        if let Some(node) = self.nodes.get_mut(dead) {
            node.kill();
        }
        self.leader = 1 - dead;
        self.membership.change(self.gossip_after, |number, member| {
            member.leads = number != dead;
            member.is_alive = number != dead;
        });
    }

    /// The other node leads; both live on.
    pub fn change_leader(&mut self) {
        let leader = 1 - self.leader;
        self.leader = leader;
        self.membership.change(self.gossip_after, |number, member| {
            member.leads = number == leader;
        });
    }

    /// Starts every node again that is dead; it follows.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn revive(&mut self) -> io::Result<()> {
        for node in &mut self.nodes {
            node.restart()?;
        }
        self.membership
            .change(self.gossip_after, |_, member| member.is_alive = true);
        Ok(())
    }

    /// Tells this in place of the truth; `None` for the truth again.
    pub fn set_gossip(&self, members: Option<Vec<MemberInfo>>) {
        self.membership.set(members);
    }

    /// Both addresses, for a connection string.
    pub fn hosts(&self) -> String {
        let [first, second] = &self.nodes;
        format!("{},{}", first.address(), second.address())
    }

    /// A connection string of the cluster, and the name of a stream as path.
    pub fn url(&self, stream: &str) -> String {
        crate::fake::url(self.leader().node_options(), &self.hosts(), stream)
    }
}
