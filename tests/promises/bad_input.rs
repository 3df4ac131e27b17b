//! Bad input: the rest is imported, the bad part is named, nothing is lost, the exit code says so.

use super::program::{Desk, counts, sign_in};

#[test]
fn one_bad_line_among_good_ones_is_named_with_file_line_and_reason() {
    let desk = Desk::new();
    let good = |number| sign_in(number, "2026-10-01T10:00:00Z");
    let text = format!("{}\n{{\"cut\": \n{}\n", good(1), good(2));
    let file = desk.file("mixed.jsonl", text);
    let output = desk.run(&["--json", "import", &file]);
    assert_eq!(output.status.code(), Some(1));
    let total = counts(&serde_json::from_slice(&output.stdout).unwrap());
    assert_eq!(total[1], 2, "{total:?}");
    assert!(total[4] >= 1, "{total:?}");
    let rejections = std::fs::read_to_string(desk.path("rejections.jsonl")).unwrap();
    let first: serde_json::Value =
        serde_json::from_str(rejections.lines().next().unwrap()).unwrap();
    assert_eq!(first["line"], 2);
    assert!(first["file"].as_str().unwrap().ends_with("mixed.jsonl"));
    assert!(!first["reason"].as_str().unwrap().is_empty());
    desk.ok(&["verify"]);
}

#[test]
fn a_missing_file_among_many_does_not_stop_the_others() {
    let desk = Desk::new();
    let one = desk.file("one.jsonl", sign_in(1, "2026-10-01T10:00:00Z"));
    let two = desk.file("two.jsonl", sign_in(2, "2026-10-01T10:00:00Z"));
    let output = desk.run(&["--json", "import", &one, "absent.jsonl", &two]);
    assert_eq!(output.status.code(), Some(1));
    let imported: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(counts(&imported)[1], 2);
    assert!(imported["files"][1]["error"].is_string());
}

#[test]
fn files_that_are_not_json_are_rejected_and_leave_no_fact() {
    let desk = Desk::new();
    let bad: [(&str, &[u8]); 5] = [
        ("csv.csv", b"a,b\n1,2\n"),
        ("binary.bin", &[0xff, 0xfe, 0x00, 0xd8, 0x00, 0x01]),
        ("latin1.json", b"{\"displayName\":\"caf\xe9\"}"),
        ("cut.json", b"{\"value\":[{\"id\":\"1\""),
        ("other.json", b"{\"hello\":\"world\"}"),
    ];
    for (name, bytes) in bad {
        let file = desk.file(name, bytes);
        let output = desk.run(&["--json", "import", &file]);
        assert_eq!(output.status.code(), Some(1), "{name}");
        let total = counts(&serde_json::from_slice(&output.stdout).unwrap());
        assert!(total[4] >= 1 && total[1] == 0, "{name}: {total:?}");
    }
    desk.ok(&["verify"]);
}

#[test]
fn a_malformed_date_and_a_reused_id_with_another_body_are_told() {
    let desk = Desk::new();
    let good = sign_in(1, "2026-10-01T10:00:00Z");
    let dated = sign_in(2, "2026-13-45T10:00:00Z");
    let other = good.replace("203.0.113.7", "198.51.100.9");
    let file = desk.file("signins.jsonl", format!("{good}\n{dated}\n{other}\n"));
    let total = counts(&desk.json(&["--json", "import", &file]));
    assert_eq!(total[4], 1, "{total:?}");
    let log = desk.ok(&["--json", "log", "--type", "ledger.conflicted"]);
    assert_eq!(log.lines().count(), 1, "{log}");
}

#[test]
fn a_gzip_file_standard_input_and_an_endless_line_are_read() {
    use std::io::Write as _;
    let desk = Desk::new();
    let packed = Vec::new();
    let mut encoder = flate2::write::GzEncoder::new(packed, flate2::Compression::fast());
    encoder
        .write_all(sign_in(1, "2026-10-01T10:00:00Z").as_bytes())
        .unwrap();
    let file = desk.file("one.jsonl.gz", encoder.finish().unwrap());
    assert_eq!(counts(&desk.json(&["--json", "import", &file]))[1], 1);
    let long = format!(
        "{{\"id\":\"{}\"}}\n{}\n",
        "x".repeat(100 << 20),
        sign_in(2, "2026-10-01T10:00:00Z")
    );
    let file = desk.file("long.jsonl", long);
    let total = counts(&desk.json(&["--json", "import", &file]));
    assert_eq!((total[1], total[4]), (1, 1), "{total:?}");
}
