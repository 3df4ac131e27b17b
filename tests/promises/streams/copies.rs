//! What is in a stream is what is in a folder.

use std::process::Stdio;
use std::time::Duration;

use kurrentdb_fake::{AppendFault, ReadFault, When};
use serde_json::Value;

use super::{append, refused, server, small, stderr};
use crate::promises::program::{Desk, STREAM, TENANT, sign_in};

#[test]
fn a_copy_goes_both_ways_and_goes_on_where_it_was() {
    let desk = small();
    let url = desk.ledger();
    let first = desk.json(&["copy", "--json", &url, "copied.ledger"]);
    assert_eq!(first["size"], first["copied"]);
    assert_eq!(first["blind"], true);
    assert!(append(&desk, 300).status.success());
    let second = desk.json(&["copy", "--json", &url, "copied.ledger"]);
    assert_eq!(
        second["size"].as_u64().unwrap() - second["copied"].as_u64().unwrap(),
        first["size"].as_u64().unwrap()
    );
    // without the keys the copy verifies: what is sealed stays sealed
    desk.ok(&["demo", "--dir", "d", "--identities", "20"]);
    desk.ok(&["copy", "d/ledger", "bare.ledger"]);
    let bare = desk.json(&["--ledger", "bare.ledger", "--json", "verify"]);
    assert_eq!(bare["verified"], true, "{bare}");
    assert!(bare["private"]["sealed"].as_u64() > Some(0), "{bare}");
    let keys = desk.path("daybook.ledger.keys");
    let all = ["log", "--limit", "1000", "--private", "--json"];
    let of_copy = [
        &[
            "--ledger",
            "copied.ledger",
            "--keys",
            keys.to_str().unwrap(),
        ][..],
        &all,
    ]
    .concat();
    assert_eq!(desk.ok(&of_copy), desk.ok(&all));
    // the copy goes on, and comes back into another stream
    let file = desk.file("more/400.jsonl", sign_in(400, "2026-11-03T10:00:00Z"));
    desk.ok(&[
        "--ledger",
        "copied.ledger",
        "--keys",
        keys.to_str().unwrap(),
        "import",
        "--tenant",
        TENANT,
        &file,
    ]);
    let other = url.replace(STREAM, "fabrikam");
    let third = desk.json(&["copy", "--json", "copied.ledger", &other]);
    assert_eq!(third["size"], third["copied"]);
    // a stream of the same name elsewhere would have its keys in the same place
    let second = server();
    let clash = desk.run(&["copy", "d/ledger", &second.url("fabrikam")]);
    refused(&clash, "blinding key, of another ledger", "--to-keys");
    assert_eq!(second.log().count("fabrikam"), 0);
    // what went on differently is refused
    assert!(append(&desk, 500).status.success());
    let denied = desk.run(&["copy", &url, "copied.ledger"]);
    refused(
        &denied,
        "holds other events",
        "copy to a place that is empty",
    );
    let shorter = desk.run(&["copy", "copied.ledger", &url.replace(STREAM, "no-such")]);
    assert!(shorter.status.success(), "{}", stderr(&shorter));
}

#[test]
fn every_question_has_the_same_answer_in_a_stream_and_in_a_folder() {
    let desk = Desk::with(server());
    desk.ok(&["demo", "--dir", "d", "--identities", "40"]);
    let url = desk.ledger();
    desk.ok(&["copy", "d/ledger", &url, "--to-keys", "d/ledger.keys"]);
    let keys = ["--keys", "d/ledger.keys"];
    let identities = desk.json(&["--json", "identities"]);
    let identity = identities["identities"][0]["object_id"].as_str().unwrap();
    for question in [
        &["log", "--limit", "100000", "--private", "--json"][..],
        &["log", "--type", "credential."],
        &["identities", "--as-of", "2026-08-01"],
        &["identity", identity],
        &["usage", "--period", "2026-10", "--format", "csv"],
        &["bill", "show", "--period", "2026-09"],
        &["bill", "explain", identity, "--period", "2026-09"],
        &["report", "health", "--json"],
        &["keys", "show"],
        &["keys", "data"],
        &["bill", "run", "--period", "2026-10"],
    ] {
        let of_folder = desk.run(&[&["--ledger", "d/ledger"], &keys[..], question].concat());
        let of_stream = desk.run(&[&keys[..], question].concat());
        assert_eq!(
            String::from_utf8_lossy(&of_stream.stdout),
            String::from_utf8_lossy(&of_folder.stdout),
            "{question:?}: {}",
            stderr(&of_stream)
        );
        assert_eq!(of_stream.status, of_folder.status, "{question:?}");
        assert!(
            !of_stream.stdout.is_empty(),
            "{question:?}: {}",
            stderr(&of_stream)
        );
    }
}

#[test]
fn a_copy_that_was_cut_off_goes_on_where_it_was() {
    let mut target = server();
    let desk = Desk::empty();
    desk.ok(&["demo", "--dir", "d", "--identities", "200"]);
    // slow, and given up soon
    target.fail_appends(
        When::Every(1),
        AppendFault::Delay(Duration::from_millis(20)),
    );
    let url = format!(
        "{}&defaultDeadline=100&maxDiscoverAttempts=1",
        target.url(STREAM)
    );
    let mut copy = desk
        .command()
        .args(["copy", "d/ledger", &url])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while target.log().count(STREAM) == 0 {
        assert!(copy.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(1));
    }
    target.kill();
    let output = copy.wait_with_output().unwrap();
    refused(&output, "", "");
    let there = target.log().count(STREAM);
    target.restart().unwrap();
    target.heal();
    let copied = desk.json(&["copy", "--json", "d/ledger", &url]);
    let size = copied["size"].as_u64().unwrap();
    assert_eq!(
        copied["copied"].as_u64().unwrap(),
        size - u64::try_from(there).unwrap()
    );
    assert!(there > 0 && copied["copied"].as_u64() > Some(0), "{copied}");
    assert_eq!(target.log().count(STREAM), usize::try_from(size).unwrap());
    desk.ok(&["--ledger", &url, "--keys", "d/ledger.keys", "verify"]);

    // and the other way round, into a folder: killed in the middle
    target.fail_reads(When::Every(1), ReadFault::CutAfter(400));
    let mut back = desk
        .command()
        .args(["copy", &url, "back.ledger"])
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_millis(30));
    drop(back.kill());
    drop(back.wait());
    target.heal();
    desk.ok(&["copy", &url, "back.ledger"]);
    let verified = desk.json(&["--ledger", "back.ledger", "--json", "verify"]);
    assert_eq!(verified["verified"], true, "{verified}");
    assert_eq!(verified["size"].as_u64(), Some(size));
}

#[test]
fn private_payloads_reach_the_server_encrypted() {
    let mut desk = Desk::with(server());
    desk.ok(&["demo", "--dir", "d", "--identities", "20"]);
    desk.ok(&["copy", "d/ledger", &desk.ledger()]);
    let log = |more: &[&str]| {
        let base = ["--ledger", "d/ledger", "log", "--limit", "100000", "--json"];
        desk.ok(&[&base[..], more].concat())
    };
    let public = log(&[]);
    let mut secrets = Vec::new();
    for line in log(&["--private"]).lines() {
        let event: Value = serde_json::from_str(line).unwrap();
        texts(&event["private_payload"], &mut secrets);
    }
    secrets.retain(|secret| secret.len() > 6 && !public.contains(secret.as_str()));
    secrets.sort();
    secrets.dedup();
    assert!(secrets.len() > 5, "{secrets:?}");
    let recorded = desk.server().log().stream(STREAM);
    let mut all = Vec::new();
    for event in &recorded {
        all.extend_from_slice(&event.data);
    }
    let all = String::from_utf8_lossy(&all);
    assert!(all.contains("ledger.example") || all.contains("daybook.demo"));
    for secret in secrets {
        assert!(!all.contains(&secret), "{secret}");
    }
}

/// Every text in a value.
fn texts(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts(value, out)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, out)),
        _ => {}
    }
}
