//! What is changed on the server, or could be, is named.

use kurrentdb_fake::Fake;
use serde_json::Value;

use super::{small, stderr};
use crate::promises::program::STREAM;

#[test]
fn what_was_changed_on_the_server_does_not_verify() {
    type Change = fn(&Fake);
    let changes: [(&str, Change); 4] = [
        ("redaction", |server| {
            assert!(server.log().redact(STREAM, 2));
        }),
        ("a change", |server| {
            assert!(server.log().change(STREAM, 2, |event| {
                let mut data = event.data.to_vec();
                *data.last_mut().unwrap() ^= 1;
                event.data = data.into();
            }));
        }),
        ("events were removed", |server| {
            assert!(server.log().drop_event(STREAM, 2));
        }),
        ("events were removed", |server| {
            server.log().truncate_before(STREAM, 3);
        }),
    ];
    for (what, change) in changes {
        // with a replica from before, and on a machine that never saw the stream
        for is_fresh in [false, true] {
            let mut desk = small();
            desk.ok(&["verify"]);
            change(desk.server());
            let state = if is_fresh { "fresh" } else { "daybook.ledger" };
            let output = desk.run(&["--json", "--state", state, "verify"]);
            if is_fresh && what == "events were removed" && output.stdout.is_empty() {
                // without its first event there is nothing to begin with
                assert_eq!(output.status.code(), Some(1));
                assert!(stderr(&output).contains(what), "{}", stderr(&output));
                continue;
            }
            assert_eq!(output.status.code(), Some(3), "{what}: {}", stderr(&output));
            let verified: Value = serde_json::from_slice(&output.stdout).unwrap();
            let fault = &verified["faults"][0];
            assert_eq!(fault["class"], "REMOTE", "{verified}");
            let detail = fault["detail"].as_str().unwrap();
            let said = ["another than in the replica", "not the one hashed"];
            let is_said = match what {
                "a change" => said.iter().any(|words| detail.contains(words)),
                what => detail.contains(what),
            };
            assert!(is_said, "{fault}");
            let keys = "daybook.ledger.keys";
            // the replica is evidence of what was there
            desk.ok(&["--ledger", "daybook.ledger", "--keys", keys, "verify"]);
        }
    }
}

#[test]
fn the_doctor_names_what_would_lose_or_expose_history() {
    let mut desk = small();
    desk.server().log().set_metadata(
        STREAM,
        r#"{"$maxCount":1000,"$acl":{"$r":"$all","$w":"daybook","$d":"$admins","$mw":"$admins"}}"#,
    );
    desk.server().log().redact(STREAM, 4);
    let output = desk.run(&["doctor", "--json"]);
    assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let found = |subject: &str| {
        let all = told["findings"].as_array().unwrap();
        let one = all.iter().find(|one| one["subject"] == subject);
        one.unwrap_or_else(|| panic!("{subject}: {told}")).clone()
    };
    assert_eq!(found("retention")["level"], "problem");
    assert_eq!(found("who may read")["level"], "note");
    assert_eq!(found("who may append")["level"], "ok");
    assert_eq!(found("events")["level"], "problem");
    assert!(found("events")["what"].as_str().unwrap().ends_with(" 4"));
    assert_eq!(found("connection")["level"], "note");
}
