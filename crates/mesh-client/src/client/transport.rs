use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use nhs_types::MailboxId;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use tokio::time::timeout;

use super::builder::setting;
use super::failure::{self, Circumstances};
use super::source::TokenSource;
use crate::outgoing::BODY_MAX;
use crate::proto::{self, Answer, Damage, Method, Request};
use crate::{Error, Operation, Result, Token};

/// Carries one request at a time to the service and one answer back.
#[derive(Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
    base_url: String,
    tokens: TokenSource,
    settings: Settings,
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

const MIB: usize = 1024 * 1024;

const FIRST_BUFFER: usize = 64 * 1024;

const NO_SKEW: i64 = i64::MIN;

impl Transport {
    pub(super) fn new(
        base_url: String,
        tls: rustls::ClientConfig,
        settings: Settings,
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
            .pool_idle_timeout(IDLE_MAX)
            .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX)
            .build()
            .map_err(|_| setting("client", "the HTTP client cannot be set up"))?;
        let skew_millis = AtomicI64::new(NO_SKEW);
        Ok(Self {
            http,
            base_url,
            tokens,
            settings,
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
        let token = token.as_ref().map(Token::expose);
        let call = self.call(request, token)?;
        let response = timeout(self.time_to_answer(request), call.send())
            .await
            .map_err(|_| self.silent(request))?
            .map_err(|error| self.failed(&error, request))?;
        let answer = self.read(response, request).await?;
        self.note_skew(&answer);
        if answer.is_success() || also.contains(&answer.status) {
            return Ok(answer);
        }
        let secrets = self.secrets(request, token);
        let (operation, now) = (request.operation, self.tokens.now());
        Err(proto::refusal(operation, &answer, now, &secrets))
    }

    fn call(&self, request: &Request, token: Option<&str>) -> Result<reqwest::RequestBuilder> {
        let url = format!("{}{}", self.base_url, request.path);
        let call = self.http.request(method(request.method), url);
        let mut call = call.timeout(self.time_for(request));
        for (name, value) in &request.headers {
            call = call.header(HeaderName::from_static(name), value);
        }
        if let Some(token) = token {
            call = call.header(AUTHORIZATION, secret_header(token)?);
        }
        if !request.body.is_empty() {
            call = call.body(request.body.clone());
        }
        Ok(call)
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
        let mut body = Vec::with_capacity(announced.min(FIRST_BUFFER));
        while let Some(part) = self.next_part(&mut response, request).await? {
            if body.len().saturating_add(part.len()) > ANSWER_MAX {
                return Err(too_large());
            }
            body.extend_from_slice(&part);
        }
        let headers = response.headers().iter();
        let headers = headers.map(|(name, value)| (name.as_str(), value.as_bytes()));
        Ok(Answer::new(status, headers, body))
    }

    async fn next_part(
        &self,
        response: &mut reqwest::Response,
        request: &Request,
    ) -> Result<Option<Bytes>> {
        timeout(self.settings.read_timeout, response.chunk())
            .await
            .map_err(|_| self.silent(request))?
            .map_err(|error| self.failed(&error, request))
    }

    /// Connecting has a limit of its own, so what is still silent after both was written to.
    fn silent(&self, request: &Request) -> Error {
        let reason = "the service was silent for too long".to_owned();
        Error::Lost {
            operation: request.operation,
            reason,
        }
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
    fn secrets<'a>(&'a self, request: &'a Request, token: Option<&'a str>) -> Vec<&'a str> {
        let credentials = self.tokens.credentials();
        let own = [credentials.password(), credentials.shared_key()];
        let own = own
            .into_iter()
            .filter_map(|secret| std::str::from_utf8(secret.expose()).ok());
        let hash = token.and_then(|token| token.rsplit(':').next());
        own.chain(hash).chain(request.sensitive_texts()).collect()
    }

    /// Until the headers of the answer are there: the body must go out first.
    fn time_to_answer(&self, request: &Request) -> Duration {
        let Settings {
            connect_timeout,
            read_timeout,
            ..
        } = self.settings;
        let fixed = connect_timeout.saturating_add(read_timeout);
        fixed.saturating_add(time_for_bytes(request.body.len()))
    }

    fn time_for(&self, request: &Request) -> Duration {
        let bytes = match request.operation {
            Operation::Download => ANSWER_MAX,
            _ => request.body.len(),
        };
        self.settings
            .total_timeout
            .saturating_add(time_for_bytes(bytes))
    }
}

/// A second for each MiB.
fn time_for_bytes(bytes: usize) -> Duration {
    Duration::from_secs(u64::try_from(bytes / MIB).unwrap_or(u64::MAX))
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
