//! Erasing private data, and everything that must not change by it.

mod keys;
mod model;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use super::book::{
    Folder, SMALL, blinded, create, edge, files, folder, options, registered, sign_in,
};
use ledger::event::book::Role;
use ledger::{
    AppendError, Concern, CreateError, Erased, Erasure, Event, EventBody, Fault, FaultClass,
    Ledger, OpenError, Place, PrivateState, Reader, Recorded, RedactError, SegmentOptions,
    StreamName, VaultError, verify,
};
use proptest::prelude::*;
use serde_json::json;

const ONE_SEGMENT: SegmentOptions = SegmentOptions {
    segment_bytes: 64 << 20,
    extend_bytes: 0,
    index_events: 4,
};

/// A change of an object by an actor, with something private in it.
fn change(object: u32, actor: &str, name: &str) -> Event {
    let mut event = registered(object, name);
    event.id = ledger::NaturalKey::new("test").with(actor).with(name).id();
    event.actor = Some(actor.to_owned());
    event.private = Some(json!({"secret": format!("whisper-{name}")}));
    event
}

fn subject(object: u32) -> Concern {
    Concern::Stream(registered(object, "").stream)
}

fn actor(name: &str) -> Concern {
    Concern::Actor(name.to_owned())
}

fn order(concern: Concern) -> Erasure {
    Erasure {
        concerns: vec![concern],
        reason: "request of 2026-11-20".to_owned(),
        legal_basis: Some("GDPR article 17".to_owned()),
        approved_by: vec!["dpo".to_owned(), "security".to_owned()],
        order: Some(b"please erase".to_vec()),
    }
}

fn redact(ledger: &mut Ledger, concern: Concern) -> Erased {
    ledger.redact(&order(concern)).unwrap()[0]
}

/// Six changes of three objects by two actors, at positions 1 to 6.
fn six(dir: &Path, sizes: SegmentOptions) -> Ledger {
    let mut ledger = create(dir, sizes);
    for n in 0..3 {
        let by = |actor: &str| change(n, actor, &format!("{actor}-{n}"));
        ledger.append(vec![by("ann"), by("bob")]).unwrap();
    }
    ledger
}

fn all(place: impl Into<Place>) -> Vec<Recorded> {
    let reader = Reader::open(place).unwrap().with_private().unwrap();
    let mut events = Vec::new();
    let mut each = |event| {
        events.push(event);
        ControlFlow::Continue(())
    };
    reader.scan(0..u64::MAX, &|_| true, &mut each).unwrap();
    events
}

fn states(place: impl Into<Place>) -> Vec<PrivateState> {
    all(place).iter().map(|event| event.private_state).collect()
}

fn faults(dir: &Path) -> Vec<(Option<u64>, FaultClass)> {
    let report = verify(dir, &|_, _| {}).unwrap();
    let short = |fault: &Fault| (fault.position, fault.class);
    report.faults.iter().map(short).collect()
}

fn first_segment(dir: &Path) -> std::path::PathBuf {
    dir.join("00000000000000000000.seg")
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}

#[test]
fn private_payloads_are_never_stored_in_clear() {
    let dir = folder();
    drop(six(dir.path(), SMALL));
    for path in files(dir.path()) {
        assert!(
            !holds(&std::fs::read(&path).unwrap(), "whisper"),
            "{path:?}"
        );
    }
    let report = verify(dir.path(), &|_, _| {}).unwrap();
    assert_eq!(report.faults, vec![]);
    assert_eq!(
        (report.private.opened, report.private.data_keys),
        (6, Some(5))
    );
    let private = all(dir.path())[4].event.private.clone();
    assert_eq!(private, Some(json!({"secret": "whisper-bob-1"})));
}

#[test]
fn a_ledger_without_private_payloads_makes_no_keys() {
    let dir = folder();
    let mut ledger = create(dir.path(), SMALL);
    ledger.append((0..9).map(sign_in).collect()).unwrap();
    assert!(!dir.keys().exists());
    assert_eq!(
        verify(dir.path(), &|_, _| {}).unwrap().private,
        ledger::PrivateParts::default()
    );
}

#[test]
fn what_was_erased_is_unreadable_in_every_copy_and_nothing_else_changes() {
    let dir = folder();
    let mut ledger = six(dir.path(), SMALL);
    let copy = folder();
    super::book::copy(dir.path(), copy.path());
    let before = all(dir.path());
    let head = ledger.head_chain();
    let done = redact(&mut ledger, subject(1));
    assert_eq!((done.position, done.destroyed), (Some(7), true));
    assert_eq!((done.survey.readable, done.survey.role), (2, Role::Subject));

    let after = all(dir.path());
    for (before, after) in before.iter().zip(&after) {
        let is_gone = before.event.stream == registered(1, "").stream;
        assert_eq!(
            after.event.private.is_none(),
            is_gone || before.event.private.is_none()
        );
        let mut public = after.clone();
        public.event.private.clone_from(&before.event.private);
        public.private_state = before.private_state;
        assert_eq!(&public, before);
    }
    let mut expected = [PrivateState::Open; 8];
    expected[0] = PrivateState::None;
    expected[3] = PrivateState::Erased;
    expected[4] = PrivateState::Erased;
    expected[7] = PrivateState::None;
    assert_eq!(states(dir.path()), expected);
    let reader = Reader::open(dir.path()).unwrap();
    assert_eq!(reader.chain_at(7).unwrap(), Some(head));
    let report = verify(dir.path(), &|_, _| {}).unwrap();
    assert_eq!(report.faults, vec![]);
    assert_eq!((report.private.opened, report.private.erased), (4, 2));

    let old = Place::new(copy.path(), &dir.keys());
    let unread: Vec<u64> = all(&old)
        .iter()
        .filter(|event| event.private_state == PrivateState::Lost)
        .map(|event| event.position)
        .collect();
    assert_eq!(unread, [3, 4], "the old copy does not know of the erasure");
}

#[test]
fn the_event_names_what_was_erased_and_nobody() {
    let dir = folder();
    let mut ledger = six(dir.path(), SMALL);
    redact(&mut ledger, actor("ann"));
    let event = &all(dir.path())[7];
    let EventBody::Redacted(body) = &event.event.body else {
        panic!("{event:?}");
    };
    assert_eq!((body.role, body.events, body.through), (Role::Actor, 3, 6));
    assert_eq!(body.approved_by, ["dpo", "security"]);
    let text = event.event.body.to_json().unwrap().to_string();
    assert!(!text.contains("ann"), "{text}");
    assert_ne!(
        body.order.unwrap().0,
        *blake3::hash(b"please erase").as_bytes(),
        "an order that can be guessed must not be confirmed by its hash"
    );
    let open: Vec<usize> = (0..7)
        .filter(|at| states(dir.path())[*at] == PrivateState::Open)
        .collect();
    assert_eq!(open, [2, 4, 6]);
    let stored = Reader::open(dir.path()).unwrap().get_stored(7).unwrap();
    let entry = ledger::Entry::decode(&stored.unwrap().entry).unwrap();
    assert!(entry.is_redaction());
}

#[test]
fn what_comes_after_an_erasure_is_kept_under_a_new_key() {
    let dir = folder();
    let mut ledger = six(dir.path(), SMALL);
    redact(&mut ledger, subject(1));
    ledger.append(vec![change(1, "ann", "again")]).unwrap();
    assert_eq!(states(dir.path())[8], PrivateState::Open);
    assert_eq!(states(dir.path())[3], PrivateState::Erased);
    assert_eq!(faults(dir.path()), []);
    let done = redact(&mut ledger, subject(1));
    assert_eq!(
        (done.position, done.survey.readable, done.survey.erased),
        (Some(9), 1, 2)
    );
    assert_eq!(states(dir.path())[8], PrivateState::Erased);
    assert_eq!(faults(dir.path()), []);
}

#[test]
fn an_order_given_twice_appends_nothing_and_finishes_what_was_cut_short() {
    let dir = folder();
    let mut ledger = six(dir.path(), SMALL);
    let backup = std::fs::read(dir.keys().join("data.keys")).unwrap();
    redact(&mut ledger, subject(1));
    let again = redact(&mut ledger, subject(1));
    assert_eq!((again.position, again.destroyed), (None, false));
    drop(ledger);
    // as if the crash came between the event and the destruction
    std::fs::write(dir.keys().join("data.keys"), &backup).unwrap();
    let report = verify(dir.path(), &|_, _| {}).unwrap();
    assert_eq!((report.faults, report.private.undestroyed), (vec![], 1));
    assert_eq!(states(dir.path())[3..5], [PrivateState::Erased; 2]);
    let ledger = Ledger::open_with(dir.path(), edge(), SMALL).unwrap();
    assert_eq!((ledger.size(), ledger.erasures_finished()), (8, 1));
    let report = verify(dir.path(), &|_, _| {}).unwrap();
    assert_eq!((report.private.erased, report.private.undestroyed), (2, 0));
    drop(ledger);
    assert_eq!(
        Ledger::open_with(dir.path(), edge(), SMALL)
            .unwrap()
            .erasures_finished(),
        0
    );
}

#[test]
fn someone_named_twice_in_an_order_is_erased_once() {
    let dir = folder();
    let mut ledger = six(dir.path(), SMALL);
    let mut twice = order(subject(1));
    twice.concerns.push(subject(1));
    twice.concerns.push(actor("ann"));
    let done = ledger.redact(&twice).unwrap();
    let positions: Vec<_> = done.iter().map(|erased| erased.position).collect();
    assert_eq!(positions, [Some(7), None, Some(8)]);
    assert_eq!(ledger.size(), 9);
    assert_eq!(faults(dir.path()), []);
}

#[test]
fn a_stored_private_part_is_shown_with_its_salt_to_who_has_the_key() {
    let dir = folder();
    let mut ledger = six(dir.path(), SMALL);
    redact(&mut ledger, subject(1));
    let reader = Reader::open(dir.path()).unwrap();
    let content = |reader: &Reader, position| {
        let stored = reader.get_stored(position).unwrap().unwrap();
        reader.private_content(stored.as_ref())
    };
    let shown = content(&reader, 1).unwrap().unwrap();
    assert_eq!(&shown[32..], br#"{"secret":"whisper-ann-0"}"#);
    assert_eq!(content(&reader, 0).unwrap(), None);
    assert_eq!(content(&reader, 3).unwrap(), None, "erased");
    std::fs::remove_dir_all(dir.keys()).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    assert!(matches!(
        content(&reader, 1),
        Err(ledger::ReadError::KeyMissing { position: 1 })
    ));
    assert_eq!(content(&reader, 3).unwrap(), None, "erased");
}

#[test]
fn what_a_later_report_says_more_is_erased_with_its_subject() {
    let dir = folder();
    let mut ledger = create(dir.path(), SMALL);
    let mut first = change(1, "ann", "x");
    ledger.append(vec![first.clone()]).unwrap();
    first.body = registered(1, "other").body;
    first.private = Some(json!({"secret": "whisper-more"}));
    ledger.append(vec![first.clone()]).unwrap();
    let body = all(dir.path())[2].event.body.clone();
    let EventBody::Conflicted(body) = body else {
        panic!("{body:?}");
    };
    assert_eq!(body.subject, Some(blinded(dir.path(), &first.stream)));
    assert_eq!(states(dir.path())[2], PrivateState::Open);
    let done = redact(&mut ledger, subject(1));
    assert_eq!(done.survey.readable, 2);
    assert_eq!(states(dir.path())[1..3], [PrivateState::Erased; 2]);
    assert_eq!(faults(dir.path()), []);
}

#[test]
fn an_order_out_of_order_is_refused_before_anything_happens() {
    let dir = folder();
    let mut ledger = six(dir.path(), SMALL);
    let mut refused = |change: &dyn Fn(&mut Erasure)| {
        let mut order = order(actor("Ann-4711"));
        change(&mut order);
        ledger.redact(&order).unwrap_err()
    };
    assert!(matches!(
        refused(&|order| order.concerns.clear()),
        RedactError::Nobody
    ));
    for reason in ["", "  ", "a\u{1b}[2Jb", &"x".repeat(1_001)] {
        let error = refused(&|order| order.reason = reason.to_owned());
        assert!(matches!(error, RedactError::Words), "{reason:?}");
    }
    for text in ["asked by ann-4711", "ANN-4711 left"] {
        let error = refused(&|order| order.reason = text.to_owned());
        assert!(matches!(error, RedactError::NamesSubject));
        let error = refused(&|order| order.legal_basis = Some(text.to_owned()));
        assert!(matches!(error, RedactError::NamesSubject));
    }
    for (approvals, different) in [
        (vec![], 0),
        (vec!["dpo"], 1),
        (vec!["dpo", "dpo"], 1),
        (vec!["dpo", " DPO "], 1),
        (vec!["dpo", ""], 1),
    ] {
        let error = refused(&|order| {
            order.approved_by = approvals.iter().map(|name| (*name).to_owned()).collect();
        });
        match error {
            RedactError::Approvals { different: found } => assert_eq!(found, different),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ledger.size(), 7);
    assert_eq!(states(dir.path())[1..], [PrivateState::Open; 6]);
    let nothing = redact(&mut ledger, actor("nobody"));
    assert_eq!((nothing.position, nothing.survey.events), (None, 0));
    assert_eq!(ledger.size(), 7);
}

#[test]
fn a_verification_beside_a_writer_of_new_subjects_finds_no_fault() {
    let dir = folder();
    let mut ledger = create(dir.path(), SMALL);
    let is_done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let path = dir.path();
        let is_done = &is_done;
        let checking = scope.spawn(move || {
            let mut checks = 0;
            while checks < 3 || !is_done.load(std::sync::atomic::Ordering::Relaxed) {
                assert_eq!(faults(path), []);
                checks += 1;
            }
        });
        for n in 0..150 {
            ledger
                .append(vec![change(n, &format!("a{n}"), &n.to_string())])
                .unwrap();
        }
        is_done.store(true, std::sync::atomic::Ordering::Relaxed);
        checking.join().unwrap();
    });
}

#[test]
fn a_stream_name_is_what_the_entry_was_blinded_from() {
    let dir = folder();
    let ledger = create(dir.path(), SMALL);
    drop(ledger);
    let concern = Concern::Stream(StreamName::ledger());
    let surveys = ledger::survey(&Place::from(dir.path()), &[concern]).unwrap();
    assert_eq!(surveys[0].id, blinded(dir.path(), &StreamName::ledger()));
    assert_eq!((surveys[0].events, surveys[0].readable), (1, 0));
}
