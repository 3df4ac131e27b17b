//! A certificate authority for a test, and a server's certificate by it.

use std::io;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

/// A certificate authority, and what a server shows.
#[derive(Clone)]
pub struct Tls {
    authority: String,
    user: Option<UserCertificate>,
    acceptor: TlsAcceptor,
}

/// The certificate of a user and its key, in PEM.
#[derive(Clone)]
pub struct UserCertificate {
    /// The certificate.
    pub certificate: String,
    /// Its key.
    pub key: String,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

impl Tls {
    /// Makes both; the certificate is for `localhost` and the loopback addresses.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn new() -> io::Result<Self> {
        Self::make(false).map_err(io::Error::other)
    }

    /// The same, of a server that wants to see a user's certificate.
    ///
    /// # Errors
    /// When the operating system gives no randomness.
    pub fn with_user() -> io::Result<Self> {
        Self::make(true).map_err(io::Error::other)
    }

    /// The certificate of the user, when the server wants to see one.
    pub fn user(&self) -> Option<&UserCertificate> {
        self.user.as_ref()
    }

    /// The authority's certificate in PEM, for clients to trust.
    pub fn authority(&self) -> &str {
        &self.authority
    }

    pub(crate) const fn acceptor(&self) -> &TlsAcceptor {
        &self.acceptor
    }

    fn make(for_user: bool) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let authority_key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        // one name for both would make the server's certificate pass for a self-signed one
        params
            .distinguished_name
            .push(DnType::CommonName, "kurrentdb-fake authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let authority = params.self_signed(&authority_key)?;
        let issuer = Issuer::new(params, authority_key);
        let key = KeyPair::generate()?;
        let names = ["localhost", "127.0.0.1", "::1"].map(ToOwned::to_owned);
        let mut params = CertificateParams::new(names)?;
        params
            .distinguished_name
            .push(DnType::CommonName, "localhost");
        let certificate = params.signed_by(&key, &issuer)?;
        let user = if for_user {
            Some(user_certificate(&issuer)?)
        } else {
            None
        };
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()?;
        let builder = if for_user {
            let mut roots = RootCertStore::empty();
            roots.add(authority.der().clone())?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build()?)
        } else {
            builder.with_no_client_auth()
        };
        let mut config = builder.with_single_cert(
            vec![certificate.der().clone()],
            pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        Ok(Self {
            authority: authority.pem(),
            user,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        })
    }
}

fn user_certificate(issuer: &Issuer<'_, KeyPair>) -> Result<UserCertificate, rcgen::Error> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::new())?;
    params
        .distinguished_name
        .push(DnType::CommonName, "daybook");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    Ok(UserCertificate {
        certificate: params.signed_by(&key, issuer)?.pem(),
        key: key.serialize_pem(),
    })
}
