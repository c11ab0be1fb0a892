//! Letters of invented patients.

/// A signed clinic letter as report text.
pub(crate) fn report(number: &str, plan: &str) -> String {
    report_for(number, plan, "HAWTHORN MEDICAL CENTRE (Y99901)")
}

pub(crate) fn report_for(number: &str, plan: &str, practice: &str) -> String {
    let signed = "<Electronically signed by Dr Yusuf Abubakar, Consultant>  19/11/26 1432";
    page(number, plan, practice, "", signed)
}

pub(crate) fn draft(number: &str) -> String {
    let practice = "HAWTHORN MEDICAL CENTRE (Y99901)";
    page(
        number,
        "Rest",
        practice,
        "*** DRAFT - NOT YET AUTHENTICATED ***\n",
        "",
    )
}

fn page(number: &str, plan: &str, practice: &str, banner: &str, signed: &str) -> String {
    format!(
        "NORTHMOOR UNIVERSITY HOSPITALS NHS TRUST                  PAGE 1 of 1
RUN DATE: 21/11/26   RUN TIME: 0915   RUN USER: HIM.BKG
------------------------------------------------------------------------
PATIENT: ASHWORTH,MARGARET JEAN                ACCT #: V00099001    LOC: OPD2
NHS No: 999 001 2377     UNIT #: RXX100037    STATUS: REG CLI
DOB: 07/03/1951   SEX: F   REG: 18/11/26
ADDRESS: 14 Mill Lane
         Northmoor
         NM1 4ZZ
CONSULTANT: Dr Yusuf ABUBAKAR (C9990114)
GP: Dr A PATEL (G9990011)
PRACTICE: {practice}
------------------------------------------------------------------------
{banner}OUTPATIENT CLINIC LETTER - RHEUMATOLOGY
CLINIC DATE: 18/11/26

DIAGNOSIS:
Seropositive rheumatoid arthritis

PLAN FOR GP:
{plan}

{signed}

Report #: {number}
Dictated: 18/11/26   Typed: 19/11/26   By: JBL
"
    )
}

/// What of an HL7 message a test may change.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) control: &'static str,
    pub(crate) made_at: &'static str,
    pub(crate) event: &'static str,
    pub(crate) number: String,
    pub(crate) family: &'static str,
    pub(crate) birth: &'static str,
    pub(crate) nhs_number: &'static str,
    pub(crate) practice: &'static str,
    pub(crate) specialty: &'static str,
    pub(crate) completion: &'static str,
    pub(crate) availability: &'static str,
    pub(crate) signed_at: &'static str,
    pub(crate) body: String,
}

impl Message {
    pub(crate) fn new(number: &str, body: &str) -> Self {
        Self {
            control: "CTL0001",
            made_at: "20261119143210",
            event: "T02",
            number: number.to_owned(),
            family: "ASHBY",
            birth: "19620202",
            nhs_number: "9990581398",
            practice: "HAWTHORN MEDICAL CENTRE^^Y99901",
            specialty: "430",
            completion: "AU",
            availability: "AV",
            signed_at: "202611191432",
            body: body.to_owned(),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let Self {
            control,
            made_at,
            event,
            number,
            family,
            birth,
            nhs_number,
            practice,
            specialty,
            completion,
            availability,
            signed_at,
            body,
        } = self;
        let visit =
            format!("PV1|1|O|OPD2^^^RXX||||C9990114^ABUBAKAR^Yusuf^^^Dr^^^GMC|||{specialty}");
        let author = "C9990114^ABUBAKAR^Yusuf^^^Dr^^^GMC";
        let mut segments = vec![
            format!(
                "MSH|^~\\&|MEDITECH|RXX|TIE|RXX|{made_at}||MDM^{event}^MDM_{event}|{control}|P|2.4"
            ),
            format!("EVN|{event}|{made_at}"),
            format!(
                "PID|1||{nhs_number}^^^NHS^NH||{family}^Noor^^^Mrs^^L||{birth}|2|||14 Mill Lane^Northmoor^^^NM1 4ZZ^GBR^H"
            ),
            format!("PD1|||{practice}"),
            visit,
            format!(
                "TXA|1|CL^Clinic letter^L||202611181000|{author}|202611181000|||{author}|||{number}^MEDITECH|||||{completion}||{availability}|||{author}^^^^^^{signed_at}"
            ),
        ];
        if !body.is_empty() {
            segments.push("OBX|1|TX|CL^Clinic letter^L||PLAN FOR GP:||||||F".to_owned());
            segments.push(format!("OBX|2|TX|CL^Clinic letter^L||{body}||||||F"));
        }
        let mut bytes = segments.join("\r").into_bytes();
        bytes.push(b'\r');
        bytes
    }
}

/// A PDF letter in an HL7 message, in chunks.
pub(crate) const PDF_MESSAGE: &[u8] = include_bytes!("../../data/h03-mdm-t02-ed-pdf-chunks.hl7");
/// A signed Word letter.
pub(crate) const WORD: &[u8] = include_bytes!("../../data/w01-headings.docx");
