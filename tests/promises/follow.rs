//! `log --follow` shows each event once and in order while another process appends, and ends when
//! nobody reads any more.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::Value;

use super::program::{Desk, TENANT, inventory, sign_in, small_tenant};

/// Longest wait for something that must happen: only a program that hangs takes as long.
const PATIENCE: Duration = Duration::from_mins(2);

/// `log --follow --json` as it runs; ended when dropped, whatever the test came to.
struct Follower {
    child: Child,
}

impl Follower {
    fn new(desk: &Desk, more: &[&str]) -> Self {
        let child = desk
            .command()
            .args(["log", "--follow", "--json", "--limit", "1000000"])
            .args(more)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child }
    }

    /// The events it prints, as they come.
    fn events(&mut self) -> Receiver<Value> {
        let lines = BufReader::new(self.child.stdout.take().unwrap()).lines();
        let (send, receive) = channel();
        std::thread::spawn(move || {
            for line in lines {
                let event = serde_json::from_str(&line.unwrap()).unwrap();
                if send.send(event).is_err() {
                    break;
                }
            }
        });
        receive
    }

    /// How it ended by itself.
    fn ended(&mut self) -> ExitStatus {
        let (send, ended) = channel::<()>();
        for _ in 0..PATIENCE.as_secs() * 20 {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            let pause = ended.recv_timeout(Duration::from_millis(50));
            assert_eq!(pause, Err(RecvTimeoutError::Timeout));
        }
        drop(send);
        panic!("it goes on although nobody reads");
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn next(events: &Receiver<Value>) -> Value {
    events.recv_timeout(PATIENCE).unwrap()
}

/// Imports one more sign-in by a process of its own.
fn append(desk: &Desk, number: u32) {
    let at = format!("2026-11-02T10:{:02}:00Z", number % 60);
    let file = desk.file(&format!("more/{number}.jsonl"), sign_in(number, &at));
    desk.ok(&["import", "--tenant", TENANT, &file]);
}

#[test]
fn a_follower_sees_each_event_once_and_in_order_while_others_append() {
    let desk = small_tenant("payments-api");
    let known = desk.json(&["--json", "verify"])["size"].as_u64().unwrap();
    let mut follower = Follower::new(&desk, &[]);
    let events = follower.events();
    for position in 0..known {
        assert_eq!(next(&events)["position"], position);
    }
    for number in 100..106 {
        append(&desk, number);
    }
    let size = desk.json(&["--json", "verify"])["size"].as_u64().unwrap();
    assert!(size >= known + 6, "{size}");
    let mut sign_ins = Vec::new();
    for position in known..size {
        let event = next(&events);
        assert_eq!(event["position"], position);
        if event["type"] == "activity.signed_in" {
            sign_ins.push(event["occurred_at"].as_str().unwrap().to_owned());
        }
    }
    assert_eq!(sign_ins.len(), 6, "{sign_ins:?}");
    assert!(sign_ins.is_sorted(), "{sign_ins:?}");
}

#[test]
fn a_follower_of_one_type_is_told_of_no_other() {
    let desk = small_tenant("payments-api");
    let mut follower = Follower::new(&desk, &["--type", "identity."]);
    let events = follower.events();
    assert_eq!(next(&events)["type"], "identity.registered");
    append(&desk, 100);
    let renamed = desk.file("2026-11-03/sp.json", inventory("payments-api-2"));
    desk.ok(&["import", "--tenant", TENANT, &renamed]);
    loop {
        let event = next(&events);
        let kind = event["type"].as_str().unwrap();
        assert!(kind.starts_with("identity."), "{event}");
        if event.to_string().contains("payments-api-2") {
            break;
        }
    }
}

#[test]
fn a_follower_that_nobody_reads_ends_with_0_though_nothing_happens() {
    let desk = small_tenant("payments-api");
    let mut follower = Follower::new(&desk, &["--type", "activity."]);
    let mut reader = BufReader::new(follower.child.stdout.take().unwrap());
    let mut line = String::new();
    // all there are, so that it waits for the next event
    for _ in 0..41 {
        line.clear();
        reader.read_line(&mut line).unwrap();
        assert!(line.contains("activity.signed_in"), "{line}");
    }
    drop(reader);
    let status = follower.ended();
    assert_eq!(status.code(), Some(0), "{status}");
}

/// Longest time from an acknowledged append to the line a follower prints.
const LATENCY_MAX: Duration = Duration::from_millis(100);

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a latency is measured by the clock"
)]
fn an_event_is_printed_within_a_tenth_of_a_second_of_its_append() {
    let desk = small_tenant("payments-api");
    let mut follower = Follower::new(&desk, &["--type", "licence."]);
    let events = follower.events();
    let edge = ledger::Edge {
        clock: Box::new(|| "2027-01-01T00:00:00Z".parse().unwrap()),
        entropy: Box::new(|bytes| bytes.fill(7)),
    };
    let mut book = desk.writer(edge);
    let mut waits = Vec::new();
    for number in 0..25 {
        let body = ledger::EventBody::LicenceAssigned(ledger::event::licence::Assignment {
            sku_part_number: "Workload_Identities_Premium_CN".to_owned(),
        });
        let key = ledger::NaturalKey::new("licence").with(&number.to_string());
        let at = "2026-12-01T00:00:00Z".parse().unwrap();
        let event = ledger::Event::own(key, ledger::StreamName::tenant(TENANT), body, at);
        book.append(vec![event]).unwrap();
        let appended = std::time::Instant::now();
        next(&events);
        waits.push(appended.elapsed());
    }
    // the first may wait for the program to start; a machine busy with other tests may halt any
    waits.sort();
    println!(
        "append to line: {:?} in the middle, {:?} at most",
        waits[12], waits[24]
    );
    assert!(waits[12] < LATENCY_MAX, "{waits:?}");
}
