use std::path::{Path, PathBuf};

use chrono::{NaiveDate, NaiveDateTime};
use kettering_xml::{
    ClinicalReport, Clinician, EventTime, Header, Message, Patient, Payload, RecipientParty,
    SenderParty,
};
use nhs_types::{Address, BirthDate, NhsNumber, OdsCode, PersonName, Postcode, Sex};

pub(crate) fn data() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

#[expect(clippy::disallowed_methods, reason = "tests read their data")]
pub(crate) fn bytes(file: &Path) -> Vec<u8> {
    std::fs::read(file).unwrap()
}

/// Reference data beside the workspace, which a user's clone does not have.
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?;
    let file = workspace.parent()?.join("shared").join(path);
    if !file.exists() {
        println!("skipped: {path} (not present)");
        return None;
    }
    Some(file)
}

pub(crate) fn day() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 18).unwrap()
}

pub(crate) fn at(hour: u32, minute: u32) -> NaiveDateTime {
    day().and_hms_opt(hour, minute, 0).unwrap()
}

pub(crate) const HTML: &str =
    "<html><body><h1>Clinic letter</h1>\n<p>Seen today.</p></body></html>";

/// A message that no rule has anything against, with everything the format can hold.
pub(crate) fn message() -> Message {
    let name = PersonName::new("TESTCASE", Some("Marigold"), Some("Mrs")).unwrap();
    let mut patient = Patient::new(name, BirthDate::parse("1958-03-17").unwrap());
    patient.nhs_number = Some(NhsNumber::parse("9990308241").unwrap());
    patient.sex = Some(Sex::Female);
    let postcode = Postcode::parse("ZZ99 3CZ").ok();
    patient.address = Address::new(["14 Sample Street", "Exampleton"], postcode).ok();

    let mut recipient = RecipientParty::new(OdsCode::parse("Y99001").unwrap());
    recipient.gp_code = Some("G1234567".to_owned());
    recipient.gp_name = Some("Dr A Specimen".to_owned());
    recipient.practice_name = Some("Exampleton Surgery".to_owned());

    let trust = OdsCode::parse("RZZ").unwrap();
    let mut sender = SenderParty::new("General Medicine", trust, "Example Valley NHS Trust");
    let mut clinician = Clinician::new("Miss P Placeholder");
    clinician.code = Some("C9999998".to_owned());
    sender.clinician = Some(clinician);
    sender.department_code = Some("GENMED".to_owned());

    let event = EventTime::from(at(10, 30));
    let mut report = ClinicalReport::new("doc-17-v1", "Outpatient Letter", 2, event, at(13, 58));
    report.report_code = Some("OUTP".to_owned());
    report.contributor = Some("T Typist".to_owned());
    report.event_end = Some(EventTime::day(day()));

    let id = "7b0f7c52-6f0b-4d37-9a53-2f5f2b0f7a11";
    let header = Header::new(id, at(14, 5), "RZZHC001", "Y99001GP01");
    Message::new(
        header,
        patient,
        recipient,
        sender,
        report,
        Payload::Html(HTML.to_owned()),
    )
}

pub(crate) fn pdf() -> Vec<u8> {
    b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n".to_vec()
}

/// The text of HTML, tags out, references resolved; enough for the corpus.
pub(crate) fn html_words(html: &str) -> String {
    let mut out = String::new();
    for (index, part) in html.split('<').enumerate() {
        let text = if index == 0 {
            part
        } else {
            part.split_once('>').map_or("", |(_, t)| t)
        };
        out.push_str(text);
        out.push(' ');
    }
    while let Some((before, rest)) = out
        .split_once('&')
        .map(|(b, r)| (b.to_owned(), r.to_owned()))
    {
        let Some((name, after)) = rest.split_once(';').filter(|(name, _)| name.len() < 9) else {
            break;
        };
        let value = match name.strip_prefix('#') {
            Some(number) => number
                .parse()
                .ok()
                .and_then(char::from_u32)
                .map(String::from),
            None => kettering_xml::html_entity(name).map(str::to_owned),
        };
        // Resolved ampersands must not be met again.
        let value = value.unwrap_or_default().replace('&', "＆");
        out = format!("{before}{value}{after}");
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}
