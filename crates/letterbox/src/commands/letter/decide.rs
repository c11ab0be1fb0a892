//! `letter approve|resend|reroute|suppress|withdraw|rejected|telephoned|resolve`: a person's
//! decision.

use letter_delivery::{
    Decision, Heard, InboundRecord, InboundState, Reason, Reroute, Store as _, Verdict,
};

use crate::cli::{DecisionArguments, LetterCommand, Said};
use crate::commands::status;
use crate::commands::{Context, now};
use crate::config::Config;
use crate::desk::Desk;
use crate::exit::Exit;
use crate::output::complain;

pub(super) async fn decide(
    config: &Config,
    context: &Context,
    command: LetterCommand,
) -> Result<(), Exit> {
    let Some((decision, arguments)) = decision(command) else {
        return Ok(());
    };
    let named = context.trust.as_deref();
    if matches!(decision, Decision::Resend)
        && let Some((desk, record)) = Desk::of_inbound(config, named, &arguments.id).await?
    {
        return hand_over_again(context, desk, record, &arguments.reason).await;
    }
    let (mut desk, letter) = Desk::of_letter(config, named, &arguments.id).await?;
    let kind = decision.kind();
    let verdict = Verdict::new(decision, desk.by.clone(), arguments.reason).about(arguments.copy);
    let decided = desk.decide(letter, &verdict).await?;
    let lines = status::of_letter(&desk, letter).await?;
    status::print(context, &lines)?;
    if decided.waits {
        return Err(Exit::Person(format!(
            "recorded, and kept back meanwhile: to {kind} it takes two people; now a colleague must \
             run, under an account of their own: letterbox letter approve {letter} --reason R"
        )));
    }
    if decided.copies.len() > 1 {
        complain(&format!("{kind}: {} copies", decided.copies.len()));
    }
    Ok(())
}

/// A message that others sent, and that the trust's own system refused.
async fn hand_over_again(
    context: &Context,
    mut desk: Desk<'_>,
    record: InboundRecord,
    reason: &Reason,
) -> Result<(), Exit> {
    if record.state != InboundState::Held {
        return Err(Exit::Wanting(format!(
            "this message is {}: only a held one is handed over again",
            record.state
        )));
    }
    let (key, by) = (record.key, desk.by.clone());
    let commit = desk.engine.hand_over_again(now(), record, &by, reason);
    desk.store.commit(commit).await?;
    let record = desk.store.inbound(key).await?;
    let lines = record
        .iter()
        .map(|record| status::inbound_line(&desk, record));
    status::print(context, &lines.collect::<Vec<_>>())
}

/// What the command decides; nothing for one that only looks.
fn decision(command: LetterCommand) -> Option<(Decision, DecisionArguments)> {
    Some(match command {
        LetterCommand::Read { .. } | LetterCommand::Erase(_) => return None,
        LetterCommand::Approve(arguments) => (Decision::Approve, arguments),
        LetterCommand::Resend(arguments) => (Decision::Resend, arguments),
        LetterCommand::Reroute {
            arguments,
            to,
            mailbox,
        } => {
            let to = Reroute::to(to);
            let to = match mailbox {
                Some(mailbox) => to.by(mailbox),
                None => to,
            };
            (Decision::Reroute(to), arguments)
        }
        LetterCommand::Suppress(arguments) => (Decision::Suppress, arguments),
        LetterCommand::Withdraw(arguments) => (Decision::Withdraw, arguments),
        LetterCommand::Rejected {
            arguments,
            not_our_patient,
        } => (Decision::Rejected { not_our_patient }, arguments),
        LetterCommand::Telephoned { arguments, said } => {
            (Decision::Telephoned(heard(said)), arguments)
        }
        LetterCommand::Resolve(arguments) => (Decision::Resolve, arguments),
    })
}

const fn heard(said: Said) -> Heard {
    match said {
        Said::Received => Heard::Received,
        Said::Filed => Heard::Filed,
        Said::Told => Heard::Told,
    }
}
