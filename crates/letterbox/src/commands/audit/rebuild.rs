//! `audit rebuild`: the rows that lists and work are read from, made anew from the ledger.

use audit_core::Data;
use letter_store::{AnyStore, Rebuilt};
use serde_json::json;

use super::opened::Opened;
use crate::commands::Context;
use crate::commands::run::now;
use crate::config::{Config, TrustSection};
use crate::exit::Exit;
use crate::output::{say, say_json};

pub(super) async fn rebuild(config: &Config, context: &Context) -> Result<(), Exit> {
    let mut lost = Vec::new();
    for trust in config.trusts(context.trust.as_deref())? {
        let mut opened = Opened::open(config, trust).await?;
        let AnyStore::Sqlite(store) = &opened.store else {
            return Err(Exit::Configuration(format!(
                "the store of {} is on PostgreSQL: `audit rebuild` is for SQLite stores",
                trust.code
            )));
        };
        let lock = store.lock_engine().await?;
        let done = store.rebuild(&lock, now()).await?;
        let count = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        let data = Data::new()
            .with("mended", count(done.mended))
            .with("removed", count(done.removed))
            .with("work", count(done.work));
        opened.note("audit.rebuilt", data).await?;
        print(context, trust, &done)?;
        if done.lost > 0 {
            lost.push(trust.code.to_string());
        }
    }
    if lost.is_empty() {
        return Ok(());
    }
    Err(Exit::Person(format!(
        "some rows of {} cannot be made from the ledger: its events are of an earlier version; put \
         them back from a backup",
        lost.join(", ")
    )))
}

fn print(context: &Context, trust: &TrustSection, done: &Rebuilt) -> Result<(), Exit> {
    if context.json {
        return say_json(&json!({
            "trust": trust.code, "events": done.events, "records": done.records,
            "mended": done.mended, "removed": done.removed, "work": done.work, "lost": done.lost,
        }));
    }
    say(&format!(
        "{}: {} letters and copies from {} events; {} rows mended, {} removed, {} pieces of work \
         made due",
        trust.code, done.records, done.events, done.mended, done.removed, done.work
    ))
}
