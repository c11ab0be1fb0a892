//! `store`: what keeps a store, and brings it back.

mod backup;
mod migrate;
mod restore;

use std::fs;
use std::path::PathBuf;

use super::Context;
use crate::cli::StoreCommand;
use crate::config::Config;
use crate::exit::Exit;

pub(super) async fn store(
    config: &Config,
    context: &Context,
    command: StoreCommand,
) -> Result<(), Exit> {
    match command {
        StoreCommand::Restore(arguments) => restore::restore(config, context, &arguments).await,
        StoreCommand::Backup(arguments) => backup::backup(config, context, &arguments),
        StoreCommand::Migrate { dry_run } => migrate::migrate(config, context, dry_run).await,
    }
}

/// Checkpoints that were kept elsewhere.
fn read_checkpoints(files: &[PathBuf]) -> Result<Vec<String>, Exit> {
    let read = |path: &PathBuf| {
        fs::read_to_string(path).map_err(|error| {
            let path = path.display();
            Exit::Configuration(format!("cannot read the checkpoint {path}: {error}"))
        })
    };
    files.iter().map(read).collect()
}

/// Only the embedded store is kept and brought back by us: a database has means of its own.
fn embedded(config: &Config) -> Result<(), Exit> {
    if config.store.is_none() {
        return Ok(());
    }
    Err(Exit::Configuration(
        "a database is kept and brought back by its own means (pg_basebackup, pg_dump, pg_restore), \
         the keys apart from the letters"
            .to_owned(),
    ))
}
