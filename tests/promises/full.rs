//! A disk that is full stops an import with one line, and the same command goes on later.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::program::{Desk, TENANT, counts, inventory, sign_in};

/// A small volume of its own; gone when dropped.
struct Volume(PathBuf);

impl Volume {
    /// `None` where nothing can be mounted.
    fn of(at: &Path, options: &str) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        mount(at, options).then(|| Self(at.to_owned()))
    }
}

fn mount(at: &Path, options: &str) -> bool {
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", options, "none"])
        .arg(at)
        .output();
    mounted.is_ok_and(|output| output.status.success())
}

impl Drop for Volume {
    fn drop(&mut self) {
        drop(Command::new("umount").arg(&self.0).status());
    }
}

#[test]
fn an_import_that_fills_the_disk_says_what_was_kept_and_goes_on_when_there_is_room() {
    let desk = Desk::empty();
    let at = desk.path("small");
    let Some(volume) = Volume::of(&at, "size=3m") else {
        println!("skipped: nothing can be mounted here");
        return;
    };
    let ledger = at.join("daybook.ledger");
    let ledger = ledger.to_str().unwrap();
    desk.ok(&["--ledger", ledger, "init"]);
    let lines: Vec<String> = (1..=20_000)
        .map(|number| sign_in(number, "2026-10-02T10:00:00Z"))
        .collect();
    desk.file(
        "exports/2026-10-01/servicePrincipals.json",
        inventory("payments-api"),
    );
    desk.file("exports/2026-10-01/signins.jsonl", lines.join("\n"));
    let import = [
        "--json", "--ledger", ledger, "import", "--tenant", TENANT, "exports",
    ];
    let full = desk.run(&import);
    let told = String::from_utf8_lossy(&full.stderr).into_owned();
    assert_eq!(full.status.code(), Some(1), "{told}");
    assert!(
        told.contains("No space left") && told.contains("the same command"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 2, "{told}");
    let verify = ["--json", "--ledger", ledger, "verify"];
    let kept = desk.json(&verify)["size"].as_u64().unwrap();
    let in_words = format!("the ledger has {}", thousands(kept));
    assert!(told.contains(&in_words), "{told}: {in_words}");
    assert!(mount(&at, "remount,size=200m"));
    let imported = desk.json(&import);
    let [records, _, duplicates, ..] = counts(&imported);
    assert_eq!(records, 20_001);
    assert!(duplicates + 10 >= kept, "{imported}");
    let verified = desk.json(&verify);
    assert_eq!(
        verified["faults"].as_array().map(Vec::len),
        Some(0),
        "{verified}"
    );
    drop(volume);
}

fn thousands(number: u64) -> String {
    let text = number.to_string();
    match text.len() {
        0..=3 => text,
        length => format!("{},{}", &text[..length - 3], &text[length - 3..]),
    }
}
