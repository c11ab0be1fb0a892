//! Whether two places of a document speak of one patient (source-documents section 8).

use chrono::NaiveDate;
use nhs_types::Sensitive;

use crate::PatientFacts;

/// What one place says about who the patient is. It never shows itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) nhs_number: Option<Sensitive<String>>,
    pub(crate) hospital_number: Option<Sensitive<String>>,
    pub(crate) family: Option<Sensitive<String>>,
    pub(crate) born: Option<Sensitive<NaiveDate>>,
}

impl Identity {
    /// Whether the two cannot be one patient: another NHS number; or, where one of the two gives
    /// none, another date of birth, surname or hospital number.
    pub(crate) fn differs_from(&self, other: &Self) -> bool {
        if let (Some(a), Some(b)) = (&self.nhs_number, &other.nhs_number) {
            return a != b;
        }
        differ(self.born.as_ref(), other.born.as_ref())
            || differ(
                folded(self.family.as_ref()).as_ref(),
                folded(other.family.as_ref()).as_ref(),
            )
            || differ(
                folded(self.hospital_number.as_ref()).as_ref(),
                folded(other.hospital_number.as_ref()).as_ref(),
            )
    }

    /// Whether anything at all differs, as two pages of one print never do.
    pub(crate) fn is_other_print_of(&self, other: &Self) -> bool {
        let without_number = Self {
            nhs_number: None,
            ..self.clone()
        };
        self.differs_from(other) || without_number.differs_from(other)
    }
}

impl From<&PatientFacts> for Identity {
    fn from(facts: &PatientFacts) -> Self {
        Self {
            nhs_number: facts.nhs_number.clone(),
            hospital_number: facts.hospital_number.clone(),
            family: facts.family.clone(),
            born: facts.dob.map(|dob| Sensitive::new(dob.expose())),
        }
    }
}

fn folded(text: Option<&Sensitive<String>>) -> Option<String> {
    text.map(|text| text.expose().trim().to_lowercase())
}

fn differ<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
    matches!((a, b), (Some(a), Some(b)) if a != b)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(number: &str, family: &str, hospital: &str) -> Identity {
        let some = |text: &str| (!text.is_empty()).then(|| Sensitive::new(text.to_owned()));
        Identity {
            nhs_number: some(number),
            family: some(family),
            hospital_number: some(hospital),
            born: None,
        }
    }

    #[test]
    fn section_8_the_nhs_number_decides_where_both_give_it() {
        let a = identity("9990012377", "ASHWORTH", "");
        assert!(!a.differs_from(&identity("9990012377", "Ashworth-Hill", "")));
        assert!(a.differs_from(&identity("9990037116", "ASHWORTH", "")));
        assert!(a.is_other_print_of(&identity("9990012377", "Ashworth-Hill", "")));
    }

    #[test]
    fn section_8_else_surname_and_birth_date_decide() {
        let a = identity("9990012377", "ASHWORTH", "RXX1");
        assert!(!a.differs_from(&identity("", "Ashworth", "rxx1")));
        assert!(a.differs_from(&identity("", "Braithwaite", "")));
        assert!(a.differs_from(&identity("", "", "RXX2")));
        assert!(!a.differs_from(&Identity::default()));
    }
}
