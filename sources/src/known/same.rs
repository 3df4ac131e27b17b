//! Finds the known fact that a differently named event reports again.

use jiff::{SignedDuration, Timestamp};
use ledger::event::{Event, EventBody, EventId, Precision};

use super::Fact;

/// Two logs of one change are this close in time: services of Entra log within seconds of each
/// other, and a snapshot's `createdDateTime` is set by the same call that is audited.
const TWIN_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// The nearest fact that states the same change.
pub(super) fn find<'a>(
    facts: &[(EventId, &'a Fact)],
    event: &Event,
) -> Option<(EventId, &'a Fact)> {
    facts
        .iter()
        .filter(|(_, fact)| same(&fact.body, &event.body) && meets(facts, fact, event))
        .min_by_key(|(id, fact)| (gap(fact.at, event.occurred_at), *id))
        .map(|(id, fact)| (*id, *fact))
}

fn gap(one: Timestamp, other: Timestamp) -> SignedDuration {
    one.duration_since(other).abs()
}

/// Whether the times allow fact and event to be one change.
fn meets(facts: &[(EventId, &Fact)], fact: &Fact, event: &Event) -> bool {
    let at = event.occurred_at;
    if undone_between(facts, fact, event) {
        return false;
    }
    // A snapshot that knows no time of creation says only that it happened by then.
    let open_ended = fact.precision == Precision::Observed && fact.at == fact.seen;
    gap(fact.at, at) <= TWIN_WITHIN || (open_ended && at <= fact.at)
}

/// Whether the opposite happened between the two times: then they are two changes.
fn undone_between(facts: &[(EventId, &Fact)], fact: &Fact, event: &Event) -> bool {
    let (from, to) = if fact.at <= event.occurred_at {
        (fact.at, event.occurred_at)
    } else {
        (event.occurred_at, fact.at)
    };
    facts
        .iter()
        .any(|(_, other)| from <= other.at && other.at <= to && opposite(&other.body, &event.body))
}

/// Whether two bodies state the same change of the same thing.
fn same(one: &EventBody, other: &EventBody) -> bool {
    use EventBody as B;
    match (one, other) {
        (B::IdentityEnabled(_), B::IdentityEnabled(_))
        | (B::IdentityDisabled(_), B::IdentityDisabled(_))
        | (B::IdentityDeleted(_), B::IdentityDeleted(_))
        | (B::IdentityRestored(_), B::IdentityRestored(_))
        | (B::IdentityPurged(_), B::IdentityPurged(_))
        | (B::AccessPolicyCreated(_), B::AccessPolicyCreated(_))
        | (B::AccessPolicyDeleted(_), B::AccessPolicyDeleted(_))
        | (B::LocationCreated(_), B::LocationCreated(_))
        | (B::LocationDeleted(_), B::LocationDeleted(_)) => true,
        (B::AccessPolicyUpdated(a), B::AccessPolicyUpdated(b)) => a.new == b.new,
        (B::LocationUpdated(a), B::LocationUpdated(b)) => a.new == b.new,
        (B::CredentialRemoved(a), B::CredentialRemoved(b)) => a.key_id == b.key_id,
        (B::OwnerAdded(a), B::OwnerAdded(b)) | (B::OwnerRemoved(a), B::OwnerRemoved(b)) => {
            a.owner.id == b.owner.id
        }
        _ => same_grant(one, other),
    }
}

fn same_grant(one: &EventBody, other: &EventBody) -> bool {
    use EventBody as B;
    match (one, other) {
        (B::AppRoleGranted(a), B::AppRoleGranted(b))
        | (B::AppRoleRevoked(a), B::AppRoleRevoked(b)) => {
            (&a.resource_id, &a.role_id) == (&b.resource_id, &b.role_id)
        }
        (B::DelegatedGranted(a), B::DelegatedGranted(b))
        | (B::DelegatedRevoked(a), B::DelegatedRevoked(b)) => {
            (&a.resource_id, a.all_principals, &a.scopes)
                == (&b.resource_id, b.all_principals, &b.scopes)
                && (a.grant_id.is_none() || b.grant_id.is_none() || a.grant_id == b.grant_id)
        }
        (B::RoleAssigned(a), B::RoleAssigned(b)) | (B::RoleRemoved(a), B::RoleRemoved(b)) => {
            (&a.role_definition_id, &a.scope, a.assignment)
                == (&b.role_definition_id, &b.scope, b.assignment)
        }
        _ => false,
    }
}

/// Whether one body undoes what the other states.
fn opposite(one: &EventBody, other: &EventBody) -> bool {
    use EventBody as B;
    match (one, other) {
        (B::IdentityEnabled(_), B::IdentityDisabled(_))
        | (B::IdentityDisabled(_), B::IdentityEnabled(_))
        | (B::IdentityDeleted(_), B::IdentityRestored(_))
        | (B::IdentityRestored(_), B::IdentityDeleted(_)) => true,
        (B::AccessPolicyUpdated(a), B::AccessPolicyUpdated(b)) => a.new != b.new,
        (B::LocationUpdated(a), B::LocationUpdated(b)) => a.new != b.new,
        (B::CredentialAdded(a), B::CredentialRemoved(b))
        | (B::CredentialRemoved(b), B::CredentialAdded(a)) => a.credential.key_id == b.key_id,
        (B::OwnerAdded(a), B::OwnerRemoved(b)) | (B::OwnerRemoved(a), B::OwnerAdded(b)) => {
            a.owner.id == b.owner.id
        }
        (B::AppRoleGranted(a), B::AppRoleRevoked(b))
        | (B::AppRoleRevoked(a), B::AppRoleGranted(b)) => {
            (&a.resource_id, &a.role_id) == (&b.resource_id, &b.role_id)
        }
        (B::DelegatedGranted(a), B::DelegatedRevoked(b))
        | (B::DelegatedRevoked(a), B::DelegatedGranted(b)) => {
            a.resource_id == b.resource_id && a.scopes.iter().any(|scope| b.scopes.contains(scope))
        }
        (B::RoleAssigned(a), B::RoleRemoved(b)) | (B::RoleRemoved(a), B::RoleAssigned(b)) => {
            (&a.role_definition_id, &a.scope, a.assignment)
                == (&b.role_definition_id, &b.scope, b.assignment)
        }
        _ => false,
    }
}
