//! No answer, however made, is taken for another statement, panics or hangs.

use evidence::timestamp::{Anchors, Request, Stamped, Token};
use proptest::prelude::*;

use super::authority::{Authority, P256, granted, has_openssl, tlv};

const DATA: &[u8] = b"ledger.example/t/acme\n20\nroot\n";

fn verified(bytes: &[u8], anchors: &Anchors) -> Option<Stamped> {
    Token::parse(bytes)
        .ok()?
        .verify(DATA, Some(0x0101_0101_0101_0101), anchors)
        .ok()
}

fn honest(authority: &Authority) -> Vec<u8> {
    authority.reply(Request::new(DATA, &mut |bytes| bytes.fill(1)).der())
}

#[test]
fn no_changed_byte_makes_another_statement() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    let anchors = authority.anchors("ca.pem");
    let reply = honest(&authority);
    let stamped = verified(&reply, &anchors).unwrap();
    let mut accepted = 0;
    for at in 0..reply.len() {
        for flip in [1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0xff] {
            let mut changed = reply.clone();
            changed[at] ^= flip;
            if let Some(other) = verified(&changed, &anchors) {
                assert_eq!(other, stamped, "byte {at} xor {flip:#x}");
                accepted += 1;
            }
        }
    }
    // unsigned: the status, the set of digests, the version; little else
    assert!(accepted < 300, "{accepted}");
}

#[test]
fn no_part_of_an_answer_is_an_answer() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    let reply = honest(&authority);
    for length in 0..reply.len() {
        assert!(Token::parse(&reply[..length]).is_err(), "{length}");
    }
    assert!(Token::parse([&reply[..], &[0]].concat()).is_err());
}

#[test]
fn deep_and_large_answers_are_refused() {
    let mut deep = Vec::new();
    for _ in 0..1000 {
        deep = tlv(0x30, &[&deep]);
    }
    assert!(Token::parse(granted(&deep)).is_err());
    // lengths that promise more than there is
    for length in [&[0x84, 0xff, 0xff, 0xff, 0xff][..], &[0x88, 0x7f], &[0xff]] {
        assert!(Token::parse([&[0x30], length].concat()).is_err());
    }
}

#[test]
fn a_flood_of_certificates_is_refused() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    let request = Request::new(DATA, &mut |bytes| bytes.fill(1));
    let chain = authority.read("ca.pem");
    authority.write("chain.pem", chain);
    assert!(
        verified(
            &authority.reply(request.der()),
            &authority.anchors("ca.pem")
        )
        .is_some()
    );
    for name in 0..17 {
        authority.root(&format!("root{name}"), P256, super::authority::ISSUES);
    }
    let roots: Vec<Vec<u8>> = (0..17)
        .map(|name| authority.read(&format!("root{name}.pem")))
        .collect();
    authority.write("chain.pem", roots.concat());
    assert!(Token::parse(authority.reply(request.der())).is_err());
}

proptest! {
    #[test]
    fn random_bytes_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
        prop_assert!(Token::parse(bytes.clone()).is_err());
        prop_assert!(Token::parse(granted(&bytes)).is_err());
        prop_assert!(Token::parse(granted(&tlv(0x30, &[&bytes]))).is_err());
    }
}
