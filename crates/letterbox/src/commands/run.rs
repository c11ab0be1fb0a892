//! `run`: the pipeline of every trust, once or for ever.

use std::sync::Arc;

use audit_core::Signer;
use letter_gateway::Summary;
use letter_store::{EngineLock, SqliteStore, StatusFilter};
use serde_json::json;
use tokio::task::JoinSet;

use super::Context;
use crate::config::{Config, TrustSection};
use crate::exit::Exit;
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
    let opened = open::pipeline(config, trust)?;
    let _lock = opened.store.lock_engine().await?;
    let done = opened.gateway.run_once(&opened.run).await;
    let signed = opened.store.sign(Arc::clone(&opened.signer), now()).await;
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
    if people > 0 || summary.failed > 0 {
        return Err(Exit::Person(person(people, summary.failed)));
    }
    Ok(())
}

fn person(people: usize, failed: usize) -> String {
    let files = if failed > 0 {
        format!("; {failed} files could not be taken: see the log")
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
    for (count, what) in [
        (
            summary.waiting,
            "files are still being written, or wait for their other half",
        ),
        (summary.failed, "files could not be taken: see the log"),
        (
            summary.uncertain,
            "sends had no answer: MESH is asked before anything is sent again",
        ),
        (
            summary.broken,
            "pieces of work broke off: the next run looks at them anew",
        ),
        (
            summary.left_alone,
            "messages in the mailbox are not ours and were left alone",
        ),
        (
            summary.inbox_failed,
            "messages in the mailbox could not be read: the next run tries again",
        ),
    ] {
        if count > 0 {
            say(&format!("  {count} {what}"))?;
        }
    }
    Ok(())
}

/// A trust that cannot start is told, and the others start.
async fn run_for_ever(config: &Config, context: &Context) -> Result<(), Exit> {
    let mut gravest: Option<Exit> = None;
    let mut trusts = JoinSet::new();
    for trust in config.trusts(context.trust.as_deref())? {
        match start(config, trust).await {
            Ok((opened, lock)) => {
                let code = trust.code.to_string();
                trusts.spawn(async move { (code, one_for_ever(opened, lock).await) });
            }
            Err(exit) => {
                complain(&format!("{}: {exit}", trust.code));
                gravest = Some(exit.or_graver(gravest));
            }
        }
    }
    if trusts.is_empty() {
        return gravest.map_or(Ok(()), Err);
    }
    complain("running; end it with Ctrl-C or SIGTERM");
    while let Some(ended) = trusts.join_next().await {
        let (code, result) = ended.map_err(|error| Exit::Unavailable(error.to_string()))?;
        if let Err(exit) = result {
            gravest = Some(exit.of(&code).or_graver(gravest));
        }
    }
    gravest.map_or(Ok(()), Err)
}

async fn start(config: &Config, trust: &TrustSection) -> Result<(Opened, EngineLock), Exit> {
    let opened = open::pipeline(config, trust)?;
    let lock = opened.store.lock_engine().await?;
    Ok((opened, lock))
}

async fn one_for_ever(opened: Opened, _lock: EngineLock) -> Result<(), Exit> {
    let signing = tokio::spawn(sign_while_events_arrive(
        Arc::clone(&opened.store),
        Arc::clone(&opened.signer),
    ));
    let ended = opened
        .gateway
        .run_until(&opened.run, platform::asked_to_end())
        .await;
    signing.abort();
    opened.store.sign(Arc::clone(&opened.signer), now()).await?;
    ended.map(drop).map_err(Exit::from)
}

async fn sign_while_events_arrive(store: Arc<SqliteStore>, signer: Arc<Signer>) {
    loop {
        tokio::time::sleep(SIGN_EVERY).await;
        if let Err(error) = store.sign(Arc::clone(&signer), now()).await {
            complain(&format!("the ledger could not be signed: {error}"));
        }
    }
}

pub(super) fn now() -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from(std::time::SystemTime::now())
}
