//! What the writer under test does, the same every time: a ledger created, then steps that append
//! one or many events, repeat some, contradict some, keep private parts, and erase some of them.
//!
//! It can be run again over a ledger that has a part of it already: what is there comes back as a
//! duplicate, and the rest is appended.

use std::path::Path;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use ledger::event::activity::SignIn;
use ledger::event::identity::{ObjectKind, Registered};
use ledger::hash::Hash;
use ledger::tree::TreeHash;
use ledger::{
    Concern, Correlation, CreateOptions, Edge, Erasure, Event, EventBody, Ledger, NaturalKey,
    OpenError, Precision, SegmentOptions, Source, StreamName,
};
use serde_json::json;

/// Segments so small that the script fills several, with zeros ahead of small batches.
pub const SIZES: SegmentOptions = SegmentOptions {
    segment_bytes: 24 << 10,
    extend_bytes: 64 << 10,
    index_events: 8,
};

/// As [`SIZES`], without zeros ahead: every write makes a file longer.
pub const PLAIN: SegmentOptions = SegmentOptions {
    extend_bytes: 0,
    ..SIZES
};

/// Tenant of every event.
const TENANT: &str = "11111111-2222-3333-4444-555555555555";

/// Steps after the creation.
const STEPS: u32 = 32;

/// The step that erases the private parts of [`erased`].
const ERASING: u32 = 19;

/// What the writer claims to be durable: the ledger has `size` events, `chain` is the chain value
/// of the last and `root` the root of the tree over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ack {
    /// Number of events.
    pub size: u64,
    /// Chain value of the newest.
    pub chain: Hash,
    /// Root of the tree over all.
    pub root: TreeHash,
}

impl Ack {
    /// What a ledger open for writing says of itself.
    pub fn of(ledger: &Ledger) -> Self {
        Self {
            size: ledger.size(),
            chain: ledger.head_chain(),
            root: ledger.root(),
        }
    }

    /// The line that tells it.
    pub fn line(&self) -> String {
        format!(
            "ack {} {} {}\n",
            self.size,
            hex(&self.chain),
            hex(&self.root)
        )
    }

    /// Reads a line; `None` for any other, and for one cut short.
    pub fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let is_ack = words.next() == Some("ack");
        let size = words.next()?.parse().ok()?;
        let (chain, root) = (unhex(words.next()?)?, unhex(words.next()?)?);
        is_ack.then_some(Self { size, chain, root })
    }

    /// The claims of an output: its whole lines.
    pub fn all(output: &[u8]) -> Vec<Self> {
        let text = String::from_utf8_lossy(output);
        let whole = text
            .split_inclusive('\n')
            .filter_map(|line| line.strip_suffix('\n'));
        whole.filter_map(Self::parse).collect()
    }
}

fn hex(bytes: &Hash) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _written = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<Hash> {
    let bytes: Option<Vec<u8>> = (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect();
    bytes?.try_into().ok()
}

/// A clock that moves one millisecond per look, from a start per `session`, and bytes that come
/// again with the session.
pub fn edge(session: u32) -> Edge {
    let mut now = 1_795_000_000_000_i64 + i64::from(session) * 1_000_000;
    let mut draws = 0_u64;
    Edge {
        clock: Box::new(move || {
            now += 1;
            Timestamp::from_millisecond(now).unwrap_or(Timestamp::UNIX_EPOCH)
        }),
        entropy: Box::new(move |bytes| {
            draws += 1;
            let mut hasher = blake3::Hasher::new();
            hasher.update(&session.to_le_bytes());
            hasher.update(&draws.to_le_bytes());
            hasher.finalize_xof().fill(bytes);
        }),
    }
}

/// How the ledger is created.
pub fn options() -> CreateOptions {
    CreateOptions {
        origin: "ledger.example/faults".to_owned(),
        private_network: false,
    }
}

/// Opens the ledger of a folder, or creates it where there is none.
///
/// # Errors
/// When neither can be done.
pub fn open(dir: &Path, session: u32, sizes: SegmentOptions) -> Result<Ledger> {
    match Ledger::open_with(dir, edge(session), sizes) {
        Err(OpenError::NotALedger { .. }) => {
            Ledger::create_with(dir, &options(), edge(session), sizes).context("creating")
        }
        opened => opened.context("opening"),
    }
}

/// Runs the script over a ledger, telling every claim as soon as it may be made. The first is that
/// of the ledger as opened.
///
/// # Errors
/// When a step cannot be done; nothing is claimed of it.
pub fn run(ledger: &mut Ledger, claim: &mut dyn FnMut(Ack) -> Result<()>) -> Result<()> {
    claim(Ack::of(ledger))?;
    for step in 0..STEPS {
        if step == ERASING {
            let done = ledger.redact(&order()).context("erasing")?;
            anyhow::ensure!(done.len() == 1, "one concern, {} answers", done.len());
        } else {
            ledger
                .append(events(step))
                .with_context(|| format!("step {step}"))?;
        }
        claim(Ack::of(ledger))?;
    }
    Ok(())
}

/// Opens or creates the ledger of a folder and runs the script over it.
///
/// # Errors
/// When the ledger cannot be used.
pub fn run_in(dir: &Path, session: u32) -> Result<Vec<Ack>> {
    let mut claims = Vec::new();
    let mut ledger = open(dir, session, SIZES)?;
    run(&mut ledger, &mut |ack| {
        claims.push(ack);
        Ok(())
    })?;
    Ok(claims)
}

/// The stream whose private parts are erased.
pub fn erased() -> StreamName {
    StreamName::service_principal(TENANT, "object-7")
}

fn order() -> Erasure {
    Erasure {
        concerns: vec![Concern::Stream(erased())],
        reason: "request of 2026-11-20".to_owned(),
        legal_basis: None,
        approved_by: vec!["dpo".to_owned(), "security".to_owned()],
        order: None,
    }
}

/// The events of a step.
pub fn events(step: u32) -> Vec<Event> {
    let some = |count: u32| (0..count).map(move |n| sign_in(step * 100 + n));
    match step % 8 {
        // more than one page each
        0 => some(40).collect(),
        2 => vec![registered(step, "first"), sign_in(step * 100)],
        // one that is there and one that is not
        3 => sign_ins_again(step).chain(some(1)).collect(),
        // nothing new
        4 => sign_ins_again(step).collect(),
        // the same fact told otherwise, before the erasure only
        5 if step < ERASING => vec![registered(step - 3, "second")],
        7 => vec![change(7, step), change(step, step)],
        6 => some(70).collect(),
        _ => some(1 + step % 3).collect(),
    }
    .into_iter()
    // what is erased is not told again
    .filter(|event| step < ERASING || event.stream != erased())
    .collect()
}

fn sign_ins_again(step: u32) -> impl Iterator<Item = Event> {
    [
        sign_in((step - step % 8) * 100),
        sign_in((step - step % 8) * 100 + 1),
    ]
    .into_iter()
}

fn at(second: u32) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + i64::from(second)).unwrap_or(Timestamp::UNIX_EPOCH)
}

fn source(name: &str) -> Source {
    Source {
        name: name.to_owned(),
        record: None,
        digest: String::new(),
    }
}

/// A small event without a private part.
pub fn sign_in(n: u32) -> Event {
    let id = format!("sign-in-{n}");
    Event {
        id: NaturalKey::new("activity").with(TENANT).with(&id).id(),
        stream: StreamName::service_principal(TENANT, &format!("object-{}", n % 5)),
        occurred_at: at(n),
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

/// An event with a private part.
fn registered(n: u32, name: &str) -> Event {
    let object = format!("object-{n}");
    Event {
        id: NaturalKey::new("identity.registered")
            .with(TENANT)
            .with(&object)
            .id(),
        stream: StreamName::service_principal(TENANT, &object),
        occurred_at: at(n),
        precision: Precision::Exact,
        body: EventBody::IdentityRegistered(Registered {
            kind: ObjectKind::ServicePrincipal,
            attributes: [("displayName".to_owned(), json!(name))].into(),
        }),
        source: source("graph/directoryAudit"),
        correlation: Correlation::default(),
        actor: Some(format!("actor-{}", n % 4)),
        private: Some(json!({"actor": {"name": format!("Someone of {object}")}})),
    }
}

/// Another event with a private part, about an object that may have several.
fn change(object: u32, step: u32) -> Event {
    let mut event = registered(object, "changed");
    let step = step.to_string();
    event.id = NaturalKey::new("faults")
        .with(&object.to_string())
        .with(&step)
        .id();
    event.private = Some(json!({"note": format!("whisper of step {step}")}));
    event
}
