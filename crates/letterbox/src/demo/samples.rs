//! The sample letters: written for this project, every person in them invented.

/// A document of the demo.
pub(super) struct Sample {
    /// Its name in the folder.
    pub(super) name: &'static str,
    /// What it is, for people.
    pub(super) title: &'static str,
    /// The document number inside.
    pub(super) number: &'static str,
    /// How it is handed over.
    pub(super) by: By,
    /// The bytes.
    pub(super) bytes: &'static [u8],
}

/// How a document is handed over.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Folder,
    Mllp,
}

macro_rules! sample {
    ($file:literal, $title:literal, $number:literal, $by:ident) => {
        Sample {
            name: $file,
            title: $title,
            number: $number,
            by: By::$by,
            bytes: include_bytes!(concat!("../../samples/", $file)),
        }
    };
}

pub(super) const SAMPLES: &[Sample] = &[
    sample!(
        "01-clinic-letter.txt",
        "A clinic letter as report text",
        "1118-0042",
        Folder
    ),
    sample!(
        "02-discharge-summary.txt",
        "A discharge summary of two pages",
        "1026-0007",
        Folder
    ),
    sample!(
        "03-word-letter.docx",
        "A Word letter with tables",
        "W-0002",
        Folder
    ),
    sample!(
        "04-bad-nhs-number.txt",
        "A letter with a wrong NHS number",
        "1118-0170",
        Folder
    ),
    sample!(
        "05-not-for-release.txt",
        "A letter not for release to the GP",
        "1118-0180",
        Folder
    ),
    sample!(
        "06-unsigned-draft.txt",
        "An unsigned draft",
        "1118-0101",
        Folder
    ),
    sample!(
        "07-no-mailbox.txt",
        "A letter for a practice without a mailbox",
        "1118-0210",
        Folder
    ),
    sample!(
        "08-message.hl7",
        "A letter in an HL7 message",
        "1118-1001",
        Mllp
    ),
    sample!(
        "09-message-with-pdf.hl7",
        "A PDF letter in an HL7 message",
        "1118-1003",
        Mllp
    ),
];
