//! Checking a timestamp without asking anyone: RFC 3161, section 2.4.2; RFC 5652, sections 5.4
//! to 5.6; RFC 5035 with RFC 5816 for the certificate; RFC 5280 for its chain.

use std::time::Duration;

use jiff::Timestamp;
use pki_types::{CertificateDer, UnixTime};
use webpki::{EndEntityCert, KeyUsage};

use super::algorithm::{self, CHAIN, Digest};
use super::anchors::Anchors;
use super::asn1::{Malformed, dotted, hex};
use super::certificate::{Certificate, TIME_STAMPING};
use super::name::printable;
use super::request::integer;
use super::signed::{Identity, SignedData, Signer, SignerId, TST_INFO};
use super::statement::Statement;
use super::token::Token;

/// `TIME_STAMPING` in the form webpki asks for.
static PURPOSE: der::oid::ObjectIdentifier = TIME_STAMPING;

/// What a token that holds says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamped {
    /// The bytes existed not later than this, by the authority's clock.
    pub time: Timestamp,
    /// How far off the authority says the time may be, either way. `None` when it does not say.
    pub accuracy: Option<Duration>,
    /// Identifier of the rules it was made by, in dotted numbers.
    pub policy: String,
    /// The authority's number for it, in hexadecimal.
    pub serial: String,
    /// Who signed, `CN=…, O=…`: the subject of the certificate, made fit to print.
    pub authority: String,
}

/// Why a token proves nothing about some bytes. Listed in the order the causes are checked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// Not the DER of RFC 3161, RFC 5652 and RFC 5035.
    #[error("the timestamp cannot be read")]
    Malformed(#[from] Malformed),
    /// What is signed is something else.
    #[error("what is signed is no timestamp but `{content_type}`")]
    ContentType {
        /// Its identifier, in dotted numbers.
        content_type: String,
    },
    /// None or several signed it.
    #[error("the timestamp has {found} signers, not one")]
    Signers {
        /// How many.
        found: usize,
    },
    /// An extension of the statement that may not be ignored and is not known here.
    #[error("the timestamp has the extension `{id}`, which may not be ignored and is not known")]
    Extension {
        /// Its identifier, in dotted numbers.
        id: String,
    },
    /// The statement is about a digest other than SHA-256, which was asked for.
    #[error("the timestamp is about the {digest} of something; ask for SHA-256")]
    OtherDigest {
        /// The digest.
        digest: String,
    },
    /// The statement is about other bytes.
    #[error("the timestamp is about other bytes than these")]
    OtherBytes,
    /// The nonce is not the one asked with.
    #[error("the timestamp answers another question (its nonce differs)")]
    OtherNonce,
    /// The signer uses a digest that is not accepted.
    #[error("the timestamp is signed over {digest}; SHA-256, SHA-384 or SHA-512 is needed")]
    Digest {
        /// The digest, such as `SHA-1`.
        digest: String,
    },
    /// The signed attributes are absent or belong to another statement.
    #[error("the signature is for another statement than the one beside it")]
    OtherStatement,
    /// The certificate of the signer did not come along.
    #[error("the timestamp does not bring its signer's certificate; ask with `certReq`")]
    NoCertificate,
    /// No attribute names the certificate.
    #[error("the signature does not say which certificate it was made with")]
    Unnamed,
    /// The certificate is named by a digest that is not accepted.
    #[error(
        "the authority names its certificate by {digest}; SHA-256, SHA-384 or SHA-512 is needed \
         (`ess_cert_id_alg` of `openssl ts`)"
    )]
    NamedBy {
        /// The digest, such as `SHA-1`.
        digest: String,
    },
    /// The certificate named is another.
    #[error("the signature names another certificate than the one that came along")]
    OtherCertificate,
    /// The certificate is not for timestamping, or not for that alone.
    #[error("the certificate of `{authority}` is not for timestamping alone")]
    Purpose {
        /// Whose.
        authority: String,
    },
    /// The signature algorithm is not accepted for this digest.
    #[error(
        "signatures by `{algorithm}` are not accepted; RSA (PKCS #1 v1.5) with SHA-256 to SHA-512, \
         ECDSA with SHA-256 or SHA-384, or Ed25519 with SHA-512 is needed"
    )]
    Algorithm {
        /// The algorithm.
        algorithm: String,
    },
    /// The signature does not hold.
    #[error("the signature of `{authority}` does not hold")]
    Forged {
        /// Whose it should be.
        authority: String,
    },
    /// The certificate or one above it was not valid at the time of the statement.
    #[error("the certificate of `{authority}` or one above it was not valid at {time}")]
    NotValidThen {
        /// Whose.
        authority: String,
        /// The time of the statement.
        time: Timestamp,
    },
    /// No chain of certificates leads to one that is trusted.
    #[error("no chain leads from the certificate of `{authority}` to a trusted one: {reason}")]
    Untrusted {
        /// Whose.
        authority: String,
        /// What the nearest chain lacks.
        reason: webpki::Error,
    },
}

impl Token {
    /// What the token says about bytes, when all of it holds: the statement is about these bytes,
    /// answers the question asked with `nonce` (when told), and is signed, with a certificate for
    /// timestamping alone that was valid at the time stated and leads to one of the anchors.
    ///
    /// Whether a certificate was revoked is not asked: that needs the network or lists that the
    /// token does not bring.
    ///
    /// # Errors
    /// [`TimestampError`].
    pub fn verify(
        &self,
        bytes: &[u8],
        nonce: Option<u64>,
        anchors: &Anchors,
    ) -> Result<Stamped, TimestampError> {
        let envelope = self.envelope()?;
        if envelope.content_type != TST_INFO.as_bytes() {
            let content_type = dotted(envelope.content_type);
            return Err(TimestampError::ContentType { content_type });
        }
        let [signer] = envelope.signers.as_slice() else {
            let found = envelope.signers.len();
            return Err(TimestampError::Signers { found });
        };
        let signer = Signer::parse(signer)?;
        let statement = Statement::parse(envelope.content)?;
        is_about(&statement, bytes, nonce)?;
        covers(&signer, &envelope)?;
        let certificate = certificate(&signer, &envelope)?;
        let authority = printable(certificate.subject)?;
        trusted(&certificate, &signer, &envelope, statement.time, anchors)?;
        Ok(Stamped {
            time: statement.time,
            accuracy: statement.accuracy,
            policy: dotted(statement.policy),
            serial: hex(statement.serial),
            authority,
        })
    }
}

/// The statement is about these bytes and answers this question.
fn is_about(
    statement: &Statement<'_>,
    bytes: &[u8],
    nonce: Option<u64>,
) -> Result<(), TimestampError> {
    if let Some(id) = statement.critical {
        return Err(TimestampError::Extension { id: dotted(id) });
    }
    if Digest::of(statement.imprint_digest) != Some(Digest::Sha256) {
        let digest = algorithm::name(statement.imprint_digest);
        return Err(TimestampError::OtherDigest { digest });
    }
    if Digest::Sha256.hash(bytes) != statement.imprint {
        return Err(TimestampError::OtherBytes);
    }
    match nonce {
        Some(asked) if statement.nonce != Some(&integer(asked)) => Err(TimestampError::OtherNonce),
        _ => Ok(()),
    }
}

/// The signed attributes are those of the content (RFC 5652, sections 5.4 and 11).
fn covers(signer: &Signer<'_>, envelope: &SignedData<'_>) -> Result<(), TimestampError> {
    let digest = digest_of(signer)?;
    let attributes = &signer.attributes;
    let hash = digest.hash(envelope.content);
    if attributes.content_type == Some(TST_INFO.as_bytes())
        && attributes.message_digest == Some(&hash)
    {
        Ok(())
    } else {
        Err(TimestampError::OtherStatement)
    }
}

fn digest_of(signer: &Signer<'_>) -> Result<Digest, TimestampError> {
    Digest::of(signer.digest).ok_or_else(|| TimestampError::Digest {
        digest: algorithm::name(signer.digest),
    })
}

/// The signer's certificate among those that came along: named by the signer info and, by its
/// hash, by the signed attributes (RFC 5035, section 5.4; RFC 5816, section 2.2.2).
fn certificate<'a>(
    signer: &Signer<'a>,
    envelope: &SignedData<'a>,
) -> Result<Certificate<'a>, TimestampError> {
    let mut named = envelope
        .certificates
        .iter()
        .filter_map(|der| Certificate::parse(der).ok()) // others need not be readable
        .filter(|certificate| match signer.id {
            SignerId::Issued { issuer, serial } => {
                certificate.issuer == issuer && certificate.serial == serial
            }
            SignerId::Key(id) => certificate.key_id == Some(id),
        })
        .peekable();
    if named.peek().is_none() {
        return Err(TimestampError::NoCertificate);
    }
    let identity = match signer.attributes.identity {
        Some(identity) => identity,
        None if signer.attributes.identity_v1 => {
            let digest = "SHA-1".to_owned(); // ESSCertID knows no other
            return Err(TimestampError::NamedBy { digest });
        }
        None => return Err(TimestampError::Unnamed),
    };
    let digest = Digest::of(identity.digest).ok_or_else(|| TimestampError::NamedBy {
        digest: algorithm::name(identity.digest),
    })?;
    named
        .find(|certificate| names(&identity, digest, certificate))
        .ok_or(TimestampError::OtherCertificate)
}

fn names(identity: &Identity<'_>, digest: Digest, certificate: &Certificate<'_>) -> bool {
    let issued = identity.issued.is_none_or(|(issuer, serial)| {
        serial == certificate.serial && issuer.is_none_or(|name| name == certificate.issuer)
    });
    issued && digest.hash(certificate.der) == identity.hash
}

/// The certificate is for this, the signature is by its key, and it was trusted at that time.
fn trusted(
    certificate: &Certificate<'_>,
    signer: &Signer<'_>,
    envelope: &SignedData<'_>,
    time: Timestamp,
    anchors: &Anchors,
) -> Result<(), TimestampError> {
    let authority = printable(certificate.subject)?;
    if !certificate.is_for_timestamping_alone() {
        return Err(TimestampError::Purpose { authority });
    }
    let algorithms = digest_of(signer)?.signatures(signer.algorithm);
    if algorithms.is_empty() {
        let algorithm = algorithm::name(signer.algorithm);
        return Err(TimestampError::Algorithm { algorithm });
    }
    let der = CertificateDer::from(certificate.der);
    let end_entity = match EndEntityCert::try_from(&der) {
        Ok(end_entity) => end_entity,
        Err(reason) => return Err(TimestampError::Untrusted { authority, reason }),
    };
    let holds = algorithms.iter().any(|algorithm| {
        end_entity
            .verify_signature(*algorithm, &signer.message, signer.signature)
            .is_ok()
    });
    if !holds {
        return Err(TimestampError::Forged { authority });
    }
    let Ok(moment) = Duration::try_from(time.duration_since(Timestamp::UNIX_EPOCH)) else {
        return Err(TimestampError::NotValidThen { authority, time });
    };
    if anchors.contains(certificate.der) {
        // trusted itself: there is no chain to build, only its own validity to heed
        return if certificate.is_valid_at(moment)? {
            Ok(())
        } else {
            Err(TimestampError::NotValidThen { authority, time })
        };
    }
    chain(&end_entity, &envelope.certificates, moment, anchors).map_err(|reason| match reason {
        webpki::Error::CertExpired { .. } | webpki::Error::CertNotValidYet { .. } => {
            TimestampError::NotValidThen { authority, time }
        }
        reason => TimestampError::Untrusted { authority, reason },
    })
}

/// A chain leads to an anchor at a moment. Certificates in between may leave their purposes open;
/// that the signer's own is for timestamping was checked.
fn chain(
    end_entity: &EndEntityCert<'_>,
    certificates: &[&[u8]],
    moment: Duration,
    anchors: &Anchors,
) -> Result<(), webpki::Error> {
    let between: Vec<CertificateDer<'_>> = certificates
        .iter()
        .map(|der| CertificateDer::from(*der))
        .collect();
    end_entity.verify_for_usage(
        CHAIN,
        &anchors.trusted(),
        &between,
        UnixTime::since_unix_epoch(moment),
        KeyUsage::required_if_present(PURPOSE.as_bytes()),
        None,
        None,
    )?;
    Ok(())
}
