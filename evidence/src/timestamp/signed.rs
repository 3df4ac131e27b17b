//! The signed envelope of a statement: `SignedData` (RFC 5652, section 5) as RFC 3161,
//! section 2.4.2, narrows it: one signer, attributes signed.

use der::Tag;
use der::oid::ObjectIdentifier;

use super::asn1::{Items, Malformed, Value, constructed, primitive};
use super::token::CERTIFICATES_MAX;

const PART: &str = "signed data";
const SIGNER: &str = "signer info";
const ATTRIBUTES: &str = "signed attributes";
const IDENTITY: &str = "signing certificate attribute";

const SIGNED_DATA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.7.2");
const CONTENT_TYPE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.4");
const SIGNING_CERTIFICATE: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.12");
const SIGNING_CERTIFICATE_V2: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.2.47");

/// `id-ct-TSTInfo` (RFC 3161, section 2.4.2).
pub(super) const TST_INFO: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");

/// The identifier of SHA-256, which `ESSCertIDv2` leaves out (RFC 5035, section 4).
const SHA_256: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.2.1");

/// `SET OF`: the tag that signed attributes are hashed with (RFC 5652, section 5.4).
const SET: u8 = 0x31;

/// The envelope, read but not checked.
#[derive(Debug, Clone)]
pub(super) struct SignedData<'a> {
    /// Bytes of the identifier of what is inside.
    pub(super) content_type: &'a [u8],
    /// What is inside.
    pub(super) content: &'a [u8],
    /// The certificates that came along, each whole, with those of other kinds left out.
    pub(super) certificates: Vec<&'a [u8]>,
    /// Who signed; the caller wants exactly one.
    pub(super) signers: Vec<&'a [u8]>,
}

/// Which certificate a signer says is its own.
#[derive(Debug, Clone, Copy)]
pub(super) enum SignerId<'a> {
    /// The issuer's name, whole, and the serial number.
    Issued { issuer: &'a [u8], serial: &'a [u8] },
    /// The id of its key.
    Key(&'a [u8]),
}

/// A signer, read but not checked.
#[derive(Debug, Clone)]
pub(super) struct Signer<'a> {
    pub(super) id: SignerId<'a>,
    /// Bytes of the identifier of the digest.
    pub(super) digest: &'a [u8],
    /// Bytes of the identifier of the signature algorithm.
    pub(super) algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
    /// The bytes that are signed: the attributes with the tag of a SET OF.
    pub(super) message: Vec<u8>,
    pub(super) attributes: Attributes<'a>,
}

/// The signed attributes that matter.
#[derive(Debug, Clone, Default)]
pub(super) struct Attributes<'a> {
    pub(super) content_type: Option<&'a [u8]>,
    pub(super) message_digest: Option<&'a [u8]>,
    /// Whether the certificate is named by SHA-1 (`ESSCertID`).
    pub(super) identity_v1: bool,
    pub(super) identity: Option<Identity<'a>>,
}

/// The certificate an authority says it signs with: `ESSCertIDv2` (RFC 5035, section 4).
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity<'a> {
    /// Bytes of the identifier of the digest.
    pub(super) digest: &'a [u8],
    pub(super) hash: &'a [u8],
    /// The issuer's name, whole, when it is a directory name, and the serial number.
    pub(super) issued: Option<(Option<&'a [u8]>, &'a [u8])>,
}

impl<'a> SignedData<'a> {
    /// Reads a `ContentInfo` that holds signed data.
    pub(super) fn parse(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut outer = Items::within(der, Tag::Sequence, "content info")?;
        let kind = outer.take(Tag::ObjectIdentifier)?;
        let explicit = outer.take(constructed(0))?;
        outer.finish()?;
        if kind != SIGNED_DATA.as_bytes() {
            return Err(outer.malformed());
        }
        let mut items = Items::within(explicit, Tag::Sequence, PART)?;
        // RFC 5652, section 5.1: 3 as the content is not plain data; more with other certificates
        if !(3..=5).contains(&items.small()?) {
            return Err(items.malformed());
        }
        items.take(Tag::Set)?; // digest algorithms: the signer's counts
        let mut inside = items.sequence("encapsulated content")?;
        let content_type = inside.take(Tag::ObjectIdentifier)?;
        let mut explicit = Items::new(inside.take(constructed(0))?, "encapsulated content");
        inside.finish()?;
        let content = explicit.take(Tag::OctetString)?;
        explicit.finish()?;
        let certificates = match items.optional(constructed(0))? {
            Some(value) => certificates(value.body)?,
            None => Vec::new(),
        };
        items.optional(constructed(1))?; // revocation lists: nobody vouches that they are current
        let mut set = Items::new(items.take(Tag::Set)?, SIGNER);
        items.finish()?;
        let mut signers = Vec::new();
        while !set.is_empty() {
            signers.push(set.any()?.whole);
        }
        Ok(Self {
            content_type,
            content,
            certificates,
            signers,
        })
    }
}

fn certificates(body: &[u8]) -> Result<Vec<&[u8]>, Malformed> {
    let mut items = Items::new(body, "certificates");
    let mut found = Vec::new();
    let mut count = 0_usize;
    while !items.is_empty() {
        let value = items.any()?;
        count = count.saturating_add(1);
        if count > CERTIFICATES_MAX {
            return Err(items.malformed());
        }
        if value.tag == Tag::Sequence {
            found.push(value.whole);
        }
    }
    Ok(found)
}

impl<'a> Signer<'a> {
    pub(super) fn parse(der: &'a [u8]) -> Result<Self, Malformed> {
        let mut items = Items::within(der, Tag::Sequence, SIGNER)?;
        let version = items.small()?;
        let id = signer_id(version, items.any()?)?;
        let digest = items.algorithm("digest algorithm")?;
        let signed = items.optional(constructed(0))?.ok_or(items.malformed())?;
        let algorithm = items.algorithm("signature algorithm")?;
        let signature = items.take(Tag::OctetString)?;
        items.optional(constructed(1))?; // unsigned attributes prove nothing
        items.finish()?;
        let mut message = signed.whole.to_vec();
        if let Some(tag) = message.first_mut() {
            *tag = SET;
        }
        Ok(Self {
            id,
            digest,
            algorithm,
            signature,
            message,
            attributes: Attributes::parse(signed.body)?,
        })
    }
}

/// RFC 5652, section 5.3: version 1 names issuer and serial number, version 3 the key.
fn signer_id(version: u64, value: Value<'_>) -> Result<SignerId<'_>, Malformed> {
    if version == 3 && value.tag == primitive(0) {
        return Ok(SignerId::Key(value.body));
    }
    if version != 1 || value.tag != Tag::Sequence {
        return Err(Malformed { part: SIGNER });
    }
    let mut items = Items::new(value.body, SIGNER);
    let issuer = items.any()?.whole;
    let serial = items.integer()?;
    items.finish()?;
    Ok(SignerId::Issued { issuer, serial })
}

impl<'a> Attributes<'a> {
    /// Reads a SET OF Attribute: in the order of DER (X.690, section 11.6), none of those that
    /// matter twice or with more than one value (RFC 5652, section 11).
    fn parse(body: &'a [u8]) -> Result<Self, Malformed> {
        let mut items = Items::new(body, ATTRIBUTES);
        let mut read = Self::default();
        let mut before: &[u8] = &[];
        while !items.is_empty() {
            let value = items.any()?;
            if value.tag != Tag::Sequence || value.whole < before {
                return Err(items.malformed());
            }
            before = value.whole;
            let mut attribute = Items::new(value.body, ATTRIBUTES);
            let id = attribute.take(Tag::ObjectIdentifier)?;
            let mut values = Items::new(attribute.take(Tag::Set)?, ATTRIBUTES);
            attribute.finish()?;
            let twice = if id == CONTENT_TYPE.as_bytes() {
                let content_type = values.take(Tag::ObjectIdentifier)?;
                read.content_type.replace(content_type).is_some()
            } else if id == MESSAGE_DIGEST.as_bytes() {
                let digest = values.take(Tag::OctetString)?;
                read.message_digest.replace(digest).is_some()
            } else if id == SIGNING_CERTIFICATE_V2.as_bytes() {
                let identity = identity(values.take(Tag::Sequence)?)?;
                read.identity.replace(identity).is_some()
            } else if id == SIGNING_CERTIFICATE.as_bytes() {
                values.take(Tag::Sequence)?;
                std::mem::replace(&mut read.identity_v1, true)
            } else {
                continue;
            };
            values.finish()?;
            if twice {
                return Err(items.malformed());
            }
        }
        Ok(read)
    }
}

/// `SigningCertificateV2`: the first certificate named is the signer's (RFC 5035, section 3).
fn identity(body: &[u8]) -> Result<Identity<'_>, Malformed> {
    let mut items = Items::new(body, IDENTITY);
    let mut certificates = items.sequence(IDENTITY)?;
    items.optional(Tag::Sequence)?; // policies: never used
    items.finish()?;
    let mut first = certificates.sequence(IDENTITY)?;
    let digest = match first.optional(Tag::Sequence)? {
        Some(value) => Items::new(value.whole, IDENTITY).algorithm(IDENTITY)?,
        None => SHA_256_BYTES,
    };
    let hash = first.take(Tag::OctetString)?;
    let issued = match first.optional(Tag::Sequence)? {
        Some(value) => Some(issued(value.body)?),
        None => None,
    };
    first.finish()?;
    Ok(Identity {
        digest,
        hash,
        issued,
    })
}

const SHA_256_BYTES: &[u8] = SHA_256.as_bytes();

/// `IssuerSerial`: general names, of which the one directory name counts, and a serial number.
fn issued(body: &[u8]) -> Result<(Option<&[u8]>, &[u8]), Malformed> {
    let mut items = Items::new(body, IDENTITY);
    let mut names = items.sequence(IDENTITY)?;
    let serial = items.integer()?;
    items.finish()?;
    let directory = names.optional(constructed(4))?.map(|value| value.body);
    Ok((directory, serial))
}
