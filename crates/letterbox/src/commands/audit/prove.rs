//! `audit prove` and `audit checkpoint`: what is handed to somebody who trusts nobody.

use std::path::Path;

use audit_core::{Data, EventProofs, StreamKey};
use letter_store::StatusFilter;
use serde_json::json;

use super::opened::Opened;
use crate::commands::Context;
use crate::config::{Config, TrustSection};
use crate::exit::Exit;
use crate::output::{complain, say, say_json, say_text};

/// A file that proves every event of a letter and of its copies.
pub(super) async fn prove(config: &Config, context: &Context, id: &str) -> Result<(), Exit> {
    let stream = StreamKey::parse(id).map_err(|_| {
        Exit::Configuration(format!(
            "{id} is no letter's id (32 hex digits); `status --document NUMBER` shows it"
        ))
    })?;
    for trust in config.trusts(context.trust.as_deref())? {
        if config.store.is_none() && !config.store_path(trust).exists() {
            continue;
        }
        let mut opened = Opened::open(config, trust).await?;
        let streams = streams(&opened, stream).await?;
        if streams.is_empty() {
            continue;
        }
        return prove_streams(context, trust, &mut opened, stream, streams).await;
    }
    Err(Exit::Wanting(format!("there is no letter {id}")))
}

async fn prove_streams(
    context: &Context,
    trust: &TrustSection,
    opened: &mut Opened,
    letter: StreamKey,
    streams: Vec<StreamKey>,
) -> Result<(), Exit> {
    let data = Data::new().with("letter", letter.to_string());
    opened.note("audit.proved", data).await?;
    let signed = opened.newest_checkpoint().await?;
    let size = signed.checkpoint().size;
    let proofs = opened.store.proofs(streams, signed).await?;
    let events = events(&proofs)?;
    let text = proofs.to_text();
    if context.json {
        return say_json(&json!({
            "trust": trust.code, "letter": letter.to_string(), "events": events,
            "checkpoint_size": size, "key": opened.ledger.verifier_key().to_string(),
            "proofs": text,
        }));
    }
    complain(&format!(
        "{events} events of {} proven in the ledger of {size}; checked with the verifier key {}",
        trust.code,
        opened.ledger.verifier_key()
    ));
    say_text(&text)
}

/// What is handed out was checked as its receiver will.
fn events(proofs: &EventProofs) -> Result<usize, Exit> {
    let events = proofs.check();
    let events = events.map_err(|error| {
        Exit::Wanting(format!(
            "the ledger does not prove it: {error}; run `audit verify`"
        ))
    })?;
    Ok(events.len())
}

/// The letter's stream and those of its copies; none when there is no such letter.
async fn streams(opened: &Opened, letter: StreamKey) -> Result<Vec<StreamKey>, Exit> {
    let filter = StatusFilter {
        letter: Some(letter),
        ..StatusFilter::default()
    };
    let views = opened.store.letters(filter).await?;
    let of_letter = views.iter().map(|view| view.letter.key).chain(
        views
            .iter()
            .flat_map(|view| &view.copies)
            .map(|copy| copy.key),
    );
    Ok(of_letter.collect())
}

/// The newest signed checkpoint, or the key that checks it.
pub(super) async fn checkpoint(
    config: &Config,
    context: &Context,
    only_key: bool,
) -> Result<(), Exit> {
    for trust in config.trusts(context.trust.as_deref())? {
        let opened = Opened::open(config, trust).await?;
        let key = opened.ledger.verifier_key().to_string();
        if only_key && !context.json {
            say(&key)?;
            continue;
        }
        let signed = opened.newest_checkpoint().await?;
        let text = signed.to_text();
        if context.json {
            let checkpoint = signed.checkpoint();
            say_json(&json!({
                "trust": trust.code, "origin": checkpoint.origin.as_str(), "size": checkpoint.size,
                "root": checkpoint.root.to_string(), "key": key, "checkpoint": text,
            }))?;
        } else {
            say_text(&text)?;
        }
    }
    Ok(())
}

/// A folder that was exported, checked by the rules that need nothing but the ledger.
pub(super) fn verify_folder(
    config: &Config,
    context: &Context,
    dir: &Path,
    checkpoints: Vec<String>,
) -> Result<(), Exit> {
    let trust = config.one_trust(context.trust.as_deref())?;
    let key = crate::open::master_key(trust)?;
    let trusted = crate::open::trusted(trust, &key)?;
    let options = audit_core::VerifyOptions {
        trusted,
        external_checkpoints: checkpoints,
        ..audit_core::VerifyOptions::default()
    };
    let read = |path: &str| std::fs::read(dir.join(path)).ok();
    let found = audit_core::verify_tiles(options, read);
    super::print(context, trust, &super::Found::from(&found))?;
    if found.is_clean() {
        return Ok(());
    }
    Err(Exit::Wanting(format!(
        "{} is not as it was exported: compare with the store, and export anew",
        dir.display()
    )))
}
