//! A token that was kept: by an authority of our own made with `openssl ts` (ECDSA P-256), so that
//! what was accepted once stays accepted.

use std::time::Duration;

use evidence::timestamp::{Anchors, TimestampError, Token};

const TSR: &[u8] = include_bytes!("../../data/kept.tsr");
const DATA: &[u8] = include_bytes!("../../data/kept.data");
const ROOT: &str = include_str!("../../data/kept.pem");

#[test]
fn a_token_that_was_kept_holds() {
    let anchors = Anchors::from_pem(ROOT).unwrap();
    let token = Token::parse(TSR).unwrap();
    let nonce = 0x6d03_8705_57b0_81d5;
    let stamped = token.verify(DATA, Some(nonce), &anchors).unwrap();
    assert_eq!(stamped.time.to_string(), "2026-11-24T14:37:54Z");
    assert_eq!(stamped.accuracy, Some(Duration::from_secs(1)));
    assert_eq!(stamped.policy, "1.2.3.4.1");
    assert_eq!(stamped.serial, "0102030407");
    assert_eq!(stamped.authority, "O=Daybook, CN=Test authority");
    assert_eq!(
        token.verify(&DATA[1..], None, &anchors),
        Err(TimestampError::OtherBytes)
    );
    assert_eq!(
        token.verify(DATA, Some(1), &anchors),
        Err(TimestampError::OtherNonce)
    );
}

#[test]
fn no_changed_bit_of_it_makes_another_statement() {
    let anchors = Anchors::from_pem(ROOT).unwrap();
    let verified = |bytes: &[u8]| Token::parse(bytes).ok()?.verify(DATA, None, &anchors).ok();
    let stamped = verified(TSR);
    assert!(stamped.is_some());
    for at in 0..TSR.len() {
        for bit in 0..8 {
            let mut changed = TSR.to_vec();
            changed[at] ^= 1 << bit;
            let other = verified(&changed);
            assert!(other.is_none() || other == stamped, "byte {at} bit {bit}");
        }
    }
}
