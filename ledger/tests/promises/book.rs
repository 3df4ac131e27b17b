//! A small ledger to try things on.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use jiff::Timestamp;
use ledger::event::activity::SignIn;
use ledger::event::identity::{ObjectKind, Registered};
use ledger::{
    BlindedId, Correlation, CreateOptions, Edge, Event, EventBody, Ledger, NaturalKey, Precision,
    Recorded, SegmentOptions, Source, StreamName,
};
use serde_json::json;

/// A folder for one ledger, with room for its keys beside it; both go when it is dropped.
pub(super) struct Folder {
    _whole: tempfile::TempDir,
    book: PathBuf,
}

impl Folder {
    pub(super) fn path(&self) -> &Path {
        &self.book
    }

    pub(super) fn keys(&self) -> PathBuf {
        self.book.with_file_name("book.keys")
    }
}

pub(super) fn folder() -> Folder {
    let whole = tempfile::tempdir().unwrap();
    let book = whole.path().join("book");
    std::fs::create_dir(&book).unwrap();
    Folder {
        _whole: whole,
        book,
    }
}

/// Every file below a folder, by its path.
pub(super) fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for item in std::fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// Copies every file below a folder into another.
pub(super) fn copy(from: &Path, to: &Path) {
    for path in files(from) {
        let target = to.join(path.strip_prefix(from).unwrap());
        std::fs::create_dir_all(target.parent().unwrap()).unwrap();
        std::fs::copy(path, target).unwrap();
    }
}

pub(super) const TENANT: &str = "11111111-2222-3333-4444-555555555555";

pub(super) const SMALL: SegmentOptions = SegmentOptions {
    segment_bytes: 4_096,
    extend_bytes: 0,
    index_events: 4,
};

/// A clock that moves one millisecond per look, and bytes that never repeat.
pub(super) fn edge() -> Edge {
    static SEED: AtomicU64 = AtomicU64::new(0);
    let mut now = 1_795_000_000_000_i64;
    Edge {
        clock: Box::new(move || {
            now += 1;
            Timestamp::from_millisecond(now).unwrap()
        }),
        entropy: Box::new(|bytes| {
            let seed = SEED.fetch_add(1, Ordering::Relaxed);
            let mut stream = blake3::Hasher::new()
                .update(&seed.to_le_bytes())
                .finalize_xof();
            stream.fill(bytes);
        }),
    }
}

pub(super) fn options() -> CreateOptions {
    CreateOptions {
        origin: "ledger.example/t/acme".to_owned(),
        private_network: false,
    }
}

pub(super) fn create(dir: &Path, sizes: SegmentOptions) -> Ledger {
    Ledger::create_with(dir, &options(), edge(), sizes).unwrap()
}

/// Every event, private parts read.
pub(super) fn all(ledger: &Ledger) -> Vec<Recorded> {
    let mut events = Vec::new();
    let reader = ledger.reader().unwrap().with_private().unwrap();
    let mut each = |event| {
        events.push(event);
        ControlFlow::Continue(())
    };
    reader.scan(0..u64::MAX, &|_| true, &mut each).unwrap();
    events
}

/// The blinded name of a stream, as a ledger's entries carry it.
pub(super) fn blinded(dir: &Path, stream: &StreamName) -> BlindedId {
    let blind = std::fs::read(dir.join("blind.key")).unwrap();
    BlindedId(ledger::hash::stream_id(
        &blind.try_into().unwrap(),
        stream.as_str(),
    ))
}

fn source(name: &str) -> Source {
    Source {
        name: name.to_owned(),
        record: None,
        digest: String::new(),
    }
}

pub(super) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

pub(super) fn sign_in(n: u32) -> Event {
    let id = format!("sign-in-{n}");
    Event {
        id: NaturalKey::new("activity").with(TENANT).with(&id).id(),
        stream: StreamName::service_principal(TENANT, &format!("object-{}", n % 3)),
        occurred_at: at(i64::from(n)),
        precision: Precision::Exact,
        body: EventBody::SignedIn(SignIn {
            sign_in_id: id,
            app_id: "app".to_owned(),
            ip: Some("192.0.2.7".to_owned()),
            ..SignIn::default()
        }),
        source: source("graph/servicePrincipalSignIn"),
        correlation: Correlation::default(),
        actor: None,
        private: None,
    }
}

pub(super) fn registered(n: u32, name: &str) -> Event {
    let object = format!("object-{n}");
    Event {
        id: NaturalKey::new("identity.registered")
            .with(TENANT)
            .with(&object)
            .id(),
        stream: StreamName::service_principal(TENANT, &object),
        occurred_at: at(0),
        precision: Precision::Exact,
        body: EventBody::IdentityRegistered(Registered {
            kind: ObjectKind::ServicePrincipal,
            attributes: [("displayName".to_owned(), json!(name))].into(),
        }),
        source: source("graph/directoryAudit"),
        correlation: Correlation::default(),
        actor: Some("someone".to_owned()),
        private: Some(json!({"actor": {"name": "Someone"}})),
    }
}
