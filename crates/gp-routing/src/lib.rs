//! From patient and reference data to a GP practice, a mailbox and a reason.
//!
//! [`decide`] takes values (letter, patient, answers, the trust's policy, the time) and a
//! [`PracticeTable`], and gives a [`Decision`]: send, hold for a person, another road, withhold,
//! or the one lookup that is needed first. It always gives one of them, with a [`ReasonCode`],
//! the evidence, and a sentence that names no patient. A wrong practice is worse than a late
//! letter: what is in doubt becomes a hold.
//!
//! ```
//! use gp_routing::{
//!     Case, LetterFacts, LetterKind, Lookup, Outcome, PatientFacts, Policy, PracticeTable,
//!     SAMPLE_TABLE, TableLimits, WorkflowChoice, decide,
//! };
//! use nhs_types::MailboxId;
//!
//! let table = PracticeTable::read(SAMPLE_TABLE.as_bytes(), &TableLimits::at_least(1))?;
//! let mut letter = LetterFacts::new(LetterKind::Discharge);
//! letter.signed_off = true;
//! let mut patient = PatientFacts::default();
//! patient.nhs_number = Some(String::from("943 476 5919").into());
//! patient.hospital_practice = Some(String::from("Y99901"));
//! let mut policy = Policy::default();
//! policy.demographics = gp_routing::DemographicsPolicy::Source;
//! policy.allow_synthetic = true;
//! policy.workflows = vec![WorkflowChoice::new("KETTERING_IP".parse()?, "kettering")];
//!
//! let mut case = Case::new("2026-11-19T15:00:00Z".parse()?, letter, patient, policy);
//! let decision = decide(&case, &table);
//! assert_eq!(decision.outcome, Outcome::Need);
//! if let Some(Lookup::Mailbox { practice, workflow }) = decision.lookup {
//!     let answer = [MailboxId::parse("Y99901OT001")?]; // asked of MESH
//!     case.mailboxes.found(&practice, &workflow, answer, Some(case.now));
//! }
//! let decision = decide(&case, &table);
//! assert_eq!(decision.outcome, Outcome::Send);
//! println!("{}", decision.explanation);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Scope
//!
//! | module | holds |
//! | --- | --- |
//! | `table` | [`PracticeTable`]: the practice file `epraccur` in both dialects, refused whole when wrong |
//! | `case` | [`Case`], what a decision is made from, and [`CaseFile`], the same in JSON |
//! | `policy` | [`Policy`]: what the trust decided, with safe defaults |
//! | `rules` | [`decide`] and [`decide_all`]: rules R1 to R16, a file for each group |
//! | `decision` | [`Decision`], its evidence, its explanation, its codes for the ledger |
//! | `reason` | [`ReasonCode`] and [`WarningCode`] |
//! | `practice_code`, `due`, `folded` | shapes of codes, due times in London, names as compared |
//!
//! Not here: HTTP (a caller asks and adds the answers), the system clock, the shape of letters.

mod case;
mod decision;
mod due;
mod folded;
mod policy;
mod practice_code;
mod reason;
mod rules;
mod sample;
mod serde_forms;
mod table;

pub use case::{
    Case, CaseFile, Decline, Demographics, GpCopy, LetterFacts, LetterKind, MailboxAnswer,
    Mailboxes, PatientFacts, Recipient,
};
pub use decision::{
    Decision, Evidence, Lookup, Outcome, PracticeRef, PracticeSource, RULES_VERSION, RecipientRef,
};
pub use policy::{DemographicsPolicy, MailboxChoice, Policy, Successor, WorkflowChoice};
pub use reason::{ReasonCode, WarningCode};
pub use rules::{decide, decide_all};
pub use sample::SAMPLE_TABLE;
pub use table::{
    Counts, Dialect, Practice, PracticeStatus, PracticeTable, PracticeType, TableLimits,
    TableRefused,
};
