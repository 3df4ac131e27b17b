//! What a tenant writes in a display name is shown harmlessly everywhere.

use super::program::small_tenant;

/// HTML, a terminal escape, a direction mark, a spreadsheet formula.
const NAME: &str = "=HYPERLINK(\"http://x\")<script>alert(1)</script>\u{1b}[2J\u{202e}cod";

#[test]
fn a_hostile_name_is_harmless_on_the_terminal_in_csv_and_in_html() {
    let desk = small_tenant(NAME);
    for arguments in [
        &["identities"][..],
        &["identity", NAME],
        &["usage", "--period", "2026-10"],
        &["bill", "run", "--period", "2026-10"],
        &["bill", "explain", NAME, "--period", "2026-10"],
        &["report", "health"],
        &["log"],
    ] {
        let output = desk.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        for stream in [output.stdout, output.stderr] {
            let text = String::from_utf8(stream).unwrap();
            assert!(
                !text.contains(['\u{1b}', '\u{202e}']),
                "{arguments:?}: {text:?}"
            );
        }
    }
    let csv = desk.ok(&["usage", "--period", "2026-10", "--format", "csv"]);
    assert!(
        !csv.lines().any(|line| line
            .split(',')
            .any(|cell| cell.trim_matches('"').starts_with('='))),
        "{csv}"
    );
    desk.ok(&["report", "health", "--html", "health.html"]);
    let page = std::fs::read_to_string(desk.path("health.html")).unwrap();
    assert!(
        !page.contains("<script"),
        "a script element reached the page"
    );
    assert!(!page.contains(['\u{1b}', '\u{202e}']));
    assert!(page.contains("HYPERLINK"), "the name itself is still shown");
}
