use chrono::NaiveDateTime;

use crate::Element;
use crate::date::{self, EventTime};
use crate::names::{CLINICAL_REPORT, MARKUP, TEXT_BLOCK, TEXT_ITEM};
use crate::rule::{Findings, P06, S09, V11, V16};
use crate::schema::{AttributeSpec, Need, Spec};

/// What the document is: the metadata of `ClinicalReport` (facts 3.4). `Debug` does not name the
/// typist.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ClinicalReport {
    /// `ReportID`: unique for each version of a document.
    pub report_id: String,
    /// `ReportType`: the name people see, such as `Discharge Summary`.
    pub report_type: String,
    /// `ReportCode`: a short local code.
    pub report_code: Option<String>,
    /// `ReportSourceType`: the number the EDT server gave the department, 0 to 9999.
    pub source_type: u16,
    /// `ReportContributor`: who typed it.
    pub contributor: Option<String>,
    /// `EventDate`: the event, or the start of the stay.
    pub event_date: EventTime,
    /// `EventDateEnd`: the end of the stay.
    pub event_end: Option<EventTime>,
    /// `DocCreationDate`: when the document was made.
    pub created: EventTime,
}

impl ClinicalReport {
    /// A report of which the required values are known.
    pub fn new(
        report_id: &str,
        report_type: &str,
        source_type: u16,
        event_date: EventTime,
        created: NaiveDateTime,
    ) -> Self {
        Self {
            report_id: report_id.to_owned(),
            report_type: report_type.to_owned(),
            report_code: None,
            source_type,
            contributor: None,
            event_date,
            event_end: None,
            created: created.into(),
        }
    }

    pub(crate) fn compose(&self, block: &str) -> Element {
        let text = |name, value: &Option<String>| {
            let given = value.as_deref().filter(|v| !v.trim().is_empty());
            given.map(|value| Element::leaf(name, value))
        };
        let end = self.event_end.map(|end| end.to_string());
        Element::new(CLINICAL_REPORT)
            .child(Element::leaf("ReportID", &self.report_id))
            .child(Element::leaf("ReportType", &self.report_type))
            .maybe(text("ReportCode", &self.report_code))
            .child(Element::leaf(SOURCE_TYPE, &self.source_type.to_string()))
            .maybe(text("ReportContributor", &self.contributor))
            .child(Element::leaf(EVENT_DATE, &self.event_date.to_string()))
            .maybe(end.map(|end| Element::leaf(EVENT_DATE_END, &end)))
            .child(Element::leaf(CREATED, &self.created.to_string()))
            .child(compose_text_item(block))
    }

    pub(crate) fn read(root: &Element) -> Option<Self> {
        let block = root.find(CLINICAL_REPORT)?;
        let owned = |name| block.text_at(name).map(str::to_owned);
        let at = |name| block.text_at(name).and_then(date::read);
        Some(Self {
            report_id: owned("ReportID")?,
            report_type: owned("ReportType")?,
            report_code: owned("ReportCode"),
            source_type: block.text_at(SOURCE_TYPE)?.parse().ok()?,
            contributor: owned("ReportContributor"),
            event_date: at(EVENT_DATE)?,
            event_end: at(EVENT_DATE_END),
            created: at(CREATED)?,
        })
    }
}

impl std::fmt::Debug for ClinicalReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClinicalReport")
            .field("report_id", &self.report_id)
            .field("report_type", &self.report_type)
            .field("source_type", &self.source_type)
            .finish_non_exhaustive()
    }
}

fn compose_text_item(block: &str) -> Element {
    Element::new(TEXT_ITEM)
        .with("RcStatus", "Current")
        .child(Element::new("Cuid").with("IdScope", "Message"))
        .child(Element::leaf(INDICATOR, MARKUP))
        .child(Element::leaf(TEXT_BLOCK, block))
}

const SOURCE_TYPE: &str = "ReportSourceType";
const EVENT_DATE: &str = "EventDate";
const EVENT_DATE_END: &str = "EventDateEnd";
const CREATED: &str = "DocCreationDate";
const INDICATOR: &str = "TextMarkupIndicator";

// Their absence and number are the matter of K-S09 and K-P01.
const TEXT_ITEM_SPEC: Spec = Spec::optional(TEXT_ITEM)
    .repeating()
    .with(&[AttributeSpec {
        name: "RcStatus",
        need: Need::Optional,
        values: &["Current"],
    }])
    .of(&[
        Spec::optional("Cuid").with(&[AttributeSpec {
            name: "IdScope",
            need: Need::Optional,
            values: &["Message"],
        }]),
        Spec::required(INDICATOR),
        Spec::optional(TEXT_BLOCK).repeating(),
    ]);

pub(crate) const SPEC: Spec = Spec::required(CLINICAL_REPORT).of(&[
    Spec::required("ReportID").at_most(50),
    Spec::required("ReportType").at_most(255),
    Spec::optional("ReportCode").at_most(15),
    Spec::required(SOURCE_TYPE),
    Spec::optional("ReportContributor").at_most(255),
    Spec::required(EVENT_DATE),
    Spec::optional(EVENT_DATE_END),
    Spec::optional("EventUrgencyStatus"),
    Spec::required(CREATED),
    TEXT_ITEM_SPEC,
]);

pub(crate) const CLASSIC_SPEC: Spec = Spec::required(CLINICAL_REPORT).of(&[TEXT_ITEM_SPEC]);

/// The text blocks of a message, in the order of the file.
pub(crate) fn text_blocks(root: &Element) -> Vec<&Element> {
    root.find_all("ClinicalReport/TextItem/TextBlock")
}

/// `K-V02`, `K-V03`, `K-V11`, `K-V16`.
pub(crate) fn check(root: &Element, findings: &mut Findings<'_>) {
    for name in [EVENT_DATE, EVENT_DATE_END, CREATED] {
        date::check_at(root, &format!("{CLINICAL_REPORT}/{name}"), findings);
    }
    let Some(block) = root.find(CLINICAL_REPORT) else {
        return;
    };
    let at = |name| block.text_at(name).and_then(date::read);
    if let (Some(start), Some(end)) = (at(EVENT_DATE), at(EVENT_DATE_END))
        && end.is_before(start)
    {
        let place = "ClinicalReport/EventDateEnd";
        findings.add(V11, place, "the event ends before it begins");
    }
    let number = block.text_at(SOURCE_TYPE).map(str::parse::<u16>);
    if number.is_some_and(|number| !number.is_ok_and(|n| n <= 9999)) {
        let place = "ClinicalReport/ReportSourceType";
        findings.add(V16, place, "a whole number from 0 to 9999");
    }
}

/// `K-S09` and `K-P06`.
pub(crate) fn check_text_item(root: &Element, findings: &mut Findings<'_>) {
    let place = "ClinicalReport/TextItem";
    let count = text_blocks(root).len();
    let items = root.find_all(place).len();
    if count != 1 || items != 1 {
        let message = format!("{items} TextItem with {count} TextBlock in place of one with one");
        findings.add(S09, place, message);
    }
    for indicator in root.find_all("ClinicalReport/TextItem/TextMarkupIndicator") {
        if indicator.text() != MARKUP {
            findings.add(
                P06,
                place,
                format!("TextMarkupIndicator: expected {MARKUP}"),
            );
        }
    }
}
