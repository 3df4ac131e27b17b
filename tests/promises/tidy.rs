//! The house rules that a program can check.

use std::path::{Path, PathBuf};

use super::program::files;

/// Longest file, in lines, of tests too.
const LINES_MAX: usize = 500;

const SOURCES: [&str; 6] = [
    "src",
    "ledger/src",
    "evidence/src",
    "sources/src",
    "projections/src",
    "reports/src",
];

const TESTS: [&str; 3] = ["tests", "ledger/tests", "evidence/tests"];

fn rust_files(folders: &[&str]) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    folders
        .iter()
        .flat_map(|folder| files(&root.join(folder)))
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}

fn sources() -> Vec<PathBuf> {
    let mut paths = rust_files(&SOURCES);
    paths.retain(|path| !path.ends_with("tests.rs"));
    paths
}

#[test]
fn no_file_is_longer_than_one_sitting() {
    for path in rust_files(&SOURCES).into_iter().chain(rust_files(&TESTS)) {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= LINES_MAX, "{}: {lines} lines", path.display());
    }
}

#[test]
fn modules_are_files_with_their_own_name() {
    for path in sources() {
        assert!(!path.ends_with("mod.rs"), "{}", path.display());
        for vague in ["utils", "common", "types", "misc", "helpers", "manager"] {
            assert!(
                path.file_stem().is_none_or(|stem| stem != vague),
                "{}",
                path.display()
            );
        }
    }
}

#[test]
fn every_source_file_says_what_it_is() {
    for path in sources() {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.starts_with("//! "),
            "{} has no module doc",
            path.display()
        );
    }
}

#[test]
fn every_check_is_one_file_under_its_id() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports/src/checks");
    let mut ids: Vec<String> = reports::catalogue()
        .iter()
        .map(|check| check.id.to_lowercase().replace('-', "_"))
        .collect();
    ids.sort();
    let mut names: Vec<String> = files(&folder)
        .iter()
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(ids, names);
}
