//! `init`: a commented configuration, the folders it names, and a key.

use std::fs;
use std::path::{Path, PathBuf};

use letter_store::MasterKey;

use crate::config::{CONFIG_NAME, template};
use crate::exit::Exit;
use crate::output::say;
use crate::platform;

/// Makes a folder to work in; `text` is the configuration, else the commented template.
pub(crate) fn init(dir: &Path, text: Option<&str>) -> Result<PathBuf, Exit> {
    let config = dir.join(CONFIG_NAME);
    if config.exists() {
        return Err(Exit::Configuration(format!(
            "{} is there already: choose another folder, or change that file",
            config.display()
        )));
    }
    let failed = |error: std::io::Error| {
        Exit::Unavailable(format!("cannot write to {}: {error}", dir.display()))
    };
    for folder in ["data", "secrets", "in", "taken", "refused"] {
        platform::make_private_folder(&dir.join(folder)).map_err(failed)?;
    }
    fs::create_dir_all(dir.join("tls")).map_err(failed)?;
    let key = MasterKey::generate().map_err(|error| Exit::Unavailable(error.to_string()))?;
    platform::write_secret(&dir.join("secrets/trust.key"), &key.to_hex()).map_err(failed)?;
    let said = text.map_or_else(template, str::to_owned);
    fs::write(&config, said).map_err(failed)?;
    if text.is_none() {
        next_steps(dir)?;
    }
    Ok(config)
}

fn next_steps(dir: &Path) -> Result<(), Exit> {
    let shown = dir.display();
    for line in [
        format!("{shown} is ready. Next:"),
        format!("  1. put certificate, key and CA of your MESH environment into {shown}/tls"),
        format!(
            "  2. write the shared key and the mailbox password into {shown}/secrets (chmod 600)"
        ),
        format!("  3. set trust, mailbox and workflow ids in {shown}/{CONFIG_NAME}"),
        format!("  4. cd {shown} && letterbox ods import epraccur.csv && letterbox check"),
        format!("  5. put a letter into {shown}/in and run: letterbox run --once"),
        format!("Keep a copy of {shown}/secrets/trust.key apart from the data."),
    ] {
        say(&line)?;
    }
    Ok(())
}
