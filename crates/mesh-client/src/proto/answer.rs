use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use nhs_types::Sensitive;

use super::{Damage, parse_inbox, parse_lookup, parse_message_id, parse_problem, parse_tracking};
use crate::times::{parse_http_date, parse_retry_after};
use crate::{
    Endpoint, Error, LocalIdTracking, MessageId, Operation, Refusal, Result, Tracking, headers,
};

/// An answer as a value, its body not yet unpacked.
#[derive(Clone)]
#[non_exhaustive]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers, names in lower case; of a name that came twice, the first.
    pub headers: BTreeMap<String, String>,
    /// The bytes of the body.
    pub body: Vec<u8>,
}

/// One page of an inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InboxPage {
    /// Ids of waiting messages.
    pub messages: Vec<MessageId>,
    /// Path and query of the next page, when there is one; not to be encoded again.
    pub next: Option<String>,
    /// About how many wait in all.
    pub approximate_count: Option<u64>,
}

const TEXT_MAX: usize = 2048;

impl Answer {
    /// Makes an answer of what an HTTP library gives.
    pub fn new<'a>(
        status: u16,
        headers: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        body: Vec<u8>,
    ) -> Self {
        let mut named = BTreeMap::new();
        for (name, value) in headers {
            named
                .entry(name.to_ascii_lowercase())
                .or_insert_with(|| header_text(value));
        }
        Self {
            status,
            headers: named,
            body,
        }
    }

    /// A header by its lower-case name; an empty one counts as absent.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.trim())
            .filter(|value| !value.is_empty())
    }

    /// True for 200 to 299.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The service's clock less `now`.
    pub fn clock_skew(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let at = parse_http_date(self.header(headers::DATE)?)?;
        Some(at.signed_duration_since(now))
    }

    fn unusable(&self, operation: Operation, damage: Damage) -> Error {
        Error::Unusable {
            operation,
            status: self.status,
            damage,
        }
    }

    /// A gateway's page must not pass for the service's word: a false "not found" leads to a
    /// second send. The service answers with JSON or without a body.
    fn check_origin(&self, operation: Operation) -> Result<()> {
        let body = self.body.trim_ascii();
        if body.is_empty() || serde_json::from_slice::<serde_json::Value>(body).is_ok() {
            return Ok(());
        }
        Err(self.unusable(operation, Damage::NotJson))
    }

    fn success_or(&self, operation: Operation) -> Result<()> {
        if self.is_success() {
            return Ok(());
        }
        Err(self.unusable(operation, Damage::UnexpectedStatus))
    }
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// UTF-8 when it is that, else Latin-1 (mesh-api section 7).
fn header_text(value: &[u8]) -> String {
    std::str::from_utf8(value).map_or_else(
        |_| value.iter().copied().map(char::from).collect(),
        str::to_owned,
    )
}

/// The error that an answer without success stands for; 300 and 404 of tracking are answers, see
/// [`read_tracked`] and [`read_tracked_local`].
///
/// `secrets` are texts that must not come out again; `now` is needed for a `Retry-After` that
/// names a date, and for the clock skew.
pub fn refusal(
    operation: Operation,
    answer: &Answer,
    now: DateTime<Utc>,
    secrets: &[&str],
) -> Error {
    let after = answer
        .header(headers::RETRY_AFTER)
        .and_then(|text| parse_retry_after(text, now));
    let is_json = serde_json::from_slice::<serde_json::Value>(&answer.body).is_ok();
    let text = (!is_json && !answer.body.is_empty()).then(|| {
        let start = answer.body.get(..TEXT_MAX).unwrap_or(&answer.body);
        Sensitive::new(String::from_utf8_lossy(start).into_owned())
    });
    Error::Answered(Box::new(Refusal {
        operation,
        status: answer.status,
        problem: parse_problem(&answer.body, secrets),
        disposition: operation.after_status(answer.status, after),
        clock_skew: answer.clock_skew(now),
        text,
    }))
}

/// Reads the answer to a handshake.
///
/// # Errors
///
/// [`Error::Unusable`] when it is no success, or not the service's.
pub fn read_handshake(answer: &Answer) -> Result<()> {
    answer.success_or(Operation::Handshake)?;
    answer.check_origin(Operation::Handshake)
}

/// Reads the answer to an acknowledgement.
///
/// # Errors
///
/// [`Error::Unusable`] when it is no success, or not the service's.
pub fn read_acknowledged(answer: &Answer) -> Result<()> {
    answer.success_or(Operation::Acknowledge)?;
    answer.check_origin(Operation::Acknowledge)
}

/// Reads the id that the service gave a message.
///
/// # Errors
///
/// [`Error::Unusable`] when there is none: the service may have taken the message all the same.
pub fn read_sent(answer: &Answer) -> Result<MessageId> {
    answer.success_or(Operation::Send)?;
    parse_message_id(&answer.body).map_err(|damage| answer.unusable(Operation::Send, damage))
}

/// Reads a page of the inbox.
///
/// # Errors
///
/// [`Error::Unusable`].
pub fn read_inbox(answer: &Answer) -> Result<InboxPage> {
    answer.success_or(Operation::Inbox)?;
    parse_inbox(&answer.body).map_err(|damage| answer.unusable(Operation::Inbox, damage))
}

/// Reads what is known of a message; 404 is `None`.
///
/// # Errors
///
/// [`Error::Unusable`].
pub fn read_tracked(answer: &Answer) -> Result<Option<Tracking>> {
    if answer.status == 404 {
        return answer.check_origin(Operation::Track).map(|()| None);
    }
    answer.success_or(Operation::Track)?;
    let unusable = |damage| answer.unusable(Operation::Track, damage);
    parse_tracking(&answer.body).map(Some).map_err(unusable)
}

/// Reads what is known under a local id: 404 none, 200 one, 300 several.
///
/// # Errors
///
/// [`Error::Unusable`].
pub fn read_tracked_local(answer: &Answer) -> Result<LocalIdTracking> {
    let unusable = |damage| answer.unusable(Operation::TrackLocal, damage);
    match answer.status {
        300 => answer
            .check_origin(Operation::TrackLocal)
            .map(|()| LocalIdTracking::Several),
        404 => answer
            .check_origin(Operation::TrackLocal)
            .map(|()| LocalIdTracking::NotFound),
        _ => {
            answer.success_or(Operation::TrackLocal)?;
            let found = parse_tracking(&answer.body).map_err(unusable)?;
            Ok(LocalIdTracking::Found(found))
        }
    }
}

/// Reads the mailboxes that a lookup found, none included.
///
/// # Errors
///
/// [`Error::Unusable`].
pub fn read_lookup(answer: &Answer) -> Result<Vec<Endpoint>> {
    answer.success_or(Operation::Lookup)?;
    parse_lookup(&answer.body).map_err(|damage| answer.unusable(Operation::Lookup, damage))
}

#[cfg(test)]
mod tests;
