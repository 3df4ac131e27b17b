//! A stream is shared by machines, each with a replica it can lose.

use std::process::Stdio;

use super::{append, refused, server, small, stderr};
use crate::promises::program::{Desk, STREAM, TENANT, sign_in};

#[test]
fn a_replica_that_was_deleted_is_made_again() {
    let desk = small();
    desk.ok(&["keys", "generate"]);
    for number in [290, 291] {
        assert!(append(&desk, number).status.success());
        desk.ok(&["checkpoint"]);
    }
    let verified = || desk.json(&["--json", "verify"]);
    let (before, held) = (desk.ok(&["log", "--private", "--json"]), verified());
    assert_eq!(
        held["checkpoints"].as_array().map(Vec::len),
        Some(3),
        "{held}"
    );
    std::fs::remove_dir_all(desk.path("daybook.ledger")).unwrap();
    assert_eq!(desk.ok(&["log", "--private", "--json"]), before);
    // what was signed is there again, although it does not follow from the stream
    let again = verified();
    assert_eq!(again["checkpoints"], held["checkpoints"]);
    assert_eq!(again["verified"], true, "{again}");
    assert!(append(&desk, 300).status.success());
    desk.ok(&["checkpoint"]);
}

#[test]
fn a_stream_that_lost_its_end_or_all_of_it_is_refused() {
    for lost in [1, usize::MAX] {
        let mut desk = small();
        let size = desk.server().log().count(STREAM);
        for revision in (0..size).rev().take(lost) {
            let revision = u64::try_from(revision).unwrap();
            assert!(desk.server().log().drop_event(STREAM, revision));
        }
        refused(
            &desk.run(&["log"]),
            "events were lost on the server",
            "keep both",
        );
        refused(
            &append(&desk, 300),
            "events were lost on the server",
            "keep both",
        );
    }
}

#[test]
fn without_the_keys_everything_is_read_and_nothing_appended() {
    let desk = small();
    let elsewhere = |arguments: &[&str]| {
        let mut command = desk.command();
        command.args(["--state", "other", "--keys", "other.keys"]);
        command.args(arguments).output().unwrap()
    };
    assert!(elsewhere(&["verify"]).status.success());
    assert!(elsewhere(&["identities"]).status.success());
    let file = desk.file("more/1.jsonl", sign_in(900, "2026-11-04T10:00:00Z"));
    let output = elsewhere(&["import", "--tenant", TENANT, &file]);
    refused(&output, "without the blinding key", "--keys");
}

#[test]
fn two_machines_take_turns() {
    let desk = small();
    let other = desk.path("other-machine");
    let keys = desk.path("daybook.ledger.keys");
    let there = |number: u32| {
        let file = desk.file(
            &format!("there/{number}.jsonl"),
            sign_in(number, "2026-11-04T10:00:00Z"),
        );
        let output = desk
            .command()
            .arg("--state")
            .arg(&other)
            .arg("--keys")
            .arg(&keys)
            .args(["import", "--tenant", TENANT, &file])
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
    };
    for number in 0..3 {
        there(700 + number);
        assert!(append(&desk, 300 + number).status.success());
    }
    let verified = desk.json(&["--json", "verify"]);
    assert_eq!(verified["verified"], true, "{verified}");
    assert_eq!(verified["streamed"], verified["size"]);
}

#[test]
fn commands_side_by_side_do_not_disturb_each_other() {
    let desk = small();
    let lines: Vec<String> = (1_000..5_000)
        .map(|number| sign_in(number, "2026-11-05T10:00:00Z"))
        .collect();
    for (at, part) in lines.chunks(1_000).enumerate() {
        desk.file(&format!("busy/{at}.jsonl"), part.join("\n"));
    }
    let mut import = desk
        .command()
        .args(["import", "--tenant", TENANT, "busy"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut asked = 0;
    while import.try_wait().unwrap().is_none() || asked == 0 {
        let verified = desk.json(&["--json", "verify"]);
        assert_eq!(verified["verified"], true, "{verified}");
        desk.ok(&["identities"]);
        asked += 1;
    }
    let output = import.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn machines_that_write_at_once_are_told_and_lose_nothing() {
    let desk = small();
    let before = desk.json(&["--json", "verify"])["size"].as_u64().unwrap();
    let machine = |name: &'static str, first: u32| {
        // a folder of keys each, so that nothing holds them apart but the stream
        let keys = desk.path(&format!("{name}.keys"));
        std::fs::create_dir(&keys).unwrap();
        let blind = "blind.key";
        let shared = desk.path("daybook.ledger.keys").join(blind);
        std::fs::copy(shared, keys.join(blind)).unwrap();
        let lines: Vec<String> = (first..first + 1_500)
            .map(|number| sign_in(number, "2026-11-05T10:00:00Z"))
            .collect();
        let file = desk.file(&format!("{name}.jsonl"), lines.join("\n"));
        let mut turns = 0;
        loop {
            let output = desk
                .command()
                .arg("--state")
                .arg(desk.path(name))
                .arg("--keys")
                .arg(&keys)
                .args(["import", "--tenant", TENANT, &file])
                .output()
                .unwrap();
            if output.status.success() {
                return turns;
            }
            let told = stderr(&output);
            assert!(
                told.contains("wrote first") || told.contains("another writer appended"),
                "{told}"
            );
            turns += 1;
            assert!(turns < 50, "{told}");
        }
    };
    std::thread::scope(|scope| {
        let one = scope.spawn(|| machine("one", 10_000));
        let two = scope.spawn(|| machine("two", 20_000));
        one.join().unwrap() + two.join().unwrap()
    });
    let log = desk.ok(&["log", "--type", "activity.", "--limit", "100000", "--json"]);
    let sign_ins = log.lines().filter(|line| line.contains("2026-11-05"));
    assert_eq!(sign_ins.count(), 3_000);
    let verified = desk.json(&["--json", "verify"]);
    assert_eq!(verified["verified"], true, "{verified}");
    assert!(verified["size"].as_u64().unwrap() >= before + 3_000);
}

#[test]
fn machines_that_share_their_keys_lose_none() {
    let desk = Desk::with(server());
    desk.ok(&["demo", "--dir", "d", "--identities", "30"]);
    desk.ok(&["init", "--origin", "ledger.example/test"]);
    let machine = &|name: &str, month: &str| {
        for turn in 0.. {
            let source = format!("d/sources/audit/{month}");
            let output = desk
                .command()
                .args(["--state", name, "import", &source])
                .output()
                .unwrap();
            let told = stderr(&output);
            if output.status.success() {
                break;
            }
            assert!(turn < 50 && told.contains("writer"), "{told}");
        }
    };
    std::thread::scope(|scope| {
        let spawn = |name, month| scope.spawn(move || machine(name, month));
        let all = [
            spawn("one", "2026-08.jsonl"),
            spawn("two", "2026-09.jsonl"),
            spawn("three", "2026-10.jsonl"),
        ];
        all.map(|one| one.join().unwrap())
    });
    let verified = desk.json(&["--json", "verify"]);
    assert_eq!(verified["verified"], true, "{verified}");
    assert!(
        verified["private"]["opened"].as_u64() > Some(10),
        "{verified}"
    );
}
