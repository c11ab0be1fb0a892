//! An XML parser that is not ours reads what we build, and finds the same letter.

use std::io::Write as _;
use std::process::{Command, Stdio};

use kettering_xml::{Encoding, Payload, Profile, build};

use crate::support::message;

const SCRIPT: &str = "import sys, xml.etree.ElementTree as e
r = e.fromstring(sys.stdin.buffer.read())
t = lambda p: r.find(p).text
sys.stdout.buffer.write('|'.join([r.tag, t('PatientMatchingInfo/PersonName_s/StructPersonName/FamilyName'),
  t('ClinicalReport/TextItem/TextBlock')]).encode('utf-8'))
";

fn read_by_python(bytes: &[u8]) -> Option<String> {
    let child = Command::new("python3")
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        println!("skipped: python3 (not present)");
        return None;
    };
    child.stdin.take().unwrap().write_all(bytes).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "python3 refuses the message");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn python_reads_the_same() {
    for encoding in [Encoding::Utf8, Encoding::Latin1] {
        let mut profile = Profile::default();
        profile.encoding = encoding;
        profile.doctype = encoding == Encoding::Latin1;
        profile.payload_kinds = vec![
            kettering_xml::PayloadKind::Html,
            kettering_xml::PayloadKind::Text,
        ];
        for payload in [
            Payload::Html("<p>5 µg &amp; é ]]> x</p>".to_owned()),
            Payload::Text("ŷ ≥ 5 & < 6 ]]> \"q\"".to_owned()),
        ] {
            let mut message = message();
            message.patient.name =
                nhs_types::PersonName::new("Tŷ & Söhne <x>", Some("A"), None).unwrap();
            message.payload = payload;
            let built = build(&message, &profile).unwrap();
            let body = String::from_utf8(message.payload.bytes().to_vec()).unwrap();
            let expected = format!("ReportMsg|Tŷ & Söhne <x>|{body}");
            if let Some(read) = read_by_python(&built.bytes) {
                assert_eq!(read, expected);
            }
        }
    }
}
