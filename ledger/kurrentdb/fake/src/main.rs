//! `kurrentdb-fake`: a stand-in for KurrentDB, for scripts.
//!
//! Prints where it listens as one line of JSON, and runs until standard input is closed or it is
//! told to end.

use std::io::{self, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use kurrentdb_fake::{AppendFault, Cluster, Fake, Options, ReadFault, Tls, User, When};

const USAGE: &str = "\
usage: kurrentdb-fake [--listen ADDRESS:PORT] [--cluster] [--tls DIR] [--max-append-size BYTES]
                      [--users NAME:PASSWORD,...|default] [--fault FAULT]...
  --tls DIR   encrypts; DIR/ca.crt is what clients trust
  --fault     append:WHAT:WHEN or read:WHAT:WHEN, with WHEN next=N, nth=N or every=N
              append: drop-before, drop-after, aborted-before, aborted-after, unavailable,
                      not-leader, delay=MS
              read:   cut=EVENTS, end=EVENTS, duplicate=EVENTS, unavailable, not-leader, delay=MS";

/// What the command line asks for.
#[derive(Default)]
struct Asked {
    options: Options,
    cluster: bool,
    folder: Option<PathBuf>,
    faults: Vec<(When, Fault)>,
}

#[derive(Clone, Copy)]
enum Fault {
    Append(AppendFault),
    Read(ReadFault),
}

fn main() -> io::Result<()> {
    let asked = match parse(std::env::args().skip(1)) {
        Ok(asked) => asked,
        Err(why) => return Err(io::Error::other(format!("{why}\n{USAGE}"))),
    };
    let mut options = asked.options;
    if let Some(folder) = &asked.folder {
        let tls = Tls::new()?;
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("ca.crt"), tls.authority())?;
        options.tls = Some(tls);
    }
    let (cluster, single);
    let nodes: Vec<&Fake> = if asked.cluster {
        cluster = Cluster::two(&options)?;
        cluster.nodes().iter().collect()
    } else {
        single = Fake::start(options)?;
        vec![&single]
    };
    for node in &nodes {
        for (when, fault) in &asked.faults {
            match fault {
                Fault::Append(fault) => node.fail_appends(*when, *fault),
                Fault::Read(fault) => node.fail_reads(*when, *fault),
            }
        }
    }
    let addresses: Vec<String> = nodes
        .iter()
        .map(|node| node.address().to_string())
        .collect();
    let urls: Vec<String> = nodes.iter().map(|node| node.url("")).collect();
    let line = serde_json::json!({ "urls": urls, "addresses": addresses });
    let mut out = io::stdout();
    writeln!(out, "{line}")?;
    out.flush()?;
    wait();
    Ok(())
}

/// Until standard input is closed. A signal ends the process as it ends any.
fn wait() {
    let mut buffer = [0; 1_024];
    while io::stdin().read(&mut buffer).is_ok_and(|bytes| bytes > 0) {}
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut asked = Asked::default();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        match word.as_str() {
            "--cluster" => asked.cluster = true,
            "--listen" => asked.options.listen = number::<SocketAddr>(&value()?)?,
            "--max-append-size" => asked.options.max_append_size = number(&value()?)?,
            "--tls" => asked.folder = Some(PathBuf::from(value()?)),
            "--users" => asked.options.users = users(&value()?)?,
            "--fault" => asked.faults.push(fault(&value()?)?),
            _ => return Err(format!("{word} is not understood")),
        }
    }
    Ok(asked)
}

fn users(text: &str) -> Result<Vec<User>, String> {
    if text == "default" {
        return Ok(User::defaults());
    }
    text.split(',')
        .map(|user| {
            user.split_once(':')
                .map(|(name, password)| User::new(name, password))
                .ok_or("a user is NAME:PASSWORD".to_owned())
        })
        .collect()
}

fn fault(text: &str) -> Result<(When, Fault), String> {
    let mut parts = text.split(':');
    let (Some(call), Some(what), Some(when), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(format!("{text} is no fault"));
    };
    let when = match when.split_once('=') {
        Some(("next", count)) => When::Next(number(count)?),
        Some(("nth", count)) => When::Nth(number(count)?),
        Some(("every", count)) => When::Every(number(count)?),
        _ => return Err(format!("{when} is no time")),
    };
    let (what, value) = what.split_once('=').unwrap_or((what, ""));
    let delay = || number(value).map(Duration::from_millis);
    let fault = match (call, what) {
        ("append", "drop-before") => Fault::Append(AppendFault::DropBeforeCommit),
        ("append", "drop-after") => Fault::Append(AppendFault::DropAfterCommit),
        ("append", "aborted-before") => Fault::Append(AppendFault::AbortedBeforeCommit),
        ("append", "aborted-after") => Fault::Append(AppendFault::AbortedAfterCommit),
        ("append", "unavailable") => Fault::Append(AppendFault::Unavailable),
        ("append", "not-leader") => Fault::Append(AppendFault::NotLeader(None)),
        ("append", "delay") => Fault::Append(AppendFault::Delay(delay()?)),
        ("read", "cut") => Fault::Read(ReadFault::CutAfter(number(value)?)),
        ("read", "end") => Fault::Read(ReadFault::EndAfter(number(value)?)),
        ("read", "duplicate") => Fault::Read(ReadFault::Duplicate(number(value)?)),
        ("read", "unavailable") => Fault::Read(ReadFault::Unavailable),
        ("read", "not-leader") => Fault::Read(ReadFault::NotLeader(None)),
        ("read", "delay") => Fault::Read(ReadFault::Delay(delay()?)),
        _ => return Err(format!("{text} is no fault")),
    };
    Ok((when, fault))
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse()
        .map_err(|_| format!("{text} is not understood"))
}
