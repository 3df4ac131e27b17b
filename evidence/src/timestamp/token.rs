//! What an authority answers: `TimeStampResp` (RFC 3161, section 2.4.2), kept byte for byte.

use der::Tag;

use super::asn1::{Items, Malformed};
use super::name::clean;
use super::signed::SignedData;

/// Longest answer that is read, in bytes. Those of public authorities have 3 to 7 KiB.
pub const TOKEN_BYTES_MAX: usize = 256 * 1024;

/// Certificates that are read at most from one token; a chain has 2 to 4.
pub(super) const CERTIFICATES_MAX: usize = 16;

/// Lines of explanation that are read at most.
const LINES_MAX: usize = 16;

const STATUS: &str = "status (PKIStatusInfo)";

/// The reasons for a refusal, by bit (RFC 3161, section 2.4.2, `PKIFailureInfo`).
const FAILURES: [(usize, &str); 8] = [
    (0, "the digest is not accepted"),
    (2, "the request is not permitted"),
    (5, "the request is malformed"),
    (14, "its clock is not available"),
    (15, "the policy is not accepted"),
    (16, "an extension is not accepted"),
    (17, "the information asked for is not available"),
    (25, "it failed"),
];

/// The answer of an authority that granted a timestamp. What it says is not checked yet:
/// [`Token::verify`] does.
///
/// ```
/// use evidence::timestamp::{Anchors, Token};
///
/// // a stored answer (`.tsr`), the stamped bytes and the trusted certificates
/// fn time(tsr: Vec<u8>, bytes: &[u8], pem: &str) -> Result<String, Box<dyn std::error::Error>> {
///     let stamped = Token::parse(tsr)?.verify(bytes, None, &Anchors::from_pem(pem)?)?;
///     Ok(format!("not later than {} by {}", stamped.time, stamped.authority))
/// }
/// assert!(time(vec![0x30, 0], b"a checkpoint\n", "").is_err());
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// INVARIANT: [`read`] accepts them.
    bytes: Vec<u8>,
}

/// Why an answer is no timestamp. Listed in the order the causes are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// Longer than any answer here.
    #[error("the answer has {bytes} bytes, more than {TOKEN_BYTES_MAX}")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// Not the DER of RFC 3161 and RFC 5652.
    #[error("the answer is no timestamp")]
    Malformed(#[from] Malformed),
    /// The authority refused.
    #[error("the authority refused with status {status}{said}")]
    Refused {
        /// 2 and above (`PKIStatus`).
        status: u64,
        /// Why, in the words of RFC 3161 and of the authority, made fit to print; each behind
        /// `: `.
        said: String,
    },
}

impl Token {
    /// Reads an answer. Neither signature nor statement are checked.
    ///
    /// # Errors
    /// [`TokenError`].
    pub fn parse(bytes: impl Into<Vec<u8>>) -> Result<Self, TokenError> {
        let bytes = bytes.into();
        if bytes.len() > TOKEN_BYTES_MAX {
            return Err(TokenError::TooLong { bytes: bytes.len() });
        }
        read(&bytes)?;
        Ok(Self { bytes })
    }

    /// The answer as it came: what a `.tsr` file holds.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The envelope inside.
    pub(super) fn envelope(&self) -> Result<SignedData<'_>, Malformed> {
        match read(&self.bytes) {
            Ok(signed) => Ok(signed),
            Err(TokenError::Malformed(malformed)) => Err(malformed),
            // not met: these bytes were accepted
            Err(_) => Err(Malformed { part: STATUS }),
        }
    }
}

/// Reads status and envelope.
fn read(bytes: &[u8]) -> Result<SignedData<'_>, TokenError> {
    let mut items = Items::within(bytes, Tag::Sequence, "answer (TimeStampResp)")?;
    let mut status = items.sequence(STATUS)?;
    let number = status.small()?;
    let said = said(&mut status)?;
    // granted, grantedWithMods: "the two forms of success" (section 2.4.2)
    if number > 1 {
        return Err(TokenError::Refused {
            status: number,
            said,
        });
    }
    let token = items.any()?;
    items.finish()?;
    Ok(SignedData::parse(token.whole)?)
}

/// The explanation of a status: free text and reasons.
fn said(status: &mut Items<'_>) -> Result<String, Malformed> {
    let mut reasons = Vec::new();
    let text = status.optional(Tag::Sequence)?;
    let failures = status.optional(Tag::BitString)?;
    status.finish()?;
    if let Some(failures) = failures {
        // unused bits of the last byte, then the bits from the first
        let bits = failures.body.get(1..).unwrap_or_default();
        let is_set = |bit: usize| {
            let byte = bits.get(bit >> 3).copied().unwrap_or(0);
            byte & (0x80 >> (bit & 7)) != 0
        };
        let known = FAILURES.iter().filter(|(bit, _)| is_set(*bit));
        reasons.extend(known.map(|(_, reason)| (*reason).to_owned()));
    }
    if let Some(text) = text {
        let mut lines = Items::new(text.body, STATUS);
        while !lines.is_empty() && reasons.len() < LINES_MAX {
            let line = lines.take(Tag::Utf8String)?;
            reasons.push(clean(&String::from_utf8_lossy(line)));
        }
    }
    Ok(reasons
        .iter()
        .flat_map(|reason| [": ", reason.as_str()])
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_tells_why() {
        // status 2, "no\e", failInfo bits 0 and 25
        let whole = [
            0x30, 0x13, 0x30, 0x11, 2, 1, 2, 0x30, 5, 0x0c, 3, b'n', b'o', 0x1b, 3, 5, 6, 0x80, 0,
            0, 0x40,
        ];
        assert_eq!(
            Token::parse(whole).unwrap_err().to_string(),
            "the authority refused with status 2: the digest is not accepted: it failed: no\u{fffd}"
        );
    }

    #[test]
    fn what_is_too_long_is_not_read() {
        let error = Token::parse(vec![0x30; TOKEN_BYTES_MAX + 1]).unwrap_err();
        assert_eq!(
            error,
            TokenError::TooLong {
                bytes: TOKEN_BYTES_MAX + 1
            }
        );
    }
}
