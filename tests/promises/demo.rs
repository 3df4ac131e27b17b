//! The demo: the whole of Daybook at work, the same bytes for the same seed.

use super::program::{Desk, files};

const SMALL: [&str; 6] = ["--identities", "30", "--months", "3", "--seed", "5"];

#[test]
fn the_same_seed_gives_the_same_bytes_in_every_file() {
    let one = Desk::empty();
    let two = Desk::empty();
    one.ok(&[&["demo", "--dir", "d"][..], &SMALL].concat());
    two.ok(&[&["demo", "--dir", "d"][..], &SMALL].concat());
    let (first, second) = (files(&one.path("d")), files(&two.path("d")));
    assert_eq!(first.len(), second.len());
    assert!(first.len() > 10);
    for (left, right) in first.iter().zip(&second) {
        let same = std::fs::read(left).unwrap() == std::fs::read(right).unwrap();
        assert!(same, "{} differs", left.display());
    }
}

#[test]
fn the_demo_rejects_nothing_verifies_and_adds_nothing_when_imported_again() {
    let desk = Desk::empty();
    desk.ok(&[&["demo", "--dir", "d"][..], &SMALL].concat());
    desk.ok(&["--ledger", "d/ledger", "verify"]);
    let conflicts = desk.ok(&[
        "--ledger",
        "d/ledger",
        "--json",
        "log",
        "--type",
        "ledger.conflicted",
    ]);
    assert_eq!(conflicts, "");
    let imported = desk.json(&["--ledger", "d/ledger", "--json", "import", "d/sources"]);
    assert_eq!(imported["total"]["rejections"], 0);
    assert_eq!(imported["total"]["events"], 0, "{}", imported["total"]);
    for name in ["bills", "reports"] {
        assert!(!files(&desk.path("d").join(name)).is_empty(), "{name}");
    }
}

#[test]
fn a_folder_with_other_things_in_it_is_left_alone() {
    let desk = Desk::empty();
    desk.file("d/thesis.txt", "years of work");
    let output = desk.run(&["demo", "--dir", "d"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(files(&desk.path("d")).len(), 1);
}
