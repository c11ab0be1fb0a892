//! The signed-off letter in neutral form, and readers for text, Word and HL7 v2.
//!
//! [`read`] takes the bytes that an electronic patient record handed over and gives a
//! [`Reading`] for each message in them: one [`Disposition`] with its [`Reason`], everything the
//! source says as a [`SourceDocument`], and findings with their places. Only a reading whose
//! disposition is `send` becomes a [`Letter`].
//!
//! ```
//! use clinical_letter::{Disposition, ReadOptions, Reason, read};
//!
//! let readings = read(b"", &ReadOptions::default());
//! assert_eq!(readings[0].disposition, Disposition::Reject);
//! assert_eq!(readings[0].reason, Reason::Empty);
//! ```

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
