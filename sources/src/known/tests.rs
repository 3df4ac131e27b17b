#![expect(
    clippy::needless_pass_by_value,
    reason = "records are written in place with json!"
)]

use super::*;
use crate::audit::{self, AuditRecord};
use crate::context::Context;
use crate::snapshot::{self, SnapshotKind};
use ledger::event::book::Corroborated;
use ledger::event::{Correlation, NaturalKey, Precision, Source};
use proptest::prelude::*;
use serde_json::json;

/// Orders tried by each property.
const CASES: u32 = 16;

/// One import: an audit record or a snapshot of the service principal `o-1`.
#[derive(Clone)]
enum Step {
    Audit(Value),
    Snapshot(u8, Value),
}

fn day(day: u8) -> Timestamp {
    format!("2026-10-{day:02}T12:00:00Z").parse().unwrap()
}

fn source(name: &str) -> Source {
    Source {
        name: name.to_owned(),
        record: None,
        digest: String::new(),
    }
}

fn run(known: &mut Known, step: &Step) -> Vec<Event> {
    let observed_at = match step {
        Step::Audit(_) => day(30),
        Step::Snapshot(at, _) => day(*at),
    };
    let ctx = Context {
        tenant: "t-1",
        observed_at,
        private_network: false,
    };
    match step {
        Step::Audit(record) => {
            let record = AuditRecord::parse(record, source("graph/directoryAudit")).unwrap();
            audit::interpret(&[record], &ctx, known).events
        }
        Step::Snapshot(_, record) => {
            let kind = SnapshotKind::ServicePrincipal;
            let source = source("graph/servicePrincipal");
            snapshot::interpret(record, &kind, source, &ctx, known).unwrap()
        }
    }
}

fn audit(at: u8, activity: &str, targets: Value) -> Step {
    Step::Audit(json!({
        "id": format!("a-{at}"), "correlationId": format!("c-{at}"), "result": "success",
        "activityDisplayName": activity, "activityDateTime": day(at).to_string(),
        "targetResources": targets,
    }))
}

fn on_principal(at: u8, activity: &str, name: &str, old: Value, new: Value) -> Step {
    let property = json!({"displayName": name, "oldValue": old, "newValue": new});
    audit(
        at,
        activity,
        json!([{"id": "o-1", "type": "ServicePrincipal", "modifiedProperties": [property]}]),
    )
}

fn keys(ids: &[&str]) -> Value {
    let list: Vec<String> = ids
        .iter()
        .map(|id| format!("[KeyIdentifier={id},KeyType=Password,KeyUsage=Verify,DisplayName={id}]"))
        .collect();
    json!(json!(list).to_string())
}

fn snapshot(at: u8, name: &str, enabled: bool, secret: (&str, u8), grants: Value) -> Step {
    Step::Snapshot(
        at,
        json!({
            "id": "o-1", "displayName": name, "accountEnabled": enabled, "appId": "app-1",
            "createdDateTime": day(1).to_string(), "keyCredentials": [],
            "passwordCredentials": [{"keyId": secret.0, "displayName": secret.0,
                "startDateTime": day(secret.1).to_string(), "endDateTime": day(31).to_string()}],
            "owners": [{"id": "u-1", "@odata.type": "#microsoft.graph.user", "accountEnabled": true}],
            "appRoleAssignments": grants,
        }),
    )
}

/// A month of one service principal: what the audit log says and two snapshots of it.
fn month() -> (Vec<Step>, Vec<Step>) {
    let owner = json!([
        {"id": "u-1", "type": "User", "modifiedProperties": [
            {"displayName": "ServicePrincipal.ObjectID", "oldValue": null, "newValue": "\"o-1\""}]},
        {"id": "o-1", "type": "ServicePrincipal", "modifiedProperties": []},
    ]);
    let grant = json!([
        {"id": "r-1", "type": "ServicePrincipal", "modifiedProperties": [
            {"displayName": "AppRole.Id", "oldValue": null, "newValue": "\"role-1\""},
            {"displayName": "ServicePrincipal.ObjectID", "oldValue": null, "newValue": "\"o-1\""}]},
    ]);
    let granted = json!([{"id": "g-1", "principalId": "o-1", "principalType": "ServicePrincipal",
        "resourceId": "r-1", "appRoleId": "role-1", "createdDateTime": day(10).to_string()}]);
    let credentials = "Add service principal credentials";
    let update = "Update service principal";
    let audits = vec![
        on_principal(
            1,
            "Add service principal",
            "DisplayName",
            json!("[]"),
            json!("[\"A\"]"),
        ),
        on_principal(
            2,
            credentials,
            "KeyDescription",
            json!("[]"),
            keys(&["k-1"]),
        ),
        audit(3, "Add owner to service principal", owner),
        on_principal(4, update, "DisplayName", json!("[\"A\"]"), json!("[\"B\"]")),
        audit(10, "Add app role assignment to service principal", grant),
        on_principal(
            11,
            credentials,
            "KeyDescription",
            keys(&["k-1"]),
            keys(&["k-2"]),
        ),
        on_principal(
            12,
            update,
            "AccountEnabled",
            json!("[true]"),
            json!("[false]"),
        ),
        on_principal(
            13,
            update,
            "DisplayName",
            json!("[\"B\"]"),
            json!("[\"C\"]"),
        ),
    ];
    let snapshots = vec![
        snapshot(7, "B", true, ("k-1", 2), json!([])),
        snapshot(20, "C", false, ("k-2", 11), granted),
    ];
    (audits, snapshots)
}

/// What is held in the end: attributes, open credentials with their end, owners, permissions.
fn end_state(known: &Known) -> Value {
    let stream = StreamName::service_principal("t-1", "o-1");
    let view = known.view(&stream, day(30));
    let credentials: Vec<Value> = view
        .credentials
        .values()
        .filter(|held| held.open)
        .map(|held| json!([held.value.key_id, held.value.ends_at, held.value.starts_at]))
        .collect();
    let owners: Vec<_> = view
        .owners
        .values()
        .filter(|held| held.open)
        .map(|held| &held.value.id)
        .collect();
    let roles: Vec<_> = view
        .app_roles
        .iter()
        .filter(|(_, held)| held.open)
        .map(|(key, _)| key)
        .collect();
    json!({
        "exists": view.exists, "enabled": view.attributes.get("accountEnabled"),
        "name": view.attributes.get("displayName"), "app": view.attributes.get("appId"),
        "credentials": credentials, "owners": owners, "roles": roles,
    })
}

/// The ledger's append, as far as it matters here: what is stored for the events proposed.
#[derive(Default)]
struct Book {
    first: BTreeMap<EventId, (Value, Precision)>,
    stored: Vec<Event>,
}

impl Book {
    fn append(&mut self, event: Event) {
        let body = event.body.to_json().unwrap();
        let Some((known, precision)) = self.first.get_mut(&event.id) else {
            self.first.insert(event.id, (body, event.precision));
            self.stored.push(event);
            return;
        };
        let exact = *precision == Precision::Observed && event.precision == Precision::Exact;
        let mut merged = known.clone();
        let adds = json!({});
        let differs = !merge(&mut merged, &body);
        if differs || (merged == *known && !exact) {
            return;
        }
        let body = EventBody::Corroborated(Corroborated {
            event_id: event.id,
            position: 0,
            adds: if merged == *known { adds } else { body },
            occurred_at: exact.then_some(event.occurred_at),
            subject: None,
        });
        *known = merged;
        if exact {
            *precision = Precision::Exact;
        }
        self.stored.push(Event {
            id: NaturalKey::new("more")
                .with(&self.stored.len().to_string())
                .id(),
            stream: StreamName::ledger(),
            precision: Precision::Exact,
            body,
            correlation: Correlation::default(),
            ..event
        });
    }

    fn read(&self) -> Known {
        let mut known = Known::new();
        for event in &self.stored {
            known.learn(event);
        }
        known
    }
}

/// Adds what is missing; false when something differs.
fn merge(old: &mut Value, new: &Value) -> bool {
    let empty = |value: &Value| {
        matches!(value, Value::Null)
            || *value == json!("")
            || *value == json!([])
            || *value == json!({})
    };
    if empty(new) || old == new {
        return true;
    }
    if empty(old) {
        *old = new.clone();
        return true;
    }
    let (Value::Object(fields), Value::Object(more)) = (&mut *old, new) else {
        return false;
    };
    more.iter()
        .all(|(name, value)| merge(fields.entry(name.clone()).or_insert(Value::Null), value))
}

fn shuffled() -> impl Strategy<Value = (Vec<usize>, u16)> {
    let indices: Vec<usize> = (0..10).collect();
    (Just(indices).prop_shuffle(), any::<u16>())
}

/// Imports steps one after the other; how many events were stored.
fn import(known: &mut Known, book: &mut Book, steps: &[Step]) -> usize {
    let before = book.stored.len();
    for step in steps {
        for event in run(known, step) {
            book.append(event);
        }
    }
    book.stored.len() - before
}

/// The steps of a month in the given order; the snapshots always, of the audit records a subset.
fn chosen(order: &[usize], parts: u16) -> Vec<Step> {
    let (audits, snapshots) = month();
    let steps: Vec<Step> = audits.into_iter().chain(snapshots).collect();
    order
        .iter()
        .filter(|index| **index >= 8 || parts & (1 << **index) != 0)
        .map(|index| steps[*index].clone())
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn any_part_of_the_audit_log_and_both_snapshots_end_the_same_in_any_order((order, parts) in shuffled()) {
        let steps = chosen(&order, parts);
        let (mut known, mut book) = (Known::new(), Book::default());
        for step in &steps {
            let step = std::slice::from_ref(step);
            import(&mut known, &mut book, step);
            prop_assert_eq!(import(&mut known, &mut book, step), 0, "twice is once");
        }
        let mut plain = Known::new();
        import(&mut plain, &mut Book::default(), &month().1);
        prop_assert_eq!(end_state(&known), end_state(&plain));
        prop_assert_eq!(&book.read(), &known, "what is read back is what was learned");
        // A snapshot that found everything as known leaves no trace. If an older record then
        // contradicts it, importing it again says so, once.
        import(&mut known, &mut book, &steps);
        prop_assert_eq!(import(&mut known, &mut book, &steps), 0);
        prop_assert_eq!(end_state(&known), end_state(&plain));
    }

    #[test]
    fn the_whole_audit_log_in_any_order_needs_no_second_import((order, _) in shuffled()) {
        let steps = chosen(&order, u16::MAX);
        let (mut known, mut book) = (Known::new(), Book::default());
        import(&mut known, &mut book, &steps);
        prop_assert_eq!(import(&mut known, &mut book, &steps), 0);
    }

    #[test]
    fn records_in_order_of_time_need_no_second_import(parts in any::<u16>()) {
        let order = [0, 1, 2, 3, 8, 4, 5, 6, 7, 9];
        let mut steps = chosen(&order, parts);
        let (mut known, mut book) = (Known::new(), Book::default());
        import(&mut known, &mut book, &steps);
        prop_assert_eq!(import(&mut known, &mut book, &steps), 0);
        steps.reverse();
        prop_assert_eq!(import(&mut known, &mut book, &steps), 0);
    }
}

#[test]
fn an_object_seen_after_a_deletion_learned_late_has_been_restored() {
    let (mut known, mut book) = (Known::new(), Book::default());
    let seen = month().1.remove(1);
    import(&mut known, &mut book, std::slice::from_ref(&seen));
    let target = json!([{"id": "o-1", "type": "ServicePrincipal", "modifiedProperties": []}]);
    let deleted = audit(5, "Remove service principal", target);
    assert_eq!(
        import(&mut known, &mut book, std::slice::from_ref(&deleted)),
        2
    );
    let stream = StreamName::service_principal("t-1", "o-1");
    assert!(!known.view(&stream, day(6)).exists);
    assert!(known.view(&stream, day(20)).exists);
    assert_eq!(import(&mut known, &mut book, &[deleted, seen]), 0);
}

#[test]
fn what_does_not_concern_the_fold_is_not_learned() {
    let mut known = Known::new();
    let event = Event {
        id: NaturalKey::new("activity").id(),
        stream: StreamName::service_principal("t-1", "o-1"),
        occurred_at: day(1),
        precision: Precision::Exact,
        body: EventBody::SignedIn(ledger::event::activity::SignIn::default()),
        source: source("graph/servicePrincipalSignIn"),
        correlation: Correlation::default(),
        actor: None,
        private: None,
    };
    assert_eq!(known.learn(&event), Learned::Nothing);
    assert!(known.is_empty());
}

#[test]
fn a_record_name_tells_time_and_lists_of_its_snapshot() {
    let told = Told::parse("o-1@2026-10-07T12:00:00Z+secrets+owners").unwrap();
    assert_eq!(told.at, day(7));
    assert!(told.lists.contains("owners"));
    assert_eq!(Told::parse("Directory_1_2"), None);
    assert_eq!(Told::parse("ada@example.com"), None);
}
