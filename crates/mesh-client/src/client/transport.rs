use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use nhs_types::MailboxId;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};

use super::builder::setting;
use super::failure::{self, Circumstances};
use super::source::TokenSource;
use crate::outgoing::BODY_MAX;
use crate::proto::{self, Answer, Damage, Method, Request};
use crate::{Error, Result};

/// Carries one request at a time to the service and one answer back.
#[derive(Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
    base_url: String,
    tokens: TokenSource,
    total_timeout: Duration,
    identity_expires: Option<DateTime<Utc>>,
    skew_millis: AtomicI64,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) connect_timeout: Duration,
    pub(super) read_timeout: Duration,
    pub(super) total_timeout: Duration,
}

/// A connection is kept for less than servers keep it, since one that is closed while a message
/// is written to it leaves that message uncertain.
const IDLE_MAX: Duration = Duration::from_secs(3);

const IDLE_CONNECTIONS_MAX: usize = 8;

/// Largest body of one answer, packed: a chunk (mesh-api section 19) and some room.
const ANSWER_MAX: usize = BODY_MAX + 1024 * 1024;

const MIB: u64 = 1024 * 1024;

const NO_SKEW: i64 = i64::MIN;

impl Transport {
    pub(super) fn new(
        base_url: String,
        tls: rustls::ClientConfig,
        settings: &Settings,
        tokens: TokenSource,
        identity_expires: Option<DateTime<Utc>>,
    ) -> Result<Self> {
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .https_only(true)
            .http1_only()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .connect_timeout(settings.connect_timeout)
            .read_timeout(settings.read_timeout)
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build()
            .map_err(|_| setting("client", "the HTTP client cannot be set up"))?;
        let total_timeout = settings.total_timeout;
        let skew_millis = AtomicI64::new(NO_SKEW);
        Ok(Self {
            http,
            base_url,
            tokens,
            total_timeout,
            identity_expires,
            skew_millis,
        })
    }

    pub(super) fn mailbox(&self) -> &MailboxId {
        self.tokens.credentials().mailbox()
    }

    pub(super) fn clock_skew(&self) -> Option<TimeDelta> {
        match self.skew_millis.load(Ordering::Relaxed) {
            NO_SKEW => None,
            millis => TimeDelta::try_milliseconds(millis),
        }
    }

    /// One attempt with one token. Any success and the statuses in `also` are answers.
    pub(super) async fn exchange(&self, request: &Request, also: &[u16]) -> Result<Answer> {
        let token = request.needs_token().then(|| self.tokens.next());
        let mut call = self
            .http
            .request(
                method(request.method),
                format!("{}{}", self.base_url, request.path),
            )
            .timeout(self.time_for(request));
        for (name, value) in &request.headers {
            call = call.header(HeaderName::from_static(name), value);
        }
        if let Some(token) = &token {
            call = call.header(AUTHORIZATION, secret_header(token.expose())?);
        }
        if !request.body.is_empty() {
            call = call.body(request.body.clone());
        }
        let response = call
            .send()
            .await
            .map_err(|error| self.failed(&error, request))?;
        let answer = self.read(response, request).await?;
        self.note_skew(&answer);
        if answer.is_success() || also.contains(&answer.status) {
            return Ok(answer);
        }
        let secrets = self.secrets(request, token.as_ref().map(|token| token.expose()));
        let texts = secrets.iter().map(String::as_str).collect::<Vec<_>>();
        Err(proto::refusal(
            request.operation,
            &answer,
            self.tokens.now(),
            &texts,
        ))
    }

    /// The body is read to its end, within the limit, before anything is believed.
    async fn read(&self, mut response: reqwest::Response, request: &Request) -> Result<Answer> {
        let status = response.status().as_u16();
        let too_large = || Error::Unusable {
            operation: request.operation,
            status,
            damage: Damage::TooLarge { max: ANSWER_MAX },
        };
        let announced = response.content_length().unwrap_or_default();
        let announced = usize::try_from(announced).map_err(|_| too_large())?;
        if announced > ANSWER_MAX {
            return Err(too_large());
        }
        let mut body = Vec::with_capacity(announced.min(64 * 1024));
        while let Some(part) = response
            .chunk()
            .await
            .map_err(|error| self.failed(&error, request))?
        {
            if body.len().saturating_add(part.len()) > ANSWER_MAX {
                return Err(too_large());
            }
            body.extend_from_slice(&part);
        }
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
        Ok(Answer::new(status, headers, body))
    }

    fn failed(&self, error: &reqwest::Error, request: &Request) -> Error {
        let circumstances = Circumstances {
            operation: request.operation,
            now: self.tokens.now(),
            identity_expires: self.identity_expires,
        };
        failure::sort(error, circumstances)
    }

    fn note_skew(&self, answer: &Answer) {
        if let Some(skew) = answer.clock_skew(self.tokens.now()) {
            self.skew_millis
                .store(skew.num_milliseconds(), Ordering::Relaxed);
        }
    }

    /// What must not come out again, whatever the service repeats.
    fn secrets(&self, request: &Request, token: Option<&str>) -> Vec<String> {
        let credentials = self.tokens.credentials();
        let mut secrets: Vec<String> = request.sensitive_texts().map(str::to_owned).collect();
        for secret in [credentials.password(), credentials.shared_key()] {
            if let Ok(text) = std::str::from_utf8(secret.expose()) {
                secrets.push(text.to_owned());
            }
        }
        if let Some(token) = token {
            secrets.extend(token.rsplit(':').next().map(str::to_owned));
        }
        secrets
    }

    /// A second for each MiB that may be carried comes on top of the fixed time.
    fn time_for(&self, request: &Request) -> Duration {
        let bytes = match request.operation {
            crate::Operation::Download => ANSWER_MAX,
            _ => request.body.len(),
        };
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.total_timeout
            .saturating_add(Duration::from_secs(bytes / MIB))
    }
}

fn method(method: Method) -> reqwest::Method {
    match method {
        Method::Get => reqwest::Method::GET,
        Method::Post => reqwest::Method::POST,
        Method::Put => reqwest::Method::PUT,
    }
}

fn secret_header(text: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(text)
        .map_err(|_| setting("nonces", "a nonce may hold printable ASCII only"))?;
    value.set_sensitive(true);
    Ok(value)
}
