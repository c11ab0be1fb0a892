//! What the readers do with letters that are not in the corpus: nasty ones above all.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test may fail and read files"
)]

mod readers {
    mod canary;
    mod docx;
    mod hl7;
    mod hostile;
    mod letter;
    mod options;
    mod properties;
    mod sidecar;
    mod support;
    mod text;
}
