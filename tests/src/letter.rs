use std::fmt::Write as _;

use nhs_types::NhsNumber;

/// An NHS number of a test patient: 999, six digits, and a check digit that holds. Different for
/// each `n` below 500,000.
pub fn nhs_number(n: u32) -> String {
    assert!(n < 500_000);
    let try_base = |base: u32| {
        let digits = format!("{base:09}");
        let weighted = digits.bytes().zip((2..=10_u32).rev());
        let sum: u32 = weighted
            .map(|(digit, weight)| u32::from(digit - b'0') * weight)
            .sum();
        match 11 - sum % 11 {
            10 => None,
            11 => Some(format!("{digits}0")),
            check => Some(format!("{digits}{check}")),
        }
    };
    // Of two neighbours at most one has no check digit.
    let base = 999_000_000 + 2 * n;
    try_base(base).or_else(|| try_base(base + 1)).unwrap()
}

/// A letter that reads well, in the forms that record systems hand it over.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Letter {
    /// The document's number.
    pub number: String,
    /// The patient's NHS number.
    pub nhs_number: String,
    /// The patient's family name, in capitals.
    pub family: String,
    /// The patient's given names.
    pub given: String,
    /// Date of birth, `dd/mm/yyyy`.
    pub birth_date: String,
    /// First line of the patient's address.
    pub street: String,
    /// Postcode.
    pub postcode: String,
    /// ODS code of the practice.
    pub practice: String,
    /// The clinical words.
    pub note: String,
    /// Whether the clinician signed it.
    pub signed: bool,
}

impl Letter {
    /// The `n`th letter: document number, NHS number and words of its own; for practice `A99991`.
    pub fn new(n: u32) -> Self {
        Self {
            number: format!("1118-{n:04}"),
            nhs_number: nhs_number(n),
            family: "ASHWORTH".to_owned(),
            given: "MARGARET JEAN".to_owned(),
            birth_date: "07/03/1951".to_owned(),
            street: "14 Mill Lane".to_owned(),
            postcode: "NM1 4ZZ".to_owned(),
            practice: "A99991".to_owned(),
            note: format!(
                "Seen in clinic as visitor {n} of the season. Her disease is controlled."
            ),
            signed: true,
        }
    }

    /// Sets the practice.
    #[must_use]
    pub fn to(mut self, practice: &str) -> Self {
        practice.clone_into(&mut self.practice);
        self
    }

    /// Sets the clinical words.
    #[must_use]
    pub fn saying(mut self, note: &str) -> Self {
        note.clone_into(&mut self.note);
        self
    }

    /// Leaves the signature out: a draft.
    #[must_use]
    pub fn unsigned(mut self) -> Self {
        self.signed = false;
        self
    }

    /// The letter as report text.
    pub fn to_text(&self) -> String {
        let Self {
            family,
            given,
            nhs_number,
            practice,
            ..
        } = self;
        let spaced = NhsNumber::parse(nhs_number).unwrap().spaced();
        let mut text = format!(
            "NORTHMOOR UNIVERSITY HOSPITALS NHS TRUST                  PAGE 1 of 1\n\
             RUN DATE: 21/11/25   RUN TIME: 0915   RUN USER: HIM.BKG\n\
             {line}\n\
             PATIENT: {family},{given}                ACCT #: V00099001    LOC: OPD2\n\
             NHS No: {spaced}     UNIT #: RXX100037    STATUS: REG CLI\n\
             DOB: {}   SEX: F   REG: 18/11/25\n\
             ADDRESS: {}\n         Northmoor\n         {}\n\
             CONSULTANT: Dr Yusuf ABUBAKAR (C9990114)\n\
             GP: Dr A PATEL (G9990011)\n\
             PRACTICE: SAMPLE PRACTICE ({practice})\n\
             {line}\n\
             OUTPATIENT CLINIC LETTER - RHEUMATOLOGY\n\
             CLINIC DATE: 18/11/25\n\n\
             DIAGNOSIS:\nSeropositive rheumatoid arthritis\n\n\
             CLINIC NOTE:\n{}\n\n\
             PLAN FOR GP:\nPlease continue three-monthly FBC, U&E and LFT monitoring.\n\n",
            self.birth_date,
            self.street,
            self.postcode,
            self.note,
            line = "-".repeat(72),
        );
        if self.signed {
            text.push_str(
                "<Electronically signed by Dr Yusuf Abubakar, Consultant Rheumatologist>  \
                 19/11/25 1432\n\n",
            );
        }
        write!(
            text,
            "Report #: {}\nDictated: 18/11/25   Typed: 19/11/25   By: JBL\n",
            self.number
        )
        .unwrap();
        text
    }

    /// The letter as an HL7 message of a type, such as `T02`, with a control id.
    pub fn to_hl7(&self, trigger: &str, control_id: &str) -> Vec<u8> {
        let day = self.birth_date.split('/').rev().collect::<String>();
        let Self {
            number,
            nhs_number,
            family,
            given,
            street,
            postcode,
            practice,
            note,
            ..
        } = self;
        let (completion, availability) = match (self.signed, trigger) {
            (_, "T11") => ("AU", "CA"),
            (true, _) => ("AU", "AV"),
            (false, _) => ("DO", "UN"),
        };
        let signature = if self.signed {
            "C9990114^ABUBAKAR^Yusuf^^^Dr^^^GMC^^^^^^202511191432"
        } else {
            ""
        };
        let mut segments = vec![
            format!(
                "MSH|^~\\&|MEDITECH|RXX|TIE|RXX|20251119143210||MDM^{trigger}^MDM_T02|{control_id}|P|2.4"
            ),
            format!("EVN|{trigger}|20251119143210"),
            format!(
                "PID|1||{nhs_number}^^^NHS^NH~RXX101517^^^RXX^MR||{family}^{given}^^^Mrs^^L||{day}|2|||\
                 {street}^Northmoor^^^{postcode}^GBR^H|||||||||||||||||||||NSTS01"
            ),
            format!("PD1|||SAMPLE PRACTICE^^{practice}|G9990011^PATEL^Anjali^^^Dr^^^GMP"),
            "PV1|1|O|OPD2^^^RXX||||C9990114^ABUBAKAR^Yusuf^^^Dr^^^GMC|||430|||||||||V00099001^^^VISITID".to_owned(),
            format!(
                "TXA|1|CL^Clinic letter^L||202511181000|C9990114^ABUBAKAR^Yusuf^^^Dr^^^GMC|202511181000|||\
                 C9990114^ABUBAKAR^Yusuf^^^Dr|||{number}^MEDITECH|||||{completion}||{availability}|||{signature}"
            ),
        ];
        let lines = [
            "DIAGNOSIS:",
            "Iron deficiency anaemia",
            "",
            "PLAN FOR GP:",
            note,
        ];
        for (index, line) in lines.iter().enumerate() {
            let set = index + 1;
            segments.push(format!("OBX|{set}|TX|CL^Clinic letter^L||{line}||||||F"));
        }
        segments.push(String::new());
        segments.join("\r").into_bytes()
    }

    /// The letter as its source would name the file.
    pub fn file_name(&self) -> String {
        format!("{}.txt", self.number)
    }
}
