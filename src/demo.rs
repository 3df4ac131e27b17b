//! A synthetic tenant, as the files its exports would be.
//!
//! `Fabrikam Freight` does not exist. Its inventory, audit log, sign-ins, risk reports and
//! licences are invented, in the shapes Microsoft Graph and Azure Monitor export them in, and
//! agree with each other: every change is made to one model of the tenant, which writes the audit
//! records of the change and of which the snapshots are taken. Nothing here is an event yet; the
//! files go through the same import as real ones.
//!
//! The same options give the same bytes on every machine and every day: no clock, no environment,
//! no floating point, one small generator of numbers.
//!
//! | File | What | Time |
//! |---|---|---|
//! | `inventory/YYYY-MM-DD/*.json` | pages of Microsoft Graph | the first of each month, the last day, the day after a purchase; 06:00 UTC |
//! | `audit/YYYY-MM.jsonl` | Azure Monitor, `AuditLogs`; one month as `{"records":[…]}` | that month |
//! | `signins/YYYY-MM.jsonl` | Azure Monitor, sign-ins of service principals and managed identities | that month |
//! | `risk/YYYY-MM.jsonl` | Azure Monitor, ID Protection | that month |
//!
//! Most identities are healthy. The others each tell one story: see `stories`.

mod audit;
mod change;
mod inventory;
mod licence;
mod moment;
mod names;
mod plan;
mod protection;
mod random;
mod risk;
mod signin;
mod stories;
mod tenant;

use std::io;

use jiff::Timestamp;
use jiff::civil::Date;

use change::Change;
use moment::{Calendar, Day, Moment, Month, date_of};
use plan::Plan;
use random::Random;

/// Most months that are made.
pub(crate) const MONTHS_MAX: u32 = 36;
/// Fewest months in which the stories find room.
pub(crate) const MONTHS_MIN: u32 = 2;

/// First day after the last month of the default demo: a constant, so that a seed gives the same bytes
/// on any day.
pub(crate) const END: Date = Date::constant(2026, 11, 1);

/// Bytes of sign-ins after which a file is handed over and the next begun, so that memory does
/// not grow with the tenant.
const FILE_BYTES_MAX: usize = 64 << 20;

/// Second of the day at which snapshots are taken: 06:00 UTC.
const SNAPSHOT_SECOND: i64 = 6 * 3_600;

/// What to make.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DemoOptions {
    /// Decides every number and id.
    pub(crate) seed: u64,
    /// Workload identities; never fewer than the stories need.
    pub(crate) identities: u32,
    /// Whole months, cut to between [`MONTHS_MIN`] and [`MONTHS_MAX`].
    pub(crate) months: u32,
    /// The first day after the last month; taken back to the first of its month.
    pub(crate) end: Date,
}

impl Default for DemoOptions {
    fn default() -> Self {
        Self {
            seed: 1,
            identities: 120,
            months: 6,
            end: END,
        }
    }
}

/// One file of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceFile {
    /// Relative path, with `/`.
    pub(crate) path: String,
    /// Its content.
    pub(crate) bytes: Vec<u8>,
    /// When a snapshot was taken; `None` for logs, whose records carry their own times.
    pub(crate) observed_at: Option<Timestamp>,
}

/// All files of the demo, in the order of [`generate_each`].
///
/// The tests' way to look at all of it; [`generate_each`] holds one file at a time.
#[cfg(test)]
pub(crate) fn generate(options: &DemoOptions) -> Vec<SourceFile> {
    let mut files = Vec::new();
    let result = generate_each(options, &mut |file| {
        files.push(file);
        Ok(())
    });
    debug_assert!(result.is_ok(), "writing to memory does not fail");
    files
}

/// Tenant id of the demo for a seed. Pages of Microsoft Graph do not name the tenant they are of,
/// so whoever imports them has to.
pub(crate) fn tenant_id(options: &DemoOptions) -> String {
    Plan::tenant_id(options.seed)
}

/// Hands over the files one by one, in the order to import them: chronological by month, the
/// snapshot of a month's first day before the logs of that month.
///
/// # Errors
/// The first error of the callback.
pub(crate) fn generate_each(
    options: &DemoOptions,
    each: &mut dyn FnMut(SourceFile) -> io::Result<()>,
) -> io::Result<()> {
    let months = options.months.clamp(MONTHS_MIN, MONTHS_MAX);
    let plan = Plan::new(
        options.seed,
        options.identities,
        Calendar::new(months, options.end),
    );
    Run::new(plan, each).all()
}

/// A run through the days of the demo.
struct Run<'a> {
    plan: Plan,
    each: &'a mut dyn FnMut(SourceFile) -> io::Result<()>,
    /// Changes made so far.
    changes: usize,
    /// Reports of risk written so far.
    reports: usize,
    audit: Vec<String>,
    risk: Vec<String>,
    signins: Vec<u8>,
    /// Files of sign-ins already handed over for the month.
    parts: usize,
}

/// What happens at one moment of a day.
enum Happening {
    Change,
    Report,
    SignIn(usize, Random),
}

impl<'a> Run<'a> {
    fn new(plan: Plan, each: &'a mut dyn FnMut(SourceFile) -> io::Result<()>) -> Self {
        Self {
            plan,
            each,
            changes: 0,
            reports: 0,
            audit: Vec::new(),
            risk: Vec::new(),
            signins: Vec::new(),
            parts: 0,
        }
    }

    fn all(&mut self) -> io::Result<()> {
        let months = self.plan.calendar.months.clone();
        for (number, month) in months.into_iter().enumerate() {
            self.snapshot(month.first)?;
            self.parts = 0;
            let mut purchased = false;
            for day in month.first..month.end {
                if purchased && !self.plan.calendar.is_quiet(day) {
                    self.licences(day)?;
                }
                purchased = self.day(day, month)?;
            }
            self.flush(number, month)?;
        }
        // Nothing is changed on the last day, so it does not matter that it is over.
        self.snapshot(self.plan.calendar.end() - 1)
    }

    /// Everything that happens on one day, in order. Returns whether licences were bought.
    fn day(&mut self, day: Day, month: Month) -> io::Result<bool> {
        let mut happenings = Vec::new();
        for action in self.plan.actions.iter().skip(self.changes) {
            if action.at.day() > day {
                break;
            }
            happenings.push((action.at, Happening::Change));
        }
        for report in self.plan.reports.iter().skip(self.reports) {
            if report.at.day() > day {
                break;
            }
            happenings.push((report.at, Happening::Report));
        }
        self.sign_in_times(day, &mut happenings);
        happenings.sort_by_key(|(at, _)| *at);
        let mut purchased = false;
        for (at, happening) in happenings {
            match happening {
                Happening::Change => purchased |= self.change(),
                Happening::Report => self.report(),
                Happening::SignIn(number, mut random) => {
                    let (tenant, out) = (&self.plan.tenant, &mut self.signins);
                    signin::write(tenant, number, at, &mut random, out)?;
                }
            }
            if self.signins.len() >= FILE_BYTES_MAX {
                self.flush_signins(month)?;
            }
        }
        Ok(purchased)
    }

    fn sign_in_times(&self, day: Day, happenings: &mut Vec<(Moment, Happening)>) {
        for (number, identity) in self.plan.tenant.identities.iter().enumerate() {
            let rate = identity.pattern.rate(day);
            if rate == 0 {
                continue;
            }
            let index = (number as u64) << 20 | u64::try_from(day).unwrap_or(0);
            let mut random = Random::new(self.plan.tenant.seed, "sign-in", index);
            if random.below(30) < rate {
                let at = Moment::on(day, random.between(0, 86_399));
                let at = at.with_ticks(random.between(0, 9_999_999));
                happenings.push((at, Happening::SignIn(number, random)));
            }
        }
    }

    /// Makes the next change; returns whether it was a purchase.
    fn change(&mut self) -> bool {
        let Some(action) = self.plan.actions.get(self.changes).cloned() else {
            return false;
        };
        let purchase = matches!(action.change, Change::Subscribe(_));
        let number = self.changes as u64;
        self.changes += 1;
        self.audit
            .append(&mut change::apply(&mut self.plan.tenant, action, number));
        purchase
    }

    fn report(&mut self) {
        if let Some(report) = self.plan.reports.get(self.reports) {
            self.risk
                .append(&mut risk::lines(&self.plan.tenant, report));
        }
        self.reports += 1;
    }
}

/// Writing files.
impl Run<'_> {
    fn give(&mut self, path: String, bytes: Vec<u8>, observed: Option<Moment>) -> io::Result<()> {
        (self.each)(SourceFile {
            path,
            bytes,
            observed_at: observed.map(Moment::timestamp),
        })
    }

    fn snapshot(&mut self, day: Day) -> io::Result<()> {
        let at = Moment::on(day, SNAPSHOT_SECOND);
        let (date, each, tenant) = (date_of(day), &mut *self.each, &self.plan.tenant);
        for collection in inventory::COLLECTIONS {
            collection.pages(tenant, &mut |number, bytes| {
                let part = if number == 1 {
                    String::new()
                } else {
                    format!("-{number:03}")
                };
                let path = format!("inventory/{date}/{}{part}.json", collection.name);
                each(SourceFile {
                    path,
                    bytes,
                    observed_at: Some(at.timestamp()),
                })
            })?;
        }
        let policies: Vec<_> = tenant
            .policies
            .iter()
            .map(|held| inventory::policy_json(held, "block"))
            .collect();
        let policies = inventory::page("identity/conditionalAccess/policies", &policies);
        let locations: Vec<_> = tenant
            .locations
            .iter()
            .map(inventory::location_json)
            .collect();
        let locations = inventory::page("identity/conditionalAccess/namedLocations", &locations);
        let path = |name: &str| format!("inventory/{date}/{name}.json");
        self.give(path("namedLocations"), locations, Some(at))?;
        self.give(path("conditionalAccessPolicies"), policies, Some(at))?;
        self.licences(day)
    }

    fn licences(&mut self, day: Day) -> io::Result<()> {
        let (at, date) = (Moment::on(day, SNAPSHOT_SECOND), date_of(day));
        let skus = licence::subscribed_skus(&self.plan.tenant, at);
        let subscriptions = licence::subscriptions(&self.plan.tenant, at);
        self.give(
            format!("inventory/{date}/subscribedSkus.json"),
            skus,
            Some(at),
        )?;
        self.give(
            format!("inventory/{date}/subscriptions.json"),
            subscriptions,
            Some(at),
        )
    }

    /// Hands over the logs of a month.
    fn flush(&mut self, number: usize, month: Month) -> io::Result<()> {
        let audit = std::mem::take(&mut self.audit);
        // Event hubs wrap batches, storage accounts write lines; both are met in the wild.
        if number == 1 {
            let bytes = format!("{{\"records\":[\n{}\n]}}\n", audit.join(",\n")).into_bytes();
            self.give(format!("audit/{}.json", month.label()), bytes, None)?;
        } else {
            self.give(
                format!("audit/{}.jsonl", month.label()),
                lines(&audit),
                None,
            )?;
        }
        self.flush_signins(month)?;
        let risk = std::mem::take(&mut self.risk);
        if !risk.is_empty() {
            self.give(format!("risk/{}.jsonl", month.label()), lines(&risk), None)?;
        }
        Ok(())
    }

    fn flush_signins(&mut self, month: Month) -> io::Result<()> {
        let bytes = std::mem::take(&mut self.signins);
        if bytes.is_empty() {
            return Ok(());
        }
        self.parts += 1;
        let part = if self.parts == 1 {
            String::new()
        } else {
            format!("-{:03}", self.parts)
        };
        self.give(
            format!("signins/{}{part}.jsonl", month.label()),
            bytes,
            None,
        )
    }
}

fn lines(records: &[String]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(records.iter().map(|record| record.len() + 1).sum());
    for record in records {
        bytes.extend_from_slice(record.as_bytes());
        bytes.push(b'\n');
    }
    bytes
}

#[cfg(test)]
mod tests;
