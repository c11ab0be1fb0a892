use super::*;

fn body(message_id: &str) -> InboundBody {
    InboundBody {
        trust: "RXX".to_owned(),
        message_id: message_id.to_owned(),
        mailbox: "RXXOT001".to_owned(),
        from: Some("RYYOT001".to_owned()),
        workflow: "TOC_DISCH_DMS".to_owned(),
        received_at: "2026-11-21T09:14:00Z".to_owned(),
        bytes: 3,
        sha256: "00".repeat(32),
        inbound: "0c".repeat(16),
    }
}

#[test]
fn a_message_as_hl7_carries_its_content_byte_for_byte() {
    let now = "2026-11-21T09:14:00Z".parse().unwrap();
    let text = String::from_utf8(body("M|1").as_hl7(b"<a>", now, true)).unwrap();
    let expected = [
        "MSH|^~\\&|LETTERBOX|RXX|INBOUND|RXX|20261121091400+0000||MDM^T02^MDM_T02|LBI0c0c0c0c0c0c0c0c|P|2.4||||||UNICODE UTF-8",
        "EVN|T02|20261121091400+0000",
        "PID|1",
        "PV1|1|N",
        "TXA|1|TOC_DISCH_DMS||||||||||M\\F\\1",
        "OBX|1|ED|TOC_DISCH_DMS^RYYOT001^99MESH||^application^octet-stream^Base64^PGE+||||||F",
        "",
    ]
    .join("\r");
    assert_eq!(text, expected);
}

#[tokio::test]
async fn a_name_that_could_leave_the_folder_is_replaced_by_our_own() {
    let folder = tempfile::tempdir().unwrap();
    for id in [
        "../../etc/passwd",
        "a/b",
        "a\\b",
        "CON.",
        "",
        &"x".repeat(101),
    ] {
        folder::put(folder.path(), &body(id), b"abc".to_vec())
            .await
            .unwrap();
    }
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let own = "0c".repeat(16);
    assert_eq!(names, [format!("{own}.json"), format!("{own}.message")]);
    folder::put(folder.path(), &body("20261121-AB_1"), b"abc".to_vec())
        .await
        .unwrap();
    let content = std::fs::read(folder.path().join("20261121-AB_1.message")).unwrap();
    assert_eq!(content, b"abc");
}
