//! `audit`: the ledger, the rows and the contents, checked against each other, and handed to those
//! who check it without us.

mod export;
mod opened;
mod prove;
mod rebuild;
mod signer;

use std::fs;
use std::path::PathBuf;

use letter_store::{StoreVerification, VerifyAgainst};
use serde::Serialize;
use serde_json::json;

use super::Context;
use super::run::now;
use crate::cli::AuditCommand;
use crate::config::{Config, TrustSection};
use crate::exit::Exit;
use crate::open;
use crate::output::{say, say_json};

pub(super) async fn audit(
    config: &Config,
    context: &Context,
    command: AuditCommand,
) -> Result<(), Exit> {
    match command {
        AuditCommand::Verify { checkpoint, folder } => {
            let outside = read_checkpoints(&checkpoint)?;
            match folder {
                Some(folder) => prove::verify_folder(config, context, &folder, outside),
                None => verify(config, context, &outside).await,
            }
        }
        AuditCommand::Prove { id } => prove::prove(config, context, &id).await,
        AuditCommand::Checkpoint { key } => prove::checkpoint(config, context, key).await,
        AuditCommand::Export { dir } => export::export(config, context, &dir).await,
        AuditCommand::Rebuild => rebuild::rebuild(config, context).await,
        AuditCommand::Signer(arguments) => signer(&arguments),
    }
}

async fn verify(config: &Config, context: &Context, outside: &[String]) -> Result<(), Exit> {
    let mut wanting = Vec::new();
    for trust in config.trusts(context.trust.as_deref())? {
        let found = verified(config, trust, outside.to_vec()).await?;
        print(context, trust, &Found::from(&found))?;
        if outside.is_empty() && !context.json {
            say(
                "  checked against what this machine holds; to prove that nothing was cut off and \
                 signed anew, keep copies of checkpoints elsewhere and give one: --checkpoint FILE",
            )?;
        }
        if !found.is_clean() {
            wanting.push(trust.code.to_string());
        }
    }
    if wanting.is_empty() {
        return Ok(());
    }
    Err(Exit::Wanting(format!(
        "the ledger of {} is not as it was written: keep the file, tell your information governance \
         lead, and compare with a copy",
        wanting.join(", ")
    )))
}

/// Verifies a trust's store.
pub(crate) async fn verified(
    config: &Config,
    trust: &TrustSection,
    checkpoints: Vec<String>,
) -> Result<StoreVerification, Exit> {
    let key = open::master_key(trust)?;
    let path = config.store_path(trust);
    if config.store.is_none() && !path.exists() {
        return Err(Exit::Configuration(format!(
            "there is no store {}: nothing was run yet",
            path.display()
        )));
    }
    let store = open::store(config, trust, &key).await?;
    let trusted = open::trusted(trust, &key)?;
    let against = VerifyAgainst {
        trusted,
        checkpoints,
        now: Some(now()),
    };
    Ok(store.verify(against).await?)
}

fn read_checkpoints(files: &[PathBuf]) -> Result<Vec<String>, Exit> {
    let read = |path: &PathBuf| {
        fs::read_to_string(path).map_err(|error| {
            Exit::Configuration(format!(
                "cannot read the checkpoint {}: {error}",
                path.display()
            ))
        })
    };
    files.iter().map(read).collect()
}

pub(super) use signer::signer;

/// What a verification found, of a store or of a folder.
struct Found {
    is_clean: bool,
    events: u64,
    root: String,
    checkpoint_size: Option<u64>,
    faults: Vec<Told>,
    provable_to: u64,
    /// Durable, and without a place in the ledger yet.
    unsequenced: u64,
}

/// One thing that is wrong.
#[derive(Serialize)]
struct Told {
    rule: String,
    seq: Option<u64>,
    what: String,
}

impl From<&StoreVerification> for Found {
    fn from(found: &StoreVerification) -> Self {
        let told = found.faults.iter().map(|fault| Told {
            rule: fault.rule.clone(),
            seq: fault.seq,
            what: fault.what.clone(),
        });
        Self {
            is_clean: found.is_clean(),
            events: found.events,
            root: found.root.to_string(),
            checkpoint_size: found.checkpoint_size,
            faults: told.collect(),
            provable_to: found.provable_to,
            unsequenced: found.unsequenced,
        }
    }
}

impl From<&audit_core::Verification> for Found {
    fn from(found: &audit_core::Verification) -> Self {
        let told = found.faults.iter().map(|fault| Told {
            rule: fault.rule.as_str().to_owned(),
            seq: fault.seq,
            what: fault.what.clone(),
        });
        Self {
            is_clean: found.is_clean(),
            events: found.events,
            root: found.root.to_string(),
            checkpoint_size: found.checkpoint_size,
            faults: told.collect(),
            provable_to: found.provable_to,
            unsequenced: 0,
        }
    }
}

fn print(context: &Context, trust: &TrustSection, found: &Found) -> Result<(), Exit> {
    if context.json {
        let mut told = json!({
            "trust": trust.code, "clean": found.is_clean, "events": found.events,
            "root": found.root, "checkpoint_size": found.checkpoint_size,
            "faults": found.faults, "provable_to": found.provable_to,
        });
        if let (true, Some(told)) = (found.unsequenced > 0, told.as_object_mut()) {
            told.insert("unsequenced".to_owned(), found.unsequenced.into());
        }
        return say_json(&told);
    }
    let word = if found.is_clean {
        "verified"
    } else {
        "NOT CLEAN"
    };
    say(&format!(
        "{}: {word}, {} events, root {}",
        trust.code, found.events, found.root
    ))?;
    let signed = found
        .checkpoint_size
        .map_or_else(|| "nothing".to_owned(), |s| format!("{s} events"));
    say(&format!(
        "  signed: {signed}; provable to: {} events",
        found.provable_to
    ))?;
    if found.unsequenced > 0 {
        say(&format!(
            "  {} more events are durable and wait for their place in the ledger",
            found.unsequenced
        ))?;
    }
    for fault in &found.faults {
        let place = fault
            .seq
            .map_or_else(String::new, |seq| format!(" at event {seq}"));
        say(&format!("  {}{place}: {}", fault.rule, fault.what))?;
    }
    Ok(())
}
