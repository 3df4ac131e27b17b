//! What honest authorities stamp is accepted, by us and by `openssl`.

use std::time::Duration;

use evidence::timestamp::{Request, Stamped, Token};

use super::authority::{
    Authority, ISSUES, P256, P384, RSA, STAMPS, has_openssl, now, statement, tlv,
};

const DATA: &[u8] = b"ledger.example/t/acme\n20\nroot\n";

fn entropy(bytes: &mut [u8]) {
    bytes.copy_from_slice(&[0x80, 2, 3, 4, 5, 6, 7, 8][..bytes.len()]);
}

/// Asks, parses and verifies; the file must be the answer byte for byte, and good for `openssl`.
fn stamp(authority: &Authority, anchors: &str) -> Stamped {
    let request = Request::new(DATA, &mut entropy);
    let reply = authority.reply(request.der());
    let token = Token::parse(reply.clone()).unwrap();
    assert_eq!(token.as_bytes(), reply);
    assert!(authority.openssl_accepts(token.as_bytes(), DATA, anchors));
    let anchors = authority.anchors(anchors);
    let stamped = token.verify(DATA, Some(request.nonce()), &anchors).unwrap();
    assert_eq!(token.verify(DATA, None, &anchors).unwrap(), stamped);
    stamped
}

#[test]
fn a_request_is_the_one_openssl_makes() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::empty();
    authority.write("data", DATA);
    let query = [
        "ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "q",
    ];
    assert!(authority.openssl(&query).status.success());
    let theirs = authority.read("q");
    // behind version and imprint: INTEGER nonce, then BOOLEAN TRUE in the last three bytes
    let nonce = &theirs[2 + 3 + 51 + 2..theirs.len() - 3];
    let request = Request::new(DATA, &mut |bytes| {
        bytes.fill(0);
        let digits = &nonce[nonce.len().saturating_sub(8)..];
        let from = bytes.len() - digits.len();
        bytes[from..].copy_from_slice(digits);
    });
    assert_eq!(request.der(), theirs);
}

#[test]
fn rsa_and_ecdsa_authorities_are_accepted() {
    if !has_openssl() {
        return;
    }
    for (key, digest) in [
        (RSA, "sha256"),
        (RSA, "sha384"),
        (RSA, "sha512"),
        (P256, "sha256"),
        (P384, "sha384"),
        (P384, "sha256"),
    ] {
        let authority = Authority::new(key);
        authority.set(
            "signer_digest = sha256",
            &format!("signer_digest = {digest}"),
        );
        let stamped = stamp(&authority, "ca.pem");
        assert_eq!(stamped.accuracy, Some(Duration::from_micros(1_500_100)));
        assert_eq!(stamped.policy, "1.2.3.4.1");
        assert_eq!(stamped.serial, "02");
        assert_eq!(stamped.authority, "O=Daybook tests, CN=tsa");
        assert!(stamped.time.as_second() > 1_700_000_000);
    }
}

#[test]
fn a_chain_over_an_intermediate_is_followed() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::empty();
    authority.root("ca", P256, ISSUES);
    authority.certificate("between", P256, ISSUES, "ca");
    authority.certificate("tsa", P256, STAMPS, "between");
    authority.write("chain.pem", authority.read("between.pem"));
    authority.set("ess_cert_id_alg = sha256", "ess_cert_id_alg = sha384");
    stamp(&authority, "ca.pem");
    authority.set("tsa_name = yes", "ess_cert_id_chain = yes");
    stamp(&authority, "ca.pem");
    // an auditor may trust the one in between, or the signer itself, alone
    let request = Request::new(DATA, &mut entropy);
    let token = Token::parse(authority.reply(request.der())).unwrap();
    for anchors in ["between.pem", "tsa.pem"] {
        token
            .verify(DATA, None, &authority.anchors(anchors))
            .unwrap();
    }
}

#[test]
fn an_authority_that_signed_its_own_certificate_is_accepted_when_trusted() {
    if !has_openssl() {
        return;
    }
    for basic in ["CA:FALSE", "critical,CA:TRUE"] {
        let authority = Authority::empty();
        let extensions = STAMPS.replace("CA:FALSE", basic);
        authority.root("tsa", P256, &extensions);
        assert_eq!(
            stamp(&authority, "tsa.pem").authority,
            "O=Daybook tests, CN=tsa"
        );
    }
}

#[test]
fn a_signer_named_by_its_key_and_one_with_sha_384_are_accepted() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    let statement = statement(DATA, &now(&authority), &[]);
    let anchors = authority.anchors("ca.pem");
    let signer = ["-signer", "tsa.pem", "-inkey", "tsa.key", "-cades"];
    for more in [&["-keyid"][..], &["-md", "sha384"], &[]] {
        let token = authority.token(&statement, &[&signer, more].concat());
        let stamped = token.verify(DATA, None, &anchors).unwrap();
        assert_eq!((stamped.accuracy, stamped.serial.as_str()), (None, "09"));
    }
}

#[test]
fn what_may_be_ignored_in_a_statement_is_ignored() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    let extension = tlv(0x30, &[&tlv(6, &[&[0x2a, 3]]), &tlv(4, &[&[]])]);
    let behind = [
        tlv(1, &[&[0xff]]),                           // ordering
        tlv(2, &[&[7]]),                              // nonce
        tlv(0xa0, &[&tlv(0xa4, &[&tlv(0x30, &[])])]), // tsa
        tlv(0xa1, &[&extension]),
    ]
    .concat();
    let statement = statement(DATA, &now(&authority), &behind);
    let signer = ["-signer", "tsa.pem", "-inkey", "tsa.key", "-cades"];
    let token = authority.token(&statement, &signer);
    let anchors = authority.anchors("ca.pem");
    token.verify(DATA, Some(7), &anchors).unwrap();
}
