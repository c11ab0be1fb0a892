//! Outcomes as JSON to an HTTP address.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::Url;
use ring::hmac;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};

use super::NotTaken;

/// An HTTP address that takes outcomes, one JSON document in each `POST`.
///
/// `Letterbox-Signature: t=SECONDS,v1=HEX` proves who sent it: HMAC-SHA-256 with the shared secret
/// over the seconds, a full stop and the body. Refuse a time that is far from yours, and a
/// repetition you know by its `cursor`, and nobody can replay one. Answer 2xx when you have it;
/// 400, 410 and 422 say that you never will, and all else that it is to be tried again.
/// Redirections are not followed.
#[derive(Clone)]
pub struct Webhook(Arc<Target>);

struct Target {
    url: Url,
    key: hmac::Key,
    http: reqwest::Client,
}

const CONNECT_WITHIN: Duration = Duration::from_secs(5);
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
const IDLE_MAX: Duration = Duration::from_secs(3);
/// Shortest secret.
const SECRET_BYTES_MIN: usize = 32;

/// Why nobody could be told so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The address is none, or would be told unencrypted over a network.
    #[error("the address must begin with https://, or be http:// to 127.0.0.1, [::1] or localhost")]
    Address,
    /// An encrypted address needs certificates that its own must lead to.
    #[error("no certificate found that the receiver's must lead to: give its CA as PEM text")]
    NoCertificate,
    /// The secret can be guessed.
    #[error("the secret must have 32 bytes or more: make one with `openssl rand -hex 32`")]
    Secret,
    /// The client cannot be set up.
    #[error("the HTTP client cannot be set up")]
    Client,
}

impl Webhook {
    /// An address with the secret that is shared with it, and the CA of its certificate.
    ///
    /// # Errors
    ///
    /// [`WebhookError`], by what has to be put right.
    pub fn new(url: &str, secret: &[u8], ca: Option<&[u8]>) -> Result<Self, WebhookError> {
        if secret.len() < SECRET_BYTES_MIN {
            return Err(WebhookError::Secret);
        }
        let (url, roots) = address(url, ca)?;
        let (key, http) = (hmac::Key::new(hmac::HMAC_SHA256, secret), client(roots));
        let http = http.ok_or(WebhookError::Client)?;
        Ok(Self(Arc::new(Target { url, key, http })))
    }

    /// One attempt, with these headers and the signature.
    pub(crate) async fn post(
        &self,
        headers: &[(&'static str, String)],
        body: Vec<u8>,
        now: DateTime<Utc>,
    ) -> Result<(), NotTaken> {
        let Target { url, http, .. } = &*self.0;
        let signature = self.sign(now.timestamp(), &body);
        let mut request = http
            .post(url.clone())
            .header("letterbox-signature", signature);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        let request = request.body(body);
        // The error may repeat the address, and an address may hold a secret.
        let answer = request.send().await.map_err(|error| {
            NotTaken::Now(if error.is_timeout() {
                "it did not answer in time".to_owned()
            } else {
                "it could not be reached".to_owned()
            })
        })?;
        let status = answer.status();
        match status.as_u16() {
            200..=299 => Ok(()),
            400 | 410 | 422 => Err(NotTaken::Ever(format!("http-{}", status.as_u16()))),
            other => Err(NotTaken::Now(format!("it answered {other}"))),
        }
    }

    fn sign(&self, seconds: i64, body: &[u8]) -> String {
        let mut mac = hmac::Context::with_key(&self.0.key);
        mac.update(seconds.to_string().as_bytes());
        mac.update(b".");
        mac.update(body);
        let tag = mac.sign();
        let hex: String = tag
            .as_ref()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        format!("t={seconds},v1={hex}")
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhook")
            .field("host", &self.0.url.host_str())
            .finish_non_exhaustive()
    }
}

/// An address that is encrypted or on this machine, with the certificates its own must lead to.
pub(crate) fn address(url: &str, ca: Option<&[u8]>) -> Result<(Url, RootCertStore), WebhookError> {
    let url = Url::parse(url).map_err(|_| WebhookError::Address)?;
    let is_local = matches!(url.host_str(), Some("127.0.0.1" | "[::1]" | "localhost"));
    let is_encrypted = url.scheme() == "https";
    let is_plain_here = is_local && url.scheme() == "http";
    if !is_encrypted && !is_plain_here {
        return Err(WebhookError::Address);
    }
    let roots = roots(ca)?;
    if is_encrypted && roots.is_empty() {
        return Err(WebhookError::NoCertificate);
    }
    Ok((url, roots))
}

fn roots(ca: Option<&[u8]>) -> Result<RootCertStore, WebhookError> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(ca.unwrap_or_default()) {
        let certificate = certificate.map_err(|_| WebhookError::NoCertificate)?;
        roots
            .add(certificate)
            .map_err(|_| WebhookError::NoCertificate)?;
    }
    Ok(roots)
}

/// TLS 1.2 or 1.3 with these roots only; one attempt, where it was told to go and nowhere else.
pub(crate) fn client(roots: RootCertStore) -> Option<reqwest::Client> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .ok()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(CONNECT_WITHIN)
        .timeout(ANSWER_WITHIN)
        .pool_idle_timeout(IDLE_MAX)
        .build()
        .ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &[u8] = b"0123456789abcdef0123456789abcdef";

    #[test]
    fn the_signature_is_the_hmac_that_any_library_makes() {
        let webhook = Webhook::new("http://127.0.0.1:1/", SECRET, None).unwrap();
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
        assert_eq!(
            webhook.sign(1_700_000_000, b"{}"),
            "t=1700000000,v1=417adf36b901772f658597a76d329694e335e65fc0849d7715c3ca33406309b5"
        );
    }

    #[test]
    fn security_v12_only_encrypted_or_local_addresses() {
        let of = |url: &str, ca: Option<&[u8]>| Webhook::new(url, SECRET, ca).map(drop);
        for url in [
            "http://127.0.0.1:8080/x",
            "http://[::1]/",
            "http://localhost/",
        ] {
            assert_eq!(of(url, None), Ok(()), "{url}");
        }
        for url in [
            "http://10.0.0.5/",
            "http://localhost.example/",
            "http://127.0.0.1.example/",
            "http://127.0.0.1@10.0.0.5/",
            "ftp://127.0.0.1/",
            "10.0.0.5",
            "",
        ] {
            assert_eq!(of(url, None), Err(WebhookError::Address), "{url}");
        }
        assert_eq!(of("https://tie/", None), Err(WebhookError::NoCertificate));
        let wrong = of("https://tie/", Some(b"no certificate"));
        assert_eq!(wrong, Err(WebhookError::NoCertificate));
    }

    #[test]
    fn limit_secret_of_32_bytes() {
        let of = |bytes: usize| Webhook::new("http://127.0.0.1/", &vec![b'x'; bytes], None);
        assert!(of(SECRET_BYTES_MIN).is_ok());
        assert_eq!(of(SECRET_BYTES_MIN - 1).unwrap_err(), WebhookError::Secret);
    }

    #[test]
    fn security_v13_debug_shows_no_secret_and_no_path() {
        let webhook = Webhook::new("http://127.0.0.1/hidden", SECRET, None).unwrap();
        assert_eq!(
            format!("{webhook:?}"),
            "Webhook { host: Some(\"127.0.0.1\"), .. }"
        );
    }
}
