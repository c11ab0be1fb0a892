use nhs_types::{Address, BirthDate, NhsNumber, ParseNhsNumberError, PersonName, Postcode, Sex};

use super::nhs_number_or_dummy;
use crate::date;
use crate::names::{ID_TYPE, ID_VALUE, NO_NHS_NUMBER};
use crate::rule::{Findings, V02, V04, V05, V06, V07, V12};
use crate::schema::{AttributeSpec, Need, Spec};
use crate::{Element, Limits};

/// Who the letter is about: `PatientMatchingInfo` (facts 3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Patient {
    /// The NHS number. Without one the profile must allow the dummy, and no system matches.
    pub nhs_number: Option<NhsNumber>,
    /// The current name; the format needs a given name.
    pub name: PersonName,
    /// The date of birth.
    pub birth_date: BirthDate,
    /// The sex, if it is told.
    pub sex: Option<Sex>,
    /// The current address, if it is told; its first lines are sent.
    pub address: Option<Address>,
}

impl Patient {
    /// A patient of whom name and date of birth are known.
    pub const fn new(name: PersonName, birth_date: BirthDate) -> Self {
        Self {
            nhs_number: None,
            name,
            birth_date,
            sex: None,
            address: None,
        }
    }

    pub(crate) fn compose(&self) -> Element {
        let number = nhs_number_or_dummy(self.nhs_number.as_ref());
        let id = Element::new("Id")
            .child(Element::leaf(ID_TYPE, NHS))
            .child(Element::leaf(ID_VALUE, number));
        let birth_date = self.birth_date.expose().format("%Y%m%d").to_string();
        let sex = self.sex.map(|sex| sex.nhs_code().to_string());
        Element::new(SPEC_NAME)
            .child(Element::new("PatientId").child(id))
            .child(self.compose_name())
            .child(Element::leaf(BIRTH_DATE, &birth_date))
            .maybe(sex.map(|code| Element::leaf(SEX, &code)))
            .maybe(self.address.as_ref().and_then(compose_address))
    }

    fn compose_name(&self) -> Element {
        let name = self.name.expose();
        let parts = Element::new(STRUCT_PERSON_NAME)
            .child(Element::leaf("FamilyName", name.family))
            .maybe(name.given.map(|given| Element::leaf("GivenName", given)))
            .maybe(name.title.map(|title| Element::leaf("Title", title)));
        Element::new(PERSON_NAME)
            .child(Element::leaf("PersonNameType", "CU"))
            .child(parts)
    }

    pub(crate) fn read(block: &Element) -> Option<Self> {
        let name = block.find(PERSON_NAME)?.find(STRUCT_PERSON_NAME)?;
        let family = name.text_at("FamilyName")?;
        let name =
            PersonName::new(family, name.text_at("GivenName"), name.text_at("Title")).ok()?;
        let born = date::read(block.text_at(BIRTH_DATE)?)?;
        let numbers = ids(block).filter(|(kind, _)| *kind == NHS);
        Some(Self {
            nhs_number: numbers.filter_map(|(_, n)| NhsNumber::parse(n).ok()).next(),
            name,
            birth_date: BirthDate::from_date(born.date).ok()?,
            sex: block.text_at(SEX).and_then(Sex::from_code),
            address: block.find(ADDRESS).and_then(read_address),
        })
    }
}

fn compose_address(address: &Address) -> Option<Element> {
    let lines = address
        .expose_lines()
        .iter()
        .take(Limits::ADDRESS_LINES_MAX);
    let lines = lines.map(|line| Element::leaf("UnstructAddressLine", line));
    let unstructured = lines.fold(Element::new("UnstructAddress"), Element::child);
    let some_line = !unstructured.children().is_empty();
    let postcode = address.postcode().map(Postcode::expose);
    (!address.is_empty()).then(|| {
        Element::new(ADDRESS)
            .with("AddrType", "Current")
            .maybe(postcode.map(|code| Element::leaf("PostCode", code)))
            .maybe(some_line.then_some(unstructured))
    })
}

fn read_address(block: &Element) -> Option<Address> {
    let lines = block.find_all("UnstructAddress/UnstructAddressLine");
    let postcode = block
        .text_at("PostCode")
        .and_then(|p| Postcode::parse(p).ok());
    Address::new(lines.iter().map(|line| line.text()), postcode).ok()
}

fn ids(block: &Element) -> impl Iterator<Item = (&str, &str)> {
    let ids = block.find_all("PatientId/Id").into_iter();
    ids.filter_map(|id| Some((id.text_at(ID_TYPE)?, id.text_at(ID_VALUE)?)))
}

pub(crate) const SPEC_NAME: &str = "PatientMatchingInfo";
const PERSON_NAME: &str = "PersonName_s";
const STRUCT_PERSON_NAME: &str = "StructPersonName";
const BIRTH_DATE: &str = "BirthDate";
const SEX: &str = "Sex";
const ADDRESS: &str = "Address_u";
const NHS: &str = "Nhs";
const CHI: &str = "CHI";
const ID_TYPES: [&str; 4] = [NHS, CHI, "Requester", "Provider"];

pub(crate) const SPEC: Spec = Spec::required(SPEC_NAME).of(&[
    Spec::required("PatientId").of(&[Spec::required("Id")
        .repeating()
        .of(&[Spec::required(ID_TYPE), Spec::required(ID_VALUE)])]),
    Spec::required(PERSON_NAME).repeating().of(&[
        Spec::required("PersonNameType").one_of(&["CU"]),
        Spec::required(STRUCT_PERSON_NAME).of(&[
            Spec::vital("FamilyName").at_most(50),
            Spec::vital("GivenName").at_most(50),
            Spec::optional("Title"),
        ]),
    ]),
    Spec::vital(BIRTH_DATE),
    Spec::optional(SEX).one_of(&["0", "1", "2", "9"]),
    Spec::optional(ADDRESS)
        .with(&[AttributeSpec {
            name: "AddrType",
            need: Need::Optional,
            values: &["Current"],
        }])
        .of(&[
            Spec::optional("PostCode"),
            Spec::optional("UnstructAddress")
                .of(&[Spec::optional("UnstructAddressLine").repeating()]),
        ]),
]);

/// `K-V02` to `K-V07` and `K-V12` of the patient.
pub(crate) fn check(root: &Element, findings: &mut Findings<'_>) {
    let Some(block) = root.find(SPEC_NAME) else {
        return;
    };
    for (kind, value) in ids(block) {
        check_id(kind, value, findings);
    }
    check_birth_date(root, block, findings);
}

fn check_id(kind: &str, value: &str, findings: &mut Findings<'_>) {
    let place = "PatientMatchingInfo/PatientId/Id";
    if !ID_TYPES.contains(&kind) {
        findings.add(
            V07,
            place,
            "IdType: expected exactly Nhs, CHI, Requester or Provider",
        );
    }
    if !kind.eq_ignore_ascii_case(NHS) && !kind.eq_ignore_ascii_case(CHI) {
        return;
    }
    let digits: String = value.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
    let allowed = findings
        .purpose
        .profile()
        .is_some_and(|p| p.allow_missing_nhs_number);
    match NhsNumber::parse(&digits) {
        _ if digits == NO_NHS_NUMBER && kind.eq_ignore_ascii_case(NHS) => {
            let message = "ten nines: no NHS number, so no system matches the patient by itself";
            if allowed {
                findings.add_as(V06, nhs_types::Severity::Warning, place, message);
            } else {
                findings.add(V06, place, message);
            }
        }
        Err(ParseNhsNumberError::CheckDigit | ParseNhsNumberError::Placeholder) => {
            findings.add(
                V05,
                place,
                "the check digit does not hold, or all digits are equal",
            );
        }
        Ok(_) if digits == value => {}
        _ => findings.add(V04, place, "not 10 digits without spaces"),
    }
}

fn check_birth_date(root: &Element, block: &Element, findings: &mut Findings<'_>) {
    let place = "PatientMatchingInfo/BirthDate";
    date::check_at(root, place, findings);
    let born = block.text_at(BIRTH_DATE).and_then(date::read);
    let Some(born) = born else { return };
    if born.time.is_some() {
        findings.add(V02, place, "a date of birth has no time: CCYYMMDD");
    }
    let paths = ["ClinicalReport/EventDate", "MsgIssueDate"];
    let mut known = paths
        .iter()
        .filter_map(|path| date::read(root.text_at(path)?));
    if known.next().is_some_and(|event| event.date < born.date) {
        findings.add(V12, place, "the date of birth lies after the event");
    }
}
