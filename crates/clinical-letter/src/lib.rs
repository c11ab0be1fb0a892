//! The signed-off letter in neutral form, and readers for text, Word and HL7 v2.
//!
//! [`read`] takes the bytes that an electronic patient record handed over and gives a
//! [`Reading`] for each message in them: one [`Disposition`] with its [`Reason`], everything the
//! source says as a [`SourceDocument`], and findings with their places. Only a reading whose
//! disposition is `send` becomes a [`Letter`]: doubt is a hold with a reason, never a guess.
//!
//! ```
//! use clinical_letter::{Disposition, ReadOptions, read};
//!
//! let message = concat!(
//!     "MSH|^~\\&|EPR|RXX|TIE|RXX|20261119143210||MDM^T02^MDM_T02|CTL1|P|2.4\r",
//!     "PID|1||9990581398^^^NHS^NH||ASHBY^Noor^^^Mrs||19620202|2\r",
//!     "PD1|||HAWTHORN MEDICAL CENTRE^^Y99901\r",
//!     "TXA|1|CL^Clinic letter||202611181000||||||||1118-1001|||||AU||AV|||",
//!     "C9990114^ABUBAKAR^Yusuf^^^Dr^^^GMC^^^^^^202611191432\r",
//!     "OBX|1|TX|CL||PLAN FOR GP:||||||F\r",
//!     "OBX|2|TX|CL||Ferrous fumarate 210 mg BD \\T\\ recheck FBC||||||F\r",
//! );
//! let reading = read(message.as_bytes(), &ReadOptions::default()).remove(0);
//! assert_eq!(reading.disposition, Disposition::Send);
//!
//! let letter = reading.into_letter().unwrap();
//! assert_eq!(letter.document.id, "1118-1001");
//! assert_eq!(letter.document.signed_at.to_rfc3339(), "2026-11-19T14:32:00+00:00");
//! assert_eq!(letter.sections[0].text.expose(), "Ferrous fumarate 210 mg BD & recheck FBC");
//! assert_eq!(format!("{:?}", letter.patient.nhs_number), "NhsNumber([redacted])");
//! ```
//!
//! # Scope
//!
//! Here: the letter; readers for report text, `.docx` and HL7 v2 (MDM T01 to T11, ORU R01); the
//! sidecar beside a document; MLLP as a codec and acknowledgements. Letters in RTF, Word 97, PDF
//! or HTML have no reader yet and are held with the reason `unsupported-format`; inside an HL7
//! message such a file is an attachment, and whom it names is compared for RTF and Word only.
//!
//! Not here: where a letter goes; sockets, files and clocks; what needs a memory of earlier
//! documents (duplicates, reused control ids, unknown parents, a held letter that is released).
//!
//! | module | holds |
//! | --- | --- |
//! | `letter` | [`Letter`] and its parts |
//! | `source`, `attachment`, `kind` | [`SourceDocument`], [`Attachment`], [`DocumentKind`] |
//! | `reading` | [`Reading`]: judgement, conversion to a letter, JSON |
//! | `disposition` | [`Disposition`], [`Reason`], [`Warning`] |
//! | `sidecar` | [`Sidecar`] |
//! | `options`, `limits` | [`ReadOptions`], [`Limits`] |
//! | `sniff`, `read` | [`sniff()`], [`read()`] |
//! | `compose`, `head`, `labels`, `names`, `identity` | what text, Word and HL7 have in common |
//! | `text` | report text |
//! | `docx` | Word 2007 and later |
//! | `hl7`, `attached`, `rtf` | HL7 v2, and whom attached files name |
//! | `mllp`, `ack` | [`MllpDecoder`], [`encode_frame`], [`acknowledge`] |
//! | `charset`, `time` | decoding, London time |
//!
//! The rules and section numbers cited in the code are those of the fact sheet on source
//! documents.

mod ack;
mod attached;
mod attachment;
mod charset;
mod compose;
mod disposition;
mod docx;
mod head;
mod hl7;
mod identity;
mod kind;
mod labels;
mod letter;
mod limits;
mod mllp;
mod names;
mod options;
mod read;
mod reading;
mod rtf;
mod sidecar;
mod sniff;
mod source;
mod text;
mod time;

pub use ack::{AckCode, AckError, acknowledge};
pub use attachment::Attachment;
pub use disposition::{Disposition, Reason, Warning};
pub use hl7::{Delimiters, DelimitersError, Unescaped, escape, unescape};
pub use kind::{Completion, DocumentKind, Relation};
pub use letter::{Letter, LetterDocument, LetterError, Patient, SourcePractice};
pub use limits::Limits;
pub use mllp::{Frame, MllpDecoder, MllpError, encode_frame};
pub use options::{Field, ReadOptions, TitleRule};
pub use read::read;
pub use reading::Reading;
pub use sidecar::{Sidecar, SidecarPatient};

pub use sniff::{Format, sniff};
pub use source::{
    Author, DocumentFacts, Encounter, GpFacts, PatientFacts, Section, SourceDocument,
};
