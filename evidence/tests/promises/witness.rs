//! Witnesses that keep to the protocol: what they are asked, and what comes of it.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use evidence::policy::{JudgeError, Policy};
use evidence::witness::{
    AddressError, Answer, AskError, Asking, CollectError, Collected, Require, WitnessSizes, collect,
};
use ledger::checkpoint::Checkpoint;
use ledger::note::Note;
use ledger::tree::{TreeHash, verify_consistency};

use super::cosigner::Cosigner;
use super::grown::{Grown, log, root};
use super::liar::{Liar, Reply};

pub(crate) const NOW: u64 = 1_790_000_000;

pub(crate) fn cosigner(number: u8) -> Cosigner {
    Cosigner::new(&format!("w{number}.example"), 100 + number)
}

/// The text of the checkpoint in a request.
pub(crate) fn text_of(request: &str) -> String {
    let (_, note) = request.split_once("\n\n").unwrap();
    Note::parse(note.as_bytes()).unwrap().text().to_owned()
}

/// Cosigns whatever it is sent.
pub(crate) fn willing(number: u8) -> Liar {
    Liar::always(move |request| Reply::status(200, &cosigner(number).line(&text_of(request), NOW)))
}

/// A policy with the witnesses at these addresses, numbered from 0, and a quorum.
pub(crate) fn policy(urls: &[&str], threshold: &str) -> Policy {
    let mut text = format!("log {}\n", log().verifier());
    let mut names = String::new();
    for (url, number) in urls.iter().zip(0..) {
        let vkey = cosigner(number).vkey();
        writeln!(text, "witness w{number} {vkey} {url}").unwrap();
        write!(names, " w{number}").unwrap();
    }
    let group = format!("group all-of-them {threshold}{names}\nquorum all-of-them\n");
    text.push_str(&group);
    Policy::parse(&text).unwrap()
}

pub(crate) fn asking() -> Asking {
    Asking {
        require: Require::Nothing,
        ..Asking::at(NOW)
    }
}

/// Asks one witness and returns what it answered.
pub(crate) fn ask(
    url: &str,
    grown: &Grown,
    sizes: &mut WitnessSizes,
) -> Result<u64, AskError<Infallible>> {
    let policy = policy(&[url], "all");
    let prove = |old| grown.prove(old);
    let mut collected = collect(&policy, &grown.checkpoint(), sizes, &asking(), &prove).unwrap();
    assert_eq!(collected.answers.len(), 1);
    let outcome = collected.answers.remove(0).outcome;
    assert_eq!(collected.judged.is_ok(), outcome.is_ok());
    assert_eq!(
        collected.note.signatures().len(),
        1 + usize::from(outcome.is_ok())
    );
    outcome
}

#[test]
fn the_request_is_that_of_the_specification() {
    let witness = willing(0);
    let mut sizes = WitnessSizes::default();
    let grown = Grown::new(0, 5);
    assert_eq!(ask(&witness.url(), &grown, &mut sizes).unwrap(), NOW);
    assert_eq!(sizes.get(&cosigner(0).vkey()), 5);
    let wanted = format!("old 0\n\n{}", grown.checkpoint());
    assert_eq!(witness.seen(), [wanted]);

    let more = Grown::new(0, 13);
    ask(&witness.url(), &more, &mut sizes).unwrap();
    let seen = witness.seen().pop().unwrap();
    let (head, note) = seen.split_once("\n\n").unwrap();
    assert_eq!(note, more.checkpoint().to_string());
    let mut lines = head.lines();
    assert_eq!(lines.next(), Some("old 5"));
    let proof: Vec<TreeHash> = lines
        .map(|line| STANDARD.decode(line).unwrap().try_into().unwrap())
        .collect();
    verify_consistency(5, 13, &root(&grown.0), &root(&more.0), &proof).unwrap();

    // the same again needs no proof
    ask(&witness.url(), &more, &mut sizes).unwrap();
    let seen = witness.seen().pop().unwrap();
    assert_eq!(seen, format!("old 13\n\n{}", more.checkpoint()));
}

#[test]
fn a_witness_at_another_size_is_asked_once_more_from_there() {
    let witness = Liar::start(vec![
        Box::new(|_| Reply::with(409, "Content-Type: text/x.tlog.size\r\n", "7\n")),
        Box::new(|request| {
            assert!(request.starts_with("old 7\n"));
            Reply::status(200, &cosigner(0).line(&text_of(request), NOW))
        }),
    ]);
    let mut sizes = WitnessSizes::default();
    sizes.set(&cosigner(0).vkey(), 3);
    ask(&witness.url(), &Grown::new(0, 13), &mut sizes).unwrap();
    assert_eq!(witness.seen().len(), 2);
    assert_eq!(sizes.get(&cosigner(0).vkey()), 13);
}

#[test]
fn a_remembered_size_beyond_the_checkpoint_is_left_for_the_witness_to_tell() {
    let witness = Liar::always(|request| {
        assert!(request.starts_with("old 0\n"));
        Reply::status(409, "20\n")
    });
    let mut sizes = WitnessSizes::default();
    sizes.set(&cosigner(0).vkey(), 99);
    let refused = ask(&witness.url(), &Grown::new(0, 13), &mut sizes);
    assert!(matches!(
        refused,
        Err(AskError::Behind {
            cosigned: 20,
            size: 13
        })
    ));
    assert_eq!(sizes.get(&cosigner(0).vkey()), 20);
    assert_eq!(witness.seen().len(), 1);
}

#[test]
fn witnesses_are_asked_side_by_side_and_the_quorum_decides() {
    let witnesses = [willing(0), Liar::always(|_| Reply::Silence), willing(2)];
    let urls: Vec<String> = witnesses.iter().map(Liar::url).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let grown = Grown::new(0, 9);
    let prove = |old| grown.prove(old);
    let asking = Asking {
        timeout: Duration::from_secs(2),
        ..Asking::at(NOW)
    };
    let mut sizes = WitnessSizes::default();
    let note = grown.checkpoint();
    let collected = collect(&policy(&urls, "2"), &note, &mut sizes, &asking, &prove).unwrap();
    assert_eq!(collected.judged.unwrap().cosignatures.len(), 2);
    assert!(matches!(
        collected.answers[1].outcome,
        Err(AskError::TimedOut)
    ));
    for (number, wanted) in [(0, 9), (1, 0), (2, 9)] {
        assert_eq!(sizes.get(&cosigner(number).vkey()), wanted);
    }

    // one short of the quorum: nothing to use, but what was had is there with the reasons
    let failed = collect(&policy(&urls, "all"), &note, &mut sizes, &asking, &prove);
    let Err(CollectError::Quorum { cause, collected }) = failed else {
        panic!("{failed:?}");
    };
    assert!(matches!(cause, JudgeError::Quorum { missing, .. } if missing == ["w1"]));
    assert_eq!(collected.note.signatures().len(), 3);

    // what the note has already is not asked for again
    let before: Vec<usize> = witnesses.iter().map(|one| one.seen().len()).collect();
    let again = collect(
        &policy(&urls, "2"),
        &collected.note,
        &mut sizes,
        &asking,
        &prove,
    );
    let Collected { answers, note, .. } = again.unwrap();
    assert_eq!(note, collected.note);
    let times: Vec<Option<u64>> = answers
        .into_iter()
        .map(|Answer { outcome, .. }| outcome.ok())
        .collect();
    assert_eq!(times, [Some(NOW), None, Some(NOW)]);
    let after: Vec<usize> = witnesses.iter().map(|one| one.seen().len()).collect();
    assert_eq!(after, [before[0], before[1] + 1, before[2]]);
}

#[test]
fn a_witness_sees_only_what_the_log_signed() {
    let (first, second) = (willing(0), willing(1));
    let policy = policy(&[&first.url(), &second.url()], "all");
    let grown = Grown::new(0, 3);
    let mut note = grown.checkpoint();
    note.push(cosigner(0).cosign(note.text(), NOW)).unwrap();
    note.push(cosigner(77).cosign(note.text(), NOW)).unwrap();
    let prove = |old| grown.prove(old);
    let mut sizes = WitnessSizes::default();
    collect(&policy, &note, &mut sizes, &Asking::at(NOW), &prove).unwrap();
    assert!(first.seen().is_empty());
    assert_eq!(second.seen(), [format!("old 0\n\n{}", grown.checkpoint())]);
}

#[test]
fn nobody_is_asked_about_what_the_log_did_not_sign() {
    let witness = willing(0);
    let policy = policy(&[&witness.url()], "all");
    let mut sizes = WitnessSizes::default();
    let grown = Grown::new(0, 3);
    let prove = |old| grown.prove(old);
    let unsigned = Note::new(grown.checkpoint().text()).unwrap();
    let other = Checkpoint {
        origin: "other.example".to_owned(),
        size: 3,
        root: root(&grown.0),
    };
    for note in [unsigned, other.sign(&log()).unwrap()] {
        let refused = collect(&policy, &note, &mut sizes, &asking(), &prove);
        assert!(matches!(refused, Err(CollectError::Judge(_))));
    }
    assert!(witness.seen().is_empty());
    assert_eq!(sizes, WitnessSizes::default());
}

#[test]
fn a_witness_without_a_fit_address_is_told_and_not_asked() {
    let text = format!(
        "log {}\nwitness a {}\nwitness b {} http://w.example\nquorum a\n",
        log().verifier(),
        cosigner(0).vkey(),
        cosigner(1).vkey()
    );
    let policy = Policy::parse(&text).unwrap();
    let grown = Grown::new(0, 3);
    let prove = |old| grown.prove(old);
    let mut sizes = WitnessSizes::default();
    let collected = collect(&policy, &grown.checkpoint(), &mut sizes, &asking(), &prove).unwrap();
    let [a, b] = collected.answers.as_slice() else {
        panic!("two witnesses");
    };
    assert!(matches!(a.outcome, Err(AskError::NoAddress)));
    assert!(matches!(
        b.outcome,
        Err(AskError::Address(AddressError::Plain))
    ));
}

#[test]
fn a_proof_that_cannot_be_made_is_said_and_never_sent() {
    let witness = Liar::always(|_| Reply::status(409, "2\n"));
    let policy = policy(&[&witness.url()], "all");
    let grown = Grown::new(0, 3);
    let mut sizes = WitnessSizes::default();
    let broken = |_| Err(std::io::Error::other("a tile is missing"));
    let note = grown.checkpoint();
    let collected = collect(&policy, &note, &mut sizes, &asking(), &broken).unwrap();
    assert!(matches!(
        collected.answers[0].outcome,
        Err(AskError::Proof(_))
    ));
    let long = |_| Ok::<_, Infallible>(vec![[0; 32]; 64]);
    let collected = collect(&policy, &note, &mut sizes, &asking(), &long).unwrap();
    assert!(matches!(
        collected.answers[0].outcome,
        Err(AskError::ProofLength { hashes: 64 })
    ));
    assert_eq!(witness.seen().len(), 1);
}

#[test]
fn remembered_sizes_are_kept_as_a_map_of_keys() {
    let mut sizes = WitnessSizes::default();
    sizes.set(&cosigner(0).vkey(), 7);
    let text = serde_json::to_string(&sizes).unwrap();
    assert_eq!(text, format!("{{\"{}\":7}}", cosigner(0).vkey()));
    assert_eq!(serde_json::from_str::<WitnessSizes>(&text).unwrap(), sizes);
    assert_eq!(sizes.get(&cosigner(1).vkey()), 0);
    assert!(serde_json::from_str::<WitnessSizes>("{\"a\":-1}").is_err());
}
