//! What an authority is asked: `TimeStampReq` (RFC 3161, section 2.4.1).

use sha2::{Digest as _, Sha256};

use super::asn1::short;

/// `AlgorithmIdentifier` of SHA-256 with NULL parameters (RFC 5754, section 2).
const SHA_256: &[u8] = &[
    0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00,
];

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const BOOLEAN: u8 = 0x01;
const OCTET_STRING: u8 = 0x04;

/// A question for the time of some bytes. Only their SHA-256 leaves the house.
///
/// ```
/// use evidence::timestamp::Request;
///
/// let mut entropy = |bytes: &mut [u8]| bytes.fill(7); // a program passes the system's randomness
/// let request = Request::new(b"a checkpoint\n", &mut entropy);
/// assert_eq!(request.nonce(), 0x0707_0707_0707_0707);
/// assert_eq!(request.der().first(), Some(&0x30)); // a DER SEQUENCE
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    der: Vec<u8>,
    nonce: u64,
}

impl Request {
    /// Asks for the time of bytes: version 1, SHA-256, a nonce of 64 bits from `entropy`, and the
    /// authority's certificate in the answer (`certReq`), so that it can be checked without it.
    pub fn new(bytes: &[u8], entropy: &mut dyn FnMut(&mut [u8])) -> Self {
        let mut random = [0; 8];
        entropy(&mut random);
        let imprint = short(
            SEQUENCE,
            &[SHA_256, &short(OCTET_STRING, &[&Sha256::digest(bytes)])],
        );
        let nonce = u64::from_be_bytes(random);
        let der = short(
            SEQUENCE,
            &[
                &short(INTEGER, &[&[1]]),
                &imprint,
                &short(INTEGER, &[&integer(nonce)]),
                &short(BOOLEAN, &[&[0xff]]),
            ],
        );
        Self { der, nonce }
    }

    /// The bytes to send, as `application/timestamp-query`.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// The number that the answer must repeat.
    pub fn nonce(&self) -> u64 {
        self.nonce
    }
}

/// The fewest bytes of an INTEGER that say a number (X.690, section 8.3).
pub(super) fn integer(number: u64) -> Vec<u8> {
    let bytes = number.to_be_bytes();
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count().min(7);
    let tail = bytes.get(zeros..).unwrap_or(&bytes);
    if tail.first().is_some_and(|first| *first >= 0x80) {
        [&[0], tail].concat()
    } else {
        tail.to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_in_the_fewest_bytes() {
        assert_eq!(integer(0), [0]);
        assert_eq!(integer(0x7f), [0x7f]);
        assert_eq!(integer(0x80), [0, 0x80]);
        assert_eq!(integer(0x0100), [1, 0]);
        assert_eq!(integer(u64::MAX).len(), 9);
    }

    #[test]
    fn the_length_inside_is_the_length_of_the_request() {
        for seed in [0, 1, 0x80, 0xff] {
            let request = Request::new(b"", &mut |bytes| bytes.fill(seed));
            let length = usize::from(request.der()[1]);
            assert_eq!(length, request.der().len() - 2);
            assert!(length < 0x80);
        }
    }
}
