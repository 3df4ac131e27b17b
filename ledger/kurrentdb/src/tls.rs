//! How the connection is encrypted, and whom it trusts.

use std::path::Path;
use std::sync::Arc;

use pki_types::pem::PemObject as _;
use pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::address::Options;
use crate::error::{KurrentError, Why};

/// Largest file of certificates, keys or secrets.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Reads a file that an option names.
pub(crate) fn read_file(option: &'static str, path: &Path) -> Result<Vec<u8>, KurrentError> {
    use std::io::Read as _;
    let failed = |reason: String| KurrentError::File {
        option,
        path: path.to_owned(),
        reason,
    };
    let mut bytes = Vec::new();
    let read = std::fs::File::open(path)
        .and_then(|file| file.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes));
    match read {
        Err(error) => Err(failed(error.to_string())),
        Ok(_) if u64::try_from(bytes.len()).is_ok_and(|length| length > FILE_BYTES_MAX) => {
            Err(failed(format!("it is larger than {FILE_BYTES_MAX} bytes")))
        }
        Ok(_) => Ok(bytes),
    }
}

/// Reads certificates from a PEM file.
fn certificates(
    option: &'static str,
    path: &Path,
) -> Result<Vec<CertificateDer<'static>>, KurrentError> {
    let bytes = read_file(option, path)?;
    let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&bytes).collect();
    let reason = match all {
        Ok(all) if all.is_empty() => "there is no PEM certificate in it".to_owned(),
        Ok(all) => return Ok(all),
        Err(error) => error.to_string(),
    };
    Err(KurrentError::File {
        option,
        path: path.to_owned(),
        reason,
    })
}

/// Settings of TLS that take any certificate, to see whether a server speaks it.
pub(crate) fn unchecked() -> Result<Arc<ClientConfig>, rustls::Error> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(TrustAll(provider)))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Settings of TLS; `None` when the address asks for none.
pub(crate) fn config(options: &Options) -> Result<Option<Arc<ClientConfig>>, KurrentError> {
    if !options.tls {
        return Ok(None);
    }
    let setup = |error: rustls::Error| KurrentError::Setup {
        reason: error.to_string(),
    };
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(setup)?;
    let builder = if options.verify {
        builder.with_root_certificates(roots(options)?)
    } else {
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(TrustAll(provider)))
    };
    let mut config = match (&options.cert_file, &options.key_file) {
        (Some(cert_file), Some(key_file)) => {
            let chain = certificates("userCertFile", cert_file)?;
            let unfit = |reason: String| KurrentError::File {
                option: "userKeyFile",
                path: key_file.clone(),
                reason,
            };
            let key = PrivateKeyDer::from_pem_slice(&read_file("userKeyFile", key_file)?)
                .map_err(|error| unfit(error.to_string()))?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|error| unfit(error.to_string()))?
        }
        _ => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Some(Arc::new(config)))
}

fn roots(options: &Options) -> Result<RootCertStore, KurrentError> {
    let mut roots = RootCertStore::empty();
    if let Some(path) = &options.ca_file {
        for certificate in certificates("tlsCaFile", path)? {
            roots.add(certificate).map_err(|error| KurrentError::File {
                option: "tlsCaFile",
                path: path.clone(),
                reason: error.to_string(),
            })?;
        }
    } else {
        let found = rustls_native_certs::load_native_certs();
        let (_added, _unfit) = roots.add_parsable_certificates(found.certs);
    }
    Ok(roots)
}

/// What went wrong in a handshake.
pub(crate) fn why(error: &std::io::Error) -> Why {
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(reason)) => Why::Untrusted {
            reason: said(reason),
        },
        Some(rustls::Error::InvalidMessage(_)) => Why::NoTls,
        Some(other) => Why::Tls {
            reason: other.to_string(),
        },
        None => match error.kind() {
            std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::ConnectionReset => Why::NoTls,
            _ => Why::Lost {
                reason: error.to_string(),
            },
        },
    }
}

/// The reason, in plain words where it is a common one.
fn said(reason: &rustls::CertificateError) -> String {
    use rustls::CertificateError as C;
    match reason {
        C::UnknownIssuer => "its issuer is not known".to_owned(),
        C::Expired | C::ExpiredContext { .. } => "it has expired".to_owned(),
        C::NotValidYet | C::NotValidYetContext { .. } => "it is not valid yet".to_owned(),
        C::NotValidForName | C::NotValidForNameContext { .. } => {
            "it was made for another host name".to_owned()
        }
        other => other.to_string(),
    }
}

/// Takes any certificate, as `tlsVerifyCert=false` asks; signatures still must be right.
#[derive(Debug)]
struct TrustAll(Arc<CryptoProvider>);

impl ServerCertVerifier for TrustAll {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(
            message,
            cert,
            dss,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
