//! The ledger: every hash, the chain and the tree included, and each id once.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ledger::event::activity::SignIn;
use ledger::{
    Appender, Correlation, CreateOptions, Event, EventBody, Group, Ledger, NaturalKey, Precision, Reader, Source,
    StreamName,
};
use serde::{Deserialize, Serialize};

use crate::work::{BATCH, edge};

/// Requests of one decoding thread that may be on their way.
const AHEAD: usize = 4;

pub(crate) fn create(dir: &Path) -> Ledger {
    let options = CreateOptions { origin: "ledger.example/bench".to_owned(), private_network: false };
    Ledger::create(dir, &options, edge()).unwrap()
}

/// Appends batch after batch of events made ready before, one commit each.
pub(crate) fn append(dir: &Path, batches: &[&[Event]]) -> Duration {
    let mut ledger = create(dir);
    let preparer = ledger.preparer();
    let batches: Vec<_> = batches.iter().map(|batch| preparer.prepare(batch).unwrap()).collect();
    let start = Instant::now();
    for batch in &batches {
        ledger.append_prepared(batch).unwrap();
    }
    start.elapsed()
}

/// Appends one typed event a commit.
pub(crate) fn one_by_one(dir: &Path, events: &[Event]) -> Duration {
    let mut ledger = create(dir);
    let events = events.to_vec();
    let start = Instant::now();
    for event in events {
        ledger.append(vec![event]).unwrap();
    }
    start.elapsed()
}

/// Appends with many callers at once, each one typed event a request.
pub(crate) fn together(dir: &Path, callers: &[&[Event]]) -> Duration {
    let group = Group::start(create(dir)).unwrap();
    let start = Instant::now();
    std::thread::scope(|scope| {
        for events in callers {
            let appender = group.appender();
            scope.spawn(move || {
                for event in *events {
                    appender.append(std::slice::from_ref(event)).unwrap();
                }
            });
        }
    });
    let took = start.elapsed();
    group.close().unwrap();
    took
}

/// Reads every record in order, each frame's checksum and position checked.
pub(crate) fn scan(dir: &Path) -> (u64, Duration) {
    let start = Instant::now();
    let reader = Reader::open(dir).unwrap();
    let (mut count, mut bytes) = (0, 0);
    reader
        .scan_stored(0..u64::MAX, &mut |record| {
            count += 1;
            bytes += record.public.len();
            ControlFlow::Continue(())
        })
        .unwrap();
    std::hint::black_box(bytes);
    (count, start.elapsed())
}

/// A sign-in as an export writes it.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    id: String,
    created_date_time: jiff::Timestamp,
    service_principal_id: String,
    service_principal_name: Option<String>,
    app_id: String,
    resource_id: Option<String>,
    ip_address: Option<String>,
    service_principal_credential_key_id: Option<String>,
    conditional_access_status: Option<String>,
    error_code: i64,
}

pub(crate) fn line(number: u64) -> String {
    let identity = format!("5b3c0a70-0000-4000-8000-{:012}", number % 1_000);
    let line = Line {
        id: format!("11111111-0000-4000-8000-{number:012}"),
        created_date_time: jiff::Timestamp::from_millisecond(1_790_000_000_000 + i64::try_from(number).unwrap())
            .unwrap(),
        service_principal_name: Some("build agent".to_owned()),
        app_id: identity.clone(),
        service_principal_credential_key_id: Some(identity.clone()),
        service_principal_id: identity,
        resource_id: Some("00000003-0000-0000-c000-000000000000".to_owned()),
        ip_address: Some("203.0.113.7".to_owned()),
        conditional_access_status: Some("notApplied".to_owned()),
        error_code: 0,
    };
    serde_json::to_string(&line).unwrap()
}

fn decode(text: &str) -> Event {
    let line: Line = serde_json::from_str(text).unwrap();
    Event {
        id: NaturalKey::new("activity").with("tenant").with(&line.id).id(),
        stream: StreamName::service_principal("tenant", &line.service_principal_id),
        occurred_at: line.created_date_time,
        precision: Precision::Exact,
        body: EventBody::SignedIn(SignIn {
            sign_in_id: line.id,
            app_id: line.app_id,
            name: line.service_principal_name,
            credential_key_id: line.service_principal_credential_key_id,
            resource_id: line.resource_id,
            ip: line.ip_address,
            conditional_access: line.conditional_access_status,
            error_code: line.error_code,
            ..SignIn::default()
        }),
        source: Source { name: "graph/servicePrincipalSignIn".to_owned(), record: None, digest: String::new() },
        correlation: Correlation::default(),
        actor: None,
        private: None,
    }
}

/// JSON lines to durable events: two threads decode and prepare, each with some requests on their
/// way; the writer appends.
pub(crate) fn lines(dir: &Path, text: &str) -> Duration {
    let group = Group::start(create(dir)).unwrap();
    let rest = Mutex::new(text.lines());
    let start = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| feed(&group.appender(), &rest));
        }
    });
    let took = start.elapsed();
    group.close().unwrap();
    took
}

fn feed(appender: &Appender, rest: &Mutex<std::str::Lines<'_>>) {
    let mut ahead = VecDeque::new();
    loop {
        let batch: Vec<&str> = rest.lock().unwrap().by_ref().take(BATCH).collect();
        if batch.is_empty() {
            break;
        }
        let events: Vec<Event> = batch.into_iter().map(decode).collect();
        let prepared = appender.preparer().prepare(&events).unwrap();
        ahead.push_back(appender.submit(prepared).unwrap());
        if ahead.len() > AHEAD {
            ahead.pop_front().unwrap().wait().unwrap();
        }
    }
    for pending in ahead {
        pending.wait().unwrap();
    }
}
