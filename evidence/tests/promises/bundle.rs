//! Bundles: whole ones hold, and a change anywhere is named.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use evidence::bundle::{BundleError, Contents, Kind, Verdict, check, write};
use evidence::policy::Policy;
use evidence::prove;
use jiff::Timestamp;

use super::book::{Desk, issued, sign_in};
use super::superlog::files;

fn contents(about: Kind, positions: impl IntoIterator<Item = u64>) -> Contents {
    Contents {
        about,
        positions: positions.into_iter().collect(),
        files: BTreeMap::new(),
        complete: false,
        private: false,
    }
}

/// Ten seconds, in which the sign-ins at positions 11 to 20 occurred.
fn ten_seconds() -> Kind {
    Kind::Period {
        period: "2026-09".to_owned(),
        start: Timestamp::from_second(1_790_000_010).unwrap(),
        end: Timestamp::from_second(1_790_000_020).unwrap(),
    }
}

fn identity(object: u32) -> Kind {
    Kind::Identity {
        stream: format!("entra:tenant:sp:object-{object}"),
        stream_no: object + 1,
    }
}

/// A ledger of 700 events, signed, and a report that cites three of them.
fn desk() -> (Desk, Vec<u8>) {
    let desk = Desk::new(690);
    let document = br#"{"findings":[{"evidence":[3,300]}],"ledger":{"position":301}}"#.to_vec();
    desk.append(vec![issued(&document)]);
    desk.append((690..698).map(sign_in).collect());
    desk.publish().unwrap();
    (desk, document)
}

fn report(document: &[u8]) -> Contents {
    let about = Kind::Report {
        report: "health".to_owned(),
        event: 691,
        document: "document/health.json".to_owned(),
    };
    let mut contents = contents(about, [3, 300, 301, 691]);
    contents
        .files
        .insert("document/health.json".to_owned(), document.to_vec());
    contents
}

fn bundled(desk: &Desk, contents: &Contents, name: &str) -> PathBuf {
    let to = desk.root.join(name);
    let signed = prove::checkpoint(&desk.dir, None).unwrap();
    write(&desk.reader(), &signed, contents, &to).unwrap();
    to
}

fn checked(dir: &Path, policy: &Policy) -> Verdict {
    check(dir, policy).unwrap()
}

#[test]
fn a_bundle_of_each_kind_holds() {
    let (desk, document) = desk();
    let policy = desk.policy();
    let verdict = checked(&bundled(&desk, &report(&document), "report"), &policy);
    assert_eq!(verdict.faults, []);
    assert_eq!((verdict.events, verdict.entries), (4, 3 * 256 - 68));
    let of_one: Vec<u64> = (0..690).filter(|n| n % 3 == 1).map(|n| n + 1).collect();
    let all: Vec<u64> = of_one.iter().copied().chain([693, 696, 699]).collect();
    let mut one = contents(identity(1), all.clone());
    one.private = true;
    let verdict = checked(&bundled(&desk, &one, "identity"), &policy);
    assert_eq!(verdict.faults, []);
    assert_eq!(verdict.matched, u64::try_from(all.len()).unwrap());
    let mut month = contents(ten_seconds(), 11..21);
    month.complete = true;
    let verdict = checked(&bundled(&desk, &month, "month"), &policy);
    assert_eq!(verdict.faults, []);
    assert_eq!((verdict.matched, verdict.entries), (10, 700));
}

#[test]
fn every_changed_byte_is_named_by_its_file() {
    let (desk, document) = desk();
    let policy = desk.policy();
    let dir = bundled(&desk, &report(&document), "report");
    for (name, good) in files(&dir) {
        let path = dir.join(&name);
        let step = if good.len() > 4_000 { 997 } else { 1 };
        for offset in (0..good.len()).step_by(step).chain([good.len() - 1]) {
            let mut bad = good.clone();
            bad[offset] ^= 1;
            std::fs::write(&path, &bad).unwrap();
            let faults = checked(&dir, &policy).faults;
            let named = faults.iter().any(|fault| fault.file == name);
            // a digest or length changed in the manifest is one of another file
            assert!(
                named || (name == "MANIFEST" && !faults.is_empty()),
                "byte {offset} of {name}: {faults:?}"
            );
        }
        std::fs::remove_file(&path).unwrap();
        let gone = check(&dir, &policy);
        assert!(
            gone.is_err() == (name == "MANIFEST")
                && gone.is_ok_and(|it| it.faults.iter().any(|fault| fault.file == name))
                    != (name == "MANIFEST"),
            "{name} removed"
        );
        std::fs::write(&path, &good).unwrap();
    }
    assert_eq!(checked(&dir, &policy).faults, []);
    std::fs::write(dir.join("tile/more"), b"x").unwrap();
    let faults = checked(&dir, &policy).faults;
    assert!(faults.iter().any(|fault| fault.file == "tile/more"));
}

/// Writes the manifest anew, as someone who changes a bundle would.
fn relist(dir: &Path) {
    let mut listed = files(dir);
    listed.remove("MANIFEST");
    let lines = listed.iter().map(|(name, bytes)| {
        let hash = ledger::hash::hex(blake3::hash(bytes).as_bytes());
        format!("{hash} {} {name}\n", bytes.len())
    });
    let text: String = std::iter::once("daybook bundle 1\n".to_owned())
        .chain(lines)
        .collect();
    std::fs::write(dir.join("MANIFEST"), text).unwrap();
}

#[test]
fn a_change_with_the_manifest_written_anew_is_named_by_the_tree() {
    let (desk, document) = desk();
    let policy = desk.policy();
    let dir = bundled(&desk, &report(&document), "report");
    let mut tried = BTreeSet::new();
    for (name, good) in files(&dir) {
        let path = dir.join(&name);
        if name == "MANIFEST" {
            continue;
        }
        let step = if good.len() > 4_000 { 1_999 } else { 7 };
        for offset in (0..good.len()).step_by(step) {
            let mut bad = good.clone();
            bad[offset] ^= 1;
            std::fs::write(&path, &bad).unwrap();
            relist(&dir);
            let faults = checked(&dir, &policy).faults;
            assert!(!faults.is_empty(), "byte {offset} of {name}");
            let of_edge = name.starts_with("tile/") && name.contains(".p/");
            let by_name = faults.iter().any(|fault| fault.file == name);
            // edge tiles are bound together, so a change in one is one of all
            assert!(
                by_name || of_edge || name == "bundle.json",
                "{name}: {faults:?}"
            );
        }
        std::fs::write(&path, &good).unwrap();
        tried.insert(name);
    }
    relist(&dir);
    assert_eq!(checked(&dir, &policy).faults, []);
    assert!(tried.len() >= 12, "{tried:?}");
}

#[test]
fn what_is_left_out_is_missed() {
    let (desk, document) = desk();
    let policy = desk.policy();
    let said = |contents: &Contents, name: &str| -> Vec<String> {
        let verdict = checked(&bundled(&desk, contents, name), &policy);
        verdict
            .faults
            .iter()
            .map(|fault| fault.detail.clone())
            .collect()
    };
    let mut less = report(&document);
    less.positions.remove(&301);
    assert!(said(&less, "less")[0].contains("it cites event 301"));
    let mut other = report(&document);
    other
        .files
        .insert("document/health.json".to_owned(), b"{}".to_vec());
    assert!(said(&other, "other")[0].contains("not the report the event commits to"));
    let some = contents(identity(1), [2, 5, 11]);
    let faults = said(&some, "some");
    assert!(
        faults.iter().any(|detail| detail.contains("left out")),
        "{faults:?}"
    );
    let mut month = contents(ten_seconds(), 12..21);
    month.complete = true;
    assert!(said(&month, "month")[0].contains("left out"));
}

#[test]
fn what_nothing_asks_for_is_refused() {
    let (desk, document) = desk();
    let policy = desk.policy();
    let whole = bundled(&desk, &report(&document), "report");
    let mut one = contents(identity(1), [2]);
    let verdict = checked(&bundled(&desk, &one, "one"), &policy);
    assert!(
        !verdict
            .faults
            .iter()
            .any(|fault| fault.file.starts_with("tile"))
    );
    let dir = desk.root.join("one");
    for name in ["tile/0/001", "tile/entries/001", "payload/300"] {
        std::fs::copy(whole.join(name), dir.join(name)).unwrap();
        relist(&dir);
        let faults = checked(&dir, &policy).faults;
        assert!(
            faults
                .iter()
                .any(|fault| fault.file == name && fault.detail.contains("asks for")),
            "{name}: {faults:?}"
        );
        std::fs::remove_file(dir.join(name)).unwrap();
    }
    for name in [
        "timestamp/1.tsr",
        "timestamp/1.checkpoint",
        "timestamp/more",
    ] {
        one.files = [(name.to_owned(), b"x".to_vec())].into();
        let verdict = checked(&bundled(&desk, &one, &name.replace('/', "-")), &policy);
        assert!(verdict.faults.iter().any(|fault| fault.file == name));
    }
    let month = ten_seconds();
    let verdict = checked(&bundled(&desk, &contents(month, 11..21), "month"), &policy);
    assert_eq!(verdict.faults[0].file, "bundle.json");
}

#[test]
fn a_bundle_is_judged_by_the_readers_keys_alone() {
    let (desk, document) = desk();
    let dir = bundled(&desk, &report(&document), "report");
    let stranger = Desk::new(1);
    std::fs::remove_file(stranger.keys.dir().join("log.key")).unwrap();
    stranger
        .keys
        .generate(super::book::ORIGIN, &mut |bytes| bytes.fill(99))
        .unwrap();
    let verdict = checked(&dir, &stranger.policy());
    assert!(verdict.judged.is_none());
    assert_eq!(verdict.faults[0].file, "checkpoint");
}

#[test]
fn nothing_is_written_over_or_beyond_the_checkpoint() {
    let (desk, document) = desk();
    let dir = bundled(&desk, &report(&document), "report");
    let signed = prove::checkpoint(&desk.dir, None).unwrap();
    let again = write(&desk.reader(), &signed, &report(&document), &dir);
    assert!(matches!(again, Err(BundleError::NotEmpty { .. })));
    let beyond = contents(identity(1), [5, 700]);
    let to = desk.root.join("beyond");
    assert!(matches!(
        write(&desk.reader(), &signed, &beyond, &to),
        Err(BundleError::NotCovered {
            position: 700,
            size: 700
        })
    ));
}

#[test]
fn hostile_bundles_end_in_faults() {
    let (desk, document) = desk();
    let policy = desk.policy();
    let dir = bundled(&desk, &report(&document), "report");
    let about = std::fs::read_to_string(dir.join("bundle.json")).unwrap();
    let put = |text: &str| {
        std::fs::write(dir.join("bundle.json"), text).unwrap();
        relist(&dir);
        checked(&dir, &policy).faults
    };
    let huge = about.replace("\"size\": 700", "\"size\": 18446744073709551615");
    assert!(!put(&huge).is_empty());
    let ranges = about.replace(
        "\"positions\": [",
        "\"positions\": [[0, 18446744073709551615],",
    );
    assert!(!put(&ranges).is_empty());
    let everything = about.replace("\"complete\": false", "\"complete\": true");
    assert_eq!(
        put(&everything),
        [],
        "all of a small ledger's tiles are here anyway"
    );
    assert!(!put(&about.replace("document/health.json", "../ledger/LOCK")).is_empty());
    assert!(!put(&"[".repeat(100_000)).is_empty());
    put(&about);
    #[cfg(unix)]
    {
        let document = dir.join("document/health.json");
        std::fs::remove_file(&document).unwrap();
        std::os::unix::fs::symlink("/dev/zero", &document).unwrap();
        let faults = checked(&dir, &policy).faults;
        assert!(
            faults.iter().any(|fault| fault.detail.contains("regular")),
            "{faults:?}"
        );
    }
}
