//! State: what was true when, as intervals that carry the positions that opened and closed them.
//!
//! Two times: the state is made from events below a position (`size`, what was known); a question
//! then names an instant (what had happened by then). Every span is half-open `[from, to)`.

mod activity;
mod builder;
mod change;
mod class;
mod fold;
mod fold_subject;
mod pruned;
mod query;
mod spans;

pub(crate) use activity::{ActivityFold, Tally, credential_key};
pub use builder::StateBuilder;
pub(crate) use change::Change;
pub use class::{MICROSOFT_TENANTS, is_microsoft};
pub(crate) use fold_subject::SECURITY_ATTRIBUTE_PREFIX;
pub(crate) use spans::{intersect, union};

use std::collections::BTreeMap;

use jiff::Timestamp;
use ledger::event::credential::Credential;
use ledger::event::evidence::Pruned;
use ledger::event::grant::{AppRole, Delegated, Role};
use ledger::event::identity::{ObjectKind, Owner};
use ledger::event::licence::{Entitlement, TrialStarted};
use ledger::event::policy::{AccessPolicy, Location};
use ledger::event::risk::{Detection, Level};
use ledger::event::{Position, StreamName, billing::RunRecorded, book::Imported};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A value that held from one instant to another, and the events that say so.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Span<T> {
    /// What held.
    pub value: T,
    /// Since when.
    #[serde(with = "crate::instant")]
    pub from: Timestamp,
    /// Until when (exclusive); `None`: still holds, as far as known.
    #[serde(with = "crate::instant::optional")]
    pub to: Option<Timestamp>,
    /// Positions of the events that opened it (and corroborated it), never empty.
    pub opened: Vec<Position>,
    /// Positions of the events that closed it.
    pub closed: Vec<Position>,
}

impl<T> Span<T> {
    /// Whether it held at an instant.
    pub fn holds_at(&self, at: Timestamp) -> bool {
        self.from <= at && self.to.is_none_or(|to| at < to)
    }

    /// Every position that made it, ascending.
    pub fn evidence(&self) -> Vec<Position> {
        let mut positions: Vec<Position> =
            self.opened.iter().chain(&self.closed).copied().collect();
        positions.sort_unstable();
        positions.dedup();
        positions
    }
}

/// A time and the event that told it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Seen {
    /// When.
    #[serde(with = "crate::instant")]
    pub at: Timestamp,
    /// Which event.
    pub position: Position,
}

/// How a credential was used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CredentialUse {
    /// First successful sign-in with it.
    pub first: Seen,
    /// Last successful sign-in with it.
    pub last: Seen,
    /// Successful sign-ins with it.
    pub count: u64,
}

/// Sign-ins of one identity over its whole history.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    /// Successful sign-ins.
    pub ok: u64,
    /// Failed sign-ins.
    pub failed: u64,
    /// Sign-ins blocked by Conditional Access.
    pub blocked: u64,
    /// First successful sign-in.
    pub first: Option<Seen>,
    /// Last successful sign-in.
    pub last: Option<Seen>,
    /// Sign-in that ended the longest silence of 90 days or more: (last before, first after).
    pub woke: Option<(Seen, Seen)>,
    /// Use by credential: key id, or `federated:<federated credential id>`.
    pub credentials: BTreeMap<String, CredentialUse>,
    /// Successful sign-ins by country.
    pub countries: BTreeMap<String, CredentialUse>,
    /// Names of the resources it asked for, by resource id, as the logs last gave them.
    pub resources: BTreeMap<String, String>,
    /// Name the logs last gave the identity.
    pub name: Option<String>,
    /// Application id the logs last gave the identity.
    pub app_id: Option<String>,
    /// Whether it signed in through the managed-identity log.
    pub managed_identity: bool,
    /// First sign-in of any outcome.
    pub earliest: Option<Seen>,
}

/// One service principal, managed identity or application, over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// Its stream.
    pub stream: StreamName,
    /// Dense stream number in this ledger.
    pub stream_no: u32,
    /// Tenant id.
    pub tenant: String,
    /// Object id.
    pub object_id: String,
    /// Kind of object.
    pub kind: ObjectKind,
    /// First event about it.
    pub registered: Seen,
    /// When the object was created, if told.
    pub created_at: Option<Timestamp>,
    /// Spans in which the object existed (not deleted).
    pub existence: Vec<Span<()>>,
    /// Spans of being allowed to sign in or not.
    pub enabled: Vec<Span<bool>>,
    /// Attribute values over time, by Graph name.
    pub attributes: BTreeMap<String, Vec<Span<Value>>>,
    /// Credentials over time.
    pub credentials: Vec<Span<Credential>>,
    /// Directory owners over time.
    pub owners: Vec<Span<Owner>>,
    /// Application permissions over time.
    pub app_roles: Vec<Span<AppRole>>,
    /// Delegated grants over time.
    pub delegated: Vec<Span<Delegated>>,
    /// Directory roles over time.
    pub roles: Vec<Span<Role>>,
    /// Risk over time.
    pub risk: Vec<Span<Level>>,
    /// Latest version of each detection, by detection id.
    pub detections: BTreeMap<String, (Seen, Detection)>,
    /// Times at which a detection with its detail was delivered, every version, in order.
    pub detail_seen: Vec<Seen>,
    /// Whose it is over time, contiguous from the start; empty for an application.
    pub classes: Vec<Span<IdentityClass>>,
    /// Licence assignments over time, by SKU part number.
    pub assigned: Vec<Span<String>>,
    /// Sign-ins.
    pub activity: Activity,
}

/// Whose an identity is, which decides what may be licensed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityClass {
    /// Service principal of an app registered in this tenant, single-tenant.
    SingleTenant,
    /// Service principal of an app registered in this tenant, open to other tenants.
    MultiTenant,
    /// Service principal of another organisation's app.
    ThirdParty,
    /// Service principal of a Microsoft app.
    Microsoft,
    /// Managed identity.
    ManagedIdentity,
    /// Agent identity (Entra Agent ID); licensed per user, never counted.
    Agent,
    /// Legacy or not told: cannot be classed.
    Unclassified,
}

/// What one category of source has told so far, for one tenant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Earliest time of a fact.
    pub first: Seen,
    /// Latest time of a fact.
    pub last: Seen,
    /// Facts counted.
    pub count: u64,
}

/// Everything known from the events below `size`.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Events below this position were read.
    pub size: Position,
    /// Recorded time of the last of them.
    pub recorded_at: Option<Timestamp>,
    /// Latest `occurred_at` among the facts of sources; Daybook's own events do not count.
    pub latest: Option<Timestamp>,
    /// Service principals and managed identities by stream.
    pub identities: BTreeMap<StreamName, Subject>,
    /// Applications by stream.
    pub applications: BTreeMap<StreamName, Subject>,
    /// Application stream by (tenant, appId).
    pub application_of: BTreeMap<(String, String), StreamName>,
    /// Conditional Access policies by stream.
    pub policies: BTreeMap<StreamName, Vec<Span<AccessPolicy>>>,
    /// Named locations by stream.
    pub locations: BTreeMap<StreamName, Vec<Span<Location>>>,
    /// Subscriptions by (tenant, SKU id).
    pub entitlements: BTreeMap<(String, String), Vec<Span<Entitlement>>>,
    /// Trials by tenant, in order of position.
    pub trials: BTreeMap<String, Vec<(Seen, TrialStarted)>>,
    /// Coverage by (tenant, source name), such as `graph/servicePrincipalSignIn`. What only an
    /// import's own counts tell is under the one tenant there is, or under an empty tenant when
    /// there are several.
    pub coverage: BTreeMap<(String, String), Coverage>,
    /// Files imported.
    pub imports: Vec<(Seen, Imported)>,
    /// Events contradicted by later records: (position of the conflict, position contradicted).
    pub conflicts: Vec<(Seen, Position)>,
    /// Billing runs recorded.
    pub runs: Vec<(Seen, RunRecorded)>,
    /// Prunings of sign-ins: of the months they touched nothing is computed.
    pub prunings: Vec<(Seen, Pruned)>,
}

#[cfg(test)]
mod tests;
