use super::*;
use proptest::prelude::*;

fn entry(position: u8) -> Entry {
    let mut bytes = [0; 256];
    bytes[..4].copy_from_slice(b"LGE1");
    bytes[7] = 3;
    bytes[15] = position;
    bytes[40..56].fill(4);
    bytes[192..224].fill(6);
    Entry::decode(&bytes).unwrap()
}

fn key(subject: u8, position: Position) -> PartKey {
    PartKey::derive([[subject; 32], [2; 32]].iter(), position)
}

/// The XChaCha20-Poly1305 example of draft-irtf-cfrg-xchacha-03, appendix A.3.1, through the cipher
/// used here.
#[test]
fn the_cipher_is_the_one_of_the_draft() {
    let key: Vec<u8> = (0x80..0xa0).collect();
    let nonce: Vec<u8> = (0x40..0x58).collect();
    let associated = [
        0x50, 0x51, 0x52, 0x53, 0xc0, 0xc1, 0xc2, 0xc3, 0xc4, 0xc5, 0xc6, 0xc7,
    ];
    let mut text = *b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
    let key: Hash = key.try_into().unwrap();
    let nonce: [u8; 24] = nonce.try_into().unwrap();
    let cipher = PartKey(Zeroizing::new(key)).cipher();
    let nonce = XNonce::from(nonce);
    let tag = cipher
        .encrypt_inout_detached(&nonce, &associated, text.as_mut_slice().into())
        .unwrap();
    assert_eq!(
        crate::hash::hex(&text[..16]),
        "bd6d179d3e83d43b9576579493c0e939"
    );
    assert_eq!(crate::hash::hex(&tag), "c0875924c1c7987947deafd8780acf49");
}

/// Computed apart from this code, from `docs/format.md`, with Python's `blake3` and `pycryptodome`.
#[test]
fn a_stored_part_is_laid_out_as_the_format_says() {
    let stored = key(1, 8)
        .seal(&Bound::to(&entry(8)), &[3; 24], &[5; 32], b"{\"a\":1}")
        .unwrap();
    assert_eq!(stored[..24], [3; 24]);
    assert_eq!(
        crate::hash::hex(&stored[24..]),
        "772d3556c613e881cd1a605f5ab1865faec6a7b39da06882fa4234a37e61a92674a9b15e0b9896fe51c5075d064ef334761906e96c26d3"
    );
}

#[test]
fn a_part_opens_only_for_its_entry_and_keys() {
    let stored = key(1, 8)
        .seal(&Bound::to(&entry(8)), &[3; 24], &[5; 32], b"secret")
        .unwrap();
    let opened = |key: &PartKey, entry: &Entry| {
        let mut out = vec![9];
        let fine = key.open(&Bound::to(entry), &stored, &mut out);
        assert_eq!(out[0], 9);
        assert_eq!(fine, out.len() > 1, "nothing is left of what did not open");
        fine.then(|| out[1..].to_vec())
    };
    let content = opened(&key(1, 8), &entry(8)).unwrap();
    assert_eq!(content, [&[5; 32][..], b"secret"].concat());
    assert_eq!(opened(&key(2, 8), &entry(8)), None);
    assert_eq!(opened(&key(1, 9), &entry(8)), None);
    assert_eq!(opened(&key(1, 8), &entry(9)), None);
    let mut other = entry(8);
    other.private_commit = [7; 32];
    assert_eq!(opened(&key(1, 8), &other), None);
    other = entry(8);
    other.ledger_id = [7; 16];
    assert_eq!(opened(&key(1, 8), &other), None);
}

#[test]
fn a_made_event_concerns_the_subject_of_the_one_it_is_about() {
    let mut made = entry(8);
    made.stream_id = [1; 32];
    let public = format!(r#"{{"body":{{"subject":"{}"}}}}"#, "07".repeat(32));
    assert_eq!(Concerned::of(&made, public.as_bytes()).subject, [1; 32]);
    made.event_type = EventType(0x0b05);
    assert_eq!(Concerned::of(&made, public.as_bytes()).subject, [7; 32]);
    for broken in ["", "{}", r#"{"body":{"subject":"07"}}"#] {
        assert_eq!(Concerned::of(&made, broken.as_bytes()).subject, [1; 32]);
    }
    assert_eq!(Concerned::of(&made, b"").ids().count(), 1);
    made.actor_id = [2; 32];
    assert_eq!(Concerned::of(&made, b"").ids().count(), 2);
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut out = Vec::new();
        prop_assert!(!key(1, 8).open(&Bound::to(&entry(8)), &bytes, &mut out));
        prop_assert!(out.is_empty());
    }
}
