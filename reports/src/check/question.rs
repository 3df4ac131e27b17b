//! The question a check answers: which facts, at which instant.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::event::Position;
use ledger::event::policy::AccessPolicy;
use projections::State;
use projections::state::Span;

use super::{Answer, CheckInfo, Fault, Gap, Need, Reason, Tally};
use crate::calendar::days_between;
use crate::facts::{Facts, Identity, UNUSED_DAYS};

/// Facts and the instant asked about.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Everything known.
    pub state: &'a State,
    /// The instant asked about.
    pub at: Timestamp,
    /// What was true of each identity at that instant.
    pub facts: &'a Facts<'a>,
}

impl<'a> Question<'a> {
    /// Whole days since an instant.
    pub fn days_since(&self, then: Timestamp) -> i64 {
        days_between(then, self.at)
    }

    /// Whole days until an instant.
    pub fn days_until(&self, then: Timestamp) -> i64 {
        days_between(self.at, then)
    }

    /// Asks about every identity in scope that is wanted: Microsoft's own are exempt.
    pub fn ask(
        &self,
        info: &CheckInfo,
        need: Need,
        wanted: impl Fn(&Identity<'a>) -> bool,
        faults: impl Fn(&Identity<'a>) -> Vec<Fault>,
    ) -> Answer {
        self.ask_all(
            info,
            need,
            |identity| identity.in_scope() && wanted(identity),
            faults,
        )
    }

    /// Asks about every identity that is wanted, Microsoft's own included.
    pub fn ask_all(
        &self,
        info: &CheckInfo,
        need: Need,
        wanted: impl Fn(&Identity<'a>) -> bool,
        faults: impl Fn(&Identity<'a>) -> Vec<Fault>,
    ) -> Answer {
        let mut tally = Tally::default();
        let mut gap = None;
        let mut lacks: BTreeMap<(&str, bool), Option<Gap>> = BTreeMap::new();
        for identity in self.facts.identities.iter().filter(|one| wanted(one)) {
            let tenant = identity.subject.tenant.as_str();
            let managed = identity.is_managed();
            let lack = lacks
                .entry((tenant, managed))
                .or_insert_with(|| need.gap(&self.facts.feeds, tenant, managed, self.at));
            if let Some(lack) = lack {
                gap.get_or_insert_with(|| lack.clone());
                continue;
            }
            if let Some(lack) = need.gap_of(identity.last_use) {
                gap.get_or_insert(lack);
                continue;
            }
            let mut found = faults(identity);
            if found.iter().any(|fault| fault.stepped) {
                let use_known = self.use_known(identity, UNUSED_DAYS);
                for fault in found.iter_mut().filter(|fault| fault.stepped) {
                    fault.severity = identity.severity_for(fault.severity, use_known);
                }
            }
            tally.subject(
                info,
                identity.stream.as_str(),
                identity.tier.weight(),
                found,
            );
        }
        if tally.subjects > 0 {
            return Answer::Assessed(tally);
        }
        match gap.or_else(|| self.gap_everywhere(need)) {
            Some(gap) => Answer::NotAssessed(gap),
            None => Answer::NotApplicable,
        }
    }

    /// Whether sign-ins of an identity's kind are fresh and known for so many days.
    pub fn use_known(&self, identity: &Identity<'_>, days: i64) -> bool {
        let tenant = identity.subject.tenant.as_str();
        Need::SignIns { days }
            .gap(&self.facts.feeds, tenant, identity.is_managed(), self.at)
            .is_none()
    }

    /// The gap when no export ever named an owner: silence about owners is not their absence.
    pub fn owners_gap(&self) -> Option<Gap> {
        let mut subjects = self
            .state
            .identities
            .values()
            .chain(self.state.applications.values());
        let told = subjects.any(|subject| subject.owners.iter().any(|span| span.from <= self.at));
        (!told).then(|| Gap {
            reason: Reason::NoSource,
            detail: "No export named an owner; export applications and service principals with their owners.".to_owned(),
        })
    }

    /// Conditional Access policies at the instant, with the tenant each belongs to.
    pub fn policies(&self) -> Vec<(&'a str, &'a Span<AccessPolicy>)> {
        let mut held = Vec::new();
        for (stream, spans) in &self.state.policies {
            let tenant = stream.entra_parts().map_or("", |(tenant, _, _)| tenant);
            let now = spans.iter().filter(|span| span.holds_at(self.at));
            held.extend(now.map(|span| (tenant, span)));
        }
        held
    }

    /// Workload ID licences in force in a tenant, and the events that told.
    pub fn workload_id_units(&self, tenant: &str) -> (i64, Vec<Position>) {
        let mut units: i64 = 0;
        let mut evidence = Vec::new();
        for ((of, _), spans) in &self.state.entitlements {
            let now = spans.iter().find(|span| span.holds_at(self.at));
            let Some(span) = now.filter(|span| of == tenant && span.value.is_workload_id()) else {
                continue;
            };
            units = units
                .saturating_add(span.value.units_enabled)
                .saturating_add(span.value.units_warning);
            evidence.extend(&span.opened);
        }
        (units, evidence)
    }

    /// The gap when subscriptions are known and none holds Workload ID Premium, not even as a trial.
    pub fn licence_gap(&self) -> Option<Gap> {
        if self.gap_everywhere(Need::SUBSCRIPTIONS).is_some() {
            return None;
        }
        let licensed = self.facts.tenants.iter().any(|tenant| {
            self.workload_id_units(tenant).0 > 0
                || self
                    .state
                    .trials
                    .get(*tenant)
                    .is_some_and(|trials| trials.iter().any(|(seen, _)| seen.at <= self.at))
        });
        (!licensed).then(|| Gap {
            reason: Reason::NoLicence,
            detail:
                "No subscription holds Workload ID Premium; access policies for workloads need it."
                    .to_owned(),
        })
    }

    /// What is missing when no tenant has what is needed; `None` when at least one has it.
    pub fn gap_everywhere(&self, need: Need) -> Option<Gap> {
        let mut first = None;
        for tenant in &self.facts.tenants {
            match need.gap(&self.facts.feeds, tenant, false, self.at) {
                None => return None,
                Some(gap) => {
                    first.get_or_insert(gap);
                }
            }
        }
        Some(first.unwrap_or(Gap {
            reason: Reason::NoSource,
            detail: "The ledger knows no tenant; import an export.".to_owned(),
        }))
    }
}
