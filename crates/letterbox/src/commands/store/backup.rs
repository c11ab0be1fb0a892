//! `store backup`: of a system that goes on meanwhile.

use std::path::Path;

use letter_store::{Backup, BackupTo, SqliteStore};
use serde_json::json;

use crate::cli::BackupArguments;
use crate::commands::Context;
use crate::commands::run::now;
use crate::config::{Config, TrustSection};
use crate::exit::Exit;
use crate::output::{complain, say, say_json};
use crate::{open, platform};

/// Each trust by itself: what is wrong with one is said, and the others are kept all the same.
pub(super) fn backup(
    config: &Config,
    context: &Context,
    arguments: &BackupArguments,
) -> Result<(), Exit> {
    let mut gravest: Option<Exit> = None;
    for trust in config.trusts(context.trust.as_deref())? {
        if let Err(exit) = one(config, context, trust, arguments) {
            gravest = Some(exit.of(trust.code.as_str()).or_graver(gravest));
        }
    }
    gravest.map_or(Ok(()), Err)
}

fn one(
    config: &Config,
    context: &Context,
    trust: &TrustSection,
    arguments: &BackupArguments,
) -> Result<(), Exit> {
    super::embedded(config)?;
    let key = open::master_key(trust)?;
    let trusted = open::trusted(trust, &key)?;
    let mut to = BackupTo::new(&arguments.dir, trusted);
    if let Some(keys) = &arguments.keys {
        to = to.with_keys(keys);
    }
    for folder in [&to.folder, &to.keys] {
        private(folder)?;
    }
    let backup = SqliteStore::back_up(&config.store_path(trust), &key, &to, now())?;
    // Other copies of the keys, made before something was erased, may be within reach again.
    let others = SqliteStore::carry_erasures(&config.store_path(trust), &key)?;
    report(context, trust, &backup)?;
    for copy in others {
        if let Some(why) = copy.unreached {
            complain(&format!(
                "{} may still open what was erased: {why}",
                copy.path.display()
            ));
        }
    }
    if backup.faults.is_empty() {
        return Ok(());
    }
    Err(Exit::Wanting(format!(
        "the backup was made, and {} things in it are not as they should be: letterbox audit verify",
        backup.faults.len()
    )))
}

/// A folder that we make is ours alone; one that is there has its owner's permissions.
fn private(folder: &Path) -> Result<(), Exit> {
    if folder.exists() {
        return Ok(());
    }
    platform::make_private_folder(folder).map_err(|error| {
        Exit::Unavailable(format!(
            "cannot make the folder {}: {error}",
            folder.display()
        ))
    })
}

fn report(context: &Context, trust: &TrustSection, backup: &Backup) -> Result<(), Exit> {
    let manifest = &backup.manifest;
    let bytes: u64 = manifest.files.iter().map(|file| file.bytes).sum();
    if context.json {
        return say_json(&json!({
            "trust": trust.code, "folder": backup.folder, "keys": backup.keys, "bytes": bytes,
            "schema": manifest.schema, "events": manifest.events, "root": manifest.root,
            "clean": manifest.clean, "faults": backup.faults,
        }));
    }
    let word = match manifest.clean {
        Some(true) => "verified",
        Some(false) => "NOT CLEAN",
        None => "of an older version, its pages checked",
    };
    let (code, events) = (&trust.code, manifest.events);
    say(&format!("{code}: {events} events, {bytes} bytes, {word}"))?;
    say(&format!("  letters: {}", backup.folder.display()))?;
    say(&format!("  their keys: {}", backup.keys.display()))?;
    for fault in &backup.faults {
        say(&format!("  {fault}"))?;
    }
    Ok(())
}
