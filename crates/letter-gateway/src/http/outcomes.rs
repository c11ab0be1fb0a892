//! What became of letters, asked for instead of told.

use http::StatusCode;
use http::request::Parts;
use letter_delivery::{Outcome, Store};
use serde_json::json;

use super::answer::{Answer, Problem, json_answer};
use super::{Http, query};
use crate::Gateway;
use crate::feed::OutcomeBody;

pub(super) const OUTCOMES: &str = "/v1/outcomes";

/// Most outcomes in one answer.
const LIMIT_MAX: usize = 1000;
const LIMIT: usize = 100;
/// How many events are read at once, and at most for one answer.
const PAGE: usize = 200;
const EVENTS_MAX: u64 = 10_000;

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Question {
    after: u64,
    limit: usize,
    source: String,
}

impl<S: Store + 'static> Gateway<S> {
    pub(super) async fn outcomes(&self, http: &Http, head: &Parts) -> Result<Answer, Problem> {
        let asked = question(head.uri.query().unwrap_or_default(), &http.source)?;
        let (mut next, mut outcomes) = (asked.after, Vec::new());
        let last = asked.after.saturating_add(EVENTS_MAX);
        while outcomes.len() < asked.limit && next < last {
            let page = self.store.ledger_page(next, PAGE).await?;
            if page.next == next {
                break;
            }
            next = page.next;
            for outcome in page.entries.into_iter().filter_map(Outcome::of) {
                if outcome.letter.source != asked.source {
                    continue;
                }
                let body = OutcomeBody::of(self.trust.code.as_str(), &outcome);
                if outcomes.len() == asked.limit {
                    next = outcome.seq;
                    break;
                }
                outcomes.push(body);
            }
        }
        let body = json!({ "outcomes": outcomes, "next": next });
        Ok(json_answer(StatusCode::OK, body.to_string()))
    }
}

fn question(query: &str, source: &str) -> Result<Question, Problem> {
    let wrong = || {
        let what = "expected after=CURSOR, and perhaps limit=1 to 1000 and source=NAME, each once";
        Problem::bad("query-wrong", what)
    };
    let (mut after, mut limit, mut named) = (None, None, None);
    for (name, value) in query::pairs(query).ok_or_else(wrong)? {
        let place = match name.as_str() {
            "after" => &mut after,
            "limit" => &mut limit,
            "source" => &mut named,
            _ => return Err(wrong()),
        };
        if place.replace(value).is_some() {
            return Err(wrong());
        }
    }
    let after = after
        .map_or(Ok(0), |text| text.parse())
        .map_err(|_| wrong())?;
    let limit = limit.map_or(Ok(LIMIT), |text| text.parse());
    let limit = limit.map_err(|_| wrong())?;
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(wrong());
    }
    let source = named.unwrap_or_else(|| source.to_owned());
    Ok(Question {
        after,
        limit,
        source,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_outcomes_in_one_answer() {
        let limit = |text: &str| question(text, "epr").map(|asked| asked.limit).ok();
        assert_eq!(limit(""), Some(LIMIT));
        assert_eq!(limit("limit=1000&after=7"), Some(1000));
        for wrong in ["limit=1001", "limit=0", "limit=x", "limit=1&limit=2", "x=1"] {
            assert_eq!(limit(wrong), None, "{wrong}");
        }
        for wrong in ["after=-1", "after=", "after=18446744073709551616"] {
            assert!(question(wrong, "epr").is_err(), "{wrong}");
        }
    }
}
