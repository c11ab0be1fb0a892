//! From a letter and a receiver profile to the artefact a GP system shows, with a word-for-word proof.
