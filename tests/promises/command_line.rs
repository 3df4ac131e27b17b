//! Exit codes, hints and help.

use super::program::{Desk, small_tenant};

#[test]
fn without_a_ledger_every_command_says_how_to_make_one() {
    let desk = Desk::empty();
    for arguments in [
        &["import", "x.json"][..],
        &["log"],
        &["verify"],
        &["identities"],
        &["identity", "x"],
        &["usage", "--period", "2026-10"],
        &["bill", "run", "--period", "2026-10"],
        &["report", "health"],
    ] {
        let output = desk.run(arguments);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.starts_with("error: no ledger at"),
            "{arguments:?}: {said}"
        );
        assert!(
            said.lines()
                .nth(1)
                .unwrap()
                .starts_with("hint: create one with"),
            "{said}"
        );
        assert_eq!(said.lines().count(), 2, "{said}");
    }
}

#[test]
fn a_second_init_is_refused_and_changes_nothing() {
    let desk = Desk::new();
    let output = desk.run(&["init"]);
    assert_eq!(output.status.code(), Some(1));
    desk.ok(&["verify"]);
}

#[test]
fn wrong_usage_exits_with_2() {
    let desk = Desk::empty();
    assert_eq!(
        desk.run(&["usage", "--period", "2026-13"]).status.code(),
        Some(2)
    );
    assert_eq!(desk.run(&["nonsense"]).status.code(), Some(2));
    assert_eq!(desk.run(&["--help"]).status.code(), Some(0));
}

#[test]
fn findings_at_or_above_the_gate_exit_with_4() {
    let desk = small_tenant("payments-api");
    let output = desk.run(&["report", "health", "--fail-on", "low"]);
    assert_eq!(
        output.status.code(),
        Some(4),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        desk.run(&["report", "health", "--coverage-min", "100"])
            .status
            .code(),
        Some(5)
    );
}

#[test]
fn checks_are_listed_with_their_ids() {
    let desk = Desk::empty();
    let checks = desk.json(&["--json", "checks", "list"]);
    let checks = checks.as_array().unwrap();
    assert!(checks.len() >= 24, "{}", checks.len());
    assert!(
        checks
            .iter()
            .all(|check| check["id"].as_str().is_some_and(|id| id.contains('-')))
    );
}

#[test]
fn a_price_book_with_an_unknown_key_is_refused_by_name() {
    let desk = small_tenant("payments-api");
    let text = format!("{}\nsurprise = 1\n", desk.ok(&["bill", "prices"]));
    let file = desk.file("prices.toml", text);
    let output = desk.run(&["bill", "run", "--period", "2026-10", "--prices", &file]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("surprise"));
}

#[test]
fn the_log_filters_by_identity_type_and_position() {
    let desk = small_tenant("payments-api");
    let some = desk.ok(&[
        "log",
        "--json",
        "--identity",
        "payments-api",
        "--type",
        "activity.",
        "--limit",
        "5",
    ]);
    assert_eq!(some.lines().count(), 5);
    let one = desk.ok(&["log", "--json", "--position", "0"]);
    assert!(one.contains("ledger.created"));
    assert_eq!(
        desk.run(&["log", "--position", "100000"]).status.code(),
        Some(1)
    );
}

#[test]
fn a_bill_explains_itself() {
    let desk = small_tenant("payments-api");
    let said = desk.ok(&["bill", "explain", "payments-api", "--period", "2026-10"]);
    assert!(
        said.contains("3.00 USD") && said.contains("position"),
        "{said}"
    );
}

#[test]
fn what_goes_into_a_pipe_has_no_escapes() {
    let desk = small_tenant("payments-api");
    for arguments in [
        &["checks", "list"][..],
        &["identities"],
        &["identity", "payments-api"],
        &["identity", "nobody"],
        &["log"],
        &["report", "health"],
        &["verify"],
    ] {
        let output = desk.run(arguments);
        let said = [output.stdout, output.stderr].concat();
        assert!(!said.contains(&0x1b), "{arguments:?}");
        assert!(!said.is_empty(), "{arguments:?}");
    }
}
