//! Well-known application permissions of Microsoft Graph: app role id to value.
//!
//! Snapshots and some audit records give only the id. The pairs are facts of Microsoft Graph
//! (resource application `00000003-0000-0000-c000-000000000000`), read from the classification
//! list of the `AzurePrivilegedIAM` project (MIT), of which only ids and values are kept. Values of
//! other resources are learned from their own service principals (see
//! [`Known::role_value`](crate::known::Known::role_value)).

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// `<app role id>\t<value>` per line, sorted by id.
const TABLE: &str = include_str!("graph_roles/microsoft_graph.tsv");

static VALUES: LazyLock<BTreeMap<&'static str, &'static str>> = LazyLock::new(|| {
    TABLE
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .collect()
});

/// Value of a Microsoft Graph app role, such as `Mail.Read`. Ids are unique across resources.
pub fn value_of(role_id: &str) -> Option<&'static str> {
    VALUES.get(role_id.to_ascii_lowercase().as_str()).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_well_known_permission_has_its_value_in_either_case() {
        let id = "9E3F62CF-CA93-4989-B6CE-BF83C28F9FE8";
        assert_eq!(value_of(id), Some("RoleManagement.ReadWrite.Directory"));
        assert_eq!(value_of("00000000-0000-0000-0000-000000000000"), None);
    }
}
