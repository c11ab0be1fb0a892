//! `letter erase`: what a letter holds is destroyed, with its key, wherever a copy of that lies.

use letter_delivery::{EraseError, Store as _, StoreError};
use letter_store::{KeyCopy, SqliteStore};
use serde_json::json;

use crate::cli::DecisionArguments;
use crate::commands::{Context, now};
use crate::config::{Config, TrustSection};
use crate::desk::Desk;
use crate::exit::Exit;
use crate::open;
use crate::output::{say, say_json};

pub(super) async fn erase(
    config: &Config,
    context: &Context,
    arguments: DecisionArguments,
) -> Result<(), Exit> {
    if arguments.copy.is_some() {
        return Err(Exit::Configuration(
            "a letter is erased whole, with all its copies: leave --copy out".to_owned(),
        ));
    }
    let named = context.trust.as_deref();
    let (mut desk, letter) = Desk::of_letter(config, named, &arguments.id).await?;
    let view = desk.view(letter).await?;
    let view = view.ok_or_else(|| Exit::Unavailable("the letter is gone".to_owned()))?;
    let erased = desk
        .engine
        .erase(now(), &desk.by, view.letter, view.copies, &arguments.reason)?;
    match desk.store.commit(erased.commit).await {
        Err(StoreError::Conflict) => {
            return Err(Exit::Unavailable(
                "the letter moved on meanwhile: look at it, and decide again".to_owned(),
            ));
        }
        other => other?,
    }
    if !erased.is_done {
        return Err(Exit::Person(format!(
            "recorded: to erase takes two people; now a colleague must run, under an account of \
             their own: letterbox letter erase {letter} --reason R"
        )));
    }
    let copies = carry(config, desk.trust)?;
    report(context, &letter.to_string(), &copies)
}

/// The copies of the key file that backups made forget the key too.
fn carry(config: &Config, trust: &TrustSection) -> Result<Vec<KeyCopy>, Exit> {
    if config.store.is_some() {
        return Ok(Vec::new());
    }
    let key = open::master_key(trust)?;
    Ok(SqliteStore::carry_erasures(
        &config.store_path(trust),
        &key,
    )?)
}

fn report(context: &Context, letter: &str, copies: &[KeyCopy]) -> Result<(), Exit> {
    let unreached = copies.iter().filter_map(|copy| {
        let why = copy.unreached.as_ref()?;
        Some(format!("{}: {why}", copy.path.display()))
    });
    let unreached: Vec<String> = unreached.collect();
    if context.json {
        say_json(&json!({"letter": letter, "erased": true, "unreached": unreached}))?;
    } else {
        say(&format!(
            "letter {letter} is erased: its contents and identifiers are gone, and so is their key, \
             here and in {} copies of the key file",
            copies.len() - unreached.len()
        ))?;
    }
    if unreached.is_empty() {
        return Ok(());
    }
    Err(Exit::Person(format!(
        "these copies of the key file still open it: bring them within reach and run `letterbox store \
         backup` or this again, or destroy them: {}",
        unreached.join("; ")
    )))
}

impl From<EraseError> for Exit {
    fn from(error: EraseError) -> Self {
        match error {
            EraseError::SamePerson => Self::Person(error.to_string()),
            _ => Self::Wanting(error.to_string()),
        }
    }
}
