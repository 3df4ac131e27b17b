use jiff::Timestamp;
use ledger::event::book::{Corroborated, Imported, RecordCounts};
use ledger::event::grant::Delegated;
use ledger::event::{EventBody, Precision, Recorded, StreamName};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::sample::{
    app, at, event, marker, own, owner, policy, policy_deleted, policy_stream, registered, secret,
    secret_removed, sign_in, sp, state, updated,
};

type Told = (u8, i64, u8, u8);

fn told() -> impl Strategy<Value = (Vec<Told>, Vec<usize>)> {
    prop::collection::vec((0..3_u8, 0..20_i64, 0..14_u8, 0..2_u8), 1..40).prop_flat_map(|told| {
        let order: Vec<usize> = (0..told.len()).collect();
        (Just(told), Just(order).prop_shuffle())
    })
}

fn instant(step: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + step * 86_400).unwrap()
}

fn body(kind: u8, detail: u8) -> EventBody {
    let name = ["a", "b"][usize::from(detail)];
    match kind {
        0 => own(name),
        1 => updated("displayName", None, Some(json!(name))),
        2 => EventBody::IdentityEnabled(marker()),
        3 => EventBody::IdentityDisabled(marker()),
        4 => EventBody::IdentityDeleted(marker()),
        5 => EventBody::IdentityRestored(marker()),
        6 => EventBody::OwnerAdded(owner(name)),
        7 => EventBody::OwnerRemoved(owner(name)),
        8 => secret(name),
        9 => secret_removed(name),
        10 => policy("p", "enabled", &[name], &[]),
        11 => policy_deleted("p"),
        12 => EventBody::SignedIn(sign_in(u64::from(detail), Some(name), Some(name))),
        _ => EventBody::SignInFailed(sign_in(u64::from(detail), None, None)),
    }
}

fn stream_of(who: u8, kind: u8) -> StreamName {
    if (10..12).contains(&kind) {
        policy_stream("p")
    } else {
        sp(&who.to_string())
    }
}

/// The events, each once, in the order given.
fn events(told: &[Told], order: &[usize]) -> Vec<Recorded> {
    let mut all = told.to_vec();
    all.sort_unstable();
    all.dedup_by_key(|(who, step, kind, detail)| (stream_of(*who, *kind), *step, *kind, *detail));
    let mut seen = std::collections::BTreeSet::new();
    let chosen: Vec<Told> = order
        .iter()
        .filter_map(|index| all.get(*index).copied())
        .filter(|(who, step, kind, detail)| {
            seen.insert((stream_of(*who, *kind), *step, *kind, *detail))
        })
        .collect();
    (0_u64..)
        .zip(chosen)
        .map(|(position, (who, step, kind, detail))| {
            event(
                position,
                &stream_of(who, kind),
                instant(step),
                body(kind, detail),
            )
        })
        .collect()
}

/// The state's text without positions.
fn unplaced(state: &State) -> String {
    let mut text = format!("{state:#?}");
    for list in ["opened: [", "closed: ["] {
        let mut rest = std::mem::take(&mut text);
        while let Some(start) = rest.find(list) {
            let end = start + rest[start..].find(']').unwrap();
            text.push_str(&rest[..start]);
            rest = rest[end..].to_owned();
        }
        text.push_str(&rest);
    }
    text.lines()
        .filter(|line| !line.trim_start().starts_with("position: "))
        .collect::<Vec<_>>()
        .join("\n")
}

/// What held at an instant according to a plain loop over the events in the order they happened.
fn oracle(
    events: &[Recorded],
    stream: &StreamName,
    at: Timestamp,
) -> (bool, Vec<String>, Vec<String>) {
    let mut sorted: Vec<&Recorded> = events
        .iter()
        .filter(|one| one.event.stream == *stream)
        .collect();
    sorted.sort_by_key(|one| {
        (
            one.event.occurred_at,
            one.event.body.event_type(),
            one.event.id,
        )
    });
    let first = sorted.first().map(|one| one.event.occurred_at);
    let deleted_first = sorted
        .iter()
        .find(|one| !one.event.body.event_type().is_activity());
    let mut exists = first.is_some_and(|first| first <= at);
    if deleted_first.is_some_and(|one| {
        matches!(one.event.body, EventBody::IdentityRestored(_)) && at < one.event.occurred_at
    }) {
        exists = false;
    }
    let (mut owners, mut keys) = (Vec::new(), Vec::new());
    for one in sorted.iter().filter(|one| one.event.occurred_at <= at) {
        match &one.event.body {
            EventBody::IdentityDeleted(_) => exists = false,
            EventBody::IdentityRegistered(_) | EventBody::IdentityRestored(_) => exists = true,
            EventBody::OwnerAdded(told) => owners.push(told.owner.id.clone()),
            EventBody::OwnerRemoved(told) => owners.retain(|id| *id != told.owner.id),
            EventBody::CredentialAdded(told) => keys.push(told.credential.key_id.clone()),
            EventBody::CredentialRemoved(told) => keys.retain(|id| *id != told.key_id),
            _ => {}
        }
    }
    for list in [&mut owners, &mut keys] {
        list.sort_unstable();
        list.dedup();
    }
    (exists, owners, keys)
}

proptest! {
    #[test]
    fn another_import_order_gives_the_same_state((told, order) in told()) {
        let straight: Vec<usize> = (0..told.len()).collect();
        let one = state(&events(&told, &straight));
        let other = state(&events(&told, &order));
        prop_assert_eq!(unplaced(&one), unplaced(&other));
    }

    #[test]
    fn state_says_what_a_plain_loop_says((told, order) in told(), step in -1..21_i64) {
        let events = events(&told, &order);
        let state = state(&events);
        let at = instant(step);
        for (stream, subject) in &state.identities {
            let mut owners: Vec<String> = subject.owners_at(at).map(|span| span.value.id.clone()).collect();
            let mut keys: Vec<String> = subject.credentials_at(at).map(|span| span.value.key_id.clone()).collect();
            owners.sort_unstable();
            keys.sort_unstable();
            prop_assert_eq!((subject.exists_at(at), owners, keys), oracle(&events, stream, at));
        }
    }

    #[test]
    fn spans_are_in_order_and_cite_what_opened_them((told, order) in told()) {
        let events = events(&told, &order);
        let state = state(&events);
        for subject in state.identities.values() {
            for span in &subject.existence {
                prop_assert!(!span.opened.is_empty());
                prop_assert!(span.to.is_none_or(|to| span.from < to));
            }
            for pair in subject.classes.windows(2) {
                prop_assert_eq!(pair[0].to, Some(pair[1].from));
            }
        }
    }
}

#[test]
fn a_later_record_gives_the_exact_time_and_what_was_missing() {
    let mut added = event(3, &sp("x"), at("2026-11-20T00:00:00Z"), secret("k"));
    added.event.precision = Precision::Observed;
    let more = event(
        9,
        &StreamName::ledger(),
        at("2026-11-21T00:00:00Z"),
        EventBody::Corroborated(Corroborated {
            event_id: added.event.id,
            position: 3,
            adds: json!({"credential": {"ends_at": "2027-01-01T00:00:00Z"}}),
            occurred_at: Some(at("2026-11-02T08:00:00Z")),
            subject: None,
        }),
    );
    let state = state(&[added, more]);
    let span = &state.identities[&sp("x")].credentials[0];
    assert_eq!(span.from, at("2026-11-02T08:00:00Z"));
    assert_eq!(span.value.ends_at, Some(at("2027-01-01T00:00:00Z")));
    assert_eq!(span.opened, [3, 9]);
}

#[test]
fn the_old_value_of_a_change_held_since_creation() {
    let state = state(&[
        event(
            0,
            &sp("x"),
            at("2026-11-10T00:00:00Z"),
            registered(
                ObjectKind::ServicePrincipal,
                &json!({"createdDateTime": "2025-01-01T00:00:00Z"}),
            ),
        ),
        event(
            1,
            &sp("x"),
            at("2026-11-11T00:00:00Z"),
            updated("displayName", Some(json!("old")), Some(json!("new"))),
        ),
        event(
            2,
            &sp("x"),
            at("2026-11-12T00:00:00Z"),
            EventBody::IdentityDisabled(marker()),
        ),
    ]);
    let subject = &state.identities[&sp("x")];
    assert_eq!(subject.display_name(at("2025-06-01T00:00:00Z")), "old");
    assert_eq!(subject.display_name(at("2026-11-11T00:00:00Z")), "new");
    assert!(subject.exists_at(at("2025-01-01T00:00:00Z")));
    assert!(subject.enabled_at(at("2026-11-11T23:59:59Z")));
    assert!(!subject.enabled_at(at("2026-11-12T00:00:00Z")));
}

#[test]
fn classes_follow_owner_audience_and_kind() {
    let class = |attributes: Value| {
        let state = state(&[event(
            0,
            &sp("x"),
            at("2026-11-10T00:00:00Z"),
            registered(ObjectKind::ServicePrincipal, &attributes),
        )]);
        state.identities[&sp("x")].class(at("2026-11-11T00:00:00Z"))
    };
    let tenant = crate::sample::TENANT;
    assert_eq!(
        class(json!({"appOwnerOrganizationId": tenant, "signInAudience": "AzureADMyOrg"})),
        IdentityClass::SingleTenant
    );
    assert_eq!(
        class(json!({"appOwnerOrganizationId": tenant, "signInAudience": "AzureADMultipleOrgs"})),
        IdentityClass::MultiTenant
    );
    assert_eq!(
        class(json!({"appOwnerOrganizationId": tenant})),
        IdentityClass::Unclassified
    );
    assert_eq!(
        class(json!({"appOwnerOrganizationId": "22222222-2222-4222-8222-222222222222"})),
        IdentityClass::ThirdParty
    );
    assert_eq!(
        class(json!({"appOwnerOrganizationId": MICROSOFT_TENANTS[0].to_uppercase()})),
        IdentityClass::Microsoft
    );
    assert_eq!(
        class(json!({"servicePrincipalType": "ManagedIdentity"})),
        IdentityClass::ManagedIdentity
    );
    assert_eq!(
        class(
            json!({"odataType": "#microsoft.graph.agentIdentity", "appOwnerOrganizationId": tenant})
        ),
        IdentityClass::Agent
    );
    assert_eq!(
        class(json!({"servicePrincipalType": "Legacy", "appOwnerOrganizationId": tenant})),
        IdentityClass::Unclassified
    );
}

#[test]
fn an_application_here_makes_an_identity_ones_own_and_brings_its_credentials() {
    let noon = at("2026-11-10T12:00:00Z");
    let state = state(&[
        event(
            0,
            &sp("x"),
            noon,
            registered(ObjectKind::ServicePrincipal, &json!({"appId": "A"})),
        ),
        event(
            1,
            &app("o"),
            noon,
            registered(
                ObjectKind::Application,
                &json!({"appId": "A", "signInAudience": "AzureADMyOrg"}),
            ),
        ),
        event(2, &app("o"), noon, secret("k")),
    ]);
    let identity = state.find("a")[0];
    assert_eq!(identity.class(noon), IdentityClass::SingleTenant);
    assert_eq!(state.credentials_of(identity, noon)[0].value.key_id, "k");
    assert_eq!(identity.class_span(noon).unwrap().opened, [0, 1]);
}

#[test]
fn the_longest_silence_is_told_by_its_two_sign_ins() {
    let one = |position, text| {
        event(
            position,
            &sp("x"),
            at(text),
            EventBody::SignedIn(sign_in(position, None, None)),
        )
    };
    let state = state(&[
        one(0, "2026-01-01T00:00:00Z"),
        one(1, "2026-09-01T00:00:00Z"),
        one(2, "2026-01-20T00:00:00Z"),
        one(3, "2026-11-20T00:00:00Z"),
    ]);
    let (before, after) = state.identities[&sp("x")].activity.woke.unwrap();
    assert_eq!((before.position, after.position), (2, 1));
}

#[test]
fn scopes_of_a_delegated_grant_grow_and_shrink() {
    let grant = |scopes: &[&str]| Delegated {
        grant_id: None,
        client_id: "x".into(),
        resource_id: "r".into(),
        all_principals: true,
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
    };
    let state = state(&[
        event(
            0,
            &sp("x"),
            at("2026-11-01T00:00:00Z"),
            EventBody::DelegatedGranted(grant(&["a"])),
        ),
        event(
            1,
            &sp("x"),
            at("2026-11-02T00:00:00Z"),
            EventBody::DelegatedGranted(grant(&["b"])),
        ),
        event(
            2,
            &sp("x"),
            at("2026-11-03T00:00:00Z"),
            EventBody::DelegatedRevoked(grant(&["a"])),
        ),
        event(
            3,
            &sp("x"),
            at("2026-11-04T00:00:00Z"),
            EventBody::DelegatedRevoked(grant(&["b"])),
        ),
    ]);
    let subject = &state.identities[&sp("x")];
    let scopes = |text: &str| -> Vec<String> {
        subject
            .delegated_at(at(text))
            .flat_map(|span| span.value.scopes.clone())
            .collect()
    };
    assert_eq!(scopes("2026-11-01T12:00:00Z"), ["a"]);
    assert_eq!(scopes("2026-11-02T12:00:00Z"), ["a", "b"]);
    assert_eq!(scopes("2026-11-03T12:00:00Z"), ["b"]);
    assert!(scopes("2026-11-04T12:00:00Z").is_empty());
}

#[test]
fn a_file_of_known_records_still_speaks_for_its_source() {
    let imported = Imported {
        digest: String::new(),
        counts: RecordCounts::default(),
        window: Some((at("2026-11-01T00:00:00Z"), at("2026-11-09T00:00:00Z"))),
        categories: [("graph/servicePrincipal".to_owned(), 5)].into(),
        skipped: BTreeMap::new(),
    };
    let state = state(&[
        event(0, &sp("x"), at("2026-11-01T00:00:00Z"), own("n")),
        event(
            1,
            &StreamName::ledger(),
            at("2026-11-24T00:00:00Z"),
            EventBody::Imported(imported),
        ),
    ]);
    let coverage = state
        .covered_by(crate::sample::TENANT, "graph/servicePrincipal")
        .unwrap();
    assert_eq!(coverage.last.at, at("2026-11-09T00:00:00Z"));
    assert_eq!(state.latest, Some(at("2026-11-01T00:00:00Z")));
    assert_eq!(state.tenants(), [crate::sample::TENANT]);
}
