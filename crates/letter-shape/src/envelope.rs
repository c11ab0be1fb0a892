use chrono::{DateTime, Utc};
use kettering_xml::{MessageStatus, Urgency};
use nhs_types::OdsCode;

/// What a letter itself does not know: ids, link codes, addressee, times.
///
/// The same letter in the same envelope gives the same bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Envelope {
    /// `MsgId`: a UUID or another text, unique for each message.
    pub msg_id: String,
    /// `ReportID`: unique for each version of a document.
    pub report_id: String,
    /// The sender's link code: a mailbox or an ODS code.
    pub sender_link: String,
    /// The recipient's link code: a mailbox or an ODS code.
    pub recipient_link: String,
    /// The trust.
    pub trust: OdsCode,
    /// The trust's name.
    pub trust_name: String,
    /// The practice the copy goes to, which routing decided.
    pub practice: OdsCode,
    /// The practice's name, if known.
    pub practice_name: Option<String>,
    /// When the message is prepared.
    pub prepared_at: DateTime<Utc>,
    /// Whether the practice is to see it first.
    pub urgency: Urgency,
    /// Whether it is a real letter.
    pub status: MessageStatus,
    /// The department's name: practices file by it.
    pub department: String,
    /// The department's own code, if any.
    pub department_code: Option<String>,
    /// The number the receiver gave the department, 0 to 9999.
    pub source_type: u16,
}

impl Envelope {
    /// A live envelope of normal urgency, with the ODS codes as link codes and source type 1.
    pub fn new(
        msg_id: &str,
        report_id: &str,
        trust: (OdsCode, &str),
        practice: OdsCode,
        department: &str,
        prepared_at: DateTime<Utc>,
    ) -> Self {
        let (trust, trust_name) = trust;
        Self {
            msg_id: msg_id.to_owned(),
            report_id: report_id.to_owned(),
            sender_link: trust.as_str().to_owned(),
            recipient_link: practice.as_str().to_owned(),
            trust,
            trust_name: trust_name.to_owned(),
            practice,
            practice_name: None,
            prepared_at,
            urgency: Urgency::Normal,
            status: MessageStatus::Live,
            department: department.to_owned(),
            department_code: None,
            source_type: 1,
        }
    }
}
