//! A policy is read strictly, and accepts exactly what it says.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use evidence::policy::{JudgeError, LineFault, Policy, PolicyError};
use ledger::checkpoint::Checkpoint;
use ledger::note::{KeyError, Note, NoteError, SigningKey};
use proptest::prelude::*;

use super::cosigner::Cosigner;

const ORIGIN: &str = "ledger.example/t/acme";

fn log() -> SigningKey {
    SigningKey::new(ORIGIN, &[1; 32]).unwrap()
}

fn witness(number: u8) -> Cosigner {
    Cosigner::new(&format!("w{number}.example"), 100 + number)
}

fn note() -> Note {
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: 7,
        root: [9; 32],
    };
    checkpoint.sign(&log()).unwrap()
}

fn cosigned(by: &[u8]) -> Note {
    let mut note = note();
    for number in by {
        let signature = witness(*number).cosign(note.text(), 1_000 + u64::from(*number));
        note.push(signature).unwrap();
    }
    note
}

/// The example of the specification, with keys.
fn example() -> String {
    let mut text = format!("# two organisations\n\nlog {}\n", log().verifier());
    for (name, number) in [
        ("X1", 1),
        ("X2", 2),
        ("X3", 3),
        ("Y1", 4),
        ("Y2", 5),
        ("Y3", 6),
    ] {
        writeln!(text, "witness\t{name}  {} ", witness(number).vkey()).unwrap();
    }
    text + "group X-witnesses 2 X1 X2 X3\n group Y-witnesses any Y1 Y2 Y3\n\
            group X-and-Y all X-witnesses Y-witnesses\n\t# both\nquorum X-and-Y\n"
}

fn fault(text: &str) -> (usize, LineFault) {
    match Policy::parse(text) {
        Err(PolicyError::Line { line, fault }) => (line, fault),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_example_of_the_specification_is_judged_as_it_says() {
    let policy = Policy::parse(&example()).unwrap();
    assert_eq!(policy.witnesses().len(), 6);
    assert!(policy.wants_witnesses());
    for by in [&[1, 2, 4][..], &[2, 3, 6], &[6, 5, 4, 3, 2, 1]] {
        let judged = policy.judge(&cosigned(by)).unwrap();
        assert_eq!(judged.log, ORIGIN);
        assert_eq!(judged.checkpoint.size, 7);
        assert_eq!(judged.cosignatures.len(), by.len());
    }
    let judged = policy.judge(&cosigned(&[4, 1, 2])).unwrap();
    let wanted = [("X1", 1_001), ("X2", 1_002), ("Y1", 1_004)];
    assert_eq!(
        judged.cosignatures,
        wanted.map(|(name, time)| (name.to_owned(), time))
    );
    for (by, wanted) in [
        (&[][..], &["X1", "X2", "X3", "Y1", "Y2", "Y3"][..]),
        (&[1, 2, 3], &["Y1", "Y2", "Y3"]),
        (&[1, 4, 5, 6], &["X2", "X3"]),
    ] {
        match policy.judge(&cosigned(by)) {
            Err(JudgeError::Quorum { quorum, missing }) => {
                assert_eq!(quorum, "X-and-Y");
                assert_eq!(missing, wanted);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_policy_is_read_back_as_it_was_written() {
    let log = log().verifier().to_string();
    let (first, second) = (witness(1).vkey(), witness(2).vkey());
    for text in [
        format!("log {log} https://ledger.example/\nquorum none\n"),
        "quorum none\n".to_owned(),
        format!("log {log}\nwitness w {first} http://127.0.0.1:80/w\nquorum w\n"),
        format!("witness a {first}\nwitness b {second}\ngroup g any a b\nquorum g\n"),
        format!("witness a {first}\nwitness b {second}\ngroup g all a b\nquorum b\n"),
        format!("witness \u{212a} {first}\nwitness K {second}\ngroup g any \u{212a}\nquorum K\n"),
    ] {
        let policy = Policy::parse(&text).unwrap();
        assert_eq!(policy.to_string(), text);
    }
    let policy = Policy::parse(&example()).unwrap();
    assert_eq!(Policy::parse(&policy.to_string()), Ok(policy));
}

#[test]
fn a_log_must_have_signed_under_its_own_name() {
    let policy = Policy::parse(&format!("log {}\nquorum none\n", log().verifier())).unwrap();
    policy.judge(&note()).unwrap();

    let other = SigningKey::new("other.example", &[2; 32]).unwrap();
    let both = format!(
        "log {}\nlog {}\nquorum none\n",
        log().verifier(),
        other.verifier()
    );
    let both = Policy::parse(&both).unwrap();
    let checkpoint = Checkpoint::parse(note().text()).unwrap();
    let by_other = checkpoint.sign(&other).unwrap();
    let unsigned = JudgeError::Unsigned {
        origin: ORIGIN.to_owned(),
    };
    assert_eq!(both.judge(&by_other), Err(unsigned.clone()));
    assert_eq!(policy.judge(&by_other), Err(unsigned.clone()));
    assert_eq!(
        policy.judge(&Note::new(note().text()).unwrap()),
        Err(unsigned)
    );

    let stranger = Checkpoint {
        origin: "stranger.example".to_owned(),
        ..checkpoint
    };
    assert_eq!(
        policy.judge(&stranger.sign(&log()).unwrap()),
        Err(JudgeError::UnknownLog {
            origin: "stranger.example".to_owned()
        })
    );
    let none = Policy::parse("quorum none\n").unwrap();
    assert!(matches!(
        none.judge(&note()),
        Err(JudgeError::UnknownLog { .. })
    ));

    let wrong = Note::new("no checkpoint\n").unwrap();
    assert!(matches!(
        policy.judge(&wrong),
        Err(JudgeError::Checkpoint(_))
    ));
}

#[test]
fn a_cosignature_that_does_not_hold_refuses_the_whole_note() {
    let policy = Policy::parse(&example()).unwrap();
    let mut forged = cosigned(&[1, 2, 4]);
    let mut signature = witness(3).cosign(forged.text(), 5);
    signature.bytes[0] ^= 1; // the time is signed too
    forged.push(signature).unwrap();
    let name = "w3.example".to_owned();
    assert_eq!(
        policy.judge(&forged),
        Err(JudgeError::Note(NoteError::Forged { name }))
    );

    // by a key the policy does not know: passed over
    let mut foreign = cosigned(&[1, 2, 4]);
    let mut signature = witness(9).cosign(foreign.text(), 5);
    signature.bytes[0] ^= 1;
    foreign.push(signature).unwrap();
    assert_eq!(policy.judge(&foreign).unwrap().cosignatures.len(), 3);
}

#[test]
fn a_plain_signature_by_a_witness_key_is_no_cosignature() {
    let policy = format!(
        "log {}\nwitness w {}\nquorum w\n",
        log().verifier(),
        Cosigner::new("w", 50).vkey()
    );
    let policy = Policy::parse(&policy).unwrap();
    let mut plain = note();
    plain
        .sign(&SigningKey::new("w", &[50; 32]).unwrap())
        .unwrap();
    assert!(matches!(
        policy.judge(&plain),
        Err(JudgeError::Quorum { .. })
    ));
}

fn name(name: &str) -> String {
    name.to_owned()
}

fn refused(cases: impl IntoIterator<Item = (String, usize, LineFault)>) {
    for (text, line, wanted) in cases {
        assert_eq!(fault(&text), (line, wanted), "{text}");
    }
}

#[test]
fn a_line_that_is_not_exact_is_refused() {
    let log = log().verifier().to_string();
    let (one, two) = (witness(1).vkey(), witness(2).vkey());
    let plain = SigningKey::new("w", &[7; 32]).unwrap();
    let plain = plain.verifier();
    let same = Cosigner::new("renamed", 101).vkey();
    let keyword = |word: &str| LineFault::Keyword { word: name(word) };
    let (of_log, of_witness) = ("log KEY [URL]", "witness NAME KEY [URL]");
    let form = |form| LineFault::Form { form };
    let first = LineFault::SameKey { line: 1 };
    refused([
        (name("quorum none\r\n"), 1, LineFault::Control),
        (name("# \u{7f}\n"), 1, LineFault::Control),
        (name("\nLog x\n"), 2, keyword("Log")),
        (name("\u{a0}quorum none\n"), 1, keyword("\u{a0}quorum")),
        (name("log\n"), 1, form(of_log)),
        (format!("log {log} u v\n"), 1, form(of_log)),
        (name("log x\n"), 1, LineFault::Key(KeyError::Shape)),
        (format!("log {one}\n"), 1, LineFault::Kind),
        (format!("log {log}\n\nlog {log} u\n"), 3, first.clone()),
        (format!("witness {one}\n"), 1, form(of_witness)),
        (format!("witness a {plain}\n"), 1, LineFault::Kind),
        (format!("witness a {one}\nwitness b {same}\n"), 2, first),
        (
            format!("witness a {one}\nwitness a {two}\n"),
            2,
            LineFault::SameName { name: name("a") },
        ),
        (format!("witness none {one}\n"), 1, LineFault::Reserved),
    ]);
}

#[test]
fn a_group_or_quorum_that_is_not_exact_is_refused() {
    let two = format!(
        "witness a {}\nwitness b {}\n",
        witness(1).vkey(),
        witness(2).vkey()
    );
    let threshold = |members| LineFault::Threshold { members };
    let unknown = |unknown: &str| LineFault::Unknown {
        name: name(unknown),
    };
    let twice = LineFault::MemberTwice { name: name("a") };
    let group = LineFault::Form {
        form: "group NAME any|all|NUMBER MEMBER...",
    };
    let quorum = LineFault::Form {
        form: "quorum NAME",
    };
    let cases = [
        ("group", 3, group.clone()),
        ("group g", 3, group),
        ("group g any", 3, threshold(0)),
        ("group g all", 3, threshold(0)),
        ("group g 0 a", 3, threshold(1)),
        ("group g 2 a", 3, threshold(1)),
        ("group g 01 a b", 3, threshold(2)),
        ("group g +1 a b", 3, threshold(2)),
        ("group g -1 a b", 3, threshold(2)),
        ("group g ALL a b", 3, threshold(2)),
        ("group g 18446744073709551617 a b", 3, threshold(2)),
        ("group g any a a", 3, twice.clone()),
        ("group g any a\ngroup h any a b", 4, twice),
        ("group a any b", 3, LineFault::SameName { name: name("a") }),
        ("group none any b", 3, LineFault::Reserved),
        ("group g any g", 3, unknown("g")),
        ("group g any none", 3, unknown("none")),
        ("group g any h\ngroup h any a", 3, unknown("h")),
        ("quorum", 3, quorum.clone()),
        ("quorum none none", 3, quorum),
        ("quorum A", 3, unknown("A")),
        ("quorum none\nquorum none", 4, LineFault::QuorumTwice),
    ];
    refused(cases.map(|(text, line, fault)| (format!("{two}{text}\n"), line, fault)));
}

#[test]
fn a_policy_that_is_too_large_cut_short_or_without_quorum_is_refused() {
    let long = "#".repeat(65_537);
    assert_eq!(
        Policy::parse(&long),
        Err(PolicyError::TooLong { bytes: 65_537 })
    );
    assert_eq!(
        Policy::parse(&"\n".repeat(513)),
        Err(PolicyError::TooManyLines)
    );
    assert_eq!(Policy::parse("quorum none"), Err(PolicyError::Unterminated));
    for text in ["", "\n", "# quorum none\n"] {
        assert_eq!(Policy::parse(text), Err(PolicyError::NoQuorum));
    }
    let whole = example();
    for end in 0..whole.len() {
        assert!(Policy::parse(&whole[..end]).is_err(), "cut at {end}");
    }

    let many = |kind: &str, count: u8| -> String {
        (0..count).fold(String::new(), |mut text, number| {
            let name = format!("{kind}{number}");
            let key = match kind {
                "log" => SigningKey::new(&name, &[number; 32])
                    .unwrap()
                    .verifier()
                    .to_string(),
                _ => format!("{name} {}", Cosigner::new(&name, number).vkey()),
            };
            writeln!(text, "{kind} {key}").unwrap();
            text
        })
    };
    let rest = "quorum none\n";
    Policy::parse(&(many("log", 64) + &many("witness", 63) + rest)).unwrap();
    assert_eq!(
        fault(&many("log", 65)),
        (65, LineFault::TooMany { most: 64 })
    );
    assert_eq!(
        fault(&many("witness", 64)),
        (64, LineFault::TooMany { most: 63 })
    );
}

/// A quorum answered by recursion over names: what the policy's one pass is held against.
struct Plain {
    groups: BTreeMap<String, (usize, Vec<String>)>,
}

impl Plain {
    fn holds(&self, name: &str, signed: &BTreeSet<String>) -> bool {
        match self.groups.get(name) {
            None => signed.contains(name),
            Some((threshold, members)) => {
                let met = members.iter().filter(|member| self.holds(member, signed));
                met.count() >= *threshold
            }
        }
    }
}

/// Witnesses, then groups that each take some of the names nobody took yet.
fn grown(witnesses: u8, picks: &[(u8, u8, u8)]) -> (String, Plain, String) {
    let mut text = format!("log {}\n", log().verifier());
    let mut free: Vec<String> = (0..witnesses).map(|number| format!("w{number}")).collect();
    for number in 0..witnesses {
        writeln!(text, "witness w{number} {}", witness(number).vkey()).unwrap();
    }
    let mut groups = BTreeMap::new();
    for (number, (start, count, threshold)) in picks.iter().enumerate() {
        let start = usize::from(*start) % free.len();
        let count = 1 + usize::from(*count) % (free.len() - start);
        let members: Vec<String> = free.drain(start..start + count).collect();
        let threshold = 1 + usize::from(*threshold) % count;
        let name = format!("g{number}");
        writeln!(text, "group {name} {threshold} {}", members.join(" ")).unwrap();
        groups.insert(name.clone(), (threshold, members));
        free.push(name);
    }
    let quorum = free.last().cloned().unwrap();
    writeln!(text, "quorum {quorum}").unwrap();
    (text, Plain { groups }, quorum)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_quorum_is_met_exactly_when_a_plain_count_says_so(
        witnesses in 1..8_u8,
        picks in prop::collection::vec(any::<(u8, u8, u8)>(), 0..6),
        chosen: u8,
    ) {
        let (text, plain, quorum) = grown(witnesses, &picks);
        let policy = Policy::parse(&text).unwrap();
        prop_assert_eq!(Policy::parse(&policy.to_string()).unwrap(), policy.clone());
        let by: Vec<u8> = (0..witnesses).filter(|number| chosen >> number & 1 == 1).collect();
        let signed: BTreeSet<String> = by.iter().map(|number| format!("w{number}")).collect();
        match policy.judge(&cosigned(&by)) {
            Ok(judged) => {
                prop_assert!(plain.holds(&quorum, &signed));
                prop_assert_eq!(judged.cosignatures.len(), by.len());
            }
            Err(JudgeError::Quorum { missing, .. }) => {
                prop_assert!(!plain.holds(&quorum, &signed));
                prop_assert!(missing.iter().all(|name| !signed.contains(name)));
                // were the missing ones there, it would be met
                let all = signed.into_iter().chain(missing).collect();
                prop_assert!(plain.holds(&quorum, &all));
            }
            Err(other) => prop_assert!(false, "{}", other),
        }
    }

    #[test]
    fn no_text_panics(text in "(log|witness|group|quorum|none|any|a|b|2| |\t|\n|#|.){0,40}") {
        let _policy = Policy::parse(&text);
        let _policy = Policy::parse(&(text + "\nquorum none\n"));
    }
}
