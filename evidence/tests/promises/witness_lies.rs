//! Witnesses that do not keep to the protocol: none of them counts, stops us or makes us wait.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use evidence::witness::{AskError, Asking, Lie, WitnessSizes, collect};
use ledger::note::{Note, SigningKey};
use proptest::prelude::*;

use super::grown::Grown;
use super::liar::{Liar, Reply, Script};
use super::witness::{NOW, ask, asking, cosigner, policy, text_of};

type Outcome = Result<u64, AskError<Infallible>>;

/// What comes of a checkpoint of 13 entries, and how many requests were made.
fn asked(scripts: Vec<Script>, known: u64) -> (Outcome, usize) {
    let witness = Liar::start(scripts);
    let mut sizes = WitnessSizes::default();
    sizes.set(&cosigner(0).vkey(), known);
    let outcome = ask(&witness.url(), &Grown::new(0, 13), &mut sizes);
    (outcome, witness.seen().len())
}

fn answered(script: impl Fn(&str) -> Reply + Send + 'static) -> AskError<Infallible> {
    let (outcome, requests) = asked(vec![Box::new(script)], 0);
    assert_eq!(requests, 1);
    outcome.unwrap_err()
}

fn lied(script: impl Fn(&str) -> String + Send + 'static) -> Lie {
    match answered(move |request| Reply::status(200, &script(&text_of(request)))) {
        AskError::Lying(lie) => lie,
        other => panic!("{other:?}"),
    }
}

fn malformed(body: &'static [u8]) {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
    let refused = answered(move |_| Reply::Bytes([head.as_bytes(), body].concat()));
    assert!(matches!(refused, AskError::Malformed), "{refused:?}");
}

#[test]
fn a_cosignature_that_does_not_hold_does_not_count() {
    let other_text = |text: &str| text.replace("\n13\n", "\n12\n");
    assert_eq!(
        lied(move |text| cosigner(0).line(&other_text(text), NOW)),
        Lie::Forged
    );
    // the time in front is signed too
    assert_eq!(
        lied(|text| {
            let mut signature = cosigner(0).cosign(text, NOW);
            signature.bytes[7] ^= 1;
            let mut note = Note::new(text).unwrap();
            note.push(signature).unwrap();
            note.to_string()[text.len() + 1..].to_owned()
        }),
        Lie::Forged
    );
    assert_eq!(lied(|text| cosigner(1).line(text, NOW)), Lie::Absent);
    // the log's own signature back, or one of the plain kind by the witness's very key
    assert_eq!(
        lied(|text| {
            let mut note = Note::new(text).unwrap();
            let plain = SigningKey::new("w0.example", &[100; 32]).unwrap();
            note.sign(&plain).unwrap();
            note.to_string()[text.len() + 1..].to_owned()
        }),
        Lie::Absent
    );
}

#[test]
fn a_cosignature_of_another_time_does_not_count() {
    for time in [0, NOW - 301, NOW + 301, u64::MAX] {
        let lie = lied(move |text| cosigner(0).line(text, time));
        assert_eq!(lie, Lie::Time { time, now: NOW });
    }
    for time in [NOW - 300, NOW + 300] {
        let good: Script =
            Box::new(move |request| Reply::status(200, &cosigner(0).line(&text_of(request), time)));
        assert_eq!(asked(vec![good], 0).0.unwrap(), time);
    }
}

#[test]
fn lines_by_other_keys_are_passed_over() {
    let many: Script = Box::new(|request| {
        let text = text_of(request);
        let lines = [5, 0, 6].map(|number| cosigner(number).line(&text, NOW));
        Reply::status(200, &lines.concat())
    });
    // `ask` checks that only one signature was added
    assert_eq!(asked(vec![many], 0).0.unwrap(), NOW);
}

#[test]
fn an_answer_that_is_no_signature_line_is_refused() {
    malformed(b"");
    malformed(b"\n");
    malformed(b"thank you\n");
    malformed(b"\xff\xfe\n");
    malformed(b"\xe2\x80\x94 w0.example AAAA\n");
    malformed("\u{2014} w0.example AAAAAAE=".as_bytes());
    malformed("\n\u{2014} w0.example AAAAAAE=\n".as_bytes());
    // text in front of the signatures would become part of what is signed
    let refused = answered(|request| {
        let text = text_of(request) + "\nmore\n";
        Reply::status(200, &format!("more\n\n{}", cosigner(0).line(&text, NOW)))
    });
    assert!(matches!(refused, AskError::Malformed), "{refused:?}");
}

#[test]
fn every_status_has_its_reason() {
    let of = |status| answered(move |_| Reply::status(status, "some words\n"));
    assert!(matches!(of(400), AskError::BadRequest));
    assert!(matches!(of(403), AskError::UnknownKey));
    assert!(matches!(of(404), AskError::UnknownLog));
    assert!(matches!(of(409), AskError::Malformed));
    assert!(matches!(of(422), AskError::Forked { cosigned: 0 }));
    for busy in [429, 500, 502, 503, 599] {
        assert!(matches!(of(busy), AskError::Busy { status } if status == busy));
    }
    for odd in [201, 204, 206, 401, 410, 418, 600, 999] {
        assert!(matches!(of(odd), AskError::Status { status } if status == odd));
    }
}

#[test]
fn a_size_that_is_told_is_believed_only_as_far_as_it_can_be_proven() {
    let told = |size: &'static str| -> Script { Box::new(move |_| Reply::status(409, size)) };
    // another size each time, without end
    let (outcome, requests) = asked(vec![told("3\n"), told("4\n"), told("5\n")], 0);
    assert!(matches!(outcome, Err(AskError::Conflict { cosigned: 4 })));
    assert_eq!(requests, 2);
    // the size it was just told, refused again
    let (outcome, requests) = asked(vec![told("3\n")], 0);
    assert!(matches!(outcome, Err(AskError::Malformed)));
    assert_eq!(requests, 2);
    let (outcome, requests) = asked(vec![told("0\n")], 0);
    assert!(matches!(outcome, Err(AskError::Malformed)));
    assert_eq!(requests, 1);
    // our size, at another root
    let (outcome, requests) = asked(vec![told("13\n")], 0);
    assert!(matches!(outcome, Err(AskError::Forked { cosigned: 13 })));
    assert_eq!(requests, 2);
    let (outcome, _) = asked(vec![told("")], 13);
    assert!(matches!(outcome, Err(AskError::Forked { cosigned: 13 })));
    // more than we have
    for (size, wanted) in [("14\n", 14), ("18446744073709551615\n", u64::MAX)] {
        let (outcome, requests) = asked(vec![told(size)], 0);
        assert!(
            matches!(outcome, Err(AskError::Behind { cosigned, size: 13 }) if cosigned == wanted)
        );
        assert_eq!(requests, 1);
    }
    for size in [
        "",
        "\n",
        "3",
        "03\n",
        "+3\n",
        "-1\n",
        "3\n\n",
        "18446744073709551616\n",
        "x\n",
    ] {
        let (outcome, _) = asked(vec![told(size)], 0);
        assert!(matches!(outcome, Err(AskError::Malformed)), "{size:?}");
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Liar::always(|_| Reply::status(200, ""));
    for code in [301, 302, 303, 307, 308] {
        let to = format!("Location: {}/add-checkpoint\r\n", elsewhere.url());
        let refused = answered(move |_| Reply::with(code, &to, ""));
        assert!(matches!(refused, AskError::Redirected { status } if status == code));
    }
    assert!(elsewhere.seen().is_empty());
}

#[test]
fn an_answer_without_end_is_cut() {
    let chunk = || [b"10000\r\n".as_slice(), &vec![b'a'; 65_536], b"\r\n"].concat();
    for head in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 409 Said\r\nTransfer-Encoding: chunked\r\n\r\n",
    ] {
        let refused = answered(move |_| Reply::Flood(head.into(), chunk()));
        assert!(matches!(refused, AskError::TooLong), "{refused:?}");
    }
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n";
    let refused = answered(move |_| Reply::Flood(head.into(), vec![b'a'; 4_096]));
    assert!(matches!(refused, AskError::TooLong), "{refused:?}");
    // headers without end
    let refused = answered(|_| Reply::Flood(b"HTTP/1.1 200 OK\r\n".to_vec(), b"a: b\r\n".to_vec()));
    assert!(matches!(refused, AskError::Unreachable(_)), "{refused:?}");
}

#[test]
fn what_is_not_http_is_refused() {
    for bytes in [
        b"".as_slice(),
        b"\n",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 200",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/9.9 200 OK\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00",
    ] {
        let refused = answered(|_| Reply::Bytes(bytes.to_vec()));
        assert!(
            matches!(refused, AskError::Unreachable(_) | AskError::Malformed),
            "{bytes:?}: {refused:?}"
        );
    }
    // nobody listens
    let gone = Liar::always(|_| Reply::Silence).url();
    let outcome = ask(&gone, &Grown::new(0, 13), &mut WitnessSizes::default());
    assert!(
        matches!(outcome, Err(AskError::Unreachable(_))),
        "{outcome:?}"
    );
}

#[test]
fn a_witness_without_a_certificate_is_not_asked_over_https() {
    let plain = Liar::always(|_| Reply::status(200, ""));
    let url = plain.url().replace("http://", "https://");
    let outcome = ask(&url, &Grown::new(0, 13), &mut WitnessSizes::default());
    let refused = matches!(outcome, Err(AskError::Unreachable(_)));
    assert!(refused, "{outcome:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_answer_panics_or_counts(
        status in prop::sample::select(vec![200_u16, 409]),
        body in "(\u{2014} w0\\.example |AAAAAAE=|[0-9]|\n| |.){0,60}",
        raw in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let said = Liar::start(vec![
            Box::new(move |_| Reply::status(status, &body)),
            Box::new(move |_| Reply::Bytes(raw.clone())),
        ]);
        for _ in 0..2 {
            let mut sizes = WitnessSizes::default();
            let outcome = ask(&said.url(), &Grown::new(0, 13), &mut sizes);
            prop_assert!(outcome.is_err());
        }
    }
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "that nobody waits longer than told is what is tested"
)]
fn a_witness_that_dawdles_is_left_at_its_time() {
    let slow: Vec<Script> = vec![
        Box::new(|_| Reply::Silence),
        Box::new(|_| Reply::Drip(Vec::new(), b'H')),
        Box::new(|_| Reply::Drip(b"HTTP/1.1 200 OK\r\nx: ".to_vec(), b'a')),
        Box::new(|_| {
            Reply::Drip(
                b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n".into(),
                b'a',
            )
        }),
        Box::new(|_| Reply::Drip(b"HTTP/1.1 200 OK\r\n\r\n".into(), b'a')),
        // the second request has only what the first one left
        Box::new(|request| {
            if request.starts_with("old 0\n") {
                std::thread::sleep(Duration::from_millis(200));
                Reply::status(409, "5\n")
            } else {
                Reply::Silence
            }
        }),
    ];
    let grown = Grown::new(0, 13);
    let prove = |old| grown.prove(old);
    let asking = Asking {
        timeout: Duration::from_millis(400),
        ..asking()
    };
    for (script, number) in slow.into_iter().zip(0..) {
        let witness = Liar::start(vec![script]);
        let policy = policy(&[&witness.url()], "all");
        let mut sizes = WitnessSizes::default();
        let started = Instant::now();
        let collected = collect(&policy, &grown.checkpoint(), &mut sizes, &asking, &prove).unwrap();
        let outcome = &collected.answers[0].outcome;
        if number == 1 {
            // bytes that begin no answer are refused before the time is over
            assert!(outcome.is_err());
        } else {
            assert!(
                matches!(outcome, Err(AskError::TimedOut)),
                "{number}: {outcome:?}"
            );
        }
        assert!(started.elapsed() < Duration::from_secs(10), "{number}");
    }
}
