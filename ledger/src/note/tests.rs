use proptest::prelude::*;

use super::*;

/// The key and note of Go's `note` package, a known answer for kind 1.
const NEUMANN: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
/// The key of the signed-note specification's example.
const EXAMPLE: &str = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";

fn signer(name: &str) -> SigningKey {
    SigningKey::new(name, &[7; 32]).unwrap()
}

fn signed(text: &str) -> Note {
    let mut note = Note::new(text).unwrap();
    note.sign(&signer("ledger.example/a")).unwrap();
    note
}

#[test]
fn known_keys_are_read_and_written_back() {
    for text in [NEUMANN, EXAMPLE] {
        let key: VerifierKey = text.parse().unwrap();
        assert_eq!(key.to_string(), text);
        assert_eq!(key.kind(), KeyKind::Ed25519);
    }
}

#[test]
fn every_part_and_every_changed_byte_of_a_key_is_refused() {
    for end in 0..NEUMANN.len() {
        for start in 0..=end {
            let part = &NEUMANN[start..end];
            assert!(part.parse::<VerifierKey>().is_err(), "{part}");
        }
    }
    for index in 0..NEUMANN.len() {
        let mut bytes = NEUMANN.as_bytes().to_vec();
        bytes[index] += 1;
        let changed = String::from_utf8(bytes).unwrap();
        assert!(changed.parse::<VerifierKey>().is_err(), "{changed}");
    }
}

#[test]
fn a_key_that_every_signature_fits_is_refused() {
    // the neutral point: small order
    let mut point = [0_u8; 33];
    point[0] = 0x01;
    point[1] = 0x01;
    let text = format!("weak+00000000+{}", STANDARD.encode(point));
    assert_eq!(text.parse::<VerifierKey>(), Err(KeyError::Point));
}

#[test]
fn a_private_key_is_read_back_and_never_shown() {
    let key = signer("ledger.example/a");
    let text = key.secret_text();
    let read = SigningKey::parse(&text).unwrap();
    assert_eq!(read.verifier(), key.verifier());
    let secret = text.rsplit('+').next().unwrap();
    assert!(!format!("{key:?}").contains(secret));
    for wrong in [&text[..text.len() - 1], &text[12..], "", "PRIVATE+KEY+"] {
        let error = SigningKey::parse(wrong).unwrap_err().to_string();
        assert!(!error.contains(secret));
    }
    assert_eq!(
        SigningKey::new("a b", &[1; 32]).unwrap_err(),
        KeyError::Name
    );
}

#[test]
fn a_note_is_read_as_it_was_written() {
    let note = signed("origin\n\n5\nroot\n");
    let text = note.to_string();
    let read = Note::parse(text.as_bytes()).unwrap();
    assert_eq!(read, note);
    assert_eq!(read.to_string(), text);
    let keys = [signer("ledger.example/a").verifier().clone()];
    let by = read.verify(&keys).unwrap();
    assert_eq!(
        by,
        [Signed {
            key: &keys[0],
            time: None
        }]
    );
}

#[test]
fn any_changed_byte_of_a_note_is_refused_or_leaves_it_unsigned() {
    let bytes = signed("origin\n5\nroot\n").to_string().into_bytes();
    let keys = [signer("ledger.example/a").verifier().clone()];
    for index in 0..bytes.len() {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[index] ^= 1 << bit;
            let verdict = Note::parse(&changed).and_then(|note| note.verify(&keys).map(|_| ()));
            assert!(verdict.is_err(), "byte {index} bit {bit}");
        }
        let cut = Note::parse(&bytes[..index]).and_then(|note| note.verify(&keys).map(|_| ()));
        assert!(cut.is_err(), "cut at {index}");
    }
}

#[test]
fn other_keys_are_passed_over_and_a_false_one_is_not() {
    let mut note = signed("text\n");
    let other = SigningKey::new("other.example", &[8; 32]).unwrap();
    note.sign(&other).unwrap();
    let first = signer("ledger.example/a").verifier().clone();
    let second = other.verifier().clone();
    assert_eq!(note.verify(std::slice::from_ref(&first)).unwrap().len(), 1);
    assert_eq!(
        note.verify(&[first.clone(), second.clone()]).unwrap().len(),
        2
    );
    assert_eq!(note.verify(&[]), Err(NoteError::Unsigned));

    let text = note.to_string().replace("text\n", "test\n");
    let forged = Note::parse(text.as_bytes()).unwrap();
    assert!(matches!(
        forged.verify(&[second]),
        Err(NoteError::Forged { .. })
    ));

    assert!(matches!(
        note.sign(&other),
        Err(NoteError::Twice { name }) if name == "other.example"
    ));
}

#[test]
fn malformed_notes_are_refused() {
    let line = "\u{2014} a AAAAAAE=\n";
    let many = line.replace(" a ", " a0 ");
    let many: String = (0..65)
        .map(|n| many.replace("a0", &format!("a{n}")))
        .collect();
    for (text, wanted) in [
        (String::new(), NoteError::Shape),
        ("text\n".to_owned(), NoteError::Shape),
        (format!("text\n{line}"), NoteError::Shape),
        (format!("text\n\n{}", line.trim_end()), NoteError::Shape),
        (format!("te\rxt\n\n{line}"), NoteError::NotText),
        (format!("text\n\n{line}rest\n"), NoteError::Line { line: 2 }),
        (
            "text\n\n\u{2014} a AAAA\n".to_owned(),
            NoteError::Line { line: 1 },
        ),
        (
            "text\n\n\u{2014} a+b AAAAAAE=\n".to_owned(),
            NoteError::Line { line: 1 },
        ),
        (
            "text\n\n\u{2014} a AAAAAAF=\n".to_owned(),
            NoteError::Line { line: 1 },
        ),
        (format!("text\n\n{many}"), NoteError::TooMany),
        ("x".repeat(70_000), NoteError::TooLong { bytes: 70_000 }),
    ] {
        let found = Note::parse(text.as_bytes());
        assert_eq!(found, Err(wanted), "{text:?}");
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _note = Note::parse(&bytes);
        if let Ok(text) = std::str::from_utf8(&bytes) {
            let _key = text.parse::<VerifierKey>();
            let _key = SigningKey::parse(text);
        }
    }
}
