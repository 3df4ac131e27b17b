//! What does not hold is refused, each for its own reason.

use evidence::timestamp::{TimestampError, Token, TokenError};

use super::authority::{
    Authority, ISSUES, P256, RSA, SHA_256, STAMPS, granted, has_openssl, now, statement,
    statement_of, tlv,
};

const DATA: &[u8] = b"ledger.example/t/acme\n20\nroot\n";
const SIGNER: [&str; 5] = ["-signer", "tsa.pem", "-inkey", "tsa.key", "-cades"];

/// Why a statement signed with `openssl cms` is refused.
fn refused(authority: &Authority, statement: &[u8], arguments: &[&str]) -> TimestampError {
    authority
        .token(statement, arguments)
        .verify(DATA, Some(7), &authority.anchors("ca.pem"))
        .unwrap_err()
}

fn nonce() -> Vec<u8> {
    tlv(2, &[&[7]])
}

#[test]
fn another_statement_than_the_one_asked_for_is_refused() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    let now = now(&authority);
    let refused = |statement: &[u8]| refused(&authority, statement, &SIGNER);
    assert_eq!(
        refused(&statement(b"other", &now, &nonce())),
        TimestampError::OtherBytes
    );
    for nonce in [vec![], tlv(2, &[&[8]]), tlv(2, &[&[7, 0]])] {
        assert_eq!(
            refused(&statement(DATA, &now, &nonce)),
            TimestampError::OtherNonce
        );
    }
    let sha_1 = tlv(0x30, &[&tlv(6, &[&[0x2b, 0x0e, 3, 2, 0x1a]]), &[5, 0]]);
    let imprint = tlv(0x30, &[&sha_1, &tlv(4, &[&[0; 20]])]);
    assert_eq!(
        refused(&statement_of(&imprint, &now, &nonce())),
        TimestampError::OtherDigest {
            digest: "SHA-1".to_owned()
        }
    );
    let critical = tlv(
        0x30,
        &[&tlv(6, &[&[0x2a, 3]]), &[1, 1, 0xff], &tlv(4, &[&[]])],
    );
    let behind = [nonce(), tlv(0xa1, &[&critical])].concat();
    assert_eq!(
        refused(&statement(DATA, &now, &behind)),
        TimestampError::Extension {
            id: "1.2.3".to_owned()
        }
    );
    let short = tlv(0x30, &[SHA_256, &tlv(4, &[&[0; 20]])]);
    assert_eq!(
        refused(&statement_of(&short, &now, &nonce())),
        TimestampError::OtherBytes
    );
}

#[test]
fn a_malformed_statement_is_refused() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    let time = now(&authority);
    let twice = [nonce(), nonce()].concat();
    let long = [nonce(), vec![5, 0]].concat();
    for statement in [
        statement(DATA, "20261124", &nonce()),
        statement(DATA, &time, &twice),
        statement(DATA, &time, &long),
        [statement(DATA, &time, &nonce()), vec![0]].concat(),
        vec![],
        vec![0x30, 0x80, 0, 0],
    ] {
        assert!(matches!(
            refused(&authority, &statement, &SIGNER),
            TimestampError::Malformed(_)
        ));
    }
}

#[test]
fn a_certificate_that_was_not_valid_at_the_time_stated_is_refused() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    for time in ["20200101000000Z", "20990101000000Z"] {
        let statement = statement(DATA, time, &nonce());
        let token = authority.token(&statement, &SIGNER);
        for anchors in ["ca.pem", "tsa.pem"] {
            assert!(matches!(
                token.verify(DATA, Some(7), &authority.anchors(anchors)),
                Err(TimestampError::NotValidThen { .. })
            ));
        }
    }
}

#[test]
fn a_certificate_for_anything_else_than_timestamping_alone_is_refused() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    let statement = statement(DATA, &now(&authority), &nonce());
    let usage = "extendedKeyUsage=critical,timeStamping";
    for (from, to) in [
        (usage, ""),
        (usage, "extendedKeyUsage=critical,serverAuth"),
        (usage, "extendedKeyUsage=critical,timeStamping,serverAuth"),
        (usage, "extendedKeyUsage=critical,serverAuth,timeStamping"),
        (usage, "extendedKeyUsage=timeStamping"),
        ("digitalSignature", "keyEncipherment"),
    ] {
        authority.certificate("other", P256, &STAMPS.replace(from, to), "ca");
        let signer = ["-signer", "other.pem", "-inkey", "other.key", "-cades"];
        let token = authority.token(&statement, &signer);
        for anchors in ["ca.pem", "other.pem"] {
            assert_eq!(
                token.verify(DATA, Some(7), &authority.anchors(anchors)),
                Err(TimestampError::Purpose {
                    authority: "O=Daybook tests, CN=other".to_owned()
                }),
                "{to}"
            );
        }
    }
}

#[test]
fn a_certificate_that_no_trusted_one_signed_is_refused() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    let extensions = STAMPS.replace("digitalSignature", "digitalSignature,keyCertSign");
    authority.certificate("issuer", P256, &extensions, "ca");
    authority.certificate("issued", P256, STAMPS, "issuer");
    let both = STAMPS.replace("CA:FALSE", "critical,CA:TRUE");
    authority.certificate("both", P256, &both, "ca");
    // another root of the same name, and one of another
    let stranger = Authority::new(P256);
    stranger.root("other", P256, ISSUES);
    // all certificates are valid from before this
    let statement = statement(DATA, &now(&authority), &nonce());
    let token = authority.token(&statement, &SIGNER);
    for anchors in ["ca.pem", "other.pem", "tsa.pem"] {
        let result = token.verify(DATA, Some(7), &stranger.anchors(anchors));
        assert!(matches!(result, Err(TimestampError::Untrusted { .. })));
    }
    // a certificate that is no authority may not issue
    let signer = ["-signer", "issued.pem", "-inkey", "issued.key", "-cades"];
    let signer = [&signer[..], &["-certfile", "issuer.pem"]].concat();
    let error = refused(&authority, &statement, &signer);
    assert!(matches!(error, TimestampError::Untrusted { .. }), "{error}");
    // nor may an authority sign timestamps itself, unless it is trusted for that
    let signer = ["-signer", "both.pem", "-inkey", "both.key", "-cades"];
    let error = refused(&authority, &statement, &signer);
    assert!(matches!(error, TimestampError::Untrusted { .. }), "{error}");
}

#[test]
fn sha_1_is_refused_by_name() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(RSA);
    let statement = statement(DATA, &now(&authority), &nonce());
    let arguments = [&SIGNER[..], &["-md", "sha1"]].concat();
    assert_eq!(
        refused(&authority, &statement, &arguments),
        TimestampError::Digest {
            digest: "SHA-1".to_owned()
        }
    );
    authority.set("ess_cert_id_alg = sha256", "ess_cert_id_alg = sha1");
    let request = evidence::timestamp::Request::new(DATA, &mut |bytes| bytes.fill(1));
    let token = Token::parse(authority.reply(request.der())).unwrap();
    let error = token
        .verify(DATA, None, &authority.anchors("ca.pem"))
        .unwrap_err();
    assert_eq!(
        error,
        TimestampError::NamedBy {
            digest: "SHA-1".to_owned()
        }
    );
    assert!(error.to_string().contains("ess_cert_id_alg"));
}

#[test]
fn a_signature_that_does_not_name_its_certificate_or_signers_is_refused() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    authority.certificate("second", P256, STAMPS, "ca");
    let statement = statement(DATA, &now(&authority), &nonce());
    let refused = |arguments: &[&str]| refused(&authority, &statement, arguments);
    let unnamed = ["-signer", "tsa.pem", "-inkey", "tsa.key"];
    assert_eq!(refused(&unnamed), TimestampError::Unnamed);
    let alone = [&SIGNER[..], &["-nocerts"]].concat();
    assert_eq!(refused(&alone), TimestampError::NoCertificate);
    let second = ["-signer", "second.pem", "-inkey", "second.key"];
    assert_eq!(
        refused(&[&SIGNER[..], &second].concat()),
        TimestampError::Signers { found: 2 }
    );
    let without = ["-noattr", "-signer", "tsa.pem", "-inkey", "tsa.key"];
    assert!(matches!(refused(&without), TimestampError::Malformed(_)));
}

#[test]
fn other_signature_algorithms_are_refused_by_name() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(RSA);
    let statement = statement(DATA, &now(&authority), &nonce());
    authority.certificate("curve", P256, STAMPS, "ca");
    let curve = ["-signer", "curve.pem", "-inkey", "curve.key", "-cades"];
    let arguments = [&curve[..], &["-md", "sha512"]].concat();
    assert_eq!(
        refused(&authority, &statement, &arguments),
        TimestampError::Algorithm {
            algorithm: "ECDSA with SHA-512".to_owned()
        }
    );
}

#[test]
fn a_statement_exchanged_under_a_signature_is_refused() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    let now = now(&authority);
    let signed = authority.signed(&statement(b"honest", &now, &nonce()), &SIGNER);
    let (honest, other) = (
        statement(b"honest", &now, &nonce()),
        statement(DATA, &now, &nonce()),
    );
    let at = signed
        .windows(honest.len())
        .position(|window| window == honest)
        .unwrap();
    let mut forged = signed;
    forged[at..at + other.len()].copy_from_slice(&other);
    let result = Token::parse(forged)
        .unwrap()
        .verify(DATA, Some(7), &authority.anchors("ca.pem"));
    assert_eq!(result, Err(TimestampError::OtherStatement));
}

#[test]
fn an_authority_that_refuses_is_not_a_timestamp() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    authority.set("digests = sha256, sha384, sha512", "digests = sha512");
    let request = evidence::timestamp::Request::new(DATA, &mut |bytes| bytes.fill(1));
    let error = Token::parse(authority.reply(request.der())).unwrap_err();
    assert!(
        matches!(&error, TokenError::Refused { status: 2, said }
            if said.starts_with(": the digest is not accepted")),
        "{error}"
    );
    assert!(matches!(
        Token::parse(granted(&[])),
        Err(TokenError::Malformed(_))
    ));
}
