//! What the state of a stream and its server means in plain words, and what to do about it.
//!
//! Facts in, findings out; what is asked of the server is a [`Sight`] and a [`Scan`]. KurrentDB can
//! truncate, delete and redact: who may do so, and what is set to happen by itself, is said here.

mod access;
mod events;

use ledger::doctor::{Finding, counted, lasting};

use crate::address::Address;
use crate::look::{Metadata, Scan, Sight};

/// How far the server's clock may be off, in milliseconds, before it is worth a word.
const CLOCK_MS_NOTE: u64 = 5_000;

/// How far it may be off before it is a problem: bearer tokens and certificates end by the clock,
/// and five minutes is what token issuers commonly forgive.
const CLOCK_MS_MAX: u64 = 300_000;

/// Everything the findings are made from.
#[derive(Debug)]
pub struct Facts<'a> {
    /// Where the ledger is.
    pub address: &'a Address,
    /// What was seen without reading the events.
    pub sight: &'a Sight,
    /// What reading them found.
    pub scan: &'a Scan,
    /// Number of events in the replica on this machine; `None` when there is none.
    pub replica: Option<u64>,
    /// The time, Unix milliseconds.
    pub now_ms: i64,
}

/// What the facts mean, in the order to read them.
pub fn findings(facts: &Facts<'_>) -> Vec<Finding> {
    let mut all = vec![server(facts)];
    all.extend(nodes(facts));
    all.extend([connection(facts), clock(facts)]);
    all.extend(events::findings(facts));
    all.extend(retention(facts));
    all.extend(access::findings(facts));
    all.push(replica(facts));
    all
}

fn server(facts: &Facts<'_>) -> Finding {
    match &facts.sight.version {
        Some(version) => Finding::ok("server", format!("says it is version {version}")),
        None => Finding::note(
            "server",
            "does not tell its version",
            "KurrentDB and EventStoreDB from 22.6 on do: is something between?",
        ),
    }
}

fn nodes(facts: &Facts<'_>) -> Vec<Finding> {
    const SUBJECT: &str = "nodes";
    let nodes = &facts.sight.nodes;
    if nodes.is_empty() {
        return vec![Finding::note(
            SUBJECT,
            "the server does not tell of its nodes",
            "allow clients its gossip, so that another node is found when one is lost",
        )];
    }
    let total = nodes.len();
    let mut all = Vec::new();
    let dead: Vec<String> = nodes
        .iter()
        .filter(|node| !node.alive)
        .map(|node| node.host.to_string())
        .collect();
    let leaders = nodes
        .iter()
        .filter(|node| node.alive && node.state == "Leader")
        .count();
    if leaders != 1 {
        all.push(Finding::problem(
            SUBJECT,
            format!(
                "{} of {} say they lead; exactly one must",
                counted(leaders as u64, "node", "nodes"),
                total
            ),
            "wait for the election to end; when it does not, see the server's own log",
        ));
    }
    if !dead.is_empty() {
        all.push(Finding::problem(
            SUBJECT,
            format!(
                "{}, of {total} in all: {}",
                counted(
                    dead.len() as u64,
                    "node does not answer the others",
                    "nodes do not answer the others"
                ),
                dead.join(", ")
            ),
            "bring them back: without a majority of the nodes nothing is appended",
        ));
    }
    if all.is_empty() && total == 1 {
        all.push(Finding::note(
            SUBJECT,
            "there is a single node: no other holds a copy",
            "keep one elsewhere: daybook copy ADDRESS FOLDER, or daybook backup",
        ));
    } else if all.is_empty() {
        all.push(Finding::ok(
            SUBJECT,
            format!("all {total} are there, one leads"),
        ));
    }
    all
}

fn connection(facts: &Facts<'_>) -> Finding {
    const SUBJECT: &str = "connection";
    if !facts.address.is_encrypted() {
        return Finding::note(
            SUBJECT,
            "is not encrypted: passwords and public payloads cross the network as they are",
            "leave tls=false out of the address, and give the server a certificate",
        );
    }
    if !facts.address.checks_certificate() {
        return Finding::note(
            SUBJECT,
            "is encrypted, but the server's certificate is not checked: anyone could stand in for it",
            "name its authority with tlsCaFile= in place of tlsVerifyCert=false",
        );
    }
    Finding::ok(
        SUBJECT,
        "is encrypted, and the server's certificate is checked",
    )
}

fn clock(facts: &Facts<'_>) -> Finding {
    const SUBJECT: &str = "clock";
    let Some(server) = facts.sight.clock_ms else {
        return Finding::ok(SUBJECT, "the server's cannot be seen");
    };
    let off = server.abs_diff(facts.now_ms);
    let way = if server > facts.now_ms {
        "ahead of"
    } else {
        "behind"
    };
    let what = format!("the server's is {} {way} this machine's", lasting(off));
    if off > CLOCK_MS_MAX {
        return Finding::problem(
            SUBJECT,
            what,
            "set both by the same time service; events carry this machine's time",
        );
    }
    if off > CLOCK_MS_NOTE {
        return Finding::note(SUBJECT, what, "set both by the same time service");
    }
    Finding::ok(
        SUBJECT,
        "the server's and this machine's agree within 5 seconds",
    )
}

/// Settings by which the server removes events.
fn retention(facts: &Facts<'_>) -> Vec<Finding> {
    const SUBJECT: &str = "retention";
    let stream = facts.address.stream();
    let settings = match &facts.sight.settings {
        Metadata::Read(settings) => settings,
        Metadata::None => {
            return vec![Finding::ok(
                SUBJECT,
                "no metadata: nothing is set to vanish",
            )];
        }
        Metadata::Denied => {
            return vec![Finding::note(
                SUBJECT,
                "this user may not read the stream's metadata",
                "look as a user who may: $maxAge, $maxCount and $tb in them remove history",
            )];
        }
        Metadata::Unclear => {
            return vec![Finding::problem(
                SUBJECT,
                format!("the metadata in `$${stream}` cannot be understood"),
                "write them anew: docs/kurrentdb.md, \"Access\"",
            )];
        }
    };
    let mut all = Vec::new();
    let mut removes = |name: &str, what: String| {
        all.push(Finding::problem(
            SUBJECT,
            format!("{name} is set: {what}"),
            format!("set the metadata of `{stream}` without {name}: docs/kurrentdb.md, \"Access\""),
        ));
    };
    if let Some(seconds) = settings.max_age_seconds {
        let age = lasting(seconds.saturating_mul(1_000));
        removes("$maxAge", format!("events older than {age} vanish"));
    }
    if let Some(count) = settings.max_count {
        let kept = counted(count, "newest event stays", "newest events stay");
        removes("$maxCount", format!("only the {kept}"));
    }
    if let Some(before) = settings.truncate_before {
        removes(
            "$tb",
            format!("events before revision {before} are hidden and will be removed"),
        );
    }
    if all.is_empty() {
        all.push(Finding::ok(SUBJECT, "nothing is set to vanish"));
    }
    all
}

fn replica(facts: &Facts<'_>) -> Finding {
    const SUBJECT: &str = "replica";
    let there = facts.sight.head.map_or(0, |head| head.saturating_add(1));
    match facts.replica {
        None => Finding::ok(SUBJECT, "none on this machine; the next command makes it"),
        Some(here) if here > there => Finding::problem(
            SUBJECT,
            format!(
                "has {} where the stream has {there}: the server lost history",
                counted(here, "event", "events")
            ),
            "keep it, it is evidence; daybook copy brings it into a new stream",
        ),
        Some(here) if here < there => Finding::ok(
            SUBJECT,
            format!(
                "lacks {}; the next command brings it up to date",
                counted(there - here, "event", "events")
            ),
        ),
        Some(here) => Finding::ok(
            SUBJECT,
            format!("has all {}", counted(here, "event", "events")),
        ),
    }
}

#[cfg(test)]
mod tests;
