//! `store`: what keeps a store, and brings it back.

mod backup;
mod migrate;

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
        StoreCommand::Backup(arguments) => backup::backup(config, context, &arguments),
        StoreCommand::Migrate { dry_run } => migrate::migrate(config, context, dry_run).await,
    }
}
