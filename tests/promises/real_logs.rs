//! Every real log at hand imports with counts that add up, and a second time adds nothing.

use std::path::PathBuf;

use super::program::{Desk, counts, files};

#[test]
fn every_real_log_imports_with_counts_that_add_up_and_a_second_time_adds_no_event() {
    let data = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data"));
    if !data.exists() {
        println!("../shared/data is absent: real logs are not tested here");
        return;
    }
    let logs: Vec<PathBuf> = files(&data)
        .into_iter()
        .filter(|path| {
            let name = path.to_string_lossy();
            [".json", ".jsonl", ".ndjson", ".log"]
                .iter()
                .any(|end| name.ends_with(end))
        })
        .collect();
    assert!(logs.len() > 50, "{}", logs.len());
    let desk = Desk::new();
    let mut arguments = vec!["--json", "import", "--observed-at", "2026-11-01T00:00:00Z"];
    arguments.extend(logs.iter().map(|path| path.to_str().unwrap()));
    let first = counts(&desk.json(&arguments));
    assert!(first[1] > 0, "{first:?}");
    let second = counts(&desk.json(&arguments));
    assert_eq!(first[0], second[0]);
    assert_eq!(second[5], 0, "events of the second import: {second:?}");
    desk.ok(&["verify"]);
}
