use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::sample::{
    app, at, event, marker, own, owner, policy, policy_stream, secret, secret_removed, sign_in, sp,
    updated,
};
use ledger::event::EventBody;

/// Histories of a few identities, an application and a policy over some weeks.
fn histories() -> impl Strategy<Value = Vec<Recorded>> {
    let one = (0..4_u8, 0..400_i64, 0..9_u8, 0..3_u8);
    prop::collection::vec(one, 0..60).prop_map(|told| {
        (0..)
            .zip(&told)
            .map(|(position, (who, step, kind, detail))| {
                let detail = detail.to_string();
                let (stream, body) = match kind {
                    0 => (sp(&who.to_string()), own(&detail)),
                    1 => (
                        sp(&who.to_string()),
                        updated("displayName", None, Some(json!(detail))),
                    ),
                    2 => (sp(&who.to_string()), secret(&detail)),
                    3 => (sp(&who.to_string()), secret_removed(&detail)),
                    4 => (app(&who.to_string()), EventBody::OwnerAdded(owner(&detail))),
                    5 => (policy_stream("p"), policy("p", "enabled", &[&detail], &[])),
                    6 => (sp(&who.to_string()), EventBody::IdentityDeleted(marker())),
                    7 => (
                        sp(&who.to_string()),
                        EventBody::SignInFailed(sign_in(position, None, None)),
                    ),
                    _ => (
                        sp(&who.to_string()),
                        EventBody::SignedIn(sign_in(position, Some(&detail), Some(&detail))),
                    ),
                };
                let when = at("2026-09-01T00:00:00Z")
                    .checked_add(jiff::SignedDuration::from_hours(*step))
                    .unwrap();
                event(position, &stream, when, body)
            })
            .collect()
    })
}

fn gathered(events: &[Recorded]) -> Gathered {
    let mut gathered = Gathered::new();
    for recorded in events {
        gathered.push(recorded);
    }
    gathered
}

proptest! {
    #[test]
    fn a_history_read_in_parts_is_the_history_read_at_once(
        events in histories(),
        cut in 0..60_usize,
    ) {
        let (a, b) = events.split_at(cut.min(events.len()));
        let mut parts = gathered(a);
        parts.merge(gathered(b));
        let whole = gathered(&events);
        prop_assert_eq!(parts.cutoff(), whole.cutoff());
        prop_assert_eq!(parts.encode().unwrap(), whole.encode().unwrap());
        let (parts, whole) = (parts.fold(), whole.fold());
        prop_assert_eq!(parts.0, whole.0);
        prop_assert_eq!(parts.1.encode(), whole.1.encode());
    }

    #[test]
    fn what_was_kept_goes_on_as_if_it_had_never_stopped(
        events in histories(),
        cut in 0..60_usize,
    ) {
        let (a, b) = events.split_at(cut.min(events.len()));
        let bytes = gathered(a).encode().unwrap().concat();
        let mut kept = Gathered::decode(&bytes).unwrap();
        prop_assert_eq!(kept.encode().unwrap().concat(), bytes);
        for recorded in b {
            kept.push(recorded);
        }
        let whole = gathered(&events);
        prop_assert_eq!(kept.size(), whole.size());
        prop_assert_eq!(kept.cutoff(), whole.cutoff());
        prop_assert_eq!(kept.fold().0, whole.fold().0);
    }

    #[test]
    fn no_bytes_panic(events in histories(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = gathered(&events).encode().unwrap().concat();
        let index = at.index(bytes.len());
        bytes[index] = byte;
        let _read = Gathered::decode(&bytes);
        let _read = Gathered::decode(&bytes[..index]);
    }
}
