//! A ledger kept on KurrentDB keeps every promise of one in a folder.

mod changed;
mod copies;
mod killed;
mod machines;
mod refused;

use std::process::{Command, Output};

use kurrentdb_fake::{Fake, Options};

use super::program::{Desk, STORE, TENANT, sign_in, small_tenant_on};

/// Promises that are about the files of a folder, and why a stream has no part in them. They are
/// named by the beginning of their path.
const OF_FOLDERS: [(&str, &str); 10] = [
    ("promises::demo", "the demo makes a folder"),
    ("promises::full", "fills a small disk with a folder"),
    ("promises::real_logs", "reads source files"),
    ("promises::streams", "this module"),
    ("promises::tidy", "reads the repository"),
    (
        "promises::tamper",
        "changes bytes of segments; `streams` changes them on the server",
    ),
    (
        "promises::room",
        "prunes segments, which a stream refuses: `a_stream_says_what_it_does_not_do`",
    ),
    (
        "promises::upkeep::a_doctor",
        "looks at a folder; `the_doctor_names` looks at a stream",
    ),
    (
        "promises::upkeep::a_restored_ledger_older",
        "restores, which a stream refuses",
    ),
    (
        "promises::evidence::a_restored_backup",
        "sets a folder back; a stream brings its replica up to date",
    ),
];

#[test]
fn the_promises_of_a_folder_hold_in_a_stream() {
    let mut tests = Command::new(std::env::current_exe().unwrap());
    tests.env(STORE, "kurrentdb").arg("promises::");
    for (of_folders, _why) in OF_FOLDERS {
        tests.args(["--skip", of_folders]);
    }
    let output = tests.output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    println!("{told}");
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn server() -> Fake {
    Fake::start(Options::default()).unwrap()
}

/// A ledger in a stream with one identity and three sign-ins.
fn small() -> Desk {
    small_tenant_on(Desk::with(server()), "payments-api")
}

/// Imports one more sign-in.
fn append(desk: &Desk, number: u32) -> Output {
    let at = format!("2026-11-02T10:{:02}:00Z", number % 60);
    let file = desk.file(&format!("more/{number}.jsonl"), sign_in(number, &at));
    desk.run(&["import", "--tenant", TENANT, &file])
}

/// It failed with one line of error and one of hint, which hold these words.
fn refused(output: &Output, error: &str, hint: &str) {
    let told = stderr(output);
    assert_ne!(output.status.code(), Some(0), "{told}");
    let lines: Vec<&str> = told
        .lines()
        .skip_while(|line| !line.starts_with("error: "))
        .collect();
    assert_eq!(lines.len(), 2, "{told}");
    assert!(lines[0].contains(error), "{told}");
    assert!(
        lines[1].starts_with("hint: ") && lines[1].contains(hint),
        "{told}"
    );
}
