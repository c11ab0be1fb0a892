use bytes::Bytes;
use serde_json::{Value, json};

use super::Call;

/// An answer, before any fault.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Bytes,
}

/// An answer that is no success, in the form of the version that was asked for
/// (mesh-api section 17).
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: u16,
    event: String,
    code: String,
    text: String,
    missing: Option<String>,
}

impl Reply {
    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            body: Bytes::new(),
        }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::empty(status)
            .with_body(Bytes::from(body.to_string()))
            .with("content-type", "application/json")
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    #[must_use]
    pub(crate) fn with_optional(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    #[must_use]
    pub(crate) fn with_body(mut self, body: Bytes) -> Self {
        self.body = body;
        self
    }
}

impl Problem {
    pub(crate) fn new(status: u16, event: &str, code: &str, text: &str) -> Self {
        Self {
            status,
            event: event.to_owned(),
            code: code.to_owned(),
            text: text.to_owned(),
            missing: None,
        }
    }

    /// A validation error about a header.
    pub(crate) fn missing(header: &str) -> Self {
        let mut problem = Self::new(400, "", "", "field required");
        problem.missing = Some(header.to_owned());
        problem
    }

    pub(crate) fn unknown_message() -> Self {
        Self::new(404, "RECEIVE", "20", "Message does not exist")
    }

    pub(crate) fn reply(&self, call: &Call) -> Reply {
        let Self {
            event, code, text, ..
        } = self;
        let body = match &self.missing {
            Some(header) => {
                json!({ "detail": [{ "loc": ["header", header], "msg": text, "type": "missing" }] })
            }
            None if call.is_v2() => json!({
                "internal_id": "test",
                "detail": [{ "event": event, "code": code, "msg": text }],
            }),
            None => json!({ "errorEvent": event, "errorCode": code, "errorDescription": text }),
        };
        Reply::json(self.status, &body)
    }
}
