//! Known answers: worked examples whose figures were computed by hand and by a script.

use jiff::Timestamp;
use ledger::StreamName;

use super::money::{Mode, round};
use super::run::{RunKey, RunKind};
use super::*;
use crate::state::{IdentityClass, Seen, Span};

pub(super) const POLICIES: [&str; 5] = [
    "full-month",
    "calendar-day",
    "thirty-day",
    "second",
    "sticky",
];

/// The built-in book with another policy.
pub(super) fn book(policy: &str) -> PriceBook {
    book_with(&[("\"full-month\"", &format!("\"{policy}\""))])
}

/// The built-in book with texts replaced.
pub(super) fn book_with(changes: &[(&str, &str)]) -> PriceBook {
    let text = changes
        .iter()
        .fold(PriceBook::default_text().to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "`{from}` is not in the book");
            text.replace(from, to)
        });
    PriceBook::parse(text.as_bytes()).unwrap()
}

pub(super) fn span(from: &str, to: Option<&str>) -> Span<String> {
    Span {
        value: "ca".to_owned(),
        from: from.parse().unwrap(),
        to: to.map(|to| to.parse().unwrap()),
        opened: vec![10],
        closed: if to.is_some() { vec![20] } else { Vec::new() },
    }
}

pub(super) fn usage(id: &str, covered: Vec<Span<String>>) -> Usage {
    Usage {
        stream: StreamName::service_principal("t-1", id),
        object_id: id.to_owned(),
        name: format!("app {id}"),
        class: IdentityClass::SingleTenant,
        active: Vec::new(),
        assigned: Vec::new(),
        covered,
        eligible: Vec::new(),
        exclusion: None,
    }
}

pub(super) fn inputs<'a>(book: &'a PriceBook, period: &str, subjects: Vec<Usage>) -> Inputs<'a> {
    Inputs {
        tenant: "t-1".to_owned(),
        period: period.parse().unwrap(),
        kind: RunKind::Final,
        cutoff_position: 30,
        price_book: book,
        subjects,
        trials: Vec::new(),
        entitlements: Vec::new(),
        activity_known: true,
        pruned: None,
    }
}

pub(super) fn one(book: &PriceBook, period: &str, spans: Vec<Span<String>>) -> Run {
    bill(inputs(book, period, vec![usage("a", spans)])).unwrap()
}

pub(super) fn trial(start: &str, days: u16) -> Trial {
    Trial::from_event(
        Seen {
            at: Timestamp::UNIX_EPOCH,
            position: 5,
        },
        &ledger::event::licence::TrialStarted {
            sku_part_number: "Workload_Identities_Premium_CN".to_owned(),
            start_date: start.parse().unwrap(),
            days,
        },
    )
}

/// Factor, exact amount and amount of the only line.
pub(super) fn figures(run: &Run) -> (String, String, String) {
    let line = &run.lines[0];
    (
        line.list_factor.to_string(),
        line.exact_amount.to_string(),
        line.amount.to_string(),
    )
}

fn assert_policies(
    period: &str,
    zone: &str,
    spans: &[Span<String>],
    expected: [(&str, &str, &str); 5],
) {
    for (policy, (factor, exact, amount)) in POLICIES.into_iter().zip(expected) {
        let book = book_with(&[
            ("\"full-month\"", &format!("\"{policy}\"")),
            ("\"UTC\"", &format!("\"{zone}\"")),
        ]);
        let run = one(&book, period, spans.to_vec());
        let got = figures(&run);
        assert_eq!(
            (got.0.as_str(), got.1.as_str(), got.2.as_str()),
            (factor, exact, amount),
            "{policy} in {period}"
        );
        assert_eq!(run.totals.amount.to_string(), amount);
    }
}

#[test]
fn v01_three_identities_covered_the_whole_month_cost_three_units() {
    let whole = || vec![span("2026-11-01T00:00:00Z", Some("2026-12-01T00:00:00Z"))];
    let book = PriceBook::default_book().unwrap();
    let subjects = vec![
        usage("c", whole()),
        usage("a", whole()),
        usage("b", whole()),
    ];
    let run = bill(inputs(&book, "2026-11", subjects)).unwrap();
    let lines: Vec<(&str, String)> = run
        .lines()
        .iter()
        .map(|line| (line.identity.as_str(), line.amount.to_string()))
        .collect();
    let three = || "3.00".to_owned();
    assert_eq!(lines, [("a", three()), ("b", three()), ("c", three())]);
    assert_eq!(run.totals.amount.to_string(), "9.00");
    let counts = run.priced_counts().unwrap();
    assert_eq!((counts.unique, counts.peak), (3, 3));
    assert_eq!(counts.average_identity_months.to_string(), "3");
}

#[test]
fn v02_one_minute_on_the_last_day_under_every_policy() {
    assert_policies(
        "2026-11",
        "UTC",
        &[span("2026-11-30T12:00:00Z", Some("2026-11-30T12:01:00Z"))],
        [
            ("1", "3", "3.00"),
            ("1/30", "1/10", "0.10"),
            ("1/30", "1/10", "0.10"),
            ("1/43200", "1/14400", "0.00"),
            ("1/30", "1/10", "0.10"),
        ],
    );
}

#[test]
fn v03_added_in_the_middle_of_a_31_day_month() {
    assert_policies(
        "2026-10",
        "UTC",
        &[span("2026-10-16T10:00:00Z", None)],
        [
            ("1", "3", "3.00"),
            ("16/31", "48/31", "1.55"),
            ("8/15", "8/5", "1.60"),
            ("187/372", "187/124", "1.51"),
            ("16/31", "48/31", "1.55"),
        ],
    );
}

#[test]
fn v04_a_whole_month_costs_one_unit_under_every_policy() {
    for period in ["2027-02", "2028-02", "2026-10", "2026-11"] {
        for policy in POLICIES {
            let run = one(
                &book(policy),
                period,
                vec![span("2026-01-01T00:00:00Z", None)],
            );
            assert_eq!(
                run.totals.amount.to_string(),
                "3.00",
                "{policy} in {period}"
            );
        }
    }
}

#[test]
fn v05_two_features_overlap_and_are_counted_once() {
    let spans = [
        span("2026-11-03T09:00:00Z", Some("2026-11-10T15:00:00Z")),
        span("2026-11-08T00:00:00Z", Some("2026-11-12T00:00:00Z")),
    ];
    assert_policies(
        "2026-11",
        "UTC",
        &spans,
        [
            ("1", "3", "3.00"),
            ("3/10", "9/10", "0.90"),
            ("3/10", "9/10", "0.90"),
            ("23/80", "69/80", "0.86"),
            ("14/15", "14/5", "2.80"),
        ],
    );
    let run = one(&book("calendar-day"), "2026-11", spans.to_vec());
    assert_eq!(run.lines[0].days[0].to_string(), "2026-11-03 to 2026-11-11");
    assert_eq!(run.lines[0].days.len(), 1);
}

#[test]
fn v06_the_zone_decides_the_month() {
    for (zone, october) in [
        ("UTC", "3.00"),
        ("Europe/Berlin", "0.00"),
        ("America/New_York", "3.00"),
    ] {
        let book = book_with(&[("\"UTC\"", &format!("\"{zone}\""))]);
        let spans = || vec![span("2026-10-31T23:30:00Z", None)];
        assert_eq!(
            one(&book, "2026-10", spans()).totals.amount.to_string(),
            october,
            "{zone}"
        );
        assert_eq!(
            one(&book, "2026-11", spans()).totals.amount.to_string(),
            "3.00",
            "{zone}"
        );
    }
}

#[test]
fn v07_a_day_of_25_hours_is_one_day() {
    assert_policies(
        "2026-10",
        "Europe/Berlin",
        &[span("2026-10-24T22:00:00Z", Some("2026-10-25T23:00:00Z"))],
        [
            ("1", "3", "3.00"),
            ("1/31", "3/31", "0.10"),
            ("1/30", "1/10", "0.10"),
            ("5/149", "15/149", "0.10"),
            ("7/31", "21/31", "0.68"),
        ],
    );
}

#[test]
fn v08_a_trial_is_listed_and_discounted() {
    for (policy, period, list, discount, billed) in [
        ("calendar-day", "2026-10", "3.00", "-3.00", "0.00"),
        ("calendar-day", "2026-11", "3.00", "-1.40", "1.60"),
        ("full-month", "2026-11", "3.00", "0.00", "3.00"),
        ("calendar-day", "2026-08", "1.45", "-1.45", "0.00"),
        ("full-month", "2026-10", "3.00", "-3.00", "0.00"),
        ("sticky", "2026-11", "3.00", "-1.40", "1.60"),
    ] {
        let book = book(policy);
        let covered = vec![span("2026-08-17T08:00:00Z", None)];
        let mut given = inputs(&book, period, vec![usage("a", covered)]);
        given.trials = vec![trial("2026-08-17", 90)];
        let run = bill(given).unwrap();
        let line = &run.lines[0];
        let got =
            [line.list_amount, line.trial_discount, line.amount].map(|money| money.to_string());
        assert_eq!(got, [list, discount, billed], "{policy} in {period}");
        assert_eq!(run.trials[0].end.to_string(), "2026-11-15");
        assert_eq!(line.evidence.positions(), [5, 10]);
    }
}

#[test]
fn v09_covered_only_inside_the_trial_is_a_line_of_zero() {
    for (policy, list) in [("calendar-day", "1.00"), ("full-month", "3.00")] {
        let book = book(policy);
        let covered = vec![span("2026-11-01T00:00:00Z", Some("2026-11-11T00:00:00Z"))];
        let mut given = inputs(&book, "2026-11", vec![usage("a", covered)]);
        given.trials = vec![trial("2026-08-17", 90)];
        let run = bill(given).unwrap();
        assert_eq!(run.lines[0].list_amount.to_string(), list);
        assert_eq!(run.lines[0].amount.to_string(), "0.00");
        assert_eq!(run.totals.amount.to_string(), "0.00");
    }
}

#[test]
fn v11_the_order_of_rounding_changes_the_bill() {
    let calendar_day = ("\"full-month\"", "\"calendar-day\"");
    for (changes, total) in [
        (vec![calendar_day], "15.48"),
        (vec![calendar_day, ("\"group\"", "\"line\"")], "15.50"),
        (
            vec![
                calendar_day,
                ("\"group\"", "\"line\""),
                ("\"half-up\"", "\"down\""),
            ],
            "15.40",
        ),
    ] {
        let book = book_with(&changes);
        let subjects = (0..10)
            .map(|n| usage(&format!("sp-{n}"), vec![span("2026-10-16T10:00:00Z", None)]))
            .collect();
        let run = bill(inputs(&book, "2026-10", subjects)).unwrap();
        assert_eq!(run.totals.amount.to_string(), total);
    }
}

#[test]
fn v12_the_odd_cents_go_to_the_largest_remainders_by_identity() {
    let seven = || {
        (1..=7)
            .rev()
            .map(|n| {
                let day = span("2026-10-05T01:00:00Z", Some("2026-10-05T02:00:00Z"));
                usage(&format!("sp-{n}"), vec![day])
            })
            .collect()
    };
    let run = bill(inputs(&book("calendar-day"), "2026-10", seven())).unwrap();
    assert_eq!(run.totals.amount.to_string(), "0.68");
    let amounts: Vec<String> = run
        .lines
        .iter()
        .map(|line| line.amount.to_string())
        .collect();
    assert_eq!(
        amounts,
        ["0.10", "0.10", "0.10", "0.10", "0.10", "0.09", "0.09"]
    );
    let by_line = book_with(&[
        ("\"full-month\"", "\"calendar-day\""),
        ("\"group\"", "\"line\""),
    ]);
    let run = bill(inputs(&by_line, "2026-10", seven())).unwrap();
    assert_eq!(run.totals.amount.to_string(), "0.70");
}

#[test]
fn v16_rounding_of_half_a_cent() {
    let usd = Currency::from_code("USD").unwrap();
    let eighth = |sign| Exact::new(sign, 8).unwrap();
    let rounded = |exact, mode| round(exact, usd, mode).unwrap().to_string();
    assert_eq!(rounded(eighth(1), Mode::HalfEven), "0.12");
    assert_eq!(rounded(eighth(1), Mode::HalfUp), "0.13");
    assert_eq!(rounded(eighth(-1), Mode::HalfUp), "-0.13");
}

#[test]
fn v19_the_run_id_is_the_hash_of_the_canonical_inputs() {
    let key = RunKey {
        cutoff_position: 123_456,
        engine: 1,
        kind: RunKind::Final,
        period: "2026-11".parse().unwrap(),
        policy_sha256: &"0".repeat(64),
        pricebook_sha256: &"1".repeat(64),
        tenant: "t-1",
        tz: "UTC",
    };
    assert_eq!(
        key.run_id().unwrap(),
        "8ae9bc9b384a0c282b937b11a20eb759d3e08ad4a89ae03ca42b79ca29b68956"
    );
}

#[test]
fn v21_thirty_identities_of_one_day_each() {
    let subjects = || {
        (1..=30)
            .map(|day| {
                let from = format!("2026-11-{day:02}T01:00:00Z");
                let to = format!("2026-11-{day:02}T02:00:00Z");
                usage(&format!("ci-{day:02}"), vec![span(&from, Some(&to))])
            })
            .collect()
    };
    let run = bill(inputs(&book("full-month"), "2026-11", subjects())).unwrap();
    assert_eq!(run.totals.amount.to_string(), "90.00");
    let counts = run.priced_counts().unwrap();
    assert_eq!(
        (counts.unique, counts.peak, counts.identity_days),
        (30, 1, 30)
    );
    assert_eq!(counts.average_identity_months, Exact::ONE);
    assert_eq!(run.licence.demand_peak, 1);
    let run = bill(inputs(&book("calendar-day"), "2026-11", subjects())).unwrap();
    assert_eq!(run.totals.amount.to_string(), "3.00");
}
