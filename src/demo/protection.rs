//! Conditional Access policies for workload identities, and the licences they need.

use super::audit::Actor;
use super::change::Change;
use super::moment::Moment;
use super::plan::{Plan, SECOPS};
use super::tenant::{ALL_WORKLOADS, Class, Location, Policy, Subscription};

/// Report-only.
const REPORT_ONLY: &str = "enabledForReportingButNotEnforced";
const ENABLED: &str = "enabled";

/// Day of the first month on which the trial starts, counted from 0.
const TRIAL_START: i64 = 16;
/// Length of a trial of Workload ID Premium.
const TRIAL_DAYS: i64 = 90;
/// Units of the trial.
const TRIAL_UNITS: u64 = 250;

/// Plans policies and licences for the identities planned so far.
pub(super) fn protect(plan: &mut Plan) {
    pilot(plan);
    let excluded = everyone(plan);
    deployers(plan);
    license(plan, excluded);
}

fn policy(plan: &mut Plan, name: &str) -> Policy {
    Policy {
        id: plan.random.guid(),
        name: name.to_owned(),
        state: REPORT_ONLY,
        include: Vec::new(),
        exclude: Vec::new(),
        exclude_locations: Vec::new(),
        risk_levels: Vec::new(),
        created: Moment::on(plan.calendar.start() - 200, 36_000),
        modified: None,
    }
}

fn ids(plan: &Plan, wanted: &dyn Fn(&str) -> bool) -> Vec<String> {
    let held = plan.tenant.identities.iter();
    held.filter(|held| held.class == Class::SingleTenant && wanted(&held.name))
        .map(|held| held.sp_id.clone())
        .collect()
}

/// Report-only since long before the demo, and forgotten.
fn pilot(plan: &mut Plan) {
    let mut pilot = policy(plan, "Workloads: block high risk (pilot)");
    pilot.risk_levels = vec!["high"];
    pilot.include = ids(plan, &|name| {
        matches!(name, "telemetry-ingest" | "driver-portal")
    });
    plan.tenant.policies.push(pilot);
}

/// All workloads, only from the data centres: reported in the second month, enforced in the
/// third, with one more exception later. Returns how many are left out.
fn everyone(plan: &mut Plan) -> usize {
    let mut all = policy(plan, "Workloads: only from our networks");
    all.include = vec![ALL_WORKLOADS.to_owned()];
    all.exclude = ids(plan, &|name| {
        matches!(name, "gate-camera-sync" | "scale-house-terminal")
    });
    all.exclude_locations = plan
        .tenant
        .locations
        .iter()
        .map(|held| held.id.clone())
        .collect();
    let actor = Actor::Account(SECOPS);
    let created = plan.calendar.month(1) + 5;
    plan.act(0, created, actor, Change::SetPolicy(Box::new(all.clone())));
    let enforced = (plan.calendar.month(2) + 3).max(created + 7);
    all.state = ENABLED;
    plan.act(0, enforced, actor, Change::SetPolicy(Box::new(all.clone())));
    all.exclude
        .append(&mut ids(plan, &|name| name == "partner-sftp"));
    let day = plan.calendar.before_end(21).max(enforced + 5);
    let excluded = all.exclude.len();
    plan.act(0, day, actor, Change::SetPolicy(Box::new(all)));
    excluded
}

/// What deploys may do so from the build network only.
fn deployers(plan: &mut Plan) {
    let actor = Actor::Account(SECOPS);
    let id = plan.random.guid();
    let location = Location {
        id: id.clone(),
        name: "Build network",
        ranges: vec!["198.51.100.0/25"],
        created: Moment::on(plan.calendar.start(), 0),
    };
    let day = plan.calendar.month(1) + 3;
    plan.act(0, day, actor, Change::AddLocation(location));
    let mut deployers = policy(plan, "Deployers: only from the build network");
    deployers.state = ENABLED;
    deployers.include = ids(plan, &|name| {
        name.ends_with("-deployer") || name.ends_with("-pipeline")
    });
    deployers.exclude_locations = vec![id];
    let day = (plan.calendar.month(2) + 10).max(day + 5);
    plan.act(0, day, actor, Change::SetPolicy(Box::new(deployers)));
}

/// A trial, then a purchase of nearly as many units as are needed, then a few more.
fn license(plan: &mut Plan, excluded: usize) {
    let covered = plan
        .tenant
        .identities
        .iter()
        .filter(|held| held.class == Class::SingleTenant);
    let covered = u64::try_from(covered.count().saturating_sub(excluded)).unwrap_or(0);
    let trial = plan.calendar.start() + TRIAL_START;
    let bought = trial + TRIAL_DAYS - 2;
    let terms = [
        (true, TRIAL_UNITS, trial, TRIAL_DAYS),
        (false, covered * 17 / 20, bought, 365),
        (false, covered / 20, bought + 40, 365),
    ];
    for (is_trial, units, day, days) in terms {
        if day >= plan.calendar.end() - 1 {
            continue;
        }
        let created = Moment::on(day, 9 * 3_600);
        let ends = created.plus_days(days);
        let id = plan.random.guid();
        let subscription = Subscription {
            id,
            trial: is_trial,
            units,
            created,
            ends,
        };
        plan.act_at(
            0,
            created,
            Actor::Account(SECOPS),
            Change::Subscribe(subscription),
        );
    }
}
