//! `letter`: one document and what was understood of it, and what people decide about letters.

mod decide;
mod erase;

use std::fs;
use std::path::Path;

use clinical_letter::{Disposition, ReadOptions, Reading, read};

use super::Context;
use crate::cli::LetterCommand;
use crate::config::Config;
use crate::exit::Exit;
use crate::output::{say, say_json};

pub(super) async fn letter(
    config: &Path,
    context: &Context,
    command: LetterCommand,
) -> Result<(), Exit> {
    match command {
        LetterCommand::Read { file } => read_one(config, context, &file),
        LetterCommand::Erase(arguments) => {
            erase::erase(&Config::read(config)?, context, arguments).await
        }
        other => decide::decide(&Config::read(config)?, context, other).await,
    }
}

fn read_one(config: &Path, context: &Context, file: &Path) -> Result<(), Exit> {
    let bytes = fs::read(file)
        .map_err(|error| Exit::Configuration(format!("cannot read {}: {error}", file.display())))?;
    let readings = read(&bytes, &options(config, context)?);
    for reading in &readings {
        if context.json {
            say_json(reading)?;
        } else {
            show(reading)?;
        }
    }
    let rejected = readings
        .iter()
        .filter(|r| r.disposition == Disposition::Reject)
        .count();
    let held = readings
        .iter()
        .filter(|r| r.disposition == Disposition::Hold)
        .count();
    match (rejected, held) {
        (0, 0) => Ok(()),
        (0, held) => Err(Exit::Person(format!(
            "{held} of {} would be held",
            readings.len()
        ))),
        _ => Err(Exit::Wanting(format!(
            "{} is no letter that can be read: {}",
            file.display(),
            readings
                .iter()
                .map(|r| r.reason.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        ))),
    }
}

/// The trust's own label maps when there is a configuration, else the defaults.
fn options(config: &Path, context: &Context) -> Result<ReadOptions, Exit> {
    if !config.exists() && context.trust.is_none() {
        return Ok(ReadOptions::default());
    }
    let config = Config::read(config)?;
    Ok(config.one_trust(context.trust.as_deref())?.reading.clone())
}

/// What a person asked to see of this one letter, patient data included.
fn show(reading: &Reading) -> Result<(), Exit> {
    let source = &reading.document;
    say(&format!(
        "{} ({})",
        reading.disposition.as_str(),
        reading.reason.as_str()
    ))?;
    let number = source.number().unwrap_or("none");
    say(&format!("  document  {number}"))?;
    if let Some(number) = source.patient.valid_nhs_number() {
        say(&format!("  patient   {}", number.spaced()))?;
    }
    if let Some(practice) = &source.gp.practice_code {
        say(&format!("  practice  {practice}"))?;
    }
    for section in &source.sections {
        if let Some(heading) = &section.heading {
            say(&format!("  [{}]", heading.expose()))?;
        }
        for line in section.text.expose().lines() {
            say(&format!("    {line}"))?;
        }
    }
    for finding in reading.findings.findings() {
        say(&format!("  {finding}"))?;
    }
    Ok(())
}
