//! `store restore`: a backup becomes the store, and what was sent since it was made is found out.

use letter_delivery::{Actor, CopyState, Engine, Reason, Store as _};
use letter_gateway::SystemEntropy;
use letter_store::{
    AnyStore, LetterView, MasterKey, RestoreFrom, Restoring, SqliteStore, StatusFilter,
};
use serde_json::json;

use crate::cli::RestoreArguments;
use crate::commands::Context;
use crate::commands::run::now;
use crate::config::{Config, TrustSection};
use crate::exit::Exit;
use crate::output::{say, say_json};
use crate::{open, platform};

/// How many copies one commit puts into doubt at most.
const AT_ONCE: usize = 500;
/// Why a letter is erased again that was erased after the backup was made.
const ERASED_SINCE: &str = "erased-after-backup";

/// Each trust by itself: what is wrong with one is said, and the others go on.
pub(super) async fn restore(
    config: &Config,
    context: &Context,
    arguments: &RestoreArguments,
) -> Result<(), Exit> {
    let mut gravest: Option<Exit> = None;
    for trust in config.trusts(context.trust.as_deref())? {
        let done = if arguments.reconciled {
            reconciled(config, context, trust).await
        } else {
            one(config, context, trust, arguments).await
        };
        if let Err(exit) = done {
            gravest = Some(exit.of(trust.code.as_str()).or_graver(gravest));
        }
    }
    gravest.map_or(Ok(()), Err)
}

/// Who decides, and what decides.
struct Desk {
    engine: Engine,
    by: Actor,
}

impl Desk {
    fn new(trust: &TrustSection, key: &MasterKey) -> Self {
        let keys = key.trust_keys(trust.code.clone());
        let by = keys.account(&platform::account());
        let policy = trust.delivery.policy();
        Self {
            engine: Engine::new(keys, policy, Box::new(SystemEntropy::default())),
            by,
        }
    }
}

async fn one(
    config: &Config,
    context: &Context,
    trust: &TrustSection,
    arguments: &RestoreArguments,
) -> Result<(), Exit> {
    super::embedded(config)?;
    let key = open::master_key(trust)?;
    let path = config.store_path(trust);
    platform::make_private_folder(&config.data)?;
    let outside = super::read_checkpoints(&arguments.checkpoint)?;
    let origin = open::origin(trust, 0)?;
    let restoring = match &arguments.dir {
        Some(dir) => {
            let mut from = RestoreFrom::new(dir);
            from.keys.clone_from(&arguments.keys);
            from.replace = arguments.replace;
            SqliteStore::restore(&path, &key, &from, origin, &outside)?
        }
        None => SqliteStore::restore_as_it_is(&path, &key, origin, &outside)?,
    };
    let mut desk = Desk::new(trust, &key);
    let (facts, in_doubt) = begin(trust, &mut desk, &restoring).await?;
    let manifest = restoring.manifest().cloned();
    let replaced = restoring.finish(now())?;
    // Signed at once: whoever sees the checkpoints learns that this store goes on.
    let store = open::store(config, trust, &key).await?;
    let signer = open::signer(trust, &key, store.stops().await?.restores())?;
    store.sign(signer, now()).await?;
    let lost = facts.events_lost();
    let remembers_to = facts.remembers_to.map(|at| at.to_rfc3339());
    if context.json {
        return say_json(&json!({
            "trust": trust.code, "events": facts.held.size, "events_lost": lost,
            "remembers_to": remembers_to, "in_doubt": in_doubt, "replaced": replaced,
            "made_at": manifest.map(|manifest| manifest.made_at.to_rfc3339()),
        }));
    }
    let (code, held) = (&trust.code, facts.held.size);
    say(&format!("{code}: restored, {held} events"))?;
    if let Some(replaced) = replaced {
        say(&format!("  what was there is kept: {}", replaced.display()))?;
    }
    let since = remembers_to.unwrap_or_else(|| "its beginning".to_owned());
    say(&format!(
        "  {lost} events are known to be missing; it remembers nothing after {since}"
    ))?;
    say(&format!(
        "  {in_doubt} copies are in doubt: the next run asks MESH about each; letters are taken in, \
         and nothing is sent"
    ))?;
    say(
        "  now: have the record system hand over again what it signed since then; ask senders for \
         what they sent you since then, for MESH forgets what was acknowledged; then compare the \
         lists, and say so: letterbox store restore --reconciled",
    )
}

/// What the ledger must say before the store is in its place.
async fn begin(
    trust: &TrustSection,
    desk: &mut Desk,
    restoring: &Restoring,
) -> Result<(letter_delivery::Restore, usize), Exit> {
    let store = restoring.store();
    let mut facts = restoring.facts().clone();
    let stops = store.stops().await?;
    facts.held.origin = open::origin(trust, stops.restores())?;
    let commit = desk.engine.restored(now(), &desk.by, &stops, &facts);
    store.commit(commit.map_err(person)?).await?;
    erase_again(desk, store).await?;
    let stops = store.stops().await?;
    let views = store.letters(StatusFilter::default()).await?;
    let open = [CopyState::Queued, CopyState::Sending];
    let copies = views.into_iter().flat_map(|view| view.copies);
    let copies: Vec<_> = copies.filter(|copy| open.contains(&copy.state)).collect();
    for chunk in copies.chunks(AT_ONCE) {
        let commit = desk.engine.doubt_restored(now(), &stops, chunk.to_vec());
        store.commit(commit).await?;
    }
    Ok((facts, copies.len()))
}

/// What was erased after the backup was made stays erased, and the ledger says so again.
async fn erase_again(desk: &mut Desk, store: &SqliteStore) -> Result<(), Exit> {
    let rule = Reason::parse(ERASED_SINCE).map_err(|error| Exit::Wanting(error.to_string()))?;
    for letter in store.erased_since().await? {
        let filter = StatusFilter {
            letter: Some(letter),
            ..StatusFilter::default()
        };
        for LetterView { letter, copies, .. } in store.letters(filter).await? {
            // One that was on its way then is erased when it is at its end, and by people.
            if let Ok(erased) = desk.engine.expire(now(), letter, copies, &rule) {
                store.commit(erased.commit).await?;
            }
        }
    }
    Ok(())
}

/// A person says that the lists agree; nothing may be in doubt any more.
async fn reconciled(config: &Config, context: &Context, trust: &TrustSection) -> Result<(), Exit> {
    let key = open::master_key(trust)?;
    let store = open::store(config, trust, &key).await?;
    let stops = store.stops().await?;
    if stops.open_restore().is_none() {
        return Err(Exit::Configuration(
            "no restore is open: there is nothing to reconcile".to_owned(),
        ));
    }
    let doubts = in_doubt(&store).await?;
    if doubts > 0 {
        return Err(Exit::Person(format!(
            "{doubts} copies are still in doubt: let letterbox run ask MESH about them first; \
             letterbox status --state UNCERTAIN shows them"
        )));
    }
    let mut desk = Desk::new(trust, &key);
    loop {
        let stops = store.stops().await?;
        if stops.open_restore().is_none() {
            break;
        }
        let commit = desk.engine.reconciled(now(), &desk.by, &stops);
        store.commit(commit.map_err(person)?).await?;
    }
    if context.json {
        return say_json(&json!({"trust": trust.code, "reconciled": true}));
    }
    say(&format!(
        "{}: reconciled, as your account says in the ledger; letters are sent again",
        trust.code
    ))
}

async fn in_doubt(store: &AnyStore) -> Result<usize, Exit> {
    let filter = StatusFilter {
        state: Some(CopyState::Uncertain.as_str().to_owned()),
        ..StatusFilter::default()
    };
    let views = store.letters(filter).await?;
    Ok(views.iter().map(|view| view.copies.len()).sum())
}

#[expect(clippy::needless_pass_by_value, reason = "maps an error")]
fn person(error: letter_delivery::StopError) -> Exit {
    Exit::Configuration(error.to_string())
}
