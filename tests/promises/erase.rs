//! Erasing private data through the program: gone everywhere, and nothing else moves.

use std::path::Path;

use serde_json::Value;

use super::program::{Desk, files};

/// A demo, whose changes carry private payloads.
struct Scene {
    desk: Desk,
}

impl Scene {
    fn new() -> Self {
        let desk = Desk::empty();
        desk.ok(&[
            "demo",
            "--dir",
            "d",
            "--identities",
            "30",
            "--months",
            "3",
            "--seed",
            "5",
        ]);
        Self { desk }
    }

    /// What the program prints, asked of the demo's ledger.
    fn ok(&self, arguments: &[&str]) -> String {
        self.desk
            .ok(&[&["--ledger", "d/ledger"][..], arguments].concat())
    }

    /// Every event that ever had a private part, of a ledger and its keys.
    fn private(&self, place: &[&str]) -> Vec<Value> {
        let rest = ["--json", "log", "--private", "--position", "0.."];
        let rest = [&rest[..], &["--limit", "1000000"]].concat();
        let lines = self.desk.ok(&[place, &rest].concat());
        lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .filter(|event: &Value| event["private"] == true)
            .collect()
    }

    fn here(&self) -> Vec<Value> {
        self.private(&["--ledger", "d/ledger"])
    }

    /// An administrator of the tenant: stable id, and a name that is nowhere but in private parts.
    fn someone(&self) -> (String, String) {
        let events = self.here();
        let mut actors = events
            .iter()
            .map(|event| &event["private_payload"]["actor"])
            .filter(|actor| actor["id"].is_string() && actor["upn"].is_string());
        let actor = actors
            .next_back()
            .unwrap_or_else(|| panic!("{:?}", events[0]));
        let text = |name: &str| actor[name].as_str().unwrap().to_owned();
        (text("id"), text("upn"))
    }

    fn redact(&self, actor: &str, more: &[&str]) -> std::process::Output {
        let order = [
            "--ledger",
            "d/ledger",
            "redact",
            "--actor",
            actor,
            "--reason",
            "request 114",
            "--legal-basis",
            "GDPR article 17",
            "--approved-by",
            "dpo",
        ];
        self.desk.run(&[&order[..], more].concat())
    }

    fn bytes(&self, folder: &str) -> Vec<Vec<u8>> {
        files(&self.desk.path(folder))
            .iter()
            .filter(|path| !path.ends_with("LOCK") && !path.to_str().unwrap().contains("derived"))
            .map(|path| std::fs::read(path).unwrap())
            .collect()
    }
}

fn copy(from: &Path, to: &Path) {
    for path in files(from) {
        let to = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(path, to).unwrap();
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    let mut windows = bytes.windows(text.len());
    windows.any(|window| window == text.as_bytes())
}

#[test]
fn what_was_erased_is_gone_in_every_copy_and_bills_and_reports_stay() {
    let scene = Scene::new();
    let (id, name) = scene.someone();
    let before = scene.here();
    let is_of = |event: &Value| event["private_payload"]["actor"]["id"] == id.as_str();
    let count = before.iter().filter(|event| is_of(event)).count();
    assert!(count > 0 && count < before.len());
    for file in [scene.bytes("d/ledger"), scene.bytes("d/ledger.keys")].concat() {
        assert!(!holds(&file, &name));
    }
    let size = scene
        .desk
        .json(&["--ledger", "d/ledger", "--json", "verify"])["size"]
        .clone();
    let then = format!("#{size}");
    let derived = || {
        [
            scene.ok(&["--json", "bill", "show", "--period", "2026-10"]),
            scene.ok(&["--json", "usage", "--period", "2026-10", "--as-of", &then]),
            scene.ok(&["report", "health", "--json", "--as-of", &then]),
            scene.ok(&["--json", "identities", "--all", "--as-of", &then]),
        ]
    };
    let said = derived();
    copy(&scene.desk.path("d/ledger"), &scene.desk.path("old"));

    let output = scene.redact(&id, &["--approved-by", "ciso", "--yes"]);
    assert!(output.status.success(), "{output:?}");
    assert!(
        String::from_utf8(output.stdout)
            .unwrap()
            .contains("key destroyed")
    );

    let verified = scene
        .desk
        .json(&["--ledger", "d/ledger", "--json", "verify"]);
    assert_eq!(verified["verified"], true, "{verified}");
    assert_eq!(verified["private"]["erased"], count, "{verified}");
    assert_eq!(derived(), said);
    let after = scene.here();
    for (before, after) in before.iter().zip(&after) {
        let mut expected = before.clone();
        if is_of(before) {
            expected["private_state"] = "erased".into();
            expected["private_payload"] = Value::Null;
        }
        assert_eq!(&expected, after);
    }
    let old = scene.private(&["--ledger", "old", "--keys", "d/ledger.keys"]);
    let unread = old
        .iter()
        .filter(|event| event["private_payload"].is_null());
    assert_eq!(unread.count(), count);
    let event = scene.ok(&["--json", "log", "--type", "ledger.redacted"]);
    assert!(
        !holds(event.as_bytes(), &id) && !holds(event.as_bytes(), &name),
        "{event}"
    );
}

#[test]
fn without_yes_or_a_second_approval_nothing_happens() {
    let scene = Scene::new();
    let (id, _) = scene.someone();
    let before = [scene.bytes("d/ledger"), scene.bytes("d/ledger.keys")];
    let output = scene.redact(&id, &["--approved-by", "ciso"]);
    assert!(output.status.success());
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.contains("Nothing is erased yet"), "{said}");
    assert!(said.contains("backup"), "{said}");
    for (more, code) in [
        (&["--yes"][..], 1),
        (&["--approved-by", " DPO", "--yes"], 1),
        (&["--approved-by", "ciso", "--yes", "--reason", "again"], 2),
    ] {
        assert_eq!(
            scene.redact(&id, more).status.code(),
            Some(code),
            "{more:?}"
        );
    }
    let named = scene.redact("dpo", &["--approved-by", "ciso", "--yes"]);
    assert_eq!(
        named.status.code(),
        Some(1),
        "an approver is named in public"
    );
    let unknown = scene.redact("nobody-at-all", &["--approved-by", "ciso", "--yes"]);
    let said = String::from_utf8(unknown.stderr).unwrap();
    assert!(said.starts_with("error: no event has the actor"), "{said}");
    assert_eq!(
        [scene.bytes("d/ledger"), scene.bytes("d/ledger.keys")],
        before
    );
}

#[test]
fn keys_lost_without_an_erasure_do_not_verify() {
    let scene = Scene::new();
    let positions: Vec<Value> = scene
        .here()
        .iter()
        .map(|event| event["position"].clone())
        .collect();
    std::fs::remove_file(scene.desk.path("d/ledger.keys/data.keys")).unwrap();
    let verify = ["--ledger", "d/ledger", "--json", "verify"];
    assert_eq!(scene.desk.run(&verify).status.code(), Some(3));
    let verified = scene.desk.json(&verify);
    let missing: Vec<Value> = verified["faults"]
        .as_array()
        .unwrap()
        .iter()
        .map(|fault| {
            assert_eq!(fault["class"], "PRIVATE_MISSING");
            fault["position"].clone()
        })
        .collect();
    assert_eq!(missing, positions);
    let keys = scene.desk.run(&["--ledger", "d/ledger", "keys", "data"]);
    assert_eq!(keys.status.code(), Some(3));
    let report = ["--ledger", "d/ledger", "report", "health", "--json"];
    assert_eq!(scene.desk.run(&report).status.code(), Some(3));
    scene.ok(&["bill", "show", "--period", "2026-10"]);

    let replace = ["--ledger", "d/ledger", "keys", "data", "--replace-lost"];
    assert_eq!(scene.desk.run(&replace).status.code(), Some(3));
    assert_eq!(
        scene.desk.json(&verify)["faults"].as_array().unwrap().len(),
        positions.len()
    );
    assert_eq!(
        scene.desk.run(&replace).status.code(),
        Some(1),
        "there is one now"
    );
}

#[test]
fn an_auditors_copy_without_keys_verifies_and_says_what_it_could_not_open() {
    let scene = Scene::new();
    let count = scene.here().len();
    copy(&scene.desk.path("d/ledger"), &scene.desk.path("copy"));
    let verified = scene.desk.json(&["--ledger", "copy", "--json", "verify"]);
    assert_eq!(verified["verified"], true);
    assert_eq!(verified["private"]["sealed"], count);
    let said = scene.desk.ok(&["--ledger", "copy", "verify"]);
    assert!(said.contains("sealed: not opened"), "{said}");
    assert!(
        !scene.desk.path("copy.keys").exists(),
        "checking makes no keys"
    );
}

#[test]
fn a_damaged_file_of_keys_is_told_in_one_line() {
    let scene = Scene::new();
    let path = scene.desk.path("d/ledger.keys/data.keys");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[200] ^= 4;
    std::fs::write(&path, &bytes).unwrap();
    for arguments in [&["verify"][..], &["keys", "data"], &["import", "d/sources"]] {
        let output = scene
            .desk
            .run(&[&["--ledger", "d/ledger"][..], arguments].concat());
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains("is damaged at byte 128; restore it"),
            "{said}"
        );
    }
    assert_eq!(std::fs::read(&path).unwrap(), bytes);
}
