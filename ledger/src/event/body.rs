//! The closed list of event types and the body each carries.

use super::{
    activity, billing, book, credential, evidence, grant, identity, licence, policy, report, risk,
};

/// Number of an event type, as in the entry header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(pub u16);

macro_rules! events {
    ($($(#[$doc:meta])* $number:literal $name:literal $variant:ident($body:path),)*) => {
        /// The fact an event states. A type this version does not know is kept as it is.
        #[derive(Debug, Clone, PartialEq)]
        pub enum EventBody {
            $($(#[$doc])* $variant($body),)*
            /// Written by a newer version: kept, chained and listed, ignored by projections.
            Unknown(EventType, serde_json::Value),
        }

        impl EventBody {
            /// Every type this version knows: number and name.
            pub const TYPES: &[(EventType, &str)] = &[$((EventType($number), $name),)*];

            /// The type's number.
            pub fn event_type(&self) -> EventType {
                match self {
                    $(Self::$variant(_) => EventType($number),)*
                    Self::Unknown(event_type, _) => *event_type,
                }
            }

            /// The body as JSON.
            ///
            /// # Errors
            /// When a value cannot be written as JSON, which no body here can cause.
            pub fn to_json(&self) -> Result<serde_json::Value, serde_json::Error> {
                match self {
                    $(Self::$variant(body) => serde_json::to_value(body),)*
                    Self::Unknown(_, value) => Ok(value.clone()),
                }
            }

            /// Reads a body of the given type from any format that names its fields.
            ///
            /// # Errors
            /// When the input has not the shape the type names.
            pub fn read<'de, D: serde::Deserializer<'de>>(
                event_type: EventType,
                input: D,
            ) -> Result<Self, D::Error> {
                match event_type.0 {
                    $($number => Ok(Self::$variant(serde::Deserialize::deserialize(input)?)),)*
                    _ => Ok(Self::Unknown(event_type, serde::Deserialize::deserialize(input)?)),
                }
            }

            /// Reads a body of the given type.
            ///
            /// # Errors
            /// When the JSON has not the shape its type names.
            pub fn from_json(
                event_type: EventType,
                value: serde_json::Value,
            ) -> Result<Self, serde_json::Error> {
                Self::read(event_type, value)
            }
        }

        /// Writes the body alone, straight from its type; [`EventBody::read`] takes it back.
        impl serde::Serialize for EventBody {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self {
                    $(Self::$variant(body) => body.serialize(serializer),)*
                    Self::Unknown(_, value) => value.serialize(serializer),
                }
            }
        }
    };
}

events! {
    /// A service principal, managed identity or application appeared.
    0x0101 "identity.registered" IdentityRegistered(identity::Registered),
    /// Named attributes changed, old to new.
    0x0102 "identity.updated" IdentityUpdated(identity::Updated),
    /// Sign-in was allowed again.
    0x0103 "identity.enabled" IdentityEnabled(identity::Marker),
    /// Sign-in was forbidden.
    0x0104 "identity.disabled" IdentityDisabled(identity::Marker),
    /// Moved to the recycle bin, restorable for 30 days.
    0x0105 "identity.deleted" IdentityDeleted(identity::Marker),
    /// Came back from the recycle bin.
    0x0106 "identity.restored" IdentityRestored(identity::Marker),
    /// Deleted for good.
    0x0107 "identity.purged" IdentityPurged(identity::Marker),
    /// A directory owner was added.
    0x0108 "identity.owner_added" OwnerAdded(identity::OwnerChange),
    /// A directory owner was removed.
    0x0109 "identity.owner_removed" OwnerRemoved(identity::OwnerChange),
    /// What is known of an owner changed (disabled, deleted, guest).
    0x010a "identity.owner_updated" OwnerUpdated(identity::OwnerChange),
    /// Custom security attributes were assigned.
    0x010b "identity.attributes_set" AttributesSet(identity::AttributesSet),
    /// A secret, certificate or federated credential was added.
    0x0201 "credential.added" CredentialAdded(credential::Added),
    /// Named fields of a credential changed.
    0x0202 "credential.updated" CredentialUpdated(credential::Updated),
    /// A credential was removed.
    0x0203 "credential.removed" CredentialRemoved(credential::Removed),
    /// An application permission was granted.
    0x0301 "grant.app_role_granted" AppRoleGranted(grant::AppRole),
    /// An application permission was withdrawn.
    0x0302 "grant.app_role_revoked" AppRoleRevoked(grant::AppRole),
    /// Delegated scopes were granted.
    0x0303 "grant.delegated_granted" DelegatedGranted(grant::Delegated),
    /// Delegated scopes were withdrawn.
    0x0304 "grant.delegated_revoked" DelegatedRevoked(grant::Delegated),
    /// A directory role was assigned.
    0x0305 "grant.role_assigned" RoleAssigned(grant::Role),
    /// A directory role was removed.
    0x0306 "grant.role_removed" RoleRemoved(grant::Role),
    /// A Conditional Access policy was created.
    0x0401 "policy.access_policy_created" AccessPolicyCreated(policy::AccessPolicyChange),
    /// A Conditional Access policy changed; the whole old and new policy.
    0x0402 "policy.access_policy_updated" AccessPolicyUpdated(policy::AccessPolicyChange),
    /// A Conditional Access policy was deleted.
    0x0403 "policy.access_policy_deleted" AccessPolicyDeleted(policy::AccessPolicyChange),
    /// A named location was created.
    0x0404 "policy.location_created" LocationCreated(policy::LocationChange),
    /// A named location changed.
    0x0405 "policy.location_updated" LocationUpdated(policy::LocationChange),
    /// A named location was deleted.
    0x0406 "policy.location_deleted" LocationDeleted(policy::LocationChange),
    /// A workload identity got a token.
    0x0501 "activity.signed_in" SignedIn(activity::SignIn),
    /// A workload identity was refused a token.
    0x0502 "activity.sign_in_failed" SignInFailed(activity::SignIn),
    /// Conditional Access blocked a workload identity.
    0x0503 "activity.sign_in_blocked" SignInBlocked(activity::SignIn),
    /// Identity Protection raised a detection, or changed one.
    0x0601 "risk.detected" RiskDetected(risk::Detection),
    /// The risk level or state of an identity changed.
    0x0602 "risk.level_changed" RiskLevelChanged(risk::Level),
    /// An administrator confirmed the compromise.
    0x0603 "risk.confirmed" RiskConfirmed(risk::Level),
    /// An administrator dismissed the risk.
    0x0604 "risk.dismissed" RiskDismissed(risk::Level),
    /// The risk was remediated.
    0x0605 "risk.remediated" RiskRemediated(risk::Level),
    /// What the tenant has bought, as seen in its subscriptions.
    0x0701 "licence.entitlement_observed" EntitlementObserved(licence::Entitlement),
    /// A trial began.
    0x0702 "licence.trial_started" TrialStarted(licence::TrialStarted),
    /// A licence was assigned to one identity.
    0x0705 "licence.assigned" LicenceAssigned(licence::Assignment),
    /// A licence was taken from one identity.
    0x0706 "licence.unassigned" LicenceUnassigned(licence::Assignment),
    /// A billing run was recorded.
    0x0903 "billing.run_recorded" RunRecorded(billing::RunRecorded),
    /// A report was issued.
    0x0a03 "report.report_issued" ReportIssued(report::Issued),
    /// The ledger was created.
    0x0b01 "ledger.created" LedgerCreated(book::Created),
    /// A file was imported.
    0x0b02 "ledger.imported" Imported(book::Imported),
    /// A later record says more about an event.
    0x0b05 "ledger.corroborated" Corroborated(book::Corroborated),
    /// A later record contradicts an event.
    0x0b06 "ledger.conflicted" Conflicted(book::Conflicted),
    /// The key that signs checkpoints is being replaced, or was.
    0x0b07 "ledger.key_rotated" KeyRotated(evidence::KeyRotated),
    /// The key of an epoch was destroyed.
    0x0b08 "ledger.epoch_sealed" EpochSealed(evidence::EpochSealed),
    /// Private parts were erased.
    0x0b09 "ledger.redacted" Redacted(book::Redacted),
    /// Payloads were pruned.
    0x0b0a "ledger.pruned" Pruned(evidence::Pruned),
    /// A timestamp authority has seen a checkpoint.
    0x0b0b "ledger.anchored" Anchored(evidence::Anchored),
}

impl EventType {
    /// The type's name, or `None` when this version does not know it.
    pub fn name(self) -> Option<&'static str> {
        EventBody::TYPES
            .iter()
            .find(|(number, _)| *number == self)
            .map(|(_, name)| *name)
    }

    /// The type of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        EventBody::TYPES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(number, _)| *number)
    }

    /// Type of `ledger.created`.
    pub(crate) const CREATED: Self = Self(0x0b01);

    /// Type of `ledger.redacted`.
    pub(crate) const REDACTED: Self = Self(0x0b09);

    /// Type of `ledger.pruned`.
    pub const PRUNED: Self = Self(0x0b0a);

    /// Whether this is a sign-in: the types that make almost all of a ledger's events.
    pub fn is_activity(self) -> bool {
        self.0 >> 8 == 0x05
    }
}

impl std::fmt::Display for EventType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "unknown.{:#06x}", self.0),
        }
    }
}
