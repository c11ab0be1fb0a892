//! From patient and reference data to a GP practice, a mailbox and a reason.
