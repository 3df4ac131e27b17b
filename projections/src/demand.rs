//! Licence demand: when an identity was covered by a premium feature, could be, or was assigned one.
//!
//! The predicates and the counting rule are those of Microsoft's published statements on Workload
//! ID: only service principals of the first category need a licence; Microsoft's own apps and
//! agent identities never do; managed identities only under access reviews, which are not read yet.

mod filter;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use ledger::event::policy::AccessPolicy;
use ledger::event::{Position, StreamName};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use self::filter::Filter;
use crate::state::{IdentityClass, Seen, Span, State, Subject, intersect, union};

/// A premium feature that covers an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Predicate {
    /// An enabled or report-only Conditional Access policy targets it (single-tenant only).
    Ca,
    /// Identity Protection's risk detail on it was delivered, so it was paid for and read.
    Risk,
}

impl Predicate {
    /// The predicate's name in tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ca => "ca",
            Self::Risk => "risk",
        }
    }
}

/// Why an identity can never be counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExclusionReason {
    /// An app of Microsoft's own.
    MicrosoftApp,
    /// A managed identity; only access reviews would count it.
    ManagedIdentity,
    /// An agent identity, licensed per user.
    Agent,
    /// Its class cannot be told from what was imported.
    Unclassified,
}

impl ExclusionReason {
    /// The reason in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::MicrosoftApp => "a Microsoft app is never counted",
            Self::ManagedIdentity => "a managed identity counts only under access reviews",
            Self::Agent => "an agent identity is licensed per user",
            Self::Unclassified => {
                "owner organisation or sign-in audience is not known: import service principals and applications"
            }
        }
    }
}

/// An identity that was of a class that is never counted, all the time it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exclusion {
    /// Why.
    pub reason: ExclusionReason,
    /// Events that say so, ascending.
    pub evidence: Vec<Position>,
}

/// What one identity demands of licences, over time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Demand {
    /// Spans in which a predicate held while the identity existed and was eligible for it; spans
    /// of one predicate do not overlap, those of two may. By predicate, then time.
    pub covered: Vec<Span<Predicate>>,
    /// Spans in which it existed in a class that can need a licence. In order of time, no overlap.
    pub eligible: Vec<Span<()>>,
    /// Spans in which a licence was assigned to it in the ledger. In order of time, no overlap.
    pub assigned: Vec<Span<()>>,
    /// Set when it was never eligible.
    pub exclusion: Option<Exclusion>,
}

/// The demand of one identity. For many, [`all`] is faster.
pub fn of(state: &State, identity: &Subject) -> Demand {
    let targets = Targets::of(state);
    demand(&targets, identity)
}

/// The demand of every identity.
pub fn all(state: &State) -> BTreeMap<StreamName, Demand> {
    let targets = Targets::of(state);
    let identities: Vec<_> = state.identities.iter().collect();
    let demands: Vec<_> = identities
        .into_par_iter()
        .map(|(stream, identity)| (stream.clone(), demand(&targets, identity)))
        .collect();
    demands.into_iter().collect()
}

fn demand(targets: &Targets<'_>, identity: &Subject) -> Demand {
    let mut covered: Vec<Span<Predicate>> = union(targets.on(identity))
        .into_iter()
        .chain(union(risk(identity)))
        .collect();
    covered.sort_by_key(|span| (span.value, span.from));
    let eligible = existing_as(identity, IdentityClass::can_need_licence);
    let exclusion = eligible.is_empty().then(|| exclusion(identity)).flatten();
    let assigned = identity.assigned.iter().map(|span| Span {
        value: (),
        from: span.from,
        to: span.to,
        opened: span.opened.clone(),
        closed: span.closed.clone(),
    });
    Demand {
        covered,
        eligible: union(eligible),
        assigned: union(assigned.collect()),
        exclusion,
    }
}

/// Spans in which the identity existed in a class that passes, one per class span: not joined.
fn existing_as(identity: &Subject, passes: impl Fn(IdentityClass) -> bool) -> Vec<Span<()>> {
    identity
        .classes
        .iter()
        .filter(|class| passes(class.value))
        .flat_map(|class| {
            identity
                .existence
                .iter()
                .filter_map(|exists| intersect(class, exists, ()))
        })
        .collect()
}

fn exclusion(identity: &Subject) -> Option<Exclusion> {
    let last = identity.classes.last()?;
    let reason = match last.value {
        IdentityClass::Microsoft => ExclusionReason::MicrosoftApp,
        IdentityClass::ManagedIdentity => ExclusionReason::ManagedIdentity,
        IdentityClass::Agent => ExclusionReason::Agent,
        IdentityClass::Unclassified => ExclusionReason::Unclassified,
        IdentityClass::SingleTenant | IdentityClass::MultiTenant | IdentityClass::ThirdParty => {
            return None;
        }
    };
    Some(Exclusion {
        reason,
        evidence: last.evidence(),
    })
}

impl IdentityClass {
    /// Whether an identity of this class can need a licence: enterprise applications that are not
    /// Microsoft's own. Conditional Access needs [`IdentityClass::SingleTenant`] besides.
    pub fn can_need_licence(self) -> bool {
        matches!(
            self,
            Self::SingleTenant | Self::MultiTenant | Self::ThirdParty
        )
    }
}

/// Spans in which risk detail was consumed.
///
/// A risk level of low, medium or high holds until the next level. A tenant without the licence
/// gets `hidden`, which counts for nothing. A detection that was delivered with its level covers
/// the instant of its version, so at least that day: what goes on after it, the level tells.
fn risk(identity: &Subject) -> Vec<Span<Predicate>> {
    let levels = identity
        .risk
        .iter()
        .filter(|span| matches!(span.value.level.as_str(), "low" | "medium" | "high"))
        .map(|span| Span {
            value: (),
            from: span.from,
            to: span.to,
            opened: span.opened.clone(),
            closed: span.closed.clone(),
        });
    let detections = identity.detail_seen.iter().filter_map(instant);
    let consumed: Vec<Span<()>> = levels.chain(detections).collect();
    if consumed.is_empty() {
        return Vec::new();
    }
    existing_as(identity, IdentityClass::can_need_licence)
        .iter()
        .flat_map(|existing| {
            consumed
                .iter()
                .filter_map(|span| intersect(existing, span, Predicate::Risk))
        })
        .collect()
}

/// The shortest span there is: one microsecond, the precision of bills.
fn instant(seen: &Seen) -> Option<Span<()>> {
    let to = seen.at.checked_add(SignedDuration::from_micros(1)).ok()?;
    Some(Span {
        value: (),
        from: seen.at,
        to: Some(to),
        opened: vec![seen.position],
        closed: vec![seen.position],
    })
}

/// `includeServicePrincipals` value for every service principal owned by the tenant.
const ALL_IN_TENANT: &str = "ServicePrincipalsInMyTenant";

/// Spans of policies in force that are assigned to workload identities.
struct Targets<'a> {
    policies: Vec<Target<'a>>,
}

enum Narrowing {
    None,
    By(Filter),
    Unreadable,
}

impl Narrowing {
    fn of(filter: Option<&str>) -> Self {
        match filter.map(Filter::parse) {
            None => Self::None,
            Some(Some(filter)) => Self::By(filter),
            Some(None) => Self::Unreadable,
        }
    }
}

struct Target<'a> {
    tenant: &'a str,
    span: &'a Span<AccessPolicy>,
    all: bool,
    narrowing: Narrowing,
    include: BTreeSet<&'a str>,
    exclude: BTreeSet<&'a str>,
}

impl<'a> Targets<'a> {
    fn of(state: &'a State) -> Self {
        let policies = state
            .policies
            .iter()
            .filter_map(|(stream, spans)| Some((stream.entra_parts()?.0, spans)))
            .flat_map(|(tenant, spans)| spans.iter().map(move |span| (tenant, span)))
            .filter(|(_, span)| in_force(&span.value))
            .map(|(tenant, span)| {
                let policy = &span.value;
                let ids = |ids: &'a [String]| ids.iter().map(String::as_str).collect();
                let include: BTreeSet<&str> = ids(&policy.include_service_principals);
                Target {
                    tenant,
                    span,
                    all: include.contains(ALL_IN_TENANT),
                    narrowing: Narrowing::of(policy.filter.as_deref()),
                    include,
                    exclude: ids(&policy.exclude_service_principals),
                }
            })
            .collect();
        Self { policies }
    }

    /// Spans in which a policy targeted an identity that existed and was single-tenant.
    fn on(&self, identity: &Subject) -> Vec<Span<Predicate>> {
        let existing = existing_as(identity, |class| class == IdentityClass::SingleTenant);
        if existing.is_empty() {
            return Vec::new();
        }
        let mut spans = Vec::new();
        for target in &self.policies {
            for scope in target.scope(identity, &existing) {
                spans.extend(intersect(&scope, target.span, Predicate::Ca));
            }
        }
        spans
    }
}

impl Target<'_> {
    /// The parts of an identity's existence in which it is in scope. Exclusion beats inclusion. A
    /// filter takes in what matches beside the ids named, or leaves out what matches of them; one
    /// that cannot be read leaves only the ids named, or nobody.
    fn scope(&self, identity: &Subject, existing: &[Span<()>]) -> Vec<Span<()>> {
        let id = identity.object_id.as_str();
        if self.tenant != identity.tenant
            || self.exclude.contains(id)
            || self.exclude.contains(ALL_IN_TENANT)
        {
            return Vec::new();
        }
        let named = self.include.contains(id);
        let cut = |scope: &[Span<()>]| {
            let one = |span: &Span<()>| -> Vec<Span<()>> {
                existing
                    .iter()
                    .filter_map(|exists| intersect(exists, span, ()))
                    .collect()
            };
            scope.iter().flat_map(one).collect()
        };
        match &self.narrowing {
            Narrowing::None if named || self.all => existing.to_vec(),
            Narrowing::By(filter) if filter.include && !named => cut(&filter.matches(identity)),
            Narrowing::By(filter) if !filter.include && (named || self.all) => {
                cut(&filter.misses(identity))
            }
            Narrowing::By(filter) if filter.include => existing.to_vec(),
            Narrowing::Unreadable if named => existing.to_vec(),
            _ => Vec::new(),
        }
    }
}

fn in_force(policy: &AccessPolicy) -> bool {
    policy.is_for_workloads()
        && matches!(
            policy.state.as_str(),
            "enabled" | "enabledForReportingButNotEnforced"
        )
}

impl Demand {
    /// Whether any predicate held at an instant.
    pub fn covered_at(&self, at: Timestamp) -> bool {
        self.covered.iter().any(|span| span.holds_at(at))
    }
}

#[cfg(test)]
mod tests {
    use ledger::event::EventBody;
    use serde_json::json;

    use super::*;
    use crate::sample::{
        SP, at, event, marker, own, policy, policy_deleted, policy_stream, registered, risk, sp,
        state, updated,
    };

    const NOON: &str = "2026-11-03T12:00:00Z";

    #[test]
    fn a_policy_covers_from_its_start_to_its_end_while_the_identity_exists() {
        let state = state(&[
            event(0, &sp("x"), at("2026-11-01T00:00:00Z"), own("n")),
            event(
                1,
                &policy_stream("p"),
                at("2026-10-01T00:00:00Z"),
                policy("p", "enabled", &["x"], &[]),
            ),
            event(2, &policy_stream("p"), at(NOON), policy_deleted("p")),
        ]);
        let demand = of(&state, &state.identities[&sp("x")]);
        assert_eq!(
            demand.covered,
            [Span {
                value: Predicate::Ca,
                from: at("2026-11-01T00:00:00Z"),
                to: Some(at(NOON)),
                opened: vec![0, 1],
                closed: vec![2],
            }]
        );
        assert_eq!(demand.eligible.len(), 1);
        assert_eq!(demand.exclusion, None);
    }

    #[test]
    fn exclusion_and_state_and_class_decide_whether_a_policy_covers() {
        let covered =
            |state_of_policy: &str, include: &[&str], exclude: &[&str], audience: &str| {
                let state = state(&[
                    event(0, &sp("x"), at("2026-11-01T00:00:00Z"), own("n")),
                    event(
                        1,
                        &sp("x"),
                        at("2026-11-01T00:00:00Z"),
                        updated("signInAudience", None, Some(json!(audience))),
                    ),
                    event(
                        2,
                        &policy_stream("p"),
                        at("2026-11-02T00:00:00Z"),
                        policy("p", state_of_policy, include, exclude),
                    ),
                ]);
                !of(&state, &state.identities[&sp("x")]).covered.is_empty()
            };
        let mine = "AzureADMyOrg";
        assert!(covered("enabled", &[ALL_IN_TENANT], &[], mine));
        assert!(covered(
            "enabledForReportingButNotEnforced",
            &["x"],
            &[],
            mine
        ));
        assert!(!covered("disabled", &["x"], &[], mine));
        assert!(!covered("enabled", &[ALL_IN_TENANT], &["x"], mine));
        assert!(!covered("enabled", &["y"], &[], mine));
        assert!(!covered("enabled", &["x"], &[], "AzureADMultipleOrgs"));
    }

    #[test]
    fn risk_covers_while_its_detail_is_shown() {
        let state = state(&[
            event(0, &sp("x"), at("2026-11-01T00:00:00Z"), own("n")),
            event(
                1,
                &sp("x"),
                at("2026-11-02T00:00:00Z"),
                risk("hidden", "atRisk"),
            ),
            event(2, &sp("x"), at(NOON), risk("high", "atRisk")),
            event(
                3,
                &sp("x"),
                at("2026-11-05T00:00:00Z"),
                risk("none", "remediated"),
            ),
        ]);
        let demand = of(&state, &state.identities[&sp("x")]);
        assert_eq!(demand.covered.len(), 1);
        assert_eq!(demand.covered[0].value, Predicate::Risk);
        assert_eq!(demand.covered[0].from, at(NOON));
        assert_eq!(demand.covered[0].closed, [3]);
    }

    #[test]
    fn what_is_never_counted_says_why() {
        let state = state(&[
            event(
                0,
                &sp("x"),
                at("2026-11-01T00:00:00Z"),
                registered(SP, &json!({"servicePrincipalType": "ManagedIdentity"})),
            ),
            event(1, &sp("x"), at(NOON), EventBody::IdentityDeleted(marker())),
        ]);
        let demand = of(&state, &state.identities[&sp("x")]);
        assert!(demand.eligible.is_empty());
        assert_eq!(
            demand.exclusion,
            Some(Exclusion {
                reason: ExclusionReason::ManagedIdentity,
                evidence: vec![0],
            })
        );
        assert_eq!(all(&state)[&sp("x")], demand);
    }
}
