//! Leaders die while an import runs: every event acknowledged is there exactly once.

use std::process::{Child, Stdio};
use std::time::Duration;

use kurrentdb_fake::{Cluster, Options};

use super::stderr;
use crate::promises::program::{Desk, STREAM, TENANT, counts, sign_in};

const RECORDS: u32 = 4_000;

fn importing(desk: &Desk, file: &str) -> Child {
    desk.command()
        .args(["--json", "import", "--tenant", TENANT, file])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn an_import_goes_on_while_leaders_die_and_nothing_is_lost_or_doubled() {
    let mut cluster = Cluster::two(&Options::default()).unwrap();
    let desk = Desk::at(cluster.url(STREAM));
    desk.ok(&["init", "--origin", "ledger.example/test"]);
    let lines: Vec<String> = (1..=RECORDS)
        .map(|number| sign_in(number, "2026-10-05T10:00:00Z"))
        .collect();
    let mut kills = 0_u64;
    for (at, part) in lines.chunks(lines.len() / 4).enumerate() {
        let file = desk.file(&format!("{at}.jsonl"), part.join("\n"));
        let mut import = importing(&desk, &file);
        while import.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(5));
            cluster.kill_leader();
            std::thread::sleep(Duration::from_millis(5));
            cluster.revive().unwrap();
            kills += 1;
        }
        let output = import.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", stderr(&output));
        let imported = counts(&serde_json::from_slice(&output.stdout).unwrap());
        assert_eq!(imported[1], u64::from(RECORDS) / 4);
    }
    assert!(kills >= 4, "{kills}");
    let verified = desk.json(&["--json", "verify"]);
    assert_eq!(verified["verified"], true, "{verified}");
    assert_eq!(verified["streamed"], verified["size"]);
    let size = usize::try_from(verified["size"].as_u64().unwrap()).unwrap();
    assert_eq!(cluster.log().count(STREAM), size);
    // each of them once
    let log = desk.ok(&["log", "--type", "activity.", "--limit", "100000", "--json"]);
    assert_eq!(log.lines().count(), lines.len());
    let file = desk.file("all.jsonl", lines.join("\n"));
    let again = desk.json(&["--json", "import", "--tenant", TENANT, &file]);
    assert_eq!(counts(&again)[2], u64::from(RECORDS), "{again}");
}
