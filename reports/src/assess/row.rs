//! One line per identity, worst first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use ledger::event::credential::CredentialKind;
use ledger::event::grant::{Delegated, Role, RoleAssignmentKind};
use ledger::event::identity::ObjectKind;

use super::Assessment;
use crate::facts::{Held, Identity};
use crate::finding::Severity;
use crate::health::{CredentialRow, IdentityRow};

/// Worst severity and number of findings by subject.
pub(super) fn worst_by_subject<'f>(
    assessment: &'f Assessment<'_>,
) -> BTreeMap<&'f str, (Severity, u32)> {
    let mut worst: BTreeMap<&str, (Severity, u32)> = BTreeMap::new();
    for finding in assessment.findings() {
        let entry = worst
            .entry(&finding.subject)
            .or_insert((finding.severity, 0));
        entry.0 = entry.0.max(finding.severity);
        entry.1 = entry.1.saturating_add(1);
    }
    worst
}

/// Rows of the identities in scope, and of Microsoft's own with a finding: those with a finding
/// worst first, then the others by name.
pub(super) fn rows(assessment: &Assessment<'_>) -> Vec<IdentityRow> {
    let worst = worst_by_subject(assessment);
    let mut rows: Vec<IdentityRow> = assessment
        .facts
        .identities
        .iter()
        .filter(|identity| identity.in_scope() || worst.contains_key(identity.stream.as_str()))
        .map(|identity| row(identity, worst.get(identity.stream.as_str()).copied()))
        .collect();
    rows.sort_by(|a, b| {
        let rank = |row: &IdentityRow| match row.worst {
            Some(severity) => (0, Reverse(Some(severity)), row.tier, Reverse(row.findings)),
            None => (1, Reverse(None), 0, Reverse(0)),
        };
        (rank(a), &a.name, &a.stream).cmp(&(rank(b), &b.name, &b.stream))
    });
    rows
}

fn row(identity: &Identity<'_>, worst: Option<(Severity, u32)>) -> IdentityRow {
    let mut owners: Vec<String> = identity
        .owners
        .iter()
        .map(|span| span.value.id.clone())
        .collect();
    owners.sort();
    owners.dedup();
    IdentityRow {
        stream: identity.stream.as_str().to_owned(),
        object_id: identity.subject.object_id.clone(),
        name: identity.name.to_owned(),
        class: identity.class.as_str().to_owned(),
        tier: identity.tier.level(),
        tier_reason: identity.tier.reason(),
        worst: worst.map(|(severity, _)| severity),
        findings: worst.map_or(0, |(_, count)| count),
        owners,
        last_used: identity.last_use.time(),
        enabled: identity.enabled,
        credentials: identity.credentials.iter().map(credential).collect(),
        grants: grants(identity),
        evidence: evidence(identity),
    }
}

fn credential(held: &Held<'_>) -> CredentialRow {
    let credential = held.credential();
    let kind = match credential.kind {
        CredentialKind::Secret => "secret",
        CredentialKind::Certificate => "certificate",
        CredentialKind::SymmetricKey => "symmetric_key",
        CredentialKind::Federated => "federated",
    };
    let origin = match credential.origin {
        ObjectKind::Application => "application",
        ObjectKind::ServicePrincipal => "service_principal",
    };
    CredentialRow {
        key_id: credential.key_id.clone(),
        kind: kind.to_owned(),
        origin: origin.to_owned(),
        starts_at: credential.starts_at,
        ends_at: credential.ends_at,
        last_used: held.last_use.time(),
    }
}

fn grants(identity: &Identity<'_>) -> Vec<String> {
    let app_roles = identity.app_roles.iter().map(|span| {
        let role = &span.value;
        let value = role.role_value.as_ref().unwrap_or(&role.role_id);
        match role.resource_name.as_deref() {
            Some(resource) => format!("{value} ({resource})"),
            None => value.clone(),
        }
    });
    let delegated = identity
        .delegated
        .iter()
        .map(|span| delegated_in_words(&span.value));
    let roles = identity.roles.iter().map(|span| role_in_words(&span.value));
    let words: BTreeSet<String> = app_roles.chain(delegated).chain(roles).collect();
    words.into_iter().collect()
}

fn delegated_in_words(grant: &Delegated) -> String {
    let whom = if grant.all_principals {
        "for every user"
    } else {
        "for some users"
    };
    format!("delegated {whom}: {}", grant.scopes.join(" "))
}

fn role_in_words(role: &Role) -> String {
    let name = role.role_name.as_ref().unwrap_or(&role.role_definition_id);
    let how = match role.assignment {
        RoleAssignmentKind::Active => "directory role",
        RoleAssignmentKind::Eligible => "eligible directory role",
    };
    if role.scope == "/" {
        format!("{name} ({how})")
    } else {
        format!("{name} ({how} on {})", role.scope)
    }
}

fn evidence(identity: &Identity<'_>) -> Vec<u64> {
    let mut positions: BTreeSet<u64> = BTreeSet::new();
    positions.insert(identity.registered());
    positions.extend(identity.enabled_evidence());
    positions.extend(
        identity
            .credentials
            .iter()
            .flat_map(|held| held.proof(true)),
    );
    positions.extend(identity.owners.iter().flat_map(|span| &span.opened));
    positions.extend(identity.grant_evidence());
    positions.extend(identity.risk.into_iter().flat_map(|span| &span.opened));
    positions.extend(identity.last_use.position());
    positions.into_iter().collect()
}
