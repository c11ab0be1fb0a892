//! `audit signer`: a process that guards the key of a ledger, to be run under an account of its own.
//!
//! It reads the three lines of a checkpoint from its standard input and writes the signed note.
//! What it signed is on disk before the signature leaves, and it never signs fewer events than
//! before, nor another root over as many.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;

use audit_core::{Checkpoint, Hash, SignedBefore, Signer};

use crate::cli::SignerArguments;
use crate::exit::Exit;
use crate::output::{say, say_text};
use crate::platform;

/// The longest request: three lines.
const REQUEST_BYTES_MAX: u64 = 4_096;

pub(crate) fn signer(arguments: &SignerArguments) -> Result<(), Exit> {
    let signer = key(arguments)?;
    let Some(state) = &arguments.state else {
        return say(&signer.verifier_key().to_string());
    };
    let mut request = String::new();
    let read = std::io::stdin().take(REQUEST_BYTES_MAX);
    let mut read = std::io::BufReader::new(read);
    read.read_to_string(&mut request)?;
    let asked = Checkpoint::parse(&request)
        .map_err(|error| Exit::Configuration(format!("the request: {error}")))?;
    // One at a time: two that read the same state could sign two histories.
    let lock = fs::File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(state.with_extension("lock"))?;
    lock.lock()?;
    let mut before = read_state(state)?;
    before.permit(&asked).map_err(|error| {
        Exit::Person(format!(
            "not signed, because more or other was signed before: {error}"
        ))
    })?;
    write_state(state, &before.to_text())?;
    say_text(&signer.sign(&asked).to_text())
}

fn key(arguments: &SignerArguments) -> Result<Signer, Exit> {
    let path = &arguments.key;
    let wrong = |why: &str| Exit::Configuration(format!("the key {}: {why}", path.display()));
    let text = fs::read_to_string(path).map_err(|error| wrong(&error.to_string()))?;
    if platform::others_may_read(path)? {
        return Err(wrong("it can be read by other accounts: chmod 600"));
    }
    let seed = Hash::parse(text.trim_end())
        .map_err(|_| wrong("it must be 64 hexadecimal digits: openssl rand -hex 32"))?;
    Signer::from_seed(&arguments.name, *seed.as_bytes()).map_err(|error| wrong(&error.to_string()))
}

fn read_state(path: &Path) -> Result<SignedBefore, Exit> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        other => other?,
    };
    SignedBefore::parse(&text).map_err(|error| {
        let path = path.display();
        Exit::Person(format!(
            "{path} does not tell what was signed before: {error}"
        ))
    })
}

fn write_state(path: &Path, text: &str) -> Result<(), Exit> {
    let beside = path.with_extension("new");
    let mut file = fs::File::create(&beside)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&beside, path)?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    fs::File::open(folder.unwrap_or_else(|| Path::new(".")))
        .and_then(|folder| folder.sync_all())
        .or_else(|error| if cfg!(unix) { Err(error) } else { Ok(()) })?;
    Ok(())
}
