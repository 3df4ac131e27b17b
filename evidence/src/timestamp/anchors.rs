//! The certificates an auditor trusts, in PEM (RFC 7468).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use pki_types::{CertificateDer, TrustAnchor};

/// Longest PEM text that is read, in bytes: a bundle of all public authorities has a quarter.
pub const ANCHORS_BYTES_MAX: usize = 1024 * 1024;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";
const CERTIFICATE: &str = "CERTIFICATE";

/// Certificates of authorities that are trusted. A chain must end at one of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchors {
    certificates: Vec<CertificateDer<'static>>,
}

/// Why anchors are refused. Listed in the order the causes are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnchorsError {
    /// More than anyone trusts.
    #[error("the trusted certificates have {bytes} bytes, more than {ANCHORS_BYTES_MAX}")]
    TooLong {
        /// Their length.
        bytes: usize,
    },
    /// A block of something else, such as a private key.
    #[error("line {line} begins something other than a certificate; pass certificates only")]
    NotACertificate {
        /// Number of the line, from 1.
        line: usize,
    },
    /// A block is not closed, or what it holds is not base64.
    #[error("the PEM block that begins at line {line} is malformed")]
    Pem {
        /// Number of the line, from 1.
        line: usize,
    },
    /// What a block holds is no certificate that can be trusted.
    #[error("the certificate that begins at line {line} cannot be read")]
    Certificate {
        /// Number of the line, from 1.
        line: usize,
        /// Why.
        source: webpki::Error,
    },
    /// No certificate at all.
    #[error("no trusted certificate in PEM (`-----BEGIN CERTIFICATE-----`)")]
    Empty,
}

impl Anchors {
    /// Reads one or more certificates. Text around the blocks is ignored (RFC 7468, section 2).
    ///
    /// # Errors
    /// [`AnchorsError`].
    pub fn from_pem(text: &str) -> Result<Self, AnchorsError> {
        if text.len() > ANCHORS_BYTES_MAX {
            return Err(AnchorsError::TooLong { bytes: text.len() });
        }
        let mut certificates = Vec::new();
        let mut lines = text.lines().map(str::trim_end).zip(1..);
        while let Some((begin, line)) = lines.next() {
            let Some(label) = begin.strip_prefix(BEGIN) else {
                continue;
            };
            if label.strip_suffix(DASHES) != Some(CERTIFICATE) {
                return Err(AnchorsError::NotACertificate { line });
            }
            let mut base64 = String::new();
            let closed = loop {
                match lines.next() {
                    Some((end, _)) if end.starts_with(DASHES) => break end.strip_prefix(END),
                    Some((inside, _)) => base64.push_str(inside),
                    None => break None,
                }
            };
            if closed.and_then(|end| end.strip_suffix(DASHES)) != Some(CERTIFICATE) {
                return Err(AnchorsError::Pem { line });
            }
            let der = STANDARD
                .decode(base64)
                .or(Err(AnchorsError::Pem { line }))?;
            let certificate = CertificateDer::from(der);
            if let Err(source) = webpki::anchor_from_trusted_cert(&certificate) {
                return Err(AnchorsError::Certificate { line, source });
            }
            certificates.push(certificate);
        }
        if certificates.is_empty() {
            return Err(AnchorsError::Empty);
        }
        Ok(Self { certificates })
    }

    /// How webpki wants them. All can be read: they were when they came in.
    pub(super) fn trusted(&self) -> Vec<TrustAnchor<'_>> {
        self.certificates
            .iter()
            .filter_map(|certificate| webpki::anchor_from_trusted_cert(certificate).ok())
            .collect()
    }

    /// Whether a certificate itself is among them.
    pub(super) fn contains(&self, der: &[u8]) -> bool {
        self.certificates
            .iter()
            .any(|certificate| certificate.as_ref() == der)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_key_is_refused_by_its_line() {
        let text = "# the key\n-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
        assert_eq!(
            Anchors::from_pem(text),
            Err(AnchorsError::NotACertificate { line: 2 })
        );
    }

    #[test]
    fn a_block_that_is_cut_or_no_certificate_is_refused() {
        let refused = |text: &str| Anchors::from_pem(text).unwrap_err();
        assert_eq!(refused(""), AnchorsError::Empty);
        assert_eq!(refused("AAAA\n"), AnchorsError::Empty);
        let cut = "-----BEGIN CERTIFICATE-----\nAAAA\n";
        assert_eq!(refused(cut), AnchorsError::Pem { line: 1 });
        let other = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END X-----\n";
        assert_eq!(refused(other), AnchorsError::Pem { line: 1 });
        let letters = "-----BEGIN CERTIFICATE-----\n%%%%\n-----END CERTIFICATE-----\n";
        assert_eq!(refused(letters), AnchorsError::Pem { line: 1 });
        let nothing = "\n-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        assert!(matches!(
            refused(nothing),
            AnchorsError::Certificate { line: 2, .. }
        ));
        let long = " ".repeat(ANCHORS_BYTES_MAX + 1);
        assert!(matches!(refused(&long), AnchorsError::TooLong { .. }));
    }
}
