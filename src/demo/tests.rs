//! Promises of the demo: reproducible, well-formed, consistent, small.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::Value;

use super::*;

/// The default demo, made once for all tests that only look at it.
static DEFAULT: LazyLock<Vec<SourceFile>> = LazyLock::new(|| generate(&DemoOptions::default()));

fn digest(files: &[SourceFile]) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for file in files {
        hasher.update(file.path.as_bytes());
        hasher.update(&file.bytes);
    }
    hasher.finalize()
}

/// The records of a log file, in either of its two forms.
fn records(file: &SourceFile) -> Vec<Value> {
    let text = std::str::from_utf8(&file.bytes).unwrap();
    if std::path::Path::new(&file.path).extension() == Some("json".as_ref()) {
        let whole: Value = serde_json::from_str(text).unwrap();
        let list = whole.get("records").or_else(|| whole.get("value")).unwrap();
        return list.as_array().unwrap().clone();
    }
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn of<'a>(files: &'a [SourceFile], folder: &str) -> impl Iterator<Item = &'a SourceFile> {
    files
        .iter()
        .filter(move |file| file.path.starts_with(folder))
}

fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let options = DemoOptions::default();
    let first = digest(&generate(&options));
    assert_eq!(first, digest(&generate(&options)));
    assert_ne!(
        first,
        digest(&generate(&DemoOptions { seed: 2, ..options }))
    );
}

#[test]
fn every_record_is_json_and_the_default_is_small() {
    let files = DEFAULT.as_slice();
    let bytes: usize = files.iter().map(|file| file.bytes.len()).sum();
    assert!(bytes < 12 << 20, "{bytes} bytes");
    let paths: BTreeSet<&str> = files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths.len(), files.len(), "no path twice");
    for file in files {
        assert_eq!(
            file.observed_at.is_some(),
            file.path.starts_with("inventory/")
        );
        records(file);
    }
    assert_eq!(of(files, "audit/").count(), 6);
    assert_eq!(of(files, "signins/").count(), 6);
    let signins: usize = of(files, "signins/").map(|file| records(file).len()).sum();
    assert!((3_000..8_000).contains(&signins), "{signins}");
}

#[test]
fn ids_of_records_are_unique() {
    let files = DEFAULT.as_slice();
    for folder in ["audit/", "signins/"] {
        let mut seen = BTreeSet::new();
        for record in of(files, folder).flat_map(records) {
            assert!(seen.insert(text(&record, "/properties/id")), "{record}");
        }
    }
}

#[test]
fn records_of_a_log_are_in_order_and_in_their_month() {
    let files = DEFAULT.as_slice();
    for file in of(files, "audit/").chain(of(files, "signins/")) {
        let times: Vec<String> = records(file)
            .iter()
            .map(|record| text(record, "/time"))
            .collect();
        assert!(times.is_sorted(), "{}", file.path);
        let month = &file.path[file.path.len() - 13..];
        let month = &month[month.find("20").unwrap()..][..7];
        assert!(
            times.iter().all(|time| time.starts_with(month)),
            "{}",
            file.path
        );
    }
}

/// Key ids by object id, as the last snapshot has them.
fn keys_of_last_snapshot(files: &[SourceFile]) -> BTreeMap<String, BTreeSet<String>> {
    let mut keys: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for file in of(files, "inventory/2026-10-31/") {
        if !file.path.contains("rincipals") && !file.path.contains("applications") {
            continue;
        }
        for object in records(file) {
            let held = keys.entry(text(&object, "/id")).or_default();
            for list in ["keyCredentials", "passwordCredentials"] {
                for key in object[list].as_array().unwrap() {
                    held.insert(text(key, "/keyId"));
                }
            }
        }
    }
    keys
}

#[test]
fn the_last_snapshot_agrees_with_the_audit_log() {
    let files = DEFAULT.as_slice();
    let keys = keys_of_last_snapshot(files);
    let mut told: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut gone = BTreeSet::new();
    for record in of(files, "audit/").flat_map(records) {
        let object = text(&record, "/properties/targetResources/0/id");
        let activity = text(&record, "/properties/activityDisplayName");
        if matches!(
            activity.as_str(),
            "Delete application" | "Remove service principal"
        ) {
            gone.insert(object.clone());
        }
        let property = &record["properties"]["targetResources"][0]["modifiedProperties"][0];
        if property["displayName"] != "KeyDescription" {
            continue;
        }
        let list: Vec<String> =
            serde_json::from_str(property["newValue"].as_str().unwrap()).unwrap();
        let ids = list
            .iter()
            .map(|entry| entry["[KeyIdentifier=".len()..][..36].to_owned());
        told.insert(object, ids.collect());
    }
    assert!(told.len() > 30);
    for (object, held) in told {
        match keys.get(&object) {
            Some(snapshot) => assert_eq!(*snapshot, held, "{object}"),
            None => assert!(gone.contains(&object), "{object}"),
        }
    }
    assert!(gone.iter().all(|object| !keys.contains_key(object)));
}

#[test]
fn sign_ins_name_credentials_that_exist_in_some_snapshot_or_record() {
    let files = DEFAULT.as_slice();
    let mut known = String::new();
    for file in of(files, "inventory/").chain(of(files, "audit/")) {
        known.push_str(std::str::from_utf8(&file.bytes).unwrap());
    }
    let keys: BTreeSet<String> = of(files, "signins/")
        .flat_map(records)
        .map(|record| text(&record, "/properties/servicePrincipalCredentialKeyId"))
        .collect();
    assert!(keys.iter().all(|key| known.contains(key.as_str())));
}

#[test]
fn every_outcome_of_a_sign_in_is_there() {
    let files = DEFAULT.as_slice();
    let mut codes: BTreeMap<String, usize> = BTreeMap::new();
    for record in of(files, "signins/").flat_map(records) {
        *codes.entry(text(&record, "/resultType")).or_default() += 1;
    }
    for code in ["0", "7000222", "7000215", "53003"] {
        assert!(
            codes.get(code).is_some_and(|count| *count > 2),
            "{code} in {codes:?}"
        );
    }
}

#[test]
fn the_activity_names_are_spelled_as_the_log_spells_them() {
    let files = DEFAULT.as_slice();
    let names: BTreeSet<String> = of(files, "audit/")
        .flat_map(records)
        .map(|record| text(&record, "/operationName"))
        .collect();
    for name in [
        "Update application \u{2013} Certificates and secrets management ",
        "Add service principal credentials",
        "Add conditional access policy",
        "Update policy",
        "Add member to role",
        "Add owner to application",
        "Remove owner from application",
        "Add app role assignment to service principal",
        "confirmServicePrincipalCompromised",
    ] {
        assert!(names.contains(name), "{name:?} in {names:?}");
    }
}

#[test]
fn the_hostile_name_survives_as_text() {
    let files = DEFAULT.as_slice();
    let principals = of(files, "inventory/2026-10-31/servicePrincipals").flat_map(records);
    let names: Vec<String> = principals
        .map(|object| text(&object, "/displayName"))
        .collect();
    assert!(names.iter().any(|name| name == names::HOSTILE));
}

#[test]
fn the_shortest_and_smallest_demo_works_and_the_longest_too() {
    for (identities, months, files) in [(0, 0, 26), (1, 2, 26), (0, 36, 400)] {
        let options = DemoOptions {
            identities,
            months,
            ..DemoOptions::default()
        };
        let mut count = 0;
        generate_each(&options, &mut |file| {
            assert!(file.bytes.len() > 50, "{}", file.path);
            count += 1;
            Ok(())
        })
        .unwrap();
        assert!(count >= files, "{count} files");
    }
}

#[test]
fn a_large_tenant_has_as_many_identities_as_asked_for_on_several_pages() {
    let calendar = Calendar::new(2, Date::constant(2026, 11, 1));
    let plan = Plan::new(1, 6_500, calendar);
    assert_eq!(plan.tenant.identities.len(), 6_500);
    let mut pages = Vec::new();
    inventory::COLLECTIONS[0]
        .pages(&plan.tenant, &mut |number, bytes| {
            pages.push((number, bytes.len()));
            Ok(())
        })
        .unwrap();
    assert_eq!(pages.len(), 2, "{pages:?}");
}

#[test]
fn the_first_error_of_the_callback_ends_it() {
    let mut calls = 0;
    let result = generate_each(&DemoOptions::default(), &mut |_| {
        calls += 1;
        Err(io::Error::other("disk full"))
    });
    assert!(result.is_err());
    assert_eq!(calls, 1);
}

#[test]
fn no_snapshot_shows_a_credential_that_was_made_after_it() {
    for file in of(&DEFAULT, "inventory/") {
        let taken = file.observed_at.unwrap().to_string();
        for object in records(file) {
            for list in ["keyCredentials", "passwordCredentials"] {
                for key in object[list].as_array().into_iter().flatten() {
                    assert!(text(key, "/startDateTime") < taken, "{} {key}", file.path);
                }
            }
            assert!(
                text(&object, "/createdDateTime") < taken,
                "{} {object}",
                file.path
            );
        }
    }
}
