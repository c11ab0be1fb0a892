//! Names, codes and addresses as reports and Word letters write them.

use nhs_types::{OdsCode, Postcode, Sensitive};

use crate::{GpFacts, PatientFacts};

/// A person's name, taken apart.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) family: String,
    pub(crate) given: Option<String>,
    pub(crate) title: Option<String>,
}

const TITLES: &[&str] = &[
    "mr",
    "mrs",
    "ms",
    "miss",
    "mx",
    "master",
    "dr",
    "prof",
    "professor",
    "sir",
    "dame",
    "lady",
    "lord",
    "rev",
    "sister",
    "nurse",
    "baby",
];

/// Takes a name apart: `SURNAME,GIVEN`, or title, given names, then the surname in capitals.
pub(crate) fn person(text: &str) -> Option<Name> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if let Some((family, given)) = text.split_once(',') {
        return Some(Name {
            family: filled(family)?,
            given: filled(given),
            title: None,
        });
    }
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let title = words
        .first()
        .filter(|word| words.len() > 1 && is_title(word))
        .map(|word| (*word).to_owned());
    if title.is_some() {
        words.remove(0);
    }
    let capitals = words
        .iter()
        .rev()
        .take_while(|word| is_surname(word))
        .count();
    let split = match capitals {
        0 => words.len() - 1,
        all if all == words.len() => words.len() - 1,
        some => words.len() - some,
    };
    let (given, family) = words.split_at_checked(split)?;
    Some(Name {
        family: filled(&family.join(" "))?,
        given: filled(&given.join(" ")),
        title,
    })
}

fn filled(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

fn is_title(word: &str) -> bool {
    let word = word.trim_end_matches('.').to_ascii_lowercase();
    TITLES.contains(&word.as_str())
}

/// More than one letter, and none of them small: `PATEL`, `O'NEILL`, but not the initial `A`.
fn is_surname(word: &str) -> bool {
    let letters = word.chars().filter(|c| c.is_alphabetic()).count();
    letters > 1 && !word.chars().any(char::is_lowercase)
}

/// Splits `Dr A PATEL (G9990011)` into the name and the code.
pub(crate) fn name_and_code(text: &str) -> (&str, Option<&str>) {
    let text = text.trim();
    let inner = text
        .strip_suffix(')')
        .and_then(|rest| rest.rsplit_once('('));
    match inner {
        Some((name, code)) if !code.trim().is_empty() => (name.trim(), Some(code.trim())),
        _ => (text, None),
    }
}

pub(crate) fn set_patient_name(patient: &mut PatientFacts, text: &str) {
    let Some(name) = person(text) else { return };
    patient.family = Some(Sensitive::new(name.family));
    patient.given = name.given.map(Sensitive::new);
    patient.title = name.title.map(Sensitive::new);
}

/// Whether a text names a GP: it has a code, or begins with a title.
pub(crate) fn names_a_gp(text: &str) -> bool {
    let (name, code) = name_and_code(text);
    person(name).is_some_and(|name| code.is_some() || name.title.is_some())
}

/// Sets the GP from `Dr A PATEL (G9990011)`. Text without a code or a title, such as
/// `NO REGISTERED GP`, names nobody.
pub(crate) fn set_gp(gp: &mut GpFacts, text: &str) {
    let (name, code) = name_and_code(text);
    let Some(name) = person(name).filter(|_| names_a_gp(text)) else {
        return;
    };
    gp.gp_code = code.map(str::to_owned);
    gp.gp_family = Some(name.family);
    gp.gp_given = name.given;
    gp.gp_title = name.title;
}

/// Sets the practice from `HAWTHORN MEDICAL CENTRE (Y99901)`; a code of the wrong shape is none.
pub(crate) fn set_practice(gp: &mut GpFacts, text: &str) {
    let (name, code) = name_and_code(text);
    gp.practice_name = filled(name);
    gp.practice_code = code
        .and_then(|code| OdsCode::parse(code).ok())
        .map(|code| code.as_str().to_owned());
}

/// Sets the address from text with lines or commas; a last part that is a postcode is one.
pub(crate) fn set_address(patient: &mut PatientFacts, text: &str) {
    let parts = text.split(['\n', ',']).filter_map(filled);
    set_address_lines(patient, parts.collect());
}

pub(crate) fn set_address_lines(patient: &mut PatientFacts, mut lines: Vec<String>) {
    let last = lines.last();
    if last.is_some_and(|last| Postcode::parse(last).is_ok()) {
        patient.postcode = lines.pop().map(Sensitive::new);
    }
    patient.address = Sensitive::new(lines);
}

/// Drops spaces and hyphens from an NHS number.
pub(crate) fn nhs_digits(text: &str) -> Option<Sensitive<String>> {
    let digits: String = text
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .collect();
    (!digits.is_empty()).then(|| Sensitive::new(digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (Option<String>, Option<String>, String) {
        let name = person(text).unwrap();
        (name.title, name.given, name.family)
    }

    fn expect(title: &str, given: &str, family: &str) -> (Option<String>, Option<String>, String) {
        (filled(title), filled(given), family.to_owned())
    }

    #[test]
    fn section_2_names_split_on_the_first_comma() {
        assert_eq!(
            parts("ASHWORTH,MARGARET JEAN"),
            expect("", "MARGARET JEAN", "ASHWORTH")
        );
        assert_eq!(
            parts("O'CONNOR-DALE, SIOBHAN"),
            expect("", "SIOBHAN", "O'CONNOR-DALE")
        );
        assert_eq!(parts("LE GRAND,AMÉLIE"), expect("", "AMÉLIE", "LE GRAND"));
    }

    #[test]
    fn section_2_names_without_a_comma() {
        assert_eq!(parts("Mr Luc TREMBLAY"), expect("Mr", "Luc", "TREMBLAY"));
        assert_eq!(parts("Dr A PATEL"), expect("Dr", "A", "PATEL"));
        assert_eq!(parts("Mr Łukasz ZAJĄC"), expect("Mr", "Łukasz", "ZAJĄC"));
        assert_eq!(
            parts("Mrs Ana Rita DE SOUZA"),
            expect("Mrs", "Ana Rita", "DE SOUZA")
        );
        assert_eq!(parts("Mary Jane Smith"), expect("", "Mary Jane", "Smith"));
        assert_eq!(parts("MARY SMITH"), expect("", "MARY", "SMITH"));
        assert_eq!(parts("Prince"), expect("", "", "Prince"));
    }

    #[test]
    fn section_2_practices_and_gps() {
        let mut gp = GpFacts::default();
        set_practice(&mut gp, "ST OSWALD'S PRACTICE (Y99903)");
        set_gp(&mut gp, "Dr M LEWIS-GRANT (G9990037)");
        assert_eq!(gp.practice_code.as_deref(), Some("Y99903"));
        assert_eq!(gp.practice_name.as_deref(), Some("ST OSWALD'S PRACTICE"));
        assert_eq!(gp.gp_family.as_deref(), Some("LEWIS-GRANT"));
        assert_eq!(gp.gp_given.as_deref(), Some("M"));

        let mut none = GpFacts::default();
        set_gp(&mut none, "NO REGISTERED GP");
        set_practice(&mut none, "");
        assert_eq!(none, GpFacts::default());
        set_practice(&mut none, "SOMEWHERE (not known)");
        assert_eq!(none.practice_code, None);
    }

    #[test]
    fn section_2_the_last_part_of_an_address_is_the_postcode() {
        let mut patient = PatientFacts::default();
        set_address(&mut patient, "14 Mill Lane, Northmoor, NM1 4ZZ");
        assert_eq!(patient.address.expose(), &["14 Mill Lane", "Northmoor"]);
        assert_eq!(patient.postcode.unwrap().expose(), "NM1 4ZZ");
    }
}
