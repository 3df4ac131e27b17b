//! The node that leads is found, and found again.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kurrentdb_fake::{AppendFault, Cluster, Options, When};
use ledger::Store as _;
use ledger_kurrentdb::KurrentError;
use ledger_kurrentdb::wire::gossip::{EndPoint, MemberInfo, NodeState};

use super::records::{append, connect, holds, records, try_connect};

const STREAM: &str = "contoso";

fn cluster() -> Cluster {
    Cluster::two(&Options::default()).unwrap()
}

#[test]
fn appends_go_to_the_leader_from_whichever_node_is_named() {
    let records = records(20);
    let cluster = cluster();
    let [one, two] = cluster.nodes();
    let mut by_cluster = connect(&cluster.url(STREAM));
    append(&mut by_cluster, &records[..5]).unwrap();
    // a single host is asked as it is; that it does not lead is told by its answers
    let mut by_follower = connect(&two.url(STREAM));
    append(&mut by_follower, &records[5..10]).unwrap();
    let discover = two.url(STREAM).replace("kurrentdb://", "esdb+discover://");
    append(&mut connect(&discover), &records[10..]).unwrap();
    holds(cluster.log(), STREAM, &records);
    assert!(one.traffic().appends() > 0);
}

#[test]
fn a_leader_that_steps_down_or_dies_is_followed() {
    let records = records(60);
    for gossip_after in [0, 200] {
        let mut cluster = cluster().gossip_after(Duration::from_millis(gossip_after));
        let mut store = connect(&cluster.url(STREAM));
        append(&mut store, &records[..10]).unwrap();
        cluster.change_leader();
        append(&mut store, &records[10..20]).unwrap();
        cluster.kill_leader();
        append(&mut store, &records[20..30]).unwrap();
        cluster.revive().unwrap();
        append(&mut store, &records[30..40]).unwrap();
        cluster.kill_leader();
        append(&mut store, &records[40..]).unwrap();
        holds(cluster.log(), STREAM, &records);
    }
}

/// The script of the issue of leaders that die: what was acknowledged is there exactly once,
/// whatever moment they died at.
#[test]
fn leaders_killed_under_load_lose_nothing_and_double_nothing() {
    let records = records(6_000);
    let cluster = Mutex::new(cluster());
    let log = Arc::clone(cluster.lock().unwrap().log());
    let url = cluster.lock().unwrap().url(STREAM);
    let done = AtomicBool::new(false);
    let mut kills = 0;
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut store = connect(&url);
            for batch in records.chunks(13) {
                append(&mut store, batch).unwrap();
                // acknowledged: there, once, at its place
                let there = log.count(STREAM);
                assert!(there >= usize::try_from(store.size()).unwrap());
            }
            done.store(true, Ordering::Release);
            store.size()
        });
        while !done.load(Ordering::Acquire) && !writer.is_finished() {
            std::thread::sleep(Duration::from_millis(7));
            let mut cluster = cluster.lock().unwrap();
            cluster.kill_leader();
            std::thread::sleep(Duration::from_millis(3));
            cluster.revive().unwrap();
            kills += 1;
        }
        assert_eq!(writer.join().unwrap(), 6_000);
    });
    assert!(kills > 3, "{kills}");
    holds(&log, STREAM, &records);
}

#[test]
fn an_answer_that_names_no_leader_is_asked_again() {
    let records = records(10);
    let cluster = cluster();
    let mut store = connect(&cluster.url(STREAM));
    append(&mut store, &records[..1]).unwrap();
    cluster
        .leader()
        .fail_appends(When::Next(2), AppendFault::NotLeader(None));
    append(&mut store, &records[1..]).unwrap();
    holds(cluster.log(), STREAM, &records);
}

#[test]
fn a_first_connect_that_fails_is_no_end() {
    let records = records(10);
    let mut cluster = cluster();
    let url = format!(
        "{}&maxDiscoverAttempts=1&gossipTimeout=500",
        cluster.url(STREAM)
    );
    cluster.kill_leader();
    cluster.kill_leader();
    let failed = try_connect(&url).unwrap_err();
    assert!(
        matches!(failed, KurrentError::Unreachable { .. }),
        "{failed}"
    );
    assert!(!failed.hint().is_empty());
    cluster.revive().unwrap();
    append(&mut connect(&url), &records).unwrap();
    holds(cluster.log(), STREAM, &records);
}

#[test]
fn followers_are_read_from_when_they_are_preferred() {
    let records = records(300);
    let cluster = cluster();
    append(&mut connect(&cluster.url(STREAM)), &records).unwrap();
    let before = cluster.follower().traffic().events_told();
    let store = connect(&format!("{}&nodePreference=follower", cluster.url(STREAM)));
    let mut seen = 0;
    store
        .read(0, &mut |record| {
            assert_eq!(record, records[seen]);
            seen += 1;
            std::ops::ControlFlow::Continue(())
        })
        .unwrap();
    assert_eq!(seen, 300);
    assert!(cluster.follower().traffic().events_told() >= before + 300);
}

#[test]
fn gossip_that_makes_no_sense_is_an_error_and_no_more() {
    let cluster = cluster();
    let url = format!("{}&maxDiscoverAttempts=1", cluster.url(STREAM));
    let member = |state: i32, address: &str, port: u32| MemberInfo {
        state,
        is_alive: true,
        http_end_point: Some(EndPoint {
            address: address.to_owned(),
            port,
        }),
        ..MemberInfo::default()
    };
    let leader = i32::from(NodeState::Leader);
    let nowhere = vec![
        member(leader, "", 0),
        member(leader, "127.0.0.1", 70_000),
        member(leader, "a b\u{1b}[31m/", 1),
        member(leader, &"x".repeat(10_000), 2_113),
        member(99, "127.0.0.1", 1),
        MemberInfo::default(),
    ];
    let many = (0..5_000).map(|_| member(leader, "127.0.0.1", 1)).collect();
    for members in [nowhere, many] {
        cluster.set_gossip(Some(members));
        let failed = try_connect(&url).unwrap_err();
        assert!(
            matches!(
                failed,
                KurrentError::NoNode { .. } | KurrentError::Unreachable { .. }
            ),
            "{failed}"
        );
        assert!(failed.to_string().len() < 1_000, "{failed}");
    }
    // nobody, as from a node that only starts
    cluster.set_gossip(Some(Vec::new()));
    let failed = try_connect(&url).unwrap_err();
    assert!(matches!(failed, KurrentError::NoNode { .. }), "{failed}");
    // a node that is alone is used as it was reached, whatever it takes its address for
    let alone = member(leader, "10.255.255.1", 2_113);
    cluster.set_gossip(Some(vec![alone]));
    try_connect(&cluster.leader().url(STREAM).replace("://", "+discover://")).unwrap();
    cluster.set_gossip(None);
    append(&mut connect(&url), &records(3)).unwrap();
}
