//! One file for each block of the format: its type, its table, its rules, writing and reading.

pub(crate) mod classic;
pub(crate) mod clinical_report;
pub(crate) mod coded_data;
pub(crate) mod header;
pub(crate) mod parties;
pub(crate) mod patient;
pub(crate) mod reporting_information;

use nhs_types::NhsNumber;

use crate::names::{PARTIES, REPORT_MSG};
use crate::payload::Payload;
use crate::rule::Findings;
use crate::schema::Spec;
use crate::{ClinicalReport, Dialect, Element, Header, Patient, RecipientParty, SenderParty};

/// A message whose every value is valid by itself; it mirrors the format, block by block.
///
/// ```
/// use chrono::NaiveDate;
/// use kettering_xml::{
///     ClinicalReport, Clinician, EventTime, Header, Message, Patient, Payload, Profile,
///     RecipientParty, SenderParty,
/// };
/// use nhs_types::{BirthDate, NhsNumber, OdsCode, PersonName};
///
/// let day = NaiveDate::from_ymd_opt(2026, 11, 18).unwrap();
/// let issued = day.and_hms_opt(14, 5, 0).unwrap();
/// let mut patient = Patient::new(
///     PersonName::new("TESTCASE", Some("Marigold"), Some("Mrs"))?,
///     BirthDate::parse("1958-03-17")?,
/// );
/// patient.nhs_number = Some(NhsNumber::parse("999 030 8241")?);
/// let trust = OdsCode::parse("RZZ")?;
/// let mut sender = SenderParty::new("General Medicine", trust, "Example Valley NHS Trust");
/// sender.clinician = Some(Clinician::new("Miss P Placeholder"));
/// let report = ClinicalReport::new("doc-17-v1", "Clinic Letter", 2, EventTime::day(day), issued);
/// let message = Message::new(
///     Header::new("7b0f7c52-6f0b-4d37-9a53-2f5f2b0f7a11", issued, "RZZHC001", "Y99001GP01"),
///     patient,
///     RecipientParty::new(OdsCode::parse("Y99001")?),
///     sender,
///     report,
///     Payload::Html("<html><body><p>Seen today.</p></body></html>".to_owned()),
/// );
/// let built = kettering_xml::build(&message, &Profile::default())?;
/// assert!(built.bytes.starts_with(b"<?xml"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Message {
    /// Message ids, link codes, urgency (`MsgId` to `ServiceProvider`).
    pub header: Header,
    /// `PatientMatchingInfo`.
    pub patient: Patient,
    /// The receiving party, key 1.
    pub recipient: RecipientParty,
    /// The sending party, key 2.
    pub sender: SenderParty,
    /// The metadata of the document in `ClinicalReport`.
    pub report: ClinicalReport,
    /// The document itself, in `TextBlock`.
    pub payload: Payload,
}

impl Message {
    /// Joins the blocks.
    pub const fn new(
        header: Header,
        patient: Patient,
        recipient: RecipientParty,
        sender: SenderParty,
        report: ClinicalReport,
        payload: Payload,
    ) -> Self {
        Self {
            header,
            patient,
            recipient,
            sender,
            report,
            payload,
        }
    }

    /// The tree in the EDT dialect; `block` is the text of `TextBlock`.
    pub(crate) fn compose(&self, block: &str) -> Element {
        let parties = Element::new(PARTIES)
            .child(self.recipient.compose())
            .child(self.sender.compose());
        self.header
            .compose(Element::new(REPORT_MSG))
            .child(self.patient.compose())
            .child(parties)
            .child(self.report.compose(block))
    }

    /// The message in a tree of the EDT dialect, if every value it needs is there and valid.
    pub(crate) fn read(root: &Element, payload: Payload) -> Option<Self> {
        Some(Self {
            header: Header::read(root)?,
            patient: Patient::read(root.find(patient::SPEC_NAME)?)?,
            recipient: RecipientParty::read(parties::recipient_of(root)?)?,
            sender: SenderParty::read(parties::sender_of(root)?)?,
            report: ClinicalReport::read(root)?,
            payload,
        })
    }
}

/// The NHS number for the header of a message, or the dummy.
pub(crate) fn nhs_number_or_dummy(number: Option<&NhsNumber>) -> &str {
    number.map_or(crate::names::NO_NHS_NUMBER, NhsNumber::expose)
}

/// The dialect of a tree by its marks (facts, section 1).
pub(crate) fn dialect_of(root: &Element) -> Option<Dialect> {
    let parties = root.find(PARTIES).is_some();
    let agents = root.find(crate::names::AGENTS_DIRECTORY).is_some();
    match (parties, agents) {
        (true, true) => Some(Dialect::Hybrid),
        (true, false) => Some(Dialect::Edt),
        (false, true) => Some(Dialect::Classic),
        (false, false) => None,
    }
}

/// The table of the root element.
pub(crate) const fn spec_of(dialect: Dialect) -> Spec {
    let root = Spec::required(REPORT_MSG).with(header::ATTRIBUTES);
    match dialect {
        Dialect::Edt => root.of(EDT),
        Dialect::Classic => root.of(CLASSIC),
        Dialect::Hybrid => root.of(HYBRID),
    }
}

const EDT: &[Spec] = &[
    header::MSG_ID_SPEC,
    header::ISSUE_DATE_SPEC,
    header::SENDER_SPEC,
    header::RECIPIENT_SPEC,
    header::REQUESTER_SPEC,
    header::PROVIDER_SPEC,
    patient::SPEC,
    parties::SPEC,
    coded_data::SPEC,
    reporting_information::SPEC,
    clinical_report::SPEC,
];

const CLASSIC: &[Spec] = &[
    header::MSG_ID_SPEC,
    header::ISSUE_DATE_SPEC,
    header::SENDER_SPEC,
    header::RECIPIENT_SPEC,
    header::REQUESTER_SPEC,
    header::PROVIDER_SPEC,
    patient::SPEC,
    classic::AGENTS_SPEC,
    classic::MSG_REF_SPEC,
    classic::REPORTED_SERVICE_SPEC,
    classic::ADMIN_INFO_SPEC,
    clinical_report::CLASSIC_SPEC,
];

const HYBRID: &[Spec] = &[
    header::MSG_ID_SPEC,
    header::ISSUE_DATE_SPEC,
    header::SENDER_SPEC,
    header::RECIPIENT_SPEC,
    header::REQUESTER_SPEC,
    header::PROVIDER_SPEC,
    patient::SPEC,
    parties::SPEC,
    classic::AGENTS_SPEC,
    classic::MSG_REF_SPEC,
    classic::REPORTED_SERVICE_SPEC,
    classic::ADMIN_INFO_SPEC,
    coded_data::SPEC,
    reporting_information::SPEC,
    clinical_report::SPEC,
];

/// Every rule about the tree, block by block.
pub(crate) fn check(root: &Element, dialect: Dialect, findings: &mut Findings<'_>) {
    spec_of(dialect).check(root, "", findings);
    header::check(root, dialect, findings);
    patient::check(root, findings);
    if dialect == Dialect::Classic {
        classic::check(root, findings);
    } else {
        parties::check(root, findings);
        coded_data::check(root, findings);
        clinical_report::check(root, findings);
    }
    clinical_report::check_text_item(root, findings);
}
