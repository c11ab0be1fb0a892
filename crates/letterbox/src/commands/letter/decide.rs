//! `letter approve|resend|reroute|suppress|withdraw|rejected|telephoned|resolve`: a person's
//! decision.

use letter_delivery::{Decision, Heard, Reroute, Verdict};

use crate::cli::{DecisionArguments, LetterCommand, Said};
use crate::commands::Context;
use crate::commands::status;
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
