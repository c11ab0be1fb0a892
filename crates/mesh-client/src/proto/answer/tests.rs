use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::Disposition;

fn now() -> DateTime<Utc> {
    "2026-11-21T21:00:00Z".parse().unwrap()
}

fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
    let headers = headers
        .iter()
        .map(|(name, value)| (*name, value.as_bytes()));
    Answer::new(status, headers, body.as_bytes().to_vec())
}

#[test]
fn header_names_in_any_case_and_values_in_any_encoding() {
    let headers: [(&str, &[u8]); 4] = [
        ("Mex-Subject", "Zoë".as_bytes()),
        ("MEX-FILENAME", b"Zo\xeb.txt"),
        ("mex-subject", b"second"),
        ("Mex-LocalID", b"  "),
    ];
    let answer = Answer::new(200, headers, Vec::new());
    assert_eq!(answer.header("mex-subject"), Some("Zoë"));
    assert_eq!(answer.header("mex-filename"), Some("Zoë.txt"));
    assert_eq!(answer.header("mex-localid"), None);
}

#[test]
fn a_refusal_tells_what_and_keeps_the_rest_to_itself() {
    let body = r#"{"detail":[{"event":"SEND","code":"12","msg":"Unregistered to address"}]}"#;
    let error = refusal(Operation::Send, &answer(417, &[], body), now(), &[]);
    insta::assert_snapshot!(error, @"send: the service answered 417, code 12 (unregistered recipient address), event SEND: Unregistered to address");
    assert_eq!(error.event(), Some("SEND"));
    let page = answer(502, &[], "<html>canary</html>");
    let error = refusal(Operation::Inbox, &page, now(), &[]);
    insta::assert_snapshot!(error, @"inbox: the service answered 502");
    assert!(!format!("{error:?}").contains("canary"));
    assert_eq!(
        error.refusal().unwrap().text.as_ref().unwrap().expose(),
        "<html>canary</html>"
    );
}

#[test]
fn the_kept_text_is_limited() {
    let page = "x".repeat(TEXT_MAX + 1);
    let error = refusal(Operation::Inbox, &answer(500, &[], &page), now(), &[]);
    assert_eq!(
        error
            .refusal()
            .unwrap()
            .text
            .as_ref()
            .unwrap()
            .expose()
            .len(),
        TEXT_MAX
    );
}

#[test]
fn a_403_names_the_clock_when_it_is_off() {
    let text = |date: &str| {
        refusal(
            Operation::Handshake,
            &answer(403, &[("date", date)], ""),
            now(),
            &[],
        )
        .to_string()
    };
    let plain = "handshake: the service answered 403; check mailbox id, mailbox password, shared key and clock";
    assert_eq!(text("Sat, 21 Nov 2026 21:05:00 GMT"), plain);
    let behind = format!("{plain}: this clock is 301 s behind the service's");
    assert_eq!(text("Sat, 21 Nov 2026 21:05:01 GMT"), behind);
    let ahead = format!("{plain}: this clock is 7200 s ahead of the service's");
    assert_eq!(text("Sat, 21 Nov 2026 19:00:00 GMT"), ahead);
    assert_eq!(text("some day"), plain);
}

#[test]
fn retry_after_reaches_the_disposition() {
    let busy = answer(429, &[("Retry-After", "7")], "");
    let disposition = refusal(Operation::Send, &busy, now(), &[]).disposition();
    assert_eq!(
        disposition,
        Disposition::Retry {
            after: Some(Duration::from_secs(7))
        }
    );
}

#[test]
fn a_success_without_an_id_is_uncertain() {
    for body in ["", "{}", "<html>", "null"] {
        let error = read_sent(&answer(202, &[], body)).unwrap_err();
        assert_eq!(error.disposition(), Disposition::Uncertain, "{body}");
    }
    assert_eq!(
        read_sent(&answer(200, &[], r#"{"messageID":"M"}"#))
            .unwrap()
            .as_str(),
        "M"
    );
}

#[test]
fn tracking_by_local_id_knows_none_one_and_several() {
    let read = |status: u16, body: &str| read_tracked_local(&answer(status, &[], body));
    assert_eq!(read(404, "").unwrap(), LocalIdTracking::NotFound);
    assert_eq!(
        read(404, r#"{"detail":[]}"#).unwrap(),
        LocalIdTracking::NotFound
    );
    assert_eq!(read(300, "").unwrap(), LocalIdTracking::Several);
    assert!(matches!(
        read(200, r#"{"messageId":"M"}"#).unwrap(),
        LocalIdTracking::Found(_)
    ));
    let page = read(404, "<html>no such page</html>").unwrap_err();
    assert_eq!(page.disposition(), Disposition::Retry { after: None });
}

#[test]
fn a_gateways_page_acknowledges_nothing() {
    let page = answer(200, &[], "<html>log in</html>");
    assert!(read_acknowledged(&page).is_err());
    assert!(read_handshake(&page).is_err());
    assert!(read_tracked(&answer(404, &[], "<html>")).is_err());
    assert!(read_acknowledged(&answer(200, &[], "null")).is_ok());
    assert!(read_handshake(&answer(200, &[], "")).is_ok());
}

proptest! {
    #[test]
    fn no_answer_makes_a_reader_panic(
        status in 100_u16..600,
        name in "(Date|Retry-After|Content-Type)",
        value in prop::collection::vec(any::<u8>(), 0..30),
        body in prop::collection::vec(any::<u8>(), 0..100),
    ) {
        let answer = Answer::new(status, [(name.as_str(), value.as_slice())], body);
        let _ = (read_sent(&answer), read_inbox(&answer), read_tracked(&answer));
        let _ = (read_tracked_local(&answer), read_lookup(&answer), read_acknowledged(&answer));
        let _ = refusal(Operation::Send, &answer, now(), &["x"]).to_string();
    }
}
