//! Evidence through the program: what it signs, an outsider checks; what was changed, it names.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::program::{Desk, files, inventory};

/// A desk with a small ledger, a key, a policy and a checkpoint.
fn signed() -> Desk {
    let desk = Desk::new();
    let export = desk.file("2026-10-01/one.json", inventory("one"));
    desk.ok(&["import", "--tenant", super::program::TENANT, &export]);
    desk.ok(&["keys", "generate"]);
    desk.ok(&["checkpoint"]);
    let policy = desk.ok(&["keys", "show"]);
    desk.file("policy", policy);
    desk
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for path in files(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(path, target).unwrap();
    }
}

#[test]
fn the_invoice_of_the_demo_is_bundled_and_a_changed_byte_is_named() {
    let desk = Desk::empty();
    desk.ok(&["--quiet", "demo", "--dir", "demo"]);
    let ledger = |arguments: &[&str]| {
        let all = [&["--ledger", "demo/ledger"], arguments].concat();
        desk.ok(&all)
    };
    ledger(&["checkpoint", "--anchors", "anchors"]);
    let policy = ledger(&["keys", "show"]);
    let kept = std::fs::read_to_string(desk.path("demo/evidence/policy")).unwrap();
    assert_eq!(kept, policy);
    desk.file("policy", policy);
    std::fs::rename(
        desk.path("demo/evidence/invoice-2026-10"),
        desk.path("invoice"),
    )
    .unwrap();
    ledger(&["bundle", "invoice", "--period", "2026-09", "-o", "other"]);
    ledger(&["bundle", "period", "2026-09", "-o", "month"]);
    let verdict = desk.json(&[
        "bundle", "verify", "invoice", "--policy", "policy", "--json",
    ]);
    assert_eq!(verdict["proven"], true, "{verdict}");
    let verdict = desk.json(&["bundle", "verify", "month", "--policy", "policy", "--json"]);
    assert_eq!(verdict["proven"], true, "{verdict}");
    let dir = desk.path("invoice");
    for path in files(&dir) {
        let name = path.strip_prefix(&dir).unwrap().to_str().unwrap();
        let good = std::fs::read(&path).unwrap();
        let mut bad = good.clone();
        let middle = bad.len() / 2;
        bad[middle] ^= 4;
        std::fs::write(&path, bad).unwrap();
        let arguments = [
            "bundle", "verify", "invoice", "--policy", "policy", "--json",
        ];
        let output = desk.run(&arguments);
        assert_eq!(output.status.code(), Some(3), "{name}");
        let verdict: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let faults = verdict["faults"].as_array().unwrap();
        assert!(
            faults.iter().any(|fault| fault["file"] == name) || name == "MANIFEST",
            "{name}: {verdict}"
        );
        std::fs::write(&path, good).unwrap();
    }
    let anchored = [
        "--ledger",
        "demo/ledger",
        "verify",
        "--anchors",
        "anchors",
        "--json",
    ];
    let report = desk.json(&anchored);
    assert_eq!(report["verified"], true, "{report}");
    assert_eq!(report["anchored"], report["size"]);
}

#[test]
fn a_proof_is_checked_by_a_policy_alone() {
    let desk = signed();
    desk.ok(&["prove", "inclusion", "1", "-o", "one.tlog-proof"]);
    let kept = std::fs::read(desk.path("daybook.ledger/checkpoint")).unwrap();
    desk.file("kept", kept);
    let more = desk.file("2026-10-02/two.json", inventory("two"));
    desk.ok(&["import", "--tenant", super::program::TENANT, &more]);
    desk.ok(&["checkpoint"]);
    let grown = desk.json(&["prove", "consistency", "2", "-o", "grown", "--json"]);
    assert!(grown["new"].as_u64().unwrap() > 2);
    std::fs::rename(desk.path("daybook.ledger"), desk.path("gone")).unwrap();
    let check = [
        "prove",
        "check",
        "one.tlog-proof",
        "--policy",
        "policy",
        "--json",
    ];
    assert_eq!(desk.json(&check)["proven"], true);
    let text = std::fs::read_to_string(desk.path("one.tlog-proof")).unwrap();
    desk.file("one.tlog-proof", text.replace("index 1", "index 0"));
    assert_eq!(desk.run(&check).status.code(), Some(3));
    assert_eq!(desk.json(&check)["proven"], false);
}

#[test]
fn the_ledger_is_held_against_a_kept_checkpoint() {
    let desk = signed();
    let kept = std::fs::read_to_string(desk.path("daybook.ledger/checkpoint")).unwrap();
    let against = [
        "verify",
        "--against",
        "kept",
        "--policy",
        "policy",
        "--json",
    ];
    desk.file("kept", &kept);
    assert_eq!(desk.json(&against)["verified"], true);
    // a copy from before the import, whose own checkpoints are gone too
    let size = kept.lines().nth(1).unwrap().to_owned();
    let other = Desk::new();
    other.file("policy", std::fs::read(desk.path("policy")).unwrap());
    other.file("kept", kept);
    let report = other.json(&against);
    assert_eq!(report["verified"], false);
    assert_eq!(report["faults"][0]["class"], "SIZE", "{size}: {report}");
}

/// A witness's key, as its policy line has it: of type 0x04 (C2SP tlog-cosignature).
fn witness_key(name: &str) -> String {
    let point = ledger::note::SigningKey::new(name, &[5; 32]).unwrap();
    let text = point.verifier().to_string();
    let (_, encoded) = text.rsplit_once('+').unwrap_or_default();
    let mut key = STANDARD.decode(encoded).unwrap();
    key[0] = 4;
    let mut hasher = Sha256::new();
    hasher.update(format!("{name}\n"));
    hasher.update(&key);
    let digest: [u8; 32] = hasher.finalize().into();
    format!(
        "{name}+{}+{}",
        ledger::hash::hex(&digest[..4]),
        STANDARD.encode(key)
    )
}

#[test]
fn a_checkpoint_without_the_quorum_does_not_verify() {
    let desk = signed();
    let policy = std::fs::read_to_string(desk.path("policy")).unwrap();
    let log = policy.lines().next().unwrap();
    let witness = witness_key("witness.example/one");
    desk.file(
        "strict",
        format!("{log}\nwitness one {witness}\nquorum one\n"),
    );
    let report = desk.json(&["verify", "--policy", "strict", "--json"]);
    assert_eq!(report["verified"], false);
    assert_eq!(report["faults"][0]["class"], "COSIG", "{report}");
    assert_eq!(
        desk.json(&["verify", "--policy", "policy", "--json"])["verified"],
        true
    );
}

#[test]
fn a_restored_backup_is_refused_before_anything_is_written() {
    let desk = Desk::new();
    copy(&desk.path("daybook.ledger"), &desk.path("backup"));
    let export = desk.file("2026-10-01/one.json", inventory("one"));
    let import = ["import", "--tenant", super::program::TENANT, &export];
    desk.ok(&import);
    desk.ok(&["keys", "generate"]);
    desk.ok(&["checkpoint"]);
    std::fs::remove_dir_all(desk.path("daybook.ledger")).unwrap();
    copy(&desk.path("backup"), &desk.path("daybook.ledger"));
    let output = desk.run(&import);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("an older copy") && said.contains("hint:"),
        "{said}"
    );
    assert_eq!(
        desk.json(&["verify", "--json"])["size"],
        1,
        "nothing was appended"
    );
}

#[test]
fn a_key_is_replaced_with_both_signing_meanwhile() {
    let desk = signed();
    desk.ok(&["keys", "rotate"]);
    desk.ok(&["checkpoint"]);
    let old_policy = ["verify", "--policy", "policy", "--json"];
    assert_eq!(
        desk.json(&old_policy)["verified"],
        true,
        "the old key still signs"
    );
    desk.ok(&["keys", "retire"]);
    desk.ok(&["checkpoint"]);
    assert_eq!(desk.json(&["verify", "--json"])["verified"], true);
    let faults = desk.json(&old_policy)["faults"].clone();
    assert_eq!(
        faults[0]["class"], "SIG",
        "the old key signs no more: {faults}"
    );
}

#[test]
fn what_cannot_be_signed_or_proven_says_what_to_do() {
    let desk = Desk::new();
    for (arguments, wanted) in [
        (&["checkpoint"][..], "daybook keys generate"),
        (&["prove", "inclusion", "0"], "daybook checkpoint"),
        (&["keys", "retire"], "daybook keys generate"),
        (
            &["bundle", "period", "2026-10", "-o", "x"],
            "daybook checkpoint",
        ),
        (
            &["verify", "--anchors", "nowhere"],
            "daybook checkpoint --anchors",
        ),
    ] {
        let output = desk.run(arguments);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains(wanted), "{arguments:?}: {said}");
    }
    desk.ok(&["keys", "generate"]);
    desk.ok(&["checkpoint"]);
    let output = desk.run(&["prove", "inclusion", "99"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("came after the checkpoint"), "{said}");
}

#[test]
fn ledgers_stand_in_a_super_log_each_by_its_own_proof() {
    let desk = signed();
    let other = ["--ledger", "other.ledger"];
    desk.ok(&[&other[..], &["init", "--origin", "ledger.example/other"]].concat());
    desk.ok(&[&other[..], &["keys", "generate"]].concat());
    desk.ok(&[&other[..], &["checkpoint"]].concat());
    let made = desk.ok(&[
        "superlog",
        "create",
        "super",
        "--origin",
        "ledger.example/super",
    ]);
    let key = made.lines().find(|line| line.starts_with("log ")).unwrap();
    desk.file("super.policy", format!("{key}\nquorum none\n"));
    let add = [
        "superlog",
        "add",
        "super",
        "daybook.ledger",
        "other.ledger",
        "--json",
    ];
    let added = desk.json(&add);
    assert_eq!(added["size"], 2, "{added}");
    assert_eq!(desk.json(&add)["size"], 2, "the same again is no new leaf");
    let proof = added["added"][0]["proof"].as_str().unwrap();
    let check = |checkpoint: &str| {
        let rest = [
            "--checkpoint",
            checkpoint,
            "--policy",
            "super.policy",
            "--json",
        ];
        desk.run(&[&["superlog", "check", proof], &rest[..]].concat())
            .status
            .code()
    };
    assert_eq!(check("daybook.ledger/checkpoint"), Some(0));
    assert_eq!(check("other.ledger/checkpoint"), Some(3));
}
