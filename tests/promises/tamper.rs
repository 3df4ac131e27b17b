//! A changed byte is reported at its position, with exit code 3.

use super::program::{files, small_tenant};

#[test]
fn a_changed_byte_of_a_payload_is_reported_at_its_position() {
    let desk = small_tenant("payments-api");
    let segment = files(&desk.path("daybook.ledger"))
        .into_iter()
        .find(|path| path.extension().is_some_and(|extension| extension == "seg"))
        .unwrap();
    let clean = std::fs::read(&segment).unwrap();
    let needle = b"11111111-0000-4000-8000-000000000007";
    let at = clean
        .windows(needle.len())
        .position(|window| window == needle)
        .unwrap();
    let hit = desk.ok(&["--json", "log", "--type", "activity.", "--limit", "1000"]);
    let position = hit
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
        .find(|event| event["body"]["sign_in_id"] == "11111111-0000-4000-8000-000000000007")
        .unwrap()["position"]
        .clone();
    let mut dirty = clean.clone();
    dirty[at] ^= 1;
    std::fs::write(&segment, &dirty).unwrap();
    let output = desk.run(&["--json", "verify"]);
    assert_eq!(output.status.code(), Some(3));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let faults = report["faults"].as_array().unwrap();
    assert!(
        faults.iter().any(|fault| fault["position"] == position),
        "{report}"
    );
    std::fs::write(&segment, &clean).unwrap();
    desk.ok(&["verify"]);
}

#[test]
fn bytes_changed_anywhere_in_a_segment_make_verify_exit_with_3() {
    let desk = small_tenant("payments-api");
    let segment = files(&desk.path("daybook.ledger"))
        .into_iter()
        .find(|path| path.extension().is_some_and(|extension| extension == "seg"))
        .unwrap();
    let clean = std::fs::read(&segment).unwrap();
    for step in 0..24 {
        let mut dirty = clean.clone();
        let at = clean.len() / 24 * step + step;
        dirty[at] ^= 0x10;
        std::fs::write(&segment, &dirty).unwrap();
        assert_eq!(
            desk.run(&["verify"]).status.code(),
            Some(3),
            "byte {at} of {}",
            clean.len()
        );
    }
}
