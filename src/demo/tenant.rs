//! The synthetic tenant as it is at one moment: what a snapshot shows and changes act upon.

use super::moment::{Day, Moment};
use super::names::MICROSOFT_TENANT;
use super::random::Random;

/// A permission of Microsoft Graph.
#[derive(Debug, Clone, Copy)]
pub(super) struct Permission {
    /// Such as `Mail.Send`.
    pub(super) value: &'static str,
    /// Its app role id.
    pub(super) id: &'static str,
}

/// A built-in directory role.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoleDefinition {
    /// Display name.
    pub(super) name: &'static str,
    /// Template id.
    pub(super) id: &'static str,
}

/// Whose an identity is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    /// Registered here, for this tenant.
    SingleTenant,
    /// Registered here, for other tenants too.
    MultiTenant,
    /// Registered elsewhere.
    ThirdParty,
    /// Microsoft's.
    Microsoft,
    /// Managed by Azure.
    Managed,
}

/// Secret or certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Password credential.
    Secret,
    /// Key credential.
    Certificate,
}

/// The object a credential is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carrier {
    /// The application.
    Application,
    /// The service principal.
    ServicePrincipal,
}

/// A secret or a certificate.
#[derive(Debug, Clone)]
pub(super) struct Credential {
    pub(super) key_id: String,
    pub(super) kind: Kind,
    pub(super) carrier: Carrier,
    pub(super) name: String,
    pub(super) start: Moment,
    pub(super) end: Moment,
    /// Hexadecimal, for certificates.
    pub(super) thumbprint: String,
}

impl Credential {
    /// Whether it proves the identity at a moment.
    pub(super) fn is_valid(&self, at: Moment) -> bool {
        self.start <= at && at < self.end
    }
}

/// Trust in another issuer's tokens.
#[derive(Debug, Clone)]
pub(super) struct Federated {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) issuer: String,
    pub(super) subject: String,
}

/// An application permission held, on Microsoft Graph.
#[derive(Debug, Clone)]
pub(super) struct Grant {
    pub(super) id: String,
    pub(super) permission: Permission,
    pub(super) created: Moment,
}

/// Delegated scopes held for every user, on Microsoft Graph.
#[derive(Debug, Clone)]
pub(super) struct Delegation {
    pub(super) id: String,
    pub(super) scope: String,
}

/// A directory role held.
#[derive(Debug, Clone)]
pub(super) struct RoleHeld {
    pub(super) id: String,
    pub(super) role: RoleDefinition,
}

/// How often an identity asks for tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pattern {
    /// On so many of thirty days.
    Steady(u64),
    /// Never.
    Silent,
    /// As steady, until a day (exclusive).
    Until(u64, Day),
    /// As steady, from a day on.
    From(u64, Day),
    /// As steady, save between two days.
    Gap(u64, Day, Day),
}

impl Pattern {
    /// How many of thirty days it would be active on this one.
    pub(super) fn rate(self, day: Day) -> u64 {
        match self {
            Self::Steady(rate) => rate,
            Self::Silent => 0,
            Self::Until(rate, end) => {
                if day < end {
                    rate
                } else {
                    0
                }
            }
            Self::From(rate, start) => {
                if day >= start {
                    rate
                } else {
                    0
                }
            }
            Self::Gap(rate, from, to) => {
                if day < from || day >= to {
                    rate
                } else {
                    0
                }
            }
        }
    }
}

/// One workload identity: service principal and, when registered here, its application.
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent traits, each of which a story sets alone"
)]
#[derive(Debug, Clone)]
pub(super) struct Identity {
    pub(super) class: Class,
    pub(super) name: String,
    pub(super) app_id: String,
    pub(super) sp_id: String,
    /// Object id of the application, when it is registered here and not deleted.
    pub(super) application: Option<String>,
    pub(super) owner_tenant: String,
    pub(super) created: Moment,
    /// Whether it exists yet and still.
    pub(super) exists: bool,
    pub(super) enabled: bool,
    /// Numbers of owning accounts.
    pub(super) owners: Vec<usize>,
    pub(super) credentials: Vec<Credential>,
    pub(super) federated: Vec<Federated>,
    pub(super) grants: Vec<Grant>,
    pub(super) delegations: Vec<Delegation>,
    pub(super) roles: Vec<RoleHeld>,
    pub(super) reply_urls: Vec<String>,
    /// Whether the inventory of the organisation knows the application.
    pub(super) referenced: bool,
    /// Instance property lock of an application others may install.
    pub(super) locked: bool,
    pub(super) implicit_grant: bool,
    /// Name of the verified publisher.
    pub(super) publisher: Option<String>,
    pub(super) pattern: Pattern,
    /// From this day on tokens are asked for from an unknown network.
    pub(super) abroad_from: Option<Day>,
    /// Signs in with its oldest valid credential rather than the newest.
    pub(super) clings_to_old: bool,
    /// Gives a wrong secret now and then.
    pub(super) clumsy: bool,
}

impl Identity {
    /// A healthy identity without credentials, existing since long before the demo.
    pub(super) fn new(
        class: Class,
        name: String,
        tenant_id: &str,
        created: Moment,
        random: &mut Random,
    ) -> Self {
        let application = matches!(class, Class::SingleTenant | Class::MultiTenant);
        let owner_tenant = match class {
            Class::Microsoft => MICROSOFT_TENANT.to_owned(),
            Class::ThirdParty => random.guid(),
            _ => tenant_id.to_owned(),
        };
        Self {
            class,
            name,
            app_id: random.guid(),
            sp_id: random.guid(),
            application: application.then(|| random.guid()),
            owner_tenant,
            created,
            exists: true,
            enabled: true,
            owners: Vec::new(),
            credentials: Vec::new(),
            federated: Vec::new(),
            grants: Vec::new(),
            delegations: Vec::new(),
            roles: Vec::new(),
            reply_urls: Vec::new(),
            referenced: true,
            locked: true,
            implicit_grant: false,
            publisher: None,
            pattern: Pattern::Steady(6),
            abroad_from: None,
            clings_to_old: false,
            clumsy: false,
        }
    }

    /// Credentials of one of its two objects.
    pub(super) fn credentials_on(&self, carrier: Carrier) -> impl Iterator<Item = &Credential> {
        self.credentials
            .iter()
            .filter(move |credential| credential.carrier == carrier)
    }
}

/// An account of the organisation: a role, not a person.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) id: String,
    pub(super) principal_name: String,
    pub(super) enabled: bool,
    pub(super) guest: bool,
    pub(super) address: &'static str,
}

/// A Conditional Access policy for workload identities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) state: &'static str,
    pub(super) include: Vec<String>,
    pub(super) exclude: Vec<String>,
    pub(super) exclude_locations: Vec<String>,
    pub(super) risk_levels: Vec<&'static str>,
    pub(super) created: Moment,
    pub(super) modified: Option<Moment>,
}

/// Every service principal registered in the tenant, as a policy names them.
pub(super) const ALL_WORKLOADS: &str = "ServicePrincipalsInMyTenant";

impl Policy {
    /// Whether it is assigned to an identity.
    pub(super) fn covers(&self, identity: &Identity) -> bool {
        identity.class == Class::SingleTenant
            && !self.exclude.contains(&identity.sp_id)
            && self
                .include
                .iter()
                .any(|id| id == ALL_WORKLOADS || *id == identity.sp_id)
    }
}

/// A named location made of address ranges.
#[derive(Debug, Clone)]
pub(super) struct Location {
    pub(super) id: String,
    pub(super) name: &'static str,
    pub(super) ranges: Vec<&'static str>,
    pub(super) created: Moment,
}

/// What was bought or is on trial.
#[derive(Debug, Clone)]
pub(super) struct Subscription {
    pub(super) id: String,
    pub(super) trial: bool,
    pub(super) units: u64,
    pub(super) created: Moment,
    pub(super) ends: Moment,
}

/// The whole tenant.
#[derive(Debug, Clone)]
pub(super) struct Tenant {
    pub(super) id: String,
    pub(super) seed: u64,
    pub(super) accounts: Vec<Account>,
    pub(super) identities: Vec<Identity>,
    pub(super) policies: Vec<Policy>,
    pub(super) locations: Vec<Location>,
    pub(super) subscriptions: Vec<Subscription>,
}

impl Tenant {
    /// Object id of the service principal of Microsoft Graph, which is always the first identity.
    pub(super) fn graph_id(&self) -> &str {
        self.identities
            .first()
            .map_or("", |identity| identity.sp_id.as_str())
    }
}
