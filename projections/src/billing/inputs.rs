//! From state to a bill's inputs: demand by identity, activity by day, trials, subscriptions.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};
use ledger::event::Position;

use super::price_book::PriceBook;
use super::run::{Inputs, RunKind};
use super::trial::Trial;
use super::usage::{Excluded, Usage};
use crate::demand::{Demand, Predicate};
use crate::licensing::Licensing;
use crate::period::{BillingPeriod, start_of};
use crate::rollup::Cell;
use crate::state::{Span, Subject};

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Tenant to bill.
    pub tenant: String,
    /// Month to bill.
    pub period: BillingPeriod,
    /// What the run is for.
    pub kind: RunKind,
    /// Events below this position were known; see [`super::cutoff_of`].
    pub cutoff_position: Position,
}

/// Collects what a bill of one tenant and month needs. In a zone other than UTC, days of activity
/// are not known: they are kept in UTC.
pub fn inputs_from<'a>(
    licensing: &Licensing,
    request: Request,
    price_book: &'a PriceBook,
) -> Inputs<'a> {
    let state = &licensing.state;
    let utc = *price_book.calendar.zone() == TimeZone::UTC;
    let activity = utc.then_some(&licensing.activity);
    let month = price_book.calendar.month(request.period);
    let pruned = state.pruned_in(month.start(), month.end());
    let last_instant = month
        .end()
        .checked_sub(SignedDuration::from_nanos(1))
        .unwrap_or(Timestamp::MAX);
    let subjects = state
        .identities
        .values()
        .filter(|subject| subject.tenant == request.tenant)
        .map(|subject| {
            let demand = licensing.demand.get(&subject.stream);
            let cell = activity.and_then(|all| all.get(subject.stream_no, request.period));
            usage(
                subject,
                demand.cloned().unwrap_or_default(),
                cell,
                last_instant,
            )
        })
        .collect();
    let trials = state
        .trials
        .get(&request.tenant)
        .into_iter()
        .flatten()
        .map(|(seen, started)| Trial::from_event(*seen, started))
        .collect();
    let entitlements = state
        .entitlements
        .iter()
        .filter(|((tenant, _), _)| *tenant == request.tenant)
        .flat_map(|(_, spans)| spans.iter().cloned())
        .collect();
    Inputs {
        tenant: request.tenant,
        period: request.period,
        kind: request.kind,
        cutoff_position: request.cutoff_position,
        price_book,
        subjects,
        trials,
        entitlements,
        activity_known: activity.is_some(),
        pruned,
    }
}

fn usage(subject: &Subject, demand: Demand, cell: Option<&Cell>, at: Timestamp) -> Usage {
    Usage {
        stream: subject.stream.clone(),
        object_id: subject.object_id.clone(),
        name: subject.display_name(at).to_owned(),
        class: subject.class(at),
        active: cell.map_or_else(Vec::new, active_spans),
        assigned: named(demand.assigned, |()| "assigned"),
        covered: named(demand.covered, Predicate::as_str),
        eligible: named(demand.eligible, |()| "eligible"),
        exclusion: demand.exclusion.map(|exclusion| Excluded {
            reason: exclusion.reason,
            evidence: exclusion.evidence,
        }),
    }
}

fn named<T>(spans: Vec<Span<T>>, name: impl Fn(T) -> &'static str) -> Vec<Span<String>> {
    spans
        .into_iter()
        .map(|span| Span {
            value: name(span.value).to_owned(),
            from: span.from,
            to: span.to,
            opened: span.opened,
            closed: span.closed,
        })
        .collect()
}

/// Days with a successful sign-in as spans of whole UTC days, proven by the month's first and
/// last: a rollup keeps no more.
fn active_spans(cell: &Cell) -> Vec<Span<String>> {
    let mut proof: Vec<Position> = [cell.first, cell.last]
        .into_iter()
        .flatten()
        .map(|seen| seen.position)
        .collect();
    proof.sort_unstable();
    proof.dedup();
    let days = (0_u8..31).filter(|bit| cell.active_days & (1 << u32::from(*bit)) != 0);
    let mut spans: Vec<Span<String>> = Vec::new();
    for bit in days {
        let first = cell.period.first_day();
        let start = midnight(first, i64::from(bit));
        let end = midnight(first, i64::from(bit).saturating_add(1));
        match spans.last_mut() {
            Some(span) if span.to == Some(start) => span.to = Some(end),
            _ => spans.push(Span {
                value: "signed_in".to_owned(),
                from: start,
                to: Some(end),
                opened: proof.clone(),
                closed: Vec::new(),
            }),
        }
    }
    spans
}

fn midnight(first: Date, offset: i64) -> Timestamp {
    first
        .checked_add(offset.days())
        .map_or(Timestamp::MAX, |day| start_of(day, &TimeZone::UTC))
}

#[cfg(test)]
mod tests {
    use ledger::event::licence::{Assignment, Entitlement, TrialStarted};
    use ledger::{EventBody, Recorded, StreamName};
    use serde_json::json;

    use super::*;
    use crate::billing::{bill, cutoff};
    use crate::rollup::MonthlyActivity;
    use crate::sample::{
        SP, TENANT, at, event, own, policy, policy_stream, registered, sign_in, sp, state,
    };
    use crate::state::Seen;

    #[test]
    fn days_of_activity_become_spans_of_whole_days() {
        let seen = |text: &str, position| Seen {
            at: text.parse().unwrap(),
            position,
        };
        let cell = Cell {
            period: "2026-10".parse().unwrap(),
            ok: 9,
            failed: 0,
            blocked: 0,
            first: Some(seen("2026-10-01T07:00:00Z", 4)),
            last: Some(seen("2026-10-31T09:00:00Z", 90)),
            active_days: 1 | 1 << 1 | 1 << 30,
            credentials: Vec::new(),
            resources: Vec::new(),
            position_first: 4,
            position_last: 90,
        };
        let spans = active_spans(&cell);
        assert_eq!(spans.len(), 2);
        assert_eq!(spans[0].from, "2026-10-01T00:00:00Z".parse().unwrap());
        assert_eq!(spans[0].to, "2026-10-03T00:00:00Z".parse().ok());
        assert_eq!(spans[1].to, "2026-11-01T00:00:00Z".parse().ok());
        assert_eq!(spans[1].evidence(), [4, 90]);
    }

    /// Two identities under a policy, one not, one managed; a trial until 11 October; 5 units.
    fn history() -> Vec<Recorded> {
        let september = at("2026-09-01T08:00:00Z");
        let tenant = StreamName::tenant(TENANT);
        let managed = json!({"servicePrincipalType": "ManagedIdentity", "displayName": "vm"});
        vec![
            event(0, &sp("a"), september, own("alpha")),
            event(1, &sp("b"), september, own("beta")),
            event(2, &sp("c"), september, own("gamma")),
            event(3, &sp("m"), september, registered(SP, &managed)),
            event(
                4,
                &policy_stream("p"),
                at("2026-10-05T12:00:00Z"),
                policy("p", "enabled", &["a", "b"], &[]),
            ),
            event(
                5,
                &tenant,
                september,
                EventBody::TrialStarted(TrialStarted {
                    sku_part_number: "Workload_Identities_Premium_CN".to_owned(),
                    start_date: "2026-09-12".parse().unwrap(),
                    days: 30,
                }),
            ),
            event(
                6,
                &tenant,
                september,
                EventBody::EntitlementObserved(Entitlement {
                    sku_id: "sku".to_owned(),
                    sku_part_number: "Workload_Identities_Premium_CN".to_owned(),
                    capability_status: "Enabled".to_owned(),
                    units_enabled: 5,
                    units_warning: 0,
                    units_suspended: 0,
                    service_plan_ids: Vec::new(),
                }),
            ),
            event(
                7,
                &sp("c"),
                at("2026-10-30T00:00:00Z"),
                EventBody::LicenceAssigned(Assignment {
                    sku_part_number: "Workload_Identities_Premium_CN".to_owned(),
                }),
            ),
            event(
                8,
                &sp("c"),
                at("2026-10-07T03:00:00Z"),
                EventBody::SignedIn(sign_in(1, None, None)),
            ),
        ]
    }

    fn october(events: &[Recorded], book: &PriceBook) -> crate::billing::Run {
        let mut activity = MonthlyActivity::new();
        for recorded in events {
            activity.push(recorded);
        }
        let known = events
            .iter()
            .map(|recorded| (recorded.position, recorded.event.body.event_type()));
        let request = Request {
            tenant: TENANT.to_owned(),
            period: "2026-10".parse().unwrap(),
            kind: RunKind::Final,
            cutoff_position: cutoff(known),
        };
        let licensing = Licensing::of(state(events), activity, request.cutoff_position);
        bill(inputs_from(&licensing, request, book)).unwrap()
    }

    #[test]
    fn a_ledger_is_billed_from_its_events() {
        let book = PriceBook::default_book().unwrap();
        let run = october(&history(), &book);
        let lines: Vec<(&str, &str, String)> = run
            .lines
            .iter()
            .map(|line| {
                (
                    line.identity.as_str(),
                    line.name.as_str(),
                    line.amount.to_string(),
                )
            })
            .collect();
        let three = || "3.00".to_owned();
        assert_eq!(lines, [("a", "alpha", three()), ("b", "beta", three())]);
        assert_eq!(run.lines[0].evidence.positions(), [0, 4, 5]);
        assert_eq!(run.lines[0].reasons, ["ca"]);
        assert_eq!(run.licence.purchased_units, Some(5));
        assert_eq!(run.licence.demand_peak, 2);
        assert_eq!(run.cutoff_position, 9);
        let absent: Vec<&str> = run
            .not_charged
            .iter()
            .map(|other| other.identity.as_str())
            .collect();
        assert_eq!(absent, ["c", "m"]);
    }

    #[test]
    fn a_meter_counts_its_own_spans() {
        for (meter, identities) in [
            ("active", vec!["c"]),
            ("assigned", vec!["c"]),
            ("eligible", vec!["a", "b", "c"]),
        ] {
            let text = PriceBook::default_text().replace("\"covered\"", &format!("\"{meter}\""));
            let book = PriceBook::parse(text.as_bytes()).unwrap();
            let run = october(&history(), &book);
            let charged: Vec<&str> = run
                .lines
                .iter()
                .map(|line| line.identity.as_str())
                .collect();
            assert_eq!(charged, identities, "{meter}");
        }
    }

    #[test]
    fn activity_by_day_is_not_known_in_another_zone() {
        let text = PriceBook::default_text()
            .replace("\"covered\"", "\"active\"")
            .replace("\"UTC\"", "\"Europe/Berlin\"");
        let book = PriceBook::parse(text.as_bytes()).unwrap();
        let activity = MonthlyActivity::new();
        let request = Request {
            tenant: TENANT.to_owned(),
            period: "2026-10".parse().unwrap(),
            kind: RunKind::Draft,
            cutoff_position: 9,
        };
        let licensing = Licensing::of(state(&history()), activity, 9);
        let inputs = inputs_from(&licensing, request, &book);
        assert!(!inputs.activity_known);
        let error = bill(inputs).unwrap_err();
        assert!(error.to_string().contains("Europe/Berlin"), "{error}");
    }

    #[test]
    fn recording_a_run_does_not_change_the_next() {
        let book = PriceBook::default_book().unwrap();
        let mut events = history();
        let first = october(&events, &book);
        let event = first.recorded_event().unwrap();
        events.push(Recorded {
            position: 9,
            recorded_at: event.occurred_at,
            stream_no: 99,
            revision: 0,
            has_private: false,
            private_state: ledger::PrivateState::None,
            event,
        });
        let second = october(&events, &book);
        assert_eq!(first, second);
        assert_eq!(first.to_json().unwrap(), second.to_json().unwrap());
    }
}
