//! `run`: the pipeline of every trust, once or for ever.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use letter_delivery::{Store as _, StoreError};
use letter_gateway::{Gateway, Summary};
use letter_store::{AnyStore, EngineLock, StatusFilter};
use serde_json::json;
use tokio::task::JoinSet;

use super::Context;
use crate::config::{Config, TrustSection};
use crate::exit::Exit;
use crate::ledger::{Ledger, Unsigned};
use crate::metrics;
use crate::open::{self, Opened};
use crate::output::{complain, say, say_json};
use crate::platform;

/// How often the ledger is signed while events arrive (audit-and-delivery facts 5.4).
const SIGN_EVERY: std::time::Duration = std::time::Duration::from_secs(10);

pub(super) async fn run(config: &Config, context: &Context, once: bool) -> Result<(), Exit> {
    if once {
        run_all_once(config, context).await
    } else {
        run_for_ever(config, context).await
    }
}

/// Each trust by itself: what is wrong with one is said, and the others go on.
async fn run_all_once(config: &Config, context: &Context) -> Result<(), Exit> {
    let mut gravest: Option<Exit> = None;
    for trust in config.trusts(context.trust.as_deref())? {
        if let Err(exit) = one_once(config, context, trust).await {
            gravest = Some(exit.of(trust.code.as_str()).or_graver(gravest));
        }
    }
    gravest.map_or(Ok(()), Err)
}

async fn one_once(config: &Config, context: &Context, trust: &TrustSection) -> Result<(), Exit> {
    let opened = open::pipeline(config, trust).await?;
    let _lock = opened.store.lock_engine().await?;
    let done = opened.gateway.run_once(&opened.run).await;
    let signed = opened.ledger.sign_and_show(&opened.store, now()).await;
    let summary = done?;
    signed?;
    let (people, drafts) = waiting(&opened).await?;
    report(context, trust, &summary, people, drafts)?;
    if let Some(fault) = summary.mesh_fault {
        let text = format!("MESH cannot be used: {fault}; letters wait, the next run finds them");
        return Err(if summary.settings_refused {
            Exit::Configuration(text)
        } else {
            Exit::Unavailable(text)
        });
    }
    if summary.broken > 0 {
        return Err(Exit::Unavailable(format!(
            "{} pieces of work broke off: letterbox audit verify tells whether the store is whole",
            summary.broken
        )));
    }
    if summary.feeds_waiting > 0 {
        return Err(Exit::Unavailable(format!(
            "{} feeds could not tell all outcomes: their receivers do not answer; the next run \
             goes on there",
            summary.feeds_waiting
        )));
    }
    if opened.store.stops().await?.open_restore().is_some() {
        return Err(Exit::Person(
            "the store was restored: MESH is asked about what may have left, and nothing is sent \
             until somebody says that the lists agree: letterbox store restore --reconciled"
                .to_owned(),
        ));
    }
    let people = people.saturating_add(summary.inbound_held);
    if people > 0 || summary.failed > 0 {
        return Err(Exit::Person(person(people, summary.failed)));
    }
    Ok(())
}

fn person(people: usize, failed: usize) -> String {
    let files = if failed > 0 {
        format!("; {failed} entries of a folder could not be taken and stay there")
    } else {
        String::new()
    };
    format!("{people} items need a person: letterbox worklist{files}")
}

/// What needs a person, and what waits for its author's signature.
async fn waiting(opened: &Opened) -> Result<(usize, usize), Exit> {
    let people = StatusFilter {
        needs_person: true,
        ..StatusFilter::default()
    };
    let drafts = StatusFilter {
        state: Some("DRAFT_SEEN".to_owned()),
        ..StatusFilter::default()
    };
    let people = opened.store.letters(people).await?.len();
    let drafts = opened.store.letters(drafts).await?.len();
    Ok((people, drafts))
}

fn report(
    context: &Context,
    trust: &TrustSection,
    summary: &Summary,
    people: usize,
    drafts: usize,
) -> Result<(), Exit> {
    if context.json {
        return say_json(&json!({
            "trust": trust.code, "taken": summary.taken, "duplicates": summary.duplicates,
            "refused": summary.refused, "waiting": summary.waiting, "failed": summary.failed,
            "attempts": summary.attempts, "accepted": summary.accepted,
            "reports": summary.reports, "left_alone": summary.left_alone,
            "uncertain": summary.uncertain, "held": summary.held, "broken": summary.broken,
            "inbox_failed": summary.inbox_failed,
            "received": summary.received, "handed_over": summary.handed_over,
            "inbound_waiting": summary.inbound_waiting, "inbound_held": summary.inbound_held,
            "told": summary.told, "feeds_waiting": summary.feeds_waiting,
            "needs_person": people, "drafts": drafts, "mesh_fault": summary.mesh_fault,
        }));
    }
    say(&format!(
        "{}: {} documents taken ({} known already, {} held, {} unreadable), {} letters accepted by \
         MESH, {} reports; {people} need a person, {drafts} wait for a signature",
        trust.code,
        summary.taken,
        summary.duplicates,
        summary.held,
        summary.refused,
        summary.accepted,
        summary.reports
    ))?;
    for (count, what) in remarks(summary) {
        if count > 0 {
            say(&format!("  {count} {what}"))?;
        }
    }
    Ok(())
}

/// What is worth a line only when there is any of it.
const fn remarks(summary: &Summary) -> [(usize, &'static str); 10] {
    [
        (
            summary.waiting,
            "files are still being written, or wait for their other half",
        ),
        (
            summary.failed,
            "entries of a folder could not be taken and stay there: links, or files that this \
             account may not read",
        ),
        (
            summary.uncertain,
            "sends had no answer: MESH is asked before anything is sent again",
        ),
        (
            summary.broken,
            "pieces of work broke off: the next run looks at them anew",
        ),
        (
            summary.received,
            "messages of others for the trust were taken in",
        ),
        (
            summary.handed_over,
            "of these, or of earlier ones, were handed to its own systems",
        ),
        (
            summary.inbound_waiting,
            "messages for the trust wait for its own systems, which did not take them",
        ),
        (
            summary.inbound_held,
            "messages for the trust were refused by its own systems: a person must look",
        ),
        (
            summary.left_alone,
            "messages in the mailbox are not ours and were left alone",
        ),
        (
            summary.inbox_failed,
            "messages in the mailbox could not be read: the next run tries again",
        ),
    ]
}

/// Each trust on a thread of its own: whatever one waits for or breaks on, the others go on.
async fn run_for_ever(config: &Config, context: &Context) -> Result<(), Exit> {
    if let Some(metrics) = &config.metrics {
        metrics::start(metrics.listen).await?;
    }
    let mut ended: Vec<Exit> = Vec::new();
    let mut trusts = JoinSet::new();
    for trust in config.trusts(context.trust.as_deref())? {
        let code = trust.code.to_string();
        match start(config, trust).await {
            Ok((opened, lock)) => {
                let practices = Practices::of(config);
                let is_measured = config.metrics.is_some();
                trusts.spawn_blocking(move || {
                    let runtime = tokio::runtime::Handle::current();
                    let ended =
                        runtime.block_on(one_for_ever(opened, lock, practices, is_measured));
                    ended.map_err(|exit| exit.of(&code))
                });
            }
            Err(exit) => ended.push(exit.of(&code)),
        }
    }
    if !trusts.is_empty() {
        ended.iter().for_each(|exit| complain(&exit.to_string()));
        complain("running; end it with Ctrl-C or SIGTERM");
    }
    while let Some(one) = trusts.join_next().await {
        // What a panic says may hold parts of a letter: it is not repeated.
        let broke = |_| Err(Exit::Unavailable("the run of a trust broke off".to_owned()));
        if let Err(exit) = one.unwrap_or_else(broke) {
            // Told at once: the others may go on for weeks.
            if !trusts.is_empty() {
                complain(&exit.to_string());
            }
            ended.push(exit);
        }
    }
    let gravest = ended
        .into_iter()
        .fold(None, |graver, exit| Some(exit.or_graver(graver)));
    gravest.map_or(Ok(()), Err)
}

async fn start(config: &Config, trust: &TrustSection) -> Result<(Opened, EngineLock), Exit> {
    let opened = open::pipeline(config, trust).await?;
    let lock = opened.store.lock_engine().await?;
    Ok((opened, lock))
}

async fn one_for_ever(
    opened: Opened,
    _lock: EngineLock,
    practices: Practices,
    is_measured: bool,
) -> Result<(), Exit> {
    let trust = opened.gateway.trust().code.to_string();
    let measuring =
        is_measured.then(|| tokio::spawn(metrics::watch(trust, Arc::clone(&opened.store))));
    let mut signing = tokio::spawn(sign_while_events_arrive(
        Arc::clone(&opened.store),
        Arc::clone(&opened.ledger),
    ));
    let watching = tokio::spawn(watch_practices(Arc::clone(&opened.gateway), practices));
    let taken_over = AtomicBool::new(false);
    let stop = async {
        tokio::select! {
            () = platform::asked_to_end() => {}
            _ = &mut signing => taken_over.store(true, Ordering::Relaxed),
        }
    };
    let going_on = opened.gateway.run_until(&opened.run, stop);
    let ended = Box::pin(going_on).await;
    signing.abort();
    watching.abort();
    if let Some(measuring) = measuring {
        measuring.abort();
    }
    if taken_over.load(Ordering::Relaxed) {
        return Err(StoreError::TakenOver.into());
    }
    opened.ledger.sign_and_show(&opened.store, now()).await?;
    ended.map(drop).map_err(Exit::from)
}

/// The practice table's file, and when the one in use was written.
struct Practices {
    path: PathBuf,
    minimum_rows: usize,
    written: Option<SystemTime>,
}

impl Practices {
    fn of(config: &Config) -> Self {
        let path = config.practices_path();
        let written = written(&path);
        Self {
            path,
            minimum_rows: config.practices.minimum_rows,
            written,
        }
    }
}

fn written(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|about| about.modified()).ok()
}

/// Takes a table into use that was imported while this run goes on.
async fn watch_practices(gateway: Arc<Gateway<AnyStore>>, mut practices: Practices) {
    loop {
        tokio::time::sleep(SIGN_EVERY).await;
        let now = written(&practices.path);
        if now.is_none() || now == practices.written {
            continue;
        }
        practices.written = now;
        match open::practices_at(&practices.path, practices.minimum_rows) {
            Ok(table) => gateway.use_practices(table),
            Err(exit) => complain(&format!("the practice table in use stays: {exit}")),
        }
    }
}

/// Ends when another store was taken into service in the place of this one.
async fn sign_while_events_arrive(store: Arc<AnyStore>, ledger: Arc<Ledger>) {
    loop {
        tokio::time::sleep(SIGN_EVERY).await;
        if let Err(error) = ledger.sign_and_show(&store, now()).await {
            complain(&format!("the ledger could not be signed: {error}"));
            if matches!(error, Unsigned::Store(StoreError::TakenOver)) {
                return;
            }
        }
    }
}

pub(crate) fn now() -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from(SystemTime::now())
}
