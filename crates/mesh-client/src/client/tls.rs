use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, RootCertStore};

/// The client certificate with its chain and private key.
///
/// `Debug` shows the name in the certificate and its last day.
#[derive(Clone)]
pub struct TlsIdentity {
    key: Arc<CertifiedKey>,
    not_after: DateTime<Utc>,
    common_name: Option<String>,
}

/// The certificates that the service's own must lead to.
#[derive(Clone)]
pub struct TrustAnchors {
    roots: Arc<RootCertStore>,
}

/// Why certificates or a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// There is no certificate in the text.
    #[error("no certificate found: expected PEM text with BEGIN CERTIFICATE")]
    NoCertificate,
    /// There is no private key in the text.
    #[error(
        "no private key found: expected PEM text with BEGIN PRIVATE KEY, BEGIN RSA PRIVATE KEY \
         or BEGIN EC PRIVATE KEY"
    )]
    NoKey,
    /// The key is protected by a password.
    #[error(
        "the private key is encrypted: store it without a password, readable by the service account only"
    )]
    EncryptedKey,
    /// The key belongs to another certificate.
    #[error(
        "the private key does not fit the certificate: give the key that the certificate was requested with"
    )]
    KeyMismatch,
    /// It has the right label and cannot be read.
    #[error("the {what} cannot be read: {reason}")]
    Unreadable {
        /// `certificate` or `private key`.
        what: &'static str,
        /// What the reader says.
        reason: String,
    },
}

impl TlsIdentity {
    /// Reads a certificate chain, the client's own first, and its key in PKCS#8, PKCS#1 or SEC1
    /// form, both as PEM. The two may stand in one text, given twice.
    ///
    /// An expired certificate is read too; see [`not_after`](Self::not_after).
    ///
    /// # Errors
    ///
    /// [`TlsError`], by what has to be put right.
    pub fn from_pem(certificate_chain: &[u8], key: &[u8]) -> Result<Self, TlsError> {
        let chain = certificates(certificate_chain)?;
        let leaf = chain.first().ok_or(TlsError::NoCertificate)?;
        let (not_after, common_name) = read_leaf(leaf)?;
        let key = CertifiedKey::from_der(chain, private_key(key)?, &ring::default_provider())
            .map_err(key_error)?;
        Ok(Self {
            key: Arc::new(key),
            not_after,
            common_name,
        })
    }

    /// The last moment at which the certificate is good.
    pub fn not_after(&self) -> DateTime<Utc> {
        self.not_after
    }

    /// The common name of the certificate, by the service's rule
    /// `<local id>.<ods code>.api.mesh-client.nhs.uk`.
    pub fn common_name(&self) -> Option<&str> {
        self.common_name.as_deref()
    }
}

impl TrustAnchors {
    /// Reads one or more certificates in PEM form.
    ///
    /// # Errors
    ///
    /// [`TlsError::NoCertificate`] and [`TlsError::Unreadable`].
    pub fn from_pem(certificates_pem: &[u8]) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        for certificate in certificates(certificates_pem)? {
            roots
                .add(certificate)
                .map_err(|error| unreadable("certificate", &error))?;
        }
        Ok(Self {
            roots: Arc::new(roots),
        })
    }
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsIdentity")
            .field("common_name", &self.common_name)
            .field("not_after", &self.not_after)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for TrustAnchors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrustAnchors")
            .field("certificates", &self.roots.len())
            .finish()
    }
}

/// TLS 1.2 or 1.3 with these roots only; verification cannot be switched off.
pub(super) fn config(
    trust: &TrustAnchors,
    identity: Option<&TlsIdentity>,
) -> Result<ClientConfig, rustls::Error> {
    let provider: Arc<CryptoProvider> = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])?
        .with_root_certificates(Arc::clone(&trust.roots));
    Ok(match identity {
        Some(identity) => builder
            .with_client_cert_resolver(Arc::new(SingleCertAndKey::from(Arc::clone(&identity.key)))),
        None => builder.with_no_client_auth(),
    })
}

fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match found {
        Ok(found) if found.is_empty() => Err(TlsError::NoCertificate),
        Ok(found) => Ok(found),
        Err(error) => Err(unreadable("certificate", &error)),
    }
}

fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
        pem::Error::NoItemsFound if is_encrypted(text) => TlsError::EncryptedKey,
        pem::Error::NoItemsFound => TlsError::NoKey,
        // The error may quote the line it stumbled over, and that is a line of the key.
        _ if is_encrypted(text) => TlsError::EncryptedKey,
        _ => unreadable("private key", &"it is not well-formed PEM text"),
    })
}

fn is_encrypted(text: &[u8]) -> bool {
    let text = String::from_utf8_lossy(text);
    text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("Proc-Type: 4,ENCRYPTED")
}

fn key_error(error: rustls::Error) -> TlsError {
    match error {
        rustls::Error::InconsistentKeys(_) => TlsError::KeyMismatch,
        other => unreadable("private key", &other),
    }
}

fn unreadable(what: &'static str, error: &dyn fmt::Display) -> TlsError {
    TlsError::Unreadable {
        what,
        reason: error.to_string(),
    }
}

fn read_leaf(leaf: &CertificateDer<'_>) -> Result<(DateTime<Utc>, Option<String>), TlsError> {
    let (_, certificate) = x509_parser::parse_x509_certificate(leaf)
        .map_err(|error| unreadable("certificate", &error))?;
    let seconds = certificate.validity().not_after.timestamp();
    let not_after = DateTime::from_timestamp(seconds, 0)
        .ok_or_else(|| unreadable("certificate", &"its last day is no date"))?;
    let name = certificate.subject().iter_common_name().next();
    let common_name = name.and_then(|name| name.as_str().ok()).map(str::to_owned);
    Ok((not_after, common_name))
}

#[cfg(test)]
mod tests;
