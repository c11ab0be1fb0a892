use serde_json::Value;

use super::json::text;
use crate::{ErrorCode, MessageId};

/// What the body of an error answer says, in any of the service's forms (mesh-api section 17).
///
/// Texts are cleaned: no control characters, at most 300 characters, and nothing that looks like
/// a patient's address or NHS number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The message that the service made of the request, if it made one.
    pub message_id: Option<MessageId>,
    /// The step that failed: `SEND`, `TRANSFER`, `COLLECT`, `RECEIVE`.
    pub event: Option<String>,
    /// The error code.
    pub code: Option<ErrorCode>,
    /// The service's words.
    pub description: Option<String>,
}

const DESCRIPTION_MAX: usize = 300;
const EVENT_MAX: usize = 40;
const PATIENT_ADDRESS: &str = "GPPROVIDER";
const NHS_NUMBER_DIGITS: usize = 10;

/// Reads the body of an error answer; one that is no JSON gives an empty problem.
///
/// `secrets` are texts that the request held and that must not come out again, whatever the
/// service repeats: subject, file name, token, password.
///
/// ```
/// use mesh_client::proto::parse_problem;
/// let body = br#"{"detail": [{"event": "SEND", "code": "12", "msg": "Unregistered to address"}]}"#;
/// let problem = parse_problem(body, &[]);
/// assert_eq!(problem.code.unwrap().as_str(), "12");
/// assert_eq!(problem.description.unwrap(), "Unregistered to address");
/// ```
pub fn parse_problem(body: &[u8], secrets: &[&str]) -> Problem {
    let Ok(json) = serde_json::from_slice::<Value>(body) else {
        return Problem::default();
    };
    let detail = json.get("detail");
    let first = detail.and_then(|detail| detail.get(0)).unwrap_or(&json);
    let description = description(&json, first);
    Problem {
        message_id: text(&json, &["message_id", "messageID", "messageId"])
            .and_then(|id| MessageId::parse(&id).ok()),
        event: text(first, &["event", "errorEvent"]).map(|event| clean(&event, secrets, EVENT_MAX)),
        code: text(first, &["code", "errorCode"])
            .map(|code| ErrorCode::new(&clean(&code, secrets, EVENT_MAX))),
        description: description.map(|text| clean(&text, secrets, DESCRIPTION_MAX)),
    }
}

/// A validation error repeats the refused value in `input`, which is left out.
fn description(json: &Value, first: &Value) -> Option<String> {
    let said = text(first, &["msg", "errorDescription"]);
    let place = first.get("loc").and_then(Value::as_array).map(|place| {
        let words = place.iter().filter_map(Value::as_str);
        words.collect::<Vec<_>>().join(".")
    });
    match (place, said) {
        (Some(place), Some(said)) => Some(format!("{place}: {said}")),
        (None, Some(said)) => Some(said),
        (_, None) => text(json, &["message", "detail"]),
    }
}

/// Takes out of a text of the service what must not stand in a log.
pub(crate) fn clean(text: &str, secrets: &[&str], max: usize) -> String {
    let mut cleaned = text.to_owned();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        cleaned = cleaned.replace(secret, "[redacted]");
    }
    let upper = cleaned.to_ascii_uppercase();
    if let Some((before, _)) = upper.split_once(PATIENT_ADDRESS) {
        cleaned.truncate(before.len());
        cleaned.push_str("[patient address]");
    }
    let printable = cleaned
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c });
    mask_numbers(&printable.take(max).collect::<String>())
}

/// Replaces every run of exactly ten digits, spaces between them not counted.
fn mask_numbers(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars().chain(['\n']) {
        let goes_on = c.is_ascii_digit() || (matches!(c, ' ' | '-') && !run.is_empty());
        if goes_on {
            run.push(c);
            continue;
        }
        let digits = run.bytes().filter(u8::is_ascii_digit).count();
        masked.push_str(if digits == NHS_NUMBER_DIGITS {
            "[number] "
        } else {
            &run
        });
        run.clear();
        masked.push(c);
    }
    masked.pop();
    masked
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(body: &str) -> (Option<String>, Option<String>, Option<String>) {
        let problem = parse_problem(body.as_bytes(), &["canary subject"]);
        (
            problem.code.map(|code| code.to_string()),
            problem.event,
            problem.description,
        )
    }

    fn some(
        code: &str,
        event: &str,
        description: &str,
    ) -> (Option<String>, Option<String>, Option<String>) {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        (text(code), text(event), text(description))
    }

    #[test]
    fn every_form_of_mesh_api_section_17() {
        let v2 = r#"{"message_id":"M1","internal_id":"x","detail":[{"event":"SEND","code":"12","msg":"Unregistered to address"}]}"#;
        assert_eq!(shown(v2), some("12", "SEND", "Unregistered to address"));
        let v1 =
            r#"{"messageID":"M1","errorEvent":"SEND","errorCode":"07","errorDescription":"From"}"#;
        assert_eq!(shown(v1), some("07", "SEND", "From"));
        let validation = r#"{"detail":[{"loc":["header","mex-to"],"msg":"field required","type":"missing","input":"canary"}]}"#;
        assert_eq!(
            shown(validation),
            some("", "", "header.mex-to: field required")
        );
        assert_eq!(
            shown(r#"{"internal_id":"1","message":"oh"}"#),
            some("", "", "oh")
        );
        assert_eq!(
            shown(r#"{"detail":"Not Found"}"#),
            some("", "", "Not Found")
        );
        assert_eq!(shown("<html>canary</html>"), some("", "", ""));
        assert_eq!(shown(""), some("", "", ""));
        assert_eq!(
            parse_problem(v1.as_bytes(), &[]).message_id,
            MessageId::parse("M1").ok()
        );
    }

    #[test]
    fn what_was_sent_does_not_come_back() {
        let said = |text: &str| {
            parse_problem(
                serde_json::json!({ "message": text })
                    .to_string()
                    .as_bytes(),
                &["canary subject"],
            )
            .description
            .unwrap()
        };
        assert_eq!(said("bad canary subject here"), "bad [redacted] here");
        assert_eq!(
            said("to gpprovider_9990000018_19670126_CANARY is unknown"),
            "to [patient address]"
        );
        assert_eq!(
            said("number 999 000 0018 unknown"),
            "number [number] unknown"
        );
        assert_eq!(said("number 9990000018"), "number [number] ");
        assert_eq!(
            said("20200601122152994285_D59900"),
            "20200601122152994285_D59900"
        );
        assert_eq!(said("a\r\nb"), "a  b");
        assert_eq!(
            said(&"x".repeat(DESCRIPTION_MAX + 1)).len(),
            DESCRIPTION_MAX
        );
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..200), secret in "\\PC{0,4}") {
            let _ = parse_problem(&body, &[&secret]);
        }

        #[test]
        fn no_text_makes_cleaning_panic(text in "\\PC{0,60}") {
            let _ = clean(&text, &["a"], 20);
        }
    }
}
