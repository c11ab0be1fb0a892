//! What is answered: JSON, and problems by RFC 9457.

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::Full;
use letter_delivery::{LetterState, StoreError, TakenAs};
use nhs_types::{Finding, Report};
use serde::Serialize;
use serde_json::{Value, json};

use crate::{GatewayError, Receipt};

pub(super) type Answer = Response<Full<Bytes>>;

/// When a source may come again after a passing fault.
const RETRY_AFTER_SECONDS: &str = "30";
/// When it may come again after somebody was faster.
const RETRY_SOON_SECONDS: &str = "1";

pub(super) fn json_answer(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    answer(status, "application/json", body.into())
}

fn answer(status: StatusCode, kind: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

/// What a source is told about a letter that was taken.
#[derive(Debug, Serialize)]
struct Told<'a> {
    letter: Option<String>,
    taken: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<&'static str>,
    held: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
    findings: Vec<Found<'a>>,
}

#[derive(Debug, Serialize)]
struct Found<'a> {
    rule: &'a str,
    severity: &'static str,
    place: String,
    message: &'a str,
}

/// The code and the body to keep.
pub(super) fn told(receipt: &Receipt) -> (u16, String) {
    let (taken, state) = match receipt.taken {
        Some(TakenAs::Letter(state)) => ("letter", Some(state)),
        Some(TakenAs::Withdrawal) => ("withdrawal", None),
        Some(TakenAs::Duplicate) | None => ("duplicate", None),
    };
    let told = Told {
        letter: receipt.letter.map(|key| key.to_string()),
        taken,
        state: state.map(LetterState::as_str),
        held: state == Some(LetterState::Held),
        reason: receipt.why.as_deref(),
        findings: findings(&receipt.findings),
    };
    let status = if taken == "duplicate" { 200 } else { 201 };
    (status, json!(told).to_string())
}

/// The answer about a letter, as it is told now or was told before.
pub(super) fn taken(status: u16, body: String) -> Answer {
    let told: Option<Value> = serde_json::from_str(&body).ok();
    let letter = told.as_ref().and_then(|told| told.get("letter"));
    let letter = letter.and_then(Value::as_str);
    let location = letter.map(|letter| format!("/v1/letters/{letter}"));
    let location = location.and_then(|place| HeaderValue::from_str(&place).ok());
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut answer = json_answer(status, body);
    if let Some(location) = location {
        answer.headers_mut().insert(LOCATION, location);
    }
    answer
}

fn findings(report: &Report) -> Vec<Found<'_>> {
    report.findings().iter().map(Found::of).collect()
}

impl<'a> Found<'a> {
    fn of(finding: &'a Finding) -> Self {
        Self {
            rule: finding.rule.as_str(),
            severity: finding.severity.as_str(),
            place: finding.place.to_string(),
            message: &finding.message,
        }
    }
}

/// Why a request is not carried out.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: Option<String>,
    findings: Option<Box<Value>>,
    header: Option<Header>,
}

/// The one header that a problem may need.
#[derive(Clone, Copy, Debug)]
enum Header {
    Allow(&'static str),
    Authenticate,
    RetryAfter(&'static str),
}

#[derive(Debug, Serialize)]
struct ProblemBody<'a> {
    r#type: String,
    title: &'static str,
    status: u16,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    findings: Option<&'a Value>,
}

impl Problem {
    const fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self {
            status,
            code,
            title,
            detail: None,
            findings: None,
            header: None,
        }
    }

    const fn with(mut self, header: Header) -> Self {
        self.header = Some(header);
        self
    }

    pub(super) fn bad(code: &'static str, detail: impl Into<String>) -> Self {
        let title = "the request is not what the contract says";
        let mut problem = Self::new(StatusCode::BAD_REQUEST, code, title);
        problem.detail = Some(detail.into());
        problem
    }

    pub(super) fn not_authorised() -> Self {
        let title = "this door asks for a token: send Authorization: Bearer";
        Self::new(StatusCode::UNAUTHORIZED, "not-authorised", title).with(Header::Authenticate)
    }

    pub(super) const fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "there is nothing here")
    }

    pub(super) fn not_allowed(allowed: &'static str) -> Self {
        let title = "this cannot be done here";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "not-allowed", title).with(Header::Allow(allowed))
    }

    pub(super) const fn not_a_form() -> Self {
        let title = "expected multipart/form-data with a boundary";
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not-a-form", title)
    }

    pub(super) const fn too_slow() -> Self {
        let title = "the body did not come in time";
        Self::new(StatusCode::REQUEST_TIMEOUT, "too-slow", title)
    }

    pub(super) const fn too_large() -> Self {
        let title = "it is larger than this door takes";
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", title)
    }

    pub(super) const fn key_reused() -> Self {
        let title = "this Idempotency-Key was used for another hand-over: use a new one";
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "idempotency-key-reused",
            title,
        )
    }

    /// A document that can never be taken, with what was found in it.
    pub(super) fn refused(receipt: &Receipt) -> Self {
        let title = "no document that can be read: nothing was kept";
        let code = receipt.reason.as_str();
        let mut problem = Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, title);
        problem.findings = Some(Box::new(json!(findings(&receipt.findings))));
        problem
    }

    pub(super) fn answer(&self) -> Answer {
        let body = ProblemBody {
            r#type: format!("urn:letterbox:problem:{}", self.code),
            title: self.title,
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail.as_deref(),
            findings: self.findings.as_deref(),
        };
        let body = Bytes::from(json!(body).to_string());
        let mut answer = answer(self.status, "application/problem+json", body);
        let header = match self.header {
            None => return answer,
            Some(Header::Allow(allowed)) => (ALLOW, allowed),
            Some(Header::Authenticate) => (WWW_AUTHENTICATE, "Bearer"),
            Some(Header::RetryAfter(seconds)) => (RETRY_AFTER, seconds),
        };
        let value = HeaderValue::from_static(header.1);
        answer.headers_mut().insert(header.0, value);
        answer
    }
}

/// What went wrong here is told in general: the cause is for our own log.
impl From<GatewayError> for Problem {
    fn from(error: GatewayError) -> Self {
        tracing::error!(%error, "a request could not be carried out");
        match error {
            GatewayError::Store(StoreError::Conflict) => {
                let title = "the same document is being taken at this moment: come again";
                Self::new(StatusCode::CONFLICT, "busy", title)
                    .with(Header::RetryAfter(RETRY_SOON_SECONDS))
            }
            GatewayError::Store(StoreError::Corrupt(_)) => {
                let title = "the store is damaged: its operator must act";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "store-damaged", title)
            }
            _ => {
                let title = "nothing can be taken at this moment: keep it and come again";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "store-unavailable", title)
                    .with(Header::RetryAfter(RETRY_AFTER_SECONDS))
            }
        }
    }
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        GatewayError::from(error).into()
    }
}
