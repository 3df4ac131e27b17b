//! Everything right of the ledger can be deleted and comes back byte for byte.

use super::program::{Desk, small_tenant};

#[test]
fn the_same_run_again_has_the_same_id_and_appends_nothing() {
    let desk = small_tenant("payments-api");
    let first = desk.json(&["--json", "bill", "run", "--period", "2026-10"]);
    let size = desk.json(&["--json", "verify"])["size"].clone();
    let second = desk.json(&["--json", "bill", "run", "--period", "2026-10"]);
    assert_eq!(first, second);
    assert_eq!(desk.json(&["--json", "verify"])["size"], size);
    assert_eq!(first["totals"]["amount"], "3.00");
}

#[test]
fn bills_and_reports_are_byte_identical_without_the_derived_files() {
    let desk = small_tenant("payments-api");
    let answers = || {
        let bill = desk
            .run(&["--json", "bill", "show", "--period", "2026-10"])
            .stdout;
        let report = desk
            .run(&["report", "health", "--json", "--html", "health.html"])
            .stdout;
        let page = std::fs::read(desk.path("health.html")).unwrap();
        let usage = desk
            .run(&["usage", "--period", "2026-10", "--format", "csv"])
            .stdout;
        (bill, report, page, usage)
    };
    let before = answers();
    let derived = desk.path("daybook.ledger/derived");
    if derived.exists() {
        std::fs::remove_dir_all(&derived).unwrap();
    }
    let after = answers();
    assert!(
        before == after,
        "an answer changed when derived files were deleted"
    );
    assert!(!before.0.is_empty() && !before.1.is_empty() && !before.3.is_empty());
}

#[test]
fn usage_as_of_a_day_counts_what_had_happened_by_then() {
    let desk = small_tenant("payments-api");
    let sign_ins = |as_of: &str| -> u64 {
        let period = ["--json", "usage", "--period", "2026-10"];
        let rows = desk.json(&[period.as_slice(), &["--as-of", as_of]].concat());
        let rows = rows.as_array().unwrap().clone();
        rows.iter()
            .map(|row| row["sign_ins_ok"].as_u64().unwrap())
            .sum()
    };
    // forty sign-ins at 10:00: one on every day from 1 to 28, a second one from 2 to 13
    assert_eq!(sign_ins("2026-10-15T00:00:00Z"), 14 + 12);
    assert_eq!(sign_ins("2026-10-14T09:59:59Z"), 13 + 12);
    assert_eq!(sign_ins("2026-11-30"), 40);
}

#[test]
fn an_identity_as_of_a_day_shows_no_later_sign_in() {
    let desk = small_tenant("payments-api");
    let sign_ins = |as_of: &str| {
        let card = desk.json(&["--json", "identity", "payments-api", "--as-of", as_of]);
        let told = &card["sign_ins"];
        (told["ok"].clone(), told["last"].clone())
    };
    let (ok, last) = sign_ins("2026-10-15T00:00:00Z");
    assert_eq!(ok, 14 + 12);
    assert_eq!(last, "2026-10-14T10:00:00Z");
    assert_eq!(sign_ins("2026-11-30").0, 41);
}

/// Files under `derived/` of a ledger that is large enough to have them, by kind.
fn derived_files(desk: &Desk) -> Vec<(String, std::path::PathBuf)> {
    let Ok(entries) = std::fs::read_dir(desk.path("demo/ledger/derived")) else {
        return Vec::new();
    };
    let mut files: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap();
            (name.split('-').next().unwrap().to_owned(), path.clone())
        })
        .collect();
    files.sort();
    files
}

#[test]
fn a_large_ledger_answers_alike_with_derived_files_without_them_and_with_damaged_ones() {
    let desk = Desk::empty();
    desk.ok(&[
        "--quiet",
        "demo",
        "--dir",
        "demo",
        "--identities",
        "2100",
        "--months",
        "2",
    ]);
    let answers = || {
        let ask = |arguments: &[&str]| {
            let mut all = vec!["--ledger", "demo/ledger"];
            all.extend(arguments);
            desk.run(&all).stdout
        };
        [
            ask(&["--json", "bill", "show", "--period", "2026-09"]),
            ask(&["--json", "bill", "show", "--period", "2026-10"]),
            ask(&["usage", "--period", "2026-10", "--format", "csv"]),
            ask(&["report", "health", "--json"]),
        ]
    };
    let kinds = || -> Vec<String> {
        let files = derived_files(&desk).into_iter();
        files.map(|(kind, _)| kind).collect()
    };
    assert_eq!(kinds(), ["gathered", "licensing"], "the demo left none");
    let kept = answers();
    assert!(kept.iter().all(|answer| answer.len() > 10_000));

    std::fs::remove_dir_all(desk.path("demo/ledger/derived")).unwrap();
    assert!(answers() == kept, "an answer changed without derived files");
    assert_eq!(kinds(), ["gathered", "licensing"], "none were made again");

    for (_, path) in derived_files(&desk) {
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, bytes).unwrap();
    }
    assert!(answers() == kept, "a damaged derived file was believed");
}

#[test]
fn every_charge_line_cites_positions_and_the_lines_sum_to_the_total() {
    let desk = small_tenant("payments-api");
    let run = desk.json(&["--json", "bill", "run", "--period", "2026-10"]);
    let cents = |text: &serde_json::Value| -> i64 {
        text.as_str().unwrap().replace('.', "").parse().unwrap()
    };
    let lines = run["lines"].as_array().unwrap();
    assert!(!lines.is_empty());
    assert_eq!(
        lines.iter().map(|line| cents(&line["amount"])).sum::<i64>(),
        cents(&run["totals"]["amount"])
    );
    for line in lines {
        assert!(!line["evidence"].as_array().unwrap().is_empty(), "{line}");
    }
}
