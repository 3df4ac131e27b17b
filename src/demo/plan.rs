//! The plan of the demo: who is there at the start and what will happen, before any of it is
//! written. Healthy identities here, those with a tale in [`super::stories`].

use super::audit::Actor;
use super::change::{Action, Change};
use super::moment::{Calendar, Day, Moment};
use super::names::{self, DOMAIN, MICROSOFT_APPS, PERMISSIONS, TEAMS, VENDORS};
use super::random::Random;
use super::risk::Report;
use super::tenant::{
    Account, Carrier, Class, Credential, Delegation, Federated, Grant, Identity, Kind, Location,
    Pattern, Permission, Tenant,
};

/// Fewest identities, which hold every story; most of them have one then.
pub(super) const IDENTITIES_MIN: u32 = 60;

/// Life of the certificates of healthy identities and the age at which they are exchanged.
const CERTIFICATE_DAYS: i64 = 180;
const CERTIFICATE_ROTATE_DAYS: i64 = 150;
/// Days for which both certificates are held, so that nothing breaks.
const CERTIFICATE_OVERLAP_DAYS: i64 = 3;

/// Account of the team that guards the directory.
pub(super) const SECOPS: usize = 13;
/// Account that is disabled when its holder leaves.
pub(super) const LEAVER: usize = TEAMS.len();
/// Account of a guest.
pub(super) const GUEST: usize = TEAMS.len() + 1;
/// Account that does what is not its job.
pub(super) const INTRUDER: usize = TEAMS.len() + 2;

/// Everything that will happen.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) calendar: Calendar,
    /// The tenant at the start.
    pub(super) tenant: Tenant,
    /// Changes by time.
    pub(super) actions: Vec<Action>,
    /// Reports of ID Protection by time.
    pub(super) reports: Vec<Report>,
    pub(super) random: Random,
}

impl Plan {
    /// The plan for a seed and a size.
    pub(super) fn new(seed: u64, identities: u32, calendar: Calendar) -> Self {
        let mut random = Random::new(seed, "plan", 0);
        let tenant_id = Self::tenant_id(seed);
        let mut plan = Self {
            tenant: Tenant {
                id: tenant_id,
                seed,
                accounts: accounts(&mut random),
                identities: Vec::new(),
                policies: Vec::new(),
                locations: Vec::new(),
                subscriptions: Vec::new(),
            },
            calendar,
            actions: Vec::new(),
            reports: Vec::new(),
            random,
        };
        plan.locate();
        plan.microsoft();
        super::stories::tell(&mut plan);
        plan.fill(usize::try_from(identities.max(IDENTITIES_MIN)).unwrap_or(usize::MAX));
        super::protection::protect(&mut plan);
        plan.noise();
        plan.actions.sort_by_key(|action| action.at);
        plan.reports.sort_by_key(|report| report.at);
        plan
    }

    /// Id of the tenant.
    pub(super) fn tenant_id(seed: u64) -> String {
        Random::new(seed, "tenant", 0).guid()
    }

    fn locate(&mut self) {
        let created = Moment::on(self.calendar.start() - 400, 36_000);
        let id = self.random.guid();
        self.tenant.locations.push(Location {
            id,
            name: "Fabrikam datacentres",
            ranges: vec!["198.51.100.0/24"],
            created,
        });
    }

    fn microsoft(&mut self) {
        for (name, app_id) in MICROSOFT_APPS {
            let number = self.identity(Class::Microsoft, name.to_owned());
            self.edit(number, |held| {
                app_id.clone_into(&mut held.app_id);
                held.publisher = Some("Microsoft Services".to_owned());
                held.pattern = Pattern::Silent;
            });
        }
    }

    /// Healthy identities until there are as many as asked for, in believable proportions.
    fn fill(&mut self, wanted: usize) {
        let share = |percent: usize| wanted * percent / 100;
        let held = |plan: &Self, class| {
            plan.tenant
                .identities
                .iter()
                .filter(|held| held.class == class)
                .count()
        };
        for number in held(self, Class::ThirdParty)..share(8) {
            self.third_party(number);
        }
        for number in held(self, Class::Managed)..share(27) {
            self.managed(number);
        }
        for _ in held(self, Class::MultiTenant)..share(4) {
            let number = self.own(Class::MultiTenant, None);
            self.certificate(number, self.calendar.start());
        }
        let mut ordinary = 0;
        while self.tenant.identities.len() < wanted {
            self.single(ordinary);
            ordinary += 1;
        }
    }

    /// One healthy identity registered here, or now and then one with an everyday neglect.
    fn single(&mut self, ordinary: usize) {
        let number = self.own(Class::SingleTenant, None);
        let start = self.calendar.start();
        match ordinary % 24 {
            5 => self.hold(number, Kind::Secret, self.calendar.late() - 90, 730),
            11 => {
                self.edit(number, |held| {
                    held.owners.clear();
                    held.referenced = false;
                });
                self.certificate(number, start);
            }
            17 => {
                self.certificate(number, start);
                self.edit(number, |held| held.pattern = Pattern::Until(6, start + 20));
            }
            23 => {
                self.certificate(number, start);
                self.hold(number, Kind::Secret, start - 200, 180);
            }
            0 | 6 | 12 | 18 => self.federate(number, "environment:production"),
            3 | 15 => {
                let latest = (self.calendar.end() - start - 30).max(5);
                let day = start + self.random.between(4, latest);
                let day = self.register(number, day);
                self.certificate(number, day);
            }
            21 => self.retire(number),
            _ => self.certificate(number, start),
        }
        if self.random.chance(45) && ordinary % 24 != 21 {
            let value = self.random.pick(
                &[
                    "User.Read.All",
                    "Group.Read.All",
                    "Reports.Read.All",
                    "Sites.Selected",
                ],
                "User.Read.All",
            );
            if self.see(number).is_some_and(|held| held.exists) {
                self.grant_held(number, value);
            }
        }
    }

    /// An identity that is given up as it should be: disabled, emptied, deleted.
    fn retire(&mut self, number: usize) {
        let start = self.calendar.start();
        self.hold(number, Kind::Certificate, start - 60, CERTIFICATE_DAYS);
        let day = self
            .calendar
            .working_day(start + self.random.between(10, 40));
        self.edit(number, |held| held.pattern = Pattern::Until(6, day - 2));
        let actor = self.owner_of(number);
        let key = self.last_key(number);
        self.act(number, day, actor, Change::SetEnabled(false));
        if let Some(key) = key {
            self.act(number, day + 1, actor, Change::RemoveCredential(key));
        }
        self.act(number, day + 14, actor, Change::Delete);
    }

    fn third_party(&mut self, number: usize) {
        let vendor = VENDORS
            .get(number % VENDORS.len())
            .copied()
            .unwrap_or("Vendor");
        let name = match number / VENDORS.len() {
            0 => vendor.to_owned(),
            round => format!("{vendor} {}", round + 1),
        };
        let publisher = name.split(' ').next().unwrap_or("").to_owned();
        let number = self.identity(Class::ThirdParty, name);
        self.edit(number, |held| held.publisher = Some(publisher));
        self.edit(number, |held| held.pattern = Pattern::Steady(5));
        self.delegate_held(number, "User.Read");
    }

    fn managed(&mut self, number: usize) {
        let name = format!("id-{}", names::workload(number + 7));
        let number = self.identity(Class::Managed, name);
        self.edit(number, |held| held.owners.clear());
        self.edit(number, |held| held.pattern = Pattern::Steady(7));
        if self.random.chance(20) {
            let late = (self.calendar.end() - self.calendar.start() - 20).max(5);
            let day = self.calendar.start() + self.random.between(4, late);
            self.edit(number, |held| held.exists = false);
            self.act(number, day, Actor::ManagedIdentityService, Change::Register);
        }
    }

    /// Things that happen in every directory and do not concern workloads.
    fn noise(&mut self) {
        let mut day = self.calendar.start() + 2;
        while day < self.calendar.end() - 2 {
            let working = self.calendar.working_day(day);
            self.act(0, working, Actor::Account(0), Change::Unrelated);
            day += 6;
        }
    }

    // ---- the words in which plans are written ----

    /// The identity with a number.
    pub(super) fn see(&self, number: usize) -> Option<&Identity> {
        self.tenant.identities.get(number)
    }

    /// Sets how the identity with a number is at the start.
    pub(super) fn edit(&mut self, number: usize, set: impl FnOnce(&mut Identity)) {
        if let Some(identity) = self.tenant.identities.get_mut(number) {
            set(identity);
        }
    }

    /// Key id of the credential it was given last.
    pub(super) fn last_key(&self, number: usize) -> Option<String> {
        self.see(number)
            .and_then(|held| held.credentials.last())
            .map(|held| held.key_id.clone())
    }

    /// A new identity of long standing, with two owners unless it cannot have any.
    pub(super) fn identity(&mut self, class: Class, name: String) -> usize {
        let number = self.tenant.identities.len();
        let age = self.random.between(210, 900);
        let created = Moment::on(
            self.calendar.start() - age,
            self.random.between(28_800, 57_600),
        );
        let mut identity = Identity::new(class, name, &self.tenant.id, created, &mut self.random);
        if !matches!(class, Class::Managed | Class::Microsoft) {
            let team = number % (TEAMS.len() / 2) * 2;
            identity.owners = vec![team, team + 1];
        }
        self.tenant.identities.push(identity);
        number
    }

    /// A new identity registered here; without a name it gets an ordinary one.
    pub(super) fn own(&mut self, class: Class, name: Option<&str>) -> usize {
        let number = self.tenant.identities.len();
        let name = name.map_or_else(|| names::workload(number), str::to_owned);
        self.identity(class, name)
    }

    /// The first owner, who makes the ordinary changes.
    pub(super) fn owner_of(&self, number: usize) -> Actor {
        let owner = self
            .see(number)
            .and_then(|held| held.owners.first().copied());
        Actor::Account(owner.unwrap_or(0))
    }

    /// Plans a change in working hours of a day, or the nearest day on which changes are made.
    pub(super) fn act(&mut self, subject: usize, day: Day, actor: Actor, change: Change) {
        let second = self.random.between(9 * 3_600, 16 * 3_600);
        self.act_at(
            subject,
            Moment::on(self.calendar.working_day(day), second),
            actor,
            change,
        );
    }

    /// Plans a change at a moment.
    pub(super) fn act_at(&mut self, subject: usize, at: Moment, actor: Actor, change: Change) {
        self.actions.push(Action {
            at,
            actor,
            subject,
            change,
        });
    }

    /// The identity is registered on a day (the one returned) by its first owner.
    pub(super) fn register(&mut self, number: usize, day: Day) -> Day {
        let day = self.calendar.working_day(day);
        let actor = self.owner_of(number);
        self.edit(number, |held| held.exists = false);
        self.act_at(number, Moment::on(day, 8 * 3_600), actor, Change::Register);
        day
    }

    /// A credential, valid from its moment for so many days.
    pub(super) fn credential(&mut self, kind: Kind, at: Moment, days: i64) -> Credential {
        let (name, thumbprint) = match kind {
            Kind::Secret => (
                format!("secret-{:02}", self.random.below(90) + 10),
                String::new(),
            ),
            Kind::Certificate => {
                let name = format!("CN=workload-{:04}", self.random.below(9_000) + 1_000);
                (name, self.random.hex_upper(40))
            }
        };
        Credential {
            key_id: self.random.guid(),
            kind,
            carrier: Carrier::Application,
            name,
            start: at,
            end: at.plus_days(days),
            thumbprint,
        }
    }

    /// A credential the identity has from a day on. It ends so many days after that day.
    pub(super) fn hold(&mut self, number: usize, kind: Kind, day: Day, days: i64) {
        let second = self.random.between(9 * 3_600, 16 * 3_600);
        let is_held = day < self.calendar.start();
        let working = if is_held {
            day
        } else {
            self.calendar.working_day(day)
        };
        let at = Moment::on(working, second);
        let credential = self.credential(kind, at, days + day - working);
        self.give(number, credential);
    }

    /// Held at the start when it is older than the demo, else added by the first owner.
    pub(super) fn give(&mut self, number: usize, credential: Credential) {
        let at = credential.start;
        if at.day() >= self.calendar.start() {
            let actor = self.owner_of(number);
            self.act_at(number, at, actor, Change::AddCredential(credential));
            return;
        }
        self.edit(number, |held| {
            held.created = held.created.min(at.plus_days(-1));
            held.credentials.push(credential);
        });
    }

    /// A credential is added during the demo; returns its key id.
    pub(super) fn add(
        &mut self,
        number: usize,
        day: Day,
        actor: Actor,
        (kind, carrier, days): (Kind, Carrier, i64),
    ) -> String {
        let second = self.random.between(9 * 3_600, 16 * 3_600);
        let at = Moment::on(self.calendar.working_day(day), second);
        let mut credential = self.credential(kind, at, days);
        credential.carrier = carrier;
        let key_id = credential.key_id.clone();
        self.act_at(number, at, actor, Change::AddCredential(credential));
        key_id
    }

    /// Certificates as they should be: short-lived and exchanged in time, from a day on. Before
    /// the first day of the demo the identity has one already; later it gets its first that day.
    pub(super) fn certificate(&mut self, number: usize, from: Day) {
        let actor = self.owner_of(number);
        let (mut issued, mut key) = if from > self.calendar.start() {
            let terms = (Kind::Certificate, Carrier::Application, CERTIFICATE_DAYS);
            (from, self.add(number, from, actor, terms))
        } else {
            let issued = from - self.random.between(3, CERTIFICATE_ROTATE_DAYS - 4);
            self.hold(number, Kind::Certificate, issued, CERTIFICATE_DAYS);
            (issued, self.last_key(number).unwrap_or_default())
        };
        loop {
            let due = issued + CERTIFICATE_ROTATE_DAYS;
            if due + CERTIFICATE_OVERLAP_DAYS >= self.calendar.end() - 2 {
                break;
            }
            issued = self.calendar.working_day(due);
            let terms = (Kind::Certificate, Carrier::Application, CERTIFICATE_DAYS);
            let next = self.add(number, issued, actor, terms);
            let old = Change::RemoveCredential(std::mem::replace(&mut key, next));
            self.act(number, issued + CERTIFICATE_OVERLAP_DAYS, actor, old);
        }
    }

    /// Trust in the build service for one repository, held since before the demo.
    pub(super) fn federate(&mut self, number: usize, restriction: &str) {
        let name = self
            .see(number)
            .map(|held| held.name.clone())
            .unwrap_or_default();
        let federated = self.federated(&format!("repo:fabrikam-freight/{name}:{restriction}"));
        self.edit(number, |held| held.federated.push(federated));
    }

    /// Trust in the build service for a subject.
    pub(super) fn federated(&mut self, subject: &str) -> Federated {
        Federated {
            id: self.random.guid(),
            name: format!("build-{:03}", self.random.below(900) + 100),
            issuer: names::BUILD_ISSUER.to_owned(),
            subject: subject.to_owned(),
        }
    }

    /// A permission the identity has had since before the demo.
    pub(super) fn grant_held(&mut self, number: usize, value: &str) {
        let Some(permission) = permission(value) else {
            return;
        };
        let id = self.random.guid();
        let created = Moment::on(self.calendar.start() - 30, 40_000);
        self.edit(number, |held| {
            held.grants.push(Grant {
                id,
                permission,
                created,
            });
        });
    }

    /// Scopes granted for every user before the demo.
    pub(super) fn delegate_held(&mut self, number: usize, scope: &str) {
        let id = self.random.guid();
        self.edit(number, |held| {
            held.delegations.push(Delegation {
                id,
                scope: scope.to_owned(),
            });
        });
    }
}

/// A permission by its name.
pub(super) fn permission(value: &str) -> Option<Permission> {
    PERMISSIONS
        .iter()
        .find(|permission| permission.value == value)
        .copied()
}

fn accounts(random: &mut Random) -> Vec<Account> {
    let account = |name: &str, guest: bool, address: &'static str, random: &mut Random| Account {
        id: random.guid(),
        principal_name: format!("{name}@{DOMAIN}"),
        enabled: true,
        guest,
        address,
    };
    let mut accounts: Vec<Account> = TEAMS
        .iter()
        .map(|team| account(team, false, "198.51.100.200", random))
        .collect();
    accounts.push(account("depot-systems", false, "198.51.100.201", random));
    accounts.push(account(
        "integrator_adatum.example#EXT#",
        true,
        "192.0.2.77",
        random,
    ));
    accounts.push(account("helpdesk-night", false, "203.0.113.66", random));
    accounts
}
