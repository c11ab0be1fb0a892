//! From a letter and a receiver profile to the artefact a GP system shows, with a word-for-word
//! proof.
//!
//! What the clinician signed is what the GP reads. [`shape`] writes a letter as the simple HTML
//! that every GP system survives, puts it into a Kettering message, and then takes the *finished
//! bytes* apart again: the text a reader would see is extracted by code that did not write it and
//! compared with the letter's own words, in order. A missing, added or changed word, a value of
//! another patient in the header, a text hidden by style: the artefact is not given out.
//!
//! ```
//! use letter_shape::{HtmlSubset, Words, compare, render_html, source_words, visible_text};
//! # let json = r#"{"patient":{"nhs_number":"9990308241","birth_date":"1958-03-17",
//! #   "name":{"family":"TESTCASE","given":"Marigold"}},
//! #   "document":{"id":"doc-17","kind":"outpatient-letter","title":"Clinic Letter",
//! #   "event_date":"2026-11-18","signed_at":"2026-11-18T14:00:00Z"},
//! #   "sections":[{"heading":"Plan","text":"Start 5 mg daily."}]}"#;
//! # let letter: clinical_letter::Letter = serde_json::from_str(json)?;
//! let html = render_html(&letter, HtmlSubset::Standard);
//! let same = compare(&source_words(&letter), &Words::of(&visible_text(&html)));
//! assert!(same.is_exact());
//!
//! let altered = html.replace("5 mg", "50 mg");
//! let proof = compare(&source_words(&letter), &Words::of(&visible_text(&altered)));
//! assert_eq!((proof.changed, proof.missing, proof.added), (1, 0, 0));
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # Scope
//!
//! | module | holds |
//! | --- | --- |
//! | `profile` | [`ReceiverProfile`]: what a GP system takes |
//! | `envelope` | [`Envelope`]: what the letter itself does not know |
//! | `html` | [`render_html`], in two subsets |
//! | `message` | the letter's values in the blocks of a Kettering message |
//! | `source` | [`source_words`]: what a letter says, in its written order |
//! | `visible` | [`visible_text`]: what a reader of HTML sees |
//! | `proof` | [`Words`] with the rules of comparing, [`compare`], [`prove`], [`Proof`] |
//! | `shape` | [`shape`]: all of it in one call |
//!
//! A letter without text whose content is a PDF, or another file the receiver takes, passes
//! through in base64; its proof is the equality of the bytes.
//!
//! Not here: which practice gets the letter, transport, storage, clock and ids. Rendering to PDF
//! and the CLASSIC dialect come later.

mod envelope;
mod html;
mod message;
mod profile;
mod proof;
mod shape;
mod source;
mod visible;

pub use envelope::Envelope;
pub use html::render_html;
pub use profile::{HtmlSubset, ReceiverProfile};
pub use proof::{
    Difference, DifferenceKind, Method, Proof, ProveError, RULES_VERSION, Words, compare, prove,
};
pub use shape::{Artefact, ShapeError, Shaped, shape};
pub use source::source_words;
pub use visible::visible_text;
