//! Tiers: how much of the directory or its data an identity can take over, and by which grants.
//!
//! Tier 0 can take over the directory, tier 1 can read or destroy content of the whole tenant or
//! weaken its protection, tier 2 is everything else.

pub mod permissions;
pub mod roles;

use jiff::Timestamp;
use ledger::event::Position;
use ledger::event::grant::{AppRole, Delegated, Role, RoleAssignmentKind};
use projections::state::Span;

use permissions::{GROUPS, Group, Resource};

/// What a grant allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Power {
    /// Takes over the directory in one step.
    Direct,
    /// A directory role of tier 0.
    Role,
    /// Takes over the directory in two known steps.
    Indirect,
    /// Weakens protection of the directory.
    Adjacent,
    /// A directory role of tier 1.
    LesserRole,
    /// Reads or destroys content of the whole tenant.
    Content,
    /// High delegated scopes for every user; bounded by what the signed-in user may do.
    Delegated,
}

impl Power {
    /// The tier it lifts an identity to.
    pub fn tier(self) -> u8 {
        match self {
            Self::Direct | Self::Role | Self::Indirect => 0,
            Self::Adjacent | Self::LesserRole | Self::Content | Self::Delegated => 1,
        }
    }

    /// What it allows, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Direct => "takes over the directory directly",
            Self::Role => "directory role of tier 0",
            Self::Indirect => "takes over the directory in two steps",
            Self::Adjacent => "can weaken protection",
            Self::LesserRole => "directory role of tier 1",
            Self::Content => "reaches content of the whole tenant",
            Self::Delegated => "high scopes for every user",
        }
    }
}

/// One grant that matters, with what proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ability {
    /// What it allows.
    pub power: Power,
    /// Name of the permission, scope or role.
    pub name: String,
    /// Id that tells it apart from others: app role id, role id with scope, or scope.
    pub key: String,
    /// Whether it ends by itself.
    pub permanent: bool,
    /// Since when it is held.
    pub since: Timestamp,
    /// Events that granted it.
    pub evidence: Vec<Position>,
}

/// Where an identity stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tier {
    /// Grants that lift it above tier 2, strongest first.
    pub abilities: Vec<Ability>,
}

impl Tier {
    /// The tier, 0 to 2.
    pub fn level(&self) -> u8 {
        self.abilities
            .iter()
            .map(|ability| ability.power.tier())
            .min()
            .unwrap_or(2)
    }

    /// Weight of an identity of this tier in a score: 4, 2 or 1.
    pub fn weight(&self) -> u64 {
        match self.level() {
            0 => 4,
            1 => 2,
            _ => 1,
        }
    }

    /// Why, one phrase.
    pub fn reason(&self) -> String {
        match self.abilities.first() {
            Some(ability) => format!("{}: {}", ability.name, ability.power.words()),
            None => "no grant of high power known".to_owned(),
        }
    }

    /// Events that granted what lifts it to its level.
    pub fn evidence(&self) -> Vec<Position> {
        let level = self.level();
        self.abilities
            .iter()
            .filter(|ability| ability.power.tier() == level)
            .flat_map(|ability| ability.evidence.iter().copied())
            .collect()
    }

    /// Abilities of one kind.
    pub fn of(&self, power: Power) -> impl Iterator<Item = &Ability> {
        self.abilities
            .iter()
            .filter(move |ability| ability.power == power)
    }

    /// The tier that follows from grants held at one instant.
    pub fn from_grants<'a>(
        app_roles: impl IntoIterator<Item = (&'a Span<AppRole>, Option<&'a str>)>,
        delegated: impl IntoIterator<Item = &'a Span<Delegated>>,
        roles: impl IntoIterator<Item = &'a Span<Role>>,
    ) -> Self {
        let mut abilities: Vec<Ability> = Vec::new();
        abilities.extend(
            app_roles
                .into_iter()
                .filter_map(|(span, resource_app_id)| ability_of_app_role(span, resource_app_id)),
        );
        abilities.extend(delegated.into_iter().filter_map(ability_of_delegated));
        abilities.extend(roles.into_iter().filter_map(ability_of_role));
        abilities.sort_by(|a, b| (a.power, &a.name, &a.key).cmp(&(b.power, &b.name, &b.key)));
        Self { abilities }
    }
}

/// Delegated scopes that are high when granted for every user. Source: the consent-grant
/// permission table of `MSIdentityTools` (MIT), privilege `High`.
const HIGH_SCOPES: &[&str] = &[
    "AppRoleAssignment.ReadWrite.All",
    "Application.ReadWrite.All",
    "Directory.AccessAsUser.All",
    "Directory.ReadWrite.All",
    "Domain.ReadWrite.All",
    "EduRoster.ReadWrite.All",
    "Group.ReadWrite.All",
    "Member.Read.Hidden",
    "RoleAssignmentSchedule.ReadWrite.Directory",
    "RoleEligibilitySchedule.ReadWrite.Directory",
    "RoleManagement.ReadWrite.Directory",
    "User.Export.All",
    "User.ManageCreds.All",
    "User.ReadWrite.All",
    "full_access_as_user",
];

/// Families of scopes of which every write scope and every `.All` scope is high; same source.
const HIGH_FAMILIES: &[&str] = &[
    "Mail",
    "Files",
    "Sites",
    "MailboxSettings",
    "Notes",
    "Policy",
];

/// Whether a delegated scope is high when it holds for every user.
pub fn is_high_scope(scope: &str) -> bool {
    if HIGH_SCOPES.contains(&scope) {
        return true;
    }
    let mut parts = scope.split('.');
    let family = parts.next().unwrap_or_default();
    HIGH_FAMILIES.contains(&family)
        && parts.any(|part| matches!(part, "ReadWrite" | "Send" | "FullControl" | "All"))
}

fn ability_of_delegated(span: &Span<Delegated>) -> Option<Ability> {
    if !span.value.all_principals {
        return None;
    }
    let high: Vec<&str> = span
        .value
        .scopes
        .iter()
        .map(String::as_str)
        .filter(|scope| is_high_scope(scope))
        .collect();
    let name = high.join(" ");
    (!name.is_empty()).then(|| Ability {
        power: Power::Delegated,
        key: format!("{} {name}", span.value.resource_id),
        name,
        permanent: true,
        since: span.from,
        evidence: span.opened.clone(),
    })
}

fn ability_of_role(span: &Span<Role>) -> Option<Ability> {
    let role = &span.value;
    let is_in = |table: &[(&str, &str)]| {
        table.iter().any(|(id, name)| {
            role.role_definition_id.eq_ignore_ascii_case(id)
                || role.role_name.as_deref() == Some(*name)
        })
    };
    let power = if is_in(roles::ROLES_TIER_0) {
        Power::Role
    } else if is_in(roles::ROLES_TIER_1) {
        Power::LesserRole
    } else {
        return None;
    };
    let known = roles::ROLES_TIER_0
        .iter()
        .chain(roles::ROLES_TIER_1)
        .find(|(id, _)| role.role_definition_id.eq_ignore_ascii_case(id))
        .map(|(_, name)| *name);
    let name = known
        .or(role.role_name.as_deref())
        .unwrap_or(&role.role_definition_id);
    Some(Ability {
        power,
        name: match role.assignment {
            RoleAssignmentKind::Active => name.to_owned(),
            RoleAssignmentKind::Eligible => format!("{name} (eligible)"),
        },
        key: format!("{} {}", role.role_definition_id, role.scope),
        permanent: role.ends_at.is_none() && role.assignment == RoleAssignmentKind::Active,
        since: span.from,
        evidence: span.opened.clone(),
    })
}

fn ability_of_app_role(span: &Span<AppRole>, resource_app_id: Option<&str>) -> Option<Ability> {
    let (name, power) = permission_of(&span.value, resource_app_id)?;
    Some(Ability {
        power,
        name: name.to_owned(),
        key: format!("{} {}", span.value.resource_id, span.value.role_id),
        permanent: true,
        since: span.from,
        evidence: span.opened.clone(),
    })
}

/// Who offers a permission, as far as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Offer {
    Known(Resource),
    Other,
    Unknown,
}

/// Application ids and names of the services in the table; Azure AD Graph is read like its successor.
const RESOURCES: &[(&str, &str, Resource)] = &[
    (
        "00000003-0000-0000-c000-000000000000",
        "Microsoft Graph",
        Resource::Graph,
    ),
    (
        "00000002-0000-0000-c000-000000000000",
        "Windows Azure Active Directory",
        Resource::Graph,
    ),
    (
        "00000002-0000-0ff1-ce00-000000000000",
        "Office 365 Exchange Online",
        Resource::Exchange,
    ),
    (
        "00000003-0000-0ff1-ce00-000000000000",
        "Office 365 SharePoint Online",
        Resource::SharePoint,
    ),
    (
        "00000009-0000-0000-c000-000000000000",
        "Power BI Service",
        Resource::PowerBi,
    ),
];

fn offer_of(role: &AppRole, resource_app_id: Option<&str>) -> Offer {
    let found = match (resource_app_id, role.resource_name.as_deref()) {
        (Some(app_id), _) => RESOURCES.iter().find(|(id, _, _)| *id == app_id),
        (None, Some(name)) => RESOURCES.iter().find(|(_, known, _)| *known == name),
        (None, None) => return Offer::Unknown,
    };
    found.map_or(Offer::Other, |(_, _, resource)| Offer::Known(*resource))
}

/// The permission in the table that a grant is, with its value; by value, else by well-known app
/// role id.
pub fn permission_of(
    role: &AppRole,
    resource_app_id: Option<&str>,
) -> Option<(&'static str, Power)> {
    let offer = offer_of(role, resource_app_id);
    let offered = |group: &&Group| match offer {
        Offer::Known(resource) => group.resource == resource,
        Offer::Unknown => true,
        Offer::Other => false,
    };
    match role.role_value.as_deref() {
        Some(told) => GROUPS
            .iter()
            .filter(offered)
            .find_map(|group| pick(group, |value, _| value == told)),
        None => GROUPS.iter().find_map(|group| {
            pick(group, |_, id| {
                !id.is_empty() && id.eq_ignore_ascii_case(&role.role_id)
            })
        }),
    }
}

fn pick(group: &Group, wanted: impl Fn(&str, &str) -> bool) -> Option<(&'static str, Power)> {
    let (value, _) = group.of.iter().find(|(value, id)| wanted(value, id))?;
    Some((value, group.power))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(value: Option<&str>, id: &str, resource: Option<&str>) -> AppRole {
        AppRole {
            assignment_id: None,
            principal_id: "p".into(),
            resource_id: "r".into(),
            resource_name: resource.map(str::to_owned),
            role_id: id.into(),
            role_value: value.map(str::to_owned),
        }
    }

    #[test]
    fn a_permission_is_known_by_value_or_by_id() {
        let by_value = permission_of(&role(Some("Mail.Read"), "x", Some("Microsoft Graph")), None);
        assert_eq!(by_value, Some(("Mail.Read", Power::Content)));
        let by_id = permission_of(
            &role(None, "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8", None),
            None,
        )
        .unwrap();
        assert_eq!(by_id, ("RoleManagement.ReadWrite.Directory", Power::Direct));
    }

    #[test]
    fn a_role_of_another_resource_with_the_same_value_has_no_power() {
        let own_api = role(Some("Directory.ReadWrite.All"), "x", Some("Inventory API"));
        assert!(permission_of(&own_api, None).is_none());
        let sharepoint = role(
            Some("User.ReadWrite.All"),
            "x",
            Some("Office 365 SharePoint Online"),
        );
        assert_eq!(permission_of(&sharepoint, None).unwrap().1, Power::Content);
        let graph = role(Some("User.ReadWrite.All"), "x", None);
        assert_eq!(permission_of(&graph, None).unwrap().1, Power::Indirect);
    }

    #[test]
    fn the_strongest_grant_makes_the_tier_and_is_its_reason() {
        let span = |value: AppRole, position| Span {
            value,
            from: Timestamp::UNIX_EPOCH,
            to: None,
            opened: vec![position],
            closed: vec![],
        };
        let content = span(role(Some("Mail.Read"), "x", None), 7);
        let direct = span(
            role(Some("RoleManagement.ReadWrite.Directory"), "y", None),
            9,
        );
        let tier = Tier::from_grants([(&content, None), (&direct, None)], [], []);
        assert_eq!((tier.level(), tier.evidence()), (0, vec![9]));
        assert!(
            tier.reason()
                .starts_with("RoleManagement.ReadWrite.Directory")
        );
        assert_eq!(Tier::default().level(), 2);
    }

    #[test]
    fn high_scopes_are_writes_of_content_and_of_the_directory() {
        assert!(is_high_scope("Mail.ReadWrite") && is_high_scope("Files.Read.All"));
        assert!(is_high_scope("Directory.AccessAsUser.All"));
        assert!(!is_high_scope("User.Read") && !is_high_scope("Mail.Read"));
    }
}
