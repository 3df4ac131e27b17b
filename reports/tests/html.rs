//! The health page: complete, safe, bounded and the same every time.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "html/samples.rs"]
mod samples;

use std::collections::BTreeSet;

use reports::health::HealthReport;
use reports::html::render;

fn page(report: &HealthReport) -> String {
    render(report).unwrap()
}

/// Every value of an attribute, in order.
fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    page.split(&start)
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap())
        .collect()
}

fn every_sample() -> Vec<HealthReport> {
    vec![
        samples::empty(),
        samples::blind(),
        samples::small(),
        samples::rich(),
        samples::hostile(),
        samples::large(),
    ]
}

#[test]
fn the_small_report_renders_as_the_golden_page() {
    let settings = {
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path("golden");
        settings.set_prepend_module_to_snapshot(false);
        settings
    };
    settings.bind(|| {
        insta::assert_binary_snapshot!("health.html", page(&samples::small()).into_bytes());
    });
}

#[test]
fn equal_reports_give_equal_bytes() {
    assert_eq!(page(&samples::rich()), page(&samples::rich()));
}

#[test]
fn a_report_read_from_json_renders_the_same() {
    let report = samples::rich();
    let text = serde_json::to_string(&report).unwrap();
    let read: HealthReport = serde_json::from_str(&text).unwrap();
    assert_eq!(page(&read), page(&report));
}

#[test]
fn every_link_within_the_page_leads_somewhere() {
    for report in every_sample() {
        let page = page(&report);
        let places: Vec<&str> = attributes(&page, "id");
        let distinct: BTreeSet<&str> = places.iter().copied().collect();
        assert_eq!(places.len(), distinct.len(), "a place is named twice");
        for link in attributes(&page, "href") {
            match link.strip_prefix('#') {
                Some(place) => assert!(distinct.contains(place), "no place `{place}`"),
                None => assert!(link.starts_with("data:"), "`{link}` leads outside"),
            }
        }
        for label in attributes(&page, "aria-labelledby") {
            assert!(distinct.contains(label), "no label `{label}`");
        }
    }
}

#[test]
fn the_page_asks_nothing_of_the_network_and_runs_nothing() {
    for report in every_sample() {
        let page = page(&report);
        assert!(page.contains("default-src 'none'; style-src 'unsafe-inline'; img-src data:"));
        for forbidden in [
            "<script",
            "<img",
            "<link rel=\"stylesheet",
            "<iframe",
            "url(",
            "@import",
        ] {
            assert!(!page.contains(forbidden), "the page contains `{forbidden}`");
        }
        assert!(attributes(&page, "src").is_empty());
    }
}

#[test]
fn hostile_text_stays_text() {
    let page = page(&samples::hostile());
    let handlers = |tag: &str| tag.contains(" onerror=") || tag.contains(" onmouseover=");
    let tags = page
        .split('<')
        .skip(1)
        .filter_map(|rest| rest.split('>').next());
    assert_eq!(tags.filter(|tag| handlers(tag)).count(), 0);
    assert_eq!(page.matches("</style>").count(), 1);
    for shown in [
        "&#60;script&#62;",
        "‹U+202E›gpj.exe",
        "‹U+001B›[2J",
        "zero‹U+200B›width‹U+FEFF›‹U+2066›‹U+E0041›",
        "{{ view.strip.id }}",
    ] {
        assert!(page.contains(shown), "`{shown}` is not shown");
    }
    let raw = |character: char| {
        (character.is_control() && character != '\n')
            || matches!(character, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}' | '\u{FEFF}' | '\u{E0041}')
    };
    assert_eq!(page.chars().find(|&character| raw(character)), None);
}

#[test]
fn a_long_name_is_cut_in_the_table_and_whole_in_the_details() {
    let page = page(&samples::hostile());
    let whole = "very long name ".repeat(40);
    let (_, table) = page.split_once("id=\"identities\"").unwrap();
    let (table, _) = table.split_once("id=\"checks\"").unwrap();
    let (_, details) = page.split_once("id=\"details\"").unwrap();
    let named = |text: &str| text.contains(&format!("<dd><bdi>{whole}</bdi></dd>"));
    assert!(!table.contains(&whole) && table.contains('…'));
    assert!(named(details));
}

#[test]
fn a_large_report_stays_bounded_and_says_what_it_leaves_out() {
    let page = page(&samples::large());
    assert!(page.len() < 6_000_000, "{} bytes", page.len());
    let (head, _) = page.split_once("id=\"identities\"").unwrap();
    assert!(head.contains("This page lists 2,000 of 3,000 identities"));
    assert!(page.contains("2,800 more in the JSON form of this report."));
    assert!(page.contains("1,950 other identities"));
    assert!(
        page.contains(
            "Without details here, but in the JSON form of this report: 1,000 identities"
        )
    );
    assert_eq!(
        page.matches("workload-0999").count(),
        page.matches("workload-1000").count() + 2
    );
    assert!(page.contains("workload-1999") && !page.contains("workload-2000"));
}

#[test]
fn an_empty_tenant_and_a_blind_report_say_so() {
    let empty = page(&samples::empty());
    assert!(empty.contains("No score: no identity is in scope."));
    assert!(empty.contains("knows no workload identity in scope"));
    let blind = page(&samples::blind());
    assert!(blind.contains("No check could be assessed"));
    assert!(blind.contains("3 without source"));
    assert!(blind.contains("ledger not verified"));
    assert!(!blind.contains("Nothing to do"));
    assert!(
        !blind.contains("<b>0</b>"),
        "nothing assessed is shown as nothing found"
    );
}

#[test]
fn severity_is_a_word_and_a_shape_besides_a_colour() {
    let page = page(&samples::rich());
    for (word, letter) in [
        ("critical", 'c'),
        ("high", 'h'),
        ("medium", 'm'),
        ("low", 'l'),
        ("info", 'i'),
    ] {
        let mark = format!("<use href=\"#s-{letter}\"/></svg>{word}</span>");
        assert!(page.contains(&mark), "no mark for {word}");
    }
}

#[test]
fn tables_have_a_caption_and_their_headings_a_scope() {
    for report in every_sample() {
        let page = page(&report);
        assert_eq!(
            page.matches("<table").count(),
            page.matches("<caption").count()
        );
        assert_eq!(
            page.matches("<th ").count(),
            page.matches("<th scope=").count()
        );
        assert!(!page.contains("<th>"));
    }
}
