//! Identifiers that cannot be invalid, and findings about input that is.
//!
//! A value of a type in this crate was checked when it was made: there is no public way to hold
//! an [`NhsNumber`] with a wrong check digit, and reading one with serde goes through the same
//! check. Values that tell who a patient is never show themselves: `Debug` and `Display` print a
//! placeholder, and the value is reached by a method whose name can be searched for, `expose`.
//!
//! ```
//! use nhs_types::{NhsNumber, OdsCode, ParseNhsNumberError};
//!
//! let number = NhsNumber::parse("943 476 5919")?;
//! assert_eq!(number.expose(), "9434765919");
//! assert_eq!(format!("{number:?} {number}"), "NhsNumber([redacted]) [NHS number]");
//! assert_eq!(NhsNumber::parse("943 476 5918"), Err(ParseNhsNumberError::CheckDigit));
//!
//! let practice = OdsCode::parse(" y99901 ").unwrap();
//! assert_eq!(practice.as_str(), "Y99901");
//! # Ok::<(), ParseNhsNumberError>(())
//! ```
//!
//! # Scope
//!
//! | module | holds |
//! | --- | --- |
//! | `nhs_number` | [`NhsNumber`], its written forms, [`NhsNumberRange`] |
//! | `codes` | [`OdsCode`], [`MailboxId`], [`WorkflowId`] |
//! | `person` | [`PersonName`], [`Sex`], [`BirthDate`] |
//! | `address` | [`Postcode`], [`Address`] |
//! | `sensitive` | [`Sensitive`], for any other value about a patient |
//! | `finding` | [`Finding`], [`Severity`], [`Location`], [`Report`] |
//!
//! Not here: any file format, any transport, any rule that needs reference data (whether a
//! practice exists is a question for routing).
//!
//! # Features
//!
//! `serde`: `Serialize` and `Deserialize` for every type. Serializing writes the true value: what
//! is written belongs into encrypted storage or to the person who asked for it, not into a log.

mod address;
mod codes;
mod finding;
mod nhs_number;
mod person;
mod sensitive;
#[cfg(feature = "serde")]
mod serde_impls;

pub use address::{Address, ParseAddressError, ParsePostcodeError, Postcode};
pub use codes::{
    MailboxId, OdsCode, ParseMailboxIdError, ParseOdsCodeError, ParseWorkflowIdError, WorkflowId,
};
pub use finding::{Finding, Location, Report, RuleId, Severity};
pub use nhs_number::{NhsNumber, NhsNumberRange, ParseNhsNumberError};
pub use person::{
    BirthDate, ParseBirthDateError, ParsePersonNameError, PersonName, PersonNameParts, Sex,
};
pub use sensitive::Sensitive;
