use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::source::{Clock, NonceSource, Nonces, TokenSource, random_nonce, system_clock};
use super::transport::{Settings, Transport};
use super::{
    CONNECT_TIMEOUT, Client, Inner, MESSAGE_SIZE_MAX, READ_TIMEOUT, TOTAL_TIMEOUT, TlsIdentity,
    TrustAnchors, tls,
};
use crate::proto::Agent;
use crate::{Credentials, Misuse, Result};

/// Settings of a [`Client`]. Address, credentials, identity and trust have no default.
pub struct ClientBuilder {
    base_url: String,
    credentials: Credentials,
    identity: Option<TlsIdentity>,
    trust: Option<TrustAnchors>,
    agent: Agent,
    settings: Settings,
    message_size_max: usize,
    clock: Clock,
    nonces: Option<Nonces>,
}

impl ClientBuilder {
    pub(super) fn new(base_url: &str, credentials: Credentials) -> Self {
        Self {
            base_url: base_url.to_owned(),
            credentials,
            identity: None,
            trust: None,
            agent: Agent::new(concat!("mesh-client==", env!("CARGO_PKG_VERSION"))),
            settings: Settings {
                connect_timeout: CONNECT_TIMEOUT,
                read_timeout: READ_TIMEOUT,
                total_timeout: TOTAL_TIMEOUT,
            },
            message_size_max: MESSAGE_SIZE_MAX,
            clock: Box::new(system_clock),
            nonces: None,
        }
    }

    /// The client certificate. Without one the real service closes the connection.
    #[must_use]
    pub fn identity(mut self, identity: TlsIdentity) -> Self {
        self.identity = Some(identity);
        self
    }

    /// The certificates that the service's own must lead to. No others are trusted.
    #[must_use]
    pub fn trust(mut self, trust: TrustAnchors) -> Self {
        self.trust = Some(trust);
        self
    }

    /// Time for TCP and TLS together, 10 s by default.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.settings.connect_timeout = timeout;
        self
    }

    /// Longest silence while an answer is awaited or read, 30 s by default; while a body goes
    /// out, a second for each MiB comes on top.
    #[must_use]
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.settings.read_timeout = timeout;
        self
    }

    /// Time for a whole exchange, 60 s by default; a second for each MiB comes on top.
    #[must_use]
    pub fn total_timeout(mut self, timeout: Duration) -> Self {
        self.settings.total_timeout = timeout;
        self
    }

    /// Largest message that is taken in, unpacked; 256 MiB by default.
    #[must_use]
    pub fn message_size_max(mut self, bytes: usize) -> Self {
        self.message_size_max = bytes;
        self
    }

    /// What the handshake tells about this program, `name==1.2.3`.
    #[must_use]
    pub fn client_version(mut self, name_and_version: &str) -> Self {
        self.agent.client_version = name_and_version.to_owned();
        self
    }

    /// What the handshake tells as version of the operating system; `N/A` by default.
    #[must_use]
    pub fn os_version(mut self, version: &str) -> Self {
        self.agent.os_version = version.to_owned();
        self
    }

    /// The clock for tokens; the system's by default.
    #[must_use]
    pub fn clock(mut self, clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        self.clock = Box::new(clock);
        self
    }

    /// A source of nonces, one for each request, none twice within a minute. By default one
    /// random nonce for the client with a count that rises.
    #[must_use]
    pub fn nonces(mut self, nonces: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.nonces = Some(Box::new(nonces));
        self
    }

    /// Makes the client. Nothing is connected yet.
    ///
    /// # Errors
    ///
    /// [`Misuse::Setting`] for an address that is not `https://host[:port]`, missing trust, an
    /// agent text that is no header value, or a system without randomness.
    pub fn build(self) -> Result<Client> {
        let base_url = checked_base_url(&self.base_url)?;
        check_agent(&self.agent)?;
        let trust = self.trust.ok_or_else(|| {
            setting(
                "trust",
                "give the certificates that the service's own must lead to",
            )
        })?;
        let expires = self.identity.as_ref().map(TlsIdentity::not_after);
        let tls = tls::config(&trust, self.identity.as_ref())
            .map_err(|error| setting("identity", &error.to_string()))?;
        let nonces = match self.nonces {
            Some(nonces) => NonceSource::Given(nonces),
            None => counted_nonces()?,
        };
        let tokens = TokenSource::new(self.credentials, self.clock, nonces);
        let transport = Transport::new(base_url, tls, self.settings, tokens, expires)?;
        let (agent, message_size_max) = (self.agent, self.message_size_max);
        Ok(Client {
            inner: Arc::new(Inner {
                transport,
                agent,
                message_size_max,
            }),
        })
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("base_url", &self.base_url)
            .field("credentials", &self.credentials)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

fn counted_nonces() -> Result<NonceSource> {
    let nonce = random_nonce().ok_or_else(|| setting("nonces", "the system has no randomness"))?;
    Ok(NonceSource::Counted {
        nonce,
        count: AtomicU64::new(0),
    })
}

pub(super) fn setting(setting: &'static str, problem: &str) -> Misuse {
    Misuse::Setting {
        setting,
        problem: problem.to_owned(),
    }
}

/// Takes `https://host[:port]` with or without a slash at the end.
fn checked_base_url(text: &str) -> Result<String> {
    let wrong = || setting("base_url", "must be https://host or https://host:port");
    let url = reqwest::Url::parse(text.trim()).map_err(|_| wrong())?;
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let is_anonymous = url.username().is_empty() && url.password().is_none();
    if url.scheme() != "https" || !url.has_host() || !is_bare || !is_anonymous {
        return Err(wrong().into());
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn check_agent(agent: &Agent) -> Result<()> {
    let fits =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~'));
    if !fits(&agent.client_version) {
        return Err(setting("client_version", "must be printable ASCII").into());
    }
    if !fits(&agent.os_version) {
        return Err(setting("os_version", "must be printable ASCII").into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bare_https_address_is_taken() {
        for good in ["https://host", "https://host/", " https://host:8700 "] {
            assert!(checked_base_url(good).is_ok(), "{good}");
        }
        assert_eq!(checked_base_url("https://host/").unwrap(), "https://host");
        for bad in [
            "http://host",
            "host",
            "",
            "https://",
            "https://host/path",
            "https://host?x=1",
            "https://user:canary@host",
        ] {
            let text = checked_base_url(bad).unwrap_err().to_string();
            assert!(text.starts_with("base_url: "), "{bad}: {text}");
            assert!(!text.contains("canary"));
        }
    }
}
