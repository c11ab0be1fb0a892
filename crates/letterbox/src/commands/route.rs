//! `route --case`: one decision from values, with its evidence and in plain English.

use std::fs;
use std::path::Path;

use gp_routing::{CaseFile, PracticeTable, TableLimits, decide_all};

use super::Context;
use super::run::now;
use crate::config::Config;
use crate::exit::Exit;
use crate::open;
use crate::output::{say, say_json};

pub(super) fn route(config: &Path, context: &Context, file: &Path) -> Result<(), Exit> {
    let wrong = |why: &dyn std::fmt::Display| {
        Exit::Configuration(format!("the case {} is not right: {why}", file.display()))
    };
    let bytes = fs::read(file).map_err(|error| wrong(&error))?;
    let case: CaseFile = serde_json::from_slice(&bytes).map_err(|error| wrong(&error))?;
    let table = match &case.table {
        Some(table) => named_table(&file.with_file_name(table))?,
        None => open::practices(&Config::read(config)?)?,
    };
    for decision in decide_all(&case.into_case(now()), &table) {
        if context.json {
            say_json(&decision)?;
        } else {
            say(&format!(
                "{} {}",
                decision.outcome.as_str(),
                decision.reason.as_str()
            ))?;
            say(&format!("  {}", decision.explanation))?;
        }
    }
    Ok(())
}

/// A table that the case names: as small as its author made it.
fn named_table(path: &Path) -> Result<PracticeTable, Exit> {
    let bytes = fs::read(path).map_err(|error| {
        Exit::Configuration(format!("cannot read the table {}: {error}", path.display()))
    })?;
    PracticeTable::read(&bytes, &TableLimits::at_least(1)).map_err(|refused| {
        Exit::Configuration(format!(
            "the table {} is not right: {refused}",
            path.display()
        ))
    })
}
