use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use ledger::{CreateOptions, Edge};
use proptest::prelude::*;

use super::*;

const NOW: &str = "2026-11-01T00:00:00Z";

struct Book {
    _dir: tempfile::TempDir,
    ledger: Ledger,
}

fn edge() -> Edge {
    let mut byte = 0_u8;
    Edge {
        clock: Box::new(|| NOW.parse().unwrap()),
        entropy: Box::new(move |bytes| {
            for to in bytes {
                byte = byte.wrapping_add(31);
                *to = byte;
            }
        }),
    }
}

fn book() -> Book {
    let dir = tempfile::tempdir().unwrap();
    let options = CreateOptions {
        origin: "ledger.example/t".to_owned(),
        private_network: false,
    };
    let ledger = Ledger::create(&dir.path().join("book"), &options, edge()).unwrap();
    Book { _dir: dir, ledger }
}

fn options(observed_at: &str) -> ImportOptions<'static> {
    ImportOptions {
        dated: false,
        tenant: None,
        observed_at: observed_at.parse().unwrap(),
        format: Format::Auto,
    }
}

fn import(
    book: &mut Book,
    bytes: &[u8],
    options: &ImportOptions<'_>,
) -> (FileReport, Vec<Rejection>) {
    let size = book.ledger.size();
    let found = import_with(
        &mut Importer::new(&mut book.ledger).unwrap(),
        bytes,
        options,
    );
    assert_eq!(book.ledger.size(), size + found.0.events);
    found
}

fn import_with(
    importer: &mut Importer<'_>,
    bytes: &[u8],
    options: &ImportOptions<'_>,
) -> (FileReport, Vec<Rejection>) {
    let mut rejections = Vec::new();
    let mut input = bytes;
    let report = importer
        .import(&mut input, options, &mut |_| {}, &mut |rejection| {
            rejections.push(rejection);
        })
        .unwrap();
    let counts = report.counts;
    assert_eq!(
        counts.records,
        counts.imported + counts.duplicates + counts.skipped + counts.rejections
    );
    assert_eq!(counts.rejections, rejections.len() as u64);
    assert_eq!(counts.skipped, report.skipped.values().sum::<u64>());
    assert!(
        rejections.is_sorted_by_key(|rejection| rejection.line),
        "{rejections:?}"
    );
    (report, rejections)
}

/// Into a book of its own, the second time as if looked at a day later.
fn import_twice(bytes: &[u8]) -> (FileReport, Vec<Rejection>) {
    let mut book = book();
    let first = import(&mut book, bytes, &options(NOW));
    let (again, _) = import(&mut book, bytes, &options("2026-11-02T00:00:00Z"));
    assert_eq!(
        (again.events, again.counts.imported),
        (0, 0),
        "first: {:?}",
        first.0
    );
    first
}

/// Into a book that other files went to.
fn import_twice_with(importer: &mut Importer<'_>, bytes: &[u8]) -> (FileReport, Vec<Rejection>) {
    let first = import_with(importer, bytes, &options(NOW));
    let (again, _) = import_with(importer, bytes, &options(NOW));
    assert_eq!(
        (again.events, again.counts.imported),
        (0, 0),
        "first: {:?}",
        first.0
    );
    first
}

fn sign_in(id: u32) -> String {
    format!(
        r#"{{"time":"2026-10-01T00:00:00Z","category":"ServicePrincipalSignInLogs","tenantId":"T1","resultType":"0","properties":{{"id":"s{id}","createdDateTime":"2026-10-01T00:00:{:02}Z","servicePrincipalId":"o{}","appId":"a","status":{{"errorCode":0}}}}}}"#,
        id % 60,
        id % 7
    )
}

fn mixed() -> String {
    [
        &sign_in(1),
        &sign_in(2),
        &sign_in(1),
        r#"{"category":"NonInteractiveUserSignInLogs","operationName":"Sign-in activity","properties":{}}"#,
        r#"{"category":"AuditLogs","tenantId":"T1","time":"2026-10-01T00:00:00Z","properties":{"id":"d1","correlationId":"c1","activityDisplayName":"Add service principal","activityDateTime":"2026-10-01T00:00:00Z","result":"success","targetResources":[{"id":"o9","type":"ServicePrincipal","displayName":"X","modifiedProperties":[]}]}}"#,
        r#"{"activityDisplayName":"Update user","activityDateTime":"2026-10-01T00:00:00Z","id":"d2","targetResources":[]}"#,
        "not json",
        r#"{"id":"o9","servicePrincipalType":"Application","appId":"a9","displayName":"X","accountEnabled":true}"#,
        r#"{"skuId":"k","skuPartNumber":"Workload_Identities_P2","capabilityStatus":"Enabled","prepaidUnits":{"enabled":5}}"#,
        r#"{"id":"o9","riskLevel":"high","riskState":"atRisk","riskLastUpdatedDateTime":"2026-10-05T00:00:00Z"}"#,
        r#"{"what":"is this"}"#,
        r#"{"input":{"message":"{\"skuId\":\"k\",\"skuPartNumber\":\"Workload_Identities_P2\",\"isTrial\":true,\"createdDateTime\":\"2026-09-01T00:00:00Z\",\"nextLifecycleDateTime\":\"2026-11-30T00:00:00Z\"}"}}"#,
    ]
    .join("\n")
}

#[test]
fn a_mixed_file_is_read_record_by_record_and_twice_adds_nothing() {
    let (report, rejections) = import_twice(mixed().as_bytes());
    let counts = report.counts;
    assert_eq!(
        (counts.records, counts.skipped, counts.rejections),
        (12, 2, 2),
        "{report:?} {rejections:?}"
    );
    assert_eq!(counts.imported + counts.duplicates, 8);
    assert_eq!(counts.duplicates, 1, "{report:?}");
    assert_eq!(rejections[0].line, 7);
    assert_eq!(rejections[1].line, 11);
    assert_eq!(
        report.skipped.keys().collect::<Vec<_>>(),
        ["NonInteractiveUserSignInLogs", "Update user"]
    );
    assert_eq!(report.categories["graph/servicePrincipalSignIn"], 3);
    assert_eq!(report.categories["graph/directoryAudit"], 2);
    let window = report
        .window
        .map(|(first, last)| (first.to_string(), last.to_string()));
    assert_eq!(
        window,
        Some((
            "2026-09-01T00:00:00Z".to_owned(),
            "2026-10-05T00:00:00Z".to_owned()
        ))
    );
}

#[test]
fn the_tenant_is_the_one_told_else_the_records_else_the_ledgers_first() {
    let streams = |book: &Book| {
        let mut found = BTreeSet::new();
        let reader = book.ledger.reader().unwrap();
        reader
            .scan(0..reader.size(), &|_| true, &mut |recorded| {
                found.extend(tenant_of(&recorded.event.stream).map(str::to_owned));
                ControlFlow::Continue(())
            })
            .unwrap();
        found.into_iter().collect::<Vec<_>>()
    };
    let graph = r#"{"id":"g","signInEventTypes":["servicePrincipal"],"servicePrincipalId":"o","createdDateTime":"2026-10-01T00:00:00Z"}"#;
    let path = graph.replace(
        "\"id\"",
        "\"resourceId\":\"/tenants/T9/providers/Microsoft.aadiam\",\"id\"",
    );

    let mut fresh = book();
    import(&mut fresh, graph.as_bytes(), &options(NOW));
    assert_eq!(streams(&fresh), [DEFAULT_TENANT]);

    let mut known = book();
    import(&mut known, sign_in(1).as_bytes(), &options(NOW));
    import(&mut known, graph.as_bytes(), &options(NOW));
    assert_eq!(streams(&known), ["t1"]);

    let mut told = book();
    let tenant = ImportOptions {
        dated: true,
        tenant: Some("Told"),
        ..options(NOW)
    };
    import(
        &mut told,
        format!("{}\n{graph}", sign_in(1)).as_bytes(),
        &tenant,
    );
    assert_eq!(streams(&told), ["told"]);

    let mut by_path = book();
    import(&mut by_path, path.as_bytes(), &options(NOW));
    assert_eq!(streams(&by_path), ["t9"]);
}

#[test]
fn a_format_that_is_told_refuses_other_records() {
    let mut book = book();
    let only = ImportOptions {
        dated: true,
        format: Format::Only(Shape::Audit),
        ..options(NOW)
    };
    let (report, rejections) = import(&mut book, mixed().as_bytes(), &only);
    assert_eq!(report.counts.imported + report.counts.duplicates, 1);
    assert!(
        rejections[0]
            .reason
            .contains("not of `graph/directoryAudit`"),
        "{rejections:?}"
    );
}

#[test]
fn a_federated_credential_belongs_to_the_application_its_page_names() {
    let page = r#"{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#applications('app1')/federatedIdentityCredentials",
        "value":[{"id":"f1","name":"n","issuer":"https://issuer.example","subject":"repo:x","audiences":["api://AzureADTokenExchange"]}]}"#;
    let (report, rejections) = import_twice(page.as_bytes());
    assert_eq!(
        (report.counts.imported, rejections.len()),
        (1, 0),
        "{rejections:?}"
    );
    let alone =
        r#"{"id":"f1","issuer":"https://issuer.example","subject":"repo:x","audiences":["a"]}"#;
    let (_, rejections) = import_twice(alone.as_bytes());
    assert_eq!(rejections[0].reason, "field `@odata.context` is missing");
}

#[test]
fn a_query_result_says_what_the_same_rows_say_as_objects() {
    const NAMES: [&str; 7] = [
        "TimeGenerated",
        "Id",
        "ServicePrincipalId",
        "AppId",
        "ResultType",
        "LocationDetails",
        "Type",
    ];
    let rows: Vec<Vec<String>> = (0..3)
        .map(|n| {
            [
                "2026-10-01T00:00:00Z",
                &format!("s{n}"),
                "o",
                "a",
                "0",
                "{\"countryOrRegion\":\"FR\"}",
                "AADServicePrincipalSignInLogs",
            ]
            .map(str::to_owned)
            .to_vec()
        })
        .collect();
    let columns: Vec<_> = NAMES
        .map(|name| serde_json::json!({ "name": name }))
        .to_vec();
    let columns = serde_json::Value::from(columns);
    let mut values = serde_json::json!(rows);
    values
        .as_array_mut()
        .unwrap()
        .push(serde_json::json!(["short"]));
    let result =
        format!("{{\"tables\":[{{\"name\":\"T\",\"columns\":{columns},\"rows\":{values}}}]}}");
    let objects: Vec<String> = rows
        .iter()
        .map(|row| {
            let object: BTreeMap<_, _> = NAMES.iter().zip(row).collect();
            serde_json::json!(object).to_string()
        })
        .collect();
    let objects = objects.join("\n");
    let mut book = book();
    let (report, rejections) = import(&mut book, result.as_bytes(), &options(NOW));
    assert_eq!((report.counts.records, report.counts.imported), (4, 3));
    assert_eq!(
        rejections[0].reason,
        "unknown format: a row of 1 values under 7 columns"
    );
    let source = Shape::ServicePrincipalSignIn.source();
    assert_eq!(report.categories.get(source), Some(&3));
    let (report, _) = import(&mut book, objects.as_bytes(), &options(NOW));
    assert_eq!((report.counts.records, report.counts.duplicates), (3, 3));
}

#[test]
fn more_records_than_a_batch_are_all_counted() {
    let whole: Vec<String> = (0..20_000).map(sign_in).collect();
    let (report, _) = import_twice(whole.join("\n").as_bytes());
    assert_eq!(report.counts.imported, 20_000);
    assert_eq!(report.events, 20_001);
}

#[test]
fn a_batch_wrapper_lines_and_an_array_say_the_same() {
    let records = [sign_in(1), sign_in(2)];
    let mut book = book();
    import(&mut book, records.join("\n").as_bytes(), &options(NOW));
    for other in [
        format!("[{}]", records.join(",")),
        format!("{{\"records\":[{}]}}", records.join(", ")),
        format!("{{\"message\":{}}}", serde_json::json!(records[0])),
    ] {
        let (report, _) = import(&mut book, other.as_bytes(), &options(NOW));
        assert_eq!((report.counts.imported, report.counts.rejections), (0, 0));
        assert_eq!(report.events, 1, "only `ledger.imported`");
    }
}

/// Runs cases on one book: making one for each would take most of the time.
#[test]
fn each_event_of_a_forwarders_batch_is_one_record() {
    let office =
        r#"{"o365audit":{"Operation":"Add service principal.","Workload":"AzureActiveDirectory"}}"#;
    let bytes = format!(
        "{{\"events\":[{office},{{\"o365audit\":[1}},{}]}}",
        sign_in(1)
    );
    let (report, rejections) = import_twice(bytes.as_bytes());
    assert_eq!(report.counts.records, 3);
    assert_eq!(report.counts.skipped, 1);
    assert!(report.skipped.contains_key("Add service principal."));
    assert_eq!(rejections.len(), 1);
}

fn run_cases<S: Strategy>(cases: u32, strategy: &S, bytes_of: impl Fn(S::Value) -> Vec<u8>) {
    let mut book = book();
    let importer = std::cell::RefCell::new(Importer::new(&mut book.ledger).unwrap());
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases)
    });
    runner
        .run(strategy, |value| {
            import_twice_with(&mut importer.borrow_mut(), &bytes_of(value));
            Ok(())
        })
        .unwrap();
}

#[test]
fn counts_add_up_whatever_the_bytes() {
    run_cases(32, &prop::collection::vec(any::<u8>(), 0..300), |bytes| {
        bytes
    });
}

#[test]
fn counts_add_up_however_a_file_is_mutilated() {
    let edits = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 1..12);
    run_cases(48, &edits, |edits| {
        let mut bytes = mixed().into_bytes();
        for (index, byte, kind) in edits {
            let at = index.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    });
}

#[test]
fn a_file_without_tenants_adds_nothing_after_other_tenants_were_added() {
    let graph = br#"{"id":"g","signInEventTypes":["servicePrincipal"],"servicePrincipalId":"o","createdDateTime":"2026-10-01T00:00:00Z"}"#;
    let other = sign_in(9).replace("T1", "T2");
    for first in [
        sign_in(1),
        format!("{}\n{}", sign_in(1), String::from_utf8_lossy(graph)),
    ] {
        let mut book = book();
        import(&mut book, first.as_bytes(), &options(NOW));
        import(&mut book, graph, &options(NOW));
        import(&mut book, other.as_bytes(), &options(NOW));
        let size = book.ledger.size();
        import(&mut book, graph, &options(NOW));
        import(&mut book, first.as_bytes(), &options(NOW));
        assert_eq!(book.ledger.size(), size);
    }
}

/// The folder of real logs, when it is there.
fn shared_data() -> Option<PathBuf> {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .map(|parent| parent.join("shared/data"))
        .find(|folder| folder.is_dir())
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files_below(&path, found);
        } else {
            found.push(path);
        }
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "says that it was skipped")]
fn every_real_file_is_counted_and_adds_nothing_the_second_time() {
    let Some(folder) = shared_data() else {
        return println!("skipped: no folder of real logs");
    };
    let mut files = Vec::new();
    files_below(&folder, &mut files);
    files.sort();
    let mut totals: BTreeMap<String, u64> = BTreeMap::new();
    let mut book = book();
    let mut importer = Importer::new(&mut book.ledger).unwrap();
    for path in files {
        let bytes = std::fs::read(&path).unwrap();
        let (report, _) = import_twice_with(&mut importer, &bytes);
        for (name, count) in &report.categories {
            *totals.entry(name.clone()).or_default() += count;
        }
    }
    for name in [
        "graph/directoryAudit",
        "graph/servicePrincipalSignIn",
        "graph/managedIdentitySignIn",
    ] {
        assert!(totals.contains_key(name), "{totals:?}");
    }
}
