//! Who may enter: a bearer token, a client certificate, or both.

use std::fmt;
use std::sync::Arc;

use ring::hmac;
use ring::rand::SystemRandom;
use rustls::crypto::ring as provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

/// Who may enter a door, and whether what is said there is encrypted.
///
/// There is no door without a check: a token, a certificate, or both.
///
/// ```
/// use letter_gateway::Entry;
///
/// let entry = Entry::by_token(b"6f1c0b7e9a5d4c3b8f2e1d0c9b8a7f6e")?;
/// assert!(!entry.is_encrypted(), "so it serves the loopback interface only");
/// assert!(Entry::by_token(b"secret").is_err());
/// # Ok::<(), letter_gateway::EntryError>(())
/// ```
#[derive(Clone)]
pub struct Entry {
    token: Option<Arc<Token>>,
    tls: Option<Arc<ServerConfig>>,
}

/// Shortest token: what a person makes up is shorter, and can be guessed.
const TOKEN_BYTES_MIN: usize = 32;
const TOKEN_BYTES_MAX: usize = 4096;

/// Why nobody could enter so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// The token can be guessed, or cannot be sent in a header.
    #[error(
        "the token must have 32 to 4096 visible ASCII characters without spaces: make one with \
         `openssl rand -hex 32`"
    )]
    Token,
    /// There is no certificate in the text.
    #[error("no certificate found: expected PEM text with BEGIN CERTIFICATE")]
    NoCertificate,
    /// The key cannot be read.
    #[error("no private key found: expected PEM text with BEGIN PRIVATE KEY, not encrypted")]
    NoKey,
    /// Certificate and key do not fit, or are of a kind that cannot be used.
    #[error("certificate and key cannot be used: {0}")]
    Unusable(String),
}

impl Entry {
    /// Whoever sends `Authorization: Bearer` with this token may enter.
    ///
    /// # Errors
    ///
    /// [`EntryError::Token`].
    pub fn by_token(token: &[u8]) -> Result<Self, EntryError> {
        Ok(Self {
            token: Some(Arc::new(Token::new(token)?)),
            tls: None,
        })
    }

    /// Whoever has a certificate that leads to one of `client_ca` may enter: mutual TLS.
    ///
    /// Give the door an authority of its own: every certificate that it signed opens it.
    ///
    /// # Errors
    ///
    /// [`EntryError`], by what has to be put right.
    pub fn by_certificate(
        certificate: &[u8],
        key: &[u8],
        client_ca: &[u8],
    ) -> Result<Self, EntryError> {
        let tls = Some(Arc::new(server(certificate, key, Some(client_ca))?));
        Ok(Self { token: None, tls })
    }

    /// Asks for a token besides the certificate.
    ///
    /// # Errors
    ///
    /// [`EntryError::Token`].
    pub fn and_token(mut self, token: &[u8]) -> Result<Self, EntryError> {
        self.token = Some(Arc::new(Token::new(token)?));
        Ok(self)
    }

    /// Encrypts a door that a token opens.
    ///
    /// # Errors
    ///
    /// [`EntryError`], by what has to be put right.
    pub fn over_tls(mut self, certificate: &[u8], key: &[u8]) -> Result<Self, EntryError> {
        if self.tls.is_none() {
            self.tls = Some(Arc::new(server(certificate, key, None)?));
        }
        Ok(self)
    }

    /// Whether what is said there is encrypted.
    pub const fn is_encrypted(&self) -> bool {
        self.tls.is_some()
    }

    pub(super) fn acceptor(&self) -> Option<tokio_rustls::TlsAcceptor> {
        self.tls.clone().map(tokio_rustls::TlsAcceptor::from)
    }

    /// Whether this `Authorization` header is the one that is asked for.
    pub(super) fn admits(&self, authorization: Option<&[u8]>) -> bool {
        let Some(token) = &self.token else {
            // A connection without the right certificate was never accepted.
            return true;
        };
        let given = authorization.and_then(|header| {
            let (scheme, given) = header.split_at_checked(7)?;
            scheme.eq_ignore_ascii_case(b"bearer ").then_some(given)
        });
        given.is_some_and(|given| token.is(given))
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("by_token", &self.token.is_some())
            .field("encrypted", &self.is_encrypted())
            .finish_non_exhaustive()
    }
}

/// A token, kept as a keyed digest: comparing takes the same time whatever was guessed.
struct Token {
    key: hmac::Key,
    tag: hmac::Tag,
}

impl Token {
    fn new(token: &[u8]) -> Result<Self, EntryError> {
        let fits = (TOKEN_BYTES_MIN..=TOKEN_BYTES_MAX).contains(&token.len());
        if !fits || !token.iter().all(u8::is_ascii_graphic) {
            return Err(EntryError::Token);
        }
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| EntryError::Unusable("the system gives no randomness".to_owned()))?;
        let tag = hmac::sign(&key, token);
        Ok(Self { key, tag })
    }

    fn is(&self, given: &[u8]) -> bool {
        hmac::verify(&self.key, given, self.tag.as_ref()).is_ok()
    }
}

/// TLS 1.2 or 1.3 for HTTP/1.1; with an authority of clients, for its clients only.
fn server(
    certificate: &[u8],
    key: &[u8],
    client_ca: Option<&[u8]>,
) -> Result<ServerConfig, EntryError> {
    let provider = Arc::new(provider::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| unusable(&error))?;
    let builder = match client_ca {
        None => builder.with_no_client_auth(),
        Some(ca) => {
            let mut roots = RootCertStore::empty();
            for root in certificates(ca)? {
                roots.add(root).map_err(|error| unusable(&error))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|error| unusable(&error))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    // The error may quote the line it stumbled over, and that is a line of the key.
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| EntryError::NoKey)?;
    let mut config = builder
        .with_single_cert(certificates(certificate)?, key)
        .map_err(|error| unusable(&error))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, EntryError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(EntryError::NoCertificate),
    }
}

fn unusable(error: &dyn fmt::Display) -> EntryError {
    EntryError::Unusable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &[u8] = b"6f1c0b7e9a5d4c3b8f2e1d0c9b8a7f6e";

    #[test]
    fn a_token_admits_itself_and_nothing_else() {
        let entry = Entry::by_token(TOKEN).unwrap();
        let with = |scheme: &[u8], token: &[u8]| entry.admits(Some(&[scheme, token].concat()));
        assert!(with(b"Bearer ", TOKEN) && with(b"bearer ", TOKEN));
        assert!(!with(b"Basic ", TOKEN) && !with(b"Bearer", TOKEN) && !with(b"", TOKEN));
        assert!(!with(b"Bearer ", &TOKEN[1..]) && !with(b"Bearer  ", TOKEN));
        assert!(!with(b"Bearer ", b"") && !entry.admits(None));
    }

    #[test]
    fn limit_token_of_32_to_4096_bytes() {
        assert!(Entry::by_token(&[b'a'; TOKEN_BYTES_MIN]).is_ok());
        assert_eq!(
            Entry::by_token(&[b'a'; TOKEN_BYTES_MIN - 1]).unwrap_err(),
            EntryError::Token
        );
        assert!(Entry::by_token(&[b'a'; TOKEN_BYTES_MAX]).is_ok());
        assert!(Entry::by_token(&[b'a'; TOKEN_BYTES_MAX + 1]).is_err());
        assert!(Entry::by_token(b"6f1c0b7e9a5d4c3b 8f2e1d0c9b8a7f6e").is_err());
    }

    #[test]
    fn security_v13_debug_shows_no_secret() {
        let text = format!("{:?}", Entry::by_token(TOKEN).unwrap());
        assert_eq!(text, "Entry { by_token: true, encrypted: false, .. }");
    }

    #[test]
    fn what_is_no_certificate_or_key_is_named() {
        let of = |certificate: &[u8], key: &[u8]| {
            Entry::by_token(TOKEN).unwrap().over_tls(certificate, key)
        };
        let key = rcgen::KeyPair::generate().unwrap();
        let other = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["door".to_owned()]).unwrap();
        let certificate = params.self_signed(&key).unwrap().pem();
        let (certificate, key) = (certificate.as_bytes(), key.serialize_pem());
        assert!(of(certificate, key.as_bytes()).unwrap().is_encrypted());
        assert_eq!(
            of(b"", key.as_bytes()).unwrap_err(),
            EntryError::NoCertificate
        );
        assert_eq!(of(certificate, b"").unwrap_err(), EntryError::NoKey);
        let mismatch = of(certificate, other.serialize_pem().as_bytes());
        assert!(matches!(mismatch, Err(EntryError::Unusable(_))));
    }
}
