//! Names of tables' columns, with their types and units, once.

/// Index of the identity among the rows of one answer, in order of stream. `u32`.
pub const IDENTITY: &str = "identity_no";
/// Dense number of the identity's stream in its ledger. `u32`.
pub const STREAM: &str = "stream_no";
/// Tenant id. Text.
pub const TENANT: &str = "tenant";
/// Object id of the identity. Text.
pub const OBJECT_ID: &str = "object_id";
/// Application id, empty when not known. Text.
pub const APP_ID: &str = "app_id";
/// Display name at the end of the period. Text of the tenant's making.
pub const NAME: &str = "name";
/// Class, as `IdentityClass::as_str`. Text.
pub const CLASS: &str = "class";
/// The month, `YYYY-MM`. Text.
pub const PERIOD: &str = "period";
/// Successful sign-ins. `u64`.
pub const SIGN_INS_OK: &str = "sign_ins_ok";
/// Failed sign-ins. `u64`.
pub const SIGN_INS_FAILED: &str = "sign_ins_failed";
/// Sign-ins blocked by Conditional Access. `u64`.
pub const SIGN_INS_BLOCKED: &str = "sign_ins_blocked";
/// First successful sign-in of the month, RFC 3339, null when none. Text.
pub const FIRST_USE: &str = "first_use";
/// Last successful sign-in of the month, RFC 3339, null when none. Text.
pub const LAST_USE: &str = "last_use";
/// Credentials that signed in, separated by spaces. Text.
pub const CREDENTIALS: &str = "credentials";
/// Resources a token was got for, separated by spaces. Text.
pub const RESOURCES: &str = "resources";
/// A meter of days: `covered`, `assigned`, `eligible`. Text.
pub const METER: &str = "meter";
/// Days a meter touched. `u32`.
pub const DAYS: &str = "days";
/// Days touched by a premium predicate. `u32`.
pub const COVERED_DAYS: &str = "covered_days";
/// Days touched by an assignment. `u32`.
pub const ASSIGNED_DAYS: &str = "assigned_days";
/// Days with a successful sign-in. `u32`.
pub const ACTIVE_DAYS: &str = "active_days";
/// Days of existing in a class that can need a licence. `u32`.
pub const ELIGIBLE_DAYS: &str = "eligible_days";
/// Whether it counts under the meter `covered`. Boolean.
pub const BILLABLE: &str = "billable";
/// Why it counts or not, in words. Text.
pub const WHY: &str = "why";
/// Positions that prove the row, separated by spaces. Text.
pub const EVIDENCE: &str = "evidence";
/// Identities in a group. `u32`.
pub const IDENTITIES: &str = "identities";
