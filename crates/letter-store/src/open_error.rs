use std::path::PathBuf;

/// Why a store cannot be opened or locked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The file cannot be opened or written.
    #[error("cannot open {path}: {cause}; its folder must exist, be writable and have space")]
    Unavailable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// The database is not reached, or not to be used.
    #[error("cannot use {path}: {cause}; the server must run, and let this account in")]
    Unreachable {
        /// The database and schema.
        path: PathBuf,
        /// What it or the system said.
        cause: String,
    },
    /// The file is no store of ours, or is damaged.
    #[error(
        "{path} is not a letterbox store, or is damaged: {cause}; name the right file, or put the \
         newest backup back"
    )]
    NotAStore {
        /// The file.
        path: PathBuf,
        /// What was found.
        cause: String,
    },
    /// A newer version of this software wrote it.
    #[error(
        "{path} was written by a newer version (schema {found}, this one knows {known}): use that \
         version"
    )]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The schema found.
        found: i64,
        /// The newest schema known.
        known: i64,
    },
    /// An older version wrote it, and a run of that version may be at work.
    #[error(
        "{path} is of an older version (schema {found}, this one has {known}), and a run works on \
         it: end that first, or use its version"
    )]
    Older {
        /// The file.
        path: PathBuf,
        /// The schema found.
        found: i64,
        /// The schema of this version.
        known: i64,
    },
    /// The server may lose what it confirmed.
    #[error(
        "the server of {path} runs with {setting}, so that a power cut may lose what was \
         confirmed: turn it on"
    )]
    NotDurable {
        /// The database and schema.
        path: PathBuf,
        /// The setting, with its value.
        setting: String,
    },
    /// The master key is not the one the store was made with.
    #[error("the key does not fit {path}: restore the key file that belongs to it")]
    WrongKey {
        /// The file.
        path: PathBuf,
    },
    /// Another process works on it.
    #[error("another run works on {path}: stop it first, or wait until it has ended")]
    Locked {
        /// The file.
        path: PathBuf,
    },
    /// It is older than its own signed checkpoints: an old copy was put in its place.
    #[error(
        "{path} holds {size} events, but a checkpoint over {signed} was signed: an older copy was \
         put in its place; put the newest copy back, or go on from this one with \
         `letterbox store restore --as-is`: MESH is asked before anything is sent"
    )]
    RolledBack {
        /// The file.
        path: PathBuf,
        /// Events it holds.
        size: u64,
        /// Events that were signed.
        signed: u64,
    },
}
