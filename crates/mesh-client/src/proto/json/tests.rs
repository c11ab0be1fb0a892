use proptest::prelude::*;

use super::*;

#[test]
fn an_inbox_of_either_version() {
    let v2 = br#"{"messages":["A_1","B_2"],"approx_inbox_count":7,
        "links":{"self":"/x","next":"/messageexchange/X/inbox?continue_from=a%3D"},"new":[1]}"#;
    let page = parse_inbox(v2).unwrap();
    assert_eq!(
        page.messages
            .iter()
            .map(MessageId::as_str)
            .collect::<Vec<_>>(),
        ["A_1", "B_2"]
    );
    assert_eq!(
        page.next.as_deref(),
        Some("/messageexchange/X/inbox?continue_from=a%3D")
    );
    assert_eq!(page.approximate_count, Some(7));
    let v1 = parse_inbox(br#"{"messages":[]}"#).unwrap();
    assert_eq!(
        (v1.messages.len(), v1.next, v1.approximate_count),
        (0, None, None)
    );
}

#[test]
fn an_inbox_with_a_bad_id_is_refused_whole() {
    let member = Err(Damage::Member { member: "messages" });
    for body in [
        r#"{"messages":["A",""]}"#,
        r#"{"messages":[1]}"#,
        r#"{"messages":{}}"#,
        "{}",
    ] {
        assert_eq!(parse_inbox(body.as_bytes()), member, "{body}");
    }
    for body in ["", "[]", "null", "<html>", "{\"messages\":[", "\"x\""] {
        assert_eq!(parse_inbox(body.as_bytes()), Err(Damage::NotJson), "{body}");
    }
}

#[test]
fn a_message_id_of_either_version() {
    for body in [r#"{"message_id":"M1"}"#, r#"{"messageID":"M1","x":null}"#] {
        assert_eq!(parse_message_id(body.as_bytes()).unwrap().as_str(), "M1");
    }
    let missing = Err(Damage::Member {
        member: "message_id",
    });
    for body in [
        r#"{"message_id":null}"#,
        r#"{"message_id":""}"#,
        r#"{"message_id":7}"#,
        "{}",
    ] {
        assert_eq!(parse_message_id(body.as_bytes()), missing, "{body}");
    }
}

#[test]
fn tracking_of_version_2() {
    let body = br#"{"message_id":"M1","local_id":"L1","workflow_id":"W","status":"acknowledged",
        "status_success":true,"upload_timestamp":"2026-11-21T19:15:44.653688",
        "expiry_time":"20261126191544","recipient":"ygm24gp1","recipient_name":"Practice",
        "recipient_ods_code":"A99991","status_code":"00"}"#;
    let tracking = parse_tracking(body).unwrap();
    assert_eq!(tracking.status, TrackingStatus::Acknowledged);
    assert_eq!(tracking.is_success, Some(true));
    assert_eq!(tracking.recipient.unwrap().as_str(), "YGM24GP1");
    assert_eq!(
        tracking.uploaded_at.unwrap().timestamp_subsec_micros(),
        653_688
    );
    assert_eq!(tracking.expires_at, "2026-11-26T19:15:44Z".parse().ok());
    assert!(tracking.status_code.unwrap().is_success());
}

#[test]
fn tracking_of_version_1() {
    let body =
        br#"{"messageId":"M1","localId":"L1","status":"Undeliverable","statusSuccess":"ERROR",
        "uploadTimestamp":"20261121191544","meshRecipientOdsCode":"A99991","fileSize":10,
        "failureDiagnostic":"not collected","statusCode":null,"recipientName":""}"#;
    let tracking = parse_tracking(body).unwrap();
    assert_eq!(tracking.status, TrackingStatus::Undeliverable);
    assert_eq!(tracking.is_success, Some(false));
    assert_eq!(tracking.description.as_deref(), Some("not collected"));
    assert_eq!(tracking.recipient_ods_code.unwrap().as_str(), "A99991");
    assert_eq!(
        (tracking.status_code, tracking.recipient_name),
        (None, None)
    );
}

#[test]
fn tracking_needs_an_id_and_nothing_else() {
    let tracking = parse_tracking(br#"{"message_id":"M1"}"#).unwrap();
    assert_eq!(tracking.status, TrackingStatus::Other(String::new()));
    assert_eq!(
        parse_tracking(b"{}"),
        Err(Damage::Member {
            member: "message_id"
        })
    );
}

#[test]
fn a_lookup_of_either_version() {
    let v2 = br#"{"results":[{"mailbox_id":"a1","mailbox_name":null},{"mailbox_id":"B2","mailbox_name":"B"}]}"#;
    let found = parse_lookup(v2).unwrap();
    assert_eq!(found[0].mailbox.as_str(), "A1");
    assert_eq!(
        (found[0].name.as_deref(), found[1].name.as_deref()),
        (None, Some("B"))
    );
    let v1 = br#"{"query_id":"q","results":[{"address":"A1","description":"d","endpoint_type":"MESH"}]}"#;
    assert_eq!(parse_lookup(v1).unwrap()[0].name.as_deref(), Some("d"));
    assert!(parse_lookup(br#"{"results":[]}"#).unwrap().is_empty());
    let single = br#"{"results":{"mailbox_id":"A1"}}"#;
    assert_eq!(parse_lookup(single).unwrap()[0].mailbox.as_str(), "A1");
}

#[test]
fn a_lookup_with_an_unreadable_mailbox_is_refused_whole() {
    let body = br#"{"results":[{"mailbox_id":"A1"},{"mailbox_id":"../x"}]}"#;
    assert_eq!(
        parse_lookup(body),
        Err(Damage::Member { member: "results" })
    );
}

proptest! {
    #[test]
    fn no_body_makes_a_reader_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = (parse_inbox(&body), parse_tracking(&body), parse_lookup(&body), parse_message_id(&body));
    }

    #[test]
    fn no_value_makes_a_reader_panic(name in "(messages|results|message_id|status|links|expiry_time)", text in "\\PC{0,30}", number in any::<f64>()) {
        for value in [serde_json::json!(text), serde_json::json!(number), serde_json::json!([text]), serde_json::json!({ "next": text })] {
            let body = serde_json::json!({ "messageID": "M1", name.as_str(): value }).to_string();
            let _ = (parse_inbox(body.as_bytes()), parse_tracking(body.as_bytes()), parse_lookup(body.as_bytes()));
        }
    }
}
