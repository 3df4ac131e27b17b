//! Digests and signatures that a timestamp may use, by their object identifiers (RFC 5754,
//! RFC 5758). SHA-1 and older are known by name only, to refuse them.

use der::oid::ObjectIdentifier;
use pki_types::SignatureVerificationAlgorithm;
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use webpki::ring;

use super::asn1::dotted;

const SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");
const MD_5: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.2.5");
const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");
const SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.2");
const SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.3");

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const RSA_SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.11");
const RSA_SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.12");
const RSA_SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.13");
const ECDSA_SHA_1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.1");
const ECDSA_SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.2");
const ECDSA_SHA_384: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.3");
const ECDSA_SHA_512: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.3.4");

/// Over SHA-512 alone (RFC 8419, section 3.1).
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Names of what is known and refused, and of what is accepted elsewhere.
const NAMES: [(ObjectIdentifier, &str); 9] = [
    (SHA_1, "SHA-1"),
    (MD_5, "MD5"),
    (RSA_SHA_1, "RSA with SHA-1"),
    (RSA_PSS, "RSASSA-PSS"),
    (ECDSA_SHA_1, "ECDSA with SHA-1"),
    (ECDSA_SHA_512, "ECDSA with SHA-512"),
    (SHA_256, "SHA-256"),
    (SHA_384, "SHA-384"),
    (SHA_512, "SHA-512"),
];

/// The signatures that certificates of a chain may have.
pub(super) const CHAIN: &[&dyn SignatureVerificationAlgorithm] = &[
    ring::RSA_PKCS1_2048_8192_SHA256,
    ring::RSA_PKCS1_2048_8192_SHA384,
    ring::RSA_PKCS1_2048_8192_SHA512,
    ring::ECDSA_P256_SHA256,
    ring::ECDSA_P256_SHA384,
    ring::ECDSA_P384_SHA256,
    ring::ECDSA_P384_SHA384,
    ring::ED25519,
];

/// A digest that is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Digest {
    Sha256,
    Sha384,
    Sha512,
}

impl Digest {
    /// The digest an identifier names, when it is accepted.
    pub(super) fn of(id: &[u8]) -> Option<Self> {
        [
            (SHA_256, Self::Sha256),
            (SHA_384, Self::Sha384),
            (SHA_512, Self::Sha512),
        ]
        .into_iter()
        .find_map(|(known, digest)| (known.as_bytes() == id).then_some(digest))
    }

    pub(super) fn hash(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    /// The ways to check a signature over this digest by the algorithm an identifier names; more
    /// than one where the key decides. Empty when it is not accepted.
    pub(super) fn signatures(self, id: &[u8]) -> Vec<&'static dyn SignatureVerificationAlgorithm> {
        let is = |known: ObjectIdentifier| known.as_bytes() == id;
        match self {
            Self::Sha256 if is(RSA) || is(RSA_SHA_256) => vec![ring::RSA_PKCS1_2048_8192_SHA256],
            Self::Sha384 if is(RSA) || is(RSA_SHA_384) => vec![ring::RSA_PKCS1_2048_8192_SHA384],
            Self::Sha512 if is(RSA) || is(RSA_SHA_512) => vec![ring::RSA_PKCS1_2048_8192_SHA512],
            Self::Sha512 if is(ED25519) => vec![ring::ED25519],
            Self::Sha256 if is(ECDSA_SHA_256) => {
                vec![ring::ECDSA_P256_SHA256, ring::ECDSA_P384_SHA256]
            }
            Self::Sha384 if is(ECDSA_SHA_384) => {
                vec![ring::ECDSA_P256_SHA384, ring::ECDSA_P384_SHA384]
            }
            _ => Vec::new(),
        }
    }
}

/// What an algorithm is called, for messages.
pub(super) fn name(id: &[u8]) -> String {
    NAMES
        .iter()
        .find(|(known, _)| known.as_bytes() == id)
        .map_or_else(|| dotted(id), |(_, name)| (*name).to_owned())
}
