//! The known answers against the file they came from, when the shared folder is at hand.

use serde_json::Value;

use super::known_answers::{POLICIES, book, book_with, figures, inputs, one, span, trial, usage};
use super::run::{RunKey, RunKind};
use super::{PriceBook, bill, sha256_hex};
use crate::period::BillingPeriod;
use crate::state::Span;

/// The file the literals above came from, when it is at hand.
fn vectors() -> Option<Value> {
    let mut folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    while let Some(parent) = folder.parent() {
        let path = parent.join("shared/vectors/billing/vectors.json");
        if let Ok(bytes) = std::fs::read(path) {
            return serde_json::from_slice(&bytes).ok();
        }
        folder = parent;
    }
    None
}

fn vector<'a>(vectors: &'a Value, id: &str) -> &'a Value {
    vectors["vectors"]
        .as_array()
        .unwrap()
        .iter()
        .find(|vector| vector["id"] == id)
        .unwrap()
}

/// A JSON pair `[from, to]`, `to` may be null.
fn span_of(pair: &Value) -> Span<String> {
    span(pair[0].as_str().unwrap(), pair[1].as_str())
}

#[test]
fn the_shared_vectors_agree() {
    let Some(all) = vectors() else {
        #[expect(clippy::print_stdout, reason = "says why nothing was compared")]
        {
            println!("shared/vectors is absent: the literals above were tested alone");
        }
        return;
    };
    let v01 = vector(&all, "V01");
    let subjects = v01["given"]["identities"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(id, pairs)| usage(id, pairs.as_array().unwrap().iter().map(span_of).collect()))
        .collect();
    let book_full = PriceBook::default_book().unwrap();
    let run = bill(inputs(
        &book_full,
        v01["given"]["period"].as_str().unwrap(),
        subjects,
    ))
    .unwrap();
    for line in &run.lines {
        assert_eq!(
            v01["expect"]["lines"][&line.identity],
            line.amount.to_string()
        );
    }
    assert_eq!(v01["expect"]["total"], run.totals.amount.to_string());
    assert_eq!(v01["expect"]["unique"], run.priced_counts().unwrap().unique);
    shared_policies(&all);
    shared_trials(&all);
    shared_run_id(&all);
    let v12 = vector(&all, "V12");
    let subjects = v12["expect"]["lines"]
        .as_object()
        .unwrap()
        .keys()
        .map(|id| {
            usage(
                id,
                vec![span("2026-10-05T01:00:00Z", Some("2026-10-05T02:00:00Z"))],
            )
        })
        .collect();
    let run = bill(inputs(&book("calendar-day"), "2026-10", subjects)).unwrap();
    for line in &run.lines {
        assert_eq!(
            v12["expect"]["lines"][&line.identity],
            line.amount.to_string()
        );
    }
    assert_eq!(v12["expect"]["total"], run.totals.amount.to_string());
}

fn shared_policies(all: &Value) {
    for (id, zone) in [
        ("V02", "UTC"),
        ("V03", "UTC"),
        ("V05", "UTC"),
        ("V07", "Europe/Berlin"),
    ] {
        let given = &vector(all, id)["given"];
        let spans: Vec<Span<String>> = ["interval", "conditional_access", "access_review"]
            .iter()
            .filter(|key| given[**key].is_array())
            .map(|key| span_of(&given[*key]))
            .collect();
        for policy in POLICIES {
            let key = policy
                .replace('-', "_")
                .replace("full_month", "full_month_any");
            let expected = &vector(all, id)["expect"][key];
            let book = book_with(&[
                ("\"full-month\"", &format!("\"{policy}\"")),
                ("\"UTC\"", &format!("\"{zone}\"")),
            ]);
            let run = one(&book, given["period"].as_str().unwrap(), spans.clone());
            let (factor, exact, amount) = figures(&run);
            assert_eq!(expected["factor"], factor, "{id} {policy}");
            assert_eq!(expected["exact"], exact, "{id} {policy}");
            assert_eq!(expected["amount"], amount, "{id} {policy}");
        }
    }
    for (period, by_policy) in vector(all, "V04")["expect"].as_object().unwrap() {
        for policy in POLICIES {
            let key = policy
                .replace('-', "_")
                .replace("full_month", "full_month_any");
            let run = one(
                &book(policy),
                period,
                vec![span("2026-01-01T00:00:00Z", None)],
            );
            assert_eq!(by_policy[key], run.totals.amount.to_string());
        }
    }
}

fn shared_trials(all: &Value) {
    let v08 = vector(all, "V08");
    for (key, policy, period) in [
        ("oct_day", "calendar-day", "2026-10"),
        ("nov_day", "calendar-day", "2026-11"),
        ("nov_full", "full-month", "2026-11"),
        ("aug_day", "calendar-day", "2026-08"),
    ] {
        let book = book(policy);
        let mut given = inputs(
            &book,
            period,
            vec![usage("a", vec![span_of(&v08["given"]["interval"])])],
        );
        given.trials = vec![trial(v08["given"]["trial_start"].as_str().unwrap(), 90)];
        let run = bill(given).unwrap();
        let expected = &v08["expect"][key];
        assert_eq!(expected["list"], run.lines[0].list_amount.to_string());
        assert_eq!(
            expected["trial_discount"],
            run.lines[0].trial_discount.to_string()
        );
        assert_eq!(expected["billed"], run.lines[0].amount.to_string());
    }
    assert_eq!(
        v08["expect"]["trial_end_exclusive"],
        trial("2026-08-17", 90).end.to_string()
    );
    assert_eq!(
        v08["expect"]["trial30_end_exclusive"],
        trial("2026-08-17", 30).end.to_string()
    );
    let v09 = vector(all, "V09");
    let book = book("calendar-day");
    let mut given = inputs(
        &book,
        "2026-11",
        vec![usage("a", vec![span_of(&v09["given"]["interval"])])],
    );
    given.trials = vec![trial("2026-08-17", 90)];
    let run = bill(given).unwrap();
    assert_eq!(v09["expect"]["list"], run.lines[0].list_amount.to_string());
    assert_eq!(v09["expect"]["billed"], run.lines[0].amount.to_string());
}

fn shared_run_id(all: &Value) {
    let v19 = vector(all, "V19");
    let canonical = v19["given"]["canonical"].as_str().unwrap();
    assert_eq!(v19["expect"]["run_id"], sha256_hex(canonical.as_bytes()));
    let fields: Value = serde_json::from_str(canonical).unwrap();
    let text = |key: &str| fields[key].as_str().unwrap();
    let key = RunKey {
        cutoff_position: fields["cutoff_position"].as_u64().unwrap(),
        engine: 1,
        kind: RunKind::Final,
        period: text("period").parse::<BillingPeriod>().unwrap(),
        policy_sha256: text("policy_sha256"),
        pricebook_sha256: text("pricebook_sha256"),
        tenant: text("tenant"),
        tz: text("tz"),
    };
    assert_eq!(serde_json::to_string(&key).unwrap(), canonical);
}
