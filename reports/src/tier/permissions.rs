//! What application permissions allow: the table behind the tiers.
//!
//! Names and ids are facts of the platform. Which group a permission belongs to follows the control
//! plane list of the Azure privileged IAM classification (MIT) for takeover of the directory and the
//! risky application permissions of `ScubaGear` (CC0) for data; the grouping is ours.

use super::Power;

/// Service that offers a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resource {
    /// Microsoft Graph.
    Graph,
    /// Office 365 Exchange Online.
    Exchange,
    /// Office 365 `SharePoint` Online.
    SharePoint,
    /// Power BI Service.
    PowerBi,
}

/// Permissions of one resource that allow the same.
#[derive(Debug)]
pub struct Group {
    /// Who offers them.
    pub resource: Resource,
    /// What they allow.
    pub power: Power,
    /// Value, such as `Mail.Read`, and app role id; the id is empty where one id stands for
    /// different permissions.
    pub of: &'static [(&'static str, &'static str)],
}

/// Permissions that lift an identity above tier 2.
pub const GROUPS: &[Group] = &[
    Group {
        resource: Resource::Graph,
        power: Power::Direct,
        of: GRAPH_DIRECT,
    },
    Group {
        resource: Resource::Graph,
        power: Power::Indirect,
        of: GRAPH_INDIRECT,
    },
    Group {
        resource: Resource::Graph,
        power: Power::Content,
        of: GRAPH_CONTENT,
    },
    Group {
        resource: Resource::Graph,
        power: Power::Adjacent,
        of: GRAPH_ADJACENT,
    },
    Group {
        resource: Resource::Exchange,
        power: Power::Content,
        of: EXCHANGE_CONTENT,
    },
    Group {
        resource: Resource::SharePoint,
        power: Power::Content,
        of: SHAREPOINT_CONTENT,
    },
    Group {
        resource: Resource::PowerBi,
        power: Power::Content,
        of: POWERBI_CONTENT,
    },
];

const GRAPH_DIRECT: &[(&str, &str)] = &[
    (
        "RoleManagement.ReadWrite.Directory",
        "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
    ),
    (
        "RoleAssignmentSchedule.ReadWrite.Directory",
        "dd199f4a-f148-40a4-a2ec-f0069cc799ec",
    ),
    (
        "PrivilegedAccess.ReadWrite.AzureADGroup",
        "2f6817f8-7b12-4f0f-bc18-eeaf60705a9e",
    ),
    (
        "PrivilegedAssignmentSchedule.ReadWrite.AzureADGroup",
        "41202f2c-f7ab-45be-b001-85c9728b9d69",
    ),
    (
        "UserAuthenticationMethod.ReadWrite.All",
        "50483e42-d915-4231-9639-7fdb7fd190e5",
    ),
    (
        "UserAuthMethod-TAP.ReadWrite.All",
        "627169a8-8c15-451c-861a-5b80e383de5c",
    ),
    (
        "UserAuthMethod-QR.ReadWrite.All",
        "4869299f-18c3-40c8-98f2-222657e67db1",
    ),
    (
        "UserAuthMethod-Phone.ReadWrite.All",
        "6e85d483-7092-4375-babe-0a94a8213a58",
    ),
    (
        "UserAuthMethod-HardwareOATH.ReadWrite.All",
        "7e9ebcc1-90aa-4471-8051-e68d6b4e9c89",
    ),
    (
        "Policy.ReadWrite.ConditionalAccess",
        "01c0a623-fc9b-48e9-b794-0756f8e8f067",
    ),
    (
        "User.DeleteRestore.All",
        "eccc023d-eccf-4e7b-9683-8813ab36cecc",
    ),
    (
        "User.EnableDisableAccount.All",
        "3011c876-62b7-4ada-afa2-506cbbecc68c",
    ),
];

const GRAPH_INDIRECT: &[(&str, &str)] = &[
    (
        "AppRoleAssignment.ReadWrite.All",
        "06b708a9-e830-4db3-a914-8e69da51d44f",
    ),
    (
        "Application.ReadWrite.All",
        "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    ),
    (
        "Application.ReadWrite.OwnedBy",
        "18a4783c-866b-4cc7-a460-3d5e5662c884",
    ),
    (
        "Application.ReadUpdate.All",
        "fc023787-fd04-4e44-9bc7-d454f00c0f0a",
    ),
    (
        "Directory.ReadWrite.All",
        "19dbc75e-c2e2-444c-a770-ec69d8559fc7",
    ),
    (
        "Group.ReadWrite.All",
        "62a82d76-70ea-41e2-9197-370581804d09",
    ),
    (
        "GroupMember.ReadWrite.All",
        "dbaae8cf-10b5-4b86-a4a1-f871c94c6695",
    ),
    (
        "RoleEligibilitySchedule.ReadWrite.Directory",
        "fee28b28-e1f3-4841-818e-2704dc62245f",
    ),
    (
        "RoleManagementPolicy.ReadWrite.Directory",
        "31e08e0a-d3f7-4ca2-ac39-7343fb83e8ad",
    ),
    (
        "RoleManagementPolicy.ReadWrite.AzureADGroup",
        "b38dcc4d-a239-4ed6-aa84-6c65b284f97c",
    ),
    (
        "PrivilegedEligibilitySchedule.ReadWrite.AzureADGroup",
        "618b6020-bca8-4de6-99f6-ef445fa4d857",
    ),
    (
        "PrivilegedAccess.ReadWrite.AzureAD",
        "854d9ab1-6657-4ec8-be45-823027bcd009",
    ),
    (
        "PrivilegedAccess.ReadWrite.AzureResources",
        "6f9d5abc-2db6-400b-a267-7de22a40fb87",
    ),
    (
        "Policy.ReadWrite.AuthenticationMethod",
        "29c18626-4985-4dcd-85c0-193eef327366",
    ),
    (
        "Policy.ReadWrite.PermissionGrant",
        "a402ca1c-2696-4531-972d-6e5ee4aa11ea",
    ),
    ("User.ReadWrite.All", "741f803b-c850-494e-b5df-cde7c675a1ca"),
    (
        "User-PasswordProfile.ReadWrite.All",
        "cc117bb9-00cf-4eb8-b580-ea2a878fe8f7",
    ),
    (
        "Domain.ReadWrite.All",
        "7e05723c-0bb0-42da-be95-ae9f08a6e53c",
    ),
    (
        "Organization.ReadWrite.All",
        "292d869f-3427-49a8-9dab-8c70152b74e9",
    ),
    (
        "EntitlementManagement.ReadWrite.All",
        "9acd699f-1e81-4958-b001-93b1d2506e19",
    ),
    (
        "AdministrativeUnit.ReadWrite.All",
        "5eb59dd3-1da2-4329-8733-9dabdc435916",
    ),
    (
        "Synchronization.ReadWrite.All",
        "9b50c33d-700f-43b1-b2eb-87e89b703581",
    ),
    (
        "DeviceManagementConfiguration.ReadWrite.All",
        "9241abd9-d0e6-425a-bd4f-47ba86e767a4",
    ),
    (
        "DeviceManagementRBAC.ReadWrite.All",
        "e330c4f0-4170-414e-a55a-2f022ec2b57b",
    ),
    (
        "DeviceManagementScripts.ReadWrite.All",
        "9255e99d-faf5-445e-bbf7-cb71482737c4",
    ),
    (
        "DelegatedAdminRelationship.ReadWrite.All",
        "cc13eba4-8cd8-44c6-b4d4-f93237adce58",
    ),
    (
        "Group-OnPremisesSyncBehavior.ReadWrite.All",
        "2d9bd318-b883-40be-9df7-63ec4fcdc424",
    ),
    (
        "SecurityIdentitiesActions.ReadWrite.All",
        "af2bf46f-7bf1-4be3-8bad-e17e279e8462",
    ),
    (
        "SignInIdentifier.ReadWrite.All",
        "7fc588a2-ea2d-4d1f-bcf7-33c324b149b8",
    ),
];

const GRAPH_CONTENT: &[(&str, &str)] = &[
    ("Mail.ReadWrite", "e2a3a72e-5f79-4c64-b1b1-878b674786c9"),
    ("Mail.Read", "810c84a8-4a9e-49e6-bf7d-12d183f40d01"),
    ("Mail.Send", "b633e1c5-b582-4048-a93e-9f11b44c7e96"),
    (
        "MailboxSettings.ReadWrite",
        "6931bccd-447a-43d1-b442-00a195474933",
    ),
    ("Files.Read.All", "01d4889c-1287-42c6-ac1f-5d1e02578ef6"),
    (
        "Files.ReadWrite.All",
        "75359482-378d-4052-8f01-80520e7db3cd",
    ),
    (
        "Sites.FullControl.All",
        "a82116e5-55eb-4c41-a434-62fe8a61c773",
    ),
    (
        "Sites.ReadWrite.All",
        "9492366f-7969-46a4-8d15-ed1a20078fff",
    ),
    ("Sites.Manage.All", "0c0bf378-bf22-4481-8f81-9e89a9b4960a"),
    ("Chat.Read.All", "6b7d71aa-70aa-4810-a8d9-5d9fb2830017"),
    ("Chat.ReadWrite.All", "294ce7c9-31ba-490a-ad7d-97a7d075e4ed"),
    (
        "ChannelMessage.Read.All",
        "7b2449af-6ccd-4f4d-9f78-e550c193f0d1",
    ),
    (
        "Notes.ReadWrite.All",
        "0c458cef-11f3-48c2-a568-c66751c238c0",
    ),
    (
        "Calendars.ReadWrite",
        "ef54d2bf-783f-4e0f-bca1-3210c0444d99",
    ),
    ("Contacts.ReadWrite", "6918b873-d17a-4dc1-b314-35f528134491"),
    (
        "eDiscovery.ReadWrite.All",
        "b2620db1-3bf7-4c5b-9cb9-576d29eac736",
    ),
    ("AuditLog.Read.All", "b0afded3-3588-46d8-8b3d-9842eff778da"),
    (
        "BitlockerKey.Read.All",
        "57f1cf28-c0c4-4ec3-9a30-19a2eaaf2f6e",
    ),
    (
        "DeviceLocalCredential.Read.All",
        "884b599e-4d48-43a5-ba94-15c414d00588",
    ),
];

const GRAPH_ADJACENT: &[(&str, &str)] = &[
    (
        "DelegatedPermissionGrant.ReadWrite.All",
        "8e8e4742-1d95-4f68-9d56-6ee75648c72a",
    ),
    (
        "Policy.ReadWrite.ApplicationConfiguration",
        "be74164b-cff1-491c-8741-e671cb536e13",
    ),
    (
        "Policy.ReadWrite.Authorization",
        "fb221be6-99f2-473f-bd32-01c6a0e9ca3b",
    ),
    (
        "Policy.ReadWrite.CrossTenantAccess",
        "338163d7-f101-4c92-94ba-ca46fe52447c",
    ),
    (
        "Policy.ReadWrite.SecurityDefaults",
        "1c6e93a6-28e2-4cbb-9f64-1a46a821124d",
    ),
    (
        "IdentityRiskyServicePrincipal.ReadWrite.All",
        "cb8d6980-6bcb-4507-afec-ed6de3a2d798",
    ),
    (
        "ServicePrincipalEndpoint.ReadWrite.All",
        "89c8469c-83ad-45f7-8ff2-6e3d4285709e",
    ),
    (
        "SpiffeTrustDomain.ReadWrite.All",
        "17b78cfd-eeff-447d-8bab-2795af00055a",
    ),
    (
        "AgentIdentityBlueprint.AddRemoveCreds.All",
        "0510736e-bdfb-4b37-9a1f-89b4a074763a",
    ),
];

const EXCHANGE_CONTENT: &[(&str, &str)] = &[
    ("full_access_as_app", "dc890d15-9560-4a4c-9b7f-a736ec74ec40"),
    (
        "Exchange.ManageAsApp",
        "dc50a0fb-09a3-484d-be87-e023b12c6440",
    ),
    (
        "Exchange.ManageAsAppV2",
        "ea3d980d-ebc7-4be4-8298-a167e5b8797c",
    ),
    ("IMAP.AccessAsApp", "5e5addcd-3e8d-4e90-baf5-964efab2b20a"),
    ("POP.AccessAsApp", "cb842b43-da6e-4506-86fe-bb12199c656d"),
    ("SMTP.SendAsApp", "7146a1f0-8703-45b3-9eae-527a64c00995"),
];

const SHAREPOINT_CONTENT: &[(&str, &str)] = &[
    (
        "Sites.FullControl.All",
        "678536fe-1083-478a-9c59-b99265e6b0d3",
    ),
    (
        "Sites.ReadWrite.All",
        "fbcd29d2-fcca-4405-aded-518d457caae4",
    ),
    ("Sites.Manage.All", "9bff6588-13f2-4c48-bbf2-ddab62256b36"),
    ("User.ReadWrite.All", ""),
];

const POWERBI_CONTENT: &[(&str, &str)] = &[(
    "Tenant.ReadWrite.All",
    "28379fa9-8596-4fd9-869e-cb60a93b5d84",
)];

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::path::PathBuf;

    use super::*;

    #[test]
    fn no_permission_is_listed_twice_for_a_resource() {
        let mut seen = BTreeSet::new();
        for group in GROUPS {
            for (value, _) in group.of {
                assert!(
                    seen.insert((format!("{:?}", group.resource), value)),
                    "{value}"
                );
            }
        }
    }

    /// The classification is not part of this repository; without it there is nothing to compare.
    fn classification() -> Option<Vec<serde_json::Value>> {
        let file = "shared/schemas/data/azureprivilegediam-Classification_MsGraphAppRoles.json";
        let parents = ["../..", "../../..", "../../../.."];
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
        let found = parents
            .iter()
            .map(|up| root.join(up).join(file))
            .find(|path| path.exists())?;
        serde_json::from_slice(&std::fs::read(found).ok()?).ok()
    }

    #[test]
    #[expect(clippy::print_stdout, reason = "says that the comparison was left out")]
    fn ids_and_control_plane_agree_with_the_published_classification() {
        let Some(rows) = classification() else {
            println!("skipped: the published classification is not here");
            return;
        };
        let published: BTreeMap<&str, (&str, &str)> = rows
            .iter()
            .filter_map(|row| {
                let text = |name: &str| row.get(name)?.as_str();
                let value = text("AppRoleDisplayName")?;
                Some((value, (text("AppRoleId")?, text("EAMTierLevelName")?)))
            })
            .collect();
        let graph = GROUPS
            .iter()
            .filter(|group| group.resource == Resource::Graph);
        for group in graph {
            for (value, id) in group.of {
                let Some((known_id, level)) = published.get(value) else {
                    continue;
                };
                assert_eq!(id, known_id, "{value}");
                if group.power.tier() == 0 {
                    assert_eq!(*level, "ControlPlane", "{value}");
                }
            }
        }
    }
}
