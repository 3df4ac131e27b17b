//! Each thing that can be wrong is said, and a stream kept as it should be has none.

use ledger::doctor::Level;

use super::*;
use crate::address::Host;
use crate::look::{Acl, Node, StreamSettings};

const NOW_MS: i64 = 1_795_000_000_000;

fn node(number: u16, state: &str) -> Node {
    Node {
        host: Host {
            name: format!("n{number}"),
            port: 2_113,
        },
        state: state.to_owned(),
        alive: true,
    }
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn sight() -> Sight {
    Sight {
        version: Some("26.1.0".to_owned()),
        nodes: vec![node(1, "Follower"), node(2, "Leader"), node(3, "Follower")],
        settings: Metadata::Read(StreamSettings {
            acl: Acl {
                read: Some(names(&["daybook", "auditor"])),
                write: Some(names(&["daybook"])),
                delete: Some(names(&[])),
                read_metadata: Some(names(&["daybook"])),
                write_metadata: Some(names(&["$admins"])),
            },
            ..StreamSettings::default()
        }),
        default_acl: Metadata::None,
        first: Some(0),
        head: Some(99),
        clock_ms: Some(NOW_MS + 900),
    }
}

fn scan() -> Scan {
    Scan {
        events: 100,
        records: 100,
        ..Scan::default()
    }
}

fn say(url: &str, sight: &Sight, scan: &Scan, replica: Option<u64>) -> Vec<Finding> {
    let address = Address::parse(url).unwrap();
    findings(&Facts {
        address: &address,
        sight,
        scan,
        replica,
        now_ms: NOW_MS,
    })
}

const URL: &str = "kurrentdb://n1,n2,n3/contoso";

/// Changes a healthy stream, and finds what is then said beyond `ok`.
fn said(change: impl FnOnce(&mut Sight, &mut Scan)) -> Vec<(&'static str, Level, String)> {
    let (mut sight, mut scan) = (sight(), scan());
    change(&mut sight, &mut scan);
    say(URL, &sight, &scan, Some(100))
        .into_iter()
        .filter(|finding| finding.level != Level::Ok)
        .map(|finding| {
            assert!(!finding.advice.is_empty(), "{finding:?}");
            (finding.subject, finding.level, finding.what)
        })
        .collect()
}

fn settings(sight: &mut Sight) -> &mut StreamSettings {
    match &mut sight.settings {
        Metadata::Read(settings) => settings,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stream_kept_as_it_should_be_has_no_finding() {
    assert_eq!(said(|_, _| {}), []);
    let all = say(URL, &sight(), &scan(), None);
    assert!(all.iter().all(|finding| finding.level == Level::Ok));
}

#[test]
fn settings_that_remove_history_are_problems() {
    let all = said(|sight, _| {
        let settings = settings(sight);
        settings.max_age_seconds = Some(86_400 * 30);
        settings.max_count = Some(1);
        settings.truncate_before = Some(7);
    });
    let told: Vec<&str> = all.iter().map(|(_, _, what)| what.as_str()).collect();
    assert_eq!(
        told,
        [
            "$maxAge is set: events older than 30 days vanish",
            "$maxCount is set: only the 1 newest event stays",
            "$tb is set: events before revision 7 are hidden and will be removed",
        ]
    );
    assert!(all.iter().all(|(_, level, _)| *level == Level::Problem));
}

#[test]
fn without_access_rules_everyone_may_and_that_is_said() {
    for bare in [
        said(|sight, _| sight.settings = Metadata::None),
        said(|sight, _| settings(sight).acl = Acl::default()),
    ] {
        let told: Vec<(&str, Level)> = bare.iter().map(|said| (said.0, said.1)).collect();
        assert_eq!(
            told,
            [
                ("who may append", Level::Problem),
                ("who may delete", Level::Problem),
                ("who may set access", Level::Problem),
                ("who may read", Level::Note),
            ]
        );
    }
}

#[test]
fn the_servers_default_counts_where_the_stream_is_silent() {
    let all = said(|sight, _| {
        settings(sight).acl.write = None;
        sight.default_acl = Metadata::Read(Acl {
            write: Some(names(&["$all"])),
            delete: Some(names(&["$all"])),
            ..Acl::default()
        });
    });
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!(all[0].0, "who may append");
}

#[test]
fn a_writer_who_may_delete_is_worth_a_word() {
    let all = said(|sight, _| settings(sight).acl.delete = Some(names(&["daybook"])));
    assert_eq!(
        all,
        [(
            "who may delete",
            Level::Note,
            "daybook, and administrators: who writes events should not remove them".to_owned()
        )]
    );
}

#[test]
fn what_is_wrong_with_events_is_named_by_revision() {
    let all = said(|sight, scan| {
        sight.first = Some(3);
        scan.redacted = 12;
        scan.redacted_at = (10..22).collect();
        scan.foreign = 1;
        scan.foreign_at = vec![30];
        scan.broken = 2;
        scan.broken_at = vec![40, 42];
        scan.missing = 18;
        scan.gaps = vec![0..3, 50..51, 60..64];
    });
    let told: Vec<&str> = all.iter().map(|(_, _, what)| what.as_str()).collect();
    assert_eq!(
        told,
        [
            "the first 3 events are cut off: the stream begins with revision 3",
            "12 were overwritten by redaction (all bytes 0xFF): revisions 10, 11, 12, 13, 14, 15, 16, 17 and 4 more",
            "15 are missing inside: revisions 50, 60–63",
            "1 is not of the ledger: revision 30",
            "2 do not follow the one before: revisions 40, 42",
        ]
    );
}

#[test]
fn an_empty_stream_is_a_problem() {
    let all = said(|sight, scan| {
        (sight.first, sight.head) = (None, None);
        *scan = Scan::default();
    });
    assert_eq!(all[0].2, "there are none in `contoso`");
    // the replica knows better
    assert_eq!(
        all[1].2,
        "has 100 events where the stream has 0: the server lost history"
    );
}

#[test]
fn nodes_that_are_away_or_lead_twice_are_problems() {
    let all = said(|sight, _| sight.nodes[0].alive = false);
    assert_eq!(
        all[0].2,
        "1 node does not answer the others, of 3 in all: n1:2113"
    );
    let all = said(|sight, _| sight.nodes[1].alive = false);
    assert_eq!(all[0].2, "0 nodes of 3 say they lead; exactly one must");
    let all = said(|sight, _| sight.nodes[0].state = "Leader".to_owned());
    assert_eq!(all[0].2, "2 nodes of 3 say they lead; exactly one must");
    let all = said(|sight, _| sight.nodes = vec![node(1, "Leader")]);
    assert_eq!(all[0].1, Level::Note);
    let all = said(|sight, _| sight.nodes.clear());
    assert_eq!(all[0].1, Level::Note);
}

#[test]
fn clocks_apart_are_said() {
    let all = said(|sight, _| sight.clock_ms = Some(NOW_MS + 10_000));
    assert_eq!(
        all[0].2,
        "the server's is 10 seconds ahead of this machine's"
    );
    let all = said(|sight, _| sight.clock_ms = Some(NOW_MS - 400_000));
    assert_eq!(all[0].1, Level::Problem);
    assert_eq!(all[0].2, "the server's is 6 minutes behind this machine's");
}

#[test]
fn a_connection_that_could_be_listened_to_is_said() {
    for (options, what) in [
        ("tls=false", "is not encrypted"),
        ("tlsVerifyCert=false", "certificate is not checked"),
    ] {
        let all = say(&format!("{URL}?{options}"), &sight(), &scan(), Some(100));
        let found: Vec<&Finding> = all.iter().filter(|one| one.level != Level::Ok).collect();
        assert_eq!(found.len(), 1);
        assert!(found[0].what.contains(what), "{}", found[0].what);
    }
}

#[test]
fn metadata_that_cannot_be_read_are_said_once() {
    let all = said(|sight, _| sight.settings = Metadata::Denied);
    assert_eq!((all.len(), all[0].1), (1, Level::Note));
    let all = said(|sight, _| sight.settings = Metadata::Unclear);
    assert_eq!((all.len(), all[0].1), (1, Level::Problem));
}

#[test]
fn a_replica_behind_is_brought_up_to_date_by_itself() {
    let all = say(URL, &sight(), &scan(), Some(40));
    let found = all.last().unwrap();
    assert_eq!(found.level, Level::Ok);
    assert_eq!(
        found.what,
        "lacks 60 events; the next command brings it up to date"
    );
}
