//! What the doctor sees.

use std::ops::ControlFlow;

use kurrentdb_fake::{Cluster, Fake, Options, User};
use ledger_kurrentdb::{Acl, Address, KurrentStore, Look, Metadata, StreamSettings};

use super::records::{append, connect, jitter, records};

const STREAM: &str = "contoso";

fn look(url: &str) -> Look {
    KurrentStore::look(&Address::parse(url).unwrap(), jitter()).unwrap()
}

#[test]
fn a_stream_is_seen_as_it_is() {
    let server = Fake::start(Options::default()).unwrap();
    let empty = look(&server.url(STREAM)).sight;
    assert_eq!((empty.first, empty.head), (None, None));
    assert_eq!(empty.settings, Metadata::None);
    append(&mut connect(&server.url(STREAM)), &records(30)).unwrap();
    server.log().set_metadata(
        STREAM,
        r#"{"$maxAge":3600,"$tb":0,"$acl":{"$r":"$all","$w":["a","b"],"$d":[]}}"#,
    );
    let seen = look(&server.url(STREAM));
    assert_eq!(seen.sight.version.as_deref(), Some("26.1.0"));
    assert_eq!((seen.sight.first, seen.sight.head), (Some(0), Some(29)));
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(
        seen.sight.settings,
        Metadata::Read(StreamSettings {
            max_age_seconds: Some(3_600),
            acl: Acl {
                read: names(&["$all"]),
                write: names(&["a", "b"]),
                delete: names(&[]),
                ..Acl::default()
            },
            ..StreamSettings::default()
        })
    );
    assert!(seen.sight.clock_ms.is_some());
    server.log().set_metadata(STREAM, r#"{"$maxCount":"many"}"#);
    assert_eq!(look(&server.url(STREAM)).sight.settings, Metadata::Unclear);
}

#[test]
fn a_walk_names_everything_that_is_wrong() {
    let server = Fake::start(Options::default()).unwrap();
    append(&mut connect(&server.url(STREAM)), &records(100)).unwrap();
    server.log().write_foreign(STREAM, "hello");
    let log = server.log();
    assert!(log.redact(STREAM, 10) && log.drop_event(STREAM, 20) && log.drop_event(STREAM, 21));
    assert!(log.change(STREAM, 30, |event| {
        let mut data = event.data.to_vec();
        data[300] ^= 1;
        event.data = data.into();
    }));
    log.truncate_before(STREAM, 3);
    let seen = look(&server.url(STREAM));
    assert_eq!(seen.sight.first, Some(3));
    let scan = seen.scan(&mut |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(scan.redacted_at, [10]);
    assert_eq!(scan.gaps, [0..3, 20..22]);
    assert_eq!(scan.missing, 5);
    assert_eq!(scan.broken_at, [30]);
    assert_eq!(scan.foreign_at, [100]);
    assert_eq!(scan.events, 96);
}

#[test]
fn who_may_not_read_the_metadata_is_told_so() {
    let server = Fake::start(Options {
        users: vec![User::new("daybook", "secret")],
        ..Options::default()
    })
    .unwrap();
    let url = server.url(STREAM).replace("://", "://daybook:secret@");
    append(&mut connect(&url), &records(3)).unwrap();
    server
        .log()
        .set_metadata(STREAM, r#"{"$acl":{"$mr":["$admins"]}}"#);
    assert_eq!(look(&url).sight.settings, Metadata::Denied);
}

#[test]
fn the_nodes_of_a_cluster_are_seen() {
    let mut cluster = Cluster::two(&Options::default()).unwrap();
    append(&mut connect(&cluster.url(STREAM)), &records(3)).unwrap();
    let states = |cluster: &Cluster| {
        let nodes = look(&cluster.url(STREAM)).sight.nodes;
        let mut states: Vec<_> = nodes
            .into_iter()
            .map(|node| (node.state, node.alive))
            .collect();
        states.sort();
        states
    };
    let both = [("Follower".to_owned(), true), ("Leader".to_owned(), true)];
    assert_eq!(states(&cluster), both);
    cluster.kill_leader();
    let one = [("Follower".to_owned(), false), ("Leader".to_owned(), true)];
    assert_eq!(states(&cluster), one);
}
