//! The whole way of a few letters: a MESH, a trust and practices in one process.
//!
//! Nothing is pretended: the same configuration, pipeline, mutual TLS, store and verification
//! that `run` uses. Only the MESH is a stand-in, and the patients are invented.

mod mllp;
mod samples;
mod stage;
mod way;

use std::path::PathBuf;
use std::time::Instant;

use letter_delivery::LetterState;
use letter_store::{LetterView, StatusFilter};

use crate::commands::verified;
use crate::exit::Exit;
use crate::open;
use crate::output::say;
use samples::SAMPLES;
use stage::Stage;

/// Shows the whole way; `keep` names a folder that stays.
pub(crate) async fn demo(keep: Option<PathBuf>) -> Result<(), Exit> {
    let started = Instant::now();
    let stage = Stage::set(keep).await?;
    say(
        "Letterbox demo: one trust, four practices and a MESH in this process. Nothing leaves it.",
    )?;
    say("Every patient is invented.")?;
    say("")?;
    let trust = stage.trust()?;
    let opened = open::pipeline(&stage.config, trust).await?;
    let lock = opened.store.lock_engine().await?;

    let (folder, messages) = stage.hand_over()?;
    let answers = mllp::send(&opened.gateway, messages).await?;
    say(&format!(
        "1. The record system hands over {folder} documents in a folder and {} messages over MLLP \
         (answered {}).",
        answers.len(),
        answers.join(", ")
    ))?;
    stage.lose_one_answer();
    let sent = opened.gateway.run_once(&opened.run).await?;
    say(&format!(
        "2. Read, routed, shaped, proven word for word, and sent with mutual TLS: {} accepted.",
        sent.accepted
    ))?;
    say("   One answer of MESH was cut off on purpose, after it had taken the message.")?;
    if let Some(fault) = sent.mesh_fault {
        return Err(Exit::Unavailable(fault));
    }
    let collected = stage.collect();
    say(&format!(
        "3. The practices collect: {}.",
        collected.join(", ")
    ))?;
    stage.a_moment_later().await;
    opened.gateway.run_once(&opened.run).await?;
    opened.ledger.sign(&opened.store, stage.now()).await?;
    say("4. MESH is asked what became of them.")?;

    let mut views = opened.store.letters(StatusFilter::default()).await?;
    views.sort_by_key(|view| SAMPLES.iter().position(|sample| is_of(view, sample.number)));
    say("")?;
    say("The way of each letter")?;
    for view in &views {
        show(&opened.store, view).await?;
    }
    needs_a_person(&views)?;
    drop(lock);
    drop(opened);
    ledger(&stage).await?;
    say("")?;
    say(&format!(
        "All of this took {:.1} s.",
        started.elapsed().as_secs_f64()
    ))?;
    try_next(&stage)?;
    stage.close().await
}

fn is_of(view: &LetterView, number: &str) -> bool {
    view.document
        .as_ref()
        .is_some_and(|document| document.expose() == number)
}

async fn show(store: &letter_store::AnyStore, view: &LetterView) -> Result<(), Exit> {
    let number = view
        .document
        .as_ref()
        .map(|number| number.expose().as_str())
        .unwrap_or_default();
    let title = SAMPLES
        .iter()
        .find(|sample| sample.number == number)
        .map_or("", |s| s.title);
    say("")?;
    say(&format!("  {title} ({number})"))?;
    let mut events = store.history(view.letter.key).await?;
    for copy in &view.copies {
        events.extend(store.history(copy.key).await?);
    }
    for line in way::lines(&events) {
        say(&format!("    {line}"))?;
    }
    Ok(())
}

fn needs_a_person(views: &[LetterView]) -> Result<(), Exit> {
    say("")?;
    say("What needs a person, and why")?;
    for view in views {
        let letter = &view.letter;
        let number = view
            .document
            .as_ref()
            .map(|number| number.expose().as_str());
        let reason = letter.reason.as_deref().unwrap_or_default();
        let duty = letter.state.duty();
        let shown = number.unwrap_or_default();
        match letter.state {
            LetterState::Held => {
                let owner = duty.owner.as_str();
                say(&format!("  {shown:<10} {owner}: {}", way::reason(reason)))?;
            }
            LetterState::DraftSeen => {
                say(&format!("  {shown:<10} author: {}", duty.next_action))?;
            }
            _ => {}
        }
    }
    Ok(())
}

async fn ledger(stage: &Stage) -> Result<(), Exit> {
    let found = verified(&stage.config, stage.trust()?, Vec::new()).await?;
    let verdict = if found.is_clean() {
        "verified"
    } else {
        "NOT CLEAN"
    };
    say("")?;
    say("The ledger")?;
    say(&format!(
        "  {} events, signed up to event {}",
        found.events, found.provable_to
    ))?;
    say(&format!("  root {}", found.root))?;
    say(&format!("  {verdict}"))?;
    if found.is_clean() {
        return Ok(());
    }
    let faults: Vec<_> = found
        .faults
        .iter()
        .map(|f| format!("{} {}", f.rule, f.what))
        .collect();
    Err(Exit::Wanting(faults.join("; ")))
}

fn try_next(stage: &Stage) -> Result<(), Exit> {
    say("")?;
    say("Try next")?;
    let lines = match stage.kept() {
        Some(folder) => {
            let config = format!("--config {}/letterbox.toml", folder.display());
            [
                format!("  letterbox {config} status             where each letter is"),
                format!("  letterbox {config} worklist           what needs a person"),
                format!("  change a byte in {}/data/rxx.db, then: letterbox {config} audit verify", folder.display()),
            ]
        }
        None => [
            "  letterbox demo --keep /tmp/lb      keep the folder; status, worklist and audit verify work on it"
                .to_owned(),
            "  letterbox letter read FILE         what we understand of a letter of yours".to_owned(),
            "  letterbox init DIR                 a configuration for your own folder and mailbox".to_owned(),
        ],
    };
    lines.iter().try_for_each(|line| say(line))
}
