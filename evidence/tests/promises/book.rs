//! A small ledger with keys beside it, to make evidence of.

use std::path::PathBuf;

use evidence::keys::KeyFolder;
use evidence::policy::Policy;
use evidence::publish::{PublishError, Published, publish};
use jiff::Timestamp;
use ledger::event::activity::SignIn;
use ledger::event::report::Issued;
use ledger::note::SigningKey;
use ledger::{
    Correlation, CreateOptions, Edge, Event, EventBody, Ledger, NaturalKey, Precision, Reader,
    Source, StreamName,
};
use serde_json::json;

pub(super) const ORIGIN: &str = "ledger.example/t/acme";

/// A clock that moves one millisecond per look, from a moment on, and bytes of a seed.
pub(super) fn edge(start_ms: i64, seed: u8) -> Edge {
    let mut now = start_ms;
    let mut stream = blake3::Hasher::new().update(&[seed]).finalize_xof();
    Edge {
        clock: Box::new(move || {
            now += 1;
            Timestamp::from_millisecond(now).unwrap()
        }),
        entropy: Box::new(move |bytes| stream.fill(bytes)),
    }
}

/// When the ledger begins.
pub(super) const START_MS: i64 = 1_795_000_000_000;

pub(super) struct Desk {
    _keep: tempfile::TempDir,
    pub(super) dir: PathBuf,
    pub(super) keys: KeyFolder,
    pub(super) root: PathBuf,
}

impl Desk {
    /// A ledger of `events` sign-ins and a signing key.
    pub(super) fn new(events: u32) -> Self {
        let keep = tempfile::tempdir().unwrap();
        let root = keep.path().to_owned();
        let dir = root.join("ledger");
        let options = CreateOptions {
            origin: ORIGIN.to_owned(),
            private_network: false,
        };
        let mut ledger = Ledger::create(&dir, &options, edge(START_MS, 1)).unwrap();
        ledger.append((0..events).map(sign_in).collect()).unwrap();
        let keys = KeyFolder::beside(&dir);
        keys.generate(ORIGIN, &mut |bytes| bytes.fill(3)).unwrap();
        Self {
            _keep: keep,
            dir,
            keys,
            root,
        }
    }

    pub(super) fn open(&self) -> Ledger {
        Ledger::open(&self.dir, edge(START_MS + 100_000, 2)).unwrap()
    }

    pub(super) fn reader(&self) -> Reader {
        Reader::open(&self.dir).unwrap()
    }

    pub(super) fn append(&self, events: Vec<Event>) {
        self.open().append(events).unwrap();
    }

    pub(super) fn publish(&self) -> Result<Published, PublishError> {
        let signing = self.keys.signing(ORIGIN).unwrap();
        let all: Vec<&SigningKey> = signing.iter().collect();
        publish(&self.dir, &self.reader(), &self.keys, &all)
    }

    pub(super) fn policy(&self) -> Policy {
        let keys = self.keys.signing(ORIGIN).unwrap();
        let lines: Vec<String> = keys
            .iter()
            .map(|key| format!("log {}\n", key.verifier()))
            .collect();
        Policy::parse(&format!("{}quorum none\n", lines.concat())).unwrap()
    }
}

fn event(key: NaturalKey, stream: StreamName, second: i64, body: EventBody) -> Event {
    Event {
        id: key.id(),
        stream,
        occurred_at: Timestamp::from_second(1_790_000_000 + second).unwrap(),
        precision: Precision::Exact,
        body,
        source: Source {
            name: "daybook".to_owned(),
            record: None,
            digest: String::new(),
        },
        correlation: Correlation::default(),
        actor: None,
        private: None,
    }
}

/// A sign-in of one of three identities; every seventh with a private part.
pub(super) fn sign_in(n: u32) -> Event {
    let id = format!("sign-in-{n}");
    let body = EventBody::SignedIn(SignIn {
        sign_in_id: id.clone(),
        ..SignIn::default()
    });
    let stream = StreamName::service_principal("tenant", &format!("object-{}", n % 3));
    let key = NaturalKey::new("activity").with(&id);
    let mut event = event(key, stream, i64::from(n), body);
    event.private = n.is_multiple_of(7).then(|| json!({"ip": "192.0.2.7"}));
    event
}

/// The event that a report was issued.
pub(super) fn issued(document: &[u8]) -> Event {
    let digest = ledger::hash::hex(blake3::hash(document).as_bytes());
    let body = EventBody::ReportIssued(Issued {
        report: "health".to_owned(),
        cutoff_position: 10,
        digest: digest.clone(),
    });
    let key = NaturalKey::new("report").with(&digest);
    event(key, StreamName::ledger(), 0, body)
}
