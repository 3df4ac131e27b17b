//! A token of a public authority: `timestamp.sigstore.dev`, of August 2025, with the root its
//! users trust.

use std::time::Duration;

use evidence::timestamp::{Anchors, TimestampError, Token};

const TSR: &[u8] = include_bytes!("../../data/public.tsr");
const DATA: &[u8] = include_bytes!("../../data/public.data");
const ROOT: &str = include_str!("../../data/public.pem");

#[test]
fn a_token_of_a_public_authority_holds() {
    let anchors = Anchors::from_pem(ROOT).unwrap();
    let token = Token::parse(TSR).unwrap();
    let nonce = 0x82ff_9823_8f02_5892;
    let stamped = token.verify(DATA, Some(nonce), &anchors).unwrap();
    assert_eq!(stamped.time.to_string(), "2025-08-06T18:51:36Z");
    assert_eq!(stamped.accuracy, Some(Duration::from_secs(1)));
    assert_eq!(stamped.policy, "1.3.6.1.4.1.57264.2");
    assert_eq!(stamped.serial, "75066f8056d5f464bfa1ee8e134f7d169f0356f2");
    assert_eq!(stamped.authority, "O=sigstore.dev, CN=sigstore-tsa");
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
