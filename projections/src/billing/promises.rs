//! Promises a bill keeps for any input: properties with plain-loop oracles, and what a run says.

use jiff::Timestamp;
use ledger::EventBody;
use proptest::prelude::*;

use super::known_answers::{POLICIES, book, book_with, inputs, span, usage};
use super::*;
use crate::demand::ExclusionReason;
use crate::state::{Seen, Span};

const ZONES: [&str; 4] = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"];
/// 2026-09-20T00:00:00Z, from where spans are drawn.
const EPOCH: i64 = 1_789_862_400;
/// 70 days: from before October to after November 2026.
const REACH_SECONDS: i64 = 70 * 86_400;

/// Spans of one identity: start and length in seconds.
fn spans() -> impl Strategy<Value = Vec<(i64, i64)>> {
    let length = prop_oneof![1_i64..3_600, 3_600_i64..200_000, 200_000_i64..4_000_000];
    prop::collection::vec((0..REACH_SECONDS, length), 0..4)
}

fn population() -> impl Strategy<Value = Vec<Vec<(i64, i64)>>> {
    prop::collection::vec(spans(), 0..12)
}

fn instant(offset: i64) -> Timestamp {
    Timestamp::from_second(EPOCH + offset).unwrap()
}

fn covered(spans: &[(i64, i64)]) -> Vec<Span<String>> {
    spans
        .iter()
        .enumerate()
        .map(|(n, (from, length))| Span {
            value: "ca".to_owned(),
            from: instant(*from),
            to: Some(instant(from + length)),
            opened: vec![2 * n as u64],
            closed: vec![2 * n as u64 + 1],
        })
        .collect()
}

fn subjects(population: &[Vec<(i64, i64)>]) -> Vec<Usage> {
    population
        .iter()
        .enumerate()
        .map(|(n, spans)| usage(&format!("sp-{n:03}"), covered(spans)))
        .collect()
}

fn any_book() -> impl Strategy<Value = PriceBook> {
    (
        prop::sample::select(POLICIES.to_vec()),
        prop::sample::select(ZONES.to_vec()),
        prop::sample::select(vec!["half-up", "half-even", "down"]),
        prop::sample::select(vec!["group", "line"]),
        0_u32..500,
    )
        .prop_map(|(policy, zone, mode, at, cents)| {
            book_with(&[
                ("\"full-month\"", &format!("\"{policy}\"")),
                ("\"UTC\"", &format!("\"{zone}\"")),
                ("\"half-up\"", &format!("\"{mode}\"")),
                ("\"group\"", &format!("\"{at}\"")),
                (
                    "\"3.00\"",
                    &format!("\"{}.{:02}\"", cents / 100, cents % 100),
                ),
            ])
        })
}

fn trial_of(days: u16) -> Trial {
    Trial::from_event(
        Seen {
            at: Timestamp::UNIX_EPOCH,
            position: 900,
        },
        &ledger::event::licence::TrialStarted {
            sku_part_number: "workload-id-premium".to_owned(),
            start_date: "2026-10-01".parse().unwrap(),
            days,
        },
    )
}

/// Oracle: asks every half hour around the month whether a span touches it, and names its
/// local day by the zone alone.
fn days_by_walking(book: &PriceBook, spans: &[(i64, i64)]) -> Vec<i8> {
    let mut days = std::collections::BTreeSet::new();
    let mut at = instant(9 * 86_400);
    while at < instant(44 * 86_400) {
        let next = at + jiff::SignedDuration::from_mins(30);
        let local = book.calendar.zone().to_datetime(at).date();
        let touched = spans
            .iter()
            .any(|(from, length)| instant(*from) < next && at < instant(from + length));
        if touched && local.year() == 2026 && local.month() == 10 {
            days.insert(local.day());
        }
        at = next;
    }
    days.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p1_lines_add_up_to_the_total(book in any_book(), population in population(), trial in 0_u16..40) {
        let mut given = inputs(&book, "2026-10", subjects(&population));
        given.trials = vec![trial_of(trial)];
        let run = bill(given).unwrap();
        let (mut amount, mut list, mut discount) = (0, 0, 0);
        let mut exact = Exact::ZERO;
        for line in &run.lines {
            amount += line.amount.minor;
            list += line.list_amount.minor;
            discount += line.trial_discount.minor;
            exact = exact.plus(line.exact_amount).unwrap();
            // P11, and what the line promises of itself.
            prop_assert_eq!(line.list_amount.minor + line.trial_discount.minor, line.amount.minor);
            prop_assert!(line.trial_discount.minor <= 0);
            prop_assert_eq!(line.exact_amount.plus(line.rounding_adjustment).unwrap(), line.amount.exact());
        }
        prop_assert_eq!(run.totals.amount.minor, amount);
        prop_assert_eq!(run.totals.list_amount.minor, list);
        prop_assert_eq!(run.totals.trial_discount.minor, discount);
        if book.rounding.at == policy::RoundAt::Group {
            let once = money::round(exact, book.currency, book.rounding.mode).unwrap();
            prop_assert_eq!(run.totals.amount, once);
        }
        prop_assert_eq!(run.lines.len() + run.not_charged.len(), population.len());
    }

    #[test]
    fn p3_splitting_an_interval_changes_no_charge(book in any_book(), spans in spans(), cut in 0_i64..4_000_000) {
        let split: Vec<(i64, i64)> = spans
            .iter()
            .flat_map(|(from, length)| {
                let first = cut % length;
                [(*from, first), (from + first, length - first)]
            })
            .filter(|(_, length)| *length > 0)
            .collect();
        let whole = bill(inputs(&book, "2026-10", subjects(&[spans]))).unwrap();
        let parts = bill(inputs(&book, "2026-10", subjects(&[split]))).unwrap();
        prop_assert_eq!(whole.totals, parts.totals);
        let days = |run: &Run| run.lines.first().map(|line| (line.days.clone(), line.exact_amount));
        prop_assert_eq!(days(&whole), days(&parts));
    }

    #[test]
    fn p6_a_whole_month_costs_one_unit(book in any_book(), months in 0_usize..24) {
        let mut period: crate::BillingPeriod = "2026-01".parse().unwrap();
        for _ in 0..months {
            period = period.next();
        }
        let always = usage("a", vec![span("2025-01-01T00:00:00Z", None)]);
        let mut given = inputs(&book, "2026-01", vec![always]);
        given.period = period;
        let run = bill(given).unwrap();
        prop_assert_eq!(run.totals.amount, book.item.price);
        prop_assert_eq!(run.lines[0].list_factor, Exact::ONE);
    }

    #[test]
    fn p10_a_charge_is_between_nothing_and_the_price(book in any_book(), population in population(), trial in 0_u16..40) {
        let mut given = inputs(&book, "2026-10", subjects(&population));
        given.trials = vec![trial_of(trial)];
        for line in bill(given).unwrap().lines {
            prop_assert!(Exact::ZERO <= line.exact_amount);
            prop_assert!(line.exact_amount <= book.item.price.exact());
            prop_assert!(0 <= line.amount.minor && line.amount.minor <= book.item.price.minor);
            prop_assert!(line.list_amount.minor <= book.item.price.minor);
            prop_assert!(!line.evidence.positions().is_empty());
        }
    }

    #[test]
    fn p12_unique_is_at_least_peak_is_at_least_average(zone in prop::sample::select(ZONES.to_vec()), population in population()) {
        let book = book_with(&[("\"UTC\"", &format!("\"{zone}\""))]);
        let run = bill(inputs(&book, "2026-10", subjects(&population))).unwrap();
        let counts = run.priced_counts().unwrap();
        prop_assert!(counts.unique >= counts.peak);
        prop_assert!(Exact::whole(i128::from(counts.peak)) >= counts.average_identity_months);
        // Oracle: the same counts from days found by walking.
        let days: Vec<Vec<i8>> = population.iter().map(|spans| days_by_walking(&book, spans)).collect();
        let unique = days.iter().filter(|days| !days.is_empty()).count();
        let peak = (1..=31_i8)
            .map(|day| days.iter().filter(|days| days.contains(&day)).count())
            .max()
            .unwrap_or(0);
        prop_assert_eq!(counts.unique, unique as u64);
        prop_assert_eq!(counts.peak, peak as u64);
        prop_assert_eq!(counts.identity_days, days.iter().map(Vec::len).sum::<usize>() as u64);
    }

    #[test]
    fn p13_more_coverage_never_costs_less(policy in prop::sample::select(POLICIES.to_vec()), spans in spans(), more in spans(), trial in 0_u16..40) {
        let book = book(policy);
        let exact = |spans: Vec<(i64, i64)>| {
            let mut given = inputs(&book, "2026-10", subjects(&[spans]));
            given.trials = vec![trial_of(trial)];
            bill(given).unwrap().lines.first().map_or(Exact::ZERO, |line| line.exact_amount)
        };
        let less = exact(spans.clone());
        let all = exact(spans.into_iter().chain(more).collect());
        prop_assert!(less <= all);
    }

    #[test]
    fn p2_the_order_of_the_inputs_does_not_matter(book in any_book(), population in population()) {
        let forward = subjects(&population);
        let mut backward: Vec<Usage> = forward.clone();
        backward.reverse();
        for one in &mut backward {
            one.covered.reverse();
        }
        let forward = bill(inputs(&book, "2026-10", forward)).unwrap();
        let backward = bill(inputs(&book, "2026-10", backward)).unwrap();
        prop_assert_eq!(forward.to_json().unwrap(), backward.to_json().unwrap());
    }
}

fn small_run() -> Run {
    let book = PriceBook::default_book().unwrap();
    let mut managed = usage("c-managed", Vec::new());
    managed.exclusion = Some(Excluded {
        reason: ExclusionReason::ManagedIdentity,
        evidence: vec![3],
    });
    let mut idle = usage("b-idle", Vec::new());
    idle.eligible = vec![span("2026-01-01T00:00:00Z", None)];
    idle.name = "=cmd|' /C calc'!A0".to_owned();
    let charged = usage(
        "a-charged",
        vec![span("2026-11-16T10:00:00Z", Some("2026-11-20T00:00:00Z"))],
    );
    bill(inputs(&book, "2026-11", vec![managed, idle, charged])).unwrap()
}

#[test]
fn the_json_has_its_keys_in_order_and_no_number_for_money() {
    let bytes = small_run().to_json().unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
    // serde_json keeps objects sorted by key.
    assert_eq!(serde_json::to_string(&parsed).unwrap(), text);
    assert_eq!(parsed["totals"]["amount"], "3.00");
    assert_eq!(parsed["lines"][0]["exact_amount"], "3");
    assert_eq!(
        parsed["counts"]["covered"]["average_identity_months"],
        "2/15"
    );
    assert!(!text.contains("0.5") && !text.contains(":3.0"));
}

#[test]
fn a_run_is_recorded_by_the_same_event_every_time() {
    let (first, second) = (small_run(), small_run());
    let event = first.recorded_event().unwrap();
    assert_eq!(event, second.recorded_event().unwrap());
    assert_eq!(event.occurred_at, "2026-12-01T00:00:00Z".parse().unwrap());
    assert_eq!(event.stream.as_str(), "billing:t-1");
    let EventBody::RunRecorded(body) = event.body else {
        panic!("not a run");
    };
    assert_eq!(body.total_minor_units, 300);
    assert_eq!(body.lines, 1);
    assert_eq!(body.period, "2026-11");
    assert_eq!(body.run_id, first.run_id);
    assert!(!matters(ledger::EventType(0x0903)));
}

#[test]
fn every_identity_without_a_charge_has_a_reason() {
    let run = small_run();
    let reasons: Vec<(&str, &str)> = run
        .not_charged
        .iter()
        .map(|other| (other.identity.as_str(), other.reason.as_str()))
        .collect();
    assert_eq!(
        reasons,
        [
            ("b-idle", "no premium feature covered it"),
            ("c-managed", ExclusionReason::ManagedIdentity.words()),
        ]
    );
    assert_eq!(run.excluded.len(), 1);
    assert_eq!(run.excluded[0].identities, 1);
}

#[test]
fn coverage_outside_the_period_is_named() {
    let book = PriceBook::default_book().unwrap();
    let early = span("2026-09-01T00:00:00Z", Some("2026-11-01T00:00:00Z"));
    let late = span("2026-12-01T00:00:00Z", None);
    let subjects = vec![usage("a", vec![early]), usage("b", vec![late])];
    let run = bill(inputs(&book, "2026-11", subjects)).unwrap();
    assert!(run.lines.is_empty());
    let reasons: Vec<&str> = run
        .not_charged
        .iter()
        .map(|other| other.reason.as_str())
        .collect();
    assert_eq!(
        reasons,
        [
            "it was last `covered` until 2026-11-01T00:00:00Z, before this period",
            "it was first `covered` from 2026-12-01T00:00:00Z, after this period",
        ]
    );
    assert_eq!(run.not_charged[0].evidence, [10, 20]);
}

#[test]
fn a_charge_is_explained_with_its_numbers_and_positions() {
    let text = explain(&small_run(), "a-charged").to_string();
    for expected in [
        "is charged 3.00 USD for 2026-11",
        "4 days (2026-11-16 to 2026-11-19)",
        "opened by position 10",
        "closed by position 20",
        "3.00 USD × 1 = 3.00 USD",
        "positions 10, 20",
        "below position 30",
    ] {
        assert!(
            text.contains(expected),
            "`{expected}` is missing in:\n{text}"
        );
    }
}

#[test]
fn the_absence_of_a_charge_is_explained() {
    let run = small_run();
    let managed = explain(&run, "app c-managed");
    assert!(!managed.charged);
    assert!(managed.to_string().contains("access reviews"), "{managed}");
    assert!(managed.to_string().contains("position 3"), "{managed}");
    let unknown = explain(&run, "nobody");
    assert!(
        unknown
            .to_string()
            .contains("not an identity of tenant t-1"),
        "{unknown}"
    );
}

#[test]
fn a_name_in_the_csv_cannot_be_a_formula() {
    let book = PriceBook::default_book().unwrap();
    let mut evil = usage("a", vec![span("2026-11-16T10:00:00Z", None)]);
    evil.name = "=cmd|' /C calc'!A0".to_owned();
    let run = bill(inputs(&book, "2026-11", vec![evil])).unwrap();
    let csv = lines_csv(&run);
    let rows: Vec<&str> = csv.split_terminator("\r\n").collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].split(',').count(), rows[1].split(',').count());
    assert!(rows[1].contains(",\"'=cmd|' /C calc'!A0\","), "{}", rows[1]);
    assert!(
        rows[1].contains(",2026-11-16,2026-11-30,0,1,1,USD,3.00,3.00,0.00,3.00,3,0,"),
        "{}",
        rows[1]
    );
}

#[test]
fn usage_without_evidence_is_not_billed() {
    let book = PriceBook::default_book().unwrap();
    let mut bare = span("2026-11-16T10:00:00Z", None);
    bare.opened.clear();
    let error = bill(inputs(&book, "2026-11", vec![usage("a", vec![bare])])).unwrap_err();
    assert!(matches!(error, BillError::NoEvidence { .. }), "{error}");
}

#[test]
fn an_identity_listed_twice_is_not_billed_twice() {
    let book = PriceBook::default_book().unwrap();
    let twice = || usage("a", vec![span("2026-11-16T10:00:00Z", None)]);
    let error = bill(inputs(&book, "2026-11", vec![twice(), twice()])).unwrap_err();
    assert!(matches!(error, BillError::ListedTwice { .. }), "{error}");
}

#[test]
fn a_book_that_begins_later_is_refused() {
    let book = book_with(&[("2023-01-01", "2026-11-02")]);
    let error = bill(inputs(&book, "2026-11", Vec::new())).unwrap_err();
    assert!(error.to_string().contains("2026-11-02"), "{error}");
    assert!(bill(inputs(&book, "2026-12", Vec::new())).is_ok());
}

#[test]
fn a_month_below_the_minimum_of_days_is_a_line_of_zero() {
    let book = book_with(&[("min_days = 1", "min_days = 3")]);
    let days = |to| usage("a", vec![span("2026-11-16T10:00:00Z", Some(to))]);
    let run = bill(inputs(&book, "2026-11", vec![days("2026-11-17T10:00:00Z")])).unwrap();
    assert_eq!(run.lines[0].amount.to_string(), "0.00");
    let run = bill(inputs(&book, "2026-11", vec![days("2026-11-18T10:00:00Z")])).unwrap();
    assert_eq!(run.lines[0].amount.to_string(), "3.00");
}

#[test]
fn an_unclassified_identity_is_still_active() {
    let book = book_with(&[("\"covered\"", "\"active\"")]);
    let mut unknown = usage("a", Vec::new());
    unknown.active = vec![span("2026-11-16T10:00:00Z", Some("2026-11-16T10:00:01Z"))];
    unknown.exclusion = Some(Excluded {
        reason: ExclusionReason::Unclassified,
        evidence: Vec::new(),
    });
    let run = bill(inputs(&book, "2026-11", vec![unknown])).unwrap();
    assert_eq!(run.lines.len(), 1);
    assert!(run.excluded.is_empty());
}
