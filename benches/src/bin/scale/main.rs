//! A store as large as years make it: `scale fill FOLDER LETTERS`, then `scale open FOLDER`.
//!
//! `fill` takes letters the whole way to "accepted by MESH": eight events each, as the engine
//! decides them. `open` says what a process holds in memory beside them, and how long searches take.

mod fill;
mod open;

use std::error::Error;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use letter_store::{MasterKey, SqliteStore};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()?;
    let line = match arguments[..] {
        ["fill", folder, letters] => {
            runtime.block_on(fill::fill(Path::new(folder), letters.parse()?))?
        }
        ["open", folder] => runtime.block_on(open::open(Path::new(folder)))?,
        _ => return Err("usage: scale fill FOLDER LETTERS | scale open FOLDER".into()),
    };
    writeln!(std::io::stdout(), "{line}")?;
    Ok(())
}

fn key() -> Result<MasterKey, Box<dyn Error>> {
    Ok(MasterKey::from_hex(&"5a".repeat(32))?)
}

fn store(folder: &Path) -> Result<Arc<SqliteStore>, Box<dyn Error>> {
    Ok(Arc::new(SqliteStore::open(
        &folder.join("scale.db"),
        &key()?,
    )?))
}
