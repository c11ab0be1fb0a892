//! `store migrate`: from an older version's tables to this one's.

use letter_store::{SqliteStore, Versions};
use serde_json::json;

use crate::commands::Context;
use crate::config::{Config, TrustSection};
use crate::exit::Exit;
use crate::open;
use crate::output::{say, say_json};

/// Each trust by itself: what is wrong with one is said, and the others go on.
pub(super) async fn migrate(config: &Config, context: &Context, dry_run: bool) -> Result<(), Exit> {
    let mut gravest: Option<Exit> = None;
    for trust in config.trusts(context.trust.as_deref())? {
        if let Err(exit) = one(config, context, trust, dry_run).await {
            gravest = Some(exit.of(trust.code.as_str()).or_graver(gravest));
        }
    }
    gravest.map_or(Ok(()), Err)
}

async fn one(
    config: &Config,
    context: &Context,
    trust: &TrustSection,
    dry_run: bool,
) -> Result<(), Exit> {
    if config.store.is_some() {
        return Err(Exit::Configuration(
            "a database is taken to this version by whatever opens it; older runs go on beside it"
                .to_owned(),
        ));
    }
    let key = open::master_key(trust)?;
    let path = config.store_path(trust);
    let versions = SqliteStore::versions(&path, &key)?;
    if versions.is_older() && !dry_run {
        let store = open::store_for_run(config, trust, &key).await?;
        store.tree().await?;
    }
    report(context, trust, &versions, dry_run)
}

fn report(
    context: &Context,
    trust: &TrustSection,
    versions: &Versions,
    dry_run: bool,
) -> Result<(), Exit> {
    let migrated = versions.is_older() && !dry_run;
    if context.json {
        return say_json(&json!({
            "trust": trust.code, "found": versions.found, "known": versions.known,
            "adds": versions.adds, "migrated": migrated,
        }));
    }
    let (code, found, known) = (&trust.code, versions.found, versions.known);
    if found == 0 {
        return say(&format!("{code}: there is no store yet"));
    }
    if !versions.is_older() {
        return say(&format!("{code}: schema {found}, nothing to do"));
    }
    let word = if dry_run { "would add" } else { "added" };
    say(&format!("{code}: schema {found} to {known}"))?;
    say(&format!("  {word}: {}", versions.adds.join(", ")))?;
    if dry_run {
        return say("  tried, and taken back: nothing was changed; make a backup first");
    }
    say("  the older version refuses this store from now on")
}
