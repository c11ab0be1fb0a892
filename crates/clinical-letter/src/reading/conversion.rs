//! From what a source says to a letter.

use nhs_types::{
    Address, NhsNumber, OdsCode, ParseAddressError, ParseNhsNumberError, ParseOdsCodeError,
    ParsePersonNameError, PersonName, Postcode, Sensitive,
};

use crate::letter::{Letter, LetterDocument, LetterError, Patient, SourcePractice};
use crate::{DocumentKind, GpFacts, PatientFacts, Reason, SourceDocument};

/// What keeps a document from being a letter. None of the texts holds patient data.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConversionError {
    #[error(transparent)]
    NhsNumber(#[from] ParseNhsNumberError),
    #[error("patient name: {0}")]
    Name(#[from] ParsePersonNameError),
    #[error("patient address: {0}")]
    Address(#[from] ParseAddressError),
    #[error("practice: {0}")]
    Practice(#[from] ParseOdsCodeError),
    #[error("{0} is missing")]
    Missing(&'static str, Reason),
    #[error(transparent)]
    Letter(#[from] LetterError),
}

impl ConversionError {
    pub(crate) const fn reason(&self) -> Reason {
        match self {
            Self::NhsNumber(_) => Reason::NhsNumberInvalid,
            Self::Name(_) | Self::Address(_) => Reason::NoPatient,
            Self::Practice(_) => Reason::NoGpPractice,
            Self::Missing(_, reason) => *reason,
            Self::Letter(LetterError::NoDocumentNumber) => Reason::NoDocumentNumber,
            Self::Letter(LetterError::Cancellation) => Reason::Cancelled,
            Self::Letter(_) => Reason::IncompleteDocument,
        }
    }
}

pub(crate) fn letter(
    source: &SourceDocument,
    version: Option<&str>,
) -> Result<Letter, ConversionError> {
    let letter = Letter {
        patient: patient(&source.patient)?,
        practice: practice(&source.gp)?,
        document: document(source, version)?,
        author: source.author.clone(),
        encounter: source.encounter.clone(),
        sections: source.sections.clone(),
        cc: source.cc.clone(),
        attachment: source.attachment.clone(),
        change_reason: source.change_reason.clone(),
        images: source.images,
    };
    Ok(letter.checked()?)
}

fn patient(facts: &PatientFacts) -> Result<Patient, ConversionError> {
    use ConversionError::Missing;
    let number = facts.nhs_number.as_ref();
    let number = number.ok_or(Missing("the NHS number", Reason::NoPatient))?;
    let lines = facts.address.expose().iter().map(String::as_str);
    let postcode = facts.postcode.as_ref().map(|code| code.expose().as_str());
    let parsed = postcode.and_then(|code| Postcode::parse(code).ok());
    let unparsed = postcode.filter(|_| parsed.is_none());
    Ok(Patient {
        nhs_number: NhsNumber::parse(number.expose())?,
        name: PersonName::new(
            text(facts.family.as_ref()).unwrap_or_default(),
            text(facts.given.as_ref()),
            text(facts.title.as_ref()),
        )?,
        birth_date: facts
            .dob
            .ok_or(Missing("the date of birth", Reason::BirthDateInvalid))?,
        sex: facts.sex,
        address: Address::new(lines.chain(unparsed), parsed)?,
        hospital_number: facts.hospital_number.clone(),
    })
}

fn text(value: Option<&Sensitive<String>>) -> Option<&str> {
    value.map(|value| value.expose().as_str())
}

fn practice(gp: &GpFacts) -> Result<SourcePractice, ConversionError> {
    let family = gp.gp_family.as_deref();
    Ok(SourcePractice {
        code: gp
            .practice_code
            .as_deref()
            .map(OdsCode::parse)
            .transpose()?,
        name: gp.practice_name.clone(),
        gp_code: gp.gp_code.clone(),
        gp_name: family.and_then(|family| {
            PersonName::new(family, gp.gp_given.as_deref(), gp.gp_title.as_deref()).ok()
        }),
    })
}

fn document(
    source: &SourceDocument,
    version: Option<&str>,
) -> Result<LetterDocument, ConversionError> {
    use ConversionError::Missing;
    let facts = &source.document;
    let signed_at = facts
        .signed_at
        .ok_or(Missing("the time of signing", Reason::NotAuthenticated))?;
    let id = facts.unique_id.clone();
    let kind = facts.kind.clone().unwrap_or(DocumentKind::HospitalLetter);
    Ok(LetterDocument {
        id: id.ok_or(Missing("the document number", Reason::NoDocumentNumber))?,
        version: version.map(str::to_owned),
        parent: facts.parent_id.clone(),
        relation: facts.relation,
        title: facts
            .title
            .clone()
            .unwrap_or_else(|| Sensitive::new(kind.title().to_owned())),
        kind,
        event_date: facts
            .document_date
            .unwrap_or_else(|| signed_at.date_naive()),
        event_at: facts.event_at,
        signed_at,
    })
}
