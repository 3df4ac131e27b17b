//! Finding the node that is needed.

use std::time::Duration;

use crate::address::{Host, NodePreference};
use crate::dial::{dial, speaks_tls};
use crate::error::{KurrentError, Tried, Why};
use crate::link::Link;
use crate::refusal::Refusal;
use crate::session::Session;
use crate::wire::gossip::{MemberInfo, NodeState};

/// Most nodes of a gossip that are looked at.
const MEMBERS_MAX: usize = 64;

/// What a host came to.
enum Outcome {
    /// It is the node.
    Found(Link, Vec<Host>),
    /// It is not, or cannot be used.
    Not(Vec<Tried>),
}

impl Session {
    /// Connects to the node that fits, and says which nodes there are.
    pub(crate) async fn find(
        &self,
        wanted: NodePreference,
        hint: Option<Host>,
        members: Vec<Host>,
    ) -> Result<(Link, Vec<Host>), KurrentError> {
        let options = &self.address.options;
        let mut tried = Vec::new();
        for round in 0..options.discover_attempts {
            if round > 0 {
                tokio::time::sleep(self.about(options.discovery_interval)).await;
            }
            tried.clear();
            for host in self.candidates(hint.as_ref().filter(|_| round == 0), &members) {
                match self
                    .ask(&host, wanted, hint.as_ref() == Some(&host))
                    .await?
                {
                    Outcome::Found(link, members) => return Ok((link, members)),
                    Outcome::Not(why) => {
                        for one in why {
                            if !tried.contains(&one) {
                                tried.push(one);
                            }
                        }
                    }
                }
            }
        }
        let answers =
            |one: &Tried| matches!(one.why, Why::NoSuchNode { .. } | Why::NotReady { .. });
        Err(if tried.iter().any(answers) {
            KurrentError::NoNode {
                wanted: word(wanted),
                tried,
            }
        } else {
            KurrentError::Unreachable { tried }
        })
    }

    /// The hosts to try, in order: who is said to lead, then those of the address and those of the
    /// last gossip in any order, since each knows of the others.
    fn candidates(&self, hint: Option<&Host>, members: &[Host]) -> Vec<Host> {
        let mut rest: Vec<Host> = self.address.hosts().to_vec();
        if self.address.is_cluster() {
            for host in members {
                if !rest.contains(host) {
                    rest.push(host.clone());
                }
            }
            for at in (1..rest.len()).rev() {
                let other = self.random(at as u64 + 1);
                rest.swap(at, usize::try_from(other).unwrap_or(at));
            }
        }
        let mut all: Vec<Host> = hint.cloned().into_iter().collect();
        all.extend(rest.into_iter().filter(|host| Some(host) != hint));
        all
    }

    /// Asks a host for the node that fits, and connects to that.
    async fn ask(
        &self,
        host: &Host,
        wanted: NodePreference,
        is_told: bool,
    ) -> Result<Outcome, KurrentError> {
        let link = match self.open(host).await? {
            Ok(link) => link,
            Err(why) => return Ok(not(host, why)),
        };
        if !self.address.is_cluster() || is_told {
            return Ok(Outcome::Found(link, Vec::new()));
        }
        let members = match link.gossip(self.address.options.gossip_timeout).await {
            Ok(told) => told.members,
            Err(refusal) => {
                let why = self.judge(&link, refusal).await?;
                return Ok(not(host, why));
            }
        };
        let hosts: Vec<Host> = members
            .iter()
            .filter_map(host_of)
            .take(MEMBERS_MAX)
            .collect();
        if let [alone] = &members[..]
            && is_fit(alone, wanted)
        {
            // its own idea of its address may be one from inside
            return Ok(Outcome::Found(link, Vec::new()));
        }
        let nodes = self.fitting(&members, wanted);
        if nodes.is_empty() {
            let wanted = word(wanted);
            return Ok(not(host, Why::NoSuchNode { wanted }));
        }
        let mut tried = Vec::new();
        for node in nodes {
            if node == *host {
                return Ok(Outcome::Found(link, hosts));
            }
            match self.open(&node).await? {
                Ok(link) => return Ok(Outcome::Found(link, hosts)),
                Err(why) => tried.push(Tried { host: node, why }),
            }
        }
        Ok(Outcome::Not(tried))
    }

    /// Connects to a host and asks what it can do.
    async fn open(&self, host: &Host) -> Result<Result<Link, Why>, KurrentError> {
        let options = &self.address.options;
        let channel = match dial(host, options, self.config.as_ref()).await {
            Ok(channel) => channel,
            Err(why) => return Ok(Err(why)),
        };
        let mut link = Link::new(host.clone(), self.calling.clone(), channel);
        match link.features(options.gossip_timeout).await {
            Ok(told) => {
                let name = |text: &str| text.eq_ignore_ascii_case("batchappend");
                link.has_batches = told.methods.iter().any(|one| name(&one.method_name));
                link.version = Some(told.server_version)
                    .filter(|version| !version.is_empty() && version.len() <= 64)
                    .map(|version| version.chars().filter(|c| !c.is_control()).collect());
                Ok(Ok(link))
            }
            // servers before 21.10 do not tell
            Err(Refusal::Unimplemented(_) | Refusal::NotLeader(_)) => Ok(Ok(link)),
            Err(refusal) => self.judge(&link, refusal).await.map(Err),
        }
    }

    /// Why a host cannot be used; an error when no other will do either.
    async fn judge(&self, link: &Link, refusal: Refusal) -> Result<Why, KurrentError> {
        let limit = self.address.options.gossip_timeout;
        match refusal {
            Refusal::Unauthenticated => Err(refusal.error(link, "read", self.address.stream())),
            // plain bytes end a connection that was to begin with a handshake
            Refusal::Lost(_) if self.config.is_none() && speaks_tls(&link.host, limit).await => {
                Ok(Why::TlsOnly)
            }
            refusal => Ok(refusal.why()),
        }
    }

    /// The nodes that fit, best first.
    fn fitting(&self, members: &[MemberInfo], wanted: NodePreference) -> Vec<Host> {
        let state = |member: &MemberInfo| NodeState::try_from(member.state).ok();
        let mut nodes: Vec<(u64, Host)> = members
            .iter()
            .filter(|member| member.is_alive)
            .filter_map(|member| {
                let rank = rank(state(member)?, wanted)?;
                Some((rank << 32 | self.random(1 << 32), host_of(member)?))
            })
            .take(MEMBERS_MAX)
            .collect();
        nodes.sort();
        nodes.into_iter().map(|(_, host)| host).collect()
    }

    /// About so long: half of it to one and a half.
    fn about(&self, time: Duration) -> Duration {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        Duration::from_micros(micros / 2 + self.random(micros.saturating_add(1)))
    }
}

fn not(host: &Host, why: Why) -> Outcome {
    Outcome::Not(vec![Tried {
        host: host.clone(),
        why,
    }])
}

/// Where clients reach a node, when it says so sensibly.
pub(crate) fn host_of(member: &MemberInfo) -> Option<Host> {
    let place = member.http_end_point.as_ref()?;
    Host::of_parts(&place.address, u16::try_from(place.port).ok()?)
}

/// Whether a node fits, wherever it is.
fn is_fit(member: &MemberInfo, wanted: NodePreference) -> bool {
    let state = NodeState::try_from(member.state).ok();
    member.is_alive && state.is_some_and(|state| rank(state, wanted).is_some())
}

/// How well a node fits, 0 best; `None` when it cannot be used.
fn rank(state: NodeState, wanted: NodePreference) -> Option<u64> {
    use NodeState as S;
    let (leads, follows) = (state == S::Leader, state == S::Follower);
    let is_replica = matches!(state, S::ReadOnlyReplica | S::ReadOnlyLeaderless);
    let is_best = match wanted {
        NodePreference::Leader => return leads.then_some(0),
        NodePreference::Follower => follows,
        NodePreference::Random => true,
        NodePreference::ReadOnlyReplica => is_replica,
    };
    (leads || follows || is_replica).then_some(u64::from(!is_best))
}

fn word(wanted: NodePreference) -> &'static str {
    match wanted {
        NodePreference::Leader => "leader",
        NodePreference::Follower | NodePreference::Random => "node for reading",
        NodePreference::ReadOnlyReplica => "read-only replica",
    }
}
