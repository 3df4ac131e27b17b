//! `backup`, `restore` and `doctor`, and what writing commands say where nothing can be written.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use super::program::{Desk, TENANT, files, sign_in, small_tenant};

fn size(desk: &Desk, ledger: &str) -> u64 {
    let verified = desk.json(&["--json", "--ledger", ledger, "verify"]);
    assert_eq!(
        verified["faults"].as_array().map(Vec::len),
        Some(0),
        "{verified}"
    );
    verified["size"].as_u64().unwrap()
}

fn append(desk: &Desk, ledger: &str, number: u32) -> Output {
    let file = desk.file(
        &format!("more/{number}.jsonl"),
        sign_in(number, "2026-11-02T10:00:00Z"),
    );
    desk.run(&["--ledger", ledger, "import", "--tenant", TENANT, &file])
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_ledger_is_backed_up_restored_elsewhere_and_goes_on() {
    let desk = small_tenant("payments-api");
    let known = size(&desk, &desk.ledger());
    let shown = desk.ok(&["backup", "b"]);
    assert!(
        shown.contains("are the ledger's") && shown.contains(&known.to_string()),
        "{shown}"
    );
    let archive = desk.json(&["--json", "backup", "b.tar"]);
    assert_eq!(archive["size"].as_u64(), Some(known));
    assert!(append(&desk, &desk.ledger(), 300).status.success());
    let more = desk.json(&["--json", "backup", "b"]);
    assert!(more["size"].as_u64() > Some(known));
    let refused = desk.run(&["backup", "b.tar"]);
    assert!(
        stderr(&refused).contains("not overwritten"),
        "{}",
        stderr(&refused)
    );
    for (from, to) in [("b", "one.ledger"), ("b.tar", "two.ledger")] {
        let restored = desk.json(&["--json", "--ledger", to, "restore", from]);
        assert_eq!(restored["refused"], Value::Null);
        assert_eq!(restored["keys_exist"], false, "{restored}");
        let before = size(&desk, to);
        assert_eq!(restored["size"].as_u64(), Some(before));
        // private payloads were sealed under the keys of the first
        let keys = desk.path("daybook.ledger.keys");
        let file = desk.file("more/400.jsonl", sign_in(400, "2026-11-03T10:00:00Z"));
        let keys = keys.to_str().unwrap();
        desk.ok(&[
            "--ledger", to, "--keys", keys, "import", "--tenant", TENANT, &file,
        ]);
        assert!(size(&desk, to) > before);
    }
    let again = desk.run(&["--ledger", "one.ledger", "restore", "b"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(
        stderr(&again).contains("is there already"),
        "{}",
        stderr(&again)
    );
}

#[test]
fn a_restored_ledger_older_than_what_was_signed_says_that_it_cannot_go_on() {
    let desk = small_tenant("payments-api");
    desk.ok(&["backup", "b"]);
    assert!(append(&desk, &desk.ledger(), 300).status.success());
    desk.ok(&["keys", "generate"]);
    desk.ok(&["checkpoint"]);
    std::fs::rename(desk.path("daybook.ledger"), desk.path("lost")).unwrap();
    let shown = desk.ok(&["restore", "b"]);
    assert!(
        shown.contains("Nothing can be appended") && shown.contains("older copy"),
        "{shown}"
    );
    let refused = append(&desk, &desk.ledger(), 301);
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        stderr(&refused).contains("older copy"),
        "{}",
        stderr(&refused)
    );
    let doctor = desk.run(&["doctor"]);
    assert_eq!(doctor.status.code(), Some(1));
    let told = String::from_utf8_lossy(&doctor.stdout).into_owned();
    assert!(
        told.contains("older copy") && told.contains("docs/operations.md"),
        "{told}"
    );
}

/// Subject and level of what a doctor finds not to be in order.
fn wrong(desk: &Desk, more: &[&str]) -> Vec<(String, String)> {
    let told = desk.json(&[&["--json", "doctor"], more].concat());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found = told["findings"].as_array().unwrap();
    let found = found.iter().filter(|finding| finding["level"] != "ok");
    found
        .map(|finding| (text(&finding["subject"]), text(&finding["level"])))
        .filter(|(subject, _)| subject != "free space")
        .collect()
}

fn pair(subject: &str, level: &str) -> (String, String) {
    (subject.to_owned(), level.to_owned())
}

#[test]
fn a_doctor_says_what_is_to_be_done_and_touches_nothing() {
    let desk = small_tenant("payments-api");
    desk.ok(&["keys", "generate"]);
    desk.ok(&["checkpoint"]);
    desk.ok(&["backup", "b"]);
    let stamps = || -> Vec<_> {
        let folder = desk.path("daybook.ledger");
        let changed = |path: &Path| std::fs::metadata(path).unwrap().modified().unwrap();
        files(&folder)
            .into_iter()
            .map(|path| (changed(&path), path))
            .collect()
    };
    let before = stamps();
    assert_eq!(wrong(&desk, &["--backup", "b"]), vec![]);
    let shown = desk.run(&["doctor"]);
    assert_eq!(shown.status.code(), Some(0));
    assert_eq!(stamps(), before);
    std::fs::write(desk.path("daybook.ledger/x.torn"), "x").unwrap();
    assert_eq!(wrong(&desk, &[]), vec![pair("torn files", "note")]);
    assert_eq!(
        wrong(&desk, &["--backup", "c"]).last(),
        Some(&pair("backup", "problem"))
    );
    let nowhere = desk.run(&["--ledger", "nowhere", "doctor"]);
    assert_eq!(nowhere.status.code(), Some(1));
    let told = String::from_utf8_lossy(&nowhere.stdout).into_owned();
    assert!(
        told.contains("holds no ledger") && told.contains("init"),
        "{told}"
    );
}

#[cfg(unix)]
#[test]
fn a_doctor_finds_keys_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt as _;

    let desk = small_tenant("payments-api");
    desk.ok(&["keys", "generate"]);
    desk.ok(&["checkpoint"]);
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(desk.path("daybook.ledger.keys/log.key"), open.clone()).unwrap();
    std::fs::set_permissions(desk.path("daybook.ledger/blind.key"), open).unwrap();
    let expected = vec![pair("blinding key", "problem"), pair("keys", "problem")];
    assert_eq!(wrong(&desk, &[]), expected);
}

/// Runs the binary as a user who owns nothing; `None` where that cannot be done.
#[cfg(unix)]
fn as_nobody(desk: &Desk, arguments: &[&str]) -> Option<Output> {
    let binary = desk.path("daybook");
    if !binary.exists() {
        std::fs::copy(env!("CARGO_BIN_EXE_daybook"), &binary).unwrap();
    }
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(&binary)
        .args(arguments)
        .current_dir(desk.path(""))
        .env_remove("DAYBOOK_LEDGER")
        .env_remove("DAYBOOK_KEYS")
        .output()
        .ok()?;
    let told = stderr(&output);
    (!told.contains("setpriv:")).then_some(output)
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_to_is_read_and_a_writer_is_told_which_path_it_was() {
    use std::os::unix::fs::PermissionsExt as _;

    let desk = small_tenant("payments-api");
    desk.ok(&["keys", "generate"]);
    desk.ok(&["checkpoint"]);
    let file = desk.file("more/1.jsonl", sign_in(300, "2026-11-02T10:00:00Z"));
    for path in files(&desk.path("")).iter().chain([&desk.path("")]) {
        for folder in path
            .ancestors()
            .take_while(|folder| folder.starts_with(desk.path("")))
        {
            let mode = if folder.is_dir() { 0o755 } else { 0o644 };
            std::fs::set_permissions(folder, std::fs::Permissions::from_mode(mode)).unwrap();
        }
    }
    let before = files(&desk.path("daybook.ledger"));
    for reading in [
        &["identities"][..],
        &["log"],
        &["verify", "--keys", "none"],
        &["usage", "--period", "2026-10"],
        &["report", "health"],
    ] {
        let Some(output) = as_nobody(&desk, reading) else {
            println!("skipped: no `setpriv` to become another user with");
            return;
        };
        assert!(output.status.success(), "{reading:?}: {}", stderr(&output));
    }
    let told = as_nobody(&desk, &["--keys", "none", "doctor"]).unwrap();
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(told.contains("may not write"), "{told}");
    for writing in [&["import", "--tenant", TENANT, &file][..], &["pack"]] {
        let output = as_nobody(&desk, writing).unwrap();
        let told = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("LOCK") && told.contains("hint: "), "{told}");
        assert_eq!(told.lines().count(), 2, "{told}");
    }
    assert_eq!(files(&desk.path("daybook.ledger")), before);
}
