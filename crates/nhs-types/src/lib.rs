//! Identifiers that cannot be invalid, and findings about input that is.
