//! Envelopes made by hand, where `openssl` would not make them: what is signed says something else
//! than what is beside it.

use evidence::timestamp::{Malformed, Stamped, TimestampError, Token};
use sha2::{Digest as _, Sha256, Sha512};

use super::authority::{
    Authority, P256, SHA_256, STAMPS, granted, has_openssl, now, statement, tlv,
};

const DATA: &[u8] = b"ledger.example/t/acme\n20\nroot\n";
const ED25519: &[&str] = &["-newkey", "ed25519"];

// object identifiers, without tag and length
const SIGNED_DATA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
const TST_INFO: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4];
const CONTENT_TYPE: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 3];
const MESSAGE_DIGEST: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 4];
const NAMED: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 12];
const NAMED_V2: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 2, 47];
const ECDSA_SHA_256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];
const SHA_512: &[u8] = &[0x30, 0x0b, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 3];

/// The values in a body.
fn split(mut body: &[u8]) -> Vec<&[u8]> {
    let mut values = Vec::new();
    while let [_, length, ..] = *body {
        let (head, length) = match length {
            0x82 => (4, usize::from(body[2]) << 8 | usize::from(body[3])),
            0x81 => (3, usize::from(body[2])),
            short => (2, usize::from(short)),
        };
        let (value, rest) = body.split_at(head + length);
        values.push(value);
        body = rest;
    }
    values
}

/// What is inside a value with a length of two bytes behind `0x82`.
fn inside(value: &[u8]) -> &[u8] {
    assert_eq!(value[1], 0x82);
    &value[4..]
}

/// What is signed, and how.
struct Envelope {
    certificate: Vec<u8>,
    statement: Vec<u8>,
    version: u8,
    id: Vec<u8>,
    digest: Vec<u8>,
    algorithm: Vec<u8>,
    attributes: Vec<Vec<u8>>,
}

fn attribute(id: &[u8], values: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &[&tlv(6, &[id]), &tlv(0x31, values)])
}

fn naming(parts: &[&[u8]]) -> Vec<u8> {
    let named = tlv(0x30, &[&tlv(0x30, &[&tlv(0x30, parts)])]);
    attribute(NAMED_V2, &[&named])
}

/// Issuer and serial number of a certificate, whole.
fn issued(certificate: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let outer = split(inside(certificate));
    let items = split(inside(outer[0]));
    (items[3].to_vec(), items[1].to_vec())
}

impl Envelope {
    /// An honest one by `tsa` (ECDSA, SHA-256).
    fn honest(authority: &Authority) -> Self {
        let certificate = der(authority, "tsa.pem");
        let statement = statement(DATA, &now(authority), &[]);
        let (issuer, serial) = issued(&certificate);
        let attributes = vec![
            attribute(CONTENT_TYPE, &[&tlv(6, &[TST_INFO])]),
            attribute(MESSAGE_DIGEST, &[&tlv(4, &[&Sha256::digest(&statement)])]),
            naming(&[&tlv(4, &[&Sha256::digest(&certificate)])]),
        ];
        Self {
            certificate,
            statement,
            version: 1,
            id: tlv(0x30, &[&issuer, &serial]),
            digest: SHA_256.to_vec(),
            algorithm: tlv(0x30, &[&tlv(6, &[ECDSA_SHA_256])]),
            attributes,
        }
    }

    /// Replaces one of the attributes: 0 content type, 1 digest, 2 certificate.
    fn with(mut self, index: usize, attribute: Vec<u8>) -> Self {
        self.attributes[index] = attribute;
        self
    }

    /// Signed over the attributes in the order of DER.
    fn token(mut self, authority: &Authority) -> Token {
        self.attributes.sort();
        self.token_in_order(authority)
    }

    fn token_in_order(self, authority: &Authority) -> Token {
        let attributes = self.attributes.concat();
        authority.write("attributes", tlv(0x31, &[&attributes]));
        let arguments = [
            "dgst",
            "-sha256",
            "-sign",
            "tsa.key",
            "-out",
            "signature",
            "attributes",
        ];
        let raw = [
            "pkeyutl",
            "-sign",
            "-rawin",
            "-inkey",
            "tsa.key",
            "-in",
            "attributes",
            "-out",
            "signature",
        ];
        let is_raw = self.digest == SHA_512;
        let output = authority.openssl(if is_raw { &raw } else { &arguments });
        assert!(output.status.success(), "{output:?}");
        let signer = tlv(
            0x30,
            &[
                &tlv(2, &[&[self.version]]),
                &self.id,
                &self.digest,
                &tlv(0xa0, &[&attributes]),
                &self.algorithm,
                &tlv(4, &[&authority.read("signature")]),
            ],
        );
        let content = tlv(0xa0, &[&tlv(4, &[&self.statement])]);
        let data = tlv(
            0x30,
            &[
                &tlv(2, &[&[3]]),
                &tlv(0x31, &[&self.digest]),
                &tlv(0x30, &[&tlv(6, &[TST_INFO]), &content]),
                &tlv(0xa0, &[&self.certificate]),
                &tlv(0x31, &[&signer]),
            ],
        );
        let info = tlv(0x30, &[&tlv(6, &[SIGNED_DATA]), &tlv(0xa0, &[&data])]);
        Token::parse(granted(&info)).unwrap()
    }

    fn verified(self, authority: &Authority) -> Result<Stamped, TimestampError> {
        self.token(authority)
            .verify(DATA, None, &authority.anchors("ca.pem"))
    }
}

fn der(authority: &Authority, name: &str) -> Vec<u8> {
    let arguments = ["x509", "-in", name, "-outform", "DER", "-out", "der"];
    assert!(authority.openssl(&arguments).status.success());
    authority.read("der")
}

#[test]
fn a_certificate_may_be_named_in_every_way_of_the_specification() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    let honest = || Envelope::honest(&authority);
    honest().verified(&authority).unwrap();
    let certificate = honest().certificate;
    let hash = tlv(4, &[&Sha256::digest(&certificate)]);
    let (issuer, serial) = issued(&certificate);
    let name = tlv(0x30, &[&tlv(0xa4, &[&issuer])]);
    let number = tlv(0x30, &[&name, &serial]);
    for parts in [
        &[SHA_256, &hash][..],
        &[&hash, &number],
        &[SHA_256, &hash, &number],
        &[SHA_512, &tlv(4, &[&Sha512::digest(&certificate)])],
    ] {
        honest()
            .with(2, naming(parts))
            .verified(&authority)
            .unwrap();
    }
    // beside a name by SHA-1, which is not heeded
    let mut both = honest();
    let old = tlv(0x30, &[&tlv(0x30, &[&tlv(0x30, &[&tlv(4, &[&[0; 20]])])])]);
    both.attributes.push(attribute(NAMED, &[&old]));
    both.verified(&authority).unwrap();
}

#[test]
fn another_certificate_under_the_same_key_is_refused() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    let honest = || Envelope::honest(&authority);
    let certificate = honest().certificate;
    let hash = tlv(4, &[&Sha256::digest(&certificate)]);
    let (issuer, serial) = issued(&certificate);
    let name = tlv(0x30, &[&tlv(0xa4, &[&issuer])]);
    let other_name = tlv(0x30, &[&tlv(0xa4, &[&tlv(0x30, &[])])]);
    for parts in [
        &[&tlv(4, &[&[0; 32]])[..]][..],
        &[&tlv(4, &[&[]])],
        &[SHA_512, &hash],
        &[&hash, &tlv(0x30, &[&name, &tlv(2, &[&[9]])])],
        &[&hash, &tlv(0x30, &[&other_name, &serial])],
    ] {
        assert_eq!(
            honest().with(2, naming(parts)).verified(&authority),
            Err(TimestampError::OtherCertificate)
        );
    }
    let md_5 = tlv(
        0x30,
        &[&tlv(6, &[&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 2, 5]])],
    );
    assert_eq!(
        honest()
            .with(2, naming(&[&md_5, &hash]))
            .verified(&authority),
        Err(TimestampError::NamedBy {
            digest: "MD5".to_owned()
        })
    );
    let mut unknown = honest();
    unknown.id = tlv(0x30, &[&issuer, &tlv(2, &[&[9]])]);
    assert_eq!(
        unknown.verified(&authority),
        Err(TimestampError::NoCertificate)
    );
    let mut unknown = honest();
    (unknown.version, unknown.id) = (3, tlv(0x80, &[&[9; 20]]));
    assert_eq!(
        unknown.verified(&authority),
        Err(TimestampError::NoCertificate)
    );
}

#[test]
fn attributes_of_another_statement_are_refused() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    let honest = || Envelope::honest(&authority);
    let data = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 1];
    let other_type = attribute(CONTENT_TYPE, &[&tlv(6, &[data])]);
    let other_digest = attribute(MESSAGE_DIGEST, &[&tlv(4, &[&[0; 32]])]);
    let unrelated = attribute(&[0x2a, 3], &[]);
    for (index, attribute) in [
        (0, other_type),
        (0, unrelated.clone()),
        (1, other_digest),
        (1, unrelated),
    ] {
        assert_eq!(
            honest().with(index, attribute).verified(&authority),
            Err(TimestampError::OtherStatement)
        );
    }
}

#[test]
fn attributes_that_are_ambiguous_are_refused() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    let honest = || Envelope::honest(&authority);
    let malformed = Err(TimestampError::Malformed(Malformed {
        part: "signed attributes",
    }));
    for index in 0..3 {
        let mut twice = honest();
        twice.attributes.push(twice.attributes[index].clone());
        assert_eq!(twice.verified(&authority), malformed);
    }
    let digest = tlv(4, &[&[0; 32]]);
    for values in [&[&digest[..], &digest][..], &[]] {
        let attribute = attribute(MESSAGE_DIGEST, values);
        assert_eq!(honest().with(1, attribute).verified(&authority), malformed);
    }
    let mut turned = honest();
    turned.attributes.sort();
    turned.attributes.reverse();
    let anchors = authority.anchors("ca.pem");
    assert_eq!(
        turned
            .token_in_order(&authority)
            .verify(DATA, None, &anchors),
        malformed
    );
}

#[test]
fn a_signer_whose_version_does_not_fit_is_refused() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    for version in [0, 2, 3] {
        let mut envelope = Envelope::honest(&authority);
        envelope.version = version;
        assert!(matches!(
            envelope.verified(&authority),
            Err(TimestampError::Malformed(_))
        ));
    }
}

#[test]
fn a_signature_by_another_key_is_refused() {
    if !has_openssl() {
        return;
    }
    let authority = Authority::new(P256);
    let envelope = Envelope::honest(&authority);
    authority.certificate("other", P256, STAMPS, "ca");
    authority.write("tsa.key", authority.read("other.key"));
    assert_eq!(
        envelope.verified(&authority),
        Err(TimestampError::Forged {
            authority: "O=Daybook tests, CN=tsa".to_owned()
        })
    );
}

#[test]
fn ed25519_with_sha_512_is_accepted() {
    if !has_openssl() {
        return;
    }
    // `openssl ts` of this age signs with neither: RFC 8419 by hand
    let authority = Authority::new(P256);
    authority.certificate("edwards", ED25519, STAMPS, "ca");
    let certificate = der(&authority, "edwards.pem");
    let statement = statement(DATA, &now(&authority), &[]);
    authority.write("tsa.key", authority.read("edwards.key"));
    let (issuer, serial) = issued(&certificate);
    let envelope = Envelope {
        attributes: vec![
            attribute(CONTENT_TYPE, &[&tlv(6, &[TST_INFO])]),
            attribute(MESSAGE_DIGEST, &[&tlv(4, &[&Sha512::digest(&statement)])]),
            naming(&[&tlv(4, &[&Sha256::digest(&certificate)])]),
        ],
        certificate,
        statement,
        version: 1,
        id: tlv(0x30, &[&issuer, &serial]),
        digest: SHA_512.to_vec(),
        algorithm: tlv(0x30, &[&tlv(6, &[&[0x2b, 0x65, 0x70]])]),
    };
    envelope.verified(&authority).unwrap();
}
