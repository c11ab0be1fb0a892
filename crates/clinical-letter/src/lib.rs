//! The signed-off letter in neutral form, and readers for text, Word and HL7 v2.
