//! Words the demo is made of. The organisation, its domain and everything in it are invented;
//! addresses are those reserved for documentation (RFC 5737), application ids of Microsoft's own
//! services and ids of permissions and roles are the published ones.

use super::tenant::{Permission, RoleDefinition};

/// What a workload is about.
const AREAS: [&str; 20] = [
    "payments",
    "hr",
    "fleet",
    "customs",
    "warehouse",
    "billing",
    "tracking",
    "routing",
    "invoice",
    "fuel",
    "driver",
    "parcel",
    "dock",
    "cold-chain",
    "returns",
    "quoting",
    "telematics",
    "container",
    "manifest",
    "pricing",
];

/// What a workload does.
const JOBS: [&str; 15] = [
    "api",
    "sync",
    "exporter",
    "ingest",
    "deployer",
    "reader",
    "worker",
    "scheduler",
    "webhook",
    "notifier",
    "reporter",
    "gateway",
    "etl",
    "archiver",
    "monitor",
];

/// The name of the ordinary workload with this number; no two numbers share a name.
pub(super) fn workload(number: usize) -> String {
    let (place, round) = (number % AREAS.len(), number / AREAS.len());
    let area = AREAS.get(place).copied().unwrap_or("core");
    let job = JOBS
        .get((place * 7 + round) % JOBS.len())
        .copied()
        .unwrap_or("app");
    match round / JOBS.len() {
        0 => format!("{area}-{job}"),
        more => format!("{area}-{job}-{}", more + 1),
    }
}

/// Role-like accounts that own workloads: nobody's name.
pub(super) const TEAMS: [&str; 16] = [
    "platform-oncall",
    "platform-lead",
    "payments-oncall",
    "payments-lead",
    "hr-systems",
    "hr-systems-lead",
    "data-oncall",
    "data-lead",
    "fleet-oncall",
    "fleet-lead",
    "integration-oncall",
    "integration-lead",
    "secops-duty",
    "secops-lead",
    "web-oncall",
    "web-lead",
];

/// Domain of the organisation.
pub(super) const DOMAIN: &str = "fabrikam.example";

/// Services of Microsoft present in every tenant: name and application id.
pub(super) const MICROSOFT_APPS: [(&str, &str); 12] = [
    ("Microsoft Graph", "00000003-0000-0000-c000-000000000000"),
    (
        "Office 365 Exchange Online",
        "00000002-0000-0ff1-ce00-000000000000",
    ),
    (
        "Office 365 SharePoint Online",
        "00000003-0000-0ff1-ce00-000000000000",
    ),
    (
        "Windows Azure Service Management API",
        "797f4846-ba00-4fd7-ba43-dac1f8f63013",
    ),
    ("Azure Key Vault", "cfa8b339-82a2-471a-a3c9-0fc0be7a4093"),
    ("Azure Storage", "e406a681-f3d4-42a8-90b6-c2b029497af1"),
    ("Microsoft Intune", "0000000a-0000-0000-c000-000000000000"),
    (
        "Windows Azure Active Directory",
        "00000002-0000-0000-c000-000000000000",
    ),
    (
        "Microsoft Teams Services",
        "cc15fd57-2c6c-4117-a88c-83b1d56b4bbe",
    ),
    ("Power BI Service", "00000009-0000-0000-c000-000000000000"),
    ("Azure SQL Database", "022907d3-0f1b-48f7-badc-1ba6abab6d66"),
    ("Log Analytics API", "ca7f3f0b-7d91-482c-8e09-c5d840d0eac5"),
];

/// Tenant that owns Microsoft's own services.
pub(super) const MICROSOFT_TENANT: &str = "f8cdef31-a31e-4b4a-93e4-5f571e91255a";

/// Software bought from others.
pub(super) const VENDORS: [&str; 8] = [
    "Northwind Route Planner",
    "Adatum Payroll Connector",
    "Proseware Expense Cloud",
    "Tailspin Toys EDI",
    "Wingtip Telemetry",
    "Litware Contract Archive",
    "Trey Research Maps",
    "Woodgrove Bank Feed",
];

/// Permissions of Microsoft Graph that the demo uses.
pub(super) const PERMISSIONS: [Permission; 15] = [
    Permission {
        value: "User.Read.All",
        id: "df021288-bdef-4463-88db-98f22de89214",
    },
    Permission {
        value: "Group.Read.All",
        id: "5b567255-7703-4780-807c-7be8301ae99b",
    },
    Permission {
        value: "Reports.Read.All",
        id: "230c1aed-a721-4c5d-9cb4-a90514e508ef",
    },
    Permission {
        value: "Device.Read.All",
        id: "7438b122-aefc-4978-80ed-43db9fcc7715",
    },
    Permission {
        value: "Sites.Selected",
        id: "883ea226-0bf2-4a8f-9f9d-92c9162a727d",
    },
    Permission {
        value: "Calendars.Read",
        id: "798ee544-9d2d-430c-a058-570e29e34338",
    },
    Permission {
        value: "Mail.Send",
        id: "b633e1c5-b582-4048-a93e-9f11b44c7e96",
    },
    Permission {
        value: "Mail.Read",
        id: "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
    },
    Permission {
        value: "Mail.ReadWrite",
        id: "e2a3a72e-5f79-4c64-b1b1-878b674786c9",
    },
    Permission {
        value: "Files.Read.All",
        id: "01d4889c-1287-42c6-ac1f-5d1e02578ef6",
    },
    Permission {
        value: "Sites.FullControl.All",
        id: "a82116e5-55eb-4c41-a434-62fe8a61c773",
    },
    Permission {
        value: "AuditLog.Read.All",
        id: "b0afded3-3588-46d8-8b3d-9842eff778da",
    },
    Permission {
        value: "Directory.Read.All",
        id: "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    },
    Permission {
        value: "Application.ReadWrite.All",
        id: "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    },
    Permission {
        value: "RoleManagement.ReadWrite.Directory",
        id: "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
    },
];

/// Directory roles that the demo uses, by their template ids.
pub(super) const ROLES: [RoleDefinition; 3] = [
    RoleDefinition {
        name: "Directory Readers",
        id: "88d8e3e3-8f55-4a1e-953a-9b9898b8876b",
    },
    RoleDefinition {
        name: "Reports Reader",
        id: "4a5d8f65-41da-4de4-8968-e035b65339cf",
    },
    RoleDefinition {
        name: "Application Administrator",
        id: "9b895d92-2cd3-44c7-9d02-a6ac2d5ea5c3",
    },
];

/// Issuer of the tokens of a well-known build service.
pub(super) const BUILD_ISSUER: &str = "https://token.actions.githubusercontent.com";

/// A display name that tries everything a report must withstand: markup, a right-to-left
/// override, a spreadsheet formula and both kinds of quotes.
pub(super) const HOSTILE: &str =
    "=cmd|'/C calc'!A0 <script>alert(\"daybook\")</script>\u{202e}gnp.exe\u{200f} & 'Co'";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_workloads_share_a_name() {
        let names: BTreeSet<String> = (0..2000).map(workload).collect();
        assert_eq!(names.len(), 2000);
    }
}
