use jiff::Timestamp;
use ledger::event::licence::Assignment;
use ledger::event::{EventBody, Recorded};
use polars::prelude::*;
use polars_io::parquet::read::ParquetReader;
use proptest::prelude::{Strategy, any, prop, prop_assert_eq, proptest};

use super::*;
use crate::rollup::MonthlyActivity;
use crate::sample::{
    event, marker, own, policy, policy_deleted, policy_stream, risk, sign_in, sp, state,
};

const MINUTE: i64 = 60;

fn period() -> BillingPeriod {
    "2026-11".parse().unwrap()
}

fn instant(minute: i64) -> Timestamp {
    "2026-10-25T00:00:00Z".parse::<Timestamp>().unwrap()
        + SignedDuration::from_secs(minute * MINUTE)
}

type Told = (u8, i64, u8);

/// Up to 40 events of four identities from 25 October to 5 December, on 6-hour steps, so that
/// midnights and month ends are met.
fn told() -> impl Strategy<Value = Vec<Told>> {
    prop::collection::vec((0..4_u8, 0..164_i64, any::<u8>()), 0..40)
}

fn events(told: &[Told]) -> Vec<Recorded> {
    let mut position = 0;
    told.iter()
        .map(|(who, step, kind)| {
            let who = who.to_string();
            let id = who.as_str();
            let mut stream = sp(id);
            let body = match kind % 12 {
                0 | 1 => own(id),
                2 => EventBody::IdentityDeleted(marker()),
                3 => EventBody::IdentityRestored(marker()),
                4 => risk("high", "atRisk"),
                5 => risk("none", "dismissed"),
                6 => EventBody::LicenceAssigned(Assignment {
                    sku_part_number: "w".into(),
                }),
                7 => EventBody::LicenceUnassigned(Assignment {
                    sku_part_number: "w".into(),
                }),
                8 => EventBody::SignInFailed(sign_in(position, None, None)),
                9 => EventBody::SignedIn(sign_in(position, Some(id), Some("r"))),
                10 => {
                    stream = policy_stream("p");
                    policy("p", "enabled", &[id, "1"], &[])
                }
                _ => {
                    stream = policy_stream("p");
                    policy_deleted("p")
                }
            };
            position += 1;
            event(position - 1, &stream, instant(step * 360), body)
        })
        .collect()
}

fn rollup(events: &[Recorded]) -> MonthlyActivity {
    let mut rollup = MonthlyActivity::new();
    for event in events {
        rollup.push(event);
    }
    rollup
}

/// (covered, assigned, active, eligible days, ok, failed) of one identity by looking at every
/// quarter of every day of November. Everything happens on quarters, so nothing is missed.
fn oracle(events: &[Recorded], id: &str) -> (u32, u32, u32, u32, u64, u64) {
    let mut order: Vec<&Recorded> = events.iter().collect();
    order.sort_by_key(|one| {
        (
            one.event.occurred_at,
            one.event.body.event_type(),
            one.event.id,
        )
    });
    let mine: Vec<&&Recorded> = order
        .iter()
        .filter(|one| one.event.stream == sp(id))
        .collect();
    let start = mine.first().map(|one| one.event.occurred_at);
    let restored_first = mine
        .iter()
        .find(|one| !one.event.body.event_type().is_activity())
        .filter(|one| matches!(one.event.body, EventBody::IdentityRestored(_)))
        .map(|one| one.event.occurred_at);
    let classed = mine
        .iter()
        .any(|one| matches!(one.event.body, EventBody::IdentityRegistered(_)));
    let (mut covered, mut assigned, mut active, mut eligible) = (0, 0, 0, 0);
    let (mut ok, mut failed) = (0, 0);
    for day in 0..30 {
        let mut today = (false, false, false, false);
        for quarter in 0..4 {
            let at = instant((7 + day) * 1440 + quarter * 360);
            let mut exists = start.is_some_and(|start| start <= at)
                && restored_first.is_none_or(|first| first <= at);
            let (mut risky, mut holds, mut targeted) = (false, false, false);
            for one in order.iter().filter(|one| one.event.occurred_at <= at) {
                let now = one.event.occurred_at == at;
                match &one.event.body {
                    EventBody::AccessPolicyUpdated(told) => {
                        targeted = told
                            .new
                            .iter()
                            .any(|new| new.include_service_principals.iter().any(|of| of == id));
                    }
                    EventBody::AccessPolicyDeleted(_) => targeted = false,
                    _ if one.event.stream != sp(id) => {}
                    EventBody::IdentityDeleted(_) => exists = false,
                    EventBody::IdentityRegistered(_) | EventBody::IdentityRestored(_) => {
                        exists = true;
                    }
                    EventBody::RiskLevelChanged(level) => risky = level.level == "high",
                    EventBody::LicenceAssigned(_) => holds = true,
                    EventBody::LicenceUnassigned(_) => holds = false,
                    EventBody::SignedIn(_) if now => {
                        ok += 1;
                        today.2 = true;
                    }
                    EventBody::SignInFailed(_) if now => failed += 1,
                    _ => {}
                }
            }
            let may = exists && classed;
            today.0 |= may && (risky || targeted);
            today.1 |= holds;
            today.3 |= may;
        }
        covered += u32::from(today.0);
        assigned += u32::from(today.1);
        active += u32::from(today.2);
        eligible += u32::from(today.3);
    }
    (covered, assigned, active, eligible, ok, failed)
}

proptest! {
    #[test]
    fn usage_says_what_a_plain_loop_says(told in told()) {
        let mut events = events(&told);
        let mut seen = std::collections::BTreeSet::new();
        events.retain(|one| seen.insert(one.event.id));
        let state = state(&events);
        let rows = usage(&Licensing::of(state.clone(), rollup(&events), 0), period()).unwrap();
        for id in ["0", "1", "2", "3"] {
            let row = rows.iter().find(|row| row.object_id == id);
            let got = row.map_or((0, 0, 0, 0, 0, 0), |row| (
                row.covered_days,
                row.assigned_days,
                row.active_days,
                row.eligible_days,
                row.sign_ins_ok,
                row.sign_ins_failed,
            ));
            let want = oracle(&events, id);
            if row.is_some() {
                prop_assert_eq!(got, want, "{}", id);
            } else {
                // an assignment to what does not exist has no row
                prop_assert_eq!((want.0, want.2, want.3, want.4, want.5), (0, 0, 0, 0, 0));
            }
        }
        for row in &rows {
            prop_assert_eq!(row.billable, row.covered_days > 0);
            prop_assert_eq!(row.billable && row.evidence.is_empty(), false);
        }
        let totals = summary(&rows).unwrap();
        let covered: u64 = rows.iter().map(|row| u64::from(row.covered_days)).sum();
        prop_assert_eq!(totals.iter().map(|one| one.covered_days).sum::<u64>(), covered);
    }
}

fn example() -> Vec<UsageRow> {
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let events = [
        event(0, &sp("x"), at("2026-10-01T00:00:00Z"), own("=evil")),
        event(
            1,
            &policy_stream("p"),
            at("2026-11-30T23:59:00Z"),
            policy("p", "enabled", &["x"], &[]),
        ),
        event(
            2,
            &sp("x"),
            at("2026-11-02T08:00:00Z"),
            EventBody::SignedIn(sign_in(2, Some("k"), Some("r"))),
        ),
    ];
    usage(&Licensing::of(state(&events), rollup(&events), 0), period()).unwrap()
}

#[test]
fn one_minute_on_the_last_day_is_one_day() {
    let rows = example();
    assert_eq!(rows.len(), 1);
    let row = &rows[0];
    assert_eq!(
        (row.covered_days, row.active_days, row.eligible_days),
        (1, 1, 30)
    );
    assert_eq!(row.why, "covered by Conditional Access on 1 day");
    assert_eq!(row.evidence, [0, 1, 2]);
    assert_eq!(row.credentials, ["k"]);
}

#[test]
fn csv_keeps_formulas_out() {
    let mut out = Vec::new();
    write_csv(&example(), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert!(
        text.contains(",'=evil,single_tenant,1,0,0,2026-11-02T08:00:00Z,"),
        "{text}"
    );
    assert!(
        text.ends_with(",1,0,1,30,true,covered by Conditional Access on 1 day,0 1 2\r\n"),
        "{text}"
    );
}

#[test]
fn parquet_gives_back_the_table() {
    let mut out = Vec::new();
    write_parquet(&example(), &mut out).unwrap();
    let read = ParquetReader::new(std::io::Cursor::new(out))
        .finish()
        .unwrap();
    assert!(read.equals_missing(&frame(&example()).unwrap()));
}

#[test]
fn the_answer_has_the_columns_it_declares() {
    let tables = Tables::of(&[], &MonthlyActivity::new(), period()).unwrap();
    let frame = usage_frame(tables).collect().unwrap();
    let names: Vec<&str> = frame
        .get_column_names()
        .into_iter()
        .map(PlSmallStr::as_str)
        .collect();
    assert_eq!(
        names,
        [
            "identity_no",
            "sign_ins_ok",
            "sign_ins_failed",
            "sign_ins_blocked",
            "active_days",
            "covered_days",
            "assigned_days",
            "eligible_days",
            "billable",
        ]
    );
}
