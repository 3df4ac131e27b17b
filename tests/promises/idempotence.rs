//! Importing anything twice, or in another order, adds nothing.

use super::program::{Desk, TENANT, counts, inventory, policy, sign_in, small_tenant};

#[test]
fn importing_everything_twice_adds_no_event() {
    let desk = small_tenant("payments-api");
    let again = counts(&desk.json(&["--json", "import", "--tenant", TENANT, "exports"]));
    assert_eq!(again[5], 0, "events of the second import: {again:?}");
    assert_eq!(again[1], 0, "imported of the second import: {again:?}");
    desk.ok(&["verify"]);
}

#[test]
fn the_same_record_in_another_wrapper_is_a_duplicate() {
    let desk = Desk::new();
    let one = desk.file("one.jsonl", sign_in(1, "2026-10-01T10:00:00Z"));
    let wrapped = format!("{{\"records\":[{}]}}", sign_in(1, "2026-10-01T10:00:00Z"));
    let two = desk.file("two.json", wrapped);
    let first = counts(&desk.json(&["--json", "import", &one]));
    let second = counts(&desk.json(&["--json", "import", &two]));
    assert_eq!((first[1], second[1], second[2]), (1, 0, 1));
}

#[test]
fn a_second_snapshot_yields_only_what_changed() {
    let desk = Desk::new();
    let october = desk.file("2026-10-01/sp.json", inventory("payments-api"));
    let november = desk.file("2026-11-01/sp.json", inventory("payments-api-2"));
    desk.ok(&["import", "--tenant", TENANT, &october]);
    desk.ok(&["import", "--tenant", TENANT, &november]);
    let log = desk.ok(&["--json", "log", "--type", "identity."]);
    let types: Vec<String> = log
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["type"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(types, ["identity.registered", "identity.updated"]);
    let old = desk.json(&[
        "--json",
        "identity",
        "payments-api-2",
        "--as-of",
        "2026-11-02",
    ]);
    assert_eq!(old["name"], "payments-api-2");
    let before = desk.json(&["--json", "identities", "--as-of", "2026-10-15"]);
    assert_eq!(before["identities"][0]["name"], "payments-api");
}

#[test]
fn the_order_of_files_does_not_change_the_bill() {
    let bill = |names: &[&str]| {
        let desk = Desk::new();
        desk.file("2026-10-01/sp.json", inventory("payments-api"));
        desk.file("2026-10-01/policy.json", policy());
        desk.file("signins.jsonl", sign_in(1, "2026-11-02T10:00:00Z"));
        for name in names {
            desk.ok(&["import", "--tenant", TENANT, name]);
        }
        let run = desk.json(&["--json", "bill", "run", "--period", "2026-10"]);
        (run["totals"].clone(), run["lines"][0]["amount"].clone())
    };
    let one = bill(&[
        "2026-10-01/sp.json",
        "2026-10-01/policy.json",
        "signins.jsonl",
    ]);
    let two = bill(&[
        "signins.jsonl",
        "2026-10-01/policy.json",
        "2026-10-01/sp.json",
    ]);
    assert_eq!(one, two);
}
