//! Reads, writes and checks Kettering messages for GP systems.
//!
//! Kettering is the XML that hospitals have sent letters to general practices with since the late
//! 1990s: a header about sender, recipient, patient and event around one document. It has no
//! owner, no schema that can be had, and two dialects. [`build`] writes a message that every rule
//! of the format holds for, and reads it again before it lets it go; [`parse`] reads what others
//! wrote, and loses no letter over a fault that can be lived with.
//!
//! ```
//! use kettering_xml::{Dialect, Mode, PayloadKind, parse};
//!
//! let bytes = include_bytes!("../tests/data/examples/k02-clinic-edt-pdf.xml");
//! let parsed = parse(bytes, Mode::Lenient);
//! assert!(parsed.findings.is_empty());
//! assert_eq!(parsed.dialect, Some(Dialect::Edt));
//! assert_eq!(parsed.payload.unwrap().kind, PayloadKind::Pdf);
//! assert_eq!(parsed.message.unwrap().report.report_type, "Outpatient Letter");
//! ```
//!
//! # Scope
//!
//! | module | holds |
//! | --- | --- |
//! | `message` | [`Message`], and a file for each block: [`Header`], [`Patient`], [`RecipientParty`] and [`SenderParty`], [`ClinicalReport`], coded data, reporting information, the blocks of CLASSIC |
//! | `payload` | [`Payload`]: the document, how its kind is told, its own checks |
//! | `profile` | [`Profile`]: the format's switches for a receiver |
//! | `build` | [`build`]: compose, check, write, read back, compare |
//! | `parse` | [`parse`]: decode, read, check |
//! | `decode`, `characters` | bytes to text, and what XML forbids |
//! | `read`, `write`, `element` | text to [`Element`] and back |
//! | `schema` | the engine behind the tables of the blocks |
//! | `rule` | the K rules with their weights |
//! | `date`, `limits`, `names` | dates, caps, names of the format |
//!
//! Both dialects are read; EDT is built. Every rule carries its id (`K-S06`) in the findings.
//!
//! Not here: what a letter is, which practice gets it, how it travels. Rules that need more than
//! the message, such as ids used twice (`K-V01`) or an issue date in the future, are the caller's.

mod build;
mod characters;
mod date;
mod decode;
mod element;
mod limits;
mod message;
mod names;
mod parse;
mod payload;
mod profile;
mod read;
mod rule;
mod schema;
mod write;

pub use build::{Built, Refused, build};
pub use characters::sendable_text;
pub use date::EventTime;
pub use element::Element;
pub use limits::Limits;
pub use message::Message;
pub use message::clinical_report::ClinicalReport;
pub use message::header::{Header, MessageStatus, Urgency};
pub use message::parties::{Clinician, RecipientParty, SenderParty};
pub use message::patient::Patient;
pub use parse::{Mode, Parsed, parse};
pub use payload::{Carried, Payload, PayloadFound, PayloadKind};
pub use profile::{ControlCharacters, Dialect, Encoding, Profile};
pub use read::html_entity;
