//! `ods import`: a practice table is checked and taken into use, or refused whole.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use audit_core::Data;
use gp_routing::{PracticeTable, TableLimits};
use letter_delivery::{Engine, Policy, Store as _};
use letter_gateway::SystemEntropy;
use serde_json::json;

use super::Context;
use super::run::now;
use crate::cli::OdsCommand;
use crate::config::Config;
use crate::exit::Exit;
use crate::open;
use crate::output::{say, say_json};
use crate::platform;

pub(super) async fn ods(
    config: &Config,
    context: &Context,
    command: OdsCommand,
) -> Result<(), Exit> {
    let OdsCommand::Import { file } = command;
    let table = import(config, &file).await?;
    let counts = table.counts();
    if context.json {
        return say_json(&json!({
            "rows": counts.rows, "active": counts.active, "closed": counts.closed,
            "dormant": counts.dormant, "proposed": counts.proposed,
            "active_gp_practices": counts.active_gp_practices, "digest": table.digest(),
        }));
    }
    say(&format!(
        "{} rows: {} active ({} GP practices), {} closed, {} dormant, {} proposed; in use from now on",
        counts.rows,
        counts.active,
        counts.active_gp_practices,
        counts.closed,
        counts.dormant,
        counts.proposed
    ))
}

/// Takes a table into use: written beside the old one, then put in its place.
pub(crate) async fn import(config: &Config, file: &Path) -> Result<PracticeTable, Exit> {
    let bytes = fs::read(file)
        .map_err(|error| Exit::Configuration(format!("cannot read {}: {error}", file.display())))?;
    let mut limits = TableLimits::at_least(config.practices.minimum_rows);
    limits.previous_rows = rows_in_use(config);
    let table = PracticeTable::read(&bytes, &limits).map_err(|refused| {
        Exit::Wanting(format!(
            "{} was refused, and the table in use stays: {refused}",
            file.display()
        ))
    })?;
    replace(config, &bytes).map_err(|error| {
        Exit::Unavailable(format!(
            "the table could not be written to {}: {error}",
            config.data.display()
        ))
    })?;
    note(config, &table).await?;
    Ok(table)
}

fn rows_in_use(config: &Config) -> Option<usize> {
    let bytes = fs::read(config.practices_path()).ok()?;
    PracticeTable::read(&bytes, &TableLimits::at_least(1))
        .ok()
        .map(|table| table.len())
}

/// File and folder are synced, so that the new table or the old one is there after a power cut.
fn replace(config: &Config, bytes: &[u8]) -> std::io::Result<()> {
    platform::make_private_folder(&config.data)?;
    let path = config.practices_path();
    let beside = path.with_extension("new");
    let mut file = fs::File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, &path)?;
    fs::File::open(&config.data)
        .and_then(|folder| folder.sync_all())
        .or_else(|error| {
            // A folder cannot be synced on every system.
            if cfg!(unix) { Err(error) } else { Ok(()) }
        })
}

/// Each trust's ledger says which table its decisions rest on from now on.
async fn note(config: &Config, table: &PracticeTable) -> Result<(), Exit> {
    let rows = i64::try_from(table.len()).unwrap_or(i64::MAX);
    let data = Data::new()
        .with("digest", table.digest())
        .with("rows", rows);
    for trust in &config.trust {
        let key = open::master_key(trust)?;
        let store = open::store(config, trust, &key).await?;
        let keys = key.trust_keys(trust.code.clone());
        let entropy = Box::new(SystemEntropy::default());
        let mut engine = Engine::new(keys, Policy::default(), entropy);
        store
            .commit(engine.note(now(), "ods.imported", data.clone()))
            .await?;
        let ledger = open::ledger(trust, &key, store.stops().await?.restores())?;
        ledger.sign(&store, now()).await?;
    }
    Ok(())
}
